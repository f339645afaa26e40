"""How quickly the agent answered and gave way: read from a call's log and measured against the script's labels.

Truth comes from the labels, the positions at which a scripted caller really spoke, never from our own detector. A log
without labels can still be read: then turns are built from `SpeechStopped` and every figure says it is an estimate.
First sound and first answer stand apart, because a filler shortens only the first. This file refuses to know files,
clocks and the organs: entries go in, figures come out.

Positions are samples of the call's one line at 16,000 Hz; figures are milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from .commands import Say
from .events import (
    CallAnswered,
    CallEnded,
    CallStarted,
    GenerationEnded,
    ToolFailed,
    ToolReturned,
    UtteranceEnded,
    UtterancePaused,
    UtteranceResumed,
    UtteranceStarted,
)
from .labels import RATE_HZ, LabelledTurn, Labels, Span, estimated
from .record import Entry

__all__ = [
    "CallLatency",
    "Figure",
    "ImpossibleOrder",
    "OverlapLatency",
    "Spoken",
    "ToolLatency",
    "TurnLatency",
    "agent_speech",
    "measure",
    "percentile",
    "summary",
]

TOGETHER_SAMPLES = RATE_HZ // 5
"""An agent that starts within 200 ms of the caller's first sample did not cut in: both began at once. Below the time
in which people answer each other (usual gap: about 200 ms; Levinson and Torreira, 2015)."""

PATIENCE_SAMPLES = 2 * RATE_HZ
"""A turn after which the call ended within 2 s was not missed: the caller hung up on it. A guess."""

SETTLE_SAMPLES = RATE_HZ
"""A stop of the agent up to 1 s after the end of the caller's speech is charged to it. A guess."""

FINISHING_SAMPLES = RATE_HZ // 2
"""An agent with less than 0.5 s left to say when the caller begins need not give way. A guess."""

Status = Literal["answered", "silent", "missed", "left"]


class ImpossibleOrder(ValueError):
    """A latency record whose moments contradict each other; the log or the labels are wrong, or belong apart."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One utterance as it left: `audible` are its stretches of sound, `end` where it was over."""

    utterance: int
    kind: str
    audible: tuple[Span, ...]
    end: int
    reason: str
    """``played``, ``cancelled``, ``failed``, or ``open`` where the log stops first."""
    dropped: int | None
    """Where the rest was dropped; None when it was played to its end."""


@dataclass(frozen=True, slots=True)
class TurnLatency:
    """One turn of the caller: from its last sample to the agent's first sound and first answer. None: none came."""

    turn: int
    kind: str
    text: str
    first_sample: int
    last_sample: int
    status: Status
    cut_in: bool
    """The agent began to speak before the caller had finished. Always False without labels."""
    first_sound: int | None
    first_answer: int | None

    def __post_init__(self) -> None:
        """Raises `ImpossibleOrder`."""
        if self.last_sample < self.first_sample:
            raise ImpossibleOrder(f"turn {self.turn} ends at {self.last_sample} before its start {self.first_sample}")
        for name, sample in (("first sound", self.first_sound), ("first answer", self.first_answer)):
            if sample is not None and sample < self.last_sample:
                raise ImpossibleOrder(
                    f"turn {self.turn}: {name} at sample {sample}, before the caller's last sample {self.last_sample}; "
                    "that is a cut-in and no latency"
                )
        if self.first_answer is not None and (self.first_sound is None or self.first_sound > self.first_answer):
            raise ImpossibleOrder(
                f"turn {self.turn}: first answer at {self.first_answer}, first sound at {self.first_sound}; "
                "an answer is a sound, so the sound cannot come later"
            )
        if (self.status == "answered") != (self.first_sound is not None):
            raise ImpossibleOrder(f"turn {self.turn} is {self.status} with first sound {self.first_sound}")

    @property
    def first_sound_ms(self) -> float | None:
        """Caller's last sample -> agent's first sample of any kind."""
        return None if self.first_sound is None else milliseconds(self.first_sound - self.last_sample)

    @property
    def first_answer_ms(self) -> float | None:
        """Caller's last sample -> agent's first sample of an answer (no filler, no backchannel)."""
        return None if self.first_answer is None else milliseconds(self.first_answer - self.last_sample)


@dataclass(frozen=True, slots=True)
class OverlapLatency:
    """The caller spoke while the agent did.

    `inaudible`: where the agent fell silent for it; `dropped`: where the rest was given up; `audible_again`: where the
    agent was next heard. All None: it talked on.
    """

    turn: int
    kind: str
    text: str
    first_sample: int
    utterance: int
    inaudible: int | None
    dropped: int | None
    audible_again: int | None

    def __post_init__(self) -> None:
        """Raises `ImpossibleOrder`."""
        moments = [("inaudible", self.inaudible), ("dropped", self.dropped), ("audible again", self.audible_again)]
        for name, sample in moments:
            if sample is None:
                continue
            if self.inaudible is None:
                raise ImpossibleOrder(f"overlap {self.turn}: {name} at {sample}, but the agent never fell silent")
            if sample < max(self.first_sample, self.inaudible):
                raise ImpossibleOrder(
                    f"overlap {self.turn}: {name} at {sample}, before the caller's first sample {self.first_sample} "
                    f"or before inaudible at {self.inaudible}"
                )

    @property
    def yield_ms(self) -> float | None:
        """Caller's first speech sample -> agent inaudible."""
        return None if self.inaudible is None else milliseconds(self.inaudible - self.first_sample)

    @property
    def cancel_ms(self) -> float | None:
        """Caller's first speech sample -> the rest is dropped."""
        return None if self.dropped is None else milliseconds(self.dropped - self.first_sample)

    @property
    def silenced_ms(self) -> float | None:
        """How long the agent stayed inaudible; None when it never stopped or never went on."""
        if self.inaudible is None or self.audible_again is None:
            return None
        return milliseconds(self.audible_again - self.inaudible)


@dataclass(frozen=True, slots=True)
class ToolLatency:
    """One tool call: how long it took and how much of that was covered by somebody speaking."""

    call: int
    tool: str
    took_ms: float
    hidden_ms: float

    def __post_init__(self) -> None:
        """Raises `ImpossibleOrder`."""
        if not 0 <= self.hidden_ms <= self.took_ms + 0.1:
            raise ImpossibleOrder(f"tool call {self.call} hid {self.hidden_ms} ms of {self.took_ms} ms")


@dataclass(frozen=True, slots=True)
class CallLatency:
    """What a call's log says of its timing. `estimated`: no labels were given."""

    call_id: str
    estimated: bool
    turns: tuple[TurnLatency, ...]
    overlaps: tuple[OverlapLatency, ...]
    tools: tuple[ToolLatency, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the latency table: median and 95th percentile of `n`, or a share. None: nothing to measure."""

    key: str
    name: str
    unit: str
    n: int
    value: float | None
    p95: float | None = None
    estimated: bool = False


def measure(entries: Sequence[Entry], labels: Labels | None = None) -> CallLatency:
    """The timing of one call. Without `labels` turns are estimated from the detector's `SpeechStopped`.

    Raises `ImpossibleOrder` where log and labels cannot belong together.
    """
    spoken = agent_speech(entries)
    answered_us = next((e.at_us - _us(e.what.sample) for e in entries if isinstance(e.what, CallAnswered)), 0)
    last = _line(entries[-1].at_us, answered_us) if entries else 0
    end = next((e.what.sample for e in entries if isinstance(e.what, CallEnded)), last)
    silences = [
        _line(e.at_us, answered_us)
        for e in entries
        if isinstance(e.what, GenerationEnded) and e.what.outcome == "silent"
    ]
    truth = labels or _guess(entries, spoken, silences)
    floor = [turn for turn in truth.turns if turn.kind != "backchannel"]
    starts = sorted((one.audible[0][0], one.kind) for one in spoken if one.audible and one.kind != "backchannel")
    turns = []
    bounds = [*(later.first_sample for later in floor[1:]), end]
    for turn, until in zip(floor, bounds, strict=False):
        here = [start for start in starts if turn.last_sample <= start[0] < max(until, turn.last_sample + 1)]
        sound = min((sample for sample, _ in here), default=None)
        answer = min((sample for sample, kind in here if kind != "filler"), default=None)
        cut_in = labels is not None and any(
            turn.first_sample + TOGETHER_SAMPLES < sample < turn.last_sample for sample, _ in starts
        )
        status: Status = "answered"
        if sound is None:
            if any(turn.first_sample <= sample < until for sample in silences):
                status = "silent"
            elif cut_in or (until == end and end - turn.last_sample < PATIENCE_SAMPLES):
                status = "left"
            else:
                status = "missed"
        turns.append(
            TurnLatency(
                turn.turn, turn.kind, turn.text, turn.first_sample, turn.last_sample, status, cut_in, sound, answer
            )
        )
    overlaps = [found for turn in truth.turns for found in _overlap(turn, spoken)]
    call_id = next((e.what.call_id for e in entries if isinstance(e.what, CallStarted)), "")
    heard = [segment for turn in truth.turns for segment in turn.segments]
    tools = _tools(entries, [*heard, *(stretch for one in spoken for stretch in one.audible)], answered_us)
    return CallLatency(call_id, labels is None, tuple(turns), tuple(overlaps), tuple(tools))


def _guess(entries: Sequence[Entry], spoken: Sequence[Spoken], silences: Sequence[int]) -> Labels:
    """Labels made from the log alone."""
    answers = [one.audible[0][0] for one in spoken if one.audible and one.kind != "backchannel"]
    extents = [((one.audible[0][0], one.end), one.dropped is None) for one in spoken if one.audible]
    return estimated(
        entries,
        sorted([*answers, *silences]),
        [extent for extent, played in extents if played],
        [extent for extent, played in extents if not played],
    )


def agent_speech(entries: Iterable[Entry]) -> list[Spoken]:
    """Every utterance that was audible at all, in the order in which they began."""
    kinds: dict[int, str] = {}
    stretches: dict[int, list[Span]] = {}
    since: dict[int, int] = {}
    ends: dict[int, tuple[int, str, int | None]] = {}
    offset_us = last = 0
    for entry in entries:
        what = entry.what
        if isinstance(what, CallAnswered):
            offset_us = entry.at_us - _us(what.sample)
        last = max(last, _line(entry.at_us, offset_us))
        if isinstance(what, Say):
            kinds.setdefault(what.utterance, what.kind)
        elif isinstance(what, UtteranceStarted | UtteranceResumed):
            stretches.setdefault(what.utterance, [])
            since[what.utterance] = what.sample
        elif isinstance(what, UtterancePaused | UtteranceEnded):
            begun = since.pop(what.utterance, None)
            if begun is not None:
                stretches[what.utterance].append((begun, max(begun, what.sample)))
            if isinstance(what, UtteranceEnded):
                dropped = None if what.reason == "played" else max(what.sample, _line(entry.at_us, offset_us))
                ends[what.utterance] = (what.sample, what.reason, dropped)
    for utterance, begun in since.items():
        stretches[utterance].append((begun, max(begun, last)))
    return sorted(
        (
            Spoken(number, kinds.get(number, "answer"), tuple(spans), *ends.get(number, (last, "open", None)))
            for number, spans in stretches.items()
        ),
        key=lambda one: one.audible[0] if one.audible else (one.end, one.end),
    )


def _overlap(turn: LabelledTurn, spoken: Sequence[Spoken]) -> Iterator[OverlapLatency]:
    """What the caller's speech over the agent's did to it; nothing when the agent was not audible at its start."""
    first, last = turn.span
    for one in spoken:
        for at, (begun, ended) in enumerate(one.audible):
            if not begun < first < ended:
                continue
            final = at + 1 == len(one.audible)
            went_on = (final and one.dropped is None) or ended > last + SETTLE_SAMPLES
            inaudible = dropped = again = None
            if not went_on:
                inaudible = ended
                if final:  # whatever the agent said next ends the silence
                    dropped = None if one.dropped is None else max(one.dropped, ended)
                    later = (other.audible[0][0] for other in spoken if other.audible)
                    again = min((start for start in later if start > ended), default=None)
                else:
                    again = one.audible[at + 1][0]
            elif turn.kind != "backchannel" and ended - first < FINISHING_SAMPLES:
                return
            yield OverlapLatency(turn.turn, turn.kind, turn.text, first, one.utterance, inaudible, dropped, again)
            return


def _tools(entries: Sequence[Entry], sounding: Sequence[Span], offset_us: int) -> Iterator[ToolLatency]:
    asked = {e.seq: e for e in entries}
    for entry in entries:
        what = entry.what
        if isinstance(what, ToolReturned | ToolFailed) and entry.cause in asked:
            begun, ended = (_line(us, offset_us) for us in (asked[entry.cause].at_us, entry.at_us))
            yield ToolLatency(
                what.call, what.tool, milliseconds(ended - begun), milliseconds(_covered((begun, ended), sounding))
            )


def _covered(span: Span, by: Iterable[Span]) -> int:
    """How many samples of `span` lie within any of the spans `by`."""
    total, reached = 0, span[0]
    for begun, ended in sorted(by):
        begun, ended = max(begun, reached), min(ended, span[1])
        if ended > begun:
            total, reached = total + ended - begun, ended
    return total


def summary(calls: Sequence[CallLatency]) -> list[Figure]:
    """The latency table of one call or of many taken together."""
    turns = [turn for call in calls for turn in call.turns]
    overlaps = [overlap for call in calls for overlap in call.overlaps]
    barge_ins = [one for one in overlaps if one.kind != "backchannel"]
    hums = [one for one in overlaps if one.kind == "backchannel"]
    tools = [tool for call in calls for tool in call.tools]
    guessed = any(call.estimated for call in calls)

    def spread(key: str, name: str, values: Iterable[float | None]) -> Figure:
        known = sorted(value for value in values if value is not None)
        return Figure(key, name, "ms", len(known), percentile(known, 50), percentile(known, 95), guessed)

    def share(key: str, name: str, hit: float, of: float, n: int) -> Figure:
        return Figure(key, name, "share", n, hit / of if of else None, None, guessed)

    cut_ins = Figure("cut_ins", "cut-ins per turn", "share", 0, None, None, True)  # only labels can tell
    if not guessed:
        cut_ins = share("cut_ins", "cut-ins per turn", sum(turn.cut_in for turn in turns), len(turns), len(turns))
    ignored = sum(one.inaudible is None for one in barge_ins)
    missed = sum(turn.status == "missed" for turn in turns)
    cut = [one for one in hums if one.inaudible is not None]
    took = sum(tool.took_ms for tool in tools)
    return [
        spread("first_sound", "first sound", (turn.first_sound_ms for turn in turns)),
        spread("first_answer", "first answer", (turn.first_answer_ms for turn in turns)),
        spread("yield", "yield at barge-in", (one.yield_ms for one in barge_ins)),
        spread("cancel", "cancel at barge-in", (one.cancel_ms for one in barge_ins)),
        share("ignored", "barge-ins the agent talked through", ignored, len(barge_ins), len(barge_ins)),
        share("backchannels_cut", "silenced by backchannels", len(cut), len(hums), len(hums)),
        spread("silenced", "length of such a silence", (one.silenced_ms for one in cut)),
        cut_ins,
        share("missed", "turns missed", missed, len(turns), len(turns)),
        share("tool_hidden", "tool time hidden by speech", sum(tool.hidden_ms for tool in tools), took, len(tools)),
    ]


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile of an ascending sequence, None of an empty one; always a value that occurred."""
    if not ordered:
        return None
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)]


def as_json(calls: Sequence[CallLatency]) -> Mapping[str, Any]:
    """The latency table for machines: key -> value, unit, n, p95, estimated."""
    return {
        figure.key: {
            "value": figure.value,
            "unit": figure.unit,
            "n": figure.n,
            "p95": figure.p95,
            "estimated": figure.estimated,
        }
        for figure in summary(calls)
    }


def milliseconds(samples: int) -> float:
    """Samples at 16,000 Hz as milliseconds."""
    return samples * 1000 / RATE_HZ


def _us(sample: int) -> int:
    return sample * 1_000_000 // RATE_HZ


def _line(at_us: int, offset_us: int) -> int:
    """Where on the sample line a moment of the log lies; `offset_us`: log time of sample 0."""
    return round((at_us - offset_us) * RATE_HZ / 1_000_000)
