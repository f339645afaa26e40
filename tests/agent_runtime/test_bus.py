"""The bus: one order, bounded waiting, and what happens when the mind is stuck."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest

from agent_runtime.bus import Bus, InboxFull
from agent_runtime.clock import Deadlock, run_virtual
from agent_runtime.commands import CancelTimer
from agent_runtime.events import FinalTranscript, LoopLagged, TimerFired
from agent_runtime.log import MemoryLog
from agent_runtime.record import Entry

T = TypeVar("T")


def with_bus(scene: Callable[[Bus, MemoryLog], Coroutine[Any, Any, T]], **made: Any) -> T:
    """Play a scene on a bus in virtual time."""

    async def main() -> T:
        log = MemoryLog()
        return await scene(Bus(log, **made), log)

    return run_virtual(main())


def lag(number: int) -> LoopLagged:
    """An event that carries a number."""
    return LoopLagged(float(number))


def numbers(entries: list[Entry]) -> list[float]:
    """The numbers of such events."""
    return [entry.what.late_ms for entry in entries if isinstance(entry.what, LoopLagged)]


def test_entries_are_numbered_timed_and_taken_in_one_order() -> None:
    async def scene(bus: Bus, log: MemoryLog) -> None:
        await asyncio.sleep(1.25)
        assert await bus.publish(lag(1)) == 1
        await asyncio.sleep(0.5)
        assert bus.post(lag(2), cause=1) == 2
        first, second = await bus.next(), await bus.next()
        assert (first.seq, first.at_us, first.cause) == (1, 1_250_000, 0)
        assert (second.seq, second.at_us, second.cause) == (2, 1_750_000, 1)
        assert bus.order(CancelTimer("idle"), 2) == Entry(3, 1_750_000, 2, CancelTimer("idle"))
        assert [entry.seq for entry in log.entries] == [1, 2, 3]
        assert bus.seq == 3

    with_bus(scene)


def test_commands_are_logged_and_not_given_back_to_the_mind() -> None:
    async def scene(bus: Bus, log: MemoryLog) -> None:
        bus.order(CancelTimer("idle"), 0)
        async with asyncio.timeout(1):
            await bus.next()

    with pytest.raises(TimeoutError):
        with_bus(scene)


def test_waiting_for_an_event_nobody_can_send_is_told_instead_of_hanging() -> None:
    async def scene(bus: Bus, log: MemoryLog) -> None:
        await bus.next()

    with pytest.raises(Deadlock):
        with_bus(scene)


def test_a_publisher_waits_for_room_and_nothing_overtakes() -> None:
    async def scene(bus: Bus, log: MemoryLog) -> None:
        async def publisher(first: int) -> None:
            for number in range(first, first + 3):
                await bus.publish(lag(number))

        async with asyncio.TaskGroup() as group:
            group.create_task(publisher(10))
            group.create_task(publisher(20))
            await asyncio.sleep(1)
            assert len(log.entries) == 2, "what waits for room is not stamped yet"
            taken = [await bus.next() for _ in range(6)]
        assert [entry.seq for entry in taken] == [1, 2, 3, 4, 5, 6]
        assert taken == log.entries
        assert sorted(numbers(taken)) == [10, 11, 12, 20, 21, 22]
        for first in (10, 20):
            own = [number for number in numbers(taken) if first <= number < first + 3]
            assert own == sorted(own), "each publisher's events stay in its order"

    with_bus(scene, size=2)


def test_an_inbox_that_stays_full_for_two_seconds_is_an_error() -> None:
    async def scene(bus: Bus, log: MemoryLog) -> None:
        loop = asyncio.get_running_loop()
        for number in range(3):
            await bus.publish(lag(number))
        begin_s = loop.time()
        with pytest.raises(InboxFull) as raised:
            await bus.publish(lag(3))
        assert loop.time() - begin_s == 2.0
        assert str(raised.value) == "the mind took no event for 2 s with 3 waiting; it is stuck in one event"
        assert len(log.entries) == 3, "the event that found no room is not logged"

    with_bus(scene, size=3)


def test_room_that_comes_in_time_is_taken() -> None:
    async def scene(bus: Bus, log: MemoryLog) -> None:
        await bus.publish(lag(0))
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(bus.publish(lag(1)))
            await asyncio.sleep(1.999)
            await bus.next()
        assert waiting.result() == 2
        assert log.entries[-1].at_us == 1_999_000, "stamped when it was queued, not when it was offered"

    with_bus(scene, size=1)


def test_posting_never_waits_and_takes_no_room() -> None:
    async def scene(bus: Bus, log: MemoryLog) -> None:
        await bus.publish(lag(0))
        for _ in range(50):
            bus.post(TimerFired("idle"))
        for _ in range(51):
            await bus.next()
        async with asyncio.timeout(0.1):
            await bus.publish(lag(1))
        assert log.entries[-1].seq == 52

    with_bus(scene, size=1)


def test_watchers_see_every_entry_right_after_the_log() -> None:
    seen: list[tuple[int, int]] = []
    kept: list[Entry] = []
    log = MemoryLog()

    async def main() -> None:
        bus = Bus(log, (kept.append, lambda entry: seen.append((entry.seq, len(log.entries)))))
        await bus.publish(lag(0))
        bus.order(CancelTimer("idle"), 1)

    run_virtual(main())
    assert seen == [(1, 1), (2, 2)]
    assert kept == log.entries


def test_secrets_are_masked_before_the_log_the_watchers_and_the_mind() -> None:
    kept: list[Entry] = []

    async def scene(bus: Bus, log: MemoryLog) -> None:
        said = "my card is four one one one one one one one"
        words = tuple((word, 100 * n, 100 * n + 90) for n, word in enumerate(said.split()))
        await bus.publish(FinalTranscript(1, 1, 2000, said, words))
        for what in (log.entries[0].what, kept[0].what, (await bus.next()).what):
            assert isinstance(what, FinalTranscript)
            assert "one" not in what.text
            assert not [word for word, _, _ in what.words if word == "one"]

    with_bus(scene, watchers=(kept.append,))
