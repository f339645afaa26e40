"""The engine contract, held by vLLM itself: its scheduler, its prefix cache and its processes, on a CPU in fp32.

``make test-vllm`` runs it in an environment of its own; elsewhere it skips.
"""

from __future__ import annotations

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


OTHERWISE = frozenset({"a_reply_that_is_kept_is_part_of_the_stream", "a_warmed_prefix_is_what_new_sessions_start_with"})
"""Checks that count single tokens of a cache of blocks."""
CHECKS: tuple[Check, ...] = (
    *(check for check in contract.CONTRACT if getattr(check, "__name__", "") not in OTHERWISE),
    a_reply_that_is_kept_is_read_by_whole_blocks,
    a_warmed_prefix_is_found_by_whole_blocks,
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
