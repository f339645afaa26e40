"""Our own backchannels: said in a long turn, and of no weight for the floor and the history."""

from __future__ import annotations

import dataclasses

from policies.backchannel import BackchannelSettings
from tests.agent_runtime.scenes import PLAIN_FLOOR, QUIET, Talk, talk

STORY = "i was there last week and the doctor told me to come back"
HUMMING = dataclasses.replace(PLAIN_FLOOR, backchannel=BackchannelSettings(on=True))


def long_turn(**settings: object) -> tuple[Talk, list[str]]:
    """A caller who speaks from 1000 to 6000 ms and pauses; what that led to when the words were final."""
    scene = talk(**settings)
    scene.begins(1000)
    scene.utters(STORY, 5900)
    scene.pauses(6130, spoke_until_ms=6000)
    return scene, scene.said(STORY, 6150)


def test_we_hum_in_a_pause_of_a_long_turn() -> None:
    scene, orders = long_turn(floor=HUMMING)
    assert orders[-4:] == [
        "timer endpoint 50",
        "(backchannel: a long turn goes on)",
        "no timer idle",
        "say 1 backchannel 'mm-hm.' end",
    ]
    assert "backchannel" not in " ".join(scene.rings("endpoint", 6160)), "once a pause"


def test_unless_it_is_turned_on_we_do_not() -> None:
    _, orders = long_turn()
    assert orders[-1] == "timer endpoint 50"


def test_it_neither_holds_the_floor_nor_ends_the_turn_nor_stands_in_the_history() -> None:
    scene, _ = long_turn(floor=HUMMING)
    scene.sounds(1, 6180)
    assert scene.begins(6300) == QUIET, "no overlap: the caller goes on"
    scene.utters("so i would like to do that", 7000)
    assert not any("1" in order for order in scene.played(1, "mm-hm.", 7010)), "its end asks for nothing"
    scene.pauses(7300, spoke_until_ms=7170)
    assert scene.said("on wednesday", 7400)[-1] == "generate 1"
    assert scene.stream == f"<heard> {STORY}<heard> on wednesday<turn>"


def test_a_turn_that_is_over_while_it_sounds_is_answered() -> None:
    scene, _ = long_turn(floor=HUMMING)
    scene.sounds(1, 6180)
    assert scene.rings("endpoint", 6200)[-1] == "generate 1"
