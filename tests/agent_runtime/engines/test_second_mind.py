"""A second mind behind a server that speaks the OpenAI protocol: what it is sent, and what becomes of its faults."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agent_runtime.agent import AgentError, ServerSettings
from agent_runtime.clock import run_outside, run_virtual
from agent_runtime.second_mind import open_thinker
from agent_runtime.thinkers import Thinker, ThinkerError
from agent_runtime.tools import Tool, ToolContext
from policies.brief import Brief, BriefLimits
from tests.agent_runtime.engines.core_server import MODEL_NAME, CoreServer, Fault
from tests.agent_runtime.engines.openai_servers import NEEDS_CLIENT, chat_server
from tests.agent_runtime.scenes import TODAY, desk

pytestmark = NEEDS_CLIENT

BRIEF = Brief("free times", (("day", "wednesday"),), BriefLimits(12, ("a price",)))


def asked(check: Callable[[Tool, CoreServer], Awaitable[None]], **settings: Any) -> None:
    """Open a second mind behind the model in the box and run a check against it."""

    async def main() -> None:
        with chat_server(key=settings.pop("key", "")) as server:
            where = ServerSettings(server.url, MODEL_NAME, settings.pop("api_key_env", ""))
            thinker = Thinker(kind="openai", name="doctor", server=where, **settings)
            async with AsyncExitStack() as stack:
                await check(await open_thinker(desk(thinker=thinker), run_outside, stack), server)

    run_virtual(main())


def ask(tool: Tool, brief: Brief = BRIEF) -> Awaitable[Any]:
    """Ask as the acting organ does."""
    return tool.run({"about": "times"}, ToolContext(TODAY, "c", Path(".")), brief)


def test_the_server_gets_one_message_with_the_brief_and_its_words_are_the_answer() -> None:
    async def check(tool: Tool, server: CoreServer) -> None:
        server.forget()
        answer = await ask(tool)
        assert 0 < len(answer.split()) <= 12
        (request,) = server.asked
        (message,) = request["messages"]
        assert message["role"] == "user"
        assert message["content"].endswith(
            "task: free times known: day: wednesday limit: answer in at most 12 words that can be spoken "
            "limit: promise no a price".replace(" known", "\nknown").replace(" limit", "\nlimit")
        )

    asked(check)


def test_two_questions_at_once_know_nothing_of_each_other() -> None:
    async def check(tool: Tool, server: CoreServer) -> None:
        server.forget()
        await asyncio.gather(ask(tool), ask(tool, dataclasses.replace(BRIEF, task="opening hours")))
        contents = [request["messages"][-1]["content"] for request in server.asked]
        assert all(len(request["messages"]) == 1 for request in server.asked)
        assert [("free times" in one, "opening hours" in one) for one in sorted(contents)] == [
            (True, False),
            (False, True),
        ]

    asked(check)


def test_a_server_that_fails_is_one_error() -> None:
    from audio.engines.openai_server.faults import ServerFault

    async def check(tool: Tool, server: CoreServer) -> None:
        server.faults.extend([Fault("status", status=400, message="no")] * 4)
        with pytest.raises(ServerFault, match=r"status 400: no\); correct \[thinker\] of the agent"):
            await ask(tool)

    asked(check)


def test_a_key_that_is_not_there_is_told_at_the_start() -> None:
    async def check(tool: Tool, server: CoreServer) -> None:
        pytest.fail("it opened")

    with pytest.raises(ThinkerError, match="environment variable NO_SUCH_KEY is not set"):
        asked(check, api_key_env="NO_SUCH_KEY")
    with pytest.raises(AgentError, match="no name of an environment variable"):
        asked(check, api_key_env="sk-4711")
