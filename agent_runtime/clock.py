"""The one clock: the event loop's, ordinary for live calls, virtual for replays and tests.

Theory of operation of the virtual loop. Coroutines, timers and sleeps are asyncio's own; only two things differ.

* `time()` is a number. When nothing is ready to run, it jumps to the next timer.
* Work outside the loop (`run_outside`: threads and worker processes) freezes the number. When nothing is ready,
  the oldest job in flight is waited for in real time, charged its cost, and its result is released by a timer at
  the virtual time at which it would have been ready. Jobs are charged and released in the order of their
  submission, so the run does not depend on which thread happened to finish first.

Work that runs ahead (`due_s`) does not freeze the clock before `due_s`; its result is always released at `due_s`.

A wait that nothing can end (no timer, no work, nothing ready) raises `Deadlock` instead of hanging. This is the one
file that may read the machine's clock.
"""

from __future__ import annotations

import asyncio
import datetime
import heapq
import selectors
import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar, TypeVarTuple

from audio.outcome import Outcome

__all__ = [
    "Charge",
    "CostModel",
    "Deadlock",
    "MeasuredCost",
    "VirtualLoop",
    "run_live",
    "run_outside",
    "run_virtual",
    "stopwatch",
    "today",
]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Charge = Callable[[str, Outcome[Any], float], float]
"""(kind, outcome, loop time of submission) -> loop time at which the result is ready."""


class Deadlock(RuntimeError):
    """A virtual wait that nothing can end."""


@dataclass(frozen=True)
class CostModel:
    """Every job costs what this table says, in seconds: kind -> (fixed, per unit). Deterministic.

    Units: audio seconds for ``vad``, ``asr``, ``whisper``, ``tts``; tokens for ``llm``. The default figures are rounded
    measurements of the embedded parts, and of the tiny whisper model, on one core (BENCHMARKS.md).
    """

    table: Mapping[str, tuple[float, float]]

    @classmethod
    def embedded(cls) -> CostModel:
        """The costs of the embedded default."""
        return cls(
            {
                "vad": (0.0002, 0.004),
                "asr": (0.001, 0.05),
                "whisper": (1.2, 0.0),
                "tts": (0.002, 0.002),
                "llm": (0.0005, 0.0008),
            }
        )

    def __call__(self, kind: str, outcome: Outcome[Any], submitted_s: float) -> float:
        fixed, per_unit = self.table.get(kind, (0.0, 0.0))
        return submitted_s + fixed + per_unit * outcome.units


class MeasuredCost:
    """Every job costs the CPU seconds it took in its worker, scheduled on a stated number of virtual cores."""

    def __init__(self, cores: int = 2) -> None:
        if cores < 1:
            raise ValueError(f"cores is {cores}; a replay needs at least 1 virtual core")
        self._free_at = [0.0] * cores

    def __call__(self, kind: str, outcome: Outcome[Any], submitted_s: float) -> float:
        start = max(submitted_s, heapq.heappop(self._free_at))
        end = start + outcome.cpu_s
        heapq.heappush(self._free_at, end)
        return end


class _Job:
    """One piece of outside work of a virtual loop."""

    __slots__ = ("kind", "promise", "real", "submitted_s")

    def __init__(self, kind: str, real: Future[Outcome[Any]], promise: asyncio.Future[Any], submitted_s: float) -> None:
        self.kind, self.real, self.promise, self.submitted_s = kind, real, promise, submitted_s


class _JumpingSelector(selectors.SelectSelector):
    """Never sleeps: where a loop would wait, it lets the virtual loop settle work or jump."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            self.loop.advance(endless=timeout is None)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time is a number. See the module docstring."""

    def __init__(self, charge: Charge | None = None) -> None:
        selector = _JumpingSelector()
        self._now = 0.0
        self._charge: Charge = charge or CostModel.embedded()
        self._in_flight: deque[_Job] = deque()
        self._ahead = 0
        super().__init__(selector)
        selector.loop = self
        self._clock_resolution = 1e-9

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def advance(self, *, endless: bool) -> None:
        """Called where an ordinary loop would wait: settle the oldest outside job, or jump to the next timer."""
        if self._in_flight:
            self._settle(self._in_flight.popleft())
        elif endless:
            raise Deadlock(
                f"nothing can happen any more at virtual time {self._now:.6f} s: no timer is set and no work is in "
                "flight; the awaited event has no source"
            )
        else:
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]

    def submit(
        self, kind: str, pool: Executor, call: Callable[[], Outcome[T]], due_s: float | None = None
    ) -> asyncio.Future[T]:
        """Run `call` in `pool`; the future is fulfilled at the virtual time that its cost gives."""
        promise: asyncio.Future[T] = self.create_future()
        job = _Job(kind, pool.submit(call), promise, self._now)
        if due_s is None or due_s <= self._now:
            self._in_flight.append(job)
        else:
            self.call_at(due_s, self._release, job)
        return promise

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Outside work of guests (`asyncio.to_thread`): freezes the clock, costs nothing in virtual time."""
        if executor is None:
            executor = self._fallback_pool()
        return self.submit("guest", executor, lambda: Outcome(func(*args), 0.0, 0.0))

    def _fallback_pool(self) -> Executor:
        from concurrent.futures import ThreadPoolExecutor

        pool: Executor | None = getattr(self, "_default_executor", None)
        if pool is None:
            pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="guest")
            self.set_default_executor(pool)
        return pool

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        """End the guests' threads; asyncio's own way would wait for a thread that this loop cannot hear."""
        pool: Executor | None = getattr(self, "_default_executor", None)
        if pool is not None:
            pool.shutdown(wait=True)

    def _settle(self, job: _Job) -> None:
        """Wait in real time for the job, then release its result at the virtual time its cost gives."""
        try:
            outcome = job.real.result()
        except BaseException as error:
            self.call_soon(self._fail, job, error)
            return
        ready_s = self._charge(job.kind, outcome, job.submitted_s)
        if ready_s <= self._now:
            self.call_soon(self._fulfil, job, outcome)
        else:
            self.call_at(ready_s, self._fulfil, job, outcome)

    def _release(self, job: _Job) -> None:
        """Work that ran ahead is due: take its result now, waiting in real time if it must."""
        try:
            outcome = job.real.result()
        except BaseException as error:
            self._fail(job, error)
            return
        self._fulfil(job, outcome)

    @staticmethod
    def _fulfil(job: _Job, outcome: Outcome[Any]) -> None:
        if not job.promise.done():
            job.promise.set_result(outcome.value)

    @staticmethod
    def _fail(job: _Job, error: BaseException) -> None:
        if not job.promise.done():
            job.promise.set_exception(error)


async def run_outside(kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None) -> T:
    """The `Runner` of the running loop: virtual loops charge the job, ordinary ones just wait for it."""
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualLoop):
        return await loop.submit(kind, pool, call, due_s)
    outcome = await loop.run_in_executor(pool, call)
    return outcome.value


def run_virtual(main: Coroutine[Any, Any, T], charge: Charge | None = None) -> T:
    """Run `main` to its end in virtual time. Raises `Deadlock` where an ordinary run would hang."""
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(charge)) as runner:
        return runner.run(main)


def run_live(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end on the ordinary loop."""
    return asyncio.run(main)


def today() -> datetime.date:
    """The machine's date: for the line under a measurement, never for a call (its date is an argument)."""
    return datetime.date.today()


def stopwatch() -> Callable[[], float]:
    """A function giving the real seconds since this call: for benchmarks and progress bars, never for decisions."""
    begin = time.perf_counter()
    return lambda: time.perf_counter() - begin
