"""One contract for every engine: make your cache equal to these tokens, whatever was there before.

Each check takes an open engine. A session that went through anything must afterwards be no different from a fresh one
that was given the same tokens. `test_contract_notices` breaks the rollback on purpose: the contract must notice. The
engines stand in `tiny_engines`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_runtime.clock import run_virtual
from agent_runtime.engines.embedded import PREFILL_SLICE
from agent_runtime.ports import AdapterRef, Engine, EngineSession
from tests.agent_runtime.engines.tiny_engines import ENGINES, REAL, VOCABULARY, log_probabilities

Check = Callable[[Engine], Awaitable[None]]


def tokens(seed: int, count: int) -> list[int]:
    """Some tokens, none of them a role."""
    return [int(number) for number in np.random.default_rng(seed).integers(32, VOCABULARY, count)]


async def taken(stream: AsyncIterator[Sequence[int]], most: int = 1000) -> list[int]:
    """The tokens of a stream, at most so many, then it is closed."""
    found: list[int] = []
    async with aclosing(stream) as slices:  # type: ignore[type-var]
        async for piece in slices:
            found += piece
            if len(found) >= most:
                break
    return found


async def fingerprint(session: EngineSession) -> tuple[list[float], list[int]]:
    """What the session would say next: scores of every token and a short reply that is not kept."""
    scores = list(await session.score([[token] for token in range(32, VOCABULARY)]))
    return scores, await taken(session.stream(max_tokens=8))


async def same_as_fresh(engine: Engine, session: EngineSession, stream: Sequence[int]) -> None:
    """The session is no different from one that has seen nothing but `stream`."""
    await session.sync(stream)
    assert session.mark() == len(stream)
    fresh = await engine.open("fresh")
    await fresh.sync(stream)
    (scores, reply), (wanted, wanted_reply) = await fingerprint(session), await fingerprint(fresh)
    assert np.max(np.abs(np.array(scores) - np.array(wanted))) <= 1e-4
    assert reply == wanted_reply
    await fresh.close()


# --- the contract ------------------------------------------------------------------------------------------------


async def sync_accounts_for_every_token(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 100)
    first = await session.sync(stream)
    assert (first.total, first.reused, first.computed, first.rolled_back) == (100, 0, 100, 0)
    longer = await session.sync([*stream, *tokens(2, 5)])
    assert (longer.total, longer.reused, longer.computed, longer.rolled_back) == (105, 100, 5, 0)
    revised = await session.sync([*stream, *tokens(3, 9)])
    assert (revised.total, revised.reused, revised.computed, revised.rolled_back) == (109, 100, 9, 5)
    again = await session.sync([*stream, *tokens(3, 9)])
    assert (again.total, again.computed, again.rolled_back) == (109, 0, 0), "the same tokens again cost nothing"
    shorter = await session.sync(stream[:60])
    assert shorter.total == shorter.reused + shorter.computed == 60
    assert shorter.computed <= 1, "at most the last token is computed again"
    assert shorter.rolled_back == 109 - shorter.reused


async def reading_may_be_left_to_what_follows(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 60)
    await session.sync(stream)
    longer = await session.sync([*stream, *tokens(2, 5)], ahead=False)
    assert (longer.total, longer.computed, longer.rolled_back) == (65, 5, 0)
    await same_as_fresh(engine, session, [*stream, *tokens(2, 5)])
    await session.sync([*stream, *tokens(3, 5)], ahead=False)
    reply = await taken(session.stream(max_tokens=6))
    await session.sync(stream)
    await session.sync([*stream, *tokens(3, 5)])
    assert await taken(session.stream(max_tokens=6)) == reply


async def a_revision_leaves_no_trace(engine: Engine) -> None:
    session = await engine.open("c")
    base = tokens(1, 70)
    for seed, cut in ((2, 70), (3, 69), (4, 30), (5, 1), (6, 0)):
        await session.sync([*base[:cut], *tokens(seed, 40)])
        await same_as_fresh(engine, session, [*base[:cut], *tokens(seed, 40)])
    await same_as_fresh(engine, session, base)


async def a_reply_that_is_not_kept_leaves_no_trace(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 50)
    await session.sync(stream)
    one = await taken(session.stream(max_tokens=12))
    two = await taken(session.stream(max_tokens=12))
    assert one == two
    assert len(one) == 12
    await taken(session.stream(tokens(9, 5), max_tokens=12))
    assert session.mark() == 50
    await same_as_fresh(engine, session, stream)


async def a_reply_that_is_kept_is_part_of_the_stream(engine: Engine) -> None:
    session = await engine.open("c")
    stream, suffix = tokens(1, 50), tokens(2, 4)
    await session.sync(stream)
    reply = await taken(session.stream(suffix, max_tokens=9, keep=True))
    assert session.mark() == 50 + 4 + 9
    extent = await session.sync([*stream, *suffix, *reply, *tokens(3, 3)])
    assert (extent.reused, extent.computed, extent.rolled_back) == (63, 3, 0), "what was written need not be read"
    await same_as_fresh(engine, session, [*stream, *suffix, *reply, *tokens(3, 3)])


async def a_suffix_counts_like_synced_tokens(engine: Engine) -> None:
    one, two = await engine.open("one"), await engine.open("two")
    stream, suffix = tokens(1, 50), tokens(2, 4)
    await one.sync(stream)
    await two.sync([*stream, *suffix])
    assert await taken(one.stream(suffix, max_tokens=9)) == await taken(two.stream(max_tokens=9))


async def a_stop_id_ends_a_reply_and_is_its_last_token(engine: Engine) -> None:
    session = await engine.open("c")
    await session.sync(tokens(1, 50))
    whole = await taken(session.stream(max_tokens=10))
    stop = whole[4]
    stopped = await taken(session.stream(max_tokens=10, stop_ids=[stop]))
    assert stopped == whole[: whole.index(stop) + 1]


async def an_aborted_reply_leaves_a_session_that_can_be_used(engine: Engine) -> None:
    for keep in (False, True):
        session = await engine.open("c")
        stream = tokens(1, 50)
        await session.sync(stream)
        begun = await taken(session.stream(max_tokens=40, keep=keep), most=3)
        if not keep:
            assert session.mark() == 50
        assert len(begun) < 40
        await same_as_fresh(engine, session, [*stream, *tokens(2, 3)])


async def a_cancelled_sync_leaves_a_session_that_can_be_used(engine: Engine) -> None:
    for hops in range(1, 12):
        session = await engine.open("c")
        await session.sync(tokens(1, 10))
        async with asyncio.TaskGroup() as group:
            task = group.create_task(session.sync([*tokens(1, 10), *tokens(2, 4 * PREFILL_SLICE)]))
            for _ in range(hops):
                await asyncio.sleep(0)
            task.cancel()
        await same_as_fresh(engine, session, [*tokens(1, 10), *tokens(3, 20)])


async def a_cancelled_reply_leaves_a_session_that_can_be_used(engine: Engine) -> None:
    for hops in range(1, 12):
        session = await engine.open("c")
        stream = tokens(1, 40)
        await session.sync(stream)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(taken(session.stream(max_tokens=30, keep=True)))
            for _ in range(hops):
                await asyncio.sleep(0)
            task.cancel()
        await same_as_fresh(engine, session, [*stream, *tokens(3, 5)])


async def a_fork_goes_its_own_way(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 40)
    await session.sync(stream)
    twin = await session.fork()
    assert twin.mark() == 40
    extent = await twin.sync([*stream, *tokens(2, 10)])
    assert (extent.reused, extent.computed) == (40, 10)
    await session.sync([*stream, *tokens(3, 10)])
    await same_as_fresh(engine, twin, [*stream, *tokens(2, 10)])
    await same_as_fresh(engine, session, [*stream, *tokens(3, 10)])


async def scores_are_log_probabilities_and_change_nothing(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 40)
    await session.sync(stream)
    scores = await session.score([[40], [41], [40]])
    assert len(scores) == 3
    assert scores[0] == scores[2]
    assert all(score <= 0 for score in scores)
    assert session.mark() == 40
    await same_as_fresh(engine, session, stream)


async def a_score_is_the_sum_of_the_models_log_probabilities(engine: Engine) -> None:
    """Of one token (is the turn over?) and of words to come; right after a sync, and after a rollback too."""
    session = await engine.open("c")
    stream = tokens(1, 40)
    asked = [[40], tokens(5, 6), [3, 71], tokens(6, 2)]
    await session.sync([*stream, *tokens(2, 9)])
    await session.rewind(40)
    for _ in range(2):
        for continuation, score in zip(asked, await session.score(asked), strict=True):
            truth = log_probabilities([*stream, *continuation])[39:-1]
            assert score == pytest.approx(truth[range(len(continuation)), continuation].sum(), abs=1e-4)
    await same_as_fresh(engine, session, stream)


class Ladder:
    """A grammar: a token from each of `rungs` in turn."""

    def __init__(self, rungs: Sequence[Sequence[int]]) -> None:
        self.rungs = rungs
        self.taken: list[int] = []

    @property
    def done(self) -> bool:
        return len(self.taken) == len(self.rungs)

    def allowed(self) -> Any:
        mask = np.zeros(VOCABULARY, bool)
        mask[list(self.rungs[len(self.taken)])] = True
        return mask

    def advance(self, token: int) -> None:
        self.taken.append(token)

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        return token


class Contrary(Ladder):
    """One that never takes the likeliest token, and asks how sure the engine was of it."""

    def __init__(self, rungs: Sequence[Sequence[int]]) -> None:
        super().__init__(rungs)
        self.asked: list[tuple[int, float]] = []

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        self.asked.append((token, entropy()))
        return next(other for other in self.rungs[len(self.taken)] if other != token)


async def under_a_grammar_the_likeliest_allowed_token_comes_and_its_end_is_the_end(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 30)
    await session.sync(stream)
    rungs = [tokens(seed, 5) for seed in range(20, 34)]
    grammar = Ladder(rungs)
    said = await taken(session.stream(max_tokens=40, grammar=grammar))
    assert said == grammar.taken
    truth = log_probabilities([*stream, *said])[29:-1]
    assert said == [max(rung, key=row.__getitem__) for rung, row in zip(rungs, truth, strict=True)]
    await same_as_fresh(engine, session, stream)


async def a_grammar_is_told_how_sure_the_choice_is(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 30)
    await session.sync(stream)
    rungs = [tokens(seed, 5) for seed in range(20, 34)]
    grammar = Contrary(rungs)
    said = await taken(session.stream(max_tokens=40, grammar=grammar))
    assert said == grammar.taken
    assert not any(one == likeliest for one, (likeliest, _) in zip(said, grammar.asked, strict=True))
    truth = log_probabilities([*stream, *said])[29:-1]
    for rung, row, (_, entropy) in zip(rungs, truth, grammar.asked, strict=True):
        shares = np.exp(np.array([row[token] for token in sorted(set(rung))], np.float64))
        shares /= shares.sum()
        assert entropy == pytest.approx(-float((shares * np.log(shares)).sum()), abs=1e-3)
    await same_as_fresh(engine, session, stream)


async def an_adapter_that_is_not_served_is_refused_by_name(engine: Engine) -> None:
    ref = AdapterRef("front-desk", 3, "/nowhere")
    for refused in (engine.load_adapter(ref), engine.unload_adapter(ref), engine.open("c", adapter=ref)):
        with pytest.raises(ValueError, match="front-desk"):
            await refused


async def a_mark_can_be_gone_back_to(engine: Engine) -> None:
    session = await engine.open("c")
    stream = tokens(1, 40)
    await session.sync(stream)
    mark = session.mark()
    await taken(session.stream(max_tokens=20, keep=True))
    assert session.mark() == mark + 20
    await session.rewind(mark)
    assert session.mark() == mark
    scores, reply = await fingerprint(session)
    fresh = await engine.open("fresh")
    await fresh.sync(stream)
    wanted, wanted_reply = await fingerprint(fresh)
    assert np.max(np.abs(np.array(scores) - np.array(wanted))) <= 1e-4
    assert reply == wanted_reply
    for wrong in (mark + 1, -1):
        with pytest.raises(ValueError, match="mark"):
            await session.rewind(wrong)


async def many_sessions_at_once_are_as_good_as_each_alone(engine: Engine) -> None:
    async def life(number: int) -> list[tuple[list[float], list[int]]]:
        session = await engine.open(f"call {number}")
        seen = []
        for turn in range(4):
            await session.sync([*tokens(number, 20 + 7 * number), *tokens(100 * number + turn, 5 + number)])
            seen.append(await fingerprint(session))
        await session.close()
        return seen

    alone = [await life(number) for number in range(1, 6)]
    together = await asyncio.gather(*(life(number) for number in range(1, 6)))
    for one, other in zip(alone, together, strict=True):
        for (scores, reply), (wanted, wanted_reply) in zip(other, one, strict=True):
            assert np.max(np.abs(np.array(scores) - np.array(wanted))) <= 1e-4
            assert reply == wanted_reply


async def a_warmed_prefix_is_what_new_sessions_start_with(engine: Engine) -> None:
    card = tokens(1, 60)
    warmed = await engine.warm(card)
    assert (warmed.total, warmed.computed) == (60, 60)
    one, two = await engine.open("one"), await engine.open("two")
    extent = await one.sync([*card, *tokens(2, 5)])
    assert extent.computed == 5
    await same_as_fresh(engine, one, [*card, *tokens(2, 5)])
    await same_as_fresh(engine, two, tokens(7, 30))


async def a_closed_session_holds_nothing(engine: Engine) -> None:
    session = await engine.open("c")
    await session.sync(tokens(1, 40))
    await session.close()
    assert session.mark() == 0


async def a_deadline_stops_between_slices_and_tells_how_far_it_came(engine: Engine) -> None:
    session = await engine.open("c")
    await session.sync(tokens(1, 10))
    now_s = asyncio.get_running_loop().time()
    extent = await session.sync([*tokens(1, 10), *tokens(2, 90)], deadline_s=now_s)
    assert extent.total == extent.reused + extent.computed == session.mark()
    await same_as_fresh(engine, session, [*tokens(1, 10), *tokens(2, 90)])


async def what_an_engine_says_it_can_it_can(engine: Engine) -> None:
    assert engine.caps.ids
    assert engine.caps.exact_rollback
    assert engine.caps.fork
    assert engine.caps.logprobs


CONTRACT: tuple[Check, ...] = (
    sync_accounts_for_every_token,
    reading_may_be_left_to_what_follows,
    a_revision_leaves_no_trace,
    a_reply_that_is_not_kept_leaves_no_trace,
    a_reply_that_is_kept_is_part_of_the_stream,
    a_suffix_counts_like_synced_tokens,
    a_stop_id_ends_a_reply_and_is_its_last_token,
    an_aborted_reply_leaves_a_session_that_can_be_used,
    a_cancelled_sync_leaves_a_session_that_can_be_used,
    a_cancelled_reply_leaves_a_session_that_can_be_used,
    a_fork_goes_its_own_way,
    scores_are_log_probabilities_and_change_nothing,
    a_mark_can_be_gone_back_to,
    many_sessions_at_once_are_as_good_as_each_alone,
    a_warmed_prefix_is_what_new_sessions_start_with,
    a_closed_session_holds_nothing,
    a_deadline_stops_between_slices_and_tells_how_far_it_came,
    what_an_engine_says_it_can_it_can,
)


TRUE_TO_THE_MODEL: tuple[Check, ...] = (
    a_score_is_the_sum_of_the_models_log_probabilities,
    under_a_grammar_the_likeliest_allowed_token_comes_and_its_end_is_the_end,
    an_adapter_that_is_not_served_is_refused_by_name,
)


def held(made: Callable[[], Any], check: Check) -> None:
    """Run one check against a new engine, in virtual time."""

    async def main() -> None:
        async with made() as engine:
            await check(engine)
            await engine.close()

    run_virtual(main())


@pytest.mark.parametrize("check", CONTRACT, ids=lambda check: check.__name__)
@pytest.mark.parametrize("made", ENGINES)
def test_the_contract_holds(made: Callable[[], Any], check: Check) -> None:
    held(made, check)


@pytest.mark.parametrize(
    "check", [*TRUE_TO_THE_MODEL, a_grammar_is_told_how_sure_the_choice_is], ids=lambda check: check.__name__
)
@pytest.mark.parametrize("made", REAL)
def test_an_engine_says_what_its_model_says(made: Callable[[], Any], check: Check) -> None:
    held(made, check)


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
@pytest.mark.parametrize("made", ENGINES)
def test_after_any_life_a_session_is_as_good_as_a_fresh_one(made: Callable[[], Any], data: st.DataObject) -> None:
    async def any_life(engine: Engine) -> None:
        session = await engine.open("c")
        await session.sync(tokens(1, 5))
        for _ in range(data.draw(st.integers(1, 6))):
            what = data.draw(st.sampled_from(["sync", "stream", "keep", "abort", "score", "fork", "rewind", "cancel"]))
            size, seed = data.draw(st.integers(1, 80)), data.draw(st.integers(2, 4))
            if what == "sync":
                await session.sync([*tokens(1, 5), *tokens(seed, size)])
            elif what in ("stream", "keep"):
                await taken(session.stream(max_tokens=size % 15 + 1, keep=what == "keep"))
            elif what == "abort":
                await taken(session.stream(max_tokens=30, keep=size % 2 == 0), most=size % 9)
            elif what == "score":
                await session.score([tokens(seed, size % 3 + 1)])
            elif what == "fork":
                session = await session.fork()
            elif what == "rewind":
                await session.rewind(min(session.mark(), 4 + size % 10))
            else:
                async with asyncio.TaskGroup() as group:
                    task = group.create_task(session.sync([*tokens(1, 4), *tokens(seed, size)]))
                    for _ in range(size % 7):
                        await asyncio.sleep(0)
                    task.cancel()
        await same_as_fresh(engine, session, [*tokens(1, 5), *tokens(7, 12)])

    held(made, any_life)
