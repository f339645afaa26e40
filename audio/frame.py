"""The frame: 20 ms of mono sound with its place in the stream, and the one rate everything inside runs at.

Positions are integer samples; seconds exist only at the edges, through the four conversions below. This file
refuses to know where sound comes from, what it means and what time it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FRAME_MS",
    "FRAME_SAMPLES",
    "RATE_HZ",
    "AudioError",
    "Frame",
    "FrameError",
    "Pcm",
    "Reframer",
    "check_pcm",
    "ms_to_samples",
    "s_to_samples",
    "samples_to_ms",
    "samples_to_s",
    "silence",
]

Pcm = NDArray[np.int16]
"""Mono sound: int16[n]."""

RATE_HZ = 16_000
"""The rate of all sound inside the runtime; doors resample at their edge."""

FRAME_MS = 20
"""Length of a frame: the packet time of G.711 over RTP (RFC 3551 section 4.5) and of Opus as browsers send it."""

FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000


class AudioError(Exception):
    """Root of everything that `audio` raises on purpose."""


class FrameError(AudioError, ValueError):
    """Sound that has the wrong type, shape, size, rate or place."""


def samples_to_s(n_samples: int, rate_hz: int = RATE_HZ) -> float:
    """Seconds that `n_samples` last at `rate_hz`."""
    return n_samples / rate_hz


def samples_to_ms(n_samples: int, rate_hz: int = RATE_HZ) -> float:
    """Milliseconds that `n_samples` last at `rate_hz`."""
    return n_samples * 1000 / rate_hz


def s_to_samples(duration_s: float, rate_hz: int = RATE_HZ) -> int:
    """Samples in `duration_s`, rounded to the nearest (halves up, so that it grows with its argument)."""
    return int(np.floor(duration_s * rate_hz + 0.5))


def ms_to_samples(duration_ms: float, rate_hz: int = RATE_HZ) -> int:
    """Samples in `duration_ms`, rounded to the nearest (halves up)."""
    return int(np.floor(duration_ms * rate_hz / 1000 + 0.5))


def silence(n_samples: int) -> Pcm:
    """int16[n] of digital silence."""
    return np.zeros(n_samples, np.int16)


def check_pcm(pcm: Pcm, what: str = "sound") -> Pcm:
    """`pcm` itself, if it is int16[n]; raises `FrameError` naming what is wrong and the way out.

    Called where sound enters a part, so that a float array or a stereo block fails there and not three parts later.
    """
    if not isinstance(pcm, np.ndarray):
        raise FrameError(f"{what} is {type(pcm).__name__}; expected an int16 numpy array (np.frombuffer for bytes)")
    if pcm.dtype != np.int16:
        raise FrameError(f"{what} has dtype {pcm.dtype}; expected int16 (scale floats by 32767 and round first)")
    if pcm.ndim != 1:
        raise FrameError(f"{what} has shape {pcm.shape}; expected one channel int16[n] (pick or mix a channel first)")
    return pcm


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """20 ms of mono sound: `pcm` int16[320] at 16,000 Hz, whose first sample is number `first_sample` of its stream.

    `pcm` is read-only, so a frame may be handed to several parts at once. Raises `FrameError`.
    """

    pcm: Pcm
    first_sample: int
    rate_hz: int = RATE_HZ

    def __post_init__(self) -> None:
        check_pcm(self.pcm, "frame")
        if self.rate_hz != RATE_HZ or len(self.pcm) != FRAME_SAMPLES:
            way_out = "reframe first" if self.rate_hz == RATE_HZ else "resample first"
            raise FrameError(
                f"frame is {len(self.pcm)} samples at {self.rate_hz} Hz; "
                f"expected {FRAME_SAMPLES} at {RATE_HZ} Hz ({way_out})"
            )
        if self.first_sample < 0:
            raise FrameError(f"frame starts at sample {self.first_sample}; positions count up from 0")
        if self.pcm.flags.writeable:
            view = self.pcm.view()
            view.flags.writeable = False
            object.__setattr__(self, "pcm", view)

    @property
    def end_sample(self) -> int:
        """The first sample after this frame."""
        return self.first_sample + FRAME_SAMPLES


class Reframer:
    """Cuts blocks of any size into frames, keeping the rest for the next push.

    `first_sample` is the position of the first sample pushed.
    """

    def __init__(self, first_sample: int = 0) -> None:
        if first_sample < 0:
            raise FrameError(f"stream starts at sample {first_sample}; positions count up from 0")
        self._next = first_sample
        self._rest = silence(0)

    @property
    def end_sample(self) -> int:
        """Position after the last sample pushed: frames given out plus the rest held back."""
        return self._next + len(self._rest)

    def push(self, pcm: Pcm) -> list[Frame]:
        """The frames that `pcm` int16[n] completes, oldest first; up to 319 samples stay behind.

        The block is copied, so the caller may reuse its buffer.
        """
        check_pcm(pcm, "block")
        held = np.concatenate((self._rest, pcm))
        frames = list(self._cut(held))
        self._rest = held[len(frames) * FRAME_SAMPLES :]
        return frames

    def flush(self) -> Frame | None:
        """The rest, filled up with silence, or None where nothing is held; the next push goes on after it."""
        if not len(self._rest):
            return None
        held = np.concatenate((self._rest, silence(FRAME_SAMPLES - len(self._rest))))
        self._rest = silence(0)
        return next(self._cut(held))

    def _cut(self, held: Pcm) -> Iterator[Frame]:
        for start in range(0, len(held) - FRAME_SAMPLES + 1, FRAME_SAMPLES):
            frame = Frame(held[start : start + FRAME_SAMPLES], self._next)
            self._next = frame.end_sample
            yield frame
