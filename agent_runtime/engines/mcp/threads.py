"""The servers of an agent, opened with its parts: their own loop in a thread, and calls that cross over to it.

A call may play on a virtual clock, and pipes and sockets do not live on one. So all connections live on one ordinary
loop in a thread of its own, and a tool call is outside work like a model's: live it is awaited, in a replay virtual
time stands still meanwhile and is then charged (cost model entry ``mcp``; measured, the seconds until the answer). A
time limit is kept there too, because a clock that stands still reaches none. This file refuses to know the protocol.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from agent_runtime.tool_schemas import choose_tools
from agent_runtime.tool_servers import ServedTool, ToolServer, ToolServerError
from agent_runtime.tools import Tool
from audio.outcome import Outcome, Runner

from .link import Link

__all__ = ["open_servers"]

T = TypeVar("T")

CALLS = 16
"""Calls that are waited for at a time, over all servers; further ones wait for a place within their time limit."""
CLOSE_S = 15.0
"""How long closing may take; the client needs up to 7 s to end a server that will not (2 s to go, 2 s from SIGTERM to
SIGKILL, 2 s to be seen dead)."""
GRACE_S = 0.5
"""A live call's own time limit comes first, and tells the call more; this one is for clocks that stand still."""


@asynccontextmanager
async def open_servers(servers: Sequence[ToolServer], folder: Path | None, run: Runner) -> AsyncIterator[list[Tool]]:
    """Start the servers side by side and give their tools, in the order of the servers. Raises `ToolServerError`.

    `folder`: where programs run. Every server is ended when the block is left.
    """
    environ = [_environ(server) for server in servers]
    pool = ThreadPoolExecutor(max_workers=CALLS + 1, thread_name_prefix="mcp")
    links = [Link(server, folder, known) for server, known in zip(servers, environ, strict=True)]
    house = _House(links, run, pool)
    living = pool.submit(house.live)
    try:
        await run("mcp", pool, house.ready)
        yield await _tools(servers, house)
    finally:
        house.close()
        with suppress(TimeoutError):  # a server that outlives even SIGKILL must not hold up the end
            await run("mcp", pool, lambda: Outcome(living.result(CLOSE_S), 0.0, 0.0))
        pool.shutdown(wait=False, cancel_futures=True)


async def _tools(servers: Sequence[ToolServer], house: _House) -> list[Tool]:
    """The tools of all servers, listed side by side; the first server that cannot be used says why."""
    try:
        async with asyncio.TaskGroup() as starting:
            listing = [starting.create_task(house.ask(link.list_tools)) for link in house.links]
    except ExceptionGroup as group:
        raise group.exceptions[0] from None
    tools: list[Tool] = []
    for server, link, listed in zip(servers, house.links, listing, strict=True):
        tools += choose_tools(server, listed.result(), house.caller(server, link))
    return tools


def _environ(server: ToolServer) -> dict[str, str]:
    """The variables that the settings name. Raises `ToolServerError` naming one that is not set, never a value."""
    found = {}
    for name in (*server.env, *filter(None, [server.token_env])):
        if not os.environ.get(name):
            raise ToolServerError(f"tool server {server.name}: the environment variable {name} is not set; set it")
        found[name] = os.environ[name]
    return found


class _House:
    """The loop that the links live on."""

    def __init__(self, links: Sequence[Link], run: Runner, pool: ThreadPoolExecutor) -> None:
        self.links, self._run, self._pool = links, run, pool
        self._loop: Future[asyncio.AbstractEventLoop] = Future()
        self._closing = asyncio.Event()

    def live(self) -> None:
        """The thread: runs until `close`. Calls still under way then end with their connection."""
        try:
            asyncio.run(self._keep())
        except BaseException as error:
            if not self._loop.done():
                self._loop.set_exception(error)
            raise

    async def _keep(self) -> None:
        async with asyncio.TaskGroup() as group:
            keepers = [group.create_task(link.keep()) for link in self.links]
            self._loop.set_result(asyncio.get_running_loop())
            await self._closing.wait()
            for keeper in keepers:
                keeper.cancel()

    def ready(self) -> Outcome[None]:
        """Return when the loop runs."""
        self._loop.result()
        return Outcome(None, 0.0, 0.0)

    def close(self) -> None:
        """Ask the thread to end, as soon as it runs; never waits."""
        self._loop.add_done_callback(self._end)

    def _end(self, loop: Future[asyncio.AbstractEventLoop]) -> None:
        if loop.exception() is None:
            with suppress(RuntimeError):  # it has ended by itself
                loop.result().call_soon_threadsafe(self._closing.set)

    def caller(self, server: ToolServer, link: Link) -> Callable[[str, dict[str, Any]], Coroutine[Any, Any, Any]]:
        """The way to call the tools of `server`."""

        async def call(tool: str, arguments: dict[str, Any]) -> Any:
            limit_s = server.tools.get(tool, ServedTool()).timeout_s

            async def in_time() -> Any:
                try:
                    async with asyncio.timeout(limit_s + GRACE_S):
                        return await link.call(tool, arguments)
                except TimeoutError:
                    where = f"tool server {server.name}, tool {tool}"
                    raise ToolServerError(f"{where}: gave no result within its {limit_s:g} s") from None

            return await self.ask(in_time)

        return call

    async def ask(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What `work` gives on the servers' loop. Cancelling this cancels it there."""

        async def timed() -> Outcome[T]:
            loop = asyncio.get_running_loop()
            begin_s = loop.time()
            value = await work()
            return Outcome(value, loop.time() - begin_s, 1.0)

        # Its owner is the runner of that loop, which ends what is left when the thread ends.
        pending = asyncio.run_coroutine_threadsafe(timed(), self._loop.result(0))

        def answer() -> Outcome[T]:
            try:
                return pending.result()
            except concurrent.futures.CancelledError:
                raise ToolServerError("the servers are closed; open the parts again") from None

        try:
            return await self._run("mcp", self._pool, answer)
        except asyncio.CancelledError:
            pending.cancel()
            raise
