"""The curves of turn ends on places that are known, and the boxed model's places."""

from __future__ import annotations

import pytest

from agent_runtime.bench.endpointing import WAYS, Place, curves, picture, places_of
from agent_runtime.bench.recorded_pauses import recorded, stream_of, stretches
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.events import FinalTranscript, SpeechStarted, SpeechStopped
from agent_runtime.record import Entry
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.trajectory import Role, Segment


def end(words: str, p_over: float | None = 0.95, caller: int = 0) -> Place:
    return Place(caller, tuple(words.split()), "", p_over, None)


def pause(words: str, pause_ms: float, p_over: float | None = 0.05, caller: int = 0) -> Place:
    return Place(caller, tuple(words.split()), "", p_over, pause_ms)


PLACES = [
    pause("i would like to", 700),
    end("i would like to come on wednesday"),
    pause("it is for", 900),
    end("it is for miller"),
    end("yes please"),
]


def by_way() -> dict[str, dict[float, tuple[float, float]]]:
    return {
        curve.way: {point.knob: (point.gap_p50_ms, point.cut_in_share) for point in curve.points}
        for curve in curves(PLACES)
    }


def test_a_fixed_silence_pays_for_every_pause_it_sits_out() -> None:
    fixed = by_way()["fixed silence"]
    assert [fixed[ms] for ms in (600.0, 700.0, 800.0, 900.0)] == [(600, 1.0), (700, 0.5), (800, 0.5), (900, 0.0)]


def test_words_and_model_sit_out_what_is_unfinished_and_answer_what_is_over() -> None:
    found = by_way()
    for way in ("words", "words, model and habit"):
        gap_ms, cut = found[way][1.0]
        assert cut == 0
        assert gap_ms < 400
    assert found["words, model and habit"][1.0][0] < found["words"][1.0][0]


def test_more_caution_never_asks_for_less() -> None:
    for curve in curves(PLACES):
        gaps = [point.gap_p50_ms for point in curve.points]
        cuts = [point.cut_in_share for point in curve.points]
        assert gaps == sorted(gaps)
        assert cuts == sorted(cuts, reverse=True)
        assert len(curve.points) == len(WAYS[curve.way][1])
        assert (curve.ends, curve.pauses) == (3, 2)


def test_a_habit_belongs_to_its_caller() -> None:
    slow = [pause("i was there and then i went", 690, 0.3, caller=1) for _ in range(8)]
    last = pause("i was there and then i went", 590, 0.3, caller=1)
    knob = WAYS["words, model and habit"][0]
    from policies.endpointing import PauseHabit

    learned = PauseHabit()
    for one in slow:
        learned = learned.seen(one.pause_ms or 0)
    assert knob(last, learned, 1.0) > knob(last, PauseHabit(), 1.0)


def test_both_kinds_are_needed() -> None:
    with pytest.raises(ValueError, match="3 of 3 places are ends"):
        curves([place for place in PLACES if place.pause_ms is None])


def test_the_picture_holds_a_line_for_each_way() -> None:
    drawn = picture(curves(PLACES), "made up")
    assert drawn.count("<polyline") == len(WAYS)
    assert "3 ends, 2 pauses" in drawn


def test_places_are_where_heard_words_end() -> None:
    stream = [
        Segment(Role.HEARD, "i would like to"),
        Segment(Role.HEARD, "book an appointment"),
        Segment(Role.TURN),
        Segment(Role.EXPECT, "day"),
        Segment(Role.SAY, "which day suits you?", Role.END),
        Segment(Role.HEARD, "wednesday"),
        Segment(Role.TURN),
    ]
    found = list(places_of(CoreModel.load(BOXED_MODEL), Tokenizer.load(BOXED_MODEL), stream, 7))
    assert [(" ".join(p.words), p.expects, p.pause_ms is None) for p in found] == [
        ("i would like to", "", False),
        ("i would like to book an appointment", "", True),
        ("wednesday", "day", True),
    ]
    assert all(place.p_over is not None and 0 < place.p_over < 1 for place in found)
    assert all(place.caller == 7 for place in found)


def test_a_recorded_pause_ends_a_turn_where_the_agent_took_the_floor() -> None:
    entries: list[Entry] = []
    for number, (begun, ended) in enumerate([(1.0, 2.0), (2.7, 3.5), (5.2, 5.6), (6.4, 7.0), (9.0, 9.5)], 1):
        at_us = round(ended * 1e6)
        for what in (
            SpeechStarted(round(begun * 16_000), 0, 1.0, 0.0, number),
            SpeechStopped(round(ended * 16_000), 0),
            FinalTranscript(number, number, 0, f"words {number}", ()),
        ):
            entries.append(Entry(len(entries) + 1, at_us, 0, what))
    found = stretches(entries, [(3.7, 5.8), (7.2, 8.5)])
    assert found == [("words 1", pytest.approx(700)), ("words 2", None), ("words 4", None)]
    assert [str(segment.role) for segment in stream_of(found)] == [
        str(role) for role in (Role.HEARD, Role.HEARD, Role.TURN, Role.HEARD, Role.TURN)
    ]


def test_without_recordings_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DUOLOGUE_CALLS", raising=False)
    assert recorded() == ([], "set DUOLOGUE_CALLS to the folder that holds call40")
