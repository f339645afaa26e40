"""The bus of one call: it stamps, logs and queues; it decides nothing.

Order is a promise. `publish` waits for room first and stamps then, so entries reach the log and the mind in one
order and nothing overtakes. The inbox is bounded: a publisher waits, and an inbox that stays full for two seconds
raises `InboxFull`, which ends the call with a logged error. Secrets are masked here, at the event boundary, before
the log or the mind sees them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from .commands import Command
from .events import Event
from .log import Log
from .masking import Masking
from .record import Entry

__all__ = ["Bus", "InboxFull", "Watcher"]

INBOX_SIZE = 256
"""Events waiting for the mind. A call makes about 20 a second and the mind takes 50,000 a second: full means stuck."""
FULL_LIMIT_S = 2.0

Watcher = Callable[[Entry], None]
"""Sees every entry right after it is logged; must be quick and must not raise."""


class InboxFull(RuntimeError):
    """The mind did not take an event for two seconds."""


class Bus:
    """One call's order of things."""

    def __init__(self, log: Log, watchers: tuple[Watcher, ...] = (), size: int = INBOX_SIZE) -> None:
        self._loop = asyncio.get_running_loop()
        self._origin_s = self._loop.time()
        self._log = log
        self._watchers = watchers
        self._size = size
        self._inbox: deque[tuple[Entry, bool]] = deque()  # (entry, does it hold a place of the bound)
        self._room = asyncio.Semaphore(size)
        self._arrived = asyncio.Event()
        self._masking = Masking()
        self._seq = 0
        self.closed = False
        """Set when the call has ended: nothing is logged after `CallEnded`."""

    @property
    def origin_s(self) -> float:
        """Loop time at which the call started: `at_us` counts from here."""
        return self._origin_s

    @property
    def seq(self) -> int:
        """The last number given."""
        return self._seq

    async def publish(self, event: Event, cause: int = 0) -> int:
        """Stamp, log and queue an event; returns its `seq`. Waits while the inbox is full; raises `InboxFull`."""
        if self._room.locked():
            try:
                async with asyncio.timeout(FULL_LIMIT_S):
                    await self._room.acquire()
            except TimeoutError:
                raise InboxFull(
                    f"the mind took no event for {FULL_LIMIT_S:g} s with {self._size} waiting; it is stuck in one event"
                ) from None
        else:
            await self._room.acquire()
        return self._queue(event, cause, holds_place=True)

    def post(self, event: Event, cause: int = 0) -> int:
        """`publish` for sources that are bounded by themselves (timers, the end of the call): never waits."""
        return self._queue(event, cause, holds_place=False)

    def order(self, command: Command, cause: int) -> Entry:
        """Stamp and log a command of the mind."""
        return self._stamp(command, cause)

    async def next(self) -> Entry:
        """The next event for the mind, in order."""
        while not self._inbox:
            self._arrived.clear()
            await self._arrived.wait()
        entry, holds_place = self._inbox.popleft()
        if holds_place:
            self._room.release()
        return entry

    def _queue(self, event: Event, cause: int, *, holds_place: bool) -> int:
        entry = self._stamp(self._masking.masked(event), cause)
        self._inbox.append((entry, holds_place))
        self._arrived.set()
        return entry.seq

    def _stamp(self, what: Event | Command, cause: int) -> Entry:
        self._seq += 1
        entry = Entry(self._seq, round((self._loop.time() - self._origin_s) * 1e6), cause, what)
        self._log.append(entry)
        for watch in self._watchers:
            watch(entry)
        return entry
