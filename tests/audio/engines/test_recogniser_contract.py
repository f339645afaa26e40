"""What every recogniser promises behind the port, whichever it is: order, places, restarts, bounds.

The speech is the shipped clips of the front desk. pocketsphinx hears their words; the Whisper here has random weights,
so that its words mean nothing and the promises must hold for any text at all.
"""

from __future__ import annotations

import asyncio
import os
import signal
import wave
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
import pytest

from agent_runtime.ports import Hypothesis, RecogniserStream
from audio.engines.sphinx import pool as sphinx
from audio.engines.whisper import pool as whisper
from audio.engines.whisper.stream import WhisperSettings
from audio.frame import AudioError, FrameError, Pcm, silence
from audio.language.files import build_language
from audio.outcome import Runner

DEMO = Path(__file__).resolve().parents[3] / "examples" / "front_desk" / "calls" / "demo"
SENTENCES = ["i would like to book an appointment", "hello i need to see somebody", "on wednesday please", "yes please"]


class Keeping(Runner, Protocol):
    done: list[tuple[str, float, float, float | None]]


Make = Callable[..., Any]
"""A pool, with keyword arguments of its own such as `workers`."""


@pytest.fixture(scope="session")
def makers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Callable[..., Any]]:
    language = build_language(SENTENCES, [], tmp_path_factory.mktemp("language"), off_script=False)
    return {"sphinx": partial(_sphinx, language)}


def _sphinx(language: Any, run: Runner, **more: Any) -> sphinx.SphinxPool:
    return sphinx.SphinxPool(run, language, **more)


@pytest.fixture(params=["sphinx", "whisper"])
def make(request: pytest.FixtureRequest, run: Keeping, makers: dict[str, Make]) -> Make:
    if request.param == "sphinx":
        if sphinx.missing() is not None:
            pytest.skip(str(sphinx.missing()))
        return partial(makers["sphinx"], run)
    folder = request.getfixturevalue("made_whisper")
    settings = WhisperSettings(str(folder), step_ms=400, most_tokens=8)
    return partial(whisper.WhisperPool, run, settings)


@pytest.fixture
def module(make: Make) -> ModuleType:
    """Where the bound on streams stands."""
    return sphinx if make.func is not whisper.WhisperPool else whisper  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def clips() -> Callable[[str], Pcm]:
    def read(name: str) -> Pcm:
        with wave.open(str(DEMO / f"{name}.wav"), "rb") as clip:
            return np.frombuffer(clip.readframes(clip.getnframes()), np.int16)

    return read


@pytest.fixture
def speech(clips: Callable[[str], Pcm]) -> Pcm:
    return clips("request-1")


def in_pool(pool: Any, talk: Callable[[Any], Awaitable[Any]]) -> Any:
    async def main() -> Any:
        async with pool:
            stream = await pool.open()
            try:
                return await talk(stream)
            finally:
                await stream.close()

    return asyncio.run(main())


async def hear(stream: RecogniserStream, pcm: Pcm, block: int = 3200) -> tuple[list[Hypothesis], Hypothesis]:
    """Partials and final text of one segment that is given ahead of its time, so that all partials are waited for."""
    partials: list[Hypothesis] = []
    for start in range(0, len(pcm), block):
        partials += await stream.feed(pcm[start : start + block], due_s=0.0)
    return partials, await stream.finish()


def texts(hypothesis: Hypothesis) -> list[str]:
    return [word.text for word in hypothesis.words]


def check_places(hypotheses: Sequence[Hypothesis]) -> None:
    for one in hypotheses:
        assert all(0 <= word.start_sample <= word.end_sample <= one.at_sample for word in one.words)
        assert all(a.start_sample <= b.start_sample for a, b in pairwise(one.words))
        assert all(word.text == word.text.lower().strip() != "" for word in one.words)


def test_hypotheses_come_in_order_and_inside_the_sound(make: Make, speech: Pcm) -> None:
    partials, final = in_pool(make(), partial(hear, pcm=speech))
    assert len(partials) >= 2
    places = [one.at_sample for one in partials]
    assert places == sorted(set(places))
    assert all(texts(one) != texts(other) for one, other in pairwise(partials))
    assert final.at_sample == len(speech)
    assert final.words
    check_places([*partials, final])


def test_the_size_of_blocks_changes_nothing(make: Make, speech: Pcm) -> None:
    heard = [in_pool(make(), partial(hear, pcm=speech, block=block)) for block in (3200, 320, 777, len(speech))]
    assert heard[1:] == heard[:1] * 3


def test_each_segment_counts_from_its_own_start(make: Make, clips: Callable[[str], Pcm]) -> None:
    async def talk(stream: RecogniserStream) -> None:
        nothing = await stream.finish()
        assert (tuple(nothing.words), nothing.at_sample) == ((), 0)
        for name in ("request-1", "day-1"):
            partials, final = await hear(stream, clips(name))
            assert final.at_sample == len(clips(name))
            assert partials[0].at_sample <= final.at_sample
            check_places([*partials, final])

    in_pool(make(), talk)


def test_a_cancelled_feed_loses_no_sound(make: Make, speech: Pcm) -> None:
    async def talk(stream: RecogniserStream) -> Hypothesis:
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(stream.feed(speech[:20_000], due_s=0.0))
            await asyncio.sleep(0)
            feeding.cancel()
        assert feeding.cancelled()
        await stream.feed(speech[20_000:], due_s=0.0)
        return await stream.finish()

    _, undisturbed = in_pool(make(), partial(hear, pcm=speech))
    assert texts(in_pool(make(), talk)) == texts(undisturbed)


def test_feeds_that_overlap_keep_their_order(make: Make, speech: Pcm) -> None:
    async def talk(stream: RecogniserStream) -> tuple[list[Hypothesis], Hypothesis]:
        feeds = [stream.feed(part, due_s=0.0) for part in (speech[:22_400], speech[22_400:])]
        first, second = await asyncio.gather(*feeds)
        return [*first, *second], await stream.finish()

    assert in_pool(make(), talk) == in_pool(make(), partial(hear, pcm=speech))


def test_a_killed_process_costs_no_words(make: Make, speech: Pcm) -> None:
    half = len(speech) // 2 // 640 * 640

    async def talk(stream: RecogniserStream, *, killed: bool) -> list[Any]:
        def kill() -> None:
            if killed:
                os.kill(pool.pids[0], signal.SIGKILL)

        heard: list[Any] = [await hear(stream, speech)]
        kill()  # between segments
        heard.append(await stream.feed(speech[:half], due_s=0.0))
        kill()  # within one
        heard.append(await stream.feed(speech[half:], due_s=0.0))
        kill()  # before its end
        heard.append(await stream.finish())
        return heard

    pool = make()
    undisturbed = in_pool(pool, partial(talk, killed=False))
    pool = make()
    assert in_pool(pool, partial(talk, killed=True)) == undisturbed


def test_two_calls_at_once_hear_what_each_hears_alone(make: Make, clips: Callable[[str], Pcm]) -> None:
    names = ("request-1", "request-2")

    async def together(pool: Any) -> list[Any]:
        async with pool:
            streams = [await pool.open() for _ in names]
            heard = await asyncio.gather(*(hear(s, clips(name)) for s, name in zip(streams, names, strict=True)))
            for stream in streams:
                await stream.close()
            return heard

    alone = [in_pool(make(), partial(hear, pcm=clips(name))) for name in names]
    assert alone[0] != alone[1]
    assert asyncio.run(together(make())) == alone


def test_what_is_closed_refuses_and_streams_are_bounded(
    make: Make, module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        pool = make(workers=2)
        first = await pool.open()
        second = await pool.open()
        monkeypatch.setattr(module, "MAX_STREAMS", 1)
        with pytest.raises(AudioError, match=r"1 streams are open on each of 2 workers \(close some"):
            await pool.open()
        with pytest.raises(FrameError, match="float64"):
            await second.feed(np.zeros(3))
        await first.close()
        await first.close()
        with pytest.raises(AudioError, match="stream was closed"):
            await first.feed(silence(1))
        third = await pool.open()
        await pool.close()
        await pool.close()
        with pytest.raises(AudioError, match="was closed"):
            await third.finish()
        with pytest.raises(AudioError, match="was closed"):
            await pool.open()
        await second.close()
        await third.close()
        assert pool.pids == []

    asyncio.run(main())


def test_warming_starts_every_process(make: Make) -> None:
    async def main() -> None:
        async with make(workers=2) as pool:
            await pool.warm()
            before = pool.pids
            assert len(set(before)) == 2
            await pool.warm()
            assert pool.pids == before
        assert pool.pids == []

    asyncio.run(main())


def test_costs_are_told(make: Make, run: Keeping, speech: Pcm) -> None:
    async def talk(stream: RecogniserStream) -> None:
        await stream.feed(speech, due_s=1.5)
        await stream.finish()

    in_pool(make(), talk)
    work = [(kind, cpu_s, units, due_s) for kind, cpu_s, units, due_s in run.done if cpu_s]
    assert len({kind for kind, *_ in work}) == 1
    assert 1.5 in {due_s for *_, due_s in work}
    assert work[-1][3] is None, "the end of a segment is never ahead of its time"
    assert sum(units for _, _, units, _ in work) >= len(speech) / 16_000
    assert 0.001 < sum(cpu_s for _, cpu_s, _, _ in work) < 5


def test_no_worker_is_refused(make: Make) -> None:
    with pytest.raises(AudioError, match="workers is 0"):
        make(workers=0)
