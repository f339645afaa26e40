"""The parts of a runtime: detector, recogniser, engine and voice, opened once and shared by many calls.

This is where an agent's wishes meet what is present on the machine. Everything slow to open is opened here, side by
side, before the first call; a call then costs a stream of each. Guests are imported when their part is opened, so
that a program which needs one part does not wait for the others.
"""

from __future__ import annotations

import asyncio
import datetime
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from audio.outcome import Runner
from policies.trajectory import Trajectory

from .agent import Agent
from .clock import run_outside
from .floor import FloorSettings
from .mind_settings import MindSettings
from .ports import Engine, Voice
from .session import Ears
from .thinking import Language

__all__ = ["BOXED_MODEL", "Parts", "cache_folder", "mind_settings", "open_parts"]

BOXED_MODEL = Path(__file__).parent.parent / "policies" / "learned" / "core" / "weights" / "front_desk"
"""The language model in the box."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What calls share."""

    ears: Ears
    engine: Engine
    language: Language
    voice: Voice


def cache_folder() -> Path:
    """Where derived files are kept between runs: `DUOLOGUE_CACHE`, or ``duologue`` in the user's cache folder."""
    given = os.environ.get("DUOLOGUE_CACHE")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "duologue"


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
        engine, language = await _open_engine(agent, run, stack)
        ears = Ears() if words_only else await _open_ears(agent, run, stack)
        if voice is None:
            voice = await _open_voice(agent, run, stack)
        yield Parts(ears, engine, language, voice)


async def _open_engine(agent: Agent, run: Runner, stack: AsyncExitStack) -> tuple[Engine, Language]:
    from policies.learned.core.grammar import Lexicon
    from policies.learned.core.model import CoreModel
    from policies.learned.core.tokenizer import Tokenizer

    from .engines.core_language import CoreLanguage
    from .engines.embedded import EmbeddedEngine

    folder = agent.model or BOXED_MODEL
    model, tokenizer = await asyncio.to_thread(lambda: (CoreModel.load(folder), Tokenizer.load(folder)))
    words = folder / "lexicon.txt"
    lexicon = Lexicon(tokenizer, words.read_text("utf-8").split()) if words.exists() else None
    engine = await stack.enter_async_context(EmbeddedEngine(model, run))
    return engine, CoreLanguage(tokenizer, agent, lexicon)


async def _open_ears(agent: Agent, run: Runner, stack: AsyncExitStack) -> Ears:
    from audio.engines.silero import Silero
    from audio.engines.sphinx.pool import SphinxPool
    from audio.language.files import build_language

    language = await asyncio.to_thread(build_language, agent.sentences(), (), cache_folder() / "language")
    detector = Silero(run)
    stack.callback(detector.close)
    recogniser = SphinxPool(run, language)
    stack.push_async_callback(recogniser.close)
    await asyncio.gather(detector.warm(), recogniser.warm())
    return Ears(detector, recogniser)


async def _open_voice(agent: Agent, run: Runner, stack: AsyncExitStack) -> Voice:
    from audio.engines.espeak.utterance import VoiceSettings
    from audio.engines.espeak.voice import EspeakVoice

    wanted = VoiceSettings(agent.voice.name, agent.voice.rate_wpm, agent.voice.pitch)
    voice = EspeakVoice(run, wanted)
    stack.push_async_callback(voice.close)
    return voice
