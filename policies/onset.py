"""The first 130 ms of the caller's speech: does it sound like a backchannel, which asks for no floor?

People hear it before there is a word: a hum has no high frequencies, ``uh-huh`` sinks at once, ``okay`` breaks off for
its k. One small network over the band energies of the onset says how much a beginning is like those. It judges any
length from 50 ms on, what is not yet heard standing at its mean, so that a clear case need not wait. The weights
(`policies.onset_weights`) are made by `policies.learned.train.onsets`. This file refuses to know words and the floor.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from policies import onset_weights

__all__ = ["LOOK_MS", "N_INPUTS", "N_STEPS", "asks_no_floor", "band_levels", "scores"]

LOOK_MS = 130
"""All that is judged. Measured on held-out voices: more tells more, but the agent must be silent 200 ms after the first
sample, and about 50 ms of those go by in blocks, frames and the detector."""

_RATE_HZ = 16_000
_WINDOW = 320
_HOP = 160
_FFT = 512
N_STEPS = 6
"""Steps of 20 ms; each is the mean of two windows of 20 ms that begin 10 ms apart."""
_BANDS = 14
_LOWEST_HZ, _HIGHEST_HZ = 120.0, 3_700.0
"""What a telephone carries, so that wideband and narrowband callers look alike."""
N_INPUTS = N_STEPS * _BANDS
_DEEPEST_DB = 45.0
"""Bands lie within this below the loudest one: deeper is the noise of the line."""
_QUIETEST = 100.0
"""RMS of int16, -50 dBFS: below it there is nothing to judge by."""

_STEP_SAMPLES = 2 * _HOP
_LEAST_SAMPLES = _WINDOW + _HOP + _STEP_SAMPLES
"""50 ms, two steps."""


def asks_no_floor(pcm: NDArray[np.int16]) -> float:
    """How much speech that begins with the first sample of `pcm` (int16[n], 16,000 Hz) sounds like a backchannel, 0..1.

    Less than 50 ms, or a level under -50 dBFS, gives 0: nothing to judge by, so nothing is held back. What lies beyond
    `LOOK_MS` is not looked at. About 0.1 ms of work.
    """
    head = pcm[: LOOK_MS * _RATE_HZ // 1000]
    if len(head) < _LEAST_SAMPLES or float(np.sqrt(np.mean(np.square(head, dtype=np.float64)))) < _QUIETEST:
        return 0.0
    logit = scores(band_levels(head[None]), *_weights())[0]
    return float(1 / (1 + np.exp(-logit)))


def band_levels(heads: NDArray[np.int16]) -> NDArray[np.float64]:
    """float64[m, N_INPUTS]: levels of `heads`, int16[m, n] with n from 800 to 2,080, against the loudest band, in
    units of 15 dB; NaN for steps that are not yet heard. Independent of the level of the line."""
    n_steps = (heads.shape[1] - _WINDOW - _HOP) // _STEP_SAMPLES + 1
    first = np.arange(2 * n_steps) * _HOP
    windows = heads[:, first[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(windows, _FFT)) ** 2
    level = 10 * np.log10(power @ _bands() + 1e3)
    level = np.maximum(level - level.max(axis=(1, 2), keepdims=True), -_DEEPEST_DB) / 15
    steps = level.reshape(len(heads), n_steps, 2, _BANDS).mean(axis=2).reshape(len(heads), -1)
    found = np.full((len(heads), N_INPUTS), np.nan)
    found[:, : steps.shape[1]] = steps
    return found


def scores(
    levels: NDArray[np.float64],
    mean: NDArray[np.float64],
    scale: NDArray[np.float64],
    inner: NDArray[np.float64],
    inner_bias: NDArray[np.float64],
    outer: NDArray[np.float64],
    outer_bias: float,
) -> NDArray[np.float64]:
    """float64[m]: logits of `band_levels` by a network with one hidden layer; inner float64[N_INPUTS, h]."""
    normed = np.nan_to_num((levels - mean) * scale)
    return np.asarray(np.tanh(normed @ inner + inner_bias) @ outer + outer_bias)


@lru_cache(maxsize=1)
def _bands() -> NDArray[np.float64]:
    """float64[257, 14]: triangles evenly spaced in mel (O'Shaughnessy 1987), each over two neighbours' centres."""
    mel_low, mel_high = (2595 * np.log10(1 + hz / 700) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    corner = 700 * (10 ** (np.linspace(mel_low, mel_high, _BANDS + 2) / 2595) - 1) * _FFT / _RATE_HZ
    line = np.arange(_FFT // 2 + 1)[:, None]
    low, centre, high = corner[:-2], corner[1:-1], corner[2:]
    return np.asarray(np.clip(np.minimum((line - low) / (centre - low), (high - line) / (high - centre)), 0, None))


@lru_cache(maxsize=1)
def _weights() -> tuple[
    NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float
]:
    return (
        _numbers(onset_weights.MEAN),
        _numbers(onset_weights.SCALE),
        _numbers(onset_weights.INNER).reshape(N_INPUTS, -1),
        _numbers(onset_weights.INNER_BIAS),
        _numbers(onset_weights.OUTER),
        onset_weights.OUTER_BIAS,
    )


def _numbers(text: str) -> NDArray[np.float64]:
    return np.array(text.split(), np.float64)
