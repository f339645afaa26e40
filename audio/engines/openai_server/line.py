"""The line to a server: a thread with an event loop of its own, on which the client lives and time is real.

A call's own loop may be virtual (a replay): there, sockets cannot be waited for, and a silent server must still be
given up after real seconds. So every request runs here, and what comes of it is taken piece by piece by jobs that the
call's `Runner` runs and charges; the seconds a server took are charged as if they were CPU seconds. This file refuses
to know what is asked.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import queue
import threading
import traceback
import weakref
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import openai

from .faults import Server, ServerFault, fault_of

__all__ = ["AT_ONCE", "Asking", "Line", "Reply"]

T = TypeVar("T")
Asking = Callable[[openai.AsyncOpenAI], AsyncGenerator[T]]
"""Asks with the client and gives the pieces of the answer as they come; says itself how much that may be."""

AT_ONCE = 128
"""Jobs that wait for pieces at the same time, over all calls of the process; more wait for those. A guess, far above
one GPU's batch."""
CLOSE_LIMIT_S = 2.0


class Reply(Generic[T]):
    """One request in flight and the pieces of its answer. `take` blocks and belongs into a job; `abort` does not."""

    def __init__(self, server: Server, kind: type[ServerFault]) -> None:
        self._server, self._kind = server, kind
        self._pieces: queue.SimpleQueue[tuple[T | None, ServerFault | None, float]] = queue.SimpleQueue()
        self._future: concurrent.futures.Future[None] | None = None
        self.aborted = False

    def take(self) -> tuple[T | None, float]:
        """The next piece and the seconds it took to come; None at the end, or after an abort. Raises the fault."""
        piece, fault, took_s = self._pieces.get()
        if piece is None:
            self._pieces.put((None, fault, 0.0))  # the end stays the end
        if fault is not None and not self.aborted:
            raise fault
        return piece, took_s

    def abort(self) -> None:
        """Give the request up: the response is closed, by which a server knows. No error when it is over."""
        self.aborted = True
        if self._future is not None:
            self._future.cancel()
        self._pieces.put((None, None, 0.0))

    async def pump(self, pieces: AsyncGenerator[T]) -> None:
        """On the line's loop: bring the pieces in, each within the server's time."""
        fault: ServerFault | None = None
        now_s = asyncio.get_running_loop().time
        try:
            async with aclosing(pieces):
                while True:
                    begin_s = now_s()
                    async with asyncio.timeout(self._server.timeout_s):
                        piece = await anext(pieces, None)
                    if piece is None:
                        break
                    self._pieces.put((piece, None, now_s() - begin_s))
        except BaseException as error:
            _let_go(error)
            if not isinstance(error, Exception):
                raise
            fault = fault_of(error, self._server, self._kind)
        finally:
            self._pieces.put((None, fault, 0.0))

    def started(self, future: concurrent.futures.Future[None]) -> Reply[T]:
        """The reply, once its pump runs."""
        self._future = future
        return self


class Line:
    """The client of one server and its thread. `pool` is where the jobs that wait for pieces run; `kind` is the fault
    that they raise."""

    def __init__(self, server: Server, kind: type[ServerFault] = ServerFault) -> None:
        self.server, self.kind = server, kind
        self.pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="server-wait")
        self.closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._serve, name="server-line", daemon=True)
        self._client: openai.AsyncOpenAI | None = None
        self._replies: weakref.WeakSet[Reply[Any]] = weakref.WeakSet()
        self._thread.start()

    def ask(self, asking: Asking[T]) -> Reply[T]:
        """Send a request now; its answer comes in on its own, whether or not it is taken."""
        reply: Reply[T] = Reply(self.server, self.kind)

        async def run() -> None:
            await reply.pump(asking(self._the_client()))

        self._replies.add(reply)
        return reply.started(asyncio.run_coroutine_threadsafe(run(), self._loop))

    def close(self) -> None:
        """Give up what is in flight and end the thread. Closing twice is no error."""
        if self.closed:
            return
        self.closed = True
        for reply in list(self._replies):
            reply.abort()  # a job may be waiting for it
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_LIMIT_S)
        self.pool.shutdown(wait=False, cancel_futures=True)

    def _the_client(self) -> openai.AsyncOpenAI:
        """Made on its own loop at the first request. Retries are ours: the client would wait up to 60 s in a call."""
        if self._client is None:
            # Given always: the client would else take key, organisation and project of another server from OPENAI_*.
            nobody: Any = openai.Omit()
            self._client = openai.AsyncOpenAI(
                base_url=self.server.url,
                api_key=self.server.key or "none",
                max_retries=0,
                timeout=self.server.timeout_s,
                default_headers={"OpenAI-Organization": nobody, "OpenAI-Project": nobody},
            )
        return self._client

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._wind_up())
        finally:
            self._loop.close()

    async def _wind_up(self) -> None:
        """Wait for the requests, which were given up, then end the client and what both leave to be closed."""
        await _all_ended()
        if self._client is not None:
            await self._client.close()
        await self._loop.shutdown_asyncgens()
        await _all_ended()


def _let_go(error: BaseException) -> None:
    """Free what the frames of an error hold: generators of the client that it left open, which are then closed here.

    Left to the collector, which runs in whatever thread allocates, one of them may be closed by that thread while this
    loop closes the one around it: "async generator already executing".
    """
    chain: list[BaseException | None] = [error]
    seen: set[int] = set()
    while chain:
        one = chain.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            traceback.clear_frames(one.__traceback__)
            chain += [one.__cause__, one.__context__]


def _others() -> set[asyncio.Task[Any]]:
    return {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}


async def _all_ended() -> None:
    """Wait until nothing runs any more.

    A generator that a request lets go of is closed by a task of its own, a step later; a loop that is closed before
    that has ended leaves it half closed, and an error of it comes up wherever it is collected.
    """
    await asyncio.sleep(0)
    while others := _others():
        await asyncio.gather(*others, return_exceptions=True)
