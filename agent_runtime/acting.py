"""The organ that acts: runs the tools the mind orders, one task a call, with a time-out and a cancel.

It decides nothing: whether a tool may run was settled before the order came. A tool that raises, hangs or returns
something that is no JSON becomes a `ToolFailed`; the call goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from policies.brief import Brief
from policies.spoken import say_value

from .bus import Bus
from .commands import CallTool, CancelTool
from .events import Event, ToolFailed, ToolReturned
from .record import Entry
from .tools import Tool, ToolContext

__all__ = ["Acting"]


class Acting:
    """Tool calls in progress of one call; its tasks live in the session's group."""

    def __init__(self, bus: Bus, group: asyncio.TaskGroup, tools: Mapping[str, Tool], context: ToolContext) -> None:
        self._bus, self._group, self._tools, self._context = bus, group, tools, context
        self._running: dict[int, asyncio.Task[None]] = {}

    def obey(self, order: Entry) -> None:
        """Start or cancel a tool call; never waits."""
        what = order.what
        if isinstance(what, CallTool):
            self._running[what.call] = self._group.create_task(self._run(what, order.seq), name=f"tool {what.tool}")
        elif isinstance(what, CancelTool) and (task := self._running.get(what.call)):
            task.cancel()

    def close(self) -> list[asyncio.Task[None]]:
        """Cancel what is running; returns the tasks that are ending now."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        return running

    async def _run(self, order: CallTool, cause: int) -> None:
        tool = self._tools[order.tool]
        # A task of its own: a tool that swallows its cancel holds up neither its time limit nor the end of the call.
        work = self._group.create_task(self._attempt(order, tool), name=f"work of {order.tool}")
        try:
            await asyncio.wait([work], timeout=tool.timeout_s)
            if work.cancelled():
                detail = "CancelledError: the tool cancelled itself"
                answer: Event = ToolFailed(order.call, order.tool, "raised", detail)
            elif work.done():
                answer = work.result()
            else:
                work.cancel()
                limit = f"{tool.timeout_s:g} s"
                detail = f"{tool.name} gave no result within its {limit} (raise timeout_s, or make it quicker)"
                answer = ToolFailed(order.call, order.tool, "timed_out", detail)
            await self._bus.publish(answer, cause)
        except asyncio.CancelledError:
            work.cancel()
            if not self._bus.closed:
                self._bus.post(ToolFailed(order.call, order.tool, "cancelled", "given up by the agent"), cause)
            raise
        finally:
            del self._running[order.call]

    async def _attempt(self, order: CallTool, tool: Tool) -> Event:
        """What became of the call; raises nothing but its cancellation."""
        try:
            brief = Brief.read(order.brief) if order.brief else None
            result = await tool.run(order.arguments, self._context, brief)
            return ToolReturned(order.call, order.tool, say_value(result), result)
        except Exception as error:
            return ToolFailed(order.call, order.tool, "raised", f"{type(error).__name__}: {error}")
