"""What was heard, put on the bus at the time at which it was known.

Recorded audio can be detected and recognised before its time, because it does not depend on the agent. The results
then wait here until the clock reaches them. Live results are already due and pass straight through. The queue is
bounded: listening waits while it is too far ahead.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq

from .bus import Bus
from .events import Event, SpeechStarted

__all__ = ["Timeline"]

LIMIT = 512
"""Events waiting for their time; about 30 s of dense speech."""


class Timeline:
    """Publishes events by their time, equal times in the order given. Run `run` in the session's task group."""

    def __init__(self, bus: Bus, line_origin_s: float) -> None:
        self._bus = bus
        self._line_origin_s = line_origin_s
        self._due: list[tuple[float, int, Event, int]] = []  # a heap: (loop time, number, event, segment)
        self._number = 0
        self._ended = False
        self._changed = asyncio.Event()
        self._room = asyncio.Semaphore(LIMIT)
        self._started: dict[int, int] = {}

    async def put(self, event: Event, *, sample: int, segment: int = 0, lag_s: float = 0.0) -> None:
        """Publish `event` when the clock reaches `sample` plus `lag_s`; its cause is the start of `segment`."""
        await self._room.acquire()
        self._number += 1
        at_s = self._line_origin_s + sample / 16_000 + lag_s
        heapq.heappush(self._due, (at_s, self._number, event, segment))
        self._changed.set()

    def end(self) -> None:
        """Nothing more comes; `run` ends after the last event."""
        self._ended = True
        self._changed.set()

    async def run(self) -> None:
        """Publish until `end`."""
        loop = asyncio.get_running_loop()
        while self._due or not self._ended:
            wait_s = self._due[0][0] - loop.time() if self._due else None
            if wait_s is None or wait_s > 0:
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_s):
                        await self._changed.wait()
                continue
            _, _, event, segment = heapq.heappop(self._due)
            self._room.release()
            seq = await self._bus.publish(event, self._started.get(segment, 0))
            if isinstance(event, SpeechStarted):
                self._started[segment] = seq
                self._started.pop(segment - 8, None)  # nothing more comes of a segment that old
