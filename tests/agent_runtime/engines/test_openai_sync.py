"""Reading ahead at a server: when it is asked, what gives way, and what a server that fails costs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.agent_runtime.engines.core_server import CoreServer, Fault
from tests.agent_runtime.engines.openai_servers import NEEDS_CLIENT, over_tiny
from tests.agent_runtime.engines.test_contract import taken, tokens

pytestmark = NEEDS_CLIENT


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def test_a_few_new_tokens_are_not_worth_a_request_before_a_pause() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        stream = tokens(1, 40)
        first = await session.sync(stream[:20])
        assert (first.total, first.computed) == (20, 20)
        few = await session.sync(stream[:23])
        assert (few.total, few.reused, few.computed) == (20, 20, 0), "three more are read with the next"
        assert session.mark() == 23
        assert len(server.asked) == 1
        enough = await session.sync(stream[:24])
        assert (enough.total, enough.reused, enough.computed) == (24, 20, 4)
        await asyncio.sleep(1.0)
        late = await session.sync(stream[:25])
        assert (late.total, late.reused, late.computed) == (25, 24, 1), "after a pause one token is enough"
        assert len(server.asked) == 3
        assert {request["max_tokens"] for request in server.asked} == {1}

    over_tiny(check)


def test_what_was_not_read_ahead_is_read_with_the_reply() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session, fresh = await engine.open("c"), await engine.open("fresh")
        await session.sync(tokens(1, 20))
        await session.sync([*tokens(1, 20), 40, 41])
        await fresh.sync([*tokens(1, 20), 40, 41])
        assert await taken(session.stream(max_tokens=6)) == await taken(fresh.stream(max_tokens=6))

    over_tiny(check)


@pytest.mark.parametrize("live", [False, True])
def test_a_newer_sync_hangs_up_on_the_one_in_flight(live: bool) -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 10))
        server.faults.append(Fault("stall", over=60))
        async with asyncio.TaskGroup() as group:
            older = group.create_task(session.sync([*tokens(1, 10), *tokens(2, 60)]))
            await asyncio.sleep(0)
            if live:
                assert await asyncio.to_thread(server.reached, 2)
            newer = await session.sync([*tokens(1, 10), *tokens(3, 8)])
            if live:
                assert await asyncio.to_thread(server.reached, 3, 1), "the server knows that nobody waits"
        assert (older.result().total, older.result().computed) == (10, 0), "it came no further"
        assert (newer.total, newer.reused, newer.computed) == (18, 10, 8)
        assert session.tokens == [*tokens(1, 10), *tokens(3, 8)]

    over_tiny(check, live=live, timeout_s=60.0)


def test_a_reply_hangs_up_on_the_sync_in_flight() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 10))
        server.faults.append(Fault("stall"))
        async with asyncio.TaskGroup() as group:
            sync = group.create_task(session.sync(tokens(1, 30)))
            assert await asyncio.to_thread(server.reached, 2)
            reply = await taken(session.stream(max_tokens=5))
            assert await asyncio.to_thread(server.reached, 3, 1)
        assert len(reply) == 5
        assert sync.result().total == 10

    over_tiny(check, live=True, timeout_s=60.0)


@pytest.mark.parametrize("fault", [Fault("status"), Fault("status", status=429), Fault("close"), Fault("stall")])
def test_a_sync_that_fails_costs_nothing_but_its_gain(fault: Fault) -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        server.faults.append(fault)
        extent = await session.sync(tokens(1, 30))
        assert (extent.total, extent.computed) == (0, 0)
        assert session.mark() == 30
        assert len(await taken(session.stream(max_tokens=5))) == 5

    over_tiny(check, timeout_s=0.3)


def test_a_server_that_will_never_answer_is_told_at_once() -> None:
    from agent_runtime.engines.openai import ServerFault

    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        server.key = "wanted from now on"
        with pytest.raises(ServerFault, match=r"refuses a request without a key \(status 401\)") as caught:
            await session.sync(tokens(1, 30))
        assert not caught.value.recovered

    over_tiny(check)


def test_a_deadline_ends_a_sync_in_flight() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 10))
        now_s = asyncio.get_running_loop().time()
        extent = await session.sync(tokens(1, 90), deadline_s=now_s + 0.0001)
        assert extent.total == session.mark() == 10
        assert len(await taken(session.stream(max_tokens=3))) == 3

    over_tiny(check)


@pytest.mark.parametrize("form", ["vllm", "llama", "text"])
def test_what_a_server_can_is_asked_at_the_start(form: Any) -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        assert engine.caps.ids
        assert engine.caps.grammar
        assert engine.caps.logprobs
        assert engine.scores_by_echo is (form == "vllm")

    over_tiny(check, form=form)


def test_without_a_bias_there_is_no_grammar_and_without_log_probabilities_no_score() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        assert not engine.caps.grammar

    over_tiny(check, biased=False)

    async def poor(engine: Any, server: CoreServer) -> None:
        assert not engine.caps.logprobs

    from tests.agent_runtime.engines import openai_servers

    class Poor(CoreServer):
        def __init__(self, *given: Any, **more: Any) -> None:
            super().__init__(*given, **more)
            self.refuses.add("logprobs")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(openai_servers, "CoreServer", Poor)
        over_tiny(poor, form="text")


@pytest.mark.parametrize("form", ["llama", "text"])
def test_single_tokens_are_scored_without_an_echo_as_far_as_the_server_names_them(form: Any) -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 30))
        scores = await session.score([[token] for token in range(32, 96)])
        named = sorted(scores, reverse=True)
        assert len(set(named)) > 10
        assert min(scores) >= named[20], "the rest counts as the last that was named"
        likeliest = 32 + max(range(64), key=scores.__getitem__)
        reply = await taken(session.stream(max_tokens=1))
        assert reply[0] < 32 or reply == [likeliest]
        with pytest.raises(ValueError, match="echoes no prompt"):
            await session.score([[40, 41]])

    over_tiny(check, form=form)
