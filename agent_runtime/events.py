"""The facts of a call: every event that can reach the mind, frozen, in the past tense.

An event states what happened, never what should follow. The bus stamps it (`seq`, `at_us`, `cause`) and appends
it to the log before the mind sees it. A frame is never an event: listening emits edges, partials and gaps;
playout emits extents. This file refuses to know who makes the events and what is decided on them.

Units. `sample` fields are positions on the call's one sample line, 16,000 a second, counted from `CallAnswered`;
both parties share it. `*_ms` and `*_s` are durations. Fields marked personal hold what somebody said or gave:
the log keeps them apart under the call's subject, so that they can be erased later (`agent_runtime.record`).

Cause rule: `cause` is the `seq` of the entry this event answers (a command, or another event); 0 stands for the
outside world. Each class says below which cause it carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "AudioLost",
    "CallAnswered",
    "CallEnded",
    "CallStarted",
    "CallerHungUp",
    "ClauseGenerated",
    "DigitPressed",
    "DigitsSent",
    "Event",
    "ExpectationFormed",
    "FinalTranscript",
    "GenerationEnded",
    "GenerationOutcome",
    "LoopLagged",
    "PartFailed",
    "PartialTranscript",
    "PromptSynced",
    "SpeechStarted",
    "SpeechStopped",
    "ThoughtFormed",
    "TimerFired",
    "ToolFailed",
    "ToolRequested",
    "ToolReturned",
    "TransferEnded",
    "TurnScored",
    "UtteranceEnded",
    "UtteranceHeard",
    "UtterancePaused",
    "UtteranceResumed",
    "UtteranceStarted",
]


def personal(default: Any = None) -> Any:
    """A field whose content belongs to a person; always the last fields of an event."""
    return field(metadata={"personal": True})


@dataclass(frozen=True, slots=True)
class Event:
    """Root of all events; carries nothing, so that each event shows its own fields."""


# --- the call itself -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallStarted(Event):
    """The line exists and rings. Cause 0; always `seq` 1 of its log."""

    call_id: str
    direction: Literal["inbound", "outbound"]
    subject: str
    """Pseudonymous key of the far party; personal fields of the whole log belong to it."""
    agent: str
    wall_date: str
    """ISO date the agent takes for today: an argument of the call, never read from a clock."""
    schema: int
    """Version of the log's form; see `agent_runtime.record.SCHEMA`."""
    settings: str
    """Digest of everything that may change a decision: agent file, engines, versions."""
    counterparty: str = personal()
    """How the far party is known outside: a number, an address, a name."""


@dataclass(frozen=True, slots=True)
class CallAnswered(Event):
    """Audio flows both ways from here on. Cause 0."""

    sample: int


@dataclass(frozen=True, slots=True)
class CallerHungUp(Event):
    """The far party left, or its recording ended. Cause 0."""

    sample: int


@dataclass(frozen=True, slots=True)
class CallEnded(Event):
    """The last entry of a log. Cause: what ended the call (`CallerHungUp`, `HangUp`, a failure)."""

    reason: Literal["caller_hung_up", "agent_hung_up", "transferred", "failed", "time_limit", "cancelled"]
    sample: int
    detail: str = ""


# --- hearing ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SpeechStarted(Event):
    """The detector heard the caller begin, at `sample` (estimated), which was known at `known_sample`. Cause 0."""

    sample: int
    known_sample: int
    probability: float
    no_floor: float
    """0..1: how much the first sound is like a backchannel ("mm-hm", "uh-huh"), which asks for no floor."""
    segment: int = 0
    """Number of the speech segment that begins, from 1; transcripts name it."""


@dataclass(frozen=True, slots=True)
class SpeechStopped(Event):
    """The caller paused after `sample` (estimated): not the end of a turn. Cause: its `SpeechStarted`."""

    sample: int
    known_sample: int


@dataclass(frozen=True, slots=True)
class PartialTranscript(Event):
    """A hypothesis of the current speech segment; replaces earlier ones. Cause: the segment's `SpeechStarted`."""

    segment: int
    revision: int
    """Grows by one with each hypothesis of the call."""
    end_sample: int
    """The hypothesis covers audio up to here."""
    stable: str = personal()
    """Words that will hardly change; secrets masked."""
    tail: str = personal()
    """Words that may still change."""


@dataclass(frozen=True, slots=True)
class FinalTranscript(Event):
    """The text of a finished speech segment; will not change. Cause: the segment's `SpeechStarted`."""

    segment: int
    revision: int
    end_sample: int
    text: str = personal()
    words: tuple[tuple[str, int, int], ...] = personal()
    """(word, first sample, end sample) of each word."""


@dataclass(frozen=True, slots=True)
class AudioLost(Event):
    """Caller audio is missing: dropped by a full queue or lost on the way. Cause 0."""

    sample: int
    n_samples: int
    reason: str


@dataclass(frozen=True, slots=True)
class DigitPressed(Event):
    """One DTMF key of the far party. Cause 0."""

    sample: int
    digit: str = personal()


@dataclass(frozen=True, slots=True)
class TurnScored(Event):
    """The model's view of "the caller's turn is over here". Cause: the `ScoreTurn`, or the `Generate` of a draft."""

    revision: int
    p_over: float
    prefix: str = ""
    """Digest of the stream that was scored."""


GenerationOutcome = Literal["said", "said_goodbye", "silent", "called", "cancelled", "cut_short", "failed"]
"""How a generation ended; ``cut_short``: it reached the limit of its length in the middle of its turn."""


# --- thinking --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PromptSynced(Event):
    """The engine's cache equals the asked prefix, or will with the reply. Token counts. Cause: what asked for it."""

    prefix: str
    """Digest of the trajectory that was synced."""
    total: int
    reused: int
    computed: int
    rolled_back: int


@dataclass(frozen=True, slots=True)
class ThoughtFormed(Event):
    """The model wrote a note. Cause: the `Generate`."""

    generation: int
    text: str = personal()


@dataclass(frozen=True, slots=True)
class ExpectationFormed(Event):
    """The model wrote what it expects the other side to say or return next. Cause: the `Generate`."""

    generation: int
    text: str = personal()


@dataclass(frozen=True, slots=True)
class ClauseGenerated(Event):
    """A speakable piece of the reply; clauses of one generation come in order of `index`. Cause: the `Generate`."""

    generation: int
    index: int
    text: str = personal()


@dataclass(frozen=True, slots=True)
class ToolRequested(Event):
    """The model asks for a tool; nothing has run. Cause: the `Generate`."""

    generation: int
    tool: str
    spoken: str = personal()
    """The call as it stands in the stream: ``book day wednesday time ten thirty name miller``."""
    slots: Mapping[str, str] = personal()
    """The same, parameter name -> spoken words: what must have been read back."""
    arguments: Mapping[str, Any] = personal()
    """The arguments as JSON values, ready for the tool."""


@dataclass(frozen=True, slots=True)
class GenerationEnded(Event):
    """No more comes from this generation. Cause: the `Generate`."""

    generation: int
    outcome: GenerationOutcome
    tokens: int


# --- acting ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ToolReturned(Event):
    """A tool gave its result. Cause: the `CallTool`."""

    call: int
    tool: str
    spoken: str = personal()
    """The result as words of the stream."""
    result: Any = personal()


@dataclass(frozen=True, slots=True)
class ToolFailed(Event):
    """A tool raised, timed out or was cancelled. Cause: the `CallTool`."""

    call: int
    tool: str
    reason: Literal["raised", "timed_out", "cancelled"]
    detail: str = personal()


@dataclass(frozen=True, slots=True)
class DigitsSent(Event):
    """Our DTMF keys went out. Cause: the `SendDigits`."""

    count: int


@dataclass(frozen=True, slots=True)
class TransferEnded(Event):
    """A transfer succeeded or failed. Cause: the `Transfer`."""

    ok: bool
    detail: str


# --- speaking --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class UtteranceStarted(Event):
    """The first audible sample of an utterance left. Cause: the first `Say` of the utterance."""

    utterance: int
    sample: int


@dataclass(frozen=True, slots=True)
class UtterancePaused(Event):
    """The agent became inaudible (paused, or ducked by 20 dB or more). Cause: the `Yield`."""

    utterance: int
    sample: int


@dataclass(frozen=True, slots=True)
class UtteranceResumed(Event):
    """The agent is audible again where it stopped. Cause: the `Resume`."""

    utterance: int
    sample: int


@dataclass(frozen=True, slots=True)
class UtteranceHeard(Event):
    """What the far party has really heard of an utterance so far; a later one replaces it. Cause: its latest order.

    Sent when the utterance is paused and when it ends. History keeps this and nothing more.
    """

    utterance: int
    n_samples: int
    complete: bool
    """True when all that will ever be said of the utterance has been heard."""
    text: str = personal()


@dataclass(frozen=True, slots=True)
class UtteranceEnded(Event):
    """The utterance is over; its last `UtteranceHeard` stands before this. Cause: its latest order."""

    utterance: int
    sample: int
    reason: Literal["played", "cancelled", "failed"]


# --- time and faults -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TimerFired(Event):
    """A timer set by the mind ran out. Cause: the `SetTimer`."""

    timer: str


@dataclass(frozen=True, slots=True)
class PartFailed(Event):
    """A part failed. With `recovered` the call goes on. Cause: the command it worked on, or 0."""

    part: Literal["detector", "recogniser", "engine", "voice", "tools", "door", "mind", "log"]
    recovered: bool
    detail: str


@dataclass(frozen=True, slots=True)
class LoopLagged(Event):
    """The event loop was late by more than 10 ms (live calls only). Cause 0."""

    late_ms: float
