"""The engine contract notices a broken rollback: engines that are wrong on purpose must fail it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from copy import copy
from typing import Any

import pytest

from agent_runtime.clock import run_outside
from agent_runtime.engines.embedded import EmbeddedEngine, EmbeddedSession
from agent_runtime.ports import AdapterRef, Engine, Extent
from agent_runtime.testing.fakes import FakeEngine, FakeSession, WordLanguage
from policies.learned.core.model import Cache, CoreModel
from tests.agent_runtime.engines.test_contract import (
    Check,
    a_fork_goes_its_own_way,
    a_mark_can_be_gone_back_to,
    a_reply_that_is_not_kept_leaves_no_trace,
    a_revision_leaves_no_trace,
    a_score_is_the_sum_of_the_models_log_probabilities,
    held,
    sync_accounts_for_every_token,
)
from tests.agent_runtime.engines.tiny_engines import (
    MODEL,
    NEEDS_TORCH,
    VOCABULARY,
    share_of,
    tiny_model,
    torch_model,
    written,
)

# --- the contract notices ----------------------------------------------------------------------------------------


class LeakyCache(Cache):
    """Forgets one position too few at a rollback."""

    __slots__ = ()

    def truncate(self, length: int) -> None:
        super().truncate(min(self.length, length + 1) if length else 0)


class LeakyModel(CoreModel):
    """A model with caches that leak."""

    def new_cache(self) -> Cache:
        return LeakyCache(self.pool)


class ForgetfulSession(EmbeddedSession):
    """Rolls its own books back, and not the cache behind them."""

    def _truncate(self, length: int) -> None:
        del self.tokens[length:]
        self._logits = None


class KeepingSession(FakeSession):
    """Keeps what was only a draft."""

    async def stream(
        self, suffix: Sequence[int] = (), *, max_tokens: int, stop_ids: Iterable[int] = (), grammar: Any = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:  # fmt: skip
        async for piece in super().stream(suffix, max_tokens=max_tokens, stop_ids=stop_ids, keep=True):
            yield piece


class AppendingSession(FakeSession):
    """Understands "make your cache equal" as "append"."""

    async def sync(
        self, tokens: Sequence[int], *, stable: int | None = None, deadline_s: float | None = None, ahead: bool = True
    ) -> Extent:
        await super().sync([*self.tokens, *tokens[len(self.tokens) :]])
        return Extent(len(tokens), 0, len(tokens), 0, 0.0)


class StatefulEngine(FakeEngine):
    """An engine whose sessions are of a broken kind."""

    kind: type[FakeSession] = FakeSession

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> FakeSession:
        return self.kind(self, list(self.warmed)) if session != "fresh" else FakeSession(self, [])


def broken_fake(kind: type[FakeSession]) -> Callable[[], Any]:
    """The fake engine with broken sessions."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Engine]:
        language = WordLanguage()
        for number in range(VOCABULARY):
            language.id_of(f"w{number}")
        engine = StatefulEngine(language, written, p_over=share_of)
        StatefulEngine.kind = kind
        yield engine

    return made


class ForgetfulEngine(EmbeddedEngine):
    """An engine whose sessions forget only in their books."""

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> EmbeddedSession:
        kind = EmbeddedSession if session == "fresh" else ForgetfulSession
        return kind(self, self.model.new_cache(), [])


@asynccontextmanager
async def leaky_engine() -> AsyncIterator[Engine]:
    """The embedded engine over a cache that rolls back wrongly."""
    model = tiny_model()
    model.__class__ = LeakyModel
    async with EmbeddedEngine(model, run_outside) as engine:
        yield engine


@asynccontextmanager
async def forgetful_engine() -> AsyncIterator[Engine]:
    """The embedded engine with sessions that do not tell the cache."""
    async with ForgetfulEngine(MODEL, run_outside) as engine:
        yield engine


class SharingSession(EmbeddedSession):
    """Forks without a copy."""

    async def fork(self) -> EmbeddedSession:
        return EmbeddedSession(self._engine, self.cache, list(self.tokens))


class SharingEngine(EmbeddedEngine):
    """An engine whose forks write into each other's cache."""

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> EmbeddedSession:
        return SharingSession(self, self.model.new_cache(), [])


@asynccontextmanager
async def sharing_engine() -> AsyncIterator[Engine]:
    """The embedded engine with forks that are none."""
    async with SharingEngine(MODEL, run_outside) as engine:
        yield engine


@asynccontextmanager
async def leaky_torch_engine() -> AsyncIterator[Engine]:
    """The torch engine over caches that roll back one position too few."""
    from agent_runtime.engines.torch import TorchEngine
    from agent_runtime.engines.torch.forward import TorchModel

    class Leaky(TorchModel):
        def crop(self, cache: Any, length: int) -> Any:
            return super().crop(cache, min(cache.get_seq_length(), length + 1) if length else 0)

    model = copy(torch_model())
    model.__class__ = Leaky
    async with TorchEngine(model, run_outside) as engine:
        yield engine


@pytest.mark.parametrize(
    ("made", "check"),
    [
        (leaky_engine, a_revision_leaves_no_trace),
        (leaky_engine, a_reply_that_is_not_kept_leaves_no_trace),
        (leaky_engine, a_mark_can_be_gone_back_to),
        (forgetful_engine, a_revision_leaves_no_trace),
        (forgetful_engine, a_mark_can_be_gone_back_to),
        (leaky_engine, a_score_is_the_sum_of_the_models_log_probabilities),
        (sharing_engine, a_fork_goes_its_own_way),
        pytest.param(leaky_torch_engine, a_revision_leaves_no_trace, marks=NEEDS_TORCH),
        pytest.param(leaky_torch_engine, a_mark_can_be_gone_back_to, marks=NEEDS_TORCH),
        (broken_fake(KeepingSession), a_reply_that_is_not_kept_leaves_no_trace),
        (broken_fake(AppendingSession), a_revision_leaves_no_trace),
        (broken_fake(AppendingSession), sync_accounts_for_every_token),
    ],
)
def test_an_engine_that_rolls_back_wrongly_fails_the_contract(made: Callable[[], Any], check: Check) -> None:
    with pytest.raises(AssertionError):
        held(made, check)
