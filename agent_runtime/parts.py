"""The parts of a runtime: detector, recogniser, engine and voice, opened once and shared by many calls.

This is where an agent's wishes meet what is present on the machine. Everything slow to open is opened here, side by
side, before the first call; a call then costs a stream of each. The guests of the ears and of the voice are imported
when they are opened, so that a call of words does not wait for them.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from audio.outcome import Runner
from policies.learned.core.grammar import Lexicon
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.trajectory import Trajectory

from .agent import Agent, AgentError, ServerSettings
from .boxed import BOXED_MODEL, cache_folder
from .clock import run_outside
from .engines.core_language import CoreLanguage
from .engines.embedded import EmbeddedEngine
from .floor import FloorSettings
from .mind_settings import MindSettings
from .ports import Engine, Voice
from .session import Ears
from .thinking import Language

__all__ = ["Parts", "mind_settings", "open_parts"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What calls share."""

    ears: Ears
    engine: Engine
    language: Language
    voice: Voice


def mind_settings(agent: Agent, today: datetime.date) -> MindSettings:
    """The mind of one call of `agent`."""
    return MindSettings(
        opening=Trajectory.of([agent.card(today)]),
        greeting=agent.greeting,
        tools={tool.name: tool.shape for tool in agent.tools},
        notes=tuple(agent.notes),
        usual_ms={tool.name: round(tool.slow_s * 1000) for tool in agent.tools if tool.slow_s is not None},
        floor=FloorSettings(endpointing=agent.endpointing, barge_in=agent.barge_in),
        filler=agent.filler,
        time_limit_ms=round(agent.time_limit_s * 1000),
    )


@asynccontextmanager
async def open_parts(
    agent: Agent, *, run: Runner = run_outside, words_only: bool = False, voice: Voice | None = None
) -> AsyncIterator[Parts]:
    """Open what a call of `agent` needs. `words_only`: no detector and recogniser. `voice`: instead of the agent's."""
    async with AsyncExitStack() as stack:
        (engine, language), ears, spoken = await asyncio.gather(
            _open_engine(agent, run, stack),
            _no_ears() if words_only else _open_ears(agent, run, stack),
            _open_voice(agent, run, stack) if voice is None else _given(voice),
        )
        yield Parts(ears, engine, language, spoken)


async def _open_engine(agent: Agent, run: Runner, stack: AsyncExitStack) -> tuple[Engine, Language]:
    if agent.server is not None:
        return await _open_server(agent, agent.server, run, stack)
    model, (_, language) = await asyncio.gather(
        asyncio.to_thread(CoreModel.load, agent.model or BOXED_MODEL), asyncio.to_thread(_load_language, agent)
    )
    return await stack.enter_async_context(EmbeddedEngine(model, run)), language


def _load_language(agent: Agent) -> tuple[Tokenizer, CoreLanguage]:
    folder = agent.model or BOXED_MODEL
    tokenizer = Tokenizer.load(folder)
    words = folder / "lexicon.txt"
    lexicon = Lexicon(tokenizer, words.read_text("utf-8").split()) if words.exists() else None
    return tokenizer, CoreLanguage(tokenizer, agent, lexicon)


async def _open_server(
    agent: Agent, settings: ServerSettings, run: Runner, stack: AsyncExitStack
) -> tuple[Engine, Language]:
    try:
        from .engines.openai import OpenAIEngine, Server, TextLanguage, TokenizerSpelling
    except ImportError as error:
        raise AgentError("engine 'openai' needs its client; install it with: pip install 'duologue[openai]'") from error
    key = os.environ.get(settings.api_key_env, "") if settings.api_key_env else ""
    if settings.api_key_env and not key:
        raise AgentError(f"environment variable {settings.api_key_env} is not set; put the server's key into it")
    server = Server(settings.base_url, settings.model, settings.timeout_s, settings.api_key_env, key)
    if not settings.tokens:
        engine = OpenAIEngine(server, run, tools=agent.tools)
        return await stack.enter_async_context(engine), TextLanguage(agent.tools)
    tokenizer, language = await asyncio.to_thread(_load_language, agent)
    engine = OpenAIEngine(server, run, spelling=TokenizerSpelling(tokenizer), vocabulary_size=tokenizer.size)
    return await stack.enter_async_context(engine), language


async def _no_ears() -> Ears:
    return Ears()


async def _given(voice: Voice) -> Voice:
    return voice


async def _open_ears(agent: Agent, run: Runner, stack: AsyncExitStack) -> Ears:
    from audio.engines.silero import Silero
    from audio.engines.sphinx.pool import SphinxPool
    from audio.language.files import build_language
    from audio.language.ngram import LanguageError

    detector = Silero(run)
    stack.callback(detector.close)

    async def recogniser() -> SphinxPool:
        try:
            language = await asyncio.to_thread(build_language, agent.sentences(), (), cache_folder() / "language")
        except LanguageError as error:
            if not isinstance(error.__cause__, OSError):
                raise
            # Nowhere to keep it: it is made for this run alone, which costs every start 0.3 s.
            brief = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duologue-")))
            language = await asyncio.to_thread(build_language, agent.sentences(), (), brief)
        pool = SphinxPool(run, language)
        stack.push_async_callback(pool.close)
        await pool.warm()
        return pool

    pool, _ = await asyncio.gather(recogniser(), detector.warm())
    return Ears(detector, pool)


async def _open_voice(agent: Agent, run: Runner, stack: AsyncExitStack) -> Voice:
    from audio.engines.espeak.utterance import VoiceSettings
    from audio.engines.espeak.voice import EspeakVoice

    voice = EspeakVoice(run, VoiceSettings(agent.voice.name, agent.voice.rate_wpm, agent.voice.pitch))
    stack.push_async_callback(voice.close)
    await voice.warm()
    return voice
