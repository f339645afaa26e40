"""The loudness of a recording in few bytes, for drawing both sides of a call.

Peaks are bytes on a square-root scale, so that quiet speech still shows: ``value = 255 * sqrt(peak / 32768)``. The
recording is read block by block; ten hours fit. Where there is no recording, flat peaks stand where somebody spoke.
This file refuses to know how peaks are drawn.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Peaks", "flat_peaks", "read_peaks"]

MAX_BUCKETS = 60_000
"""Peaks a side: 10 minutes at 10 ms, 80 kB each in the page."""

FINE_S = 0.01
FLAT = 0.42
"""Height of speech without a recording, in 0..1 of the lane. A look, no measure."""


@dataclass(frozen=True, slots=True)
class Peaks:
    """`caller` and `agent`: one byte a bucket of `bucket_s` seconds. `measured`: they come from a recording."""

    caller: bytes
    agent: bytes
    bucket_s: float
    measured: bool


def read_peaks(path: Path) -> Peaks:
    """The peaks of a two-channel (left caller, right agent) or mono (caller) 16-bit WAV.

    Raises ValueError naming the file when it is no such WAV.
    """
    try:
        with wave.open(str(path), "rb") as file:
            rate_hz, frames, channels = file.getframerate(), file.getnframes(), file.getnchannels()
            if file.getsampwidth() != 2 or channels not in (1, 2):
                raise ValueError(
                    f"{path.name} has {channels} channels of {8 * file.getsampwidth()} bits; the report draws 16-bit "
                    "WAV with one or two channels (it is written beside each log as call.wav)"
                )
            bucket = max(1, round(max(FINE_S, frames / rate_hz / MAX_BUCKETS) * rate_hz))
            blocks = []
            while raw := file.readframes(bucket * 1000):
                samples = np.abs(np.frombuffer(raw, "<i2").reshape(-1, channels).astype(np.int32))
                whole = -(-len(samples) // bucket) * bucket
                samples = np.pad(samples, ((0, whole - len(samples)), (0, 0)))
                blocks.append(samples.reshape(-1, bucket, channels).max(axis=1))
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{path.name} is no WAV file that can be drawn ({error}); leave it out") from error
    loud = np.concatenate(blocks) if blocks else np.zeros((1, channels), np.int32)
    scaled = np.round(255 * np.sqrt(np.minimum(loud, 32768) / 32768)).astype(np.uint8)
    agent = scaled[:, 1] if channels == 2 else np.zeros(len(scaled), np.uint8)
    return Peaks(scaled[:, 0].tobytes(), agent.tobytes(), bucket / rate_hz, True)


def flat_peaks(caller: Sequence[tuple[float, float]], agent: Sequence[tuple[float, float]], length_s: float) -> Peaks:
    """Peaks of the same height wherever somebody spoke; spans are (start, end) in seconds."""
    bucket_s = max(FINE_S, length_s / MAX_BUCKETS)
    n = max(1, round(length_s / bucket_s))

    def side(spans: Sequence[tuple[float, float]]) -> bytes:
        drawn = np.zeros(n, np.uint8)
        for first_s, last_s in spans:
            drawn[max(0, round(first_s / bucket_s)) : max(0, round(last_s / bucket_s))] = round(255 * FLAT)
        return drawn.tobytes()

    return Peaks(side(caller), side(agent), bucket_s, False)
