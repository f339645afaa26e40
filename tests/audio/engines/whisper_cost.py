"""What Whisper costs here: CPU a decoding, CPU a second of audio, and how late partials and finals are.

    HF_HUB_OFFLINE=1 python -m tests.audio.engines.whisper_cost --shape tiny --step-ms 1000

Weights are random and of Whisper's own shapes, text is capped (random text never ends by itself): cost is real, words
mean nothing. The call runs in virtual time charged with the CPU seconds of the worker, on a core of its own, so that a
busy machine delays nobody; partial latency is in ms of audio from the last sample decoded to the feed that told of it.
"""

from __future__ import annotations

import argparse
import asyncio
import platform
import statistics
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from agent_runtime.clock import MeasuredCost, run_outside, run_virtual, today
from audio.engines.whisper.link import Stretch, Worker
from audio.engines.whisper.pool import WhisperPool
from audio.engines.whisper.stream import WhisperSettings
from audio.frame import Pcm
from audio.outcome import Outcome
from tests.audio.engines.made_whisper import BASE, MADE, TINY, make_whisper

T = TypeVar("T")
RATE_HZ, BLOCK = 16_000, 512
SHAPES = {"made": MADE, "tiny": TINY, "base": BASE}


class Spent:
    """A runner that adds up CPU seconds and keeps each decoding's."""

    def __init__(self) -> None:
        self.each_s: list[float] = []

    async def __call__(
        self, kind: str, pool: Executor, call: Callable[[], Outcome[T]], *, due_s: float | None = None
    ) -> T:
        def noted() -> Outcome[T]:
            outcome = call()
            if outcome.units:
                self.each_s.append(outcome.cpu_s)
            return outcome

        return await run_outside(kind, pool, noted, due_s=due_s)


def noise(seconds: float, seed: int) -> Pcm:
    loud = np.random.default_rng(seed).standard_normal(round(seconds * RATE_HZ)) * 3000
    return np.clip(loud, -32768, 32767).astype(np.int16)


async def _calls(settings: WhisperSettings, n_calls: int, segments: int, segment_s: float) -> dict[str, Any]:
    run = Spent()
    late_ms: list[float] = []
    final_ms: list[float] = []
    loop = asyncio.get_running_loop()

    async def one(seed: int) -> None:
        stream = await pool.open()
        for number in range(segments):
            pcm, began = noise(segment_s, 100 * seed + number), loop.time()
            for first in range(0, len(pcm), BLOCK):
                await asyncio.sleep(began + min(first + BLOCK, len(pcm)) / RATE_HZ - loop.time())
                for told in await stream.feed(pcm[first : first + BLOCK]):
                    late_ms.append(1000 * (loop.time() - began - told.at_sample / RATE_HZ))
            ended = loop.time()
            await stream.finish()
            final_ms.append(1000 * (loop.time() - ended))
            await asyncio.sleep(2.0 + seed / 3)
        await stream.close()

    async with WhisperPool(run, settings) as pool:
        await pool.warm()
        await asyncio.gather(*(one(seed) for seed in range(n_calls)))
    audio_s = n_calls * segments * segment_s
    return {"cpu_s": run.each_s, "audio_s": audio_s, "late_ms": late_ms, "final_ms": final_ms}


def _single(model: str, most_tokens: int, repeats: int) -> None:
    """CPU of one decoding by its length and beam."""
    worker = Worker(model, "en", "int8", patience_s=120.0)
    try:
        worker.warm()
        for beam in (1, 5):
            for seconds in (1, 5, 15, 28):
                stretch = Stretch(noise(seconds, 0).tobytes(), "Good morning.", beam, most_tokens)
                cpu = [worker.decode(stretch).cpu_s for _ in range(repeats)]
                print(f"one decoding of {seconds:2d} s, beam {beam}: {_spread(cpu, 's CPU', 3)}")
    finally:
        worker.stop()
        worker.close()


def _spread(values: list[float], unit: str, digits: int = 0) -> str:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    middle = statistics.median(ordered)
    return f"p50 {middle:.{digits}f} p95 {p95:.{digits}f} max {ordered[-1]:.{digits}f} {unit} (n={len(ordered)})"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.audio.engines.whisper_cost", description=__doc__)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="tiny")
    parser.add_argument("--step-ms", type=int, default=1000)
    parser.add_argument("--most-tokens", type=int, default=15)
    parser.add_argument("--calls", type=int, default=1, help="calls that share one worker")
    parser.add_argument("--segments", type=int, default=3)
    parser.add_argument("--segment-s", type=float, default=5.0)
    parser.add_argument("--single", type=int, default=0, help="decodings of each length to measure alone")
    options = parser.parse_args()
    print(f"{today()} {platform.machine()} Python {platform.python_version()}, {options}")
    with tempfile.TemporaryDirectory() as folder:
        model = str(make_whisper(Path(folder), SHAPES[options.shape]))
        if options.single:
            _single(model, options.most_tokens, options.single)
            return
        settings = WhisperSettings(model, step_ms=options.step_ms, most_tokens=options.most_tokens)
        calls = _calls(settings, options.calls, options.segments, options.segment_s)
        found = run_virtual(calls, MeasuredCost(cores=1))
    spent_s = sum(found["cpu_s"])
    print(f"{len(found['cpu_s'])} decodings: {_spread(found['cpu_s'], 's CPU each', 3)}")
    print(f"CPU a second of speech: {spent_s / found['audio_s']:.2f} s ({found['audio_s']:g} s of speech)")
    print(f"partials late by {_spread(found['late_ms'], 'ms')}" if found["late_ms"] else "no partials")
    print(f"finals late by {_spread(found['final_ms'], 'ms')}")


if __name__ == "__main__":
    main()
