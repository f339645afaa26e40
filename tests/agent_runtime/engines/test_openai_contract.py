"""The engine contract, held over HTTP: the official client, a real server, our core model behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from agent_runtime.ports import Engine
from tests.agent_runtime.engines import test_contract as contract
from tests.agent_runtime.engines.core_server import CoreServer, Form
from tests.agent_runtime.engines.openai_servers import NEEDS_CLIENT, TINY, ids_engine
from tests.agent_runtime.engines.test_contract import Check, held, same_as_fresh, taken, tokens
from tests.agent_runtime.engines.tiny_engines import VOCABULARY

pytestmark = NEEDS_CLIENT


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def served(form: Form) -> Callable[[], Any]:
    """An engine over a server of that form, which is new and knows nothing; every sync is sent, however short."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Any]:
        from agent_runtime.engines.openai import WarmSettings

        with CoreServer(TINY, form=form) as server:
            async with ids_engine(server, warm=WarmSettings(least_tokens=1)) as engine:
                if form == "vllm":
                    # The checks score every token there is: one answer may name them all. `score` by echo, which reads
                    # each prompt afresh, is left to the continuations of several tokens.
                    engine._top = VOCABULARY
                server.forget()
                yield engine

    return made


async def a_reply_that_is_kept_need_not_be_read_but_for_its_last_token(engine: Engine) -> None:
    """As in the contract, one token apart: no server reads its own last token."""
    session = await engine.open("c")
    stream, suffix = tokens(1, 50), tokens(2, 4)
    await session.sync(stream)
    reply = await taken(session.stream(suffix, max_tokens=9, keep=True))
    assert session.mark() == 50 + 4 + 9
    extent = await session.sync([*stream, *suffix, *reply, *tokens(3, 3)])
    assert (extent.reused, extent.computed, extent.rolled_back) == (62, 4, 0)
    await same_as_fresh(engine, session, [*stream, *suffix, *reply, *tokens(3, 3)])


KEPT = "a_reply_that_is_kept_is_part_of_the_stream"
CHECKS: tuple[Check, ...] = (
    *(check for check in contract.CONTRACT if getattr(check, "__name__", "") != KEPT),
    a_reply_that_is_kept_need_not_be_read_but_for_its_last_token,
    *getattr(contract, "TRUE_TO_THE_MODEL", ()),
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_contract_holds_over_http(check: Check) -> None:
    held(served("vllm"), check)


UNSCORED = frozenset(
    "a_suffix_counts_like_synced_tokens a_stop_id_ends_a_reply_and_is_its_last_token sync_accounts_for_every_token "
    "a_closed_session_holds_nothing under_a_grammar_the_likeliest_allowed_token_comes_and_its_end_is_the_end".split()
)
"""What can be held without the score of every token, which a server without an echo (llama-server) does not give."""


@pytest.mark.parametrize("check", [one for one in CHECKS if getattr(one, "__name__", "") in UNSCORED])
@pytest.mark.parametrize("form", ["llama", "text"])
def test_servers_that_name_tokens_otherwise_hold_what_they_can(form: Form, check: Check) -> None:
    held(served(form), check)
