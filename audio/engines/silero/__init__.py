"""Speech probabilities by silero-vad (MIT; model and licence text lie beside this file) through onnxruntime.

One model serves every call of a process: requests that wait together are run together, which halves their cost
and changes no bit of any result. This file refuses to know what a probability is used for; `audio.vad` turns
them into edges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from audio.engines.silero.worker import WINDOW_SAMPLES, Answer, Job, Model, State, available
from audio.frame import AudioError, Pcm, check_pcm
from audio.outcome import Outcome, Runner

__all__ = ["WINDOW_SAMPLES", "Silero", "SileroError", "SileroStream", "available"]

SLICE_WINDOWS = 64
"""Most windows of one request in one run: about 2 s of sound, 10 ms of work, so that a replay reading far ahead
never makes a live call in the same process wait longer than that."""


class SileroError(AudioError):
    """A request the detector cannot serve."""


@dataclass(slots=True, eq=False)
class _Request:
    """One stream's windows waiting for a run, and then its answer or the error of its run."""

    job: Job
    due_s: float | None
    answer: Answer | Exception | None = None


class Silero:
    """The detector of one process. `run` is how slow calls leave the loop (kind ``vad``, units: audio seconds).

    No task is started: of those who wait for their turn the first leads, gives others one loop pass to join, and
    runs the batch in its own coroutine. All methods belong to one event loop.
    """

    def __init__(self, run: Runner) -> None:
        self._run = run
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="silero")
        self._model = Model()
        self._turn = asyncio.Lock()
        self._waiting: list[_Request] = []
        self._closed = False
        self.runs = 0
        """Batches run so far; windows per run tell how well calls share."""

    async def warm(self) -> None:
        """Loads onnxruntime and the model, so that the first caller does not wait for it."""
        self._check_open()
        async with self._turn:
            await self._run("vad", self._pool, self._model.load)

    def open(self) -> SileroStream:
        """A stream of its own, starting as if after silence."""
        self._check_open()
        return SileroStream(self)

    def close(self) -> None:
        """Ends the worker thread after the run in flight; requests still waiting fail with `SileroError`."""
        self._closed = True
        self._pool.shutdown(wait=False)

    async def ask(self, job: Job, due_s: float | None) -> Answer:
        """The answer to `job`, in one run with all that waits at the same time. For `SileroStream`."""
        self._check_open()
        request = _Request(job, due_s)
        self._waiting.append(request)
        try:
            async with self._turn:
                if request.answer is None:
                    await asyncio.sleep(0)
                    await self._lead()
        finally:
            # Still here only where this coroutine was cancelled: nobody wants the answer any more.
            if request in self._waiting:
                self._waiting.remove(request)
        if isinstance(request.answer, Exception):
            raise request.answer
        assert request.answer is not None, "a leader's own request is part of its batch"
        return request.answer

    async def _lead(self) -> None:
        """Runs all that wait now as one batch. Where the leader is cancelled meanwhile, its batch goes on waiting:
        a stream changes only when its answer is in, so the next leader repeats the run exactly."""
        batch = list(self._waiting)
        dues = [r.due_s for r in batch if r.due_s is not None]
        due_s = min(dues) if len(dues) == len(batch) else None
        answers: Sequence[Answer | Exception]
        call: Callable[[], Outcome[list[Answer]]] = partial(self._model.run, [r.job for r in batch])
        try:
            self._check_open()
            self.runs += 1
            results = await self._run("vad", self._pool, call, due_s=due_s)
            answers = results
        except Exception as error:
            answers = [error] * len(batch)
        for request, answer in zip(batch, answers, strict=True):
            request.answer = answer
        self._waiting = [r for r in self._waiting if r.answer is None]

    def _check_open(self) -> None:
        if self._closed:
            raise SileroError("the speech detector is closed; make a new Silero")


class SileroStream:
    """One direction of one call: its probabilities depend on its own sound only."""

    def __init__(self, silero: Silero) -> None:
        self._silero = silero
        self._state = State.fresh()
        self._busy = False

    async def probabilities(self, pcm: Pcm, *, due_s: float | None = None) -> NDArray[np.float32]:
        """float32[n], one speech probability for each 512 samples (32 ms) of `pcm` int16[n * 512] at 16 kHz.

        `due_s` (loop time) marks sound read ahead of virtual time. One request at a time. A request that raises or
        is cancelled leaves the stream after the last slice of 64 windows that was answered: open a new one.
        Raises `SileroError`.
        """
        check_pcm(pcm, "block for the speech detector")
        if len(pcm) % WINDOW_SAMPLES:
            raise SileroError(
                f"block is {len(pcm)} samples; expected a multiple of {WINDOW_SAMPLES} (keep the rest for the next)"
            )
        if self._busy:
            raise SileroError("this stream already has a request in flight; wait for it, since windows have an order")
        self._busy = True
        try:
            parts = [np.zeros(0, np.float32)]
            slice_samples = SLICE_WINDOWS * WINDOW_SAMPLES
            for start in range(0, len(pcm), slice_samples):
                # A copy: the worker reads it later, when the caller may have reused the buffer.
                block = pcm[start : start + slice_samples].copy()
                answer = await self._silero.ask(Job(block, self._state), due_s)
                self._state = answer.state
                parts.append(answer.probabilities)
            return np.concatenate(parts)
        finally:
            self._busy = False

    def reset(self) -> None:
        """Forgets all sound so far, as after a gap: the next window is judged as if after silence."""
        if self._busy:
            raise SileroError("this stream has a request in flight; wait for it before a reset")
        self._state = State.fresh()
