"""Piper and Kokoro in their programs: crashes, missing files and programs, settings, and the wall between licences."""

from __future__ import annotations

import ast
import asyncio
import os
import signal
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.engines.kokoro import models
from audio.engines.kokoro.voice import WORKER, KokoroSettings, KokoroVoice
from audio.engines.piper import programs
from audio.engines.piper.voice import PiperVoice
from audio.engines.sentences import PAUSE, TAIL, ends, sentences
from audio.engines.spoken import SpokenChunk, VoiceError
from audio.frame import silence
from tests.audio.engines.conftest import KeepingRunner
from tests.audio.engines.made_voices import make_kokoro, make_piper

ROOT = Path(__file__).resolve().parents[3]
TEXT = "One two three. Four five six."

needs_piper = pytest.mark.skipif(programs.missing_program() is not None, reason=str(programs.missing_program()))
needs_kokoro = pytest.mark.skipif(models.missing_package() is not None, reason=str(models.missing_package()))

Make = Callable[..., Any]


def _piper(run: KeepingRunner, folder: Path, **more: Any) -> PiperVoice:
    return PiperVoice(run, make_piper(folder), **more)


def _kokoro(run: KeepingRunner, folder: Path, **more: Any) -> KokoroVoice:
    patience = {name: more.pop(name) for name in ("patience_s",) if name in more}
    return KokoroVoice(run, KokoroSettings(*make_kokoro(folder), more.pop("voice", "af_low"), **more), **patience)


both = pytest.mark.parametrize(
    "make",
    [pytest.param(_piper, marks=needs_piper, id="piper"), pytest.param(_kokoro, marks=needs_kokoro, id="kokoro")],
)


async def spoken(voice: Any, text: str = TEXT) -> list[SpokenChunk]:
    return [chunk async for chunk in voice.speak(text)]


def sound(chunks: list[SpokenChunk]) -> bytes:
    return b"".join(chunk.pcm.tobytes() for chunk in chunks)


def said(make: Make, run: KeepingRunner, folder: Path, text: str = TEXT, **more: Any) -> bytes:
    async def main() -> bytes:
        async with make(run, folder, **more) as voice:
            return sound(await spoken(voice, text))

    return asyncio.run(main())


@both
def test_a_killed_program_is_started_again_and_no_sentence_is_said_twice(
    make: Make, run: KeepingRunner, tmp_path: Path
) -> None:
    async def main() -> None:
        async with make(run, tmp_path) as voice:
            whole = sound(await spoken(voice))
            before = voice.pid
            async with aclosing(voice.speak(TEXT)) as chunks:
                heard = [await anext(chunks)]
                os.kill(before, signal.SIGKILL)
                heard += [chunk async for chunk in chunks]
            assert sound(heard) == whole
            assert voice.pid not in (before, None)
        assert voice.pid is None

    asyncio.run(main())


@needs_kokoro
def test_a_sentence_is_not_tried_for_ever(run: KeepingRunner, tmp_path: Path) -> None:
    async def main() -> None:
        async with _kokoro(run, tmp_path, patience_s=0.0) as voice:
            with pytest.raises(VoiceError, match=r"lost 2 time\(s\) over the same sentence: .* gave no sign for 0 s"):
                await spoken(voice)

    asyncio.run(main())


@both
def test_speed_shortens_and_the_same_text_sounds_the_same(make: Make, run: KeepingRunner, tmp_path: Path) -> None:
    usual, fast = said(make, run, tmp_path), said(make, run, tmp_path, speed=2.0)
    pause = 2 * (PAUSE + TAIL)
    assert (len(usual) - pause) / (len(fast) - pause) == pytest.approx(2, rel=0.1)
    assert said(make, run, tmp_path) == usual
    with pytest.raises(VoiceError, match=r"speed is 9"):
        make(run, tmp_path, speed=9)


@needs_kokoro
def test_kokoro_speaks_with_the_voice_that_was_asked_for(run: KeepingRunner, tmp_path: Path) -> None:
    assert said(_kokoro, run, tmp_path) != said(_kokoro, run, tmp_path, voice="af_high")
    with pytest.raises(
        VoiceError, match=r"does not start: ValueError: there is no voice 'me' in .*; it has af_high, af"
    ):
        said(_kokoro, run, tmp_path, voice="me")
    with pytest.raises(VoiceError, match=r"kokoro refused a sentence of 14 characters: \w+: .*xx-none"):
        said(_kokoro, run, tmp_path, language="xx-none")


@needs_piper
def test_piper_leaves_no_file_behind(run: KeepingRunner, tmp_path: Path) -> None:
    async def main() -> None:
        async with _piper(run, tmp_path) as voice:
            await spoken(voice)
            folder = voice._piper._running.folder  # type: ignore[union-attr]
            assert os.listdir(folder) == []
            async with aclosing(voice.speak(TEXT)) as chunks:
                await anext(chunks)
        with pytest.raises(FileNotFoundError):
            os.listdir(folder)

    asyncio.run(main())


@needs_piper
def test_what_piper_says_of_a_bad_model_is_told(run: KeepingRunner, tmp_path: Path) -> None:
    model = make_piper(tmp_path)
    model.write_bytes(b"no model at all")

    async def main() -> None:
        async with PiperVoice(run, model) as voice:
            with pytest.raises(VoiceError, match=r"lost 2 time\(s\).*; it said: [^\n]*[Pp]rotobuf[^\n]*$"):
                await voice.warm()
            assert voice.pid is None

    asyncio.run(main())


def test_a_missing_program_and_a_missing_model_are_named_with_the_way_out(
    run: KeepingRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fault(voice: Any) -> str:
        async with voice:
            with pytest.raises(VoiceError) as caught:
                await voice.warm()
        return str(caught.value)

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]
    piper = asyncio.run(fault(PiperVoice(run, tmp_path / "no.onnx")))
    assert "piper is not on the PATH, nor is there a module piper (pip install piper-tts" in piper
    assert f"piper model {tmp_path / 'no.onnx'} is not there (a voice is NAME.onnx with NAME.onnx.json" in piper
    asked = asyncio.run(fault(PiperVoice(run, tmp_path / "no.onnx", program="my-piper")))
    assert "'my-piper' is no program (pip install piper-tts" in asked
    assert "is no .onnx file" in asyncio.run(fault(PiperVoice(run, tmp_path / "voice")))
    kokoro = asyncio.run(fault(KokoroVoice(run, KokoroSettings(tmp_path / "k.onnx", tmp_path / "v.bin", "af_low"))))
    assert "kokoro-onnx is not installed (pip install 'duologue[kokoro]')" in kokoro
    assert f"kokoro model {tmp_path / 'k.onnx'} is not there" in kokoro


def test_a_program_that_is_another_piper_is_told(run: KeepingRunner, tmp_path: Path) -> None:
    """On the desktop piper is also a program that sets up mice."""
    other = tmp_path / "piper"
    other.write_text("#!/bin/sh\necho 'piper: cannot open display: ' >&2\nexit 1\n")
    other.chmod(0o755)

    async def main() -> None:
        async with PiperVoice(run, make_piper(tmp_path), program=str(other)) as voice:
            with pytest.raises(VoiceError, match="it said: piper: cannot open display:"):
                await voice.warm()

    asyncio.run(main())


def test_where_sentences_end() -> None:
    assert sentences("Hi, Dr. Lee. It is 12.50! Ok") == [(0, "Hi, Dr. Lee."), (13, "It is 12.50!"), (26, "Ok")]
    assert sentences("... one -- two") == [(4, "one -- two")]
    assert sentences("") == sentences(" ?! ") == []
    text = '"Yes." he said. No?   Fine'
    assert [text[at : at + len(one)] for at, one in sentences(text)] == [one for _, one in sentences(text)]


def test_the_ends_of_a_sentence() -> None:
    pcm = np.array([0, 10, 100, 0, -100, 3, 0], np.int16)
    assert ends(pcm) == (2, 5)
    assert ends(silence(7)) == (0, 7)


def test_the_kokoro_worker_stays_a_program_of_its_own() -> None:
    source = WORKER.read_text(encoding="utf-8")
    assert source.startswith("# SPDX-License-Identifier: GPL-3.0-or-later\n")
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in names} <= {*sys.stdlib_module_names, "numpy", "kokoro_onnx"}
    for path in (*ROOT.glob("audio/**/*.py"), *ROOT.glob("agent_runtime/**/*.py")):
        text = path.read_text(encoding="utf-8")
        assert "kokoro.worker" not in text, path
        assert "import piper" not in text, path
        assert "from piper" not in text, path
