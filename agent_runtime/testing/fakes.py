"""Fakes for tests and timing: an engine with a cost model, a language of whole words, a voice that is only time.

They fit the same ports as the real parts and pass the same contract suites, but know nothing: the engine's words come
from a function of the stream. Use them where the subject is timing or order, never to show what a model can do.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.trajectory import Role, Trajectory

from ..ports import AdapterRef, Caps, Extent, Grammar
from ..tools import Tool, parse_spoken_call, spoken_slots

__all__ = ["EngineCost", "FakeEngine", "FakeSession", "TimedVoice", "WordLanguage", "replies"]

Reply = Callable[[str], str]
"""Text of the stream so far -> the agent turn with role tokens: ``<think> none <expect> more <say> hello. <end>``."""


@dataclass(frozen=True, slots=True)
class EngineCost:
    """What the fake engine's work takes on the loop's clock, in seconds (the peers' common work by default)."""

    request_s: float = 0.030
    prefill_token_s: float = 0.001
    decode_token_s: float = 0.010
    served: bool = False
    """As at a server of text: the first token comes with the answer to the request, and roles are no tokens."""


class WordLanguage:
    """A language whose tokens are whole words and roles; ids are given as words are met."""

    turn_tokens = 160

    def __init__(self, tools: Sequence[Tool] = ()) -> None:
        self._tools = tuple(tools)
        self._ids: dict[str, int] = {str(role): number for number, role in enumerate(Role)}
        self._words = list(self._ids)

    def id_of(self, word: str) -> int:
        """The id of a word or role."""
        if word not in self._ids:
            self._ids[word] = len(self._words)
            self._words.append(word)
        return self._ids[word]

    def word(self, token: int) -> str:
        """The word or role of an id."""
        return self._words[token]

    def encode(self, trajectory: Trajectory) -> list[int]:
        """The ids of the stream."""
        return [self.id_of(word) for word in trajectory.text().replace("<", " <").replace(">", "> ").split()]

    def decode(self, tokens: Sequence[int]) -> str:
        """Words with a space before each."""
        return "".join(f" {self._words[token]}" for token in tokens)

    def role(self, role: Role) -> int:
        """The id of a role."""
        return self._ids[str(role)]

    def role_of(self, token: int) -> Role | None:
        """The role of an id, None for words."""
        return Role(self._words[token]) if token < len(Role) else None

    def grammar(self, trajectory: Trajectory, *, after_result: bool, blocked: Sequence[str], due: str = "") -> Grammar:
        """No grammar: the reply function writes what it likes, `blocked` shows in the stream's end only."""
        return _Free()

    def call(self, spoken: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """A spoken call as tool, spoken slots and arguments."""
        tool, arguments = parse_spoken_call(self._tools, spoken)
        return tool.name, spoken_slots(tool, arguments), arguments


class _Free:
    """A grammar that allows everything."""

    done = False

    def allowed(self) -> NDArray[np.bool_] | None:
        return None

    def advance(self, token: int) -> None:
        """Nothing to follow."""

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        """Never in doubt."""
        return token


@dataclass(slots=True)
class FakeEngine:
    """An engine whose words come from `reply` and whose time comes from `cost`. Cancellable, exact rollback."""

    language: WordLanguage
    reply: Reply
    cost: EngineCost = field(default_factory=EngineCost)
    p_over: Callable[[str], float] = lambda text: 0.9
    caps: Caps = field(
        default_factory=lambda: Caps(ids=True, exact_rollback=True, fork=True, grammar=False, logprobs=True)
    )
    warmed: tuple[int, ...] = ()
    adapters: dict[tuple[str, int], AdapterRef] = field(default_factory=dict)

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> FakeSession:
        """A session that starts with the warmed prefix."""
        return FakeSession(self, list(self.warmed))

    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Keep a prefix for later sessions."""
        extent = await FakeSession(self, []).sync(tokens)
        self.warmed = tuple(tokens)
        return extent

    async def load_adapter(self, ref: AdapterRef) -> None:
        """Remember the adapter."""
        self.adapters[ref.name, ref.version] = ref

    async def unload_adapter(self, ref: AdapterRef) -> None:
        """Forget it. Raises KeyError when it was not loaded."""
        del self.adapters[ref.name, ref.version]

    async def close(self) -> None:
        """Nothing to free."""


class FakeSession:
    """One call's token list, and the time that work on it takes."""

    def __init__(self, engine: FakeEngine, tokens: list[int]) -> None:
        self._engine = engine
        self.tokens = tokens
        self._read = len(tokens)  # so many of them are in the cache; the next request reads the rest

    async def sync(
        self,
        tokens: Sequence[int],
        *,
        stable: int | None = None,
        deadline_s: float | None = None,
        ahead: bool = True,
    ) -> Extent:
        """Longest common prefix stays; the tail costs a request and its tokens, here or in the request that follows."""
        begin_s = asyncio.get_running_loop().time()
        pairs = zip(self.tokens[: self._read], tokens, strict=False)
        common = next((at for at, (old, new) in enumerate(pairs) if old != new), min(self._read, len(tokens)))
        dropped, computed = self._read - common, len(tokens) - common
        self.tokens, self._read = list(tokens), common
        if ahead and computed:
            await self._request()
        elapsed_s = asyncio.get_running_loop().time() - begin_s
        return Extent(len(tokens), common, computed, dropped, elapsed_s)

    async def stream(
        self,
        suffix: Sequence[int] = (),
        *,
        max_tokens: int,
        stop_ids: Iterable[int] = (),
        grammar: Grammar | None = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:
        """The reply's tokens, one at a time."""
        language = self._engine.language
        before, stops = list(self.tokens), frozenset(stop_ids)
        self.tokens += suffix
        await self._request()
        text = self._engine.reply("".join(language.decode([token]) for token in self.tokens).strip())
        try:
            cost, comes_along = self._engine.cost, self._engine.cost.served
            for word in text.split()[:max_tokens]:
                token = language.id_of(word)
                is_role = language.role_of(token) is not None
                if not (cost.served and (is_role or comes_along)):
                    await asyncio.sleep(cost.decode_token_s)
                comes_along = comes_along and is_role
                self.tokens.append(token)
                self._read = len(self.tokens)
                yield [token]
                if token in stops:
                    return
        finally:
            if not keep:
                self.tokens, self._read = before, min(self._read, len(before))

    async def _request(self) -> None:
        """One request, which reads what is not in the cache yet."""
        cost = self._engine.cost
        await asyncio.sleep(cost.request_s + (len(self.tokens) - self._read) * cost.prefill_token_s)
        self._read = len(self.tokens)

    async def fork(self) -> FakeSession:
        """A copy."""
        return FakeSession(self._engine, list(self.tokens))

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """What `p_over` says of the stream for a continuation by the end of the turn, the rest for any other."""
        language = self._engine.language
        text = "".join(language.decode([token]) for token in self.tokens).strip()
        await self._request()
        p_over, end = self._engine.p_over(text), language.role(Role.TURN)
        shares = [p_over if list(continuation[:1]) == [end] else 1.0 - p_over for continuation in continuations]
        return [float(np.log(max(share, 1e-9))) for share in shares]

    def mark(self) -> int:
        """Length in tokens."""
        return len(self.tokens)

    async def rewind(self, mark: int) -> None:
        """Drop what is after `mark`. Raises `ValueError` when it lies ahead."""
        if not 0 <= mark <= len(self.tokens):
            raise ValueError(f"mark {mark} lies outside of the session's {len(self.tokens)} tokens")
        del self.tokens[mark:]
        self._read = min(self._read, mark)

    async def close(self) -> None:
        """Forget all."""
        self.tokens, self._read = [], 0


@dataclass(frozen=True, slots=True)
class _Mark:
    start_char: int
    end_char: int
    first_sample: int


@dataclass(frozen=True, slots=True)
class _Chunk:
    pcm: NDArray[np.int16]
    words: Sequence[_Mark]


@dataclass(frozen=True, slots=True)
class TimedVoice:
    """A voice that is only time: silence of the right length with word marks, after `first_s`."""

    first_s: float = 0.080
    word_ms: int = 350

    async def speak(self, text: str) -> AsyncIterator[_Chunk]:
        """One chunk for the whole text."""
        await asyncio.sleep(self.first_s)
        marks: list[_Mark] = []
        at = 0
        for number, word in enumerate(text.split()):
            at = text.index(word, at)
            marks.append(_Mark(at, at + len(word), number * self.word_ms * 16))
            at += len(word)
        yield _Chunk(np.zeros(len(marks) * self.word_ms * 16, np.int16), marks)


def replies(table: Mapping[str, str], otherwise: str) -> Reply:
    """A reply function: the first key found in the last caller turn (or result) decides."""

    def reply(text: str) -> str:
        tail = text[max(text.rfind("<heard>"), text.rfind("<result>"), 0) :]
        return next((answer for key, answer in table.items() if key in tail), otherwise)

    return reply
