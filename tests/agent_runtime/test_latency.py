"""Timing read from a log: exact figures of a call made by hand, and records that refuse to be impossible."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.labels import LabelError, LabelledTurn, Labels
from agent_runtime.latency import (
    CallLatency,
    ImpossibleOrder,
    OverlapLatency,
    ToolLatency,
    TurnLatency,
    agent_speech,
    as_json,
    measure,
    percentile,
    summary,
)
from agent_runtime.record import Entry
from tests.agent_runtime.made_call import MadeCall, at, front_desk

CALL = front_desk()
ENTRIES = CALL.entries()
LABELS = Labels.parse(CALL.labels())


def figure(measured: CallLatency, key: str) -> tuple[float | None, int]:
    found = next(one for one in summary([measured]) if one.key == key)
    return found.value, found.n


# --- a whole call ------------------------------------------------------------------------------------------------


def test_first_sound_and_first_answer_stand_apart() -> None:
    turns = {turn.turn: turn for turn in measure(ENTRIES, LABELS).turns}
    assert turns[1].first_sound_ms == turns[1].first_answer_ms == 460.0
    assert turns[2].first_sound_ms == 600.0, "the filler"
    assert turns[2].first_answer_ms == 2160.0, "the answer after the tool"


def test_a_chosen_silence_is_no_missed_turn() -> None:
    measured = measure(ENTRIES, LABELS)
    assert [turn.status for turn in measured.turns].count("silent") == 1
    assert figure(measured, "missed") == (0.0, 8)


def test_an_agent_that_begins_inside_a_turn_cut_in() -> None:
    measured = measure(ENTRIES, LABELS)
    assert [turn.turn for turn in measured.turns if turn.cut_in] == [8]
    assert figure(measured, "cut_ins") == (1 / 8, 8)


def test_yield_and_cancel_at_barge_in() -> None:
    (barge_in,) = (one for one in measure(ENTRIES, LABELS).overlaps if one.kind == "barge_in")
    assert barge_in.yield_ms == 140.0
    assert barge_in.cancel_ms == pytest.approx(520, abs=0.2)


def test_a_backchannel_that_silences_is_counted_with_its_length() -> None:
    measured = measure(ENTRIES, LABELS)
    assert figure(measured, "backchannels_cut") == (1.0, 1)
    assert figure(measured, "silenced") == (470.0, 1)


def test_tool_time_under_a_filler_is_hidden() -> None:
    slots, book = measure(ENTRIES, LABELS).tools
    assert (slots.tool, slots.took_ms, slots.hidden_ms) == ("find_slots", 1500.0, 800.0)
    assert (book.tool, book.took_ms, book.hidden_ms) == ("book", 120.0, 0.0)


def test_without_labels_figures_are_estimates_and_cut_ins_unknown() -> None:
    measured = measure(ENTRIES)
    assert measured.estimated
    assert all(one.estimated for one in summary([measured]))
    assert figure(measured, "cut_ins") == (None, 0)
    assert measured.turns[0].first_sound_ms == 460.0
    assert [one.kind for one in measured.overlaps] == ["backchannel", "barge_in", "barge_in"]


def test_many_calls_pool() -> None:
    measured = measure(ENTRIES, LABELS)
    table = as_json([measured, measured])
    assert table["first_sound"]["n"] == 14
    assert table["first_sound"]["value"] == as_json([measured])["first_sound"]["value"]
    assert set(table["yield"]) == {"value", "unit", "n", "p95", "estimated"}


def test_nothing_measured_is_no_zero() -> None:
    assert all(one.value is None for one in summary([]))
    assert percentile([], 50) is None


# --- single shapes -----------------------------------------------------------------------------------------------


def overlapped(kind: str, text: str, first_s: float, last_s: float, call: MadeCall) -> list[OverlapLatency]:
    label = LabelledTurn(1, kind, text, at(first_s), at(last_s))  # type: ignore[arg-type]
    return list(measure(call.entries(), Labels((label,))).overlaps)


def speaking(until_s: float) -> MadeCall:
    call = MadeCall()
    call.say(1.0, "one two three four five six", call.add(0.0, ev.CallAnswered(0)), lasts_s=until_s - 1.0)
    return call


def test_a_backchannel_that_changes_nothing_is_counted_but_cuts_nothing() -> None:
    (one,) = overlapped("backchannel", "mm-hm", 2.0, 2.3, speaking(4.0))
    assert (one.inaudible, one.yield_ms, one.silenced_ms) == (None, None, None)


def test_an_agent_that_was_just_finishing_did_not_ignore_anybody() -> None:
    assert overlapped("barge_in", "wait", 3.7, 5.0, speaking(4.0)) == []


def test_an_agent_that_talks_on_ignored_the_barge_in() -> None:
    (one,) = overlapped("barge_in", "wait", 2.0, 2.5, speaking(6.0))
    assert one.inaudible is None
    measured = CallLatency("", False, (), (one,), ())
    assert figure(measured, "ignored") == (1.0, 1)


def test_no_overlap_where_the_agent_was_silent() -> None:
    assert overlapped("barge_in", "wait", 5.0, 6.0, speaking(4.0)) == []


def test_a_turn_nobody_answers_is_missed_unless_the_call_ends_at_once() -> None:
    label = LabelledTurn(1, "turn", "hello", at(1.0), at(2.0))
    for end_s, status in ((9.0, "missed"), (3.0, "left")):
        call = MadeCall()
        call.add(0.0, ev.CallAnswered(0))
        call.add(end_s, ev.CallEnded("caller_hung_up", at(end_s)))
        (turn,) = measure(call.entries(), Labels((label,))).turns
        assert turn.status == status


def test_a_log_that_stops_in_the_middle_is_read() -> None:
    for cut in range(1, len(ENTRIES), 7):
        measure(ENTRIES[:cut], LABELS)
        measure(ENTRIES[:cut])


def test_an_utterance_that_never_ends_is_audible_to_the_end_of_the_log() -> None:
    begun = [Entry(1, 0, 0, do.Say(1, "answer", False, "hi")), Entry(2, 500_000, 1, ev.UtteranceStarted(1, 8000))]
    (one,) = agent_speech([*begun, Entry(3, 1_000_000, 0, ev.TimerFired("x"))])
    assert (one.audible, one.reason, one.dropped) == (((8000, 16000),), "open", None)


def test_a_line_that_does_not_begin_with_the_log_is_brought_together() -> None:
    late = [replace(entry, at_us=entry.at_us + 250_000) for entry in ENTRIES]
    assert measure(late, LABELS).tools == measure(ENTRIES, LABELS).tools


# --- what cannot be ----------------------------------------------------------------------------------------------


GOOD = TurnLatency(1, "turn", "hello", 0, 16_000, "answered", False, 20_000, 24_000)


@pytest.mark.parametrize(
    "change",
    [
        {"last_sample": -1},
        {"first_sound": 15_999},
        {"first_answer": 18_000},
        {"first_sound": None},
        {"status": "missed"},
    ],
)
def test_an_impossible_turn_is_refused(change: dict[str, int | None]) -> None:
    with pytest.raises(ImpossibleOrder):
        replace(GOOD, **change)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "moments", [(90, None, None), (None, 120, None), (None, None, 130), (120, 110, None), (120, None, 119)]
)
def test_an_impossible_overlap_is_refused(moments: tuple[int | None, int | None, int | None]) -> None:
    with pytest.raises(ImpossibleOrder):
        OverlapLatency(1, "barge_in", "wait", 100, 1, *moments)


def test_a_tool_cannot_hide_more_than_it_took() -> None:
    with pytest.raises(ImpossibleOrder):
        ToolLatency(1, "book", 100.0, 101.0)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"turns": []}, "rate_hz None"),
        ({"rate_hz": 8000, "turns": []}, "expected 16000"),
        ({"rate_hz": 16000, "turns": {}}, "expected a list"),
        ({"rate_hz": 16000, "turns": [{"first_sample": 1}]}, "label 1 cannot be read"),
        ({"rate_hz": 16000, "turns": [{"first_sample": 5, "last_sample": 5}]}, "the last must be later"),
        ({"rate_hz": 16000, "turns": [{"first_sample": 0, "last_sample": 5, "kind": "song"}]}, "kind 'song'"),
        ({"rate_hz": 16000, "turns": [{"first_sample": 2, "last_sample": 5, "segments": [[0, 5]]}]}, "outside"),
        (
            {"rate_hz": 16000, "turns": [{"first_sample": 0, "last_sample": 9}, {"first_sample": 5, "last_sample": 8}]},
            "one mouth",
        ),
    ],
)
def test_labels_that_cannot_be_are_refused(raw: dict[str, object], said: str) -> None:
    with pytest.raises(LabelError, match=said):
        Labels.parse(raw)


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0, 100))
def test_a_percentile_is_a_value_that_occurred(values: list[float], percent: float) -> None:
    ordered = sorted(values)
    found = percentile(ordered, percent)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= len(ordered) * percent / 100
