"""What was heard reaches the bus at the time at which it was known, whether it was found early or just now."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runtime.bus import Bus
from agent_runtime.clock import run_virtual
from agent_runtime.events import LoopLagged, SpeechStarted, SpeechStopped
from agent_runtime.log import MemoryLog
from agent_runtime.record import Entry
from agent_runtime.timeline import LIMIT, Timeline


def published(scene: Callable[[Timeline], Awaitable[None]], *, origin_s: float = 0.0) -> list[Entry]:
    """The entries that a scene led to; the mind takes each at once."""
    log = MemoryLog()

    async def main() -> None:
        bus = Bus(log)
        timeline = Timeline(bus, origin_s)

        async def mind() -> None:
            while True:
                await bus.next()

        async with asyncio.TaskGroup() as group:
            taking = group.create_task(mind())
            running = group.create_task(timeline.run())
            await scene(timeline)
            timeline.end()
            await running
            taking.cancel()

    run_virtual(main())
    return log.entries


def number(value: float) -> LoopLagged:
    """An event that carries a number."""
    return LoopLagged(value)


def test_events_wait_for_their_time() -> None:
    async def scene(timeline: Timeline) -> None:
        await timeline.put(number(1), sample=32_000)
        await timeline.put(number(2), sample=16_000, lag_s=0.004)

    assert [(e.at_us, e.what) for e in published(scene)] == [(1_004_000, number(2)), (2_000_000, number(1))]


def test_the_line_may_begin_after_the_call() -> None:
    async def scene(timeline: Timeline) -> None:
        await timeline.put(number(1), sample=16_000)

    assert published(scene, origin_s=0.5)[0].at_us == 1_500_000


def test_equal_times_keep_their_order_and_the_past_is_published_at_once() -> None:
    async def scene(timeline: Timeline) -> None:
        await asyncio.sleep(3)
        for value in range(5):
            await timeline.put(number(value), sample=16_000)

    entries = published(scene)
    assert [(e.at_us, e.what) for e in entries] == [(3_000_000, number(value)) for value in range(5)]


def test_news_that_is_due_sooner_overtakes_what_waits() -> None:
    async def scene(timeline: Timeline) -> None:
        await timeline.put(number(1), sample=160_000)
        await asyncio.sleep(1)
        await timeline.put(number(2), sample=32_000)

    assert [e.at_us for e in published(scene)] == [2_000_000, 10_000_000]


def test_causes_are_the_start_of_the_segment() -> None:
    async def scene(timeline: Timeline) -> None:
        for segment in (1, 2):
            await timeline.put(SpeechStarted(0, 0, 1.0, 0.0, segment), sample=segment * 100, segment=segment)
        await timeline.put(SpeechStopped(500, 500), sample=500, segment=1)
        await timeline.put(SpeechStopped(600, 600), sample=600, segment=2)
        await timeline.put(SpeechStopped(700, 700), sample=700, segment=9)

    assert [e.cause for e in published(scene)] == [0, 0, 1, 2, 0]


def test_old_segments_are_forgotten() -> None:
    async def scene(timeline: Timeline) -> None:
        for segment in range(1, 40):
            await timeline.put(SpeechStarted(0, 0, 1.0, 0.0, segment), sample=segment, segment=segment)
        await asyncio.sleep(1)
        assert len(timeline._started) == 8

    published(scene)


def test_listening_waits_when_it_is_too_far_ahead() -> None:
    times: list[float] = []

    async def scene(timeline: Timeline) -> None:
        loop = asyncio.get_running_loop()
        for value in range(LIMIT + 2):
            await timeline.put(number(value), sample=16_000 * (value + 1))
            times.append(loop.time())

    assert len(published(scene)) == LIMIT + 2
    assert times[LIMIT - 1] == 0.0
    assert times[LIMIT:] == [1.0, 2.0]


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 500)), max_size=25))
def test_whatever_the_order_of_finding_the_order_of_time_is_kept(found: list[tuple[int, int]]) -> None:
    async def scene(timeline: Timeline) -> None:
        for value, (due_ms, pause_ms) in enumerate(found):
            await asyncio.sleep(pause_ms / 1000)
            await timeline.put(number(value), sample=due_ms * 16)

    entries = published(scene)
    assert sorted(e.what.late_ms for e in entries if isinstance(e.what, LoopLagged)) == list(range(len(found)))
    assert [e.at_us for e in entries] == sorted(e.at_us for e in entries)
    now_ms = 0
    for value, (due_ms, pause_ms) in enumerate(found):
        now_ms += pause_ms
        (entry,) = [e for e in entries if e.what == number(value)]
        assert entry.at_us == 1000 * max(due_ms, now_ms), "at its time, or at once where that has passed"
