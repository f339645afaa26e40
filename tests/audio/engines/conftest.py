"""A runner as the live runtime has it, which also keeps what the work cost; and a model to run."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from audio.outcome import Outcome
from tests.audio.engines.made_whisper import make_whisper

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


@pytest.fixture(scope="session")
def made_whisper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A Whisper folder with random weights; the hub is out of reach meanwhile."""
    for needed in ("faster_whisper", "ctranslate2"):
        if importlib.util.find_spec(needed) is None:
            pytest.skip(f"{needed} is not installed (pip install 'duologue[whisper]')")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        yield make_whisper(tmp_path_factory.mktemp("whisper"))
