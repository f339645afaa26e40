"""The rows that calls leave behind: episodes, evidence and rules.

Only what is certain before the store exists. Frozen values without behaviour beyond refusing what could never be
true; this file refuses to know where rows are stored, how rules are found and when they are used.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from memory import KeepingError

__all__ = ["Direction", "Episode", "Evidence", "Polarity", "Rule"]

Direction = Literal["inbound", "outbound"]
Polarity = Literal["for", "against"]


@dataclass(frozen=True, slots=True)
class Episode:
    """One finished call as the learner sees it."""

    call_id: str
    subject: str
    """Key of the counterparty, from `memory.subjects.subject_of`."""
    agent: str
    direction: Direction
    wall_date: date
    outcome: str
    """How it ended: ``booked``, ``abandoned``; the agent's own words for it, empty where nobody judged."""
    log_path: str
    """Where the event log lies, relative to the log folder."""

    def __post_init__(self) -> None:
        for name in ("call_id", "subject", "agent"):
            if not getattr(self, name):
                raise KeepingError(f"episode has an empty {name}; expected a key (it groups what can be forgotten)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One case for or against a rule: which call, about whom, at which event of its log."""

    call_id: str
    subject: str
    polarity: Polarity
    seq: int
    """Sequence number of the event in the call's log that shows it."""

    def __post_init__(self) -> None:
        if self.seq < 0:
            raise KeepingError(f"evidence of call {self.call_id!r} cites event {self.seq}; expected 0 or more")


@dataclass(frozen=True, slots=True)
class Rule:
    """A distilled, checkable lesson with the cases for and against it.

    Support is counted in distinct subjects, not in cases: one caller cannot teach a rule.
    """

    text: str
    evidence: tuple[Evidence, ...] = ()

    def subjects(self, polarity: Polarity) -> int:
        """How many different subjects speak for or against it."""
        return len({case.subject for case in self.evidence if case.polarity == polarity})

    def without(self, subject: str) -> Rule:
        """The rule after a subject was forgotten: the same text, none of that subject's cases."""
        return Rule(self.text, tuple(case for case in self.evidence if case.subject != subject))
