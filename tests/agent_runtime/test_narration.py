"""What a terminal shows of a call while it happens."""

from __future__ import annotations

import io

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.narration import Narrator
from agent_runtime.record import Entry
from policies.trajectory import Trajectory
from tests.agent_runtime.made_call import MadeCall, front_desk

ENTRIES = front_desk().entries()


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def told(entries: list[Entry], **options: bool | float | int) -> list[str]:
    stream = io.StringIO()
    narrator = Narrator(stream, **options)  # type: ignore[arg-type]
    for entry in entries:
        narrator.entry(entry)
    return stream.getvalue().splitlines()


def test_a_call_reads_as_a_conversation() -> None:
    lines = told(ENTRIES)
    assert lines[:5] == [
        "                 call made-1: front desk, inbound, 2026-11-23",
        "    0.3s         answered",
        "    0.4s agent   good morning, riverside clinic. how can i help?",
        "    3.7s caller  hello i would like to make an appointment please",
        "    6.5s thinks  book - - - - -, expects day",
    ]
    assert "   14.9s tool    find_slots day wednesday → nine thirty eleven two thirty  (1.5 s)" in lines
    assert "   23.0s agent   (stays silent: the caller asked for a moment)" in lines
    assert lines[-1] == "   54.4s         the agent hung up after 54.4 s"


def test_thoughts_between_two_bits_of_speech_are_told_one_by_one() -> None:
    call = MadeCall()
    asked = call.add(1.0, do.Generate(1, "", False, (), "", Trajectory()))
    call.add(1.1, ev.ThoughtFormed(1, "up to ten. one to five"), asked)
    call.add(1.1, ev.ExpectationFormed(1, "bye"), asked)
    call.add(1.2, ev.ThoughtFormed(1, "six to ten"), asked)
    call.add(5.0, ev.ThoughtFormed(2, "bye"), asked)
    call.add(5.1, ev.ExpectationFormed(2, "bye"), asked)
    assert told(call.entries()) == [
        "    1.1s thinks  up to ten. one to five, expects bye",
        "    1.2s thinks  six to ten",
        "    5.1s thinks  bye, expects bye",
    ]


def test_cut_speech_ends_in_a_dash_and_unheard_words_need_colour() -> None:
    assert "   28.1s agent   eleven o'clock, good. may i have your —" in told(ENTRIES)
    coloured = "\n".join(told(ENTRIES, color=True))
    assert "may i have your —\x1b[2m last name, please?" in coloured


def test_no_colour_unless_it_is_a_terminal_that_wants_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")

    def colours() -> bool:
        stream = Terminal()
        Narrator(stream).entry(ENTRIES[2])
        return "\x1b[2m" in stream.getvalue()

    assert colours()
    monkeypatch.setenv("NO_COLOR", "")
    assert not colours()
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not colours()
    assert not any("\x1b" in line for line in told(ENTRIES))


def test_why_prints_every_decision() -> None:
    lines = told(ENTRIES, why=True)
    decisions = sum(isinstance(entry.what, do.Decision) for entry in ENTRIES)
    assert sum(" decides " in line for line in lines) == decisions
    assert "    6.4s decides think: turn over: pause and finished text (p_over 0.91, pause_ms 320)" in lines
    assert not any("stays silent" in line for line in lines), "the decision says it already"


def test_long_lines_wrap_under_their_text() -> None:
    lines = told(ENTRIES, width=60)
    at = lines.index("   15.1s agent   on wednesday i have nine thirty, eleven,")
    assert lines[at + 1] == "                 and two thirty. which one is best for you?"
    assert max(map(len, lines)) <= 60


def test_a_bar_shows_how_far_it_is_and_goes_away() -> None:
    stream = Terminal()
    narrator = Narrator(stream, length_s=60.0, stopwatch=lambda: 2.0, color=False, width=80)
    for entry in ENTRIES:
        if isinstance(entry.what, ev.UtteranceStarted) and entry.what.utterance == 5:
            break
        narrator.entry(entry)
    assert stream.getvalue().endswith("━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌ 0:28 of 1:00  14x real time")
    narrator.close()
    assert stream.getvalue().endswith("\r\x1b[K")


def test_no_bar_in_a_file() -> None:
    assert not any("of 1:00" in line for line in told(ENTRIES, length_s=60.0))


def test_faults_keys_and_failed_tools_are_told() -> None:
    call = MadeCall()
    order = call.add(1.0, do.CallTool(1, "book", {"day": "monday"}))
    call.add(2.0, ev.ToolFailed(1, "book", "timed_out", "no result within 1 s"), order)
    call.add(2.5, ev.PartFailed("voice", True, "killed"))
    call.add(3.0, ev.DigitPressed(0, "5"))
    call.add(3.1, ev.AudioLost(0, 6400, "queue full"))
    call.add(3.2, ev.LoopLagged(25.0))
    call.add(4.0, ev.CallEnded("failed", 0, "no voice"))
    assert told(call.entries()) == [
        "    2.0s tool    book day monday → timed out: no result within 1 s  (1.0 s)",
        "    2.5s         voice failed, restarted: killed",
        "    3.0s caller  (pressed 5)",
        "    3.1s         400 ms of the caller's audio lost: queue full",
        "    3.2s         the event loop was 25 ms late",
        "    4.0s         the call failed after 4.0 s: no voice",
    ]


def test_an_utterance_cut_by_the_end_of_the_call_is_told() -> None:
    call = MadeCall()
    say = call.add(1.0, do.Say(1, "answer", True, "thank you for calling."))
    call.add(1.1, ev.UtteranceStarted(1, 17_600), say)
    call.add(1.8, ev.UtteranceHeard(1, 11_200, False, "thank you"), say)
    call.add(1.9, ev.CallEnded("caller_hung_up", 30_400))
    assert told(call.entries())[0] == "    1.1s agent   thank you —"


def test_a_closed_terminal_ends_nothing() -> None:
    stream = io.StringIO()
    narrator = Narrator(stream)
    stream.close()
    for entry in ENTRIES[:20]:
        narrator.entry(entry)
    narrator.close()


def test_a_terminal_with_few_characters_gets_what_it_can_show() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    narrator = Narrator(stream)
    for entry in ENTRIES:
        narrator.entry(entry)
    assert b"find_slots day wednesday ? nine thirty" in raw.getvalue()
