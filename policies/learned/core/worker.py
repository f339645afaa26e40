"""The clock of the core model's worker thread: the CPU a job took, for the one who schedules it.

The one file beside the model that may time itself; nothing here decides anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["thread_stopwatch"]


def thread_stopwatch() -> Callable[[], float]:
    """A function giving the CPU seconds that this thread has spent since now."""
    begin_s = time.thread_time()
    return lambda: time.thread_time() - begin_s
