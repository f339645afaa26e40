"""The organ that acts: runs the tools the mind orders, one task a call, with a time-out and a cancel.

It decides nothing: whether a tool may run was settled before the order came. A tool that raises, hangs or returns
something that is no JSON becomes a `ToolFailed`; the call goes on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from policies.spoken import say_value

from .bus import Bus
from .commands import CallTool, CancelTool
from .events import ToolFailed, ToolReturned
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

    def close(self) -> None:
        """Cancel what is running."""
        for task in self._running.values():
            task.cancel()

    async def _run(self, order: CallTool, cause: int) -> None:
        tool = self._tools[order.tool]
        try:
            async with asyncio.timeout(tool.timeout_s):
                result = await tool.run(order.arguments, self._context)
            json.dumps(result)
        except asyncio.CancelledError:
            if not self._bus.closed:
                self._bus.post(ToolFailed(order.call, order.tool, "cancelled", "given up by the agent"), cause)
            raise
        except TimeoutError:
            detail = (
                f"{order.tool} gave no result within its {tool.timeout_s:g} s (raise timeout_s, or make it quicker)"
            )
            await self._bus.publish(ToolFailed(order.call, order.tool, "timed_out", detail), cause)
        except Exception as error:
            detail = f"{type(error).__name__}: {error}"
            await self._bus.publish(ToolFailed(order.call, order.tool, "raised", detail), cause)
        else:
            await self._bus.publish(ToolReturned(order.call, order.tool, say_value(result), result), cause)
        finally:
            del self._running[order.call]
