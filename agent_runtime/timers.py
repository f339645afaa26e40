"""The mind's timers: named, at most one of each, on the loop's clock."""

from __future__ import annotations

import asyncio

from .bus import Bus
from .commands import CancelTimer, SetTimer
from .events import TimerFired
from .record import Entry

__all__ = ["Timers"]


class Timers:
    """Carries out `SetTimer` and `CancelTimer`. Names come from the mind, so their number is small."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._loop = asyncio.get_running_loop()
        self._handles: dict[str, asyncio.TimerHandle] = {}

    def obey(self, order: Entry) -> None:
        """Set, move or cancel a timer."""
        what = order.what
        if isinstance(what, SetTimer):
            self._cancel(what.timer)
            # From the event's own stamp, not from now: the log then says exactly when it fires.
            at_s = self._bus.origin_s + order.at_s + what.after_ms / 1000
            self._handles[what.timer] = self._loop.call_at(at_s, self._fire, what.timer, order.seq)
        elif isinstance(what, CancelTimer):
            self._cancel(what.timer)

    def close(self) -> None:
        """Cancel all timers."""
        for handle in self._handles.values():
            handle.cancel()
        self._handles.clear()

    def _cancel(self, timer: str) -> None:
        if handle := self._handles.pop(timer, None):
            handle.cancel()

    def _fire(self, timer: str, cause: int) -> None:
        del self._handles[timer]
        self._bus.post(TimerFired(timer), cause)
