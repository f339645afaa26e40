"""The engine port over any server that speaks the OpenAI protocol: one client for all calls, one session each.

A server that takes token ids (vLLM, llama-server) runs a model of our own token language, by ``/v1/completions``; any
other is talked to in messages, by ``/v1/chat/completions``. What a server can is asked once, at the start, so that its
faults come before the first call and not in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from audio.engines.openai_server.faults import Server, ServerFault
from audio.engines.openai_server.line import Line, Reply
from audio.outcome import Outcome, Runner

from ...ports import AdapterRef, Caps, Extent
from ...tools import Tool
from ..writing import Writing
from .chat import ChatSession, listed
from .completions import TOP, Piece, Scored, Spelling, Write, asked, scored
from .rendering import offered
from .session import IdsSession, WarmSettings
from .text import TextTurn

__all__ = ["OpenAIEngine"]

T = TypeVar("T")


class OpenAIEngine:
    """One model at one server, as an async context manager that owns the line to it.

    `run` is how work leaves the loop (kind ``llm``, units: tokens); the seconds a server took to answer are charged as
    if they were CPU seconds. With `spelling` the server is spoken to in token ids of that vocabulary, without it in
    messages and with `tools`. Entering raises `ServerFault` where the server cannot be used.
    """

    def __init__(
        self,
        server: Server,
        run: Runner,
        *,
        spelling: Spelling | None = None,
        vocabulary_size: int = 0,
        tools: Sequence[Tool] = (),
        warm: WarmSettings | None = None,
    ) -> None:
        self.server, self.tools, self.vocabulary_size = server, tuple(tools), vocabulary_size
        self.warm_settings = warm or WarmSettings()
        self.scores_by_echo = False
        self._optional: dict[str, Any] = {"temperature": 0, "parallel_tool_calls": False}
        self._limit = "max_tokens"
        ids = spelling is not None
        self.caps = Caps(ids=ids, exact_rollback=True, fork=True, grammar=ids, logprobs=ids)
        self._spelling, self._run, self._top = spelling, run, TOP
        self._line: Line | None = None

    async def __aenter__(self) -> OpenAIEngine:
        self._line = Line(self.server)
        try:
            await (self._check_ids() if self.caps.ids else self._check_chat())
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self.close()

    async def open(
        self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0
    ) -> IdsSession | ChatSession:
        """A session. Raises `ValueError` for an adapter."""
        if adapter is not None:
            raise ValueError(
                f"the openai engine loads no adapters, got {adapter.name!r}; serve it under a model's name"
            )
        return IdsSession(self, ()) if self.caps.ids else ChatSession(self, ())

    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Have the server read a shared prefix; its cache serves every session that begins with it."""
        session = await self.open("warm", adapter=adapter)
        return await session.sync(tokens)

    async def load_adapter(self, ref: AdapterRef) -> None:
        """Not served by this engine. Raises `ValueError`."""
        raise ValueError(f"the openai engine loads no adapters, got {ref.name!r}; serve it under a model's name")

    async def unload_adapter(self, ref: AdapterRef) -> None:
        """Nothing was loaded. Raises `ValueError`."""
        raise ValueError(f"no adapter {ref.name!r} is loaded")

    async def close(self) -> None:
        """Hang up; requests in flight end. Closing twice is no error."""
        if self._line is not None:
            self._line.close()

    # --- requests ------------------------------------------------------------------------------------------------

    def send(self, asking: Callable[[Any], Any]) -> Reply[Any]:
        """Send a request; `taken` gives its pieces."""
        if self._line is None:
            raise RuntimeError("the openai engine is not open; enter it with `async with` first")
        return self._line.ask(asking)

    async def taken(self, answer: Reply[T], use: Callable[[T], Outcome[Any]]) -> Any:
        """What `use` makes of the next piece of an answer, in a job; None at its end. Raises `ServerFault`."""
        assert self._line is not None, "an answer came by it"

        def job() -> Outcome[Any]:
            piece, waited_s = answer.take()
            used: Outcome[Any] = Outcome(None, 0.0, 0.0) if piece is None else use(piece)
            return replace(used, cpu_s=used.cpu_s + waited_s)

        return await self._run("llm", self._line.pool, job)

    async def only(self, asking: Callable[[Any], Any], *, units: float = 1.0) -> Any:
        """The one piece of an answer. Raises `ServerFault`."""
        answer = self.send(asking)
        try:
            return await self.taken(answer, lambda piece: Outcome(piece, 0.0, units))
        finally:
            answer.abort()

    def write(self, write: Write) -> Reply[Piece]:
        """Have tokens written."""
        assert self._spelling is not None, "only sessions of token ids ask for tokens"
        return self.send(partial(asked, model=self.server.model, write=write, spelling=self._spelling))

    async def next_tokens(self, answer: Reply[Piece], reply: Writing) -> list[int] | None:
        """The next tokens of a reply that may come, None at the end of what the server writes."""

        def use(piece: Piece) -> Outcome[list[int]]:
            return Outcome(reply.take(piece.tokens), 0.0, float(len(piece.tokens)))

        found: list[int] | None = await self.taken(answer, use)
        return found

    async def read(self, answer: Reply[Piece]) -> int:
        """Take an answer to its end; the prompt tokens that the server had in its cache, -1 where it does not say."""
        cached = -1
        while (
            piece := await self.taken(answer, lambda piece: Outcome(piece, 0.0, float(len(piece.tokens))))
        ) is not None:
            cached = piece.cached if piece.cached is not None else cached
        return cached

    async def top_after(self, tokens: Sequence[int]) -> Mapping[int, float]:
        """Log-probabilities of the likeliest tokens after `tokens`."""
        (row,) = await self.only(self._scoring([tokens], echo=False))
        return row.after or {}

    async def of_prompts(self, prompts: Sequence[Sequence[int]]) -> list[Sequence[float]]:
        """Log-probabilities of every token of each prompt, at a server that echoes."""
        rows: list[Scored] = await self.only(self._scoring(prompts, echo=True), units=float(sum(map(len, prompts))))
        return [row.of_prompt for row in rows]

    def _scoring(self, prompts: Sequence[Sequence[int]], *, echo: bool) -> Callable[[Any], Any]:
        assert self._spelling is not None, "only sessions of token ids are scored"
        model, spelling = self.server.model, self._spelling
        return partial(scored, model=model, prompts=prompts, echo=echo, top=self._top, spelling=spelling)

    def chat_request(self, asked: Sequence[Any], turn: TextTurn, most: int) -> dict[str, Any]:
        """The arguments of the client's call for a reply to messages."""
        tools = offered(self.tools, blocked=turn.blocked, due=turn.due)
        return {"model": self.server.model, "messages": list(asked), self._limit: most, **tools, **self._optional}

    def leave_out(self, fault: ServerFault) -> bool:
        """Whether a refused request can be sent again without what was refused; from then on all are sent so."""
        if fault.status not in (400, 422):
            return False
        if self._limit == "max_tokens" and "max_completion_tokens" in str(fault):
            self._limit = "max_completion_tokens"
            return True
        refused = [name for name in self._optional if name in (fault.refused, *str(fault).replace("'", " ").split())]
        for name in refused:
            del self._optional[name]
        return bool(refused)

    async def before_another_try(self, fault: ServerFault, tries: int) -> None:
        """Wait as long as the server asks. Raises the fault where another try is of no use."""
        after_s = fault.retry_after_s or 0.0
        if tries <= 0 or not fault.recovered or fault.status in (400, 422) or after_s > self.warm_settings.retry_s:
            raise fault
        await asyncio.sleep(after_s)

    # --- what the server can -------------------------------------------------------------------------------------

    async def _check_ids(self) -> None:
        """Two small requests: does it give log-probabilities (of the prompt too), and does it follow a bias?"""
        probe = [1]
        for echo, top in ((True, TOP), (False, TOP), (False, 5)):  # 5: the most of OpenAI's own completions
            self._top = top
            try:
                (row,) = await self.only(self._scoring([probe], echo=echo))
            except ServerFault as fault:
                if fault.status not in (400, 422, 501):
                    raise
                continue
            self.scores_by_echo = echo and len(row.of_prompt) == len(probe)
            self.caps = replace(self.caps, logprobs=bool(row.after))
            break
        else:
            self.caps = replace(self.caps, logprobs=False)
        free = await self._one_token(Write(tuple(probe), 1))
        wanted = 2 if free != 2 else 3
        self.caps = replace(self.caps, grammar=await self._one_token(Write(tuple(probe), 1, only=(wanted,))) == wanted)

    async def _one_token(self, write: Write) -> int | None:
        answer = self.write(write)
        try:
            piece = await self.taken(answer, lambda piece: Outcome(piece, 0.0, 1.0))
        finally:
            answer.abort()
        return piece.tokens[0] if piece is not None and piece.tokens else None

    async def _check_chat(self) -> None:
        """Is it there, and does it serve the model? A server without a list of models is believed."""
        try:
            names = await self.only(listed)
        except ServerFault as fault:
            if fault.status in (404, 405, 501):
                return
            raise
        if names and self.server.model not in names:
            shown = ", ".join(sorted(names)[:5]) + (", ..." if len(names) > 5 else "")
            raise ServerFault(
                f"server {self.server.url} knows no model {self.server.model!r}; "
                f"set {self.server.section} model: it has {shown}",
                recovered=False,
            )

    def bias_ignored(self, only: Sequence[int]) -> ServerFault:
        """The server wrote a token that was not among those it was held to."""
        return ServerFault(
            f"server {self.server.url} wrote none of the {len(only)} tokens that may come; it ignores logit_bias, "
            "so use a server that follows it, or tokens = false",
            recovered=True,
        )
