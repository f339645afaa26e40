"""The call as lines for a terminal, printed while it happens.

`Narrator.entry` is a watcher of the bus: it sees every entry after it is logged, is quick, and never raises, because a
closed terminal must not end a call. What the agent said is printed when it is over, as far as it was heard; what it
prepared and did not use is printed with `why` only. This file
refuses to know sessions and clocks; a stopwatch for the speed shown beside the bar is handed in.
"""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

from .commands import Adopt, CallTool, Decision, Generate, Say, Yield
from .events import (
    AudioLost,
    CallAnswered,
    CallEnded,
    CallStarted,
    DigitPressed,
    ExpectationFormed,
    FinalTranscript,
    LoopLagged,
    PartFailed,
    SpeechStarted,
    ThoughtFormed,
    ToolFailed,
    ToolRequested,
    ToolReturned,
    UtteranceEnded,
    UtteranceHeard,
    UtteranceStarted,
)
from .record import Entry

__all__ = ["Narrator"]

DIM, CALLER, AGENT, TOOL, ALARM, PLAIN = "2", "34", "33", "32", "31", "0"
"""ANSI looks, from the sixteen colours that every terminal theme defines."""

INDENT = 17
"""Where the text of a line begins: time, party, text."""

BAR_CHARS = 28

ENDINGS = {
    "caller_hung_up": "the caller hung up",
    "agent_hung_up": "the agent hung up",
    "transferred": "the call was transferred",
    "failed": "the call failed",
    "time_limit": "the time limit was reached",
    "cancelled": "the call was cancelled",
}


@dataclass(slots=True)
class _Utterance:
    """What is known of an utterance until it is printed."""

    start_us: int = 0
    planned: list[str] = field(default_factory=list)
    heard: str = ""
    kind: str = "answer"
    started: bool = False
    held: bool = False
    """Its audio was prepared and held back."""


class Narrator:
    """Prints a call to `stream`. One narrator a call.

    `why` prints every decision with its reason. `length_s` is how long the call will last, where that is known (a
    recording): then a terminal shows a bar, with the speed if `stopwatch` gives real seconds since the start.
    `color` None: as the terminal and NO_COLOR say. `width` None: as the terminal says, unlimited otherwise.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        why: bool = False,
        length_s: float | None = None,
        stopwatch: Callable[[], float] | None = None,
        color: bool | None = None,
        width: int | None = None,
    ) -> None:
        self._stream = stream
        self._why = why
        terminal = stream.isatty()
        self._color = color
        if color is None:
            self._color = terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
        self._width = width or (shutil.get_terminal_size().columns if terminal else 0)
        self._length_s = length_s if terminal else None
        self._stopwatch = stopwatch
        self._bar = ""
        self._broken = False
        self._utterances: dict[int, _Utterance] = {}
        self._said_us: dict[int, int] = {}
        self._speech: dict[int, int] = {}
        self._asked: dict[int, tuple[int, str]] = {}
        self._thought: tuple[int, str] | None = None
        self._expecting = 0
        self._drafts: dict[int, list[str]] = {}
        """Generation -> what it thought, until it is taken."""

    def entry(self, entry: Entry) -> None:
        """Print what there is to print about one entry."""
        if not self._broken:
            self._tell(entry)
            self._draw_bar(entry)

    def close(self) -> None:
        """Take the bar away; nothing more is printed."""
        if self._bar:
            self._emit("\r\x1b[K")
        self._broken = True

    # --- what is told --------------------------------------------------------------------------------------------

    def _tell(self, entry: Entry) -> None:
        what = entry.what
        match what:
            case CallStarted():
                self._line(None, "", f"call {what.call_id}: {what.agent}, {what.direction}, {what.wall_date}", DIM)
            case CallAnswered():
                self._line(entry.at_us, "", "answered", DIM)
            case CallEnded():
                self._flush_utterances()
                ending = ENDINGS.get(what.reason, what.reason)
                detail = f": {what.detail}" if what.detail else ""
                look = ALARM if what.reason == "failed" else DIM
                self._line(entry.at_us, "", f"{ending} after {entry.at_s:.1f} s{detail}", look)
            case SpeechStarted():
                self._speech[entry.seq] = entry.at_us
            case FinalTranscript(text=text) if text:
                self._line(self._speech.pop(entry.cause, entry.at_us), "caller", text, CALLER)
            case DigitPressed():
                self._line(entry.at_us, "caller", f"(pressed {what.digit})", CALLER)
            case AudioLost():
                lost_ms = what.n_samples / 16
                self._line(entry.at_us, "", f"{lost_ms:.0f} ms of the caller's audio lost: {what.reason}", ALARM)
            case PartFailed():
                after = "restarted" if what.recovered else "not recovered"
                self._line(entry.at_us, "", f"{what.part} failed, {after}: {what.detail}", ALARM)
            case LoopLagged():
                self._line(entry.at_us, "", f"the event loop was {what.late_ms:.0f} ms late", ALARM)
            case Decision():
                self._decision(entry, what)
            case Generate(generation=number) if what.draft:
                self._drafts[number] = []
            case Adopt(generation=number):
                for thought in self._drafts.pop(number, []):
                    self._line(entry.at_us, "thinks", thought, DIM, DIM)
            case ThoughtFormed() if what.generation == self._expecting:  # between two bits of speech
                self._line(entry.at_us, "thinks", what.text, DIM, DIM)
            case ThoughtFormed():
                self._thought = (what.generation, what.text)
            case ExpectationFormed():
                self._expecting = what.generation
                note = self._thought[1] if self._thought and self._thought[0] == what.generation else ""
                text = ", ".join(part for part in (note, f"expects {what.text}" if what.text else "") if part)
                if text and what.generation in self._drafts:
                    self._drafts[what.generation].append(text)
                    if self._why:
                        self._line(entry.at_us, "drafts", text, DIM, DIM)
                elif text:
                    self._line(entry.at_us, "thinks", text, DIM, DIM)
            case ToolRequested() | CallTool() | ToolReturned() | ToolFailed():
                self._tool(entry, what)
            case Yield(utterance=number) if number in self._utterances:
                self._utterances[number].held |= not self._utterances[number].started
            case Say() | UtteranceStarted() | UtteranceHeard() | UtteranceEnded():
                self._speaking(entry, what)

    def _decision(self, entry: Entry, what: Decision) -> None:
        if self._why:
            scores = ", ".join(f"{name} {value:.3g}" for name, value in what.scores.items())
            text = f"{what.action.replace('_', ' ')}: {what.reason}" + (f" ({scores})" if scores else "")
            self._line(entry.at_us, "decides", text, DIM, DIM)
        elif what.action == "silence":
            self._line(entry.at_us, "agent", f"(stays silent: {what.reason})", AGENT, DIM)

    def _tool(self, entry: Entry, what: ToolRequested | CallTool | ToolReturned | ToolFailed) -> None:
        if isinstance(what, ToolRequested):
            self._asked[entry.seq] = (entry.at_us, what.spoken)
        elif isinstance(what, CallTool):
            given = " ".join(f"{name} {value}" for name, value in (what.arguments or {}).items())
            _, spoken = self._asked.pop(entry.cause, (0, f"{what.tool} {given}".strip()))
            self._asked[entry.seq] = (entry.at_us, f"early: {spoken}" if what.early else spoken)
        else:
            begun_us, spoken = self._asked.pop(entry.cause, (entry.at_us, what.tool))
            took = f"  ({(entry.at_us - begun_us) / 1e6:.1f} s)"
            if isinstance(what, ToolReturned):
                self._line(entry.at_us, "tool", f"{spoken} → {what.spoken}", TOOL, after=took)
            else:
                reason = what.reason.replace("_", " ")
                self._line(entry.at_us, "tool", f"{spoken} → {reason}: {what.detail}", ALARM, after=took)

    def _speaking(self, entry: Entry, what: Say | UtteranceStarted | UtteranceHeard | UtteranceEnded) -> None:
        known = self._utterances.setdefault(what.utterance, _Utterance(entry.at_us))
        if isinstance(what, Say):
            known.kind = known.kind if known.planned else what.kind
            known.planned.append(what.text)
        elif isinstance(what, UtteranceStarted):
            known.start_us, known.started = entry.at_us, True
        elif isinstance(what, UtteranceHeard):
            known.heard = what.text
        else:
            known = self._utterances.pop(what.utterance)
            if known.started or not known.held or self._why:
                self._utterance_line(known, what.reason)

    def _utterance_line(self, known: _Utterance, reason: str) -> None:
        planned = " ".join(part for part in known.planned if part)
        if reason == "played" or not planned.startswith(known.heard):
            if known.heard:
                self._line(known.start_us, "agent", known.heard, AGENT)
            return
        rest = planned[len(known.heard) :].strip()
        cut = f"{known.heard} —".strip() if rest else known.heard
        after = f" {rest}" if self._color and rest else ""  # without colour nobody could tell heard from unheard
        self._line(known.start_us, "agent", cut, AGENT, after=after)

    def _flush_utterances(self) -> None:
        for number in sorted(self._utterances):
            self._utterance_line(self._utterances.pop(number), "open")

    # --- how it looks --------------------------------------------------------------------------------------------

    def _line(
        self, at_us: int | None, party: str, text: str, look: str, text_look: str = PLAIN, after: str = ""
    ) -> None:
        time = "" if at_us is None else f"{at_us / 1e6:.1f}s"
        if not party:
            text_look = look
        lines = [text]
        if self._width:
            lines = textwrap.wrap(text + after, max(20, self._width - INDENT), break_on_hyphens=False) or [""]
            kept = len(text)
            after = ""
            for number, line in enumerate(lines):
                if len(line) > kept >= 0:
                    lines[number] = line[:kept] + self._painted(line[kept:], DIM)
                kept = max(0, kept - len(line) - 1)
        first = f"{self._painted(f'{time:>8}', DIM)} {self._painted(f'{party:<7}', look)} "
        indent = " " * INDENT
        body = f"\n{indent}".join(self._painted(line, text_look) for line in lines)
        self._write(first + body + (self._painted(after, DIM) if after else ""))

    def _painted(self, text: str, look: str) -> str:
        return f"\x1b[{look}m{text}\x1b[0m" if self._color and look != PLAIN and text.strip() else text

    def _write(self, line: str) -> None:
        clear = "\r\x1b[K" if self._bar else ""
        self._bar = ""
        self._emit(clear + line.rstrip() + "\n")

    def _emit(self, text: str) -> None:
        if self._broken:
            return
        try:
            try:
                self._stream.write(text)
            except UnicodeEncodeError:  # a terminal that knows fewer characters than people say
                coding = self._stream.encoding or "ascii"
                self._stream.write(text.encode(coding, "replace").decode(coding))
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone or the stream closed; the call goes on
            self._broken = True

    def _draw_bar(self, entry: Entry) -> None:
        if not self._length_s or isinstance(entry.what, CallEnded):
            return
        share = min(1.0, entry.at_s / self._length_s)
        full = int(share * BAR_CHARS)
        bar = f"{'━' * full}{'╌' * (BAR_CHARS - full)} {clock(entry.at_s)} of {clock(self._length_s)}"
        real_s = self._stopwatch() if self._stopwatch else 0.0
        if real_s > 0.2:
            bar += f"  {entry.at_s / real_s:.0f}x real time"
        if bar != self._bar:
            self._emit(f"\r\x1b[K{self._painted(bar, DIM)}")
            self._bar = bar


def clock(seconds: float) -> str:
    """``1:02``: minutes and seconds."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
