"""What every voice promises behind the port, whichever it is: chunks, words in order, stopping, silence at the ends.

espeak-ng speaks, the server speaks with flite; Piper and kokoro-onnx run models of tones made on the spot.
"""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from audio.engines.espeak import voice as espeak
from audio.engines.kokoro import models as kokoro_models
from audio.engines.kokoro.voice import KokoroSettings, KokoroVoice
from audio.engines.piper.programs import missing_program
from audio.engines.piper.voice import PiperVoice
from audio.engines.spoken import SpokenChunk, VoiceError
from audio.frame import Pcm
from audio.heard import WordMark
from tests.audio.engines import speech_server
from tests.audio.engines.conftest import KeepingRunner
from tests.audio.engines.made_voices import make_kokoro, make_piper

SENTENCE = "Hello, your appointment is at ten thirty."
TEXT = f"{SENTENCE} Shall I book it? We are open from nine to five."


class AVoice(Protocol):
    """A voice that can be warmed and closed."""

    async def warm(self) -> object: ...
    def speak(self, text: str) -> AsyncGenerator[SpokenChunk]: ...
    async def close(self) -> None: ...


Make = Callable[[], Any]


@pytest.fixture(params=["espeak", "openai", "piper", "kokoro"])
def make(
    request: pytest.FixtureRequest, run: KeepingRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Make]:
    kind = request.param
    lacks = {
        "espeak": espeak.missing,
        "openai": lambda: speech_server.available() if importlib.util.find_spec("openai") else "no extra openai",
        "piper": missing_program,
        "kokoro": kokoro_models.missing_package,
    }[kind]()
    if lacks is not None:
        pytest.skip(lacks)
    if kind == "openai":
        from audio.engines.openai_audio.voice import OpenAIVoice, OpenAIVoiceSettings
        from audio.engines.openai_server.faults import Server

        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with speech_server.SpeechServing() as serving:
            where = Server("[voice]", serving.url, speech_server.SPEAKS, timeout_s=60.0)
            yield lambda: OpenAIVoice(run, where, OpenAIVoiceSettings("slt"))
    elif kind == "piper":
        model = make_piper(tmp_path)
        yield lambda: PiperVoice(run, model)
    elif kind == "kokoro":
        settings = KokoroSettings(*make_kokoro(tmp_path), "af_low")
        yield lambda: KokoroVoice(run, settings)
    else:
        yield lambda: espeak.EspeakVoice(run)


def with_voice(make: Make, talk: Callable[[AVoice], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with make() as voice:
            return await talk(voice)

    return asyncio.run(main())


async def spoken(voice: AVoice, text: str) -> list[SpokenChunk]:
    return [chunk async for chunk in voice.speak(text)]


def sound(chunks: list[SpokenChunk]) -> Pcm:
    return np.concatenate([chunk.pcm for chunk in chunks])


def marks(chunks: list[SpokenChunk]) -> list[WordMark]:
    return [mark for chunk in chunks for mark in chunk.words]


def loud(pcm: Pcm) -> bool:
    return bool(np.abs(pcm.astype(int)).max() >= 32)


def test_chunks_words_and_silence(make: Make) -> None:
    chunks = with_voice(make, lambda voice: spoken(voice, TEXT))
    pcm, words = sound(chunks), marks(chunks)
    assert len(chunks) >= 3
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert all(chunk.pcm.dtype == np.int16 and chunk.pcm.ndim == 1 for chunk in chunks)
    assert np.abs(pcm.astype(int)).max() > 4_000
    # Each written word has one mark, in order and inside the sound, which comes with its chunk or the one before.
    assert [TEXT[mark.start_char : mark.end_char] for mark in words] == TEXT.split()
    firsts = [mark.first_sample for mark in words]
    assert firsts[0] == 0
    assert firsts == sorted(set(firsts))
    assert firsts[-1] < len(pcm)
    known = 0
    for chunk in chunks:
        known += len(chunk.pcm)
        assert all(mark.first_sample <= known for mark in chunk.words)
    # The first sound counts, and the end is not waited for.
    assert loud(pcm[:160])
    assert loud(pcm[-6_400:])


def test_two_calls_speak_at_once_as_each_does_alone(make: Make) -> None:
    async def talk(voice: AVoice) -> None:
        alone = [sound(await spoken(voice, text)) for text in (SENTENCE, TEXT)]
        async with aclosing(voice.speak(TEXT)) as slow:
            heard = [await anext(slow)]
            assert sound(await spoken(voice, SENTENCE)).tobytes() == alone[0].tobytes()
            heard += [chunk async for chunk in slow]
        assert sound(heard).tobytes() == alone[1].tobytes()
        assert alone[0].tobytes() != alone[1][: len(alone[0])].tobytes() or len(alone[1]) > len(alone[0])

    with_voice(make, talk)


def test_stopping_waits_for_nothing_and_harms_nobody(make: Make, run: KeepingRunner) -> None:
    async def talk(voice: AVoice) -> None:
        whole = sound(await spoken(voice, SENTENCE))
        async with aclosing(voice.speak(TEXT)) as chunks:
            first = await anext(chunks)
            assert not first.last
            jobs = len(run.done)
            await chunks.aclose()
            assert len(run.done) == jobs
        assert sound(await spoken(voice, SENTENCE)).tobytes() == whole.tobytes()

    with_voice(make, talk)


def test_nothing_to_say_and_too_much(make: Make) -> None:
    async def talk(voice: AVoice) -> None:
        for text in ("", " ", "..."):
            (chunk,) = await spoken(voice, text)
            assert (len(chunk.pcm), chunk.words, chunk.last) == (0, (), True)
        # Control characters would end a line or a text early.
        assert len(marks(await spoken(voice, "one\ntwo\x00three"))) == 3
        with pytest.raises(VoiceError, match=r"2001 characters; the limit is 2000 \(speak its clauses\)"):
            await spoken(voice, "a" * 2001)

    with_voice(make, talk)


def test_costs_are_told(make: Make, run: KeepingRunner) -> None:
    pcm = sound(with_voice(make, lambda voice: spoken(voice, SENTENCE)))
    jobs = [job for job in run.done if job[2]]
    assert {kind for kind, *_ in jobs} == {"tts"}
    assert sum(units for _, _, units, _ in jobs) == pytest.approx(len(pcm) / 16_000, rel=0.2)
    assert sum(cpu_s for _, cpu_s, _, _ in run.done) > 0


def test_what_is_closed_refuses(make: Make) -> None:
    async def main() -> None:
        voice = make()
        await voice.warm()
        async with aclosing(voice.speak(TEXT)) as chunks:
            await anext(chunks)
            await voice.close()
            await voice.close()
            with pytest.raises(VoiceError, match="was closed"):
                async for _ in chunks:
                    pass
        with pytest.raises(VoiceError, match="was closed"):
            await spoken(voice, "Hello")

    asyncio.run(main())
