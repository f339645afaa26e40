"""A call in vLLM: its cache is vLLM's prefix cache, and every request brings all tokens.

So a rollback costs nothing here and a fork is a copy of a list. The cache keeps whole blocks (`Caps.block_tokens`):
what lies behind the last full block is computed again by each request, which is one short step. `sync` is a request
for one token that nobody reads, sent only where it fills a block that was not read before. At most one such warm-up of
a session is under way: a newer one, or a reply, first has it aborted and waits for the engine's word.

A grammar is kept on our side (`engines.writing`): vLLM writes freely, and where its next token may not come, the
likeliest of those that may is asked for by ``allowed_token_ids``. A logits processor of our own would save that second
request, but it would run our Python between the steps of all calls, in vLLM's process, on a copy of a grammar that is
made of the call; and vLLM schedules the next step before the last token is known, so it would be a token late.

Scores are of one next token each (``logprob_token_ids``), because a request for ``prompt_logprobs`` reads nothing from
the prefix cache. Words of n tokens are n requests that go out together and share the prefix.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import TYPE_CHECKING

from vllm.lora.request import LoRARequest

from ...ports import Extent, Grammar
from ..writing import Writing
from .faults import VLLMFault
from .line import Answer, Request, chosen

if TYPE_CHECKING:
    from .engine import VLLMEngine

__all__ = ["VLLMSession"]

REPLY, DRAFT, WARM_UP = 0, 5, 6
"""Within one session's priority: a reply and the score that a turn's end hangs on, a draft, a warm-up. Lower goes
first, with room between."""
A_SESSION = 10
"""Priorities between two sessions' own."""
ASKED_MOST = 128
"""Tokens whose log-probability one request may ask for (vLLM's `MAX_LOGPROB_TOKEN_IDS`)."""


class VLLMSession:
    """One call's tokens. `tokens`: what the next request goes on from. `held`: what vLLM was made to read of them."""

    def __init__(
        self,
        engine: VLLMEngine,
        name: str,
        *,
        priority: int = 0,
        adapter: LoRARequest | None = None,
        tokens: Sequence[int] = (),
        held: Sequence[int] = (),
    ) -> None:
        self._engine, self._name, self._priority, self._adapter = engine, name, priority, adapter
        self.tokens, self.held = list(tokens), list(held)
        self._warming: Answer | None = None

    async def sync(
        self,
        tokens: Sequence[int],
        *,
        stable: int | None = None,
        deadline_s: float | None = None,
        ahead: bool = True,
    ) -> Extent:
        """See the port. What fills no new block, or is not read `ahead`, is read with the next request.

        `Extent.computed` counts it all the same. What stands behind the last full block is counted once, when it comes,
        though every request computes it again. Raises `VLLMFault`.
        """
        loop = asyncio.get_running_loop()
        begin_s = loop.time()
        wanted = list(tokens)
        await self._settle()
        dropped = len(self.tokens) - _common(self.tokens, wanted)
        common = _common(self.held, wanted)
        if deadline_s is not None and begin_s >= deadline_s:
            self.tokens = wanted[:common]
            return Extent(common, common, 0, dropped, 0.0)
        self.tokens = wanted
        block = self._engine.caps.block_tokens
        fills_none = len(wanted) // block <= common // block
        if fills_none or not ahead:
            if fills_none:
                self.held = wanted if len(wanted) > common else self.held
            return Extent(len(wanted), common, len(wanted) - common, dropped, loop.time() - begin_s)
        try:
            async with asyncio.timeout_at(deadline_s):
                cached = await self._read_ahead(wanted)
        except TimeoutError:
            self.tokens, cached = wanted[:common], None
        elapsed_s = loop.time() - begin_s
        if cached is None:
            return Extent(common, common, 0, dropped, elapsed_s)
        return Extent(len(wanted), cached, len(wanted) - cached, dropped, elapsed_s)

    async def stream(
        self,
        suffix: Sequence[int] = (),
        *,
        max_tokens: int,
        stop_ids: Iterable[int] = (),
        grammar: Grammar | None = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:
        """See the port. Greedy. The synced tokens must not be empty. Raises `VLLMFault`.

        A reply that would outgrow the model's positions ends there.
        """
        await self._settle()
        before = list(self.tokens)
        self.tokens += suffix
        reply = Writing(grammar, frozenset(stop_ids), max_tokens)
        only: Sequence[int] = ()
        try:
            while not reply.over:
                answer = self._ask(1 if only else reply.left, REPLY if keep else DRAFT, only=only, stops=reply.stops)
                try:
                    while (fresh := await self._engine.next_tokens(answer, reply)) is not None:
                        if only and reply.refused:
                            raise VLLMFault(f"vLLM wrote none of the {len(only)} tokens that may come")
                        self.held = list(self.tokens)
                        if fresh:
                            self.tokens += fresh
                            self.held = self.tokens[:-1]  # the last token was written, and read by nobody
                            yield fresh
                        if reply.over or reply.refused:
                            break
                    else:
                        if not only:
                            return  # no room for more
                finally:
                    await self._engine.finish(answer)
                only = ()
                if reply.refused:
                    only = reply.forced()
                    if forced := reply.fresh:
                        reply.fresh = []
                        self.tokens += forced
                        yield forced
        finally:
            if not keep:
                self.tokens = before

    async def fork(self) -> VLLMSession:
        """A session with the same tokens; vLLM's cache is shared anyway."""
        return VLLMSession(
            self._engine,
            self._name,
            priority=self._priority,
            adapter=self._adapter,
            tokens=self.tokens,
            held=self.held,
        )

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """Log-probabilities after the synced tokens; nothing changes. Raises `VLLMFault`."""
        await self._settle()
        wanted: dict[tuple[int, ...], dict[int, float]] = {}
        for one in continuations:
            for at, token in enumerate(one):
                wanted.setdefault(tuple(one[:at]), {})[token] = 0.0
        answers: list[tuple[tuple[int, ...], list[int], Answer]] = []
        try:
            for after, asked in wanted.items():
                for begin in range(0, len(asked), ASKED_MOST):
                    piece = list(asked)[begin : begin + ASKED_MOST]
                    answers.append((after, piece, self._ask(1, REPLY, after=after, asked=piece)))
            for after, piece, answer in answers:
                found = await self._engine.first(answer)
                wanted[after].update(zip(piece, chosen(found.scores or {}, piece), strict=True))
        finally:
            for _, _, answer in answers:
                await self._engine.finish(answer)
        if answers:
            self.held = list(self.tokens)
        return [sum(wanted[tuple(one[:at])][token] for at, token in enumerate(one)) for one in continuations]

    def mark(self) -> int:
        """The current length in tokens."""
        return len(self.tokens)

    async def rewind(self, mark: int) -> None:
        """Drop everything after `mark`. Raises `ValueError` when it lies ahead."""
        if not 0 <= mark <= len(self.tokens):
            raise ValueError(f"mark {mark} lies outside of the session's {len(self.tokens)} tokens")
        del self.tokens[mark:]

    async def close(self) -> None:
        """Forget the tokens; vLLM drops its blocks when it needs the room."""
        await self._settle()
        self.tokens, self.held = [], []

    def _ask(
        self,
        most: int,
        priority: int,
        *,
        after: Sequence[int] = (),
        only: Sequence[int] = (),
        asked: Sequence[int] = (),
        stops: Iterable[int] = (),
    ) -> Answer:
        request = Request(
            (*self.tokens, *after),
            most,
            self._priority * A_SESSION + priority,
            stops=tuple(sorted(stops)),
            only=tuple(only),
            asked=tuple(asked),
            adapter=self._adapter,
        )
        return self._engine.write(self._name, request)

    async def _read_ahead(self, wanted: Sequence[int]) -> int | None:
        """Have vLLM read; the tokens it had already, None where a newer order took over."""
        answer = self._warming = self._ask(1, WARM_UP)
        try:
            found = await self._engine.first(answer)
            superseded = answer.aborted
        finally:
            await self._engine.finish(answer)
            if self._warming is answer:
                self._warming = None
        if superseded:
            return None
        self.held = list(wanted)
        return found.cached

    async def _settle(self) -> None:
        """A warm-up that still runs is given up, and the engine has said so."""
        if self._warming is not None:
            answer, self._warming = self._warming, None
            await self._engine.finish(answer)


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    pairs = zip(a, b, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(a), len(b)))
