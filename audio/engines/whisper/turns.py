"""Whose turn it is at a worker that can decode one stretch of speech at a time.

Finals go before partials, because a caller waits for what follows a final and nobody waits for a partial; among
themselves each kind goes in the order of asking. Who waits for a partial decides when its turn has come what is worth
decoding by then. This file refuses to know what a turn is used for; it bounds nothing, since each stream waits once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Turns"]


class Turns:
    """One holder at a time. Belongs to one event loop."""

    def __init__(self) -> None:
        self._taken = False
        self._finals: deque[asyncio.Future[None]] = deque()
        self._partials: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> tuple[int, int]:
        """How many wait now: (finals, partials)."""
        return len(self._finals), len(self._partials)

    @asynccontextmanager
    async def turn(self, *, final: bool) -> AsyncIterator[None]:
        """Hold the turn inside the block; waits for it first. Cancelling the wait gives up the place."""
        if self._taken:
            await self._wait(self._finals if final else self._partials)
        self._taken = True
        try:
            yield
        finally:
            self._hand_on()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        place = asyncio.get_running_loop().create_future()
        queue.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place in queue:
                queue.remove(place)
            elif place.done() and not place.cancelled():
                self._hand_on()  # the turn came together with the cancelling
            raise

    def _hand_on(self) -> None:
        """Give the turn to the next one that waits: it stays taken in between, so nobody slips in."""
        for queue in (self._finals, self._partials):
            while queue:
                place = queue.popleft()
                if not place.done():
                    place.set_result(None)
                    return
        self._taken = False
