"""Servers that fail within a reply or before the first call: what is tried again, and the one line that tells."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_runtime.clock import run_outside, run_virtual
from tests.agent_runtime.engines.core_server import MODEL_NAME, CoreServer, Fault
from tests.agent_runtime.engines.openai_servers import (
    NEEDS_CLIENT,
    TINY,
    Words,
    chat_engine,
    chat_server,
    front_desk,
    over_tiny,
)
from tests.agent_runtime.engines.test_contract import taken, tokens

pytestmark = NEEDS_CLIENT

SECRET = "sk-secret-4711"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.mark.parametrize(
    "fault",
    [Fault("close", after=3), Fault("stall", after=3), Fault("status"), Fault("close"), Fault("status", status=503)],
)
def test_a_reply_that_breaks_off_goes_on_where_it_stood(fault: Fault) -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 30))
        whole = await taken(session.stream(max_tokens=8))
        server.faults.append(fault)
        server.asked.clear()
        assert await taken(session.stream(max_tokens=8)) == whole
        assert len(server.asked) == 2

    over_tiny(check, timeout_s=0.3)


def test_a_server_that_puts_us_off_is_asked_again_when_it_wants() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 30))
        server.faults.append(Fault("status", status=429, message="busy", headers=(("Retry-After", "1.5"),)))
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        assert len(await taken(session.stream(max_tokens=4))) == 4
        assert 1.5 <= loop.time() - begin_s < 1.6

    over_tiny(check)


@pytest.mark.parametrize(
    ("faults", "line"),
    [
        (
            [Fault("status", status=429, message="slow down", headers=(("Retry-After", "30"),))],
            "takes no more requests now (429) and asks to wait 30 s: slow down; ask it for a higher limit",
        ),
        ([Fault("status", status=429, message="slow down")] * 2, "takes no more requests now (429): slow down; ask"),
        ([Fault("status")] * 2, "failed (status 500: out of memory); look at its log"),
        ([Fault("close")] * 2, "broke off a reply ("),
        ([Fault("stall")] * 2, "sent nothing for 0.3 s; raise [engine] timeout_s"),
        ([Fault("status", status=400, message="prompt is too long")], "refuses the request (status 400: prompt is"),
        ([Fault("status", message="x" * 500)] * 2, "x" * 157 + "..."),
    ],
)
def test_a_reply_that_cannot_be_had_is_told_in_one_line(faults: list[Fault], line: str) -> None:
    from agent_runtime.engines.openai import ServerFault

    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 30))
        server.faults.extend(faults)
        with pytest.raises(ServerFault) as caught:
            await taken(session.stream(max_tokens=8))
        assert line in str(caught.value)
        assert server.url in str(caught.value)
        assert "\n" not in str(caught.value)
        assert caught.value.recovered
        assert session.mark() == 30
        assert len(await taken(session.stream(max_tokens=8))) == 8, "the session can still be used"

    over_tiny(check, timeout_s=0.3)


def started(server: CoreServer, *, model: str = MODEL_NAME, key: str = "", chat: bool = False) -> str:
    """The line with which an engine says at its start that the server cannot be used."""
    from agent_runtime.engines.openai import OpenAIEngine, Server, ServerFault

    where = Server("[engine]", server.url, model, 5.0, "DESK_KEY" if key else "", key)
    engine = OpenAIEngine(where, run_outside, spelling=None if chat else Words())

    async def main() -> None:
        async with engine:
            raise AssertionError("it was used")

    with pytest.raises(ServerFault) as caught:
        run_virtual(main())
    assert "\n" not in str(caught.value)
    assert SECRET not in f"{caught.value!r} {caught.value.__dict__}"
    return str(caught.value).replace(server.url, "URL")


@pytest.mark.parametrize("chat", [False, True])
def test_a_server_that_cannot_be_used_is_told_before_the_first_call(chat: bool) -> None:
    with CoreServer(TINY, key="right") as server:
        refused = started(server, key=SECRET, chat=chat)
        assert refused == "server URL refuses the key in DESK_KEY (status 401); put a valid key into DESK_KEY"
        assert "refuses a request without a key (status 401); name its variable in api_key_env" in started(
            server, chat=chat
        )
        server.key = ""
        unknown = started(server, model="cor", chat=chat)
        assert "server URL knows no model 'cor'" in unknown
        assert ("it has core" if chat else "correct [engine] model or base_url") in unknown
    gone = started(server, chat=chat)
    assert gone.startswith("server URL cannot be reached (")
    assert gone.endswith("); start it, or correct [engine] base_url")


def test_the_key_goes_to_its_server_and_the_keys_of_others_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from agent_runtime.engines.openai import OpenAIEngine, Server

    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, SECRET)
    heard: list[dict[str, str]] = []

    class Listening(CoreServer):
        async def _answer(self, method: str, path: str, headers: dict[str, str], *rest: Any) -> None:
            heard.append(headers)
            await super()._answer(method, path, headers, *rest)

    async def main() -> None:
        with Listening(TINY, key="right") as server:
            where = Server("[engine]", server.url, MODEL_NAME, 5.0, "DESK_KEY", "right")
            async with OpenAIEngine(where, run_outside, spelling=Words()):
                pass

    run_virtual(main())
    assert heard
    assert all(headers["authorization"] == "Bearer right" for headers in heard)
    assert SECRET not in str(heard)


def test_a_key_that_a_server_repeats_is_not_repeated_by_us() -> None:
    from agent_runtime.engines.openai import Server

    server = Server("[engine]", "http://x/v1", "m", 1.0, "DESK_KEY", SECRET)
    assert server.without_key(f"no quota\nfor {SECRET}") == "no quota for ***"
    assert SECRET not in repr(server)


def test_closing_ends_what_is_in_flight() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        server.faults.append(Fault("stall"))
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(session.sync(tokens(1, 30)))
            await asyncio.sleep(0)
            await engine.close()
        assert waiting.result().total == 0
        await engine.close()

    over_tiny(check)


def test_what_a_chat_server_refuses_is_left_out_from_then_on() -> None:
    from agent_runtime.engines.openai import TextLanguage
    from policies.trajectory import Role, Segment, Trajectory

    async def main() -> None:
        with chat_server() as server:
            server.refuses |= {"temperature", "parallel_tool_calls"}
            async with chat_engine(server) as engine:
                session = await engine.open("c")
                card = Segment(Role.CARD, "front desk of riverside clinic. today is monday. open eight to six.")
                heard = Trajectory.of([card, Segment(Role.HEARD, "hello"), Segment(Role.TURN)])
                await session.sync(TextLanguage(front_desk().tools).encode(heard))
                assert await taken(session.stream(max_tokens=200))
                assert [("temperature" in one, "parallel_tool_calls" in one) for one in server.asked] == [
                    (True, True), (True, False), (False, False),
                ]  # fmt: skip
                await taken(session.stream(max_tokens=200))
                assert len(server.asked) == 4

    run_virtual(main())
