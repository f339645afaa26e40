"""The line to a server: what is left when it closes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

pytest.importorskip("openai", reason="openai is not installed (extra openai)")

from audio.engines.openai_server.faults import Server
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
