"""The virtual loop: jumps, freezes for outside work, charges it, and never hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_runtime.clock import CostModel, Deadlock, MeasuredCost, run_outside, run_virtual, stopwatch
from audio.outcome import Outcome


def outcome(value: str, cpu_s: float = 0.0, units: float = 0.0) -> Callable[[], Outcome[str]]:
    return lambda: Outcome(value, cpu_s, units)


def test_an_hour_passes_at_once() -> None:
    took = stopwatch()

    async def main() -> float:
        await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 3600.0
    assert took() < 5.0


def test_a_wait_that_nothing_can_end_raises() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="nothing can happen any more at virtual time 0"):
        run_virtual(main())


def test_work_costs_what_the_model_says() -> None:
    async def main() -> float:
        with ThreadPoolExecutor(1) as pool:
            await run_outside("asr", pool, outcome("x", cpu_s=99.0, units=2.0))
        return asyncio.get_running_loop().time()

    assert run_virtual(main(), CostModel({"asr": (0.5, 0.25)})) == 1.0


def test_measured_work_is_queued_on_the_stated_cores() -> None:
    async def finish_times(cores: int) -> list[float]:
        loop = asyncio.get_running_loop()

        async def job() -> float:
            await run_outside("llm", pool, outcome("x", cpu_s=2.0))
            return loop.time()

        with ThreadPoolExecutor(3) as pool:
            return list(await asyncio.gather(job(), job(), job()))

    assert run_virtual(finish_times(1), MeasuredCost(1)) == [2.0, 4.0, 6.0]
    assert run_virtual(finish_times(2), MeasuredCost(2)) == [2.0, 2.0, 4.0]


def test_results_come_in_order_of_submission_whichever_thread_is_first() -> None:
    second_done = threading.Event()

    def slow() -> Outcome[str]:
        assert second_done.wait(10)
        return Outcome("first", 0.0, 0.0)

    def quick() -> Outcome[str]:
        second_done.set()
        return Outcome("second", 0.0, 0.0)

    async def main() -> list[str]:
        seen: list[str] = []

        async def job(call: Callable[[], Outcome[str]]) -> None:
            seen.append(await run_outside("x", pool, call))

        with ThreadPoolExecutor(2) as pool:
            await asyncio.gather(job(slow), job(quick))
        return seen

    assert run_virtual(main()) == ["first", "second"]


def test_the_clock_stands_still_while_work_is_in_flight() -> None:
    release = threading.Event()

    async def main() -> list[str]:
        seen: list[str] = []

        async def timer() -> None:
            await asyncio.sleep(0.4)
            seen.append("timer")

        async def job() -> None:
            seen.append(await run_outside("llm", pool, call))

        def call() -> Outcome[str]:
            assert release.wait(10)
            return Outcome("work", 0.0, 1.0)

        with ThreadPoolExecutor(1) as pool:
            async with asyncio.TaskGroup() as group:
                group.create_task(timer())
                group.create_task(job())
                threading.Timer(0.05, release.set).start()
        return seen

    assert run_virtual(main(), CostModel({"llm": (0.3, 0.0)})) == ["work", "timer"]
    release.clear()
    assert run_virtual(main(), CostModel({"llm": (0.5, 0.0)})) == ["timer", "work"]


def test_work_ahead_is_released_at_its_due_time() -> None:
    async def main() -> tuple[float, str]:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1) as pool:
            value = await run_outside("vad", pool, outcome("ahead", units=100.0), due_s=7.0)
        return loop.time(), value

    assert run_virtual(main()) == (7.0, "ahead")


def test_a_failing_job_raises_where_it_is_awaited() -> None:
    def broken() -> Outcome[str]:
        raise OSError("worker died")

    async def main(due_s: float | None) -> None:
        with ThreadPoolExecutor(1) as pool:
            await run_outside("asr", pool, broken, due_s=due_s)

    for due_s in (None, 3.0):
        with pytest.raises(OSError, match="worker died"):
            run_virtual(main(due_s))


def test_a_cancelled_wait_drops_the_result() -> None:
    async def main() -> str:
        with ThreadPoolExecutor(1) as pool:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(1.0):
                    await run_outside("llm", pool, outcome("late", units=1.0))
            await asyncio.sleep(5)
        return "went on"

    assert run_virtual(main(), CostModel({"llm": (2.0, 0.0)})) == "went on"


def test_guests_may_use_threads() -> None:
    async def main() -> int:
        return await asyncio.to_thread(lambda: 42)

    assert run_virtual(main()) == 42


def test_the_ordinary_loop_just_waits() -> None:
    async def main() -> str:
        with ThreadPoolExecutor(1) as pool:
            return await run_outside("asr", pool, outcome("live", units=1e9))

    assert asyncio.run(main()) == "live"


def test_zero_cores_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1 virtual core"):
        MeasuredCost(0)
