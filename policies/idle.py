"""What to do while both parties are silent and nobody owes anything: wait, ask "still there?", or say goodbye.

How long a silence is borne depends on what stands in the room. A question expects an answer soon; a statement may be
thought about; a caller who said "hold on" comes back when they come back. Which words are said is not decided here:
asking for a day again is the model's business. This file refuses to know the words of the agent and the clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from policies.numerals import plain_words

__all__ = ["Idle", "IdleSettings", "Quiet", "decide", "holds"]


@dataclass(frozen=True, slots=True)
class IdleSettings:
    """How long each silence is borne; milliseconds."""

    asked_ms: int = 7_000
    """After a question of the agent. Peers ask again after 5 to 10 s (bolna 6 to 10, unmute 7, pipecat 5 and 10)."""
    told_ms: int = 10_000
    """After anything else: what was said may be written down or thought about. A guess."""
    hold_ms: int = 60_000
    """After the caller asked to wait: they look for a card, or speak to somebody in the room. A guess."""
    again_ms: int = 8_000
    """After "are you still there?". A guess."""
    most: int = 2
    """Unanswered questions of that kind after which the agent says goodbye. A guess."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence of both, at this moment."""

    silent_ms: int = 0
    """Since either party was last heard."""
    last_said: str = ""
    """The agent's last words; empty: it has said nothing yet."""
    last_heard: str = ""
    """The caller's last turn."""
    asked: int = 0
    """How often the agent asked whether the caller is there, since the caller's last words."""


@dataclass(frozen=True, slots=True)
class Idle:
    """What to do now; `wait_ms`: after how long to look again."""

    action: Literal["wait", "ask", "goodbye"]
    reason: str
    wait_ms: int = 0


def decide(quiet: Quiet, settings: IdleSettings | None = None) -> Idle:
    """What the present silence asks for."""
    settings = settings or IdleSettings()
    if quiet.asked:
        borne_ms, reason = settings.again_ms, "nobody answers"
    elif holds(quiet.last_heard):
        borne_ms, reason = settings.hold_ms, "the caller asked to wait"
    elif quiet.last_said.rstrip().endswith("?"):
        borne_ms, reason = settings.asked_ms, "a question was asked"
    else:
        borne_ms, reason = settings.told_ms, "nothing was asked"
    if quiet.silent_ms < borne_ms:
        return Idle("wait", reason, borne_ms - quiet.silent_ms)
    return Idle("goodbye" if quiet.asked >= settings.most else "ask", reason)


_HOLD = re.compile(
    r"\b((hold|hang) on|hold the line|wait|bear with me|give me (a|one|just)|(just )?(a|one) (moment|minute|second|sec)"
    r"|let me (see|check|look|find|get|ask|think))\b"
)
_MOST_WORDS = 9
"""A longer turn that holds such words says something else as well, and its answer is under way. A guess."""


def holds(turn: str) -> bool:
    """The caller's turn asks to wait, and for nothing else: "hang on please", "one moment, i will get my card"."""
    words = plain_words(turn)
    return 0 < len(words) <= _MOST_WORDS and _HOLD.search(" ".join(words)) is not None
