"""The engine in the box: our core model on the CPU, exact rollback, many calls in shared steps.

Requests that wait while a step is in flight run together in the next one, so calls share the matrix products. Long
prefills go in slices, so a cancel takes effect within a few milliseconds and nobody waits behind a long prompt. All
arithmetic happens in one worker thread; the loop only queues.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from audio.outcome import Outcome, Runner
from policies.learned.core.choosing import choose
from policies.learned.core.model import Cache, CoreModel
from policies.learned.core.worker import thread_stopwatch

from ..ports import AdapterRef, Caps, Extent, Grammar

__all__ = ["EmbeddedEngine", "EmbeddedSession"]

PREFILL_SLICE = 32
"""Tokens of one prefill slice: about 4 ms of work."""
DECODE_SLICE = 6
"""Tokens decoded before the loop hears of them: about 4 ms of work; fewer thread hops than one by one."""


@dataclass(eq=False)
class _Request:
    """One session's next piece of work: extend by `ids`, then decode up to `limit` tokens."""

    cache: Cache
    ids: list[int]
    limit: int
    grammar: Grammar | None
    stop_ids: frozenset[int]
    done: asyncio.Event = field(default_factory=asyncio.Event)
    tokens: list[int] = field(default_factory=list)
    finished: bool = False
    logits: np.ndarray[tuple[int], np.dtype[np.float32]] | None = None
    error: Exception | None = None


class EmbeddedEngine:
    """One core model for all calls of the process, as an async context manager that owns the serving task.

    `run` is how work leaves the loop (kind ``llm``, units: tokens).
    """

    caps = Caps(ids=True, exact_rollback=True, fork=True, grammar=True, logprobs=True)

    def __init__(self, model: CoreModel, run: Runner) -> None:
        self.model = model
        self._run = run
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="core-model")
        self._waiting: list[_Request] = []
        self._arrived = asyncio.Event()
        self._warmed: tuple[list[int], Cache] | None = None
        self._group = asyncio.TaskGroup()
        self._serving: asyncio.Task[None] | None = None

    async def __aenter__(self) -> EmbeddedEngine:
        await self._group.__aenter__()
        self._serving = self._group.create_task(self._serve(), name="core model")
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self.close()
        await self._group.__aexit__(None, None, None)

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> EmbeddedSession:
        """A session; it starts from the warmed prefix where one is there. Raises `ValueError` for an adapter."""
        if adapter is not None:
            raise ValueError(f"the embedded engine serves no adapters yet, got {adapter.name!r}; open without one")
        if self._warmed is not None:
            tokens, cache = self._warmed
            return EmbeddedSession(self, cache.fork(), list(tokens))
        return EmbeddedSession(self, self.model.new_cache(), [])

    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Compute a prefix once; sessions opened later start with it."""
        session = EmbeddedSession(self, self.model.new_cache(), [])
        extent = await session.sync(tokens)
        self._warmed = (list(tokens), session.cache)
        return extent

    async def load_adapter(self, ref: AdapterRef) -> None:
        """Not served by this engine. Raises `ValueError`."""
        raise ValueError(f"the embedded engine serves no adapters yet, got {ref.name!r}")

    async def unload_adapter(self, ref: AdapterRef) -> None:
        """Nothing was loaded. Raises `ValueError`."""
        raise ValueError(f"no adapter {ref.name!r} is loaded")

    async def close(self) -> None:
        """Stop serving; requests in flight fail. Closing twice is no error."""
        if self._serving is not None:
            self._serving.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def step(self, request: _Request) -> None:
        """Run one request, together with all others that wait at the same time."""
        if self._serving is None or self._serving.done():
            raise RuntimeError("the embedded engine is not serving; enter it with `async with` first")
        self._waiting.append(request)
        self._arrived.set()
        try:
            await request.done.wait()
        finally:
            if request in self._waiting:
                self._waiting.remove(request)
        if request.error is not None:
            raise request.error

    async def _serve(self) -> None:
        batch: list[_Request] = []
        try:
            while True:
                while not self._waiting:
                    self._arrived.clear()
                    await self._arrived.wait()
                await asyncio.sleep(0)  # let others of this loop pass join
                batch, self._waiting = self._waiting, []
                try:
                    await self._run("llm", self._pool, partial(self._work, batch))
                except Exception as error:
                    for request in batch:
                        request.error = error
                for request in batch:
                    request.done.set()
                batch = []
        finally:
            for request in (*batch, *self._waiting):
                request.error = RuntimeError("the embedded engine was closed")
                request.done.set()

    def _work(self, batch: Sequence[_Request]) -> Outcome[None]:
        """In the worker thread: extend every cache, then decode in lockstep those that want tokens."""
        elapsed_s = thread_stopwatch()
        units = self._feed([(request, request.ids) for request in batch if request.ids])
        busy = [request for request in batch if request.limit]
        while busy:
            for request in busy:
                assert request.logits is not None, "a request without ids brings the logits it goes on from"
                token = choose(request.logits, request.grammar)
                request.tokens.append(token)
                if request.grammar is not None:
                    request.grammar.advance(token)
                request.finished = token in request.stop_ids or (request.grammar is not None and request.grammar.done)
            # Every token goes into the cache, the last one too: what was written is part of the stream.
            units += self._feed([(request, request.tokens[-1:]) for request in busy])
            busy = [r for r in busy if not r.finished and len(r.tokens) < r.limit]
        return Outcome(None, elapsed_s(), float(units))

    def _feed(self, rows: Sequence[tuple[_Request, list[int]]]) -> int:
        """Extend the caches of `rows` in one step; returns the number of tokens."""
        if rows:
            found = self.model.step([(request.cache, ids) for request, ids in rows])
            for (request, _), logits in zip(rows, found, strict=True):
                request.logits = logits
        return sum(len(ids) for _, ids in rows)


class EmbeddedSession:
    """One call's cache: `tokens` are exactly what the cache holds."""

    def __init__(self, engine: EmbeddedEngine, cache: Cache, tokens: list[int]) -> None:
        self._engine = engine
        self.cache = cache
        self.tokens = tokens
        self._logits: np.ndarray[tuple[int], np.dtype[np.float32]] | None = None

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
        common = _common(self.tokens, wanted)
        if common == len(wanted) and (common < len(self.tokens) or self._logits is None):
            common = max(0, common - 1)  # the last token is computed again for its logits
        dropped = len(self.tokens) - common
        self._truncate(common)
        done = common
        while done < len(wanted):
            if deadline_s is not None and loop.time() >= deadline_s:
                break
            piece = wanted[done : done + PREFILL_SLICE]
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
        """See the port. Greedy. The synced tokens must not be empty."""
        mark = len(self.tokens)
        stops = frozenset(stop_ids)
        feed = list(suffix)
        left = max_tokens
        try:
            if not feed and self._logits is None:
                feed = [self.tokens[-1]]
                self._truncate(len(self.tokens) - 1)
            while left > 0:
                request = _Request(self.cache, feed, min(DECODE_SLICE, left), grammar, stops, logits=self._logits)
                before = len(self.tokens)
                try:
                    await self._engine.step(request)
                except BaseException:
                    self._restore(before)
                    raise
                self.tokens += feed + request.tokens
                self._logits = request.logits
                left -= len(request.tokens)
                yield request.tokens
                if request.finished:
                    return
                feed = []
        finally:
            if not keep and len(self.tokens) > mark:
                self._truncate(mark)

    async def fork(self) -> EmbeddedSession:
        """A copy with the same prefix."""
        twin = EmbeddedSession(self._engine, self.cache.fork(), list(self.tokens))
        twin._logits = self._logits
        return twin

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """Log-probabilities after the synced tokens; the cache is as before."""
        mark = len(self.tokens)
        if self._logits is None:
            last = self.tokens[-1]
            self._truncate(mark - 1)
            await self._extend([last])
        base = self._logits
        scores: list[float] = []
        for continuation in continuations:
            assert base is not None
            total, logits = 0.0, base
            for position, token in enumerate(continuation):
                total += float(logits[token] - _log_sum(logits))
                if position + 1 < len(continuation):
                    await self._extend([token])
                    assert self._logits is not None
                    logits = self._logits
            self._truncate(mark)
            scores.append(total)
        self._logits = base
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
        before = len(self.tokens)
        request = _Request(self.cache, ids, 0, None, frozenset())
        try:
            await self._engine.step(request)
        except BaseException:
            self._restore(before)
            raise
        self.tokens += ids
        self._logits = request.logits

    def _truncate(self, length: int) -> None:
        if length < len(self.tokens):
            del self.tokens[length:]
            self._logits = None
        self.cache.truncate(length)

    def _restore(self, length: int) -> None:
        """A step was abandoned: its thread may still write, so this session goes on with a copy of what is certain."""
        self.cache = self.cache.fork(length)
        self._logits = None


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    for index, (left, right) in enumerate(zip(a, b, strict=False)):
        if left != right:
            return index
    return min(len(a), len(b))


def _log_sum(logits: np.ndarray[tuple[int], np.dtype[np.float32]]) -> float:
    top = float(logits.max())
    return top + float(np.log(np.exp(logits - top).sum()))
