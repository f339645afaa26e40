"""vLLM for the tests: started once over the tiny weights, and emptied before each check."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from agent_runtime.clock import run_outside
from tests.agent_runtime.engines.tiny_engines import write_tiny

NEEDS_VLLM = pytest.mark.skipif(
    importlib.util.find_spec("vllm") is None, reason="vllm is not installed (extra vllm; or make test-vllm)"
)
BLOCK = 32
"""Tokens of a block: the fewest that vLLM's CPU kernels are made for."""
ON_A_CPU = {"dtype": "float32", "enforce_eager": True, "block_size": BLOCK, "kv_cache_memory_bytes": 1 << 28}
"""Exact arithmetic, nothing compiled, little memory."""


@contextmanager
def running(folder: Path, **arguments: Any) -> Iterator[Any]:
    """vLLM over a model folder."""
    from agent_runtime.engines.vllm import VLLMEngine

    line = VLLMEngine.load(folder, run_outside, **{**ON_A_CPU, **arguments}).line
    line.start()
    try:
        yield line
    finally:
        line.close()


@contextmanager
def running_tiny(**arguments: Any) -> Iterator[Any]:
    """vLLM over the tiny weights."""
    with TemporaryDirectory() as folder:
        write_tiny(Path(folder))
        with running(Path(folder), max_model_len=1024, **arguments) as line:
            yield line


def over(line: Any, **settings: Any) -> Callable[[], Any]:
    """A maker of engines over a vLLM that runs, which has nothing in its cache."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Any]:
        from agent_runtime.engines.vllm import VLLMEngine

        assert line.ask(line.llm.reset_prefix_cache), "nothing of the check before is under way"
        async with VLLMEngine(line, run_outside, **settings) as engine:
            yield engine

    return made
