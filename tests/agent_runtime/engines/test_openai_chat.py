"""A chat server behind the engine port: the part of the contract that text can keep, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_runtime.ports import AdapterRef, EngineSession
from policies.trajectory import Role, Segment, Trajectory
from tests.agent_runtime.engines.core_server import CoreServer, Fault
from tests.agent_runtime.engines.openai_servers import front_desk, over_chat
from tests.agent_runtime.engines.test_contract import taken

pytest.importorskip("openai", reason="openai is not installed (extra openai)")


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def heard(*texts: str) -> list[int]:
    """The stream of a call in which the caller said this, in turns."""
    from agent_runtime.engines.openai import TextLanguage

    turns = [segment for text in texts for segment in (Segment(Role.HEARD, text), Segment(Role.TURN))]
    card = Segment(Role.CARD, "front desk of riverside clinic. today is monday. open eight to six.")
    return TextLanguage(front_desk().tools).encode(Trajectory.of([card, *turns]))


def text(tokens: list[int]) -> str:
    """Tokens as words and roles."""
    from agent_runtime.engines.openai import TextLanguage

    return TextLanguage(()).decode(tokens)


async def reply(session: EngineSession, **more: Any) -> list[int]:
    """What the session would say."""
    return await taken(session.stream(max_tokens=400, **more))


async def same_as_fresh(engine: Any, session: EngineSession, stream: list[int]) -> None:
    """The session is no different from one that has seen nothing but `stream`."""
    await session.sync(stream)
    assert session.mark() == len(stream)
    fresh = await engine.open("fresh")
    await fresh.sync(stream)
    assert await reply(session) == await reply(fresh)


HOURS, BOOK = heard("when are you open"), heard("i would like to book an appointment")


async def a_revision_leaves_no_trace(engine: Any, server: CoreServer) -> None:
    session = await engine.open("c")
    for stream in (HOURS, BOOK, HOURS[:60], HOURS):
        extent = await session.sync(stream)
        assert (extent.total, extent.computed) == (0, 0), "nothing is read ahead"
        await same_as_fresh(engine, session, stream)
    assert text(await reply(session)) != text(await taken((await opened(engine, BOOK)).stream(max_tokens=400)))


async def opened(engine: Any, stream: list[int]) -> Any:
    """A session with this stream."""
    session = await engine.open("c")
    await session.sync(stream)
    return session


async def a_reply_that_is_not_kept_leaves_no_trace(engine: Any, server: CoreServer) -> None:
    session = await opened(engine, HOURS)
    assert await reply(session) == await reply(session)
    assert session.mark() == len(HOURS)


async def a_reply_that_is_kept_is_part_of_the_stream(engine: Any, server: CoreServer) -> None:
    session = await opened(engine, HOURS)
    kept = await reply(session, keep=True)
    assert session.tokens == [*HOURS, *kept]
    await same_as_fresh(engine, session, [*HOURS, *kept, *heard("thank you")[len(heard()) :]])


async def a_suffix_counts_like_synced_tokens(engine: Any, server: CoreServer) -> None:
    one, two = await opened(engine, HOURS[:80]), await opened(engine, HOURS)
    assert await taken(one.stream(HOURS[80:], max_tokens=400)) == await reply(two)
    assert one.mark() == 80


async def a_stop_token_ends_a_reply_and_is_its_last(engine: Any, server: CoreServer) -> None:
    session = await opened(engine, HOURS)
    whole = await reply(session)
    assert await reply(session, stop_ids=[whole[4]]) == whole[: whole.index(whole[4]) + 1]
    assert await taken(session.stream(max_tokens=7)) == whole[:7]


async def given_up_it_can_be_used(engine: Any, server: CoreServer) -> None:
    for keep in (False, True):
        session = await opened(engine, HOURS)
        await taken(session.stream(max_tokens=400, keep=keep), most=3)
        await same_as_fresh(engine, session, BOOK)
    for hops in (1, 2, 4, 8):
        session = await opened(engine, HOURS)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(reply(session, keep=True))
            for _ in range(hops):
                await asyncio.sleep(0)
            task.cancel()
        await same_as_fresh(engine, session, BOOK)


async def a_fork_goes_its_own_way_and_a_mark_can_be_gone_back_to(engine: Any, server: CoreServer) -> None:
    session = await opened(engine, HOURS)
    twin = await session.fork()
    await twin.sync(BOOK)
    await same_as_fresh(engine, session, HOURS)
    mark = session.mark()
    await reply(session, keep=True)
    await session.rewind(mark)
    assert session.tokens == HOURS
    for wrong in (mark + 1, -1):
        with pytest.raises(ValueError, match="mark"):
            await session.rewind(wrong)
    await session.close()
    assert session.mark() == 0


async def what_it_cannot_it_says(engine: Any, server: CoreServer) -> None:
    caps = engine.caps
    assert (caps.ids, caps.grammar, caps.logprobs, caps.fork, caps.exact_rollback) == (False, False, False, True, True)
    with pytest.raises(ValueError, match="scores nothing"):
        await (await opened(engine, HOURS)).score([[40]])
    ref = AdapterRef("front-desk", 3, "/nowhere")
    for refused in (engine.load_adapter(ref), engine.unload_adapter(ref), engine.open("c", adapter=ref)):
        with pytest.raises(ValueError, match="front-desk"):
            await refused


async def many_sessions_at_once_are_as_good_as_each_alone(engine: Any, server: CoreServer) -> None:
    sessions = [await opened(engine, stream) for stream in (HOURS, BOOK, HOURS, BOOK)]
    alone = [await reply(session) for session in sessions]
    assert await asyncio.gather(*map(reply, sessions)) == alone


CONTRACT = (
    a_revision_leaves_no_trace,
    a_reply_that_is_not_kept_leaves_no_trace,
    a_reply_that_is_kept_is_part_of_the_stream,
    a_suffix_counts_like_synced_tokens,
    a_stop_token_ends_a_reply_and_is_its_last,
    given_up_it_can_be_used,
    a_fork_goes_its_own_way_and_a_mark_can_be_gone_back_to,
    what_it_cannot_it_says,
    many_sessions_at_once_are_as_good_as_each_alone,
)


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
def test_the_contract_of_text_holds(check: Any) -> None:
    over_chat(check)


# --- what chats bring with them ----------------------------------------------------------------------------------

WEDNESDAY = heard("i would like to book an appointment for wednesday")


def test_a_call_that_does_not_fit_is_told_to_the_model_once() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        from agent_runtime.engines.openai import ServerFault

        session = await opened(engine, WEDNESDAY)
        server.faults.extend([Fault("garble", message='{"day": "sunday"}')] * 2)
        with pytest.raises(ServerFault, match=r"model core calls a tool wrongly: day of tool find_slots is 'sunday'"):
            await reply(session)
        first, second = server.asked
        assert second["messages"][: len(first["messages"])] == first["messages"]
        assert second["messages"][-2]["tool_calls"][0]["function"]["arguments"] == '{"day": "sunday"}'
        assert second["messages"][-1]["content"].startswith("not called: day of tool find_slots is 'sunday'; expected")

    over_chat(check)


def test_a_reply_that_breaks_off_before_its_first_word_is_asked_for_again() -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        session = await opened(engine, HOURS)
        whole = await reply(session)
        for fault in (Fault("close"), Fault("stall"), Fault("status", status=502)):
            server.faults.append(fault)
            assert await reply(session) == whole

    over_chat(check, timeout_s=1.0)


@pytest.mark.parametrize("fault", [Fault("close", after=2), Fault("stall", after=2)])
def test_a_reply_that_breaks_off_later_is_a_fault_because_words_were_said(fault: Fault) -> None:
    async def check(engine: Any, server: CoreServer) -> None:
        from agent_runtime.engines.openai import ServerFault

        session = await opened(engine, HOURS)
        server.faults.append(fault)
        with pytest.raises(ServerFault, match=r"broke off|sent nothing"):
            await reply(session, keep=True)
        said = session.tokens[len(HOURS) :]
        assert text(said).startswith("<say> ")

    over_chat(check, timeout_s=1.0)
