"""The engine port over a ``transformers`` model in this process: one worker thread, prefill in slices, exact rollback.

Calls take turns, a slice or a token at a time, in the order in which they ask; they share no steps, as those of the
embedded engine do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from transformers import DynamicCache

from audio.outcome import Outcome, Runner
from policies.learned.core.choosing import choose
from policies.learned.core.worker import thread_stopwatch

from ...ports import AdapterRef, Caps, Extent, Grammar
from .forward import TorchModel

__all__ = ["TorchEngine", "TorchSession"]

T = TypeVar("T")
Floats = NDArray[np.float32]

PREFILL_SLICE = 32
"""Tokens of one prefill slice on a CPU, for which a cancel has to wait: 10 ms at 10 M parameters, 27 ms at 30 M."""
PREFILL_SLICE_GPU = 512
"""The same on a GPU; a guess, no GPU was measured."""


class TorchEngine:
    """One model for all calls of the process, as an async context manager that owns the worker thread.

    `run` is how work leaves the loop (kind ``llm``, units: tokens).
    """

    caps = Caps(ids=True, exact_rollback=True, fork=True, grammar=True, logprobs=True)

    def __init__(self, model: TorchModel, run: Runner) -> None:
        self.model = model
        self.slice_tokens = PREFILL_SLICE if model.device.type == "cpu" else PREFILL_SLICE_GPU
        self._run = run
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="torch-model")
        self._warmed: TorchSession | None = None

    @classmethod
    def load(cls, folder: Path | str, run: Runner, *, device: str | None = None) -> TorchEngine:
        """The engine of a model folder; see `TorchModel.load`. Slow: call it off the loop."""
        return cls(TorchModel.load(folder, device=device), run)

    async def __aenter__(self) -> TorchEngine:
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self.close()

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> TorchSession:
        """A session; it starts from the warmed prefix where one is there. Raises `ValueError` for an adapter."""
        if adapter is not None:
            raise ValueError(f"the torch engine serves no adapters, got {adapter.name!r}; merge it into the model")
        if self._warmed is not None:
            return await self._warmed.fork()
        return TorchSession(self, self.model.new_cache(), [])

    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Compute a prefix once; sessions opened later start with it, at no cost."""
        session = TorchSession(self, self.model.new_cache(), [])
        extent = await session.sync(tokens)
        self._warmed = session
        return extent

    async def load_adapter(self, ref: AdapterRef) -> None:
        """Not served by this engine. Raises `ValueError`."""
        raise ValueError(f"the torch engine serves no adapters, got {ref.name!r}; merge it into the model")

    async def unload_adapter(self, ref: AdapterRef) -> None:
        """Nothing was loaded. Raises `ValueError`."""
        raise ValueError(f"no adapter {ref.name!r} is loaded")

    async def close(self) -> None:
        """End the worker thread; requests in flight fail. Closing twice is no error."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def work(self, tokens: int, job: Callable[[], T]) -> T:
        """Run `job`, which computes that many tokens, in the worker thread."""

        def timed() -> Outcome[T]:
            elapsed_s = thread_stopwatch()
            return Outcome(job(), elapsed_s(), float(tokens))

        return await self._run("llm", self._pool, timed)


class TorchSession:
    """One call's cache: `tokens` are exactly what the cache holds. A step that is abandoned changes nothing."""

    def __init__(
        self, engine: TorchEngine, cache: DynamicCache, tokens: Sequence[int], logits: Floats | None = None
    ) -> None:
        self._engine, self._model = engine, engine.model
        self._cache = cache
        self.tokens = list(tokens)
        self._logits = logits
        """After the last of `tokens`; None when they have to be computed again."""

    async def sync(
        self,
        tokens: Sequence[int],
        *,
        stable: int | None = None,
        deadline_s: float | None = None,
        ahead: bool = True,
    ) -> Extent:
        """See the port. Cancelled in the middle, it keeps the slices that are done."""
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        wanted = list(tokens)
        pairs = zip(self.tokens, wanted, strict=False)
        common = next((at for at, (old, new) in enumerate(pairs) if old != new), min(len(self.tokens), len(wanted)))
        if common == len(wanted) and (common < len(self.tokens) or self._logits is None):
            common = max(0, common - 1)  # the last token is computed again for its logits
        dropped = len(self.tokens) - common
        self._truncate(common)
        done = common
        while done < len(wanted):
            if deadline_s is not None and loop.time() >= deadline_s:
                break
            piece = wanted[done : done + self._engine.slice_tokens]
            await self._extend(piece)
            done += len(piece)
        return Extent(done, common, done - common, dropped, loop.time() - begin_s)

    async def stream(
        self,
        suffix: Sequence[int] = (),
        *,
        max_tokens: int,
        stop_ids: Iterable[int] = (),
        grammar: Grammar | None = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:
        """See the port. Greedy, a token at a time. The synced tokens must not be empty."""
        before = self._cache, list(self.tokens), self._logits
        stops = frozenset(stop_ids)
        try:
            if suffix:
                await self._extend(list(suffix))
            else:
                await self._know_logits()
            for _ in range(max_tokens):
                token = await self._write(grammar)
                yield [token]
                if token in stops or (grammar is not None and grammar.done):
                    return
        finally:
            if not keep:
                self._cache, self.tokens, self._logits = before

    async def fork(self) -> TorchSession:
        """A session with the same prefix; what they hold in common is held once."""
        return TorchSession(self._engine, self._cache, self.tokens, self._logits)

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """Log-probabilities after the synced tokens; the cache is as before."""
        await self._know_logits()
        base, cache = self._logits, self._cache
        assert base is not None, "the logits were computed just now"
        scores: list[float] = []
        for continuation in continuations:
            rows = base[None]
            if len(continuation) > 1:
                read = list(continuation[:-1])
                _, more = await self._engine.work(len(read), partial(self._model.extend, cache, read, every=True))
                rows = np.concatenate([rows, more])
            scores.append(sum(_log_share(row, token) for row, token in zip(rows, continuation, strict=False)))
        return scores

    def mark(self) -> int:
        """The current length in tokens."""
        return len(self.tokens)

    async def rewind(self, mark: int) -> None:
        """Drop everything after `mark`. Raises `ValueError` when it lies ahead."""
        if not 0 <= mark <= len(self.tokens):
            raise ValueError(f"mark {mark} lies outside of the session's {len(self.tokens)} tokens")
        self._truncate(mark)

    async def close(self) -> None:
        """Forget the cache."""
        self._truncate(0)

    async def _extend(self, ids: list[int]) -> None:
        self._cache, self._logits = await self._engine.work(len(ids), partial(self._model.extend, self._cache, ids))
        self.tokens += ids

    async def _write(self, grammar: Grammar | None) -> int:
        """One more token, the likeliest that may come; it is part of the stream when this returns."""
        cache, logits = self._cache, self._logits
        assert logits is not None, "the logits were computed before the first token"

        def step() -> tuple[int, tuple[DynamicCache, Floats]]:
            token = choose(logits, grammar)
            if grammar is not None:
                grammar.advance(token)
            return token, self._model.extend(cache, [token])

        token, (self._cache, self._logits) = await self._engine.work(1, step)
        self.tokens.append(token)
        return token

    async def _know_logits(self) -> None:
        """The logits after the last token; after a rollback that token is computed again."""
        if self._logits is None:
            cache, last = self._model.crop(self._cache, len(self.tokens) - 1), self.tokens[-1:]
            self._cache, self._logits = await self._engine.work(1, partial(self._model.extend, cache, last))

    def _truncate(self, length: int) -> None:
        if length < len(self.tokens):
            self._cache = self._model.crop(self._cache, length)
            del self.tokens[length:]
            self._logits = None


def _log_share(logits: Floats, token: int) -> float:
    """The log-probability of a token."""
    top = float(logits.max())
    return float(logits[token]) - top - float(np.log(np.exp(logits - top).sum()))
