"""The organ that acts: whatever a tool does, its call is answered once, in time, and the others go on."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from agent_runtime import events as ev
from agent_runtime.acting import Acting
from agent_runtime.bus import Bus
from agent_runtime.clock import run_virtual
from agent_runtime.commands import CallTool, CancelTool, Command
from agent_runtime.log import MemoryLog
from agent_runtime.tools import Tool, ToolContext, tool

Order = Callable[[Command], int]


@tool(effect="read")
async def find_slots(day: Literal["monday", "tuesday"], context: ToolContext) -> list[str]:
    """Slots of a day."""
    assert context.call_id == "c7"
    await asyncio.sleep(1.5)
    return ["10:30"] if day == "monday" else []


@tool(timeout_s=2.0)
async def hang() -> None:
    """Never returns."""
    await asyncio.Event().wait()


@tool
async def fail() -> None:
    """Raises."""
    raise LookupError("no calendar")


@tool(timeout_s=5.0)
async def raise_timeout() -> None:
    """Has a time-out of its own inside."""
    raise TimeoutError("the calendar did not answer")


@tool
async def odd() -> object:
    """Returns no JSON."""
    return object()


@tool
async def give_up() -> None:
    """Cancels itself."""
    raise asyncio.CancelledError


@tool(timeout_s=2.0)
async def stubborn() -> str:
    """Will not be cancelled."""
    for _ in range(5):
        try:
            await asyncio.sleep(100)
        except asyncio.CancelledError:
            continue
    return "at last"


TOOLS = (find_slots, hang, fail, raise_timeout, odd, give_up, stubborn)


def acted(scene: Callable[[Order, Acting, Bus], Awaitable[None]], tools: tuple[Tool, ...] = TOOLS) -> MemoryLog:
    """Play a scene; returns the log."""
    log = MemoryLog()

    async def main() -> None:
        bus = Bus(log)
        context = ToolContext(today=datetime.date(2026, 11, 23), call_id="c7", folder=Path())
        async with asyncio.TaskGroup() as group:
            acting = Acting(bus, group, {one.name: one for one in tools}, context)

            def order(command: Command) -> int:
                entry = bus.order(command, 0)
                acting.obey(entry)
                return entry.seq

            await scene(order, acting, bus)

    run_virtual(main())
    return log


def answers(log: MemoryLog) -> list[tuple[int, int, Any]]:
    """(milliseconds, cause, event) of each event."""
    return [(e.at_us // 1000, e.cause, e.what) for e in log.entries if isinstance(e.what, ev.Event)]


def test_a_tool_gets_its_arguments_and_the_calls_context_and_its_result_is_said_in_words() -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, "find_slots", {"day": "monday"}))

    assert answers(acted(scene)) == [(1500, 1, ev.ToolReturned(1, "find_slots", "ten thirty", ["10:30"]))]


def test_calls_run_side_by_side() -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, "find_slots", {"day": "monday"}))
        await asyncio.sleep(1)
        order(CallTool(2, "find_slots", {"day": "tuesday"}))

    assert [(ms, what.call) for ms, _, what in answers(acted(scene))] == [(1500, 1), (2500, 2)]


@pytest.mark.parametrize(
    ("name", "at_ms", "reason", "detail"),
    [
        ("hang", 2000, "timed_out", "hang gave no result within its 2 s (raise timeout_s, or make it quicker)"),
        ("fail", 0, "raised", "LookupError: no calendar"),
        ("raise_timeout", 0, "raised", "TimeoutError: the calendar did not answer"),
        ("give_up", 0, "raised", "CancelledError: the tool cancelled itself"),
        ("stubborn", 2000, "timed_out", "stubborn gave no result within its 2 s (raise timeout_s, or make it quicker)"),
    ],
)
def test_a_tool_that_gives_no_result_is_told_in_time(name: str, at_ms: int, reason: Any, detail: str) -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, name, {}))

    assert answers(acted(scene)) == [(at_ms, 1, ev.ToolFailed(1, name, reason, detail))]


def test_a_result_that_is_no_json_is_a_failure() -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, "odd", {}))

    ((_, _, failed),) = answers(acted(scene))
    assert failed.reason == "raised"
    assert failed.detail.startswith("ToolResultError: tool odd returned <object object")


def test_arguments_that_do_not_fit_never_reach_the_tool() -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, "find_slots", {"day": "doomsday"}))

    ((at_ms, _, failed),) = answers(acted(scene))
    assert (at_ms, failed.reason) == (0, "raised")
    assert failed.detail.startswith("ToolArgumentError: day of tool find_slots is 'doomsday'")


def test_a_call_can_be_given_up() -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, "find_slots", {"day": "monday"}))
        await asyncio.sleep(0.4)
        order(CancelTool(1))
        await asyncio.sleep(5)
        order(CancelTool(1))
        order(CancelTool(9))

    assert answers(acted(scene)) == [(400, 1, ev.ToolFailed(1, "find_slots", "cancelled", "given up by the agent"))]


def test_a_cancel_that_comes_with_the_result_gives_one_answer() -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, "find_slots", {"day": "monday"}))
        await asyncio.sleep(1.5)
        order(CancelTool(1))

    assert len(answers(acted(scene))) == 1


def test_at_the_end_of_the_call_tools_are_cancelled_and_tell_nothing() -> None:
    async def scene(order: Order, acting: Acting, bus: Bus) -> None:
        order(CallTool(1, "hang", {}))
        order(CallTool(2, "find_slots", {"day": "monday"}))
        await asyncio.sleep(0.5)
        bus.closed = True
        ending = acting.close()
        assert len(ending) == 2
        await asyncio.wait(ending)

    log = acted(scene)
    assert answers(log) == []
