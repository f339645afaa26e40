"""The recogniser with its real processes: words, places, restarts, bounds."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from audio.engines.espeak.voice import EspeakVoice
from audio.engines.espeak.voice import missing as voice_missing
from audio.engines.sphinx import pool as pool_module
from audio.engines.sphinx.channel import UNHEARD
from audio.engines.sphinx.hypothesis import Hypothesis
from audio.engines.sphinx.link import SphinxError
from audio.engines.sphinx.pool import SphinxPool, SphinxStream, available, missing
from audio.frame import FrameError, Pcm, silence
from audio.language.files import LanguageFiles, build_language
from audio.outcome import Runner

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))

SENTENCE = "i would like to cancel my appointment"
SENTENCES = [
    "go forward ten meters",
    "turn left",
    SENTENCE,
    "is there something earlier in the morning",
    "how much does it cost",
]


class Keeping(Runner, Protocol):
    done: list[tuple[str, float, float, float | None]]


@pytest.fixture(scope="module")
def language(tmp_path_factory: pytest.TempPathFactory) -> LanguageFiles:
    return build_language(SENTENCES, [], tmp_path_factory.mktemp("language"), off_script=False)


@pytest.fixture(scope="module")
def recording() -> Pcm:
    """ "go forward ten meters", 2.8 s of a real speaker (BSD, from the pocketsphinx sources)."""
    path = Path(os.environ.get("DUOLOGUE_CALLS", "")) / "goforward.wav"
    if "DUOLOGUE_CALLS" not in os.environ or not path.is_file():
        pytest.skip("DUOLOGUE_CALLS names no folder with goforward.wav")
    return np.frombuffer(path.read_bytes()[44:], np.int16)


@pytest.fixture(scope="module")
def spoken() -> Callable[[str], Pcm]:
    """Sentences by espeak-ng, with a little silence around."""
    if voice_missing():
        pytest.skip(str(voice_missing()))
    said: dict[str, Pcm] = {}

    async def say(run: Runner) -> None:
        async with EspeakVoice(run) as voice:
            for sentence in SENTENCES:
                chunks = [chunk.pcm async for chunk in voice.speak(sentence)]
                said[sentence] = np.concatenate([silence(3200), *chunks, silence(3200)])

    async def run_job(kind: str, pool: Any, call: Any, *, due_s: float | None = None) -> Any:
        return (await asyncio.get_running_loop().run_in_executor(pool, call)).value

    asyncio.run(say(run_job))
    return said.__getitem__


@pytest.fixture
def speech(spoken: Callable[[str], Pcm]) -> Pcm:
    """A sentence that is heard without error: 2 s by espeak-ng."""
    return spoken(SENTENCE)


def in_pool(pool: SphinxPool, talk: Callable[[SphinxStream], Coroutine[Any, Any, Any]]) -> Any:
    async def main() -> Any:
        async with pool:
            return await talk(await pool.open())

    return asyncio.run(main())


async def listen(stream: SphinxStream, pcm: Pcm, block: int = 3200) -> tuple[list[Hypothesis], Hypothesis]:
    partials = []
    for start in range(0, len(pcm), block):
        partials += await stream.feed(pcm[start : start + block])
    return partials, await stream.finish()


def test_a_real_speaker_is_heard(run: Keeping, language: LanguageFiles, recording: Pcm) -> None:
    partials, final = in_pool(SphinxPool(run, language), partial(listen, pcm=recording))
    assert final.text == "go forward ten meters"
    assert final.final
    assert final.at_sample == len(recording)
    assert partials[-1].text == final.text
    assert all(one.text != other.text for one, other in pairwise(partials))
    assert all(not one.final and one.at_sample % 640 == 0 for one in partials)
    assert [one.at_sample for one in partials] == sorted({one.at_sample for one in partials})
    for one in partials:
        assert one.words[-1].end_sample <= one.at_sample
        assert one.words[-1].confidence is None
    for word in final.words:
        assert 0 <= word.start_sample < word.end_sample <= len(recording)
        assert word.confidence is not None
        assert 0.2 < word.confidence <= 1


def test_the_size_of_blocks_changes_nothing(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    async def talk(stream: SphinxStream) -> None:
        first = await listen(stream, speech)
        await stream.close()
        for block in (320, 777, len(speech)):
            again = await pool.open()
            assert await listen(again, speech, block) == first, block
            await again.close()

    pool = SphinxPool(run, language)
    in_pool(pool, talk)


def test_first_sentences_of_a_voice_never_heard(
    run: Keeping, language: LanguageFiles, spoken: Callable[[str], Pcm]
) -> None:
    """With the decoder's own first mean this voice is heard 60 % wrong."""

    async def talk(stream: SphinxStream) -> None:
        wrong = 0
        for sentence in SENTENCES[2:]:
            stream = await pool.open()
            _, final = await listen(stream, spoken(sentence))
            wrong += len(set(sentence.split()) ^ set(final.text.split()))
            await stream.close()
        assert wrong <= 3

    pool = SphinxPool(run, language)
    in_pool(pool, talk)


def test_the_second_pass_is_an_option(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    _, final = in_pool(SphinxPool(run, language, passes=2), partial(listen, pcm=speech))
    assert final.text == SENTENCE


def test_costs_are_told(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    async def talk(stream: SphinxStream) -> None:
        await stream.feed(speech[:16000], due_s=1.5)
        await stream.feed(speech[16000:])
        await stream.finish()

    in_pool(SphinxPool(run, language), talk)
    assert {kind for kind, *_ in run.done} == {"asr"}
    assert run.done[1][2:] == (1.0, 1.5)
    assert sum(units for _, _, units, _ in run.done) == pytest.approx(len(speech) / 16000)
    assert 0.01 < sum(cpu_s for _, cpu_s, _, _ in run.done) < 2


def test_a_killed_process_costs_no_words(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    half = len(speech) // 2 // 640 * 640

    async def talk(stream: SphinxStream, *, killed: bool) -> list[object]:
        def kill() -> None:
            if killed:
                os.kill(pool.pids[0], signal.SIGKILL)

        other = await pool.open()
        heard: list[object] = [await listen(stream, speech)]
        kill()  # between segments: what was learnt of the channel must come back
        heard.append(await stream.feed(speech[:half]))
        heard.append(await other.feed(speech[:half]))
        kill()  # within
        heard.append(await stream.feed(speech[half:]))
        kill()  # before the end; the other stream is restored at its next turn only
        heard.append(await stream.finish())
        heard.append(await other.feed(speech[half:]))
        heard.append(await other.finish())
        kill()
        await other.close()
        return heard

    pool = SphinxPool(run, language)
    undisturbed = in_pool(pool, partial(talk, killed=False))
    pool = SphinxPool(run, language)
    assert in_pool(pool, partial(talk, killed=True)) == undisturbed


def test_a_hung_process_is_replaced(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    async def talk(stream: SphinxStream) -> Hypothesis:
        await stream.feed(speech[:3200])
        hung = pool.pids[0]
        os.kill(hung, signal.SIGSTOP)
        # The patience of a test is for the process that hangs; its successor may take what it needs.
        worker = stream._worker
        talk_to = worker._talk

        def impatient(child: Any, header: Any, pcm: bytes) -> Any:
            worker._patience_s = 0.05 if child.pid == hung else 30.0
            return talk_to(child, header, pcm)

        worker._talk = impatient  # type: ignore[method-assign]
        _, final = await listen(stream, speech[3200:])
        assert pool.pids[0] != hung
        return final

    pool = SphinxPool(run, language)
    assert in_pool(pool, talk).text == SENTENCE


def test_the_same_sound_is_not_tried_for_ever(run: Keeping, language: LanguageFiles) -> None:
    async def talk(stream: SphinxStream) -> None:
        stream._worker._patience_s = -1.0  # no answer can come in time
        with pytest.raises(SphinxError, match=r"lost 2 time.*16000 samples.*open another"):
            await stream.feed(silence(16000))
        stream._worker._patience_s = 5.0
        stream._worker.warm()
        with pytest.raises(SphinxError, match="refused 'nonsense'"):
            stream._worker._ask("nonsense", stream._state, stream._segment, b"")

    in_pool(SphinxPool(run, language), talk)


def test_a_long_segment_is_cut_and_its_words_stay(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    async def talk(stream: SphinxStream, *, killed: bool) -> Hypothesis:
        long = np.concatenate([speech, silence(18 * 16000), speech])
        for start in range(0, len(long), 16000):
            await stream.feed(long[start : start + 16000])
            assert len(stream._segment.pcm) <= 2 * 31 * 16000
            if killed and start == 22 * 16000:
                assert stream._segment.base >= 20 * 16000
                os.kill(pool.pids[0], signal.SIGKILL)
        return await stream.finish()

    pool = SphinxPool(run, language)
    final = in_pool(pool, partial(talk, killed=False))
    assert final.text == f"{SENTENCE} {SENTENCE}"
    starts = [word.start_sample for word in final.words]
    assert starts == sorted(starts)
    offset = len(speech) + 18 * 16000
    assert abs(starts[7] - starts[0] - offset) < 1600
    pool = SphinxPool(run, language)
    assert in_pool(pool, partial(talk, killed=True)) == final


def test_sound_without_a_pause_is_cut_at_thirty_seconds(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    async def talk(stream: SphinxStream) -> None:
        await stream.feed(np.tile(speech[3600:-3600], 17))  # 33 s without the silence at both ends
        assert 20 * 16000 <= stream._segment.base <= 30 * 16000
        final = await stream.finish()
        assert len(final.words) > 40

    in_pool(SphinxPool(run, language), talk)


def test_noise_teaches_nothing_of_the_channel_and_speech_does(
    run: Keeping, language: LanguageFiles, speech: Pcm
) -> None:
    async def talk(stream: SphinxStream) -> None:
        assert (await stream.finish()).words == ()
        await listen(stream, silence(16000))
        assert stream._state.channel == UNHEARD
        await listen(stream, speech)
        assert stream._state.channel.frames > 200

    in_pool(SphinxPool(run, language), talk)


def test_a_cancelled_feed_loses_no_sound(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    async def talk(stream: SphinxStream) -> Hypothesis:
        async with asyncio.TaskGroup() as group:
            feeding = group.create_task(stream.feed(speech[:20000]))
            await asyncio.sleep(0)
            feeding.cancel()
        await stream.feed(speech[20000:])
        return await stream.finish()

    assert in_pool(SphinxPool(run, language), talk).text == SENTENCE


def test_feeds_that_overlap_keep_their_order(run: Keeping, language: LanguageFiles, speech: Pcm) -> None:
    async def talk(stream: SphinxStream) -> None:
        halves = await asyncio.gather(stream.feed(speech[:22400]), stream.feed(speech[22400:]))
        final = await stream.finish()
        other = await pool.open()
        assert (halves[0] + halves[1], final) == await listen(other, speech)

    pool = SphinxPool(run, language)
    in_pool(pool, talk)


def test_streams_are_spread_and_bounded(run: Keeping, language: LanguageFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(first: SphinxStream) -> None:
        assert len(pool.pids) == 1
        second = await pool.open()
        assert len(set(pool.pids)) == 2
        monkeypatch.setattr(pool_module, "MAX_STREAMS", 1)
        with pytest.raises(SphinxError, match=r"1 streams are open on each of 2 workers \(close some"):
            await pool.open()
        await first.close()
        await first.close()
        third = await pool.open()
        assert third._worker is first._worker
        with pytest.raises(SphinxError, match="stream was closed"):
            await first.feed(silence(1))
        monkeypatch.setattr(pool_module, "MAX_WAITING_S", 1)
        with pytest.raises(SphinxError, match=r"16001 samples wait .* limit is 16000"):
            await second.feed(silence(16001))
        monkeypatch.setattr(pool_module, "MAX_WAITING_S", 60)
        monkeypatch.setattr(pool_module, "MAX_SEGMENT_S", 1)
        with pytest.raises(SphinxError, match="longer than 1 s"):
            await second.feed(silence(16001))
        with pytest.raises(FrameError, match="float64"):
            await second.feed(np.zeros(3))  # type: ignore[arg-type]
        await pool.close()
        await pool.close()
        await second.close()
        with pytest.raises(SphinxError, match="was closed"):
            await third.finish()
        with pytest.raises(SphinxError, match="was closed"):
            await pool.open()
        assert pool.pids == []

    pool = SphinxPool(run, language, workers=2)
    in_pool(pool, talk)


def test_warming_starts_every_process(run: Keeping, language: LanguageFiles) -> None:
    async def main() -> None:
        async with SphinxPool(run, language, workers=2) as pool:
            await pool.warm()
            before = pool.pids
            assert len(set(before)) == 2
            await pool.warm()
            assert pool.pids == before
        assert pool.pids == []

    asyncio.run(main())


def test_a_language_that_cannot_be_read_is_told(run: Keeping, tmp_path: Path) -> None:
    nowhere = LanguageFiles(tmp_path / "no.arpa", tmp_path / "no.dict", "")

    async def main() -> None:
        async with SphinxPool(run, nowhere) as pool:
            with pytest.raises(SphinxError, match="does not start"):
                await pool.warm()
            with pytest.raises(SphinxError, match="does not start"):
                await pool.open()

    asyncio.run(main())


def test_settings_that_make_no_sense(run: Keeping, language: LanguageFiles) -> None:
    with pytest.raises(SphinxError, match="workers is 0"):
        SphinxPool(run, language, 0)
    with pytest.raises(SphinxError, match="passes is 3"):
        SphinxPool(run, language, passes=3)


def test_what_the_doctor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(available()).startswith("pocketsphinx 5.")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert available() is None
    assert "not installed" in str(missing())
