"""Engines that stand in for one another: a call whose engine fails or falls silent goes on with the next.

Each engine sits beside its own token language, because ids mean different words in different models. So no tokens are
handed over here. A session works on one engine until that fails; then whoever ordered the work asks `stand_in`, is
given the next engine's language, and orders the same trajectory again in its ids. A call never goes back: an engine
that comes up again serves the next call. This file refuses to know what is thought and what was said.

Silence is measured by the loop's clock. A replay's clock stands still while outside work is in flight, so there a
silent server shows when its own limit (``timeout_s``) ends the wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..ports import AdapterRef, Caps, Engine, EngineSession, Extent, Grammar

__all__ = ["STALL_S", "FallbackEngine", "FallbackSession", "Seat", "Stalled"]

T = TypeVar("T")
L = TypeVar("L")

STALL_S = 2.0
"""An engine that brings nothing for so long has failed. A guess: about the wait at which people ask whether anybody is
there, and far above a step (embedded 1 ms, a GPU 10-50 ms)."""
CLOSE_LIMIT_S = 1.0
"""How long the session of an engine that failed may take to close."""


class Stalled(TimeoutError):
    """An engine brought nothing for too long."""


@dataclass(frozen=True, slots=True)
class Seat(Generic[L]):
    """One engine: what to call it in a log, how it is entered, its language, and how long it may be silent."""

    title: str
    engine: Any
    """An `Engine` that is an async context manager, or gives one when entered."""
    language: L
    stall_s: float = STALL_S


class FallbackEngine(Generic[L]):
    """The engines of `seats`, the wanted one first, as an async context manager that enters them all.

    One that cannot be entered is passed over by every call, which says so. Raises the first one's fault where none can.
    """

    def __init__(self, seats: Sequence[Seat[L]]) -> None:
        if not seats:
            raise ValueError("no engine was given; give the wanted one and those that stand in")
        self.seats = tuple(seats)
        self.engines: list[Engine | Exception] = []
        """Of each seat the engine that was entered, or why it was not."""
        self._stack = AsyncExitStack()

    @property
    def caps(self) -> Caps:
        """Of the wanted engine, or of the first that could be entered."""
        return self._first().caps

    async def __aenter__(self) -> FallbackEngine[L]:
        for seat in self.seats:
            try:
                self.engines.append(await self._stack.enter_async_context(seat.engine))
            except Exception as fault:
                self.engines.append(fault)
        faults = [one for one in self.engines if isinstance(one, Exception)]
        if len(faults) == len(self.seats):
            raise faults[0]
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self._stack.aclose()

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> FallbackSession[L]:
        """A session; the wanted engine is asked for it at the first work. An adapter is that engine's alone."""
        return FallbackSession(self, session, adapter, priority)

    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Have the wanted engine prepare a prefix: the tokens are of its language."""
        return await self._wanted().warm(tokens, adapter=adapter)

    async def load_adapter(self, ref: AdapterRef) -> None:
        """Into the wanted engine: the others run other models."""
        await self._wanted().load_adapter(ref)

    async def unload_adapter(self, ref: AdapterRef) -> None:
        """From the wanted engine."""
        await self._wanted().unload_adapter(ref)

    async def close(self) -> None:
        """Close all engines."""
        for engine in self.engines:
            if not isinstance(engine, Exception):
                await engine.close()

    def _wanted(self) -> Engine:
        """The first engine; raises why it could not be entered."""
        wanted = self.engines[0] if self.engines else self._first()
        if isinstance(wanted, Exception):
            raise wanted
        return wanted

    def _first(self) -> Engine:
        for engine in self.engines:
            if not isinstance(engine, Exception):
                return engine
        raise RuntimeError("no engine is open; enter them with `async with` first")


class FallbackSession(Generic[L]):
    """One call's session at the engine that serves it now."""

    def __init__(self, engine: FallbackEngine[L], name: str, adapter: AdapterRef | None, priority: int) -> None:
        self._engine, self._name, self._adapter, self._priority = engine, name, adapter, priority
        self._at = 0
        self._session: EngineSession | None = None
        self._fault: Exception | None = None

    @property
    def seat(self) -> Seat[L]:
        """The engine that serves the call now."""
        return self._engine.seats[self._at]

    async def stand_in(self, error: Exception) -> tuple[str, L, bool] | None:
        """Where `error` is a fault of this engine, go on with the next: (what to log, its language, does it score).

        None where the fault is another's or no engine is left; the caller must then treat it as a failed work. Else
        it must encode the stream anew and order it again.
        """
        if error is not self._fault or self._at + 1 >= len(self._engine.seats):
            return None
        failed = self.seat.title
        await self._leave()
        self._at += 1
        engine = self._engine.engines[self._at]
        scores = not isinstance(engine, Exception) and engine.caps.logprobs
        said = f"{failed} failed ({type(error).__name__}: {error}); {self.seat.title} stands in"
        return said, self.seat.language, scores

    async def _leave(self) -> None:
        session, self._session, self._fault = self._session, None, None
        if session is None:
            return
        try:
            async with asyncio.timeout(CLOSE_LIMIT_S):
                await session.close()
        except Exception as error:
            self._fault = error  # it failed before, and nobody comes back to it

    async def _opened(self) -> EngineSession:
        if self._session is None:
            engine = self._engine.engines[self._at]
            if isinstance(engine, Exception):
                raise engine
            adapter = self._adapter if self._at == 0 else None
            self._session = await engine.open(self._name, adapter=adapter, priority=self._priority)
        return self._session

    async def _watched(self, work: Awaitable[T]) -> T:
        """The outcome of work, within the engine's time; a fault is noted."""
        try:
            async with asyncio.timeout(self.seat.stall_s) as limit:
                return await work
        except TimeoutError as error:
            self._fault = error
            if limit.expired():
                self._fault = Stalled(f"nothing came for {self.seat.stall_s:g} s")
            raise self._fault from error
        except Exception as error:
            self._fault = error
            raise

    # --- as a session --------------------------------------------------------------------------------------------

    async def sync(
        self,
        tokens: Sequence[int],
        *,
        stable: int | None = None,
        deadline_s: float | None = None,
        ahead: bool = True,
    ) -> Extent:
        """See the port. Raises `Stalled`, or what the engine raises."""
        session = await self._watched(self._opened())
        return await self._watched(session.sync(tokens, stable=stable, deadline_s=deadline_s, ahead=ahead))

    async def stream(
        self,
        suffix: Sequence[int] = (),
        *,
        max_tokens: int,
        stop_ids: Iterable[int] = (),
        grammar: Grammar | None = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:
        """See the port. Raises `Stalled`, or what the engine raises."""
        session = await self._watched(self._opened())
        slices = session.stream(suffix, max_tokens=max_tokens, stop_ids=stop_ids, grammar=grammar, keep=keep)
        async with aclosing(slices) as source:  # type: ignore[type-var]
            while (piece := await self._watched(anext(source, None))) is not None:
                yield piece

    async def fork(self) -> FallbackSession[L]:
        """A session with the same prefix, which falls back on its own."""
        session = await self._watched(self._opened())
        twin = FallbackSession(self._engine, self._name, self._adapter, self._priority)
        twin._at, twin._session = self._at, await self._watched(session.fork())
        return twin

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """See the port. Raises `Stalled`, or what the engine raises."""
        session = await self._watched(self._opened())
        return await self._watched(session.score(continuations))

    def mark(self) -> int:
        """The current length in tokens; 0 before the first work at an engine."""
        return self._session.mark() if self._session is not None else 0

    async def rewind(self, mark: int) -> None:
        """See the port."""
        session = await self._watched(self._opened())
        await session.rewind(mark)

    async def close(self) -> None:
        """Close the session where the call ended."""
        if self._session is not None:
            await self._session.close()
