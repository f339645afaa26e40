"""A call at a server that takes messages: every request renders the whole stream, so there is nothing to keep or undo.

`sync` only notes the stream: reading ahead would be a paid request, and what a server caches is its own affair. A tool
call that does not fit is told to the model once, with the reason, as an agent loop does.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from audio.engines.openai_server.faults import ServerFault
from audio.outcome import Outcome

from ...ports import Extent, Grammar
from ...tools import ToolArgumentError
from .rendering import HANG_UP, ReplyReader, messages, spoken_request, tool_call
from .text import TextTurn, segments_of

if TYPE_CHECKING:
    from .engine import OpenAIEngine

__all__ = ["ChatSession", "Delta", "listed"]


@dataclass(frozen=True, slots=True)
class Delta:
    """What came at once: words, a thought, or the one tool call of the reply; `finish` at its end."""

    text: str = ""
    thought: str = ""
    call: tuple[str, str] | None = None
    """Name and JSON arguments."""
    finish: str = ""


async def listed(client: Any) -> AsyncIterator[list[str]]:
    """One piece: the names of the models that the server has."""
    page = await client.models.list()
    yield [model.id for model in page.data]


async def chatted(client: Any, request: dict[str, Any]) -> AsyncIterator[Delta]:
    """Send a chat request and give the parts of the reply; only the first of several tool calls counts."""
    name = arguments = finish = ""
    async with await client.chat.completions.create(**request, stream=True) as stream:
        async for chunk in stream:
            for choice in chunk.choices[:1]:
                delta = choice.delta
                thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None) or ""
                if delta.content or thought:
                    yield Delta(text=delta.content or "", thought=str(thought))
                for call in delta.tool_calls or ():
                    if call.index == 0 and call.function is not None:
                        name += call.function.name or ""
                        arguments += call.function.arguments or ""
                finish = choice.finish_reason or finish
    yield Delta(call=(name, arguments) if name else None, finish=finish or "broken")


class ChatSession:
    """One call's stream, as tokens of `text.TextLanguage`."""

    def __init__(self, engine: OpenAIEngine, tokens: Sequence[int]) -> None:
        self._engine = engine
        self.tokens = list(tokens)

    async def sync(
        self,
        tokens: Sequence[int],
        *,
        stable: int | None = None,
        deadline_s: float | None = None,
        ahead: bool = True,
    ) -> Extent:
        """Note the stream. Nothing is computed ahead, so the account is empty."""
        self.tokens = list(tokens)
        return Extent(0, 0, 0, 0, 0.0)

    async def stream(
        self,
        suffix: Sequence[int] = (),
        *,
        max_tokens: int,
        stop_ids: Iterable[int] = (),
        grammar: Grammar | None = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:
        """See the port. A `TextTurn` for a grammar says which tools are offered. Raises `ServerFault`."""
        before = list(self.tokens)
        self.tokens += suffix
        turn = grammar if isinstance(grammar, TextTurn) else TextTurn()
        asked = messages(segments_of(self.tokens), self._engine.tools)
        left, stops = max_tokens, frozenset(stop_ids)
        try:
            async for tokens in self._reply(asked, turn, max_tokens):
                at = next((at for at, token in enumerate(tokens) if token in stops), len(tokens))
                tokens = tokens[: min(at + 1, left)]
                left -= len(tokens)
                self.tokens += tokens
                if tokens:
                    yield tokens
                if left <= 0 or (tokens and tokens[-1] in stops):
                    return
        finally:
            if not keep:
                self.tokens = before

    async def fork(self) -> ChatSession:
        """A copy."""
        return ChatSession(self._engine, self.tokens)

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """Not to be had from a chat. Raises `ValueError`."""
        raise ValueError("a chat server scores nothing; caps.logprobs says so, ask another engine")

    def mark(self) -> int:
        """The current length in characters and roles."""
        return len(self.tokens)

    async def rewind(self, mark: int) -> None:
        """Drop everything after `mark`. Raises `ValueError` when it lies ahead."""
        if not 0 <= mark <= len(self.tokens):
            raise ValueError(f"mark {mark} lies outside of the session's {len(self.tokens)} tokens")
        del self.tokens[mark:]

    async def close(self) -> None:
        """Forget the stream."""
        self.tokens = []

    async def _reply(self, asked: list[dict[str, Any]], turn: TextTurn, most: int) -> AsyncIterator[list[int]]:
        """The tokens of one reply; a call that does not fit gets a second try."""
        engine, reader = self._engine, ReplyReader()
        for is_last in (False, True):
            last = Delta()
            async for delta in self._deltas(asked, turn, most):
                last = delta
                if delta.thought:
                    yield reader.thought(delta.thought)
                if delta.text:
                    yield reader.words(delta.text)
            if last.finish == "content_filter":
                raise ServerFault(f"server {engine.server.url} withheld the reply (content_filter)", recovered=True)
            if last.finish == "broken":
                raise ServerFault(f"server {engine.server.url} broke off a reply; look at its log", recovered=True)
            if last.call is None:
                if last.finish != "length":
                    yield reader.ended()
                return
            name, arguments = last.call
            if name == HANG_UP and all(tool.name != HANG_UP for tool in engine.tools):
                yield reader.hung_up()
                return
            try:
                spoken = spoken_request(engine.tools, name, arguments)
            except ToolArgumentError as error:
                if is_last:
                    raise ServerFault(
                        f"model {engine.server.model} calls a tool wrongly: {error}", recovered=True
                    ) from error
                told = {"role": "tool", "tool_call_id": "call_again", "content": f"not called: {error}"}
                asked = [*asked, tool_call("call_again", name, arguments), told]
            else:
                yield reader.called(spoken)
                return

    async def _deltas(self, asked: list[dict[str, Any]], turn: TextTurn, most: int) -> AsyncIterator[Delta]:
        """The parts of one answer. Asked again where the server puts us off before it wrote a word."""
        engine = self._engine
        tries = 2
        while True:
            answer = engine.send(partial(chatted, request=engine.chat_request(asked, turn, most)))
            came = False
            try:
                while True:
                    delta = await engine.taken(answer, lambda delta: Outcome(delta, 0.0, 1.0))
                    if delta is None:
                        return
                    came = True
                    yield delta
            except ServerFault as fault:
                if came:
                    raise
                if not engine.leave_out(fault):
                    tries -= 1
                    await engine.before_another_try(fault, tries)
            finally:
                answer.abort()
