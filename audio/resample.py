"""Change of rate for live streams: a polyphase FIR filter with carried state, late by 2.5 ms and no more.

The coefficients are whole numbers and so is the sound, which makes every sum exact: the result does not depend on how
the stream was cut into blocks, nor on the machine. This file refuses to know which door or file the sound is from.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import gcd

import numpy as np
from numpy.typing import NDArray

from audio.frame import RATE_HZ, AudioError, Pcm, check_pcm, silence

__all__ = ["DELAY_MS", "HIGHEST_HZ", "LOWEST_HZ", "STOP_DB", "ResampleError", "Resampler", "resample"]

LOWEST_HZ = 4_000
HIGHEST_HZ = 192_000

DELAY_MS = 2.5
"""Delay of the filter: half its length. 2.5 ms is what libsamplerate's sinc_fastest costs at 8 -> 16 kHz."""

STOP_DB = 60
"""Attenuation of what would fold back: below the noise of G.711 (about 38 dB), so telephone sound cannot tell."""

SCALE = 1 << 20
"""A coefficient of 1.0 as a whole number: 2**20 x 2**15 x 1,000 taps stays under 2**53, which doubles hold exactly."""


class ResampleError(AudioError, ValueError):
    """A rate that the resampler does not do."""


@dataclass(frozen=True, slots=True, eq=False)
class _Filter:
    """`up` / `down` is the ratio in lowest terms; `taps` float64[up, t] holds, per phase, whole coefficients in the
    order of the input; `delay` is in output samples."""

    up: int
    down: int
    taps: NDArray[np.float64]
    delay: int


@lru_cache(maxsize=16)
def _design(from_hz: int, to_hz: int) -> _Filter:
    """A Kaiser low-pass (Oppenheim and Schafer, Discrete-Time Signal Processing, section 7.6) whose stop band begins
    where folding does, give or take 60 Hz."""
    common = gcd(from_hz, to_hz)
    up, down = to_hz // common, from_hz // common
    delay = int(DELAY_MS * to_hz / 1000)
    half = delay * down  # in samples of the common multiple of both rates
    wide_hz = from_hz * up
    transition_hz = (STOP_DB - 7.95) / 14.36 * wide_hz / (2 * half)
    cut_hz = min(from_hz, to_hz) / 2 - 0.42 * transition_hz
    at = np.arange(-half, half + 1)
    response = np.sinc(2 * cut_hz / wide_hz * at) * np.kaiser(2 * half + 1, 0.1102 * (STOP_DB - 8.7))
    count = -(-len(response) // up)
    phases = np.zeros(count * up)
    phases[: len(response)] = response
    taps = phases.reshape(count, up).T[:, ::-1]
    taps = np.rint(taps / taps.sum(axis=1, keepdims=True) * SCALE)
    # Rounding must not change the level of any phase, or a constant would come out as a tone.
    taps[np.arange(up), np.abs(taps).argmax(axis=1)] += SCALE - taps.sum(axis=1)
    taps = np.ascontiguousarray(taps)
    taps.flags.writeable = False
    return _Filter(up, down, taps, delay)


class Resampler:
    """One stream from `from_hz` to `to_hz` (4,000 to 192,000 Hz, any ratio).

    Live (the default), n samples in give n * to_hz / from_hz samples out at once, so that a frame stays a frame; what
    comes out is `delay_samples` late. With `aligned=True` that delay is cut off the front, so that output sample k
    lies at the time of input k * from_hz / to_hz: for recordings, where `flush` gives the end. Raises `ResampleError`.
    """

    def __init__(self, from_hz: int, to_hz: int = RATE_HZ, *, aligned: bool = False) -> None:
        for rate_hz in (from_hz, to_hz):
            if not LOWEST_HZ <= rate_hz <= HIGHEST_HZ:
                raise ResampleError(
                    f"rate is {rate_hz} Hz; expected {LOWEST_HZ} to {HIGHEST_HZ} (is the header wrong?)"
                )
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._aligned = aligned
        self._filter = _design(from_hz, to_hz) if from_hz != to_hz else None
        # Which windows meet which phases, kept while blocks have one size, as live blocks do.
        self._plan_for = (-1, -1)
        self._plan = (np.zeros(0, np.int64), np.zeros((0, 0)))
        self._restart()

    @property
    def delay_samples(self) -> int:
        """Output samples by which sound comes out later than it went in; 0 where nothing is to do or it is aligned."""
        return 0 if self._filter is None or self._aligned else self._filter.delay

    def push(self, pcm: Pcm) -> Pcm:
        """The sound int16[m] that `pcm` int16[n] makes ready. Peaks beyond int16 are cut off."""
        check_pcm(pcm, "block to resample")
        if self._filter is None:
            return pcm.copy()
        return self._trim(self._run(self._filter, pcm))

    def flush(self) -> Pcm:
        """The end of the stream, which the delay still held back; afterwards a new stream may begin."""
        if self._filter is None:
            return silence(0)
        owed = self._filter.delay
        rest = silence(-(-(owed * self._filter.down + self._next) // self._filter.up))
        out = self._trim(self._run(self._filter, rest)[:owed])
        self._restart()
        return out

    def _restart(self) -> None:
        self._next = 0  # where the next output lies, in 1/up input samples after the end of the last block
        if self._filter is None:
            return
        self._past = np.zeros(self._filter.taps.shape[1] - 1)
        self._skip = self._filter.delay if self._aligned else 0

    def _run(self, filter_: _Filter, pcm: Pcm) -> Pcm:
        up, down, taps = filter_.up, filter_.down, filter_.taps
        held = np.concatenate((self._past, pcm))
        count = max(0, -(-(len(pcm) * up - self._next) // down))
        if not count:
            self._next -= len(pcm) * up
            self._past = held[len(pcm) :]
            return silence(0)
        # Each window the filter looks at, one sample apart, without a copy.
        windows = np.ndarray((len(pcm), taps.shape[1]), np.float64, held, 0, (held.itemsize, held.itemsize))
        if up == 1:
            sums = np.ascontiguousarray(windows[self._next :: down]) @ taps[0]
        elif down == 1:
            sums = (np.ascontiguousarray(windows) @ taps.T).ravel()
        else:
            if self._plan_for != (self._next, count):
                at = self._next + down * np.arange(count)
                self._plan_for, self._plan = (self._next, count), (at // up, taps[at % up])
            sums = np.einsum("ij,ij->i", windows[self._plan[0]], self._plan[1])
        self._next += count * down - len(pcm) * up
        self._past = held[len(pcm) :]
        sums *= 1 / SCALE
        sums += 0.5
        np.floor(sums, out=sums)
        np.minimum(sums, 32767, out=sums)
        np.maximum(sums, -32768, out=sums)
        out: Pcm = sums.astype(np.int16)
        return out

    def _trim(self, out: Pcm) -> Pcm:
        skipped = min(self._skip, len(out))
        self._skip -= skipped
        return out[skipped:]


def resample(pcm: Pcm, from_hz: int, to_hz: int = RATE_HZ) -> Pcm:
    """A whole clip int16[n] at another rate, aligned: int16[ceil(n * to_hz / from_hz)]."""
    resampler = Resampler(from_hz, to_hz, aligned=True)
    return np.concatenate((resampler.push(pcm), resampler.flush()))
