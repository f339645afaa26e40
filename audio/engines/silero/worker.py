"""What runs on silero's own thread: the ONNX session, and one batch of windows from several streams.

It times itself by CPU, so that a replay can charge the work. This file refuses to know about event loops, calls and
clocks; the same jobs give the same bits whatever they are batched with.
"""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from audio.frame import RATE_HZ, Pcm
from audio.outcome import Outcome

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

__all__ = ["CONTEXT_SAMPLES", "MODEL_PATH", "WINDOW_SAMPLES", "Answer", "Job", "Model", "State", "available"]

WINDOW_SAMPLES = 512
"""Samples the model judges at once at 16 kHz: 32 ms (silero-vad 6, model input)."""

CONTEXT_SAMPLES = 64
"""Samples of the previous window that the model wants in front of each window."""

MODEL_PATH = Path(__file__).with_name("silero_vad.onnx")


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """All that a stream carries from window to window: `context` float32[64], `memory` float32[2, 128]."""

    context: NDArray[np.float32]
    memory: NDArray[np.float32]

    @staticmethod
    def fresh() -> State:
        """The state before the first window: silence."""
        return State(np.zeros(CONTEXT_SAMPLES, np.float32), np.zeros((2, 128), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """Windows of one stream, in order: `pcm` int16[n * 512], and the state before them."""

    pcm: Pcm
    state: State


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What a job gives: `probabilities` float32[n] in 0..1, and the state after its last window."""

    probabilities: NDArray[np.float32]
    state: State


class Model:
    """The ONNX session, opened on first use in the thread that uses it."""

    def __init__(self) -> None:
        self._session: InferenceSession | None = None

    def load(self) -> Outcome[None]:
        """Imports onnxruntime and reads the model; one thread, since the work is 0.1 ms long."""
        began_s = time.thread_time()
        self._opened()
        return Outcome(None, time.thread_time() - began_s, 0.0)

    def run(self, jobs: Sequence[Job]) -> Outcome[list[Answer]]:
        """The answers, in the order of `jobs`; units are the audio seconds of all jobs together."""
        session = self._opened()
        began_s = time.thread_time()
        # Longest first, so that the rows still running at any step are the first ones.
        order = sorted(range(len(jobs)), key=lambda i: -len(jobs[i].pcm))
        counts = [len(jobs[i].pcm) // WINDOW_SAMPLES for i in order]
        steps = counts[0] if counts else 0
        sound = np.zeros((len(jobs), CONTEXT_SAMPLES + steps * WINDOW_SAMPLES), np.float32)
        memory = np.zeros((2, len(jobs), 128), np.float32)
        for row, i in enumerate(order):
            sound[row, :CONTEXT_SAMPLES] = jobs[i].state.context
            sound[row, CONTEXT_SAMPLES : CONTEXT_SAMPLES + len(jobs[i].pcm)] = jobs[i].pcm * np.float32(1 / 32768)
            memory[:, row] = jobs[i].state.memory
        out = np.zeros((len(jobs), steps), np.float32)
        rate = np.array(RATE_HZ, np.int64)
        rows = len(jobs)
        for step in range(steps):
            while counts[rows - 1] <= step:
                rows -= 1
            start = step * WINDOW_SAMPLES
            window = sound[:rows, start : start + CONTEXT_SAMPLES + WINDOW_SAMPLES]
            probability, after = session.run(None, {"input": window, "state": memory[:, :rows], "sr": rate})
            out[:rows, step] = probability[:, 0]
            memory[:, :rows] = after
        answers: dict[int, Answer] = {}
        for row, i in enumerate(order):
            end = counts[row] * WINDOW_SAMPLES
            state = State(sound[row, end : end + CONTEXT_SAMPLES].copy(), memory[:, row].copy())
            answers[i] = Answer(out[row, : counts[row]].copy(), state)
        audio_s = sum(counts) * WINDOW_SAMPLES / RATE_HZ
        return Outcome([answers[i] for i in range(len(jobs))], time.thread_time() - began_s, audio_s)

    def _opened(self) -> InferenceSession:
        if self._session is None:
            # From 1.29 on its wheels report each session over the network to their maker, unless told so before import.
            os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
            import onnxruntime

            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = 1
            options.inter_op_num_threads = 1
            options.log_severity_level = 3
            self._session = onnxruntime.InferenceSession(
                MODEL_PATH.read_bytes(), options, providers=["CPUExecutionProvider"]
            )
        return self._session


def available() -> tuple[bool, str]:
    """Whether the detector can run, and its version or the reason why not; imports nothing heavy."""
    if importlib.util.find_spec("onnxruntime") is None:
        return False, "onnxruntime is not installed (pip install onnxruntime)"
    if not MODEL_PATH.is_file():
        return False, f"{MODEL_PATH.name} is missing beside {Path(__file__).name} (reinstall the package)"
    from importlib.metadata import version  # it draws in the mail parser: 30 ms that no call should wait for

    return True, f"silero-vad on onnxruntime {version('onnxruntime')}"
