"""Each adapter is assigned to its port, so that the type checker proves the fit; the runtime part looks at the names.

`mypy` fails here when an adapter and its port drift apart. Adapters never import the port.
"""

from __future__ import annotations

import importlib.util
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from agent_runtime import ports
from agent_runtime.doors.recording import RecordingDoor
from agent_runtime.doors.tape import Tape
from agent_runtime.doors.words import WordsDoor
from agent_runtime.engines.core_language import CoreLanguage
from agent_runtime.engines.embedded import EmbeddedEngine, EmbeddedSession
from agent_runtime.listening_words import WordDoor
from agent_runtime.testing.caller import ScriptedCaller
from agent_runtime.testing.duet import DuetDoor
from agent_runtime.testing.fakes import FakeEngine, FakeSession, TimedVoice, WordLanguage
from agent_runtime.thinking import Language
from audio.engines.espeak.voice import EspeakVoice
from audio.engines.kokoro.voice import KokoroVoice
from audio.engines.piper.voice import PiperVoice
from audio.engines.silero import Silero, SileroStream
from audio.engines.sphinx.pool import SphinxPool, SphinxStream
from audio.engines.whisper.pool import WhisperPool
from audio.engines.whisper.stream import WhisperStream

if TYPE_CHECKING:
    from agent_runtime.engines.torch import TorchEngine, TorchSession
    from audio.engines.openai_audio.recogniser import OpenAIRecogniser, OpenAIStream
    from audio.engines.openai_audio.voice import OpenAIVoice

    def engines(embedded: EmbeddedEngine, torch: TorchEngine, fake: FakeEngine) -> Iterator[ports.Engine]:
        yield embedded
        yield torch
        yield fake

    def engine_sessions(
        embedded: EmbeddedSession, torch: TorchSession, fake: FakeSession
    ) -> Iterator[ports.EngineSession]:
        yield embedded
        yield torch
        yield fake

    def languages(core: CoreLanguage, words: WordLanguage) -> Iterator[Language]:
        yield core
        yield words

    def voices(
        espeak: EspeakVoice, piper: PiperVoice, kokoro: KokoroVoice, served: OpenAIVoice, timed: TimedVoice
    ) -> Iterator[ports.Voice]:
        yield espeak
        yield piper
        yield kokoro
        yield served
        yield timed

    def detectors(silero: Silero) -> ports.Detector:
        return silero

    def detector_streams(silero: SileroStream) -> ports.DetectorStream:
        return silero

    def recognisers(sphinx: SphinxPool, whisper: WhisperPool, served: OpenAIRecogniser) -> Iterator[ports.Recogniser]:
        yield sphinx
        yield whisper
        yield served

    def recogniser_streams(
        sphinx: SphinxStream, whisper: WhisperStream, served: OpenAIStream
    ) -> Iterator[ports.RecogniserStream]:
        yield sphinx
        yield whisper
        yield served

    def doors(recording: RecordingDoor, words: WordsDoor, tape: Tape, caller: ScriptedCaller) -> Iterator[ports.Door]:
        yield recording
        yield words
        yield tape
        yield caller

    def word_doors(words: WordsDoor, caller: ScriptedCaller, duet: DuetDoor) -> Iterator[WordDoor]:
        yield words
        yield caller
        yield duet

    def takers_of_words(duet: DuetDoor) -> ports.PlayWords:
        return duet.play_words


FITS: list[tuple[type[Any], type[Any]]] = [
    (ports.Engine, EmbeddedEngine),
    (ports.Engine, FakeEngine),
    (ports.EngineSession, EmbeddedSession),
    (ports.EngineSession, FakeSession),
    (ports.Voice, EspeakVoice),
    (ports.Voice, PiperVoice),
    (ports.Voice, KokoroVoice),
    (ports.Voice, TimedVoice),
    (ports.Detector, Silero),
    (ports.DetectorStream, SileroStream),
    (ports.Recogniser, SphinxPool),
    (ports.RecogniserStream, SphinxStream),
    (ports.Recogniser, WhisperPool),
    (ports.RecogniserStream, WhisperStream),
    (ports.Door, RecordingDoor),
    (ports.Door, WordsDoor),
    (ports.Door, Tape),
    (ports.Door, ScriptedCaller),
    (WordDoor, DuetDoor),
    (Language, CoreLanguage),
    (Language, WordLanguage),
]


@pytest.mark.parametrize(("port", "adapter"), FITS, ids=lambda one: one.__name__)
def test_an_adapter_has_what_its_port_asks_for(port: type[Any], adapter: type[Any]) -> None:
    """A second look without a type checker: names, and which of them are awaited or iterated."""
    for name, asked in vars(port).items():
        if name.startswith("_"):
            continue
        assert hasattr(adapter, name) or name in getattr(adapter, "__annotations__", {}), f"{adapter.__name__}.{name}"
        given = getattr(adapter, name, None)
        if inspect.iscoroutinefunction(asked):
            assert inspect.iscoroutinefunction(given), f"{adapter.__name__}.{name} is to be awaited"
        elif inspect.isfunction(asked) and given is not None:
            assert not inspect.iscoroutinefunction(given), f"{adapter.__name__}.{name} is not to be awaited"


@pytest.mark.parametrize("name", ports.__all__)
def test_every_port_is_exported_and_documented(name: str) -> None:
    port = getattr(ports, name)
    if inspect.isclass(port):
        assert inspect.getdoc(port)


def test_adapters_of_the_speech_parts_never_import_the_port() -> None:
    for name in (
        "audio.engines.silero",
        "audio.engines.sphinx.pool",
        "audio.engines.whisper.pool",
        "audio.engines.whisper.stream",
        "audio.engines.espeak.voice",
        "audio.engines.piper.voice",
        "audio.engines.kokoro.voice",
    ):
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.loader is not None
        source = spec.loader.get_source(name)  # type: ignore[attr-defined]
        assert "agent_runtime" not in source
