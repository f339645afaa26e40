"""The voice with its real program: sound, words, stopping, crashes, and the wall between two licences."""

from __future__ import annotations

import ast
import asyncio
import importlib.util
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from audio.engines.espeak import speaker as speaker_module
from audio.engines.espeak.speaker import PROGRAM
from audio.engines.espeak.utterance import SpokenChunk, VoiceError, VoiceSettings
from audio.engines.espeak.voice import EspeakVoice, available, missing
from audio.frame import Pcm
from audio.heard import WordMark
from audio.outcome import Runner

ROOT = Path(__file__).resolve().parents[3]

needs_voice = pytest.mark.skipif(missing() is not None, reason=str(missing()))
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="child processes are found in /proc")

SENTENCE = "Hello, your appointment is at ten thirty. Shall I book it?"
LONG = "We are open from nine to five on every day of the week but Sunday. " * 4


class Keeping(Runner, Protocol):
    done: list[tuple[str, float, float, float | None]]


def wheel() -> tuple[Path, Path] | None:
    """The library of the espeakng-loader wheel and its voices."""
    spec = importlib.util.find_spec("espeakng_loader")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for library in Path(folder).glob("libespeak-ng.so"):
            return library, Path(folder)
    return None


def children(process: int) -> list[int]:
    """The processes that `process` has forked and not buried."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == process and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


def forked(process: int, count: int) -> list[int]:
    """The children of a process that is about to have `count`: it forks another when one is at work."""
    for _ in range(5_000):
        found = children(process)
        if len(found) >= count:
            break
    assert len(found) == count
    return found


@contextmanager
def watched(processes: list[int]) -> Iterator[list[int]]:
    """Descriptors that become readable when the processes end."""
    watches = [os.pidfd_open(process) for process in processes]
    try:
        yield watches
    finally:
        for watch in watches:
            os.close(watch)


def ended(watch: int) -> bool:
    return bool(select.select([watch], [], [], 10)[0])


async def spoken(voice: EspeakVoice, text: str, settings: VoiceSettings | None = None) -> list[SpokenChunk]:
    return [chunk async for chunk in voice.speak(text, settings)]


def sound(chunks: list[SpokenChunk]) -> Pcm:
    return np.concatenate([chunk.pcm for chunk in chunks])


def words(chunks: list[SpokenChunk]) -> list[WordMark]:
    return [mark for chunk in chunks for mark in chunk.words]


@needs_voice
def test_a_sentence_with_its_words(run: Keeping) -> None:
    async def main() -> list[SpokenChunk]:
        async with EspeakVoice(run) as voice:
            assert (await voice.warm()).startswith("espeak-ng 1.")
            return await spoken(voice, SENTENCE)

    chunks = asyncio.run(main())
    pcm, marks = sound(chunks), words(chunks)
    assert [SENTENCE[mark.start_char : mark.end_char] for mark in marks] == SENTENCE.split()
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert 2.5 < len(pcm) / 16000 < 4.5
    # The first sound counts: a small chunk, audible at once.
    assert 0 < len(chunks[0].pcm) <= 0.065 * 16000
    assert np.abs(pcm[:160].astype(int)).max() > 32
    assert np.abs(pcm.astype(int)).max() > 8000
    # Later ones are long enough that few jobs are needed.
    assert all(0.15 <= len(chunk.pcm) / 16000 <= 0.25 for chunk in chunks[1:-2])
    firsts = [mark.first_sample for mark in marks]
    assert firsts[0] == 0
    assert firsts == sorted(set(firsts))
    known = 0
    for chunk in chunks:
        known += len(chunk.pcm)
        assert all(mark.first_sample <= known for mark in chunk.words)
    # "Shall" begins after a pause that the mark skips: sound follows it, silence goes before it.
    shall = firsts[SENTENCE.split().index("Shall")]
    assert np.abs(pcm[shall - 800 : shall - 160].astype(int)).max() < 500
    assert np.abs(pcm[shall : shall + 2400].astype(int)).max() > 3000


@needs_voice
def test_the_same_text_always_sounds_the_same(run: Keeping) -> None:
    """espeak-ng itself lets one utterance change the next; a replay could not have that."""

    async def main() -> None:
        async with EspeakVoice(run) as voice:
            first = await spoken(voice, SENTENCE)
            await spoken(voice, "Something else, no. 42!")
            again = await spoken(voice, SENTENCE)
        async with EspeakVoice(run) as voice:
            await spoken(voice, "Wow!")
            elsewhere = await spoken(voice, SENTENCE)
        for other in (again, elsewhere):
            assert [chunk.pcm.tobytes() for chunk in other] == [chunk.pcm.tobytes() for chunk in first]
            assert words(other) == words(first)

    asyncio.run(main())


@needs_voice
@pytest.mark.skipif(wheel() is None, reason="the espeakng-loader wheel is not installed")
def test_a_library_named_by_its_path(run: Keeping) -> None:
    library, data = wheel() or (Path(), Path())

    async def main() -> None:
        async with EspeakVoice(run, library=library, data=data) as voice:
            assert await voice.warm() == "espeak-ng 1.52.0"
            assert len(sound(await spoken(voice, SENTENCE))) > 40000

    asyncio.run(main())


@needs_voice
def test_settings_change_the_voice(run: Keeping) -> None:
    async def main() -> None:
        async with EspeakVoice(run, VoiceSettings(rate_wpm=175)) as voice:
            usual = sound(await spoken(voice, SENTENCE))
            slow = sound(await spoken(voice, SENTENCE, VoiceSettings(rate_wpm=100)))
            british = sound(await spoken(voice, SENTENCE, VoiceSettings(voice="en-gb", pitch=70)))
            assert len(slow) > 1.3 * len(usual)
            assert british.tobytes() != usual.tobytes()
            with pytest.raises(VoiceError, match="no voice 'xx-nobody'"):
                await spoken(voice, "Hello", VoiceSettings(voice="xx-nobody"))
            assert sound(await spoken(voice, SENTENCE)).tobytes() == usual.tobytes()

    asyncio.run(main())


@needs_voice
def test_two_calls_speak_at_once(run: Keeping) -> None:
    async def main() -> None:
        async with EspeakVoice(run) as voice:
            alone = [sound(await spoken(voice, text)) for text in (SENTENCE, LONG)]
            # One of them is read slowly: the other one must not wait for it.
            async with aclosing(voice.speak(LONG)) as slow:
                heard = [await anext(slow)]
                assert sound(await spoken(voice, SENTENCE)).tobytes() == alone[0].tobytes()
                heard += [chunk async for chunk in slow]
            assert sound(heard).tobytes() == alone[1].tobytes()

    asyncio.run(main())


@needs_voice
def test_costs_are_told(run: Keeping) -> None:
    async def main() -> Pcm:
        async with EspeakVoice(run) as voice:
            return sound(await spoken(voice, SENTENCE))

    pcm = asyncio.run(main())
    jobs = run.done[:-1]  # the last one ends the program
    assert {kind for kind, *_ in jobs} == {"tts"}
    assert sum(units for _, _, units, _ in jobs) == pytest.approx(len(pcm) / 16000)
    assert 0.0005 < sum(cpu_s for _, cpu_s, _, _ in jobs) < 0.5


@needs_voice
@needs_proc
def test_closing_stops_the_synthesis(run: Keeping) -> None:
    async def main() -> None:
        async with EspeakVoice(run) as voice:
            await voice.warm()
            async with aclosing(voice.speak(LONG)) as chunks:
                await anext(chunks)
                talkers = forked(voice.pid or 0, 3)  # two that wait for work, one that waits for us to listen
                with watched(talkers) as watches:
                    jobs = len(run.done)
                    await chunks.aclose()
                    assert len(run.done) == jobs  # nobody waited
                    await spoken(voice, "Yes.")
                    for left in (3, 2):  # who said yes, and who was closed; the third still waits for work
                        over = select.select(watches, [], [], 10)[0]
                        assert over, f"{left} still run"
                        os.close(over[0])
                        watches.remove(over[0])

    asyncio.run(main())


@needs_voice
@needs_proc
def test_a_killed_fork_leaves_no_seam(run: Keeping) -> None:
    async def main() -> None:
        async with EspeakVoice(run) as voice:
            whole = await spoken(voice, LONG)
            async with aclosing(voice.speak(LONG)) as chunks:
                heard = [await anext(chunks), await anext(chunks)]
                for process in children(voice.pid or 0):
                    os.kill(process, signal.SIGKILL)
                heard += [chunk async for chunk in chunks]
            assert sound(heard).tobytes() == sound(whole).tobytes()
            assert words(heard) == words(whole)

    asyncio.run(main())


@needs_voice
@needs_proc
def test_a_killed_program_is_started_again(run: Keeping) -> None:
    async def main() -> None:
        async with EspeakVoice(run) as voice:
            whole = sound(await spoken(voice, LONG))
            before = voice.pid or 0
            async with aclosing(voice.speak(LONG)) as chunks:
                heard = [await anext(chunks)]
                for process in [before, *children(before)]:
                    os.kill(process, signal.SIGKILL)
                assert sound(await spoken(voice, LONG)).tobytes() == whole.tobytes()
                heard += [chunk async for chunk in chunks]
            assert sound(heard).tobytes() == whole.tobytes()
            assert voice.pid != before

    asyncio.run(main())


@needs_voice
@needs_proc
def test_forks_end_with_their_program_and_the_program_with_us(run: Keeping) -> None:
    async def main() -> None:
        voice = EspeakVoice(run)
        await voice.warm()
        speaking = voice.speak(LONG)
        await anext(speaking)
        with watched([*children(voice.pid or 0), voice.pid or 0]) as watches:
            await voice.close()
            await voice.close()
            assert all(map(ended, watches))
        assert voice.pid is None
        with pytest.raises(VoiceError, match="was closed"):
            async for _ in speaking:
                pass
        with pytest.raises(VoiceError, match="was closed"):
            await spoken(voice, "Hello")

    asyncio.run(main())


@needs_voice
def test_an_utterance_is_not_tried_for_ever(run: Keeping) -> None:
    async def main() -> None:
        async with EspeakVoice(run, patience_s=0) as voice:
            with pytest.raises(VoiceError, match="lost twice over the same text of 5 characters"):
                await spoken(voice, "Hello")

    asyncio.run(main())


@needs_voice
def test_nothing_to_say(run: Keeping) -> None:
    async def main() -> None:
        async with EspeakVoice(run) as voice:
            for text in ("", " ", "..."):
                (chunk,) = await spoken(voice, text)
                assert (len(chunk.pcm), chunk.words, chunk.last) == (0, (), True)
            # A zero byte would end the text inside the library.
            assert len(words(await spoken(voice, "one\x00two\nthree"))) == 3

    asyncio.run(main())


@needs_voice
def test_limits_are_named(run: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with EspeakVoice(run) as voice:
            with pytest.raises(VoiceError, match=r"2001 characters; the limit is 2000 \(speak its clauses\)"):
                await spoken(voice, "a" * 2001)
            monkeypatch.setattr(speaker_module, "MAX_SPEAKING", 1)
            async with aclosing(voice.speak(LONG)) as chunks:
                await anext(chunks)
                with pytest.raises(VoiceError, match="1 utterances are being spoken"):
                    await spoken(voice, "Hello")

    asyncio.run(main())
    with pytest.raises(VoiceError, match="rate_wpm is 500"):
        VoiceSettings(rate_wpm=500)
    with pytest.raises(VoiceError, match="pitch is -1"):
        VoiceSettings(pitch=-1)


def test_a_missing_library_is_told(run: Keeping, tmp_path: Path) -> None:
    async def main() -> None:
        async with EspeakVoice(run, library=tmp_path / "libnothing.so") as voice:
            with pytest.raises(VoiceError, match=r"does not start: no espeak-ng library found \(pip install"):
                await voice.warm()

    asyncio.run(main())


def test_what_the_doctor_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if missing() is None:
        assert str(available()).startswith("espeak-ng 1.")
    monkeypatch.setenv("DUOLOGUE_ESPEAK_LIBRARY", str(tmp_path / "libnothing.so"))
    assert available() is None
    assert "libnothing.so" in str(missing())
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nobody"))
    assert "does not run" in str(missing())


def test_the_program_stays_a_program_of_its_own() -> None:
    source = PROGRAM.read_text(encoding="utf-8")
    assert source.startswith("# SPDX-License-Identifier: GPL-3.0-or-later\n")
    for node in ast.walk(ast.parse(source)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"__future__"}
    for path in (*ROOT.glob("audio/**/*.py"), *ROOT.glob("agent_runtime/**/*.py")):
        assert "espeak.program" not in path.read_text(encoding="utf-8").replace("espeak/program", ""), path
