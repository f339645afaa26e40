"""The connection to one MCP server: started when it is wanted, kept, and started anew after the server has died.

Theory of operation. One task (`keep`) opens and closes the connection, because the client's cancel scopes must be left
in the task that entered them. Calls wait for `_up`, the future of the present connection. A connection that ends is
forgotten at once; the next call wants a new one. A server that fails `MOST_FAILURES` times in a row is left alone for
`REST_S`: calls fail at once meanwhile, and a broken server is not started in a loop.

Runs on the servers' own loop and reads the time of that loop only. It refuses to know agents and calls.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import httpx2
from mcp import MCPError, StdioServerParameters, types
from mcp.client import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client

from agent_runtime.tool_schemas import ListedTool
from agent_runtime.tool_servers import ToolServer, ToolServerError

from .results import MOST_ERROR, error_text, value_of

__all__ = ["MOST_FAILURES", "REST_S", "Link"]

MOST_FAILURES = 3
"""Deaths and failed starts in a row, without an answered call between them, after which a server is left alone."""
REST_S = 30.0
"""For how long it is left alone; a guess."""
MOST_PAGES = 20
"""Pages of its list of tools that a server may send."""
_KEPT_BYTES = 4096
"""The end of what a server wrote to its standard error, kept to say why it did not start."""


class Link:
    """One server, on the loop in which it is made. `environ` holds the variables that the server's settings name."""

    def __init__(self, server: ToolServer, folder: Path | None, environ: Mapping[str, str]) -> None:
        self._server, self._folder, self._environ = server, folder, environ
        self._where = f"tool server {server.name}"
        self._wanted, self._down = asyncio.Event(), asyncio.Event()
        self._up: asyncio.Future[Client] | None = None
        self._client: Client | None = None
        """What `_up` holds, while it is up."""
        self._failures = 0
        self._rest_until = 0.0
        self._complaint = _Complaint()

    async def keep(self) -> None:
        """Hold the connection while it is wanted; runs until it is cancelled, and closes the server then."""
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            self._down.clear()
            up = self._up
            assert up is not None, "wanted by somebody who waits"
            try:
                await self._hold(up)
            except Exception as error:  # whatever a transport raises: it is this server's, never the others'
                if self._up is up:
                    self._up = None
                if not up.done():
                    self._failed()
                    up.set_exception(self._start_error(error))
                    up.exception()  # seen: whoever wanted it may have gone
            finally:
                if not up.done():
                    up.cancel()

    async def list_tools(self) -> list[ListedTool]:
        """What the server offers; starts it. Raises `ToolServerError`."""
        client = await self._connected()
        found: list[ListedTool] = []
        cursor: str | None = None
        try:
            async with asyncio.timeout(self._server.start_s):
                for _ in range(MOST_PAGES):
                    page = await client.list_tools(cursor=cursor)
                    found += [_listed(one) for one in page.tools]
                    cursor = page.next_cursor
                    if cursor is None:
                        return found
        except TimeoutError as error:
            raise ToolServerError(f"{self._where}: gave no list of tools in {self._server.start_s:g} s") from error
        except Exception as error:  # its list may also be one that the client cannot read
            raise ToolServerError(f"{self._where}: gave no list of tools ({self._line(error)})") from error
        raise ToolServerError(f"{self._where}: lists tools on more than {MOST_PAGES} pages; it is not to be trusted")

    async def call(self, tool: str, arguments: dict[str, Any]) -> Any:
        """What `tool` returns, a JSON value. Cancelling it tells the server. Raises `ToolServerError`.

        A server that dies meanwhile is not asked again: nobody knows how far the call had come.
        """
        where = f"{self._where}, tool {tool}"
        client = await self._connected()
        try:
            result = await client.call_tool(tool, arguments)
        except Exception as error:  # what the protocol, the transport or the client's own checks say
            if isinstance(error, MCPError) and error.code == types.CONNECTION_CLOSED:
                self._lost(client)
                raise ToolServerError(f"{where}: the server ended in mid-call; the next call starts it anew") from None
            raise ToolServerError(f"{where}: {self._line(error)}") from None
        self._failures = 0
        if result.is_error:
            raise ToolServerError(f"{where}: {self._masked(error_text(result))[:MOST_ERROR]}")
        return value_of(result)

    async def _connected(self) -> Client:
        if self._up is None:
            now_s = asyncio.get_running_loop().time()
            if now_s < self._rest_until:
                left_s = self._rest_until - now_s
                raise ToolServerError(
                    f"{self._where}: failed {MOST_FAILURES} times in a row; it is tried again in {left_s:.0f} s"
                )
            self._up = asyncio.get_running_loop().create_future()
            self._wanted.set()
        return await asyncio.shield(self._up)  # a call that is given up takes the connection from nobody

    async def _hold(self, up: asyncio.Future[Client]) -> None:
        """Open the connection, hand it out, and close it when it has gone down."""
        async with AsyncExitStack() as stack:
            async with asyncio.timeout(self._server.start_s):
                transport = await self._transport(stack)
                client = Client(_Watched(transport, self._ended))
                await stack.enter_async_context(client)
            up.set_result(client)
            self._client = client
            await self._down.wait()

    def _ended(self) -> None:
        """The stream from the server has ended; while it is being closed or opened that is no news."""
        if self._client is not None:
            self._lost(self._client)

    def _lost(self, client: Client) -> None:
        """Forget a connection that has ended, once: its stream and its calls tell of the same end."""
        if self._client is client:
            self._client = self._up = None
            self._failed()
            self._down.set()

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= MOST_FAILURES:
            self._failures = 0
            self._rest_until = asyncio.get_running_loop().time() + REST_S

    async def _transport(self, stack: AsyncExitStack) -> AbstractAsyncContextManager[Any]:
        if self._server.url:
            token = self._environ.get(self._server.token_env)
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            limits = httpx2.Timeout(self._server.start_s, read=None)  # how long a call may take, its caller decides
            http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, timeout=limits))
            return streamable_http_client(self._server.url, http_client=http)
        program, *arguments = self._server.command
        process = StdioServerParameters(command=program, args=arguments, env=dict(self._environ), cwd=self._folder)
        self._complaint = _Complaint()
        return stdio_client(process, errlog=await stack.enter_async_context(self._complaint.taken()))

    def _start_error(self, error: BaseException) -> ToolServerError:
        if isinstance(error, TimeoutError):
            return ToolServerError(f"{self._where}: did not start in {self._server.start_s:g} s (start_s)")
        said = self._masked(self._complaint.text()).strip().splitlines()
        return ToolServerError(
            f"{self._where}: did not start: {said[-1].strip()[:MOST_ERROR] if said else self._line(error)}"
        )

    def _line(self, error: BaseException) -> str:
        """The first error inside of groups of errors, as one short line."""
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        said = error.message if isinstance(error, MCPError) else str(error)
        return f"{type(error).__name__}: {self._masked(' '.join(said.split()))[:MOST_ERROR]}"

    def _masked(self, text: str) -> str:
        """The text without the values of the secrets that the server was given: these lines go to the log."""
        for secret in self._environ.values():
            text = text.replace(secret, "***") if secret else text
        return text


class _Complaint:
    """The end of what a server writes to its standard error: bounded, and shown only when it does not start."""

    def __init__(self) -> None:
        self._kept = b""

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[TextIO]:
        """A file for the server to write to."""
        loop = asyncio.get_running_loop()
        read_end, write_end = os.pipe()
        os.set_blocking(read_end, False)
        loop.add_reader(read_end, self._take, read_end)
        try:
            with os.fdopen(write_end, "w") as file:
                yield file
        finally:
            self._take(read_end)
            loop.remove_reader(read_end)
            os.close(read_end)

    def _take(self, read_end: int) -> None:
        try:
            self._kept = (self._kept + os.read(read_end, 65536))[-_KEPT_BYTES:]
        except BlockingIOError:
            return

    def text(self) -> str:
        """What was kept, from the first whole line on: half a line may begin with half a secret."""
        kept = self._kept.partition(b"\n")[2] if len(self._kept) == _KEPT_BYTES else self._kept
        return kept.decode("utf-8", "replace")


class _Watched:
    """A transport that tells when the stream from the server has ended; the client itself tells only who calls."""

    def __init__(self, transport: AbstractAsyncContextManager[Any], ended: Any) -> None:
        self._transport, self._ended = transport, ended

    async def __aenter__(self) -> tuple[Any, Any]:
        read, write = await self._transport.__aenter__()
        return _WatchedStream(read, self._ended), write

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._transport.__aexit__(kind, error, trace)


class _WatchedStream:
    """The messages from the server."""

    def __init__(self, stream: Any, ended: Any) -> None:
        self._stream, self._ended = stream, ended

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __aiter__(self) -> _WatchedStream:
        return self

    async def __anext__(self) -> Any:
        try:
            return await self._stream.__anext__()
        except StopAsyncIteration:
            self._ended()
            raise

    async def __aenter__(self) -> _WatchedStream:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        done: bool | None = await self._stream.__aexit__(kind, error, trace)
        return done


def _listed(one: types.Tool) -> ListedTool:
    hints = one.annotations
    return ListedTool(one.name, one.description or "", one.input_schema, bool(hints and hints.read_only_hint))
