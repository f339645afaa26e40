"""The engine contract, held by vLLM itself: its scheduler, its prefix cache and its processes, on a CPU in fp32.

``make test-vllm`` runs it in an environment of its own; elsewhere it skips.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_runtime.ports import Engine
from tests.agent_runtime.engines import test_contract as contract
from tests.agent_runtime.engines.test_contract import Check, held, same_as_fresh, taken, tokens
from tests.agent_runtime.engines.vllm_engines import BLOCK, NEEDS_VLLM, over, running_tiny

pytestmark = NEEDS_VLLM


@pytest.fixture(scope="module")
def line() -> Iterator[Any]:
    """vLLM over the tiny weights: 20 s to start on a CPU, so it is started once."""
    with running_tiny() as running:
        yield running


async def a_reply_that_is_kept_is_read_by_whole_blocks(engine: Engine) -> None:
    """As in the contract, but for what stands behind the last full block."""
    session = await engine.open("c")
    stream, suffix = tokens(1, 50), tokens(2, 4)
    await session.sync(stream)
    reply = await taken(session.stream(suffix, max_tokens=20, keep=True))
    assert session.mark() == 50 + 4 + 20
    extent = await session.sync([*stream, *suffix, *reply, *tokens(3, 30)])
    assert (extent.total, extent.rolled_back) == (104, 0)
    assert extent.reused == 73 // BLOCK * BLOCK, "what was written need not be read"
    await same_as_fresh(engine, session, [*stream, *suffix, *reply, *tokens(3, 30)])


async def a_warmed_prefix_is_found_by_whole_blocks(engine: Engine) -> None:
    card = tokens(1, 70)
    warmed = await engine.warm(card)
    assert (warmed.total, warmed.computed) == (70, 70)
    one, two = await engine.open("one"), await engine.open("two")
    extent = await one.sync([*card, *tokens(2, 30)])
    assert (extent.reused, extent.computed) == (64, 36)
    await same_as_fresh(engine, one, [*card, *tokens(2, 30)])
    await same_as_fresh(engine, two, tokens(7, 30))


async def a_newer_order_takes_over_a_warm_up(engine: Engine) -> None:
    """The older one says that it read nothing; the engine has let go of it before the newer one reads."""
    session = await engine.open("c")
    async with asyncio.TaskGroup() as group:
        older = group.create_task(session.sync(tokens(1, 900)))
        for _ in range(3):
            await asyncio.sleep(0)
        newer = group.create_task(session.sync(tokens(2, 70)))
    assert older.result().computed == 0
    assert (newer.result().total, newer.result().computed) == (70, 70)
    await same_as_fresh(engine, session, tokens(2, 70))


async def what_was_read_before_an_abort_stays_in_the_cache(engine: Engine) -> None:
    session = await engine.open("c")
    await session.sync(tokens(1, 70))
    await taken(session.stream(max_tokens=400, keep=True), most=40)
    other = await engine.open("other")
    extent = await other.sync([*tokens(1, 70), *tokens(4, 30)])
    assert (extent.reused, extent.computed) == (64, 36)
    assert extent.total == other.mark()


async def a_call_longer_than_the_model_is_refused_in_one_line(engine: Engine) -> None:
    session = await engine.open("c")
    await session.sync(tokens(1, 1000))
    assert len(await taken(session.stream(max_tokens=200))) == 24, "the reply ends where the positions do"
    with pytest.raises(RuntimeError, match="the call has 1024 tokens and the model 1024 positions; raise"):
        await session.sync(tokens(1, 1024))


async def reading_may_be_left_to_the_request_that_follows(engine: Engine) -> None:
    session = await engine.open("c")
    extent = await session.sync(tokens(1, 70), ahead=False)
    assert (extent.total, extent.reused, extent.computed) == (70, 0, 70)
    await taken(session.stream(max_tokens=1))
    assert (await session.sync([*tokens(1, 70), *tokens(2, 30)])).reused == 64


OTHERWISE = frozenset({"a_reply_that_is_kept_is_part_of_the_stream", "a_warmed_prefix_is_what_new_sessions_start_with"})
"""Checks that count single tokens of a cache of blocks."""
CHECKS: tuple[Check, ...] = (
    *(check for check in contract.CONTRACT if getattr(check, "__name__", "") not in OTHERWISE),
    a_reply_that_is_kept_is_read_by_whole_blocks,
    a_warmed_prefix_is_found_by_whole_blocks,
    a_newer_order_takes_over_a_warm_up,
    what_was_read_before_an_abort_stays_in_the_cache,
    a_call_longer_than_the_model_is_refused_in_one_line,
    reading_may_be_left_to_the_request_that_follows,
    *contract.TRUE_TO_THE_MODEL,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_contract_holds_in_vllm(line: Any, check: Check) -> None:
    held(over(line), check)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_after_any_life_a_session_is_as_good_as_a_fresh_one(line: Any, data: st.DataObject) -> None:
    lived: Any = contract.test_after_any_life_a_session_is_as_good_as_a_fresh_one
    lived.hypothesis.inner_test(over(line), data)
