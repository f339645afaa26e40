"""The mind's timers: exact, one of each name, gone when the call is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from agent_runtime.bus import Bus
from agent_runtime.clock import run_virtual
from agent_runtime.commands import CancelTimer, Command, HangUp, SetTimer
from agent_runtime.events import TimerFired
from agent_runtime.log import MemoryLog
from agent_runtime.timers import Timers


def fired(scene: Callable[[Callable[[Command], int], Timers], Awaitable[None]]) -> list[tuple[str, int, int]]:
    """(timer, microseconds, cause) of each timer that fired during a scene and the ten seconds after it."""
    log = MemoryLog()

    async def main() -> None:
        await asyncio.sleep(5)
        bus = Bus(log)
        timers = Timers(bus)

        def order(command: Command) -> int:
            entry = bus.order(command, 0)
            timers.obey(entry)
            return entry.seq

        await scene(order, timers)
        await asyncio.sleep(10)

    run_virtual(main())
    return [(e.what.timer, e.at_us, e.cause) for e in log.entries if isinstance(e.what, TimerFired)]


def test_a_timer_fires_once_at_its_time_and_names_its_order() -> None:
    async def scene(order: Callable[[Command], int], timers: Timers) -> None:
        await asyncio.sleep(0.25)
        assert order(SetTimer("endpoint", 147)) == 1

    assert fired(scene) == [("endpoint", 397_000, 1)]


def test_setting_it_again_moves_it() -> None:
    async def scene(order: Callable[[Command], int], timers: Timers) -> None:
        order(SetTimer("endpoint", 100))
        await asyncio.sleep(0.05)
        order(SetTimer("endpoint", 300))
        order(SetTimer("idle", 200))

    assert fired(scene) == [("idle", 250_000, 3), ("endpoint", 350_000, 2)]


def test_a_cancelled_timer_never_fires_and_unknown_ones_are_no_error() -> None:
    async def scene(order: Callable[[Command], int], timers: Timers) -> None:
        order(SetTimer("idle", 100))
        order(CancelTimer("idle"))
        order(CancelTimer("idle"))
        order(CancelTimer("never set"))
        order(HangUp("agent_hung_up"))

    assert fired(scene) == []


def test_a_timer_that_fired_can_be_set_again() -> None:
    async def scene(order: Callable[[Command], int], timers: Timers) -> None:
        order(SetTimer("filler", 100))
        await asyncio.sleep(1)
        order(SetTimer("filler", 100))

    assert [at_us for _, at_us, _ in fired(scene)] == [100_000, 1_100_000]


def test_closed_timers_are_silent() -> None:
    async def scene(order: Callable[[Command], int], timers: Timers) -> None:
        order(SetTimer("idle", 100))
        order(SetTimer("limit", 200))
        timers.close()

    assert fired(scene) == []
