"""A runner as the live runtime has it, which also keeps what the work cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from audio.outcome import Outcome

T = TypeVar("T")


@dataclass
class KeepingRunner:
    """Awaits a thread; `done` holds (kind, CPU seconds, units, due_s) of each finished job."""

    done: list[tuple[str, float, float, float | None]] = field(default_factory=list)

    async def __call__(
        self, kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None
    ) -> T:
        outcome = await asyncio.get_running_loop().run_in_executor(pool, call)
        self.done.append((kind, outcome.cpu_s, outcome.units, due_s))
        return outcome.value


@pytest.fixture
def run() -> KeepingRunner:
    return KeepingRunner()
