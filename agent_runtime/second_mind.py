"""Opening an agent's second mind, and asking it one question through an engine's own session.

Each question gets a session of its own, so nothing of one call reaches another, and what is read is the brief alone.
A server gets it as one message of text. A model of our own kind gets the agent's card, as it is used to, and the brief
in words in place of a caller's turn.
"""

from __future__ import annotations

import dataclasses
import os
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING

from policies.brief import Brief
from policies.trajectory import Role, Segment, Trajectory

from .events import ClauseGenerated
from .thinkers import Thinker, ThinkerError, thinker_tool

if TYPE_CHECKING:
    from audio.outcome import Runner

    from .agent import Agent, ServerSettings
    from .ports import Engine
    from .thinking import Language
    from .tools import Tool, ToolContext

__all__ = ["ask_engine", "open_thinker"]

_MANNERS = (
    "Someone on the telephone needs help with the task below. Answer in plain spoken words, without lists or markup; "
    "numbers and times as words. Use only what is known, keep to the limits, and say so where you cannot tell."
)


async def open_thinker(agent: Agent, run: Runner, stack: AsyncExitStack) -> Tool:
    """The tool of the agent's second mind, which stays open as long as `stack`. Raises what its engine raises."""
    thinker = agent.thinker
    assert thinker is not None, "only an agent with a thinker asks for it"
    if (function := thinker.function) is not None:
        return thinker_tool(thinker, lambda brief, context: function(brief))
    if thinker.server is not None:
        engine, language = await _server(thinker.server, run, stack)
    else:
        engine, language = await _embedded(agent, thinker, run, stack)

    async def ask(brief: Brief, context: ToolContext) -> str:
        card = agent.card(context.today) if engine.caps.ids else None
        return await ask_engine(engine, language, brief, card)

    return thinker_tool(thinker, ask)


async def ask_engine(engine: Engine, language: Language, brief: Brief, card: Segment | None = None) -> str:
    """What the engine says to a brief, cut to the length it allows. Raises `ThinkerError` where it says nothing."""
    from .thinking import TurnReader

    asked = f"{_MANNERS}\n\n{brief.text()}" if not engine.caps.ids else brief.words()
    stream = Trajectory.of([*([card] if card else []), Segment(Role.HEARD, asked), Segment(Role.TURN)])
    reader = TurnReader(language, 0)
    stops = [language.role(role) for role in (Role.END, Role.BYE, Role.SILENCE)]
    said: list[str] = []
    session = await engine.open("second mind", priority=1)
    try:
        await session.sync(language.encode(stream), ahead=False)
        grammar = language.grammar(stream, after_result=False, blocked=(), due="")
        reply = session.stream(max_tokens=language.turn_tokens, stop_ids=stops, grammar=grammar)
        async with aclosing(reply) as slices:  # type: ignore[type-var]
            async for tokens in slices:
                for token in tokens:
                    said += [event.text for event in reader.feed(token) if isinstance(event, ClauseGenerated)]
                if len(" ".join(said).split()) > brief.limits.most_words:
                    break  # the rest would not be told
        said += [event.text for event in reader.end() if isinstance(event, ClauseGenerated)]
    finally:
        await session.close()
    if not said:
        raise ThinkerError("the second mind gave no words; look at its model and its limits")
    return _shortened(said, brief.limits.most_words)


def _shortened(clauses: list[str], most_words: int) -> str:
    """The first clauses that fit; of a first one that does not, its first words."""
    kept: list[str] = []
    for clause in clauses:
        if len(" ".join([*kept, clause]).split()) > most_words:
            break
        kept.append(clause)
    return " ".join(kept) or " ".join(clauses[0].split()[:most_words])


async def _server(settings: ServerSettings, run: Runner, stack: AsyncExitStack) -> tuple[Engine, Language]:
    try:
        from .engines.openai import OpenAIEngine, Server, TextLanguage
    except ImportError as error:
        raise ThinkerError("thinker kind 'openai' needs its client; pip install 'duologue[openai]'") from error
    key = os.environ.get(settings.api_key_env, "") if settings.api_key_env else ""
    if settings.api_key_env and not key:
        raise ThinkerError(f"environment variable {settings.api_key_env} is not set; put the thinker's key into it")
    server = Server("[thinker]", settings.base_url, settings.model, settings.timeout_s, settings.api_key_env, key)
    return await stack.enter_async_context(OpenAIEngine(server, run)), TextLanguage(())


async def _embedded(agent: Agent, thinker: Thinker, run: Runner, stack: AsyncExitStack) -> tuple[Engine, Language]:
    from policies.learned.core.lexicon import Lexicon
    from policies.learned.core.model import CoreModel
    from policies.learned.core.tokenizer import Tokenizer

    from .engines.core_language import CoreLanguage
    from .engines.embedded import EmbeddedEngine

    assert thinker.model is not None, "checked when the thinker was made"
    tokenizer, words = Tokenizer.load(thinker.model), thinker.model / "lexicon.txt"
    lexicon = Lexicon(tokenizer, words.read_text("utf-8").split()) if words.exists() else None
    # it answers by itself: what it could call would be called without the write gate
    plain = dataclasses.replace(agent, tools=(), servers=(), thinker=None)
    engine = await stack.enter_async_context(EmbeddedEngine(CoreModel.load(thinker.model), run))
    return engine, CoreLanguage(tokenizer, plain, lexicon)
