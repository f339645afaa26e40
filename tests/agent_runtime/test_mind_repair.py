"""A caller who is not understood: asked in another way after the second time, once; as scripts."""

from __future__ import annotations

from policies.repair import RepairSettings
from policies.shapes import NoteField
from tests.agent_runtime.scenes import Talk, shown, talk

NOTES = (
    NoteField("intent", "choice", ("none", "book")),
    NoteField("day", "choice", ("monday", "wednesday"), ask="which day, for example {example}?"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
WHICH_DAY = "which day suits you?"
ASKED = "which day, for example monday?"


def asks(scene: Talk, number: int, at_ms: int, text: str = WHICH_DAY) -> int:
    """Generation and utterance `number` ask for the day and are heard; returns when that was."""
    scene.writes(number, text)
    scene.ends(number)
    scene.sounds(number, at_ms)
    scene.played(number, text, at_ms + 1000)
    return at_ms + 1500


def misheard(scene: Talk, generation: int, at_ms: int, note: str = "book - -") -> list[str]:
    """The caller says something and the model makes nothing of it."""
    scene.turn("when's day", at_ms)
    before = len(scene.orders)
    scene.thinks(generation, note, "day")
    return [shown(order) for order in scene.orders[before:]]


def asked_twice(**settings: object) -> tuple[Talk, int]:
    """The agent has asked for the day, was not answered in a way it understood, and has asked again."""
    scene = talk(notes=NOTES, **settings)
    scene.turn("a visit please", 1000)
    scene.thinks(1, "book - -", "day")
    at_ms = asks(scene, 1, 2200)
    assert misheard(scene, 2, at_ms) == []
    return scene, asks(scene, 2, at_ms + 1200)


def test_after_the_second_misunderstanding_the_agent_asks_in_another_way_and_only_once() -> None:
    scene, at_ms = asked_twice()
    assert misheard(scene, 3, at_ms) == [
        "(speak: ask in another way: day not understood 2 times)",
        "CancelGeneration 3",
        "no timer idle",
        f"say 3 answer {ASKED!r} end",
    ]
    assert scene.mind.expects == "day"
    assert scene.writes(3, WHICH_DAY) == [], "what the model would have said is dropped"
    assert scene.ends(3, "cancelled") == []
    scene.sounds(3, at_ms + 1200)
    scene.played(3, ASKED, at_ms + 2200)
    assert scene.stream.endswith(f"<turn><think> book - -<expect> day<say> {ASKED}<end>")
    assert misheard(scene, 4, at_ms + 2700) == [], "the model speaks again, so that nobody is caught in a loop"
    assert misheard(scene, 5, asks(scene, 4, at_ms + 3900)) == []


def test_what_was_understood_in_between_begins_a_new_count() -> None:
    scene, at_ms = asked_twice()
    assert misheard(scene, 3, at_ms, note="none - -") == []
    assert misheard(scene, 4, asks(scene, 3, at_ms + 1200), note="none - -") == []


def test_a_turn_that_is_taken_back_is_not_counted_twice() -> None:
    scene = talk(notes=NOTES)
    scene.turn("a visit please", 1000)
    scene.thinks(1, "book - -", "day")
    at_ms = asks(scene, 1, 2200)
    assert misheard(scene, 2, at_ms) == []
    scene.begins(at_ms + 1060)
    reopened = scene.utters("no not that", at_ms + 1800) + scene.pauses(at_ms + 2000)
    reopened += scene.said("no not that", at_ms + 2050)
    assert "CancelGeneration 2" in reopened
    reopened += scene.rings("endpoint", at_ms + 3400)
    assert "generate 3" in reopened, reopened
    before = len(scene.orders)
    scene.thinks(3, "book - -", "day")
    assert scene.orders[before:] == [], "still the first misunderstanding"


def test_when_is_a_setting() -> None:
    scene = talk(notes=NOTES, repair=RepairSettings(after=1))
    scene.turn("a visit please", 1000)
    scene.thinks(1, "book - -", "day")
    assert misheard(scene, 2, asks(scene, 1, 2200))[0] == "(speak: ask in another way: day not understood 1 times)"
