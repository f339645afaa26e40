"""The parts of a runtime: detector, recogniser, engine and voice, opened once and shared by many calls.

This is where an agent's wishes meet what is present on the machine. Everything slow to open is opened here, side by
side, before the first call; a call then costs a stream of each. Programs are started first, because they come up on
other cores while this process imports and loads what else a call needs; so next to nothing is imported before that.
A call of words waits for no guest of the ears.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .agent import Agent, AgentError, EngineSettings
from .boxed import BOXED_MODEL, cache_folder
from .clock import run_outside
from .thinkers import thinker_tool
from .tool_servers import ToolServerError

if TYPE_CHECKING:
    from audio.engines.openai_server.faults import Server
    from audio.engines.silero import Silero
    from audio.language.files import LanguageFiles
    from audio.outcome import Runner
    from policies.brief import BriefLimits
    from policies.learned.core.tokenizer import Tokenizer

    from .engines.core_language import CoreLanguage
    from .mind_settings import MindSettings
    from .ports import Engine, Recogniser, Voice
    from .session import Ears
    from .speech_settings import RecogniserSettings, VoiceSettings
    from .thinking import Language
    from .tools import Tool

    class WarmVoice(Voice, Protocol):
        """A voice that is opened and ended."""

        async def warm(self) -> object:
            """Be ready to speak, or raise what is missing."""

        async def close(self) -> None:
            """Give everything back."""


__all__ = ["Parts", "mind_settings", "open_parts", "with_served_tools"]


@dataclass(frozen=True, slots=True)
class Parts:
    """What calls share."""

    ears: Ears
    engine: Engine
    language: Language
    voice: Voice
    tools: tuple[Tool, ...] = ()
    """What the agent's servers and its thinker offer: `Agent.with_served` puts them behind its own."""


def mind_settings(agent: Agent, today: datetime.date) -> MindSettings:
    """The mind of one call of `agent`."""
    from policies.trajectory import Trajectory

    from .floor import FloorSettings
    from .mind_settings import MindSettings

    return MindSettings(
        opening=Trajectory.of([agent.card(today)]),
        greeting=agent.greeting,
        tools={tool.name: tool.shape for tool in agent.tools},
        notes=tuple(agent.notes),
        background={tool.name for tool in agent.tools if tool.background},
        prefetches={tool.name: tool.prefetched for tool in agent.tools if tool.prefetched},
        briefs={tool.name: _limits(agent, tool.name) for tool in agent.tools if "brief" in tool.lent},
        usual_ms={tool.name: round(tool.slow_s * 1000) for tool in agent.tools if tool.slow_s is not None},
        floor=FloorSettings(agent.endpointing, agent.barge_in, agent.backchannel),
        filler=agent.filler,
        tool_fillers={tool.name: tool.fillers for tool in agent.tools if tool.filler},
        idle=agent.idle,
        wording=agent.wording,
        repair=agent.repair,
        thinking=agent.thinking,
        time_limit_ms=round(agent.time_limit_s * 1000),
    )


def _limits(agent: Agent, tool: str) -> BriefLimits:
    from policies.brief import BriefLimits

    thinker = agent.thinker
    return thinker.brief_limits if thinker is not None and thinker.tool_name == tool else BriefLimits()


@asynccontextmanager
async def open_parts(
    agent: Agent, *, run: Runner = run_outside, words_only: bool = False, voice: Voice | None = None
) -> AsyncIterator[Parts]:
    """Open what a call of `agent` needs. `words_only`: no detector and recogniser. `voice`: instead of the agent's.

    Where one part fails the others are given up, and its error is raised as it is.
    """
    async with AsyncExitStack() as stack:
        # Before the others, which all want to know the tools: their words are heard, written and thought.
        served = await stack.enter_async_context(_served_tools(agent, run)) if agent.servers else ()
        if agent.thinker is not None and agent.awaits_tools:
            from .second_mind import open_thinker

            served = (*served, await open_thinker(agent, run, stack))
        agent = agent.with_served(served)
        try:
            async with asyncio.TaskGroup() as opening:
                speaks = opening.create_task(_open_voice(agent, run, stack) if voice is None else _given(voice))
                hears = opening.create_task(_no_ears() if words_only else _open_ears(agent, run, stack))
                thinks = opening.create_task(asyncio.to_thread(_make_engine, agent, run))
        except ExceptionGroup as group:
            raise _innermost(group) from None
        from .session import Ears

        made, language = thinks.result()
        # entered here, because an engine's tasks belong to the task that opened it
        engine = await stack.enter_async_context(made)
        yield Parts(Ears(*hears.result()), engine, language, speaks.result(), served)


async def with_served_tools(agent: Agent) -> Agent:
    """The agent as its calls know it; its servers are started for their lists and ended again. Not for calling."""
    if not agent.awaits_tools:
        return agent
    asks = (thinker_tool(agent.thinker),) if agent.thinker is not None else ()
    if not agent.servers:
        return agent.with_served(asks)
    async with _served_tools(agent, run_outside) as tools:
        return agent.with_served((*tools, *asks))


@asynccontextmanager
async def _served_tools(agent: Agent, run: Runner) -> AsyncIterator[tuple[Tool, ...]]:
    """The tools of the agent's servers, which run until the block is left. Raises `ToolServerError`."""
    try:
        from .engines.mcp.threads import open_servers
    except ImportError as error:
        names = ", ".join(server.name for server in agent.servers)
        raise ToolServerError(
            f"tool server {names}: needs the official MCP client ({error}); pip install 'duologue[mcp]'"
        ) from error
    async with open_servers(agent.servers, agent.folder, run) as tools:
        yield tuple(tools)


def _innermost(error: Exception) -> Exception:
    """The first fault inside of groups: the way out is in its one line."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error


def _make_engine(agent: Agent, run: Runner) -> tuple[AbstractAsyncContextManager[Engine], Language]:
    """The engine, not opened yet; the session is imported here too, so that the first call does not wait for it."""
    import_module(".session", __package__)
    wanted = agent.engines
    made = [_MAKERS[one.kind](agent, one, run) for one in wanted]
    if len(made) == 1:
        return made[0]
    from .engines.fallback import FallbackEngine, Seat

    seats = [
        Seat(one.title, engine, language, one.stall_s) for one, (engine, language) in zip(wanted, made, strict=True)
    ]
    return FallbackEngine(seats), made[0][1]


def _make_embedded(
    agent: Agent, wanted: EngineSettings, run: Runner
) -> tuple[AbstractAsyncContextManager[Engine], Language]:
    from policies.learned.core.model import CoreModel

    from .engines.embedded import EmbeddedEngine

    _, language = _load_language(agent, wanted)
    return EmbeddedEngine(CoreModel.load(_weights(wanted)), run), language


def _make_vllm(
    agent: Agent, wanted: EngineSettings, run: Runner
) -> tuple[AbstractAsyncContextManager[Engine], Language]:
    try:
        from .engines.vllm import VLLMEngine
    except ImportError as error:
        raise AgentError(
            f"engine 'vllm' needs vLLM ({error}); install it with: pip install 'duologue[vllm]'"
        ) from error
    assert wanted.vllm is not None, "an engine of this kind has its settings"
    _, language = _load_language(agent, wanted)
    engine = VLLMEngine.load(
        _weights(wanted),
        run,
        max_model_len=wanted.vllm.max_model_len or None,
        gpu_memory_utilization=wanted.vllm.gpu_memory_utilization or None,
        dtype=wanted.vllm.dtype,
    )
    return engine, language


def _weights(wanted: EngineSettings) -> Path:
    """The folder of a core model's weights. Raises `AgentError` where there is none."""
    folder = wanted.model or BOXED_MODEL
    if not folder.is_dir():
        raise AgentError(
            f"{str(folder)!r} is no folder of weights; install duologue again, or have DUOLOGUE_MODEL name one or none"
        )
    return folder


def _load_language(agent: Agent, wanted: EngineSettings) -> tuple[Tokenizer, CoreLanguage]:
    from policies.learned.core.lexicon import Lexicon
    from policies.learned.core.tokenizer import Tokenizer

    from .engines.core_language import CoreLanguage

    folder = _weights(wanted)
    tokenizer = Tokenizer.load(folder)
    words = folder / "lexicon.txt"
    lexicon = Lexicon(tokenizer, words.read_text("utf-8").split()) if words.exists() else None
    return tokenizer, CoreLanguage(tokenizer, agent, lexicon)


def _make_server(
    agent: Agent, wanted: EngineSettings, run: Runner
) -> tuple[AbstractAsyncContextManager[Engine], Language]:
    settings = wanted.server
    assert settings is not None, "an engine of this kind has a server"
    try:
        from .engines.openai import OpenAIEngine, Server, TextLanguage, TokenizerSpelling
    except ImportError as error:
        raise AgentError("engine 'openai' needs its client; install it with: pip install 'duologue[openai]'") from error
    key = _key(settings.api_key_env)
    server = Server("[engine]", settings.base_url, settings.model, settings.timeout_s, settings.api_key_env, key)
    if not settings.tokens:
        return OpenAIEngine(server, run, tools=agent.tools), TextLanguage(agent.tools)
    tokenizer, language = _load_language(agent, wanted)
    engine = OpenAIEngine(server, run, spelling=TokenizerSpelling(tokenizer), vocabulary_size=tokenizer.size)
    return engine, language


_MAKERS = {"embedded": _make_embedded, "openai": _make_server, "vllm": _make_vllm}


def _key(api_key_env: str) -> str:
    """The server's key; empty where none is to be sent."""
    key = os.environ.get(api_key_env, "") if api_key_env else ""
    if api_key_env and not key:
        raise AgentError(f"environment variable {api_key_env} is not set; put the server's key into it")
    return key


async def _given(voice: Voice) -> Voice:
    return voice


async def _no_ears() -> tuple[None, None]:
    return None, None


async def _open_ears(agent: Agent, run: Runner, stack: AsyncExitStack) -> tuple[Silero, Recogniser]:
    open_recogniser = {"pocketsphinx": _open_sphinx, "whisper": _open_whisper, "openai": _open_served_recogniser}[
        agent.recogniser.kind
    ]
    async with asyncio.TaskGroup() as opening:
        pool = opening.create_task(open_recogniser(agent, run, stack))
        detector = opening.create_task(_open_detector(run, stack))
    return detector.result(), pool.result()


async def _open_detector(run: Runner, stack: AsyncExitStack) -> Silero:
    from audio.engines.silero import Silero

    detector = Silero(run)
    stack.callback(detector.close)
    await detector.warm()
    return detector


async def _open_sphinx(agent: Agent, run: Runner, stack: AsyncExitStack) -> Recogniser:
    from audio.engines.sphinx.pool import SphinxPool
    from audio.language.ngram import LanguageError

    try:
        language = await asyncio.to_thread(_language, agent, cache_folder() / "language")
    except LanguageError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        # Nowhere to keep it: it is made for this run alone, which costs every start 0.3 s.
        brief = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="duologue-")))
        language = await asyncio.to_thread(_language, agent, brief)
    pool = SphinxPool(run, language)
    stack.push_async_callback(pool.close)
    await pool.warm()
    return pool


async def _open_whisper(agent: Agent, run: Runner, stack: AsyncExitStack) -> Recogniser:
    from audio.engines.whisper.pool import WhisperPool
    from audio.engines.whisper.stream import WhisperSettings

    asked = agent.recogniser
    pool = WhisperPool(run, WhisperSettings(asked.model, asked.language, asked.compute, asked.step_ms))
    stack.push_async_callback(pool.close)
    await pool.warm()
    return pool


def _language(agent: Agent, folder: Path) -> LanguageFiles:
    from audio.language.files import build_language

    return build_language(agent.sentences, (), folder, made_from=agent.sentences_digest())


async def _open_voice(agent: Agent, run: Runner, stack: AsyncExitStack) -> Voice:
    kinds = {"espeak": _espeak, "piper": _piper, "kokoro": _kokoro, "openai": _served_voice}
    voice = kinds[agent.voice.kind](agent.voice, run)
    stack.push_async_callback(voice.close)
    await voice.warm()
    return voice


def _espeak(asked: VoiceSettings, run: Runner) -> WarmVoice:
    from audio.engines.espeak.utterance import VoiceSettings as EspeakSettings
    from audio.engines.espeak.voice import EspeakVoice

    return EspeakVoice(run, EspeakSettings(asked.name, asked.rate_wpm, asked.pitch))


def _piper(asked: VoiceSettings, run: Runner) -> WarmVoice:
    from audio.engines.piper.voice import PiperVoice

    return PiperVoice(run, Path(asked.model), program=asked.program, speed=asked.speed)


def _kokoro(asked: VoiceSettings, run: Runner) -> WarmVoice:
    from audio.engines.kokoro.voice import KokoroSettings, KokoroVoice

    settings = KokoroSettings(Path(asked.model), Path(asked.voices), asked.name, asked.language, asked.speed)
    return KokoroVoice(run, settings)


def _served_voice(asked: VoiceSettings, run: Runner) -> WarmVoice:
    try:
        from audio.engines.openai_audio.voice import OpenAIVoice, OpenAIVoiceSettings
    except ImportError as error:
        raise _no_client("voice") from error
    return OpenAIVoice(run, _speech_server("voice", asked), OpenAIVoiceSettings(asked.name, asked.speed))


async def _open_served_recogniser(agent: Agent, run: Runner, stack: AsyncExitStack) -> Recogniser:
    try:
        from audio.engines.openai_audio.recogniser import OpenAIRecogniser
    except ImportError as error:
        raise _no_client("recogniser") from error
    recogniser = OpenAIRecogniser(run, _speech_server("recogniser", agent.recogniser), agent.recogniser.language)
    stack.push_async_callback(recogniser.close)
    await recogniser.warm()
    return recogniser


def _speech_server(part: str, asked: VoiceSettings | RecogniserSettings) -> Server:
    from audio.engines.openai_server.faults import Server

    key = _key(asked.api_key_env)
    return Server(f"[{part}]", asked.base_url, asked.model, asked.timeout_s, asked.api_key_env, key)


def _no_client(part: str) -> AgentError:
    return AgentError(f"{part} 'openai' needs its client; install it with: pip install 'duologue[openai]'")
