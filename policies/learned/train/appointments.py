"""The book of visits behind the tools of the scenario: what is free, what was booked, and by which calls.

It answers the three tools as the real tool functions of the front desk would, in spoken words, and counts writes, so
that a dialogue can be judged by its outcome. It knows nothing of callers or models.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, part_of

__all__ = ["STOLEN", "Calendar", "Visit", "random_calendar"]


@dataclass(frozen=True, slots=True)
class Visit:
    """One booked visit; `time` is empty in a cancellation, which names day and caller only."""

    day: str
    time: str
    name: str


@dataclass(slots=True)
class Calendar:
    """Free times by day, visits, and the writes made in this call. `stolen`: times lost while the call goes on."""

    free: dict[str, list[str]]
    visits: list[Visit] = field(default_factory=list)
    stolen: set[tuple[str, str]] = field(default_factory=set)
    booked: list[Visit] = field(default_factory=list)
    cancelled: list[Visit] = field(default_factory=list)

    def run(self, tool: str, arguments: dict[str, str]) -> str:
        """The spoken result of one call; a missing argument finds, books and cancels nothing. An unknown tool raises
        `KeyError`."""
        if tool == "find_slots":
            times = self.find(arguments.get("day", ""), arguments.get("part"))
            return " ".join(times) if times else "none"
        if tool == "book":
            return self.book(arguments.get("day", ""), arguments.get("time", ""), arguments.get("name", ""))
        if tool == "cancel_booking":
            return self.cancel(arguments.get("day", ""), arguments.get("name", ""))
        raise KeyError(f"no tool {tool!r}; the scenario has find_slots, book and cancel_booking")

    def find(self, day: str, part: str | None) -> list[str]:
        """Free times of a day in order, of one part of it when given."""
        return [time for time in self.free.get(day, ()) if part is None or part_of(time) == part]

    def book(self, day: str, time: str, name: str) -> str:
        """``ok``, or ``taken`` when the time is not (or no longer) free."""
        if (day, time) in self.stolen or time not in self.free.get(day, ()):
            if time in self.free.get(day, ()):
                self.free[day].remove(time)
            return "taken"
        self.free[day].remove(time)
        self.booked.append(Visit(day, time, name))
        self.visits.append(Visit(day, time, name))
        return "ok"

    def cancel(self, day: str, name: str) -> str:
        """``ok``, or ``not found``."""
        for visit in self.visits:
            if visit.day == day and visit.name == name:
                self.visits.remove(visit)
                self.cancelled.append(Visit(day, "", name))
                return "ok"
        return "not found"


STOLEN = 0.06
"""Share of free times that somebody else is about to take."""


def random_calendar(rng: Random, *, crowded: float = 0.0, stolen: float = STOLEN) -> Calendar:
    """Two to five free times on most days, none on some. `crowded`: share of days on which one part of the day has
    none; `stolen`: share of times that are about to be taken by somebody else."""
    free: dict[str, list[str]] = {}
    for day in DAYS:
        count = 0 if rng.random() < 0.12 else rng.choice((1, 2, 3, 3, 4, 5))
        free[day] = [TIMES[index] for index in sorted(rng.sample(range(len(TIMES)), count))]
    for day in DAYS if crowded else ():
        if rng.random() < crowded:
            full = rng.choice(PARTS)
            free[day] = [time for time in free[day] if part_of(time) != full]
    gone = {(day, time) for day in DAYS for time in free[day] if rng.random() < stolen}
    return Calendar(free, stolen=gone)
