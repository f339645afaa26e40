"""Writing a call: caller left, agent right, each block at its own sample position.

The file appears under its name only when it is whole. This file refuses to know who hands it blocks and when.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np

from audio.frame import RATE_HZ, Pcm, check_pcm, s_to_samples
from audio.recordings.reading import RecordingError

__all__ = ["CallWriter", "Party", "write_wav"]

Party = Literal["caller", "agent"]

WINDOW_S = 5.0
"""Blocks may come this much out of order: far more than a jitter buffer holds or a replay reads ahead."""

HEADER_BYTES = 44
MOST_SAMPLES = (0xFFFFFFFF - HEADER_BYTES) // 4
"""A two-channel WAV file counts its bytes in 32 bits: 18.6 hours."""


def _header(n_samples: int, channels: int, rate_hz: int) -> bytes:
    """The 44 bytes in front of 16-bit PCM (RIFF/WAVE, format tag 1)."""
    n_bytes = n_samples * channels * 2
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", n_bytes + 36, b"WAVE", b"fmt ", 16, 1, channels, rate_hz,
        rate_hz * channels * 2, channels * 2, 16, b"data", n_bytes,
    )  # fmt: skip


def write_wav(path: str | Path, pcm: Pcm, rate_hz: int = RATE_HZ) -> None:
    """One mono clip int16[n] as 16-bit WAV, whole or not at all. Raises `RecordingError`."""
    path = Path(path)
    check_pcm(pcm, f"sound for {path}")
    partial = path.with_name(path.name + ".partial")
    with _told(path):
        partial.write_bytes(_header(len(pcm), 1, rate_hz) + pcm.astype("<i2").tobytes())
        partial.replace(path)


class CallWriter:
    """A two-channel 16-bit WAV file at 16 kHz that grows as the call goes on.

    Sound is kept in memory for the last 5 s (`window_s`), so blocks may come in any order within it; what nobody wrote
    is silence, what was written twice is what came last. Until `close` the file is called ``name.partial`` and its
    header is valid whenever the program dies. As a context manager it closes, or discards where an exception passes.
    """

    def __init__(self, path: str | Path, *, window_s: float = WINDOW_S) -> None:
        self.path = Path(path)
        self._partial = self.path.with_name(self.path.name + ".partial")
        self._window = s_to_samples(window_s)
        if self._window < 1:
            raise RecordingError(f"{self.path}: window is {window_s} s; expected more than 0")
        self._held = np.zeros((2 * self._window, 2), "<i2")
        self._written = 0  # samples in the file
        self._end = 0  # samples ever given
        self._open = True
        with _told(self.path):
            self._file = self._partial.open("wb")
            self._file.write(_header(0, 2, RATE_HZ))
            self._file.flush()

    @property
    def end_sample(self) -> int:
        """The sample after the last one given."""
        return self._end

    def write(self, party: Party, first_sample: int, pcm: Pcm) -> None:
        """Puts int16[n] of one party at `first_sample` of the call. Raises `RecordingError` for a block that lies
        before the window, beyond 18.6 hours, or after `close`."""
        check_pcm(pcm, f"block of the {party}")
        if not self._open:
            raise RecordingError(f"{self.path}: is closed; a block of the {party} came after the end")
        if first_sample < self._written:
            raise RecordingError(
                f"{self.path}: block of the {party} at sample {first_sample}, before {self._written} which is written; "
                f"blocks may be {self._window} samples out of order (make window_s larger)"
            )
        if first_sample + len(pcm) > MOST_SAMPLES:
            raise RecordingError(
                f"{self.path}: block of the {party} ends at sample {first_sample + len(pcm)}; limit {MOST_SAMPLES} "
                "(18.6 h: begin a new file)"
            )
        side = 0 if party == "caller" else 1
        for start in range(0, len(pcm), self._window):
            piece = pcm[start : start + self._window]
            first = first_sample + start
            if first + len(piece) > self._written + len(self._held):
                self._flush(first + len(piece) - self._window)
            self._held[first - self._written : first - self._written + len(piece), side] = piece
            self._end = max(self._end, first + len(piece))

    def close(self) -> None:
        """Writes the rest and gives the file its name; a second close does nothing."""
        if not self._open:
            return
        self._open = False
        with _told(self.path), self._file:
            self._flush(self._end)
            os.fsync(self._file.fileno())
        with _told(self.path):
            self._partial.replace(self.path)

    def discard(self) -> None:
        """Throws the recording away; a file that stood under this name before stays as it was."""
        if self._open:
            self._open = False
            self._file.close()
            self._partial.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def _flush(self, until: int) -> None:
        """Moves everything before `until` to disk: sound first, then the header that counts it."""
        count = until - self._written
        if count <= 0:
            return
        kept = min(count, len(self._held))
        with _told(self.path):
            self._file.seek(HEADER_BYTES + self._written * 4)
            self._file.write(self._held[:kept].tobytes())
            # A long stretch that nobody wrote is a hole in the file, which reads as silence.
            self._file.truncate(HEADER_BYTES + until * 4)
            self._file.flush()
            self._file.seek(0)
            self._file.write(_header(until, 2, RATE_HZ))
            self._file.flush()
        self._held[: len(self._held) - kept] = self._held[kept:]
        self._held[len(self._held) - kept :] = 0
        self._written = until


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """What the file system refuses, as a `RecordingError`."""
    try:
        yield
    except OSError as error:
        raise RecordingError(f"{path}: cannot be written, {error.strerror} (check folder, rights and space)") from error
