"""A call at a server that takes token ids: its cache is the server's prefix cache, and every request brings all tokens.

So a rollback costs nothing here and a fork is a copy of a list. `sync` is a request for one token that nobody reads:
what it leaves in the cache is the point. It is sent for enough new tokens or after a pause, gives way to a newer one,
and may fail without harm: the next reply then computes more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from audio.engines.openai_server.faults import ServerFault
from audio.engines.openai_server.line import Reply

from ...ports import Extent, Grammar
from ..writing import Writing
from .completions import Piece, Write

if TYPE_CHECKING:
    from .engine import OpenAIEngine

__all__ = ["IdsSession", "WarmSettings"]

TRIES = 2
"""How often in a row a reply is asked for without a token of it coming."""
FAR_AWAY = -1e9
"""Log-probability of a token that a server without echo did not name and that nothing bounds."""


@dataclass(frozen=True, slots=True)
class WarmSettings:
    """When the server is asked to read ahead, and how long a reply waits for a busy one."""

    least_tokens: int = 4
    """New tokens that are worth a request. A recogniser's tick brings 1 or 2; a server with blocks of 16 (vLLM) keeps
    nothing of them. A guess."""
    pause_s: float = 1.0
    """Fewer go out when the last request was this long ago. A guess: longer than the pause that ends most turns, so
    that it does not come between the end of a turn and its answer."""
    retry_s: float = 2.0
    """A reply that the server puts off waits at most so long for its second try; a call falls silent meanwhile. A
    guess, about the wait at which people ask whether anybody is there."""


class IdsSession:
    """One call's tokens. `tokens`: what the next request goes on from. `held`: what the server was made to read."""

    def __init__(self, engine: OpenAIEngine, tokens: Sequence[int], held: Sequence[int] = ()) -> None:
        self._engine = engine
        self.tokens = list(tokens)
        self.held = list(held)
        self._warming: Reply[Piece] | None = None
        self._asked_s = float("-inf")

    async def sync(
        self,
        tokens: Sequence[int],
        *,
        stable: int | None = None,
        deadline_s: float | None = None,
        ahead: bool = True,
    ) -> Extent:
        """See the port. What was not worth a request is missing from `Extent.total`, and read with the next reply.

        Raises `ServerFault` only where the server will never take a request of ours.
        """
        begin_s = asyncio.get_running_loop().time()
        wanted = list(tokens)
        common = _common(self.held, wanted)
        dropped = max(0, len(self.tokens) - _common(self.tokens, wanted))
        self._give_up_warming()
        if deadline_s is not None and begin_s >= deadline_s:
            self.tokens = wanted[:common]
            return Extent(common, common, 0, dropped, 0.0)
        self.tokens = wanted
        if not ahead:
            return Extent(len(wanted), common, len(wanted) - common, dropped, 0.0)
        new, warm = len(wanted) - common, self._engine.warm_settings
        if new == 0 or (new < warm.least_tokens and begin_s - self._asked_s < warm.pause_s):
            return Extent(common, common, 0, dropped, 0.0)
        try:
            async with asyncio.timeout_at(deadline_s):
                cached = await self._read_ahead(wanted)
        except TimeoutError:
            self.tokens = wanted[:common]
            cached = None
        elapsed_s = asyncio.get_running_loop().time() - begin_s
        if cached is None:
            return Extent(common, common, 0, dropped, elapsed_s)
        # a server that does not count its hits is believed to hold what it was asked before
        reused = common if cached < 0 else min(cached, len(wanted))
        return Extent(len(wanted), reused, len(wanted) - reused, dropped, elapsed_s)

    async def stream(
        self,
        suffix: Sequence[int] = (),
        *,
        max_tokens: int,
        stop_ids: Iterable[int] = (),
        grammar: Grammar | None = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:
        """See the port. Greedy. The synced tokens must not be empty.

        A grammar is kept on our side: the server writes freely, and where its next token is not allowed, the likeliest
        of the allowed ones is asked for. A reply that breaks off goes on from where it stood, as long as each try
        brings something. Raises `ServerFault`.
        """
        self._give_up_warming()
        before = list(self.tokens)
        self.tokens += suffix
        reply = Writing(grammar if self._engine.caps.grammar else None, frozenset(stop_ids), max_tokens)
        only: list[int] = []
        tries = TRIES
        try:
            while not reply.over:
                answer = self._engine.write(self._next_request(reply, only))
                broke_off: ServerFault | None = None
                try:
                    while (fresh := await self._engine.next_tokens(answer, reply)) is not None:
                        if only and reply.refused:
                            raise self._engine.bias_ignored(only)
                        self.held = list(self.tokens)
                        if fresh:
                            tries = TRIES
                            self.tokens += fresh
                            self.held = self.tokens[:-1]  # the last token was written, and read by nobody
                            yield fresh
                        if reply.over or reply.refused:
                            break
                    else:
                        tries -= 1  # it ended by itself; perhaps at an end of its own, which comes again
                except ServerFault as fault:
                    tries, broke_off = tries - 1, fault
                finally:
                    answer.abort()
                if broke_off is not None:
                    await self._engine.before_another_try(broke_off, tries)
                elif tries <= 0:
                    return
                only = []
                if reply.refused:
                    only = reply.forced()
                    if forced := reply.fresh:
                        reply.fresh = []
                        self.tokens += forced
                        yield forced
        finally:
            self._asked_s = asyncio.get_running_loop().time()
            if not keep:
                self.tokens = before

    async def fork(self) -> IdsSession:
        """A copy with the same tokens; the server's cache is shared anyway."""
        return IdsSession(self._engine, self.tokens, self.held)

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """Log-probabilities after the synced tokens. Raises `ServerFault`.

        Single tokens among the likeliest cost a cached prompt. Others need a server that echoes, which reads each
        prompt afresh; at one that does not, a token that is not named counts as just less likely than the last named.
        """
        self._give_up_warming()
        known: dict[tuple[int, ...], float] = dict.fromkeys((tuple(one) for one in continuations), 0.0)
        echo = self._engine.scores_by_echo
        missing = list(known)
        if any(len(one) == 1 for one in missing):
            after = await self._engine.top_after(self.tokens)
            self.held, self._asked_s = list(self.tokens), asyncio.get_running_loop().time()
            floor = min(after.values(), default=FAR_AWAY)
            for one in [one for one in missing if len(one) == 1 and (one[0] in after or not echo)]:
                known[one] = after.get(one[0], floor)
                missing.remove(one)
        if missing and not echo:
            raise ValueError(f"the server echoes no prompt, so {missing[0]} cannot be scored; score single tokens")
        if missing:
            rows = await self._engine.of_prompts([[*self.tokens, *one] for one in missing])
            for whole, row in zip(missing, rows, strict=True):
                known[whole] = sum(row[len(self.tokens) :])
        return [known[tuple(one)] for one in continuations]

    def mark(self) -> int:
        """The current length in tokens."""
        return len(self.tokens)

    async def rewind(self, mark: int) -> None:
        """Drop everything after `mark`. Raises `ValueError` when it lies ahead."""
        if not 0 <= mark <= len(self.tokens):
            raise ValueError(f"mark {mark} lies outside of the session's {len(self.tokens)} tokens")
        del self.tokens[mark:]

    async def close(self) -> None:
        """Forget the tokens; the server drops its cache when it needs the room."""
        self._give_up_warming()
        self.tokens, self.held = [], []

    def _next_request(self, reply: Writing, only: Sequence[int]) -> Write:
        if not only:
            return Write(tuple(self.tokens), reply.left)
        size = self._engine.vocabulary_size
        if size and len(only) > size // 2:
            allowed = frozenset(only)
            return Write(tuple(self.tokens), 1, never=tuple(one for one in range(size) if one not in allowed))
        return Write(tuple(self.tokens), 1, only=tuple(only))

    async def _read_ahead(self, wanted: Sequence[int]) -> int | None:
        """Have the server read; the tokens it had already, -1 where it does not say, None where it did not read."""
        answer = self._warming = self._engine.write(Write(tuple(wanted), 1))
        self._asked_s = asyncio.get_running_loop().time()
        try:
            cached = await self._engine.read(answer)
            superseded = answer.aborted
        except ServerFault as fault:
            if not fault.recovered:
                raise
            return None
        finally:
            answer.abort()
            if self._warming is answer:
                self._warming = None
        if superseded:
            return None
        self.held = list(wanted)
        return cached

    def _give_up_warming(self) -> None:
        if self._warming is not None:
            self._warming.abort()
            self._warming = None


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    """Length of the longest common prefix."""
    pairs = zip(a, b, strict=False)
    return next((at for at, (left, right) in enumerate(pairs) if left != right), min(len(a), len(b)))
