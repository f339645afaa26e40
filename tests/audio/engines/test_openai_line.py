"""The line to a server: what is left when it closes."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncGenerator
from typing import Any

import pytest

pytest.importorskip("openai", reason="openai is not installed (extra openai)")

from audio.engines.openai_server.faults import Server, ServerFault
from audio.engines.openai_server.line import Line


def test_a_generator_that_a_request_lets_go_of_is_closed_to_its_end() -> None:
    ended: list[str] = []

    async def body() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            for _ in range(1_000):
                await asyncio.sleep(0)
            ended.append("body")

    async def asking(client: Any) -> AsyncGenerator[int]:
        parts = body()
        try:
            yield await anext(parts)
            await asyncio.Event().wait()
        finally:
            del parts  # as the client lets go of its parts: nobody closes them but the loop

    line = Line(Server("[engine]", "http://127.0.0.1:1/v1", "m"))
    reply = line.ask(asking)
    assert reply.take()[0] == 1
    line.close()
    assert ended == ["body"]


@pytest.mark.parametrize("given_up", [False, True], ids=["failed", "given up"])
def test_what_hangs_on_an_error_is_closed_in_the_thread_of_the_line(given_up: bool) -> None:
    """Not left to the collector, which would close it in any thread, while the line closes what is around it."""
    closed_in: list[str] = []
    is_closed = threading.Event()

    async def body() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            closed_in.append(threading.current_thread().name)
            is_closed.set()

    async def asking(client: Any) -> AsyncGenerator[int]:
        parts = body()
        yield await anext(parts)
        if given_up:
            await asyncio.Event().wait()
        raise ValueError("of the server")

    line = Line(Server("[engine]", "http://127.0.0.1:1/v1", "m"))
    gc.disable()
    try:
        reply = line.ask(asking)
        assert reply.take()[0] == 1
        if given_up:
            reply.abort()
        else:
            with pytest.raises(ServerFault, match="of the server"):
                reply.take()
        assert is_closed.wait(5.0)
    finally:
        gc.enable()
        line.close()
    assert closed_in == ["server-line"]
