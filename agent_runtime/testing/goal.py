"""What a simulated caller wants, how it speaks, and which calendar it would be content with. Values only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Literal

__all__ = ["DAYS", "Goal", "Manner", "Wish", "calendar_as_wished", "goal_of"]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")

NAMES = (
    "adams allen anderson bell bennett brooks campbell clark collins cooper edwards fisher gray hall harris hill "
    "howard jackson johnson larsen lewis martin miller mitchell morgan morris murphy peterson phillips reed robinson "
    "sullivan taylor thomas thompson walker watson williams wilson young"
).split()
"""Common surnames with one usual pronunciation, so that a failure is the agent's and not the voice's."""


@dataclass(frozen=True, slots=True)
class Goal:
    """What the caller wants. `pick`: which of the offered times; `other_days`: what will do when `day` is full."""

    kind: Literal["book", "cancel"]
    day: str
    name: str
    part: Literal["morning", "afternoon"] | None = None
    pick: Literal["first", "last", "any"] = "any"
    other_days: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manner:
    """How the caller speaks: chances per call, 0..1, and answering times. The defaults are guesses."""

    hesitates: float = 0.35
    corrects_itself: float = 0.2
    gives_day_at_once: float = 0.75
    gives_part: float = 0.6
    barges_in: float = 0.5
    hums: float = 0.35
    """Chance for each long stretch of agent speech, until `most_hums` are used up."""
    most_hums: int = 2
    quickest_s: float = 0.35
    slowest_s: float = 0.95


@dataclass(frozen=True, slots=True)
class Wish:
    """What the calendar should hold after the call, as the caller last wanted it; `kind` none: nothing."""

    kind: Literal["book", "cancel", "none"]
    day: str
    name: str
    time: str | None = None
    """``HH:MM``; None while no time was chosen."""

    @property
    def complete(self) -> bool:
        """The caller came so far that the calendar should have changed."""
        return self.kind == "cancel" or (self.kind == "book" and self.time is not None)


def goal_of(seed: int, *, booked: Sequence[tuple[str, str]] = (), cancels: float = 0.2) -> Goal:
    """The goal of a seed. `booked`: (day, name) of visits that stand in the calendar; only those can be cancelled."""
    chance = Random(f"{seed} goal")
    if booked and chance.random() < cancels:
        day, name = chance.choice(list(booked))
        return Goal("cancel", day, name)
    days = chance.sample(DAYS, len(DAYS))
    part: Literal["morning", "afternoon"] | None = chance.choice((None, None, "morning", "afternoon"))
    pick: Literal["first", "last", "any"] = chance.choice(("first", "last", "any"))
    return Goal("book", days[0], chance.choice(NAMES), part, pick, tuple(days[1:]))


def calendar_as_wished(
    rows: Iterable[tuple[str, str, str, str | None]], wish: Wish
) -> list[tuple[str, str, str, str | None]]:
    """The calendar after a call that went as wished. Rows: (day, date, ``HH:MM``, name or None while it is free).

    A wish that was never completed, or a time that is not free, changes nothing.
    """
    after = []
    for day, date, time, name in rows:
        here = wish.complete and day == wish.day
        if here and wish.kind == "book" and time == wish.time and name is None:
            name = wish.name
        elif here and wish.kind == "cancel" and name == wish.name:
            name = None
        after.append((day, date, time, name))
    return after
