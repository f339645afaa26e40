"""What a piece of outside work gives back: its value, the CPU it took, and how much work it was.

Engines run their slow calls through a `Runner` handed to them, so that the one clock can account for them:
live it awaits a thread, in a replay it holds virtual time still and then charges the cost. This file refuses
to know which of the two happens.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

__all__ = ["Outcome", "Runner"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Outcome(Generic[T]):
    """The value of a finished job, its CPU seconds as timed in its worker, and its size in `units`.

    Units are what the cost model charges by: audio seconds for ``vad``, ``asr``, ``whisper`` and ``tts``, tokens
    for ``llm``.
    """

    value: T
    cpu_s: float
    units: float


class Runner(Protocol):
    """Runs `call` in `pool` off the event loop and returns its value; cancellable, never blocks the loop.

    `kind` names the cost model entry: ``vad``, ``asr``, ``whisper``, ``tts``, ``llm``. `due_s` (loop time) marks
    work that runs ahead: a replay may let virtual time advance to `due_s` before the result is in.
    """

    async def __call__(
        self, kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None
    ) -> T:
        """The value of the outcome; raises what `call` raised."""
        ...
