"""What is known of a finished call, and what `run_call` refuses and leaves behind."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import events as ev
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.call import Call, CallError, run_call
from agent_runtime.log import read_log
from agent_runtime.record import Entry
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn, hang_up, read_labels
from agent_runtime.testing.fakes import TimedVoice
from tests.agent_runtime.scenes import TODAY, clip, desk, play

boxed = pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box")


def caller(*texts: str) -> ScriptedCaller:
    """A caller who says these lines, one after each turn of the agent, and leaves."""
    lines = [Line(f"line {n}", after_turn(0.6), (Segment(clip(text)),)) for n, text in enumerate(texts)]
    return ScriptedCaller.of_lines(*lines, hang_up(after_turn(1.0)))


def test_the_transcript_is_what_both_heard_in_the_order_in_which_they_heard_it() -> None:
    says = {
        "ten thirty": "<expect> yes <say> i have ten thirty or two. <end>",
        "wednesday": "<think> book <expect> slots <call> find_slots day wednesday <end>",
    }
    call = play(desk(), caller("i would like wednesday"), says)
    assert call.transcript == (
        ("agent", "good morning. how can i help?"),
        ("caller", "i would like wednesday"),
        ("agent", "let me look."),
        ("agent", "i have ten thirty or two."),
    )
    assert call.tool_results == (("find_slots", ["10:30", "14:00"]),)
    assert call.ended.reason == "caller_hung_up"
    assert call.folder is None


def test_unheard_words_stand_in_no_transcript() -> None:
    entries = [
        ev.FinalTranscript(1, 1, 0, "", ()),
        ev.UtteranceHeard(1, 0, False, ""),
        ev.UtteranceEnded(1, 0, "cancelled"),
        ev.UtteranceHeard(2, 10, False, "we are"),
        ev.UtteranceHeard(2, 20, False, "we are open"),
        ev.FinalTranscript(2, 2, 0, "no wait", ()),
        ev.UtteranceEnded(2, 20, "cancelled"),
    ]
    call = Call(ev.CallEnded("cancelled", 0), tuple(Entry(n, 0, 0, what) for n, what in enumerate(entries, 1)))
    assert call.transcript == (("caller", "no wait"), ("agent", "we are open"))
    assert call.tool_results == ()


def test_who_calls_and_what_day_it_is_stand_in_the_log() -> None:
    door = ScriptedCaller.of_lines(hang_up(after_turn(0.5)), counterparty="+15550199", direction="outbound")
    started = play(desk(), door, {}, call_id="c-17").entries[0].what
    assert isinstance(started, ev.CallStarted)
    assert (started.call_id, started.direction, started.counterparty) == ("c-17", "outbound", "+15550199")
    assert started.wall_date == TODAY.isoformat()
    assert started.settings == desk().settings_digest()
    assert "5550199" not in started.subject


@pytest.mark.parametrize("counterparty", ["", "anonymous", "unknown"])
def test_a_withheld_number_is_a_subject_of_its_own_for_each_call(counterparty: str) -> None:
    def subject(call_id: str) -> str:
        door = ScriptedCaller.of_lines(hang_up(after_turn(0.5)), counterparty=counterparty)
        started = play(desk(), door, {}, call_id=call_id).entries[0].what
        assert isinstance(started, ev.CallStarted)
        return started.subject

    assert subject("one") == subject("one")
    assert subject("one") != subject("two")


class Deaf:
    """A door that brings audio only."""

    ahead = True
    facts: dict[str, Any] = {}  # noqa: RUF012 - a test door

    async def listen(self) -> AsyncIterator[Any]:
        nothing: tuple[Any, ...] = ()
        for one in nothing:
            yield one


def test_what_cannot_be_played_is_refused_in_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    undated = desk(today=None)
    with pytest.raises(CallError) as raised:
        run_call(undated, caller("hello"), out=tmp_path / "a" / "call")
    assert str(raised.value) == (
        "no date for today: give today=datetime.date(...) or set today in [agent] of agent.toml"
    )
    (tmp_path / "taken").mkdir()
    with pytest.raises(CallError) as raised:
        run_call(desk(), caller("hello"), out=tmp_path / "taken")
    assert str(raised.value) == f"output folder {tmp_path / 'taken'} exists; name a new one or remove it first"
    with pytest.raises(CallError, match=r"^Deaf brings audio only; play it with audio=True$"):
        run_call(desk(), Deaf(), audio=False)
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


@boxed
def test_a_calls_folder_appears_when_the_call_is_complete(tmp_path: Path) -> None:
    seen: list[list[str]] = []

    def look(entry: Entry) -> None:
        if isinstance(entry.what, ev.CallEnded):
            seen.append(sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith(".")))

    call = run_call(
        desk(), caller("hello there"), out=tmp_path / "one", audio=False, voice=TimedVoice(), watchers=[look]
    )
    assert seen == [[]], "nothing under its name while it lasts"
    assert call.folder == tmp_path / "one"
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["events.jsonl", "labels.json", "report.html"]
    assert tuple(read_log(tmp_path / "one" / "events.jsonl")) == call.entries
    assert [turn.text for turn in read_labels(tmp_path / "one" / "labels.json").turns] == ["hello there"]
    assert [path.name for path in tmp_path.iterdir()] == ["one"], "no temporary folder is left"


@boxed
def test_the_same_call_by_the_cost_model_has_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        run_call(
            desk(), caller("hello i need an appointment", "on wednesday please"), out=tmp_path / name,
            today=datetime.date(2026, 11, 23), audio=False, voice=TimedVoice(),
        )  # fmt: skip
    one, two = ((tmp_path / name / "events.jsonl").read_bytes() for name in ("one", "two"))
    assert one == two
    assert len(one) > 5000


@boxed
def test_a_call_that_fails_leaves_no_folder(tmp_path: Path) -> None:
    class Broken(ScriptedCaller):
        async def close(self) -> None:
            raise OSError("cannot hang up")

    with pytest.raises(OSError, match="cannot hang up"):
        run_call(
            desk(), Broken.of_lines(hang_up(after_turn(0.5))), out=tmp_path / "deep" / "one", audio=False,
            voice=TimedVoice(),
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
