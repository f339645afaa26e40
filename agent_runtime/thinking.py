"""The organ that thinks: keeps the engine's cache equal to the call's stream, scores turns and writes replies.

One order at a time, in the order given; a waiting prefill gives way to a newer one, and to a reply. A cancelled
generation loses at most the slice in progress. It turns tokens into events and decides nothing: what a clause is, is a
policy; whether a tool may run is the mind's.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from policies.clauses import Clauses, for_pace
from policies.endpointing import share_of_end
from policies.trajectory import Role, Trajectory

from .bus import Bus
from .carrying_on import Begun
from .commands import CancelGeneration, Generate, Prefill, ScoreTurn
from .events import (
    ClauseGenerated,
    Event,
    ExpectationFormed,
    GenerationEnded,
    GenerationOutcome,
    PartFailed,
    PromptSynced,
    ThoughtFormed,
    ToolRequested,
    TurnScored,
)
from .ports import EngineSession, Grammar
from .record import Entry

__all__ = ["Language", "Thinking", "TurnReader"]


class Language(Protocol):
    """What thinking needs to know of the model's token language; fits the embedded engine's tokenizer and grammar.

    `turn_tokens`: the longest turn that may be an answer; a longer one is cut short.
    """

    turn_tokens: int

    def encode(self, trajectory: Trajectory) -> list[int]: ...
    def role(self, role: Role) -> int: ...
    def role_of(self, token: int) -> Role | None: ...
    def decode(self, tokens: Sequence[int]) -> str: ...
    def grammar(self, trajectory: Trajectory, *, after_result: bool, blocked: Sequence[str], due: str) -> Grammar: ...
    def call(self, spoken: str) -> tuple[str, dict[str, str], dict[str, Any]]: ...


StandIn = Callable[[Exception], Awaitable[tuple[str, Language, bool] | None]]
"""Of a fault: (what to log, the language of the engine that stands in, whether it scores); None: nobody does."""


@dataclass
class TurnReader:
    """Reads the tokens of one agent turn and says what they amount to, event by event. Pure.

    Bits of speech and the thoughts between them come out in their order; a bit's clauses end with the bit.
    """

    language: Language
    generation: int
    token_s: float = 0.0
    """What a token takes, as measured: decides how long the first clause may be."""

    def __post_init__(self) -> None:
        self.outcome: GenerationOutcome = "cut_short"
        self._role: Role | None = None
        self._tokens: list[int] = []
        self._shown = 0
        self._clauses = Clauses(for_pace(self.token_s))
        self._index = 0

    def feed(self, token: int) -> list[Event]:
        """The events that this token completes."""
        role = self.language.role_of(token)
        if role is None:
            self._tokens.append(token)
            return self._speak(self._new_text()) if self._role is Role.SAY else []
        events = self._close(role)
        self._role, self._tokens, self._shown = role, [], 0
        if role is Role.SILENCE:
            self.outcome = "silent"
        return events

    def go_on(self, tokens: Sequence[int], clauses: int) -> None:
        """The turn began with `tokens`, of which so many clauses were told; only what comes after them is told."""
        for token in tokens:
            role = self.language.role_of(token)
            self._role, self._tokens = (self._role, [*self._tokens, token]) if role is None else (role, [])
        if self._role is not Role.SAY:
            self._role = None  # what stands there is whole
        self._shown, self._index = len(self.language.decode(self._tokens)), clauses

    def end(self) -> list[Event]:
        """No more tokens come: what was still open, and the outcome stays ``cut_short``."""
        if self._role is not Role.SAY or self.outcome != "cut_short":
            return []
        events = self._close(Role.END)
        self.outcome = "cut_short"
        return events

    def _close(self, next_role: Role) -> list[Event]:
        text = self.language.decode(self._tokens).strip()
        if self._role is Role.THINK:
            return [ThoughtFormed(self.generation, text)]
        if self._role is Role.EXPECT:
            return [ExpectationFormed(self.generation, text)]
        if self._role is Role.SAY and next_role is Role.MORE:
            return self._speak(self._new_text(), rest=self._clauses.rest)
        if self._role is Role.SAY:
            self.outcome = "said_goodbye" if next_role is Role.BYE else "said"
            return self._speak(self._new_text(), rest=self._clauses.flush)
        if self._role is Role.CALL:
            self.outcome = "called"
            return [ToolRequested(self.generation, *self._call(text))]
        return []

    def _call(self, text: str) -> tuple[str, str, dict[str, str], dict[str, Any]]:
        tool, slots, arguments = self.language.call(text)
        return tool, text, slots, arguments

    def _new_text(self) -> str:
        text = self.language.decode(self._tokens)
        new, self._shown = text[self._shown :], len(text)
        return new

    def _speak(self, text: str, *, rest: Callable[[], list[str]] | None = None) -> list[Event]:
        """Clauses that are ready; with `rest` also what is left at the end of a bit or of the reply."""
        clauses = self._clauses.push(text)
        if rest is not None:
            clauses = [*clauses, *rest()]
        events: list[Event] = []
        for clause in clauses:
            if clause.strip():
                events.append(ClauseGenerated(self.generation, self._index, clause.strip()))
                self._index += 1
        return events


class Thinking:
    """The engine session of one call."""

    def __init__(
        self,
        bus: Bus,
        session: EngineSession,
        language: Language,
        *,
        scores: bool = True,
        stand_in: StandIn | None = None,
    ) -> None:
        """`scores`: the engine has log-probabilities; without them no turn is scored, and its end is judged without.

        `stand_in`: has the session go on at another engine (`engines.fallback`); asked when its work failed.
        """
        self._bus, self._session, self._stand_in = bus, session, stand_in
        self._think_in(language, scores)
        self._token_s = 1.0  # what a token took in the last generation; slow until it is known
        self._orders: deque[Entry] = deque()
        self._arrived = asyncio.Event()
        self._generating: tuple[int, asyncio.Task[None]] | None = None

    def _think_in(self, language: Language, scores: bool) -> None:
        self._language, self._scores = language, scores
        # where a grammar is kept, it ends the turn at these too
        self._stop_ids = [language.role(role) for role in (Role.END, Role.BYE, Role.SILENCE)]

    def obey(self, order: Entry) -> None:
        """Take an order; never waits."""
        what = order.what
        if isinstance(what, CancelGeneration):
            self._cancel(what.generation)
            return
        if isinstance(what, ScoreTurn) and not self._scores:
            return
        if isinstance(what, (Prefill, Generate)):
            # the latest wins; a reply reads by itself what is not read yet, and makes a score of its words late news
            late = Prefill if isinstance(what, Prefill) else (Prefill, ScoreTurn)
            self._orders = deque(waiting for waiting in self._orders if not isinstance(waiting.what, late))
        self._orders.append(order)
        self._arrived.set()

    async def run(self) -> None:
        """Carry out orders until cancelled. The session stays open: it belongs to whoever opened it."""
        while True:
            while not self._orders:
                self._arrived.clear()
                await self._arrived.wait()
            order = self._orders.popleft()
            if isinstance(order.what, Generate):
                await self._generate_cancellable(order.what, order.seq)
            elif isinstance(order.what, Prefill):
                await self._prefill(order.what, order.seq)
            elif isinstance(order.what, ScoreTurn):
                await self._score(order.what, order.seq)

    def _cancel(self, generation: int) -> None:
        if self._generating is not None and self._generating[0] == generation:
            self._generating[1].cancel()
            return
        for order in list(self._orders):
            if isinstance(order.what, Generate) and order.what.generation == generation:
                self._orders.remove(order)
                self._bus.post(GenerationEnded(generation, "cancelled", 0), order.seq)

    async def _generate_cancellable(self, order: Generate, cause: int) -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._generate(order, cause), name=f"generation {order.generation}")
            self._generating = (order.generation, task)
        self._generating = None

    async def _prefill(self, order: Prefill, cause: int) -> None:
        try:
            extent = await self._session.sync(self._language.encode(order.trajectory))
        except Exception as error:
            if await self._failed(error, cause):
                await self._prefill(order, cause)
            return
        await self._bus.publish(
            PromptSynced(order.prefix, extent.total, extent.reused, extent.computed, extent.rolled_back), cause
        )

    async def _score(self, order: ScoreTurn, cause: int) -> None:
        try:
            await self._session.sync(self._language.encode(order.trajectory), ahead=False)
            p_over = await self._p_over()
        except Exception as error:
            if await self._failed(error, cause) and self._scores:
                await self._score(order, cause)
            return
        await self._bus.publish(TurnScored(order.revision, p_over, order.prefix), cause)

    async def _p_over(self) -> float:
        """The probability that the turn is over after the synced tokens."""
        ends = [[self._language.role(role)] for role in (Role.TURN, Role.HEARD)]
        over, more = await self._session.score(ends)
        return round(share_of_end(math.exp(over), math.exp(more)), 4)

    async def _generate(self, order: Generate, cause: int, begun: Begun | None = None) -> None:
        """`begun`: what another engine wrote of it before it failed."""
        begun = begun or Begun()
        reader = TurnReader(self._language, order.generation, self._token_s)
        loop, count, begun_s = asyncio.get_running_loop(), 0, 0.0
        try:
            suffix = await self._prepare(order, cause)
            grammar = self._language.grammar(
                order.trajectory, after_result=order.after_result, blocked=order.blocked_tools, due=order.due_tool
            )
            head = begun.go_on(self._language, order.trajectory, grammar)
            if head is None:
                await self._bus.publish(GenerationEnded(order.generation, "cut_short", 0), cause)
                return
            reader.go_on(head, begun.clauses)
            most = self._language.turn_tokens
            stops = self._stop_ids if order.draft != "peek" else [*self._stop_ids, self._language.role(Role.SAY)]
            feed = [*suffix, *head]
            stream = self._session.stream(feed, max_tokens=most, stop_ids=stops, grammar=grammar, keep=True)
            async with aclosing(stream) as slices:  # type: ignore[type-var]
                async for tokens in slices:
                    if count:
                        self._token_s = (loop.time() - begun_s) / count
                    else:
                        begun_s = loop.time()
                    count += len(tokens)
                    for token in tokens:
                        for event in filter(begun.told, reader.feed(token)):
                            await self._bus.publish(event, cause)
            for event in reader.end():
                await self._bus.publish(event, cause)
        except asyncio.CancelledError:
            if not self._bus.closed:
                self._bus.post(GenerationEnded(order.generation, "cancelled", count), cause)
            raise
        except Exception as error:
            if await self._failed(error, cause):
                await self._generate(order, cause, begun)
                return
            await self._bus.publish(GenerationEnded(order.generation, "failed", count), cause)
            return
        ended = GenerationEnded(order.generation, reader.outcome, count)
        await self._bus.publish(ended, cause)

    async def _prepare(self, order: Generate, cause: int) -> list[int]:
        """Sync the stream of a generation, and score the end of its turn on the way; what is left to feed."""
        tokens, left = self._language.encode(order.trajectory), list[int]()
        scored = bool(order.listening) and self._scores
        if scored:
            tokens, left = tokens[:-1], tokens[-1:]
        extent = await self._session.sync(tokens, ahead=False)
        if extent.total:
            counts = (extent.total, extent.reused, extent.computed, extent.rolled_back)
            await self._bus.publish(PromptSynced(order.prefix, *counts), cause)
        if scored:
            await self._bus.publish(TurnScored(0, await self._p_over(), order.listening), cause)
        return left

    async def _failed(self, error: Exception, cause: int) -> bool:
        """Log a fault. True: another engine stands in, and the same order can be carried out there."""
        found = await self._stand_in(error) if self._stand_in is not None else None
        if found is not None:
            detail, language, scores = found
            self._think_in(language, scores)
            await self._bus.publish(PartFailed("engine", True, detail), cause)
            return True
        recovered = bool(getattr(error, "recovered", True))  # a server that refuses our key will refuse it again
        await self._bus.publish(PartFailed("engine", recovered, f"{type(error).__name__}: {error}"), cause)
        return False
