"""Refold and compare: a log's events lead today's mind to the log's commands, and the first that differ are named."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest

from agent_runtime.call import Call
from agent_runtime.commands import Decision, Say
from agent_runtime.events import FinalTranscript
from agent_runtime.record import Entry, decode, encode
from agent_runtime.replay import Difference, compare, refold
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn
from policies.endpointing import EndpointSettings
from tests.agent_runtime.scenes import clip, desk, play

AGENT = desk()
REPLY = "<think> none <expect> more <say> good. what name is it for? <end>"


def call_of(*said: str) -> Call:
    """A call of words in which the caller says these lines, one a turn."""
    lines = [Line(f"line {n}", after_turn(0.6), (Segment(clip(text)),)) for n, text in enumerate(said)]
    return play(AGENT, ScriptedCaller.of_lines(*lines), {"wednesday": REPLY})


@pytest.fixture(scope="module")
def entries() -> tuple[Entry, ...]:
    return call_of("i would like wednesday please", "miller").entries


def changed(entries: Sequence[Entry], at: int, **fields: object) -> list[Entry]:
    """The entries with one of them changed."""
    return [
        dataclasses.replace(entry, what=dataclasses.replace(entry.what, **fields)) if entry.seq == at else entry
        for entry in entries
    ]


def first(entries: Sequence[Entry], kind: type, **wanted: object) -> Entry:
    """The first entry of a kind whose fields have these values."""
    return next(
        entry
        for entry in entries
        if isinstance(entry.what, kind) and all(getattr(entry.what, name) == value for name, value in wanted.items())
    )


def test_the_same_code_decides_the_same(entries: tuple[Entry, ...]) -> None:
    assert any(isinstance(entry.what, Say) for entry in entries)
    assert refold(entries, AGENT) is None


def test_what_went_through_a_file_refolds_too(entries: tuple[Entry, ...]) -> None:
    read = [decode(encode(entry)) for entry in entries]
    assert refold(read, AGENT) is None


def test_a_log_that_was_cut_off_anywhere_refolds(entries: tuple[Entry, ...]) -> None:
    for end in range(1, len(entries)):
        assert refold(entries[:end], AGENT) is None, end


def test_another_greeting_is_the_first_difference(entries: tuple[Entry, ...]) -> None:
    found = refold(entries, desk(greeting="hello. how can i help?"))
    assert found is not None
    said = first(entries, Say)
    assert found.seq == said.cause
    assert any("good morning" in text for text in found.recorded)
    assert any("hello. how" in text for text in found.found)
    assert f"first difference at seq {said.cause}:\n  - " in str(found)


def test_a_slower_end_of_turn_is_a_difference_at_the_turn(entries: tuple[Entry, ...]) -> None:
    slow = EndpointSettings(curve=((0.0, 2_000), (1.0, 2_000)))
    found = refold(entries, desk(endpointing=slow))
    assert found is not None
    assert found.seq >= first(entries, FinalTranscript).seq - 50
    assert found.recorded != found.found


def test_a_changed_event_changes_what_follows_from_it_and_nothing_before(entries: tuple[Entry, ...]) -> None:
    heard = first(entries, FinalTranscript)
    found = refold(changed(entries, heard.seq, text="goodbye"), AGENT)
    assert found is not None
    assert found.seq >= heard.seq


def test_a_changed_command_is_found_where_it_stands(entries: tuple[Entry, ...]) -> None:
    said = first(entries, Say)
    found = refold(changed(entries, said.seq, text="good evening"), AGENT)
    assert found is not None
    assert found.seq == said.cause
    assert any("good evening" in text for text in found.recorded)


def test_a_command_that_is_gone_is_a_difference(entries: tuple[Entry, ...]) -> None:
    decision = first(entries, Decision, action="speak")
    found = refold([entry for entry in entries if entry.seq != decision.seq], AGENT)
    assert found is not None
    assert found.seq == decision.cause
    assert len(found.found) == len(found.recorded) + 1


def test_what_is_no_log_is_refused(entries: tuple[Entry, ...]) -> None:
    for wrong in ((), entries[1:]):
        with pytest.raises(ValueError, match="does not begin with CallStarted"):
            refold(wrong, AGENT)


def test_two_logs_that_decide_alike_do_not_differ(entries: tuple[Entry, ...]) -> None:
    assert compare(entries, entries) is None
    later = [dataclasses.replace(entry, at_us=entry.at_us + 1_000) for entry in entries]
    assert compare(entries, later) is None, "times may differ: that is what a rerun is for"
    assert compare((), ()) is None


def test_the_first_other_decision_is_named(entries: tuple[Entry, ...]) -> None:
    decision = first(entries, Decision, action="speak")
    other = changed(entries, decision.seq, action="silence", reason="nothing to say")
    found = compare(entries, other)
    assert found is not None
    assert found.seq == decision.seq
    assert '"action":"speak"' in found.recorded[0]
    assert '"action":"silence"' in found.found[0]


def test_a_call_that_goes_on_longer_differs_where_the_other_ends(entries: tuple[Entry, ...]) -> None:
    decisions = [entry for entry in entries if isinstance(entry.what, Decision)]
    shorter = [entry for entry in entries if entry.seq < decisions[-1].seq]
    for one, other, recorded, found in ((entries, shorter, 1, 0), (shorter, entries, 0, 1)):
        difference = compare(one, other)
        assert difference is not None
        assert (len(difference.recorded), len(difference.found)) == (recorded, found)
    assert compare((), entries) is not None
    assert "(nothing)" in str(Difference(3, (), ("x",)))
