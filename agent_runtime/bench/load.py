"""How many calls one core carries in real time, and what a call weighs.

Every call runs the whole path: 20 ms frames of recorded speech at their times, the real detector shared by all calls,
bus, mind, log and playout; recogniser, model and voice are only time. Each number of calls runs in a process of its own
that is pinned to one core. A frame is late by the time from when it is complete to when `listening` takes it.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..boxed import FRONT_DESK
from ..call import play_call
from ..clock import run_live, run_outside
from ..ports import CallerAudio, Pcm
from ..testing.clips import load_clip
from .figure import Figure, percentile
from .thinking_work import TODAY, bench_agent, canned_parts

__all__ = ["CannedRecogniser", "LoadDoor", "figures", "measure_load"]

FRAME = 320
RATE_HZ = 16_000
LATE_MS = 20.0
"""A frame that waits longer than it lasts is late."""
SPREAD_S = 1.0
"""The calls begin within this time; what is measured begins after it."""
LENGTH_S = 8.0
"""Speech of each call after that; at least 6 s."""
FEWEST, MOST = 8, 256


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class _Heard:
    words: Sequence[_Word]
    at_sample: int


_SAID = "i would like to come in on wednesday morning please".split()
_WORD = 5_120
"""320 ms a word."""


class CannedRecogniser:
    """A recogniser that costs nothing: a word more for every 320 ms of a segment."""

    async def open(self) -> CannedRecogniser:
        """A stream of its own."""
        stream = CannedRecogniser()
        stream._heard, stream._told = 0, 0
        return stream

    _heard = _told = 0

    async def feed(self, pcm: Pcm, *, due_s: float | None = None) -> list[_Heard]:
        """The words so far, if there is a new one."""
        self._heard += len(pcm)
        words = min(len(_SAID), self._heard // _WORD)
        if words <= self._told:
            return []
        self._told = words
        return [self._hypothesis(words)]

    async def finish(self) -> _Heard:
        """The same words; the next segment begins with none."""
        found = self._hypothesis(max(1, self._told))
        self._heard = self._told = 0
        return found

    async def close(self) -> None:
        """Nothing to free."""

    def _hypothesis(self, words: int) -> _Heard:
        spoken = tuple(_Word(_SAID[n], n * _WORD, (n + 1) * _WORD) for n in range(words))
        return _Heard(spoken, self._heard)


class LoadDoor:
    """A line that brings `speech` round and round, a frame at a time, and notes how late each was taken."""

    ahead = False

    def __init__(self, speech: Pcm, length_s: float) -> None:
        self._speech, self._frames = speech, round(length_s * RATE_HZ) // FRAME
        self.late_ms: list[tuple[float, float]] = []
        """(loop time at which it was due, milliseconds)."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """Nothing is known of the caller."""
        return {"counterparty": "", "direction": "inbound"}

    async def listen(self) -> AsyncIterator[CallerAudio]:
        """Each frame when it is complete."""
        loop = asyncio.get_running_loop()
        origin_s = loop.time()
        for number in range(self._frames):
            due_s = origin_s + (number + 1) * FRAME / RATE_HZ
            if due_s > loop.time():
                await asyncio.sleep(due_s - loop.time())
            first = number * FRAME
            place = first % (len(self._speech) - FRAME)
            self.late_ms.append((due_s, (loop.time() - due_s) * 1000))
            yield CallerAudio(self._speech[place : place + FRAME], first)

    def play(self, pcm: Pcm, first_sample: int) -> None:
        """Nobody hears it."""

    async def send_digits(self, digits: str) -> None:
        """Nobody takes them."""

    async def transfer(self, target: str) -> bool:
        """There is nobody else."""
        return False

    async def close(self) -> None:
        """Nothing to free."""


def measure_load(calls: int, length_s: float = LENGTH_S) -> dict[str, float]:
    """`calls` at once in a fresh process on one core: ``late_p99_ms``, ``late_p50_ms``, ``mb_per_call``, ``cpu_share``,
    ``frames``. Raises `RuntimeError` where that process fails."""
    command = [sys.executable, "-m", "agent_runtime.bench.load", str(calls), str(length_s)]
    threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **threads})
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1][:200])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def figures(most: int | None = None) -> Iterator[Figure]:
    """Calls doubled until the frames come late; `most` ends it sooner."""
    carried, weight, told = 0, 0.0, list[str]()
    calls, frames = FEWEST, 0
    while calls <= (most or MOST):
        found = measure_load(calls)
        told.append(f"{calls}: {found['late_p99_ms']:.1f} ms, {100 * found['cpu_share']:.0f} % of the core")
        if found["late_p99_ms"] > LATE_MS:
            break
        carried, weight, frames = calls, found["mb_per_call"], int(found["frames"])
        calls *= 2
    unit = f"calls on one core, 99 % of frames late by at most 20 ms ({'; '.join(told)})"
    yield Figure("calls_per_core", carried, unit, frames)
    yield Figure("mb_per_call", round(weight, 3), f"MB, {carried} calls at once", max(carried, 1))


# --- in the process that is measured -------------------------------------------------------------------------------


async def _carry(calls: int, length_s: float) -> dict[str, float]:
    from audio.engines.silero import Silero

    from ..parts import Parts
    from ..session import Ears

    speech = _speech()
    agent = bench_agent()
    detector = Silero(run_outside)
    await detector.warm()
    canned = canned_parts(500)
    parts = Parts(Ears(detector, CannedRecogniser()), canned.engine, canned.language, canned.voice)
    loop = asyncio.get_running_loop()
    with tempfile.TemporaryDirectory() as folder:
        await play_call(agent, LoadDoor(speech, 1.0), parts, folder=Path(folder), today=TODAY)
        before_mb, begin_s, cpu_s = _resident_mb(), loop.time(), sum(os.times()[:2])
        doors = [LoadDoor(np.roll(speech, n * 7 * FRAME), SPREAD_S + length_s) for n in range(calls)]

        async def one(number: int) -> None:
            await asyncio.sleep(SPREAD_S * number / calls)
            await play_call(
                agent, doors[number], parts, folder=Path(folder), today=TODAY, call_id=f"load-{number}", live=True
            )

        weight_mb = 0.0
        async with asyncio.TaskGroup() as group:
            for number in range(calls):
                group.create_task(one(number), name=f"call {number}")
            await asyncio.sleep(SPREAD_S + length_s - 0.5)
            weight_mb = _resident_mb() - before_mb
        took_s = loop.time() - begin_s
        cpu_s = sum(os.times()[:2]) - cpu_s
    late = [ms for door in doors for due_s, ms in door.late_ms if SPREAD_S <= due_s - begin_s <= SPREAD_S + length_s]
    detector.close()
    return {
        "late_p50_ms": percentile(late, 50),
        "late_p99_ms": percentile(late, 99),
        "mb_per_call": weight_mb / calls,
        "cpu_share": cpu_s / took_s,
        "frames": len(late),
    }


def _speech() -> Pcm:
    """The shipped caller's sentences with a pause behind each, about 10 s of sound."""
    folder = FRONT_DESK / "calls" / "demo"
    parts: list[Pcm] = []
    for name in ("request-1", "day-1", "name-1", "yes-1"):
        clip = load_clip(folder / f"{name}.wav")
        assert clip.pcm is not None, "a shipped clip has sound"
        parts += [clip.pcm, np.zeros(RATE_HZ, np.int16)]
    return np.concatenate(parts)


def _resident_mb() -> float:
    """Memory of this process that lies in RAM."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(arguments: Sequence[str]) -> int:
    """Carry so many calls on the first core that this process may use; print what was measured."""
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(json.dumps(run_live(_carry(int(arguments[0]), float(arguments[1])))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
