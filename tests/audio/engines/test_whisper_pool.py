"""Whisper live: nothing waits for a decoding but a final, the newest sound wins, a stale partial is left out.

Calls run in virtual time, where a decoding costs what a model says; the process behind is a real one with random
weights.
"""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from agent_runtime.clock import run_outside, run_virtual
from audio.agreement import AgreementSettings
from audio.engines.whisper import link, stream
from audio.engines.whisper.link import Stretch, WhisperError, Worker
from audio.engines.whisper.pool import WhisperPool
from audio.engines.whisper.stream import Segment, WhisperSettings, WhisperStream
from audio.engines.whisper.words import Hypothesis, words_of
from audio.frame import Pcm
from audio.outcome import Outcome

T = TypeVar("T")
S = 16_000
BLOCK = 512
"""What `listening` feeds at a time: a window of the detector, 32 ms."""


@pytest.fixture
def settings(made_whisper: Path) -> WhisperSettings:
    return WhisperSettings(str(made_whisper), step_ms=512, most_tokens=6)


def noise(seconds: float, seed: int = 0) -> Pcm:
    return np.clip(np.random.default_rng(seed).standard_normal(round(seconds * S)) * 3000, -32768, 32767).astype(
        np.int16
    )


@dataclass
class Watched:
    """A runner that notes what was asked when: (loop time of asking, of the answer, seconds of sound)."""

    jobs: list[tuple[float, float, float]] = field(default_factory=list)

    async def __call__(
        self, kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None
    ) -> T:
        asked, units = asyncio.get_running_loop().time(), 0.0

        def noted() -> Outcome[T]:
            nonlocal units
            outcome = call()
            units = outcome.units
            return outcome

        value = await run_outside(kind, pool, noted, due_s=due_s)
        if units:
            self.jobs.append((round(asked, 3), round(asyncio.get_running_loop().time(), 3), round(units, 3)))
        return value


async def speak(heard: WhisperStream, pcm: Pcm) -> list[tuple[float, float]]:
    """Feed live; (time at which a hypothesis was told, sample in seconds that it was known at)."""
    told = []
    for start in range(0, len(pcm), BLOCK):
        await asyncio.sleep(BLOCK / S)
        before = asyncio.get_running_loop().time()
        found = await heard.feed(pcm[start : start + BLOCK])
        assert asyncio.get_running_loop().time() == before, "a live feed waits for nothing"
        told += [(round(before, 3), one.at_sample / S) for one in found]
    return told


def live(run: Any, settings: WhisperSettings, talk: Callable[[WhisperPool], Awaitable[T]], cost_s: float = 0.6) -> T:
    async def main() -> T:
        async with WhisperPool(run, settings) as pool:
            await pool.warm()
            return await talk(pool)

    def charge(kind: str, outcome: Outcome[Any], submitted_s: float) -> float:
        return submitted_s + (cost_s if outcome.units else 0.0)  # starting a process costs nothing here

    return run_virtual(main(), charge)


def test_the_newest_sound_wins_where_decoding_is_slower_than_its_step(settings: WhisperSettings) -> None:
    run = Watched()

    async def talk(pool: WhisperPool) -> tuple[list[tuple[float, float]], Hypothesis]:
        heard = await pool.open()
        told = await speak(heard, noise(3.2))
        final = await heard.finish()
        await heard.close()
        return told, final

    _, final = live(run, settings, talk, cost_s=0.9)
    # Steps end at 0.512, 1.024, ... s; a decoding takes 0.9 s, begins with all sound there is, and skips what was due.
    assert run.jobs == [
        (0.512, 1.412, 0.512),
        (1.412, 2.312, 1.408),
        (2.312, 3.212, 2.304),
        (3.212, 4.112, 3.2),
    ]
    assert (final.at_sample, final.final) == (round(3.2 * S), True)


def test_a_step_counts_from_the_sound_that_the_last_decoding_heard(settings: WhisperSettings) -> None:
    run = Watched()

    async def talk(pool: WhisperPool) -> None:
        heard, *others = [await pool.open() for _ in range(4)]
        for one in others:
            await one.feed(noise(0.3))
        async with asyncio.TaskGroup() as group:
            for one in others:
                group.create_task(one.finish())
            await speak(heard, noise(2.0))
        for one in (heard, *others):
            await one.close()

    live(run, settings, talk, cost_s=0.3)
    # Three finals hold the worker until 0.9 s; the partial due at 0.512 s hears what is there then, the next a step on.
    assert [job[0] for job in run.jobs[:5]] == [0.0, 0.3, 0.6, 0.9, 1.408]


def test_the_text_of_one_segment_prompts_the_next(settings: WhisperSettings) -> None:
    async def talk(pool: WhisperPool) -> list[Any]:
        heard, finals = await pool.open(), []
        for _ in range(2):
            await heard.feed(noise(0.5))
            finals.append((await heard.finish()).words)
        await heard.close()
        return finals

    first, second = live(Watched(), settings, talk)
    assert first != second
    first, second = live(Watched(), dataclasses.replace(settings, prompt_chars=0), talk)
    assert first == second


def test_partials_are_told_by_the_first_feed_after_they_are_known(settings: WhisperSettings) -> None:
    run = Watched()

    async def talk(pool: WhisperPool) -> list[tuple[float, float]]:
        heard = await pool.open()
        told = await speak(heard, noise(2.2))
        await heard.close()
        return told

    told = live(run, settings, talk, cost_s=0.2)
    assert run.jobs[:3] == [(0.512, 0.712, 0.512), (1.024, 1.224, 1.024), (1.536, 1.736, 1.536)]
    # Told 0.2 s after their sound for the decoding, and up to 32 ms later by the next feed; an unchanged text is not.
    due = {0.512: 0.736, 1.024: 1.248, 1.536: 1.76}
    assert len(told) >= 2
    assert told == [(due[place], place) for _, place in told]


def test_live_runs_are_the_same_each_time(settings: WhisperSettings) -> None:
    async def talk(pool: WhisperPool) -> list[Any]:
        streams = [await pool.open() for _ in range(3)]
        told = await asyncio.gather(*(speak(one, noise(2.0, seed)) for seed, one in enumerate(streams)))
        finals = await asyncio.gather(*(one.finish() for one in streams))
        for one in streams:
            await one.close()
        return [told, finals]

    assert live(Watched(), settings, talk) == live(Watched(), settings, talk)


def test_finals_go_first_and_stale_partials_not_at_all(settings: WhisperSettings) -> None:
    run = Watched()

    async def talk(pool: WhisperPool) -> None:
        streams = [await pool.open() for _ in range(4)]
        for n, one in enumerate(streams):
            await one.feed(noise(1.0 + n / 10))  # all are worth a partial now; the first one's begins
            await asyncio.sleep(0)
        (turns,) = {id(one._turns): one._turns for one in streams}.values()
        await asyncio.sleep(0.1)
        assert turns.waiting == (0, 3)
        for one in streams:
            for _ in range(20):
                await one.feed(noise(0.5))
        assert turns.waiting == (0, 3), "one place a stream, however much it says"
        async with asyncio.TaskGroup() as group:
            ends = [group.create_task(one.finish()) for one in streams[2:]]
            await asyncio.sleep(0)
            assert turns.waiting == (2, 3)
        assert [end.result().at_sample for end in ends] == [round(11.2 * S), round(11.3 * S)]
        await asyncio.sleep(2.0)
        assert turns.waiting == (0, 0)
        for one in streams:
            await one.close()

    live(run, settings, talk)
    # first partial, two finals, then the second stream's partial over all it has said by then; and the first's again.
    assert [job[2] for job in run.jobs] == [1.0, 11.2, 11.3, 11.1, 11.0]


def test_hanging_up_leaves_what_is_being_decoded(settings: WhisperSettings) -> None:
    async def talk(pool: WhisperPool) -> float:
        first, second = await pool.open(), await pool.open()
        await first.feed(noise(1.0))
        await second.feed(noise(1.0))
        await asyncio.sleep(0.1)
        await second.close()  # still waits for its turn
        assert first._turns.waiting == (0, 0)
        await first.close()  # is being decoded
        closed_at = asyncio.get_running_loop().time()
        third = await pool.open()
        await third.feed(noise(0.4))
        assert (await third.finish()).at_sample == round(0.4 * S)
        await third.close()
        return closed_at

    assert live(Watched(), settings, talk) == pytest.approx(0.1)


def test_a_cancelled_finish_gives_its_turn_away(settings: WhisperSettings) -> None:
    async def talk(pool: WhisperPool) -> None:
        first, second = await pool.open(), await pool.open()
        async with asyncio.TaskGroup() as group:
            ends = []
            for one in (first, second):
                await one.feed(noise(0.4))
                ends.append(group.create_task(one.finish()))
            await asyncio.sleep(0.1)
            for end in ends:
                end.cancel()
        await first.feed(noise(0.3))
        assert (await first.finish()).at_sample == round(0.3 * S)
        await first.close()
        await second.close()

    live(Watched(), settings, talk)


def test_a_process_killed_in_a_live_call_costs_nothing_but_time(settings: WhisperSettings) -> None:
    async def talk(pool: WhisperPool) -> tuple[Hypothesis, bool]:
        heard, before = await pool.open(), pool.pids
        await speak(heard, noise(0.7))
        os.kill(pool.pids[0], signal.SIGKILL)
        await speak(heard, noise(0.7))
        os.kill(pool.pids[0], signal.SIGKILL)
        final = await heard.finish()
        await heard.close()
        return final, pool.pids != before

    final, other = live(Watched(), settings, talk)
    assert other
    assert final.at_sample == 2 * round(0.7 * S)
    assert final.words


def test_the_same_sound_is_not_tried_for_ever(settings: WhisperSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(pool: WhisperPool) -> None:
        heard = await pool.open()
        heard._worker._patience_s = -1.0  # no answer can come in time
        await heard.feed(noise(1.0))
        await asyncio.sleep(5)
        with pytest.raises(WhisperError, match=r"lost 2 time.*16000 samples.*open another"):
            await heard.feed(noise(0.1))
        heard._worker._patience_s = 30.0
        assert (await heard.finish()).at_sample == round(1.1 * S)
        await heard.close()

    live(Watched(), settings, talk)


def test_a_hung_process_is_replaced(settings: WhisperSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = Worker(settings.model, "en", "int8", patience_s=30.0)
    try:
        worker.warm()
        hung = worker.pid
        assert hung is not None
        os.kill(hung, signal.SIGSTOP)
        worker._patience_s = 0.05
        start = worker._running
        # The patience of a test is for the process that hangs; its successor may take what it needs.
        monkeypatch.setattr(worker, "_running", lambda: _patient(worker, start, hung))
        outcome = worker.decode(Stretch(noise(1.0).tobytes(), "", 1, 6))
        assert outcome.value
        assert worker.pid != hung
        with pytest.raises(WhisperError, match="whisper refused 8000 samples: ValueError"):
            worker.decode(Stretch(noise(0.5).tobytes(), "", 1, 4000))
        assert worker.decode(Stretch(noise(1.0).tobytes(), "", 1, 6)).value == outcome.value
    finally:
        worker.stop()
        worker.close()
    with pytest.raises(WhisperError, match="was closed"):
        worker.decode(Stretch(b"", "", 1, 6))


def _patient(worker: Worker, start: Callable[[], Any], hung: int) -> Any:
    child = start()
    if child.pid != hung:
        worker._patience_s = 30.0
    return child


def test_speech_beyond_one_window_is_decoded_in_pieces_and_forgotten(settings: WhisperSettings) -> None:
    short = WhisperSettings(
        settings.model, step_ms=500, most_tokens=6, agreement=AgreementSettings(trim_s=1.0, most_s=2.0)
    )
    run = Watched()

    async def talk(pool: WhisperPool) -> Hypothesis:
        heard = await pool.open()
        for n in range(8):
            await heard.feed(noise(1.0, n), due_s=0.0)
            held = heard._segment
            assert len(held._pcm) // 2 == held.total - held.agreement.base
            assert held.total - held.agreement.base < 2 * S
        settled = heard._segment.agreement.settled
        final = await heard.finish()
        assert final.words[: len(settled)] == settled
        for _ in range(5):
            await heard.feed(noise(1.0))  # nobody decodes it before its end
        late = await heard.finish()
        assert late.at_sample == 5 * S
        await heard.close()
        return final

    final = live(run, short, talk)
    assert final.at_sample == 8 * S
    assert max(job[2] for job in run.jobs) <= 2.0
    starts = [word.start_sample for word in final.words]
    assert starts == sorted(starts)


def test_a_segment_without_end_is_an_error(settings: WhisperSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MAX_SEGMENT_S", 1)

    async def talk(pool: WhisperPool) -> None:
        heard = await pool.open()
        with pytest.raises(WhisperError, match="longer than 1 s"):
            await heard.feed(noise(1.1))
        await heard.close()

    live(Watched(), settings, talk)


def test_a_model_that_is_missing_or_broken_is_told_in_one_line(made_whisper: Path, tmp_path: Path) -> None:
    def fault(model: str) -> str:
        async def talk(pool: WhisperPool) -> None:
            raise AssertionError("it must not start")

        with pytest.raises(WhisperError) as caught:
            live(Watched(), WhisperSettings(model), talk)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "no folder and no model's name" in fault("nowhere/at/all")
    assert "HF_HUB_OFFLINE is set" in fault("tiny")
    assert "lacks model.bin, config.json, tokenizer.json, vocabulary.json" in fault(str(tmp_path))
    for file in made_whisper.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[:1000])
    assert "whisper does not start with model" in fault(str(tmp_path))


def test_a_start_that_says_nothing_is_given_up(settings: WhisperSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "START_PATIENCE_S", 0.0)
    worker = Worker(settings.model, "en", "int8", patience_s=1.0)
    with pytest.raises(WhisperError, match=r"whisper does not start: .* gave no sign"):
        worker.warm()
    assert worker.pid is None


# --- without a process -------------------------------------------------------------------------------------------


def test_the_decoder_is_told_what_was_said_before() -> None:
    settings = WhisperSettings(prompt_chars=30, agreement=AgreementSettings(trim_s=1.0, most_s=4.0))
    segment = Segment(settings)
    segment.append(noise(3.0))
    assert segment.stretch(S, "").prompt == ""
    assert segment.stretch(S, "Hello, this is Ann. I would like to come.").prompt == "is Ann. I would like to come."
    rows = [["Monday.", 0.0, 0.5, 0.9], ["Or", 1.0, 1.2, 0.9]]
    segment.take(rows, 3 * S // 2)
    segment.take(rows, 2 * S)
    assert segment.stretch(2 * S, "When? On").prompt == "When? On Monday."
    assert len(segment.stretch(2 * S, "").pcm) == 2 * (2 * S - segment.agreement.base) == 2 * round(1.25 * S)
    assert Segment(WhisperSettings(prompt_chars=0)).stretch(0, "x").prompt == ""


def test_a_stretch_may_give_as_many_tokens_as_it_can_hold_words() -> None:
    segment = Segment(WhisperSettings())
    segment.append(noise(25.0))
    assert [segment.stretch(end * S, "").most_tokens for end in (1, 5, 25)] == [26, 66, 200]
    assert (segment.stretch(S, "").beam, segment.stretch(S, "", final=True).beam) == (1, 5)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"step_ms": 99}, "step_ms is 99; expected 100 to 10000"),
        ({"most_tokens": 0}, "most_tokens is 0"),
        ({"model": ""}, "model or language is empty"),
        ({"language": ""}, "model or language is empty"),
    ],
)
def test_settings_that_make_no_sense(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(WhisperError, match=line):
        WhisperSettings(**wrong)


def test_words_are_plain_and_stay_inside_their_stretch() -> None:
    rows = [
        [" Tuesday,", -0.1, 0.5, 0.91234],
        [" —", 0.5, 0.6, 1.0],
        [" O'Clock?", 0.4, 9.0, 0.5],
        [" A.M.", 0.2, 0.3, 1],
    ]
    words = words_of(rows, S, 3 * S)
    assert [word.text for word in words] == ["tuesday", "o'clock", "a.m"]
    assert [word.spelled for word in words] == ["Tuesday,", "O'Clock?", "A.M."]
    assert [(word.start_sample, word.end_sample) for word in words] == [(S, 24_000), (24_000, 3 * S), (3 * S, 3 * S)]
    assert words[0].confidence == 0.9123
