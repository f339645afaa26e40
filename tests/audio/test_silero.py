"""Silero: real model, real thread; batches equal separate runs bit for bit."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest

from audio.engines.silero import SLICE_WINDOWS, WINDOW_SAMPLES, Silero, SileroError, available
from audio.engines.silero.worker import Answer, Job, Model, State
from audio.frame import FrameError, Pcm, silence
from audio.outcome import Outcome
from audio.recordings import open_recording

T = TypeVar("T")

MODEL = Model()


class ThreadRunner:
    """Awaits the pool; remembers what was asked of it."""

    def __init__(self) -> None:
        self.costs: list[tuple[str, float, float, float | None]] = []
        self.entered = asyncio.Event()

    async def __call__(
        self, kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None
    ) -> T:
        self.entered.set()
        outcome = await asyncio.get_running_loop().run_in_executor(pool, call)
        self.costs.append((kind, outcome.cpu_s, outcome.units, due_s))
        return outcome.value


def noise(n_windows: int, seed: int) -> Pcm:
    rng = np.random.default_rng(seed)
    shape = np.sin(np.arange(n_windows * WINDOW_SAMPLES) / (300 + 40 * seed)) * 3000
    return np.asarray(rng.standard_normal(n_windows * WINDOW_SAMPLES) * shape, np.int16)


def alone(pcm: Pcm) -> Answer:
    """Window by window, each in a run of its own."""
    state, parts = State.fresh(), []
    for start in range(0, len(pcm), WINDOW_SAMPLES):
        (answer,) = MODEL.run([Job(pcm[start : start + WINDOW_SAMPLES], state)]).value
        state = answer.state
        parts.append(answer.probabilities)
    return Answer(np.concatenate(parts), state)


def test_streams_share_one_run_and_get_the_same_bits_as_alone() -> None:
    sounds = [noise(n, seed) for seed, n in enumerate((3, 1, 7, 7, 2, 20))]

    async def together() -> tuple[list[np.ndarray[tuple[int], np.dtype[np.float32]]], int]:
        silero = Silero(ThreadRunner())
        streams = [silero.open() for _ in sounds]
        results = await asyncio.gather(*(s.probabilities(x) for s, x in zip(streams, sounds, strict=True)))
        silero.close()
        return [np.asarray(r) for r in results], silero.runs

    results, runs = asyncio.run(together())
    assert runs == 1, "requests of one loop pass are one run"
    for sound, result in zip(sounds, results, strict=True):
        expected = alone(sound).probabilities
        assert result.dtype == np.float32
        assert np.array_equal(result, expected)
        assert len(expected) == 1 or expected.std() > 0


def test_requests_that_arrive_during_a_run_share_the_next_one() -> None:
    async def scene() -> tuple[int, list[float | None], list[float]]:
        runner = ThreadRunner()
        silero = Silero(runner)
        await silero.warm()
        runner.entered.clear()
        streams = [silero.open() for _ in range(5)]
        async with asyncio.TaskGroup() as group:
            group.create_task(streams[0].probabilities(noise(1, 0), due_s=3.0))
            await runner.entered.wait()
            for i in range(1, 5):
                group.create_task(streams[i].probabilities(noise(i, i), due_s=float(10 - i)))
        silero.close()
        return silero.runs, [due_s for _, _, _, due_s in runner.costs[1:]], [u for _, _, u, _ in runner.costs]

    runs, dues, units = asyncio.run(scene())
    assert runs == 2
    assert dues == [3.0, 6.0], "a shared run is due when its first request is"
    assert units == [0.0, 0.032, pytest.approx(0.32)]


def test_long_requests_go_in_slices_and_cost_is_reported() -> None:
    pcm = noise(SLICE_WINDOWS + 5, 3)

    async def scene() -> tuple[np.ndarray[tuple[int], np.dtype[np.float32]], ThreadRunner, int]:
        runner = ThreadRunner()
        silero = Silero(runner)
        result = await silero.open().probabilities(pcm)
        silero.close()
        return np.asarray(result), runner, silero.runs

    result, runner, runs = asyncio.run(scene())
    assert runs == 2
    assert np.array_equal(result, alone(pcm).probabilities)
    assert {kind for kind, _, _, _ in runner.costs} == {"vad"}
    assert sum(units for _, _, units, _ in runner.costs) == pytest.approx((SLICE_WINDOWS + 5) * 0.032)
    assert all(cpu_s > 0 for _, cpu_s, _, _ in runner.costs)


@pytest.mark.parametrize("who", [0, 1])
def test_cancelling_leader_or_follower_leaves_the_others_right(who: int) -> None:
    sounds = [noise(4, seed) for seed in range(3)]

    async def scene() -> list[bool]:
        runner = ThreadRunner()
        silero = Silero(runner)
        await silero.warm()
        runner.entered.clear()
        streams = [silero.open() for _ in sounds]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(s.probabilities(x)) for s, x in zip(streams, sounds, strict=True)]
            await runner.entered.wait()
            tasks[who].cancel()
        assert tasks[who].cancelled()
        right = []
        for i, task in enumerate(tasks):
            if i != who:
                first = np.array_equal(task.result(), alone(sounds[i]).probabilities)
                second = await streams[i].probabilities(sounds[i])
                both = alone(np.concatenate((sounds[i], sounds[i]))).probabilities
                right += [first, np.array_equal(second, both[4:])]
        # The cancelled stream's state did not move.
        again = await streams[who].probabilities(sounds[who])
        right.append(np.array_equal(again, alone(sounds[who]).probabilities))
        silero.close()
        return right

    assert asyncio.run(scene()) == [True] * 5


def test_an_error_in_the_run_reaches_everyone_and_the_next_run_works() -> None:
    async def scene() -> None:
        class FailsOnce(ThreadRunner):
            failed = False

            async def __call__(
                self, kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None
            ) -> T:
                if not self.failed:
                    self.failed = True
                    raise OSError("worker gone")
                return await super().__call__(kind, pool, call, due_s=due_s)

        silero = Silero(FailsOnce())
        streams = [silero.open(), silero.open()]
        results = await asyncio.gather(
            *(s.probabilities(silence(WINDOW_SAMPLES)) for s in streams), return_exceptions=True
        )
        assert [str(r) for r in results] == ["worker gone", "worker gone"]
        assert len(await streams[0].probabilities(silence(WINDOW_SAMPLES))) == 1
        silero.close()

    asyncio.run(scene())


def test_misuse_is_named() -> None:
    async def scene() -> None:
        runner = ThreadRunner()
        silero = Silero(runner)
        stream = silero.open()
        assert len(await stream.probabilities(silence(0))) == 0
        with pytest.raises(SileroError, match="block is 320 samples; expected a multiple of 512"):
            await stream.probabilities(silence(320))
        with pytest.raises(FrameError, match="dtype float32"):
            await stream.probabilities(np.zeros(512, np.float32))
        async with asyncio.TaskGroup() as group:
            group.create_task(stream.probabilities(silence(512)))
            await runner.entered.wait()
            with pytest.raises(SileroError, match="already has a request in flight"):
                await stream.probabilities(silence(512))
            with pytest.raises(SileroError, match="wait for it before a reset"):
                stream.reset()
            waiting = group.create_task(_refused(silero.open().probabilities(silence(512))))
            await asyncio.sleep(0)
            silero.close()
        assert waiting.result() == "the speech detector is closed; make a new Silero"
        with pytest.raises(SileroError, match="closed"):
            silero.open()

    async def _refused(request: Awaitable[object]) -> str:
        with pytest.raises(SileroError) as caught:
            await request
        return str(caught.value)

    asyncio.run(scene())


def test_reset_is_a_new_stream() -> None:
    async def scene() -> None:
        silero = Silero(ThreadRunner())
        stream = silero.open()
        first = await stream.probabilities(noise(5, 1))
        assert not np.array_equal(await stream.probabilities(noise(5, 1)), first), "the state matters"
        stream.reset()
        assert np.array_equal(await stream.probabilities(noise(5, 1)), first)
        silero.close()

    asyncio.run(scene())


def test_importing_is_light_and_availability_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    ok, words = available()
    assert ok, words
    assert "onnxruntime" in words
    monkeypatch.setattr("audio.engines.silero.worker.MODEL_PATH", Path("nowhere") / "silero_vad.onnx")
    assert available() == (False, "silero_vad.onnx is missing beside worker.py (reinstall the package)")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert available() == (False, "onnxruntime is not installed (pip install onnxruntime)")
    script = "import sys, audio.engines.silero; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=os.getcwd()).returncode == 0


def test_speech_is_told_from_silence_on_a_recording() -> None:
    folder = Path(os.environ.get("DUOLOGUE_CALLS", ""))
    if not (folder / "goforward.wav").is_file():
        pytest.skip("set DUOLOGUE_CALLS to a folder that holds goforward.wav")
    pcm = np.concatenate(list(open_recording(folder / "goforward.wav").blocks(0)))
    windows = pcm[: len(pcm) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    (answer,) = MODEL.run([Job(windows, State.fresh())]).value
    assert answer.probabilities.max() > 0.9
    assert answer.probabilities[:8].max() < 0.3, "the clip opens with room noise"
