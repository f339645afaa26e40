"""The orders of the mind: everything it can ask of the organs, frozen, in the imperative.

A command says what to do, not how; the organ that carries it out answers with events that name the command's
`seq` as their cause. `Decision` is the one command nobody carries out: it is the logged reason of a tick.
This file refuses to know the organs.

Order rule: the commands returned by one `Mind.receive` are logged and handed out in their order, before the next
event is received. Ids (`generation`, `utterance`, `call`) are chosen by the mind and grow by one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.speculation import Depth
from policies.trajectory import Trajectory

from .events import personal

__all__ = [
    "Action",
    "Adopt",
    "CallTool",
    "Cancel",
    "CancelGeneration",
    "CancelTimer",
    "CancelTool",
    "Command",
    "Decision",
    "Generate",
    "HangUp",
    "Prefill",
    "Resume",
    "Say",
    "ScoreTurn",
    "SendDigits",
    "SetTimer",
    "Transfer",
    "Trim",
    "Yield",
]

Action = Literal[
    "speak",
    "filler",
    "backchannel",
    "tool",
    "think",
    "wait",
    "silence",
    "yield",
    "resume",
    "dtmf",
    "transfer",
    "hang_up",
]


@dataclass(frozen=True, slots=True)
class Command:
    """Root of all commands."""


@dataclass(frozen=True, slots=True)
class Decision(Command):
    """Why the mind did what it did on this event; silence and waiting are decisions like any other."""

    action: Action
    reason: str
    scores: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Adopt(Command):
    """What was prepared before the turn was over is part of the answer now. Nobody carries this out: it is for the log.

    What was ordered with `Generate.draft` or `CallTool.early` and is named by no `Adopt` was in vain.
    """

    generation: int = 0
    call: int = 0
    utterance: int = 0


# --- thinking: the engine session of the call --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Prefill(Command):
    """Make the engine's cache equal to the trajectory; the latest order wins. Answer: `PromptSynced`."""

    prefix: str
    """Digest of `trajectory`: this, not the words, stands in the log."""
    trajectory: Trajectory = field(metadata={"unlogged": True}, compare=False)


@dataclass(frozen=True, slots=True)
class ScoreTurn(Command):
    """Ask the model how likely the caller's turn is over after `trajectory`. Answer: `TurnScored`."""

    revision: int
    prefix: str
    trajectory: Trajectory = field(metadata={"unlogged": True}, compare=False)


@dataclass(frozen=True, slots=True)
class Generate(Command):
    """Write the agent's side after the trajectory: note, expectation, then one action.

    Answers: `ThoughtFormed`, `ExpectationFormed`, `ClauseGenerated`*, `ToolRequested`?, `GenerationEnded`.
    """

    generation: int
    prefix: str
    after_result: bool
    """True when the stream ends with a tool result: no note is written."""
    blocked_tools: tuple[str, ...]
    """Tools that may not be asked for in this generation."""
    due_tool: str
    """A write that was read back and agreed to: the generation must ask for it now. Empty: none is due."""
    trajectory: Trajectory = field(metadata={"unlogged": True}, compare=False)
    draft: Depth = ""
    """The turn is not over yet: a ``draft`` of a whole reply, or a ``peek`` that stops before the first said word."""
    listening: str = ""
    """Digest of the stream before the turn's end, where that end is to be scored on the way. Answer: `TurnScored`."""


@dataclass(frozen=True, slots=True)
class CancelGeneration(Command):
    """Stop a generation; at most the step in progress is lost. Answer: `GenerationEnded(outcome=cancelled)`."""

    generation: int


# --- speaking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Say(Command):
    """Speak `text` as the next clause of `utterance`; `last` ends the utterance. An empty last clause only closes it.

    Answers: `UtteranceStarted`, `UtteranceHeard`, `UtteranceEnded`.
    """

    utterance: int
    kind: Literal["answer", "filler", "backchannel", "greeting"]
    last: bool
    text: str = personal()


@dataclass(frozen=True, slots=True)
class Yield(Command):
    """Become inaudible at once, keep the rest. Answer: `UtterancePaused`."""

    utterance: int
    how: Literal["pause", "duck"] = "pause"


@dataclass(frozen=True, slots=True)
class Resume(Command):
    """Go on where the agent yielded. Answer: `UtteranceResumed`."""

    utterance: int


@dataclass(frozen=True, slots=True)
class Cancel(Command):
    """Drop what was not yet heard of an utterance. Answers: `UtteranceHeard`, `UtteranceEnded`.

    ``word``: the word that sounds now is still said; a later order to drop it ``now`` holds.
    """

    utterance: int
    how: Literal["now", "word"] = "now"


@dataclass(frozen=True, slots=True)
class Trim(Command):
    """Say the clause that is being said to its end and drop what has not begun. Answers as of `Cancel`.

    What ends so was ``played``; its `UtteranceHeard` is not complete where something was dropped.
    """

    utterance: int


# --- acting ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallTool(Command):
    """Run a tool. Answer: `ToolReturned` or `ToolFailed`."""

    call: int
    tool: str
    early: bool = field(default=False, kw_only=True)
    """Ordered before the turn was over; such a tool only reads."""
    arguments: Mapping[str, Any] = personal()
    brief: Mapping[str, Any] = field(default_factory=dict, metadata={"personal": True})
    """What a tool that takes a brief is told (`policies.brief.Brief.plain`); empty for all others."""


@dataclass(frozen=True, slots=True)
class CancelTool(Command):
    """Give up a running tool call. Answer: `ToolFailed(reason=cancelled)`, unless it ended first."""

    call: int


# --- the line ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendDigits(Command):
    """Send DTMF keys. Answer: `DigitsSent`."""

    digits: str = personal()


@dataclass(frozen=True, slots=True)
class Transfer(Command):
    """Hand the call to somebody else. Answer: `TransferEnded`."""

    target: str = personal()


@dataclass(frozen=True, slots=True)
class HangUp(Command):
    """End the call from our side. Answer: `CallEnded`."""

    reason: str


# --- time --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetTimer(Command):
    """Fire `timer` after `after_ms`; setting a running timer again moves it. Answer: `TimerFired`."""

    timer: str
    after_ms: int


@dataclass(frozen=True, slots=True)
class CancelTimer(Command):
    """Forget a timer; unknown ones are no error."""

    timer: str
