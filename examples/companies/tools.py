"""The tools of the calls desk: one customer's file, in one small SQLite file.

The file is made on first use, always the same one, so that a replayed call finds what the first one found. It holds
what the customer gave for this call and what came of it. What may never be told a stranger stands outside of the
model's reach twice: the parameter of `look_up` does not offer it, and the function refuses it even where somebody has
put it into the file. SQLite waits for locks and disks, so it runs in a thread of its own and never on the event loop.
"""

from __future__ import annotations

import asyncio
import contextlib
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

FILE_NAME = "customer.sqlite"
LOOKUP_S = 2.0
"""How long the look-up takes: as slow as many a customer database is, so that the agent has a wait to cover."""


class Item(StrEnum):
    """What a customer may have on file for the desk to tell a company."""

    CUSTOMER_NUMBER = "customer number"
    POSTCODE = "postcode"
    DATE_OF_BIRTH = "date of birth"
    LAST_FOUR_DIGITS = "last four digits"
    EMAIL = "email"
    PHONE_NUMBER = "phone number"
    NEW_ADDRESS = "new address"


ON_FILE = {
    Item.CUSTOMER_NUMBER: "four four seven one",
    Item.POSTCODE: "s w one two a b",
    Item.DATE_OF_BIRTH: "third of march",
}
"""The customer's file before the first call, in spoken words: what the persona in ``agent.toml`` says is on file."""

FORBIDDEN = frozenset({"password", "pin", "card number"})
"""Never told, whoever asks: each of these lets a stranger act as the customer."""

NOT_ON_FILE = "not on file"

Outcome = Literal["done", "agreed", "refused", "call back"]
Offer = Literal["five percent", "ten percent", "fifteen percent", "twenty percent", "thirty percent"]
Term = Literal["one year", "two years"]

_THREAD = ThreadPoolExecutor(max_workers=1, thread_name_prefix="customer")


class Report(NamedTuple):
    """What came of one call; offer and term are those last spoken of, None where there was none."""

    call_id: str
    outcome: str
    offer: str | None
    term: str | None


@tool(effect="read", slow_s=LOOKUP_S)
async def look_up(context: ToolContext, item: Item) -> str:
    """What the customer has on file: the value in spoken words, or "not on file". Raises `PermissionError`."""
    if item in FORBIDDEN or item not in set(Item):
        raise PermissionError(f"{item!r} is never looked up; only {', '.join(Item)} may be told")
    await asyncio.sleep(LOOKUP_S)
    return await _in_thread(_value, context, item)


@tool(effect="write")
async def report(
    context: ToolContext, outcome: Outcome, offer: Offer | None = None, term: Term | None = None
) -> Literal["ok"]:
    """Write down for the customer what came of the call; the last report of a call stands."""
    await _in_thread(_report, context, Report(context.call_id, outcome, offer, term))
    return "ok"


def reports(folder: Path) -> list[Report]:
    """What came of the calls whose customer's file lies in `folder`, in order of the calls' ids."""
    if not (folder / FILE_NAME).is_file():
        return []
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME)) as database:
        query = "SELECT call_id, outcome, offer, term FROM reports ORDER BY call_id"
        return [Report(*row) for row in database.execute(query)]


async def _in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(_THREAD, partial(work, *args, **kwargs))


def _value(context: ToolContext, item: Item) -> str:
    with _opened(context) as database:
        found = database.execute("SELECT value FROM items WHERE item = ?", (item,)).fetchone()
    return NOT_ON_FILE if found is None else str(found[0])


def _report(context: ToolContext, made: Report) -> None:
    with _opened(context) as database:
        database.execute("INSERT OR REPLACE INTO reports VALUES (?, ?, ?, ?)", made)


@contextlib.contextmanager
def _opened(context: ToolContext) -> Iterator[sqlite3.Connection]:
    """The customer's file, made first where there is none; one transaction, rolled back if the block raises."""
    context.folder.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(context.folder / FILE_NAME, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        try:
            made = database.execute("SELECT name FROM sqlite_master WHERE name = 'items'").fetchone()
            if made is None:
                database.execute("CREATE TABLE items (item PRIMARY KEY, value)")
                database.execute("CREATE TABLE reports (call_id PRIMARY KEY, outcome, offer, term)")
                database.executemany("INSERT INTO items VALUES (?, ?)", ON_FILE.items())
            yield database
            database.execute("COMMIT")
        except BaseException:
            database.execute("ROLLBACK")
            raise
