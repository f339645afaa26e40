"""Engines of the tests: the openai engine over a core server, with the tiny model or with the model in the box."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import pytest

from agent_runtime.agent import Agent
from agent_runtime.boxed import BOXED_MODEL, FRONT_DESK
from agent_runtime.clock import run_live, run_outside, run_virtual
from policies.filler import FillerSettings
from policies.learned.core.model import CoreModel
from tests.agent_runtime.engines.core_chat import CoreChat
from tests.agent_runtime.engines.core_server import MODEL_NAME, CoreServer, Form
from tests.agent_runtime.engines.tiny_engines import MODEL, VOCABULARY
from tests.agent_runtime.scenes import NOTHING_AHEAD

TINY = MODEL
"""The tiny model behind the server."""
NEEDS_CLIENT = pytest.mark.skipif(
    importlib.util.find_spec("openai") is None, reason="openai is not installed (extra openai)"
)


class Words:
    """The tiny model's spelling: token n is the word wn."""

    def encode(self, text: str) -> list[int]:
        """Ids of words."""
        return [int(word.removeprefix("w")) for word in text.split()]

    def decode(self, ids: Sequence[int]) -> str:
        """Words of ids."""
        return "".join(f" w{one}" for one in ids)


def ids_engine(server: CoreServer, *, timeout_s: float = 10.0, **settings: Any) -> Any:
    """An engine that speaks to the tiny model in token ids."""
    from agent_runtime.engines.openai import OpenAIEngine, Server

    where = Server("[engine]", server.url, MODEL_NAME, timeout_s)
    size = VOCABULARY
    return OpenAIEngine(where, run_outside, spelling=Words(), vocabulary_size=size, **settings)


def over_tiny(
    check: Callable[[Any, CoreServer], Coroutine[Any, Any, None]], *, form: Form = "vllm", **settings: Any
) -> None:
    """Run a check against a new engine and a new server, in virtual time; `live` on the ordinary loop."""
    biased, run = settings.pop("biased", True), run_live if settings.pop("live", False) else run_virtual

    async def main() -> None:
        with CoreServer(TINY, form=form, biased=biased) as server:
            async with ids_engine(server, **settings) as engine:
                server.forget()
                await check(engine, server)

    run(main())


@cache
def boxed_model() -> CoreModel:
    """The model in the box."""
    return CoreModel.load(BOXED_MODEL)


@cache
def front_desk() -> Agent:
    """The example agent; it thinks nothing ahead and covers no wait, so that engines can be compared word for word."""
    quiet = FillerSettings(most=0, thinking=())
    return dataclasses.replace(Agent.load(FRONT_DESK), thinking=NOTHING_AHEAD, filler=quiet)


@asynccontextmanager
async def chat_engine(server: CoreServer, *, timeout_s: float = 10.0, model: str = MODEL_NAME) -> AsyncIterator[Any]:
    """An engine that speaks to the model in the box in messages."""
    from agent_runtime.engines.openai import OpenAIEngine, Server

    where = Server("[engine]", server.url, model, timeout_s)
    async with OpenAIEngine(where, run_outside, tools=front_desk().tools) as engine:
        yield engine


def over_chat(check: Callable[[Any, CoreServer], Coroutine[Any, Any, None]], **settings: Any) -> None:
    """Run a check against a chat engine, in virtual time."""

    async def main() -> None:
        with chat_server() as server:
            async with chat_engine(server, **settings) as engine:
                await check(engine, server)

    run_virtual(main())


def chat_server(**settings: Any) -> CoreServer:
    """The model in the box behind messages."""
    return CoreServer(boxed_model(), chat=CoreChat.load(BOXED_MODEL, front_desk()), **settings)
