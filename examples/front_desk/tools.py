"""The tools of the front desk: a clinic's calendar for one week, in one small SQLite file.

The calendar is made on first use from the call's "today", always the same one, so that a replayed call finds what the
first one found. Each change is one SQL statement in one transaction: a slot cannot be given away twice, also not by
two calls at once. SQLite waits for locks and disks, so it runs in a thread of its own and never on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, ParamSpec, TypeVar

from agent_runtime.tools import ToolContext, tool

P = ParamSpec("P")
T = TypeVar("T")

FILE_NAME = "calendar.sqlite"
LOOKUP_S = 1.5
"""How long the lookup takes: as slow as many a booking system is, so that the agent has a wait to cover."""


class Day(StrEnum):
    """The days the clinic is open."""

    MONDAY = "monday"
    TUESDAY = "tuesday"
    WEDNESDAY = "wednesday"
    THURSDAY = "thursday"
    FRIDAY = "friday"


class Row(NamedTuple):
    """One half hour of the calendar; `name` is None while it is free."""

    day: str
    date: str
    time: str
    name: str | None


FREE = {
    Day.MONDAY: "13:00 14:30 15:00 16:30",
    Day.TUESDAY: "08:30 09:00 10:00 11:30 13:30 16:00",
    Day.WEDNESDAY: "08:00 09:30 10:30 11:00 14:00 14:30 17:00",
    Day.THURSDAY: "",
    Day.FRIDAY: "08:30 10:30 11:00",
}
"""The half hours that are free at first: Monday morning, Friday afternoon and the whole Thursday are full."""

OTHERS = (
    "adams baker carter davis evans foster garcia hughes irving jones kelly lopez mason nelson owens parker quinn "
    "roberts scott turner"
).split()
"""Who has the other half hours, from eight o'clock on: one name for each of the twenty."""

Part = Literal["morning", "afternoon"]

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="calendar")


@tool(effect="read", slow_s=LOOKUP_S)
async def find_slots(context: ToolContext, day: Day, part: Part | None = None) -> list[str]:
    """Up to three free times on a day, spread over it."""
    await asyncio.sleep(LOOKUP_S)
    rows = await _in_thread(_rows, context, day)
    asked = [row for row in rows if part is None or part == ("morning" if row.time < "12:00" else "afternoon")]
    free = [row.time for row in asked if row.name is None]
    return free if len(free) <= 3 else [free[0], free[len(free) // 2], free[-1]]


@tool(effect="write", confirm=True)
async def book(context: ToolContext, day: Day, time: datetime.time, name: str) -> Literal["ok", "taken"]:
    """Book a free half hour for a patient."""
    free = "UPDATE slots SET name = ? WHERE day = ? AND time = ? AND name IS NULL"
    changed = await _in_thread(_change, context, free, (_plain(name), day, f"{time:%H:%M}"))
    return "ok" if changed else "taken"


@tool(effect="write", confirm=True)
async def cancel_booking(context: ToolContext, day: Day, name: str) -> Literal["ok", "not found"]:
    """Give back what a patient has booked on a day."""
    theirs = "UPDATE slots SET name = NULL WHERE day = ? AND name = ?"
    changed = await _in_thread(_change, context, theirs, (day, _plain(name)))
    return "ok" if changed else "not found"


def calendar(folder: Path) -> list[Row]:
    """The whole calendar in `folder`, in order of time; empty while no call has used it."""
    if not (folder / FILE_NAME).is_file():
        return []
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as database:
        return _select(database, "SELECT day, date, time, name FROM slots ORDER BY date, time")


def first_calendar(today: datetime.date) -> list[Row]:
    """The calendar before the first call: each weekday as the next such day after `today`."""
    rows = []
    for index, day in enumerate(Day):
        date = today + datetime.timedelta(days=(index - today.weekday() - 1) % 7 + 1)
        for half_hour, name in enumerate(OTHERS):
            time = f"{8 + half_hour // 2:02d}:{half_hour % 2 * 30:02d}"
            rows.append(Row(day.value, date.isoformat(), time, None if time in FREE[day].split() else name))
    return sorted(rows, key=lambda row: (row.date, row.time))


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREAD, partial(work, *args, **kwargs))


def _rows(context: ToolContext, day: Day) -> list[Row]:
    with _opened(context) as database:
        return _select(database, "SELECT day, date, time, name FROM slots WHERE day = ? ORDER BY time", day)


def _change(context: ToolContext, statement: str, values: tuple[str, ...]) -> int:
    """How many half hours the statement changed; committed when this returns."""
    with _opened(context) as database:
        return database.execute(statement, values).rowcount


@contextlib.contextmanager
def _opened(context: ToolContext) -> Iterator[sqlite3.Connection]:
    """The calendar, made first where there is none; one transaction, rolled back if the block raises."""
    context.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(context.folder / FILE_NAME, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            database.execute("CREATE TABLE IF NOT EXISTS slots (day, date, time, name, PRIMARY KEY (date, time))")
            if database.execute("SELECT count(*) FROM slots").fetchone() == (0,):
                database.executemany("INSERT INTO slots VALUES (?, ?, ?, ?)", first_calendar(context.today))
            yield database
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise


def _select(database: sqlite3.Connection, query: str, *values: str) -> list[Row]:
    return [Row(*row) for row in database.execute(query, values)]


def _plain(name: str) -> str:
    return " ".join(name.lower().split())
