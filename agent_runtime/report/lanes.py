"""What stands where on the drawing of a call: the log read into lanes of marks on one time axis.

The page and the picture draw the same lanes, so a mark is decided here and only styled there. Times are seconds on
the line of the recording (sample / 16,000). This file refuses to know colours, pixels and files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from agent_runtime.commands import Adopt, CallTool, Decision, Generate, Prefill
from agent_runtime.events import (
    AudioLost,
    CallAnswered,
    CallEnded,
    CallStarted,
    DigitPressed,
    ExpectationFormed,
    FinalTranscript,
    GenerationEnded,
    PartFailed,
    PartialTranscript,
    PromptSynced,
    SpeechStarted,
    SpeechStopped,
    ThoughtFormed,
    ToolFailed,
    ToolRequested,
    ToolReturned,
)
from agent_runtime.labels import RATE_HZ, Labels
from agent_runtime.latency import CallLatency, ImpossibleOrder, agent_speech, measure
from agent_runtime.record import Entry

from .marks import Line, Mark, Tip, Word, with_room
from .speech import speech

__all__ = ["Call", "read_call"]

FEW_WORDS = 6
"""A segment of fewer words does not fill the height of the partials' lane."""

OUTCOMES = {
    "caller_hung_up": "the caller hung up",
    "agent_hung_up": "the agent hung up",
    "transferred": "transferred",
    "failed": "failed",
    "time_limit": "the time limit was reached",
    "cancelled": "cancelled",
    "": "the log stops before the call ended",
}


@dataclass(frozen=True, slots=True)
class Call:
    """Everything that is drawn."""

    call_id: str
    agent: str
    date: str
    direction: str
    outcome: str
    result: str
    length_s: float
    lanes: dict[str, list[Mark]]
    caller_spans: list[tuple[float, float]]
    agent_spans: list[tuple[float, float]]
    lines: list[Line] = field(default_factory=list)
    timing: CallLatency | None = None
    trouble: str = ""
    """Why there is no timing: the log contradicts itself or its labels."""
    overlapped_s: float = 0.0
    """Seconds in which the agent thought, or a tool worked, while somebody spoke."""


def read_call(entries: Sequence[Entry], labels: Labels | None = None) -> Call:
    """The drawing of a log. An empty log raises ValueError.

    A log whose timing contradicts itself or its labels is drawn all the same: that is when one wants to look at it.
    """
    if not entries:
        raise ValueError("the log has no entries; a report needs at least CallStarted")
    return _Reading(entries, labels).call()


class _Reading:
    """One pass over a log, lane by lane; the lanes share what was looked up once."""

    def __init__(self, entries: Sequence[Entry], labels: Labels | None) -> None:
        self.entries = entries
        self.labels = labels
        self.by_seq = {entry.seq: entry for entry in entries}
        answered = next((e for e in entries if isinstance(e.what, CallAnswered)), None)
        self.offset_us = 0
        if answered is not None and isinstance(answered.what, CallAnswered):
            self.offset_us = answered.at_us - answered.what.sample * 1_000_000 // RATE_HZ
        self.spoken = agent_speech(entries)
        self.timing: CallLatency | None = None
        self.trouble = ""
        try:
            self.timing = measure(entries, labels)
        except ImpossibleOrder as error:
            self.trouble = str(error)
        self.end_s = max(self.at(entries[-1]), *(one.end / RATE_HZ for one in self.spoken), 0.1)

    def at(self, entry: Entry) -> float:
        """Where an entry stands on the recording's line; what came before the line began stands at 0."""
        return max(0.0, (entry.at_us - self.offset_us) / 1e6)

    def call(self) -> Call:
        started = next((e.what for e in self.entries if isinstance(e.what, CallStarted)), None)
        ended = next((e.what for e in self.entries if isinstance(e.what, CallEnded)), None)
        speaking, agent_lines = speech(self.entries, self.spoken, self.at)
        lanes = {
            "heard": self._heard(),
            "partials": self._partials(),
            "thoughts": self._thoughts(),
            "prefills": list(self._prefills()),
            "tools": self._tools(),
            "decisions": self._decisions(),
            "speaking": speaking,
            "gaps": list(self._gaps()),
        }
        agent_spans = [(a / RATE_HZ, b / RATE_HZ) for one in self.spoken for a, b in one.audible]
        lines = sorted([*self._caller_lines(), *agent_lines, *self._tool_lines()], key=lambda line: line.start_s)
        returned = [e for e in self.entries if isinstance(e.what, ToolReturned)]
        return Call(
            call_id=started.call_id if started else "",
            agent=started.agent if started else "agent",
            date=started.wall_date if started else "",
            direction=started.direction if started else "",
            outcome=OUTCOMES.get(ended.reason if ended else "", ended.reason if ended else "")
            + (f": {ended.detail}" if ended and ended.detail else ""),
            result=self._result(returned[-1]) if returned else "no tool returned a result",
            length_s=self.end_s,
            lanes={name: with_room(marks, self.end_s) for name, marks in lanes.items()},
            caller_spans=self._caller_spans(),
            agent_spans=agent_spans,
            lines=lines,
            timing=self.timing,
            trouble=self.trouble,
            overlapped_s=covered(
                [(mark.start_s, mark.end_s) for name in ("thoughts", "tools") for mark in lanes[name]],
                [*self._caller_spans(), *agent_spans],
            ),
        )

    # --- the caller ----------------------------------------------------------------------------------------------

    def _caller_spans(self) -> list[tuple[float, float]]:
        if self.labels is not None:
            return [(a / RATE_HZ, b / RATE_HZ) for turn in self.labels.turns for a, b in turn.segments]
        spans = []
        for entry in self.entries:
            if isinstance(entry.what, SpeechStopped) and entry.cause in self.by_seq:
                started = self.by_seq[entry.cause].what
                if isinstance(started, SpeechStarted):
                    spans.append((started.sample / RATE_HZ, entry.what.sample / RATE_HZ))
        return spans

    def _finals(self) -> Iterator[tuple[Entry, FinalTranscript, float]]:
        """(entry, final, start of its segment in seconds) of each segment with words."""
        for entry in self.entries:
            if isinstance(entry.what, FinalTranscript) and entry.what.text:
                started = self.by_seq.get(entry.cause)
                sample = started.what.sample if started and isinstance(started.what, SpeechStarted) else None
                if sample is None:
                    sample = entry.what.words[0][1] if entry.what.words else entry.what.end_sample
                yield entry, entry.what, sample / RATE_HZ

    def _heard(self) -> list[Mark]:
        marks = []
        stops = {e.cause: e.what.sample for e in self.entries if isinstance(e.what, SpeechStopped)}
        for entry, final, start_s in self._finals():
            timed = tuple(Word(text, first / RATE_HZ, last / RATE_HZ) for text, first, last in final.words)
            tip = (("heard", final.text), ("known", f"{self.at(entry):.2f} s"), ("segment", str(final.segment)))
            # The final covers the pause in which the detector made sure; speech itself stopped before.
            end_s = max(stops.get(entry.cause, final.end_sample) / RATE_HZ, start_s + 0.05)
            marks.append(Mark("heard", start_s, end_s, final.text, tip, entry.seq, words=timed))
        for entry in self.entries:
            what = entry.what
            if isinstance(what, DigitPressed):
                start_s = what.sample / RATE_HZ
                marks.append(Mark("key", start_s, start_s + 0.2, what.digit, (("key", what.digit),), entry.seq))
            elif isinstance(what, AudioLost):
                start_s, lost_s = what.sample / RATE_HZ, what.n_samples / RATE_HZ
                lost = (("audio lost", f"{lost_s:.2f} s"), ("reason", what.reason))
                marks.append(Mark("lost", start_s, start_s + lost_s, "lost", lost, entry.seq))
        return sorted(marks, key=lambda mark: mark.start_s)

    def _partials(self) -> list[Mark]:
        marks = []
        ends: dict[int, float] = {e.cause: self.at(e) for e, _, _ in self._finals()}
        shown = [(e, e.what) for e in self.entries if isinstance(e.what, PartialTranscript)]
        most: dict[int, int] = {}
        for _, what in shown:
            most[what.segment] = max(most.get(what.segment, FEW_WORDS), len((what.stable + " " + what.tail).split()))
        for number, (entry, what) in enumerate(shown):
            start_s = self.at(entry)
            until = ends.get(entry.cause, start_s + 0.3)
            if number + 1 < len(shown) and shown[number + 1][0].cause == entry.cause:
                until = self.at(shown[number + 1][0])
            stable, tail = (len(words.split()) / most[what.segment] for words in (what.stable, what.tail))
            tip = (
                ("stable", what.stable or "-"),
                ("may change", what.tail or "-"),
                ("revision", str(what.revision)),
                ("known", f"{start_s:.2f} s"),
            )
            end_s = max(until, start_s + 0.02)
            level = (stable + tail, stable)
            marks.append(Mark("partial", start_s, end_s, what.stable, tip, entry.seq, tail=what.tail, level=level))
        return marks

    def _caller_lines(self) -> Iterator[Line]:
        for _, final, start_s in self._finals():
            yield Line("caller", start_s, final.end_sample / RATE_HZ, final.text)

    # --- thinking and acting -------------------------------------------------------------------------------------

    def _thoughts(self) -> list[Mark]:
        marks = []
        used = {entry.what.generation for entry in self.entries if isinstance(entry.what, Adopt)}
        for entry in self.entries:
            asked = entry.what
            if not isinstance(asked, Generate):
                continue
            number = asked.generation
            note = expect = outcome = ""
            tokens, end_s = 0, self.end_s
            for later in self.entries[entry.seq - self.entries[0].seq :]:
                what = later.what
                if isinstance(what, ThoughtFormed) and what.generation == number:
                    note = note or what.text
                elif isinstance(what, ExpectationFormed) and what.generation == number:
                    expect = what.text
                elif isinstance(what, GenerationEnded) and what.generation == number:
                    outcome, tokens, end_s = what.outcome, what.tokens, self.at(later)
                    break
            begun_s = self.at(entry)
            tip = (
                ("note", note or "-"),
                ("expects", expect or "-"),
                ("ended", f"{outcome or 'not in this log'}, {tokens} tokens"),
                ("took", f"{(end_s - begun_s) * 1000:.0f} ms"),
            )
            vain = bool(asked.draft) and number not in used
            kind = "thought cancelled" if vain or outcome == "cancelled" else "thought"
            # what was thought in vain is a mark without words: they would cover those that were acted on
            marks.append(Mark(kind, begun_s, end_s, "" if vain else note, tip, entry.seq, tail="" if vain else expect))
        return marks

    def _prefills(self) -> Iterator[Mark]:
        for entry in self.entries:
            what = entry.what
            asked = self.by_seq.get(entry.cause)
            if isinstance(what, PromptSynced) and asked is not None and isinstance(asked.what, Prefill):
                begun_s, end_s = self.at(asked), self.at(entry)
                tip = (
                    ("prefill", f"{what.total} tokens"),
                    ("reused", str(what.reused)),
                    ("computed", str(what.computed)),
                    ("rolled back", str(what.rolled_back)),
                    ("took", f"{(end_s - begun_s) * 1000:.1f} ms"),
                )
                kind = "prefill rolled" if what.rolled_back else "prefill"
                yield Mark(kind, begun_s, end_s, "", tip, entry.seq)

    def _tools(self) -> list[Mark]:
        marks = []
        answers = {e.cause: e for e in self.entries if isinstance(e.what, ToolReturned | ToolFailed)}
        for entry in self.entries:
            if not isinstance(entry.what, CallTool):
                continue
            answer = answers.get(entry.seq)
            begun_s = self.at(entry)
            end_s = self.at(answer) if answer else self.end_s
            said, kind = "no result in this log", "tool failed"
            if answer is not None and isinstance(answer.what, ToolReturned):
                said, kind = answer.what.spoken, "tool"
            elif answer is not None and isinstance(answer.what, ToolFailed):
                said = f"{answer.what.reason.replace('_', ' ')}: {answer.what.detail}"
            spoken = self._spoken_call(entry)
            tip = (("call", spoken), ("result", said), ("took", f"{(end_s - begun_s) * 1000:.0f} ms"))
            marks.append(Mark(kind, begun_s, end_s, spoken, tip, entry.seq, tail=said))
        return marks

    def _spoken_call(self, call: Entry) -> str:
        """The words of a tool call: as the model wrote them, or from its arguments."""
        asked = self.by_seq.get(call.cause)
        if asked is not None and isinstance(asked.what, ToolRequested):
            return asked.what.spoken
        assert isinstance(call.what, CallTool)
        given = " ".join(f"{name} {value}" for name, value in (call.what.arguments or {}).items())
        return f"{call.what.tool} {given}".strip()

    def _result(self, returned: Entry) -> str:
        assert isinstance(returned.what, ToolReturned)
        call = self.by_seq.get(returned.cause)
        spoken = self._spoken_call(call) if call and isinstance(call.what, CallTool) else returned.what.tool
        return f"{spoken} → {returned.what.spoken}"

    def _tool_lines(self) -> Iterator[Line]:
        for mark in self._tools():
            yield Line("tool", mark.start_s, mark.end_s, mark.text, note=mark.tail)

    def _decisions(self) -> list[Mark]:
        marks = []
        for entry in self.entries:
            what = entry.what
            at_s = self.at(entry)
            if isinstance(what, Decision):
                scores = tuple((name, f"{value:g}") for name, value in what.scores.items())
                cause = self.by_seq.get(entry.cause)
                on = f"{type(cause.what).__name__} (entry {cause.seq})" if cause else "-"
                tip: Tip = (("decision", what.action), ("reason", what.reason), *scores, ("on", on))
                marks.append(Mark(what.action, at_s, at_s, what.action.replace("_", " "), tip, entry.seq))
            elif isinstance(what, PartFailed):
                tip = (("part failed", what.part), ("detail", what.detail), ("recovered", str(what.recovered)))
                marks.append(Mark("fault", at_s, at_s, f"{what.part} failed", tip, entry.seq))
        return marks

    # --- between turns --------------------------------------------------------------------------------------------

    def _gaps(self) -> Iterator[Mark]:
        """From the caller's last sample to the agent's first sound, turn by turn."""
        for turn in self.timing.turns if self.timing else ():
            if turn.first_sound is not None and turn.first_sound_ms is not None:
                answer = f"{turn.first_answer_ms:.0f} ms" if turn.first_answer_ms is not None else "none"
                tip = (("first sound", f"{turn.first_sound_ms:.0f} ms"), ("first answer", answer), ("turn", turn.text))
                yield Mark(
                    "gap", turn.last_sample / RATE_HZ, turn.first_sound / RATE_HZ, f"{turn.first_sound_ms:.0f} ms", tip
                )


def covered(spans: Sequence[tuple[float, float]], by: Sequence[tuple[float, float]]) -> float:
    """Seconds of `spans` (joined) that lie within any of `by`."""
    total = 0.0
    reached = 0.0
    for first, last in sorted(spans):
        begin = max(first, reached)
        inner = begin
        for a, b in sorted(by):
            low, high = max(a, inner), min(b, last)
            if high > low:
                total, inner = total + high - low, high
        reached = max(reached, last)
    return total
