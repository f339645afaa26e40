"""Reading recordings of any common kind as int16 mono blocks at 16,000 Hz, a little at a time.

Whatever is wrong with a file ends in one `RecordingError` of one line. This file refuses to know what is said in a
recording, and it never holds more than a few blocks: ten hours take no more memory than ten seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from audio.frame import AudioError, Pcm
from audio.resample import ResampleError, Resampler

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

__all__ = ["CallRecording", "Recording", "RecordingError", "Track", "open_call", "open_recording"]

SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
"""Endings tried for the two files of a call folder, in this order."""

MOST_CHANNELS = 2
SHORTFALL_S = 0.5
"""A file may hold this much less than it declares: MP3 decoders cut up to 0.1 s of padding; the rest is a guess."""

FORMATS = "wav,w64,flac,mp3,ogg,mov,aiff,au,matroska"
"""Containers that are opened; above all no playlists, which would make a recording read other files."""


class RecordingError(AudioError):
    """A recording that cannot be read or written: the file, what is wrong with it, the limit and the way out."""


@dataclass(frozen=True, slots=True)
class Recording:
    """One file: `channels` (1 or 2), its own `rate_hz`, and `duration_s` as declared, None where it is not."""

    path: Path
    channels: int
    rate_hz: int
    duration_s: float | None
    codec: str

    def blocks(self, channel: int = 0) -> Iterator[Pcm]:
        """One channel from the start, int16[n] at 16 kHz in blocks of any size; aligned, n in all is
        ceil(samples * 16000 / rate). Each call reads the file anew.

        Raises `RecordingError`, also in the middle: a file may break off or hold a NaN anywhere.
        """
        if not 0 <= channel < self.channels:
            raise RecordingError(f"{self.path}: no channel {channel}; it has {self.channels}, counted from 0")
        return self._read(channel)

    def _read(self, channel: int) -> Iterator[Pcm]:
        resampler = Resampler(self.rate_hz, aligned=True)
        done = 0
        with _decoding(self.path) as (stream, frames):
            for frame in frames:
                is_now = frame.layout.nb_channels, frame.sample_rate
                if is_now != (self.channels, self.rate_hz):
                    raise RecordingError(
                        f"{self.path}: is {is_now[0]} x {is_now[1]} Hz from {done / self.rate_hz:.2f} s on; "
                        f"expected {self.channels} x {self.rate_hz} Hz throughout (split it there)"
                    )
                sound = _int16(frame, channel, self.path, done)
                done += len(sound)
                block = resampler.push(sound)
                if len(block):
                    yield block
            declared_s = _declared_s(self.path, stream)
        if declared_s is not None and done / self.rate_hz < declared_s - SHORTFALL_S:
            raise RecordingError(
                f"{self.path}: breaks off at {done / self.rate_hz:.2f} s of {declared_s:.2f} s (copy it again)"
            )
        rest = resampler.flush()
        if len(rest):
            yield rest


@dataclass(frozen=True, slots=True)
class Track:
    """One party's sound: one channel of a recording."""

    recording: Recording
    channel: int = 0

    def blocks(self) -> Iterator[Pcm]:
        """The sound as `Recording.blocks` gives it."""
        return self.recording.blocks(self.channel)


@dataclass(frozen=True, slots=True)
class CallRecording:
    """A recorded call, both parties on one clock; `agent` is None where only the caller was recorded."""

    path: Path
    caller: Track
    agent: Track | None

    @property
    def duration_s(self) -> float | None:
        """The longer of the two, None where either is not declared."""
        lengths = [track.recording.duration_s for track in (self.caller, self.agent) if track is not None]
        known = [s for s in lengths if s is not None]
        return max(known) if len(known) == len(lengths) else None


def open_call(path: str | Path) -> CallRecording:
    """A call: a folder that holds caller.wav and, if recorded, agent.wav (or .flac, .mp3, .ogg, .opus, .m4a), a file
    with the caller left and the agent right, or a mono file of the caller. Raises `RecordingError`."""
    path = Path(path)
    if not path.is_dir():
        recording = open_recording(path)
        return CallRecording(path, Track(recording), Track(recording, 1) if recording.channels == 2 else None)
    caller = _party(path, "caller")
    if caller is None:
        raise RecordingError(f"{path}: holds no caller.wav, nor one ending in {', '.join(SUFFIXES[1:])} (rename one)")
    return CallRecording(path, caller, _party(path, "agent"))


def _party(folder: Path, party: str) -> Track | None:
    found = [path for suffix in SUFFIXES if (path := folder / f"{party}{suffix}").is_file()]
    if not found:
        return None
    recording = open_recording(found[0])
    if recording.channels != 1:
        raise RecordingError(f"{found[0]}: has 2 channels; in a call folder each file is one party (split it)")
    return Track(recording)


def open_recording(path: str | Path) -> Recording:
    """Looks at a file and reads its first sound. Raises `RecordingError` for what is missing, empty, cut short, not
    audio, of more than two channels, or without a single sample."""
    path = Path(path)
    if not path.exists():
        raise RecordingError(f"{path}: no such file (check the path)")
    if path.is_dir():
        raise RecordingError(f"{path}: is a folder; name an audio file, or a call folder where a call is wanted")
    if path.stat().st_size == 0:
        raise RecordingError(f"{path}: is empty, 0 bytes (copy it again)")
    _check_whole(path)
    with _decoding(path) as (stream, frames):
        channels = stream.codec_context.layout.nb_channels
        if channels > MOST_CHANNELS:
            raise RecordingError(f"{path}: has {channels} channels; limit {MOST_CHANNELS} (mix it down, or split it)")
        first = next(frames, None)
        if first is None or not first.samples:
            raise RecordingError(f"{path}: holds no sound, 0 samples (was the recorder stopped at once?)")
        try:
            Resampler(first.sample_rate)
        except ResampleError as error:
            raise RecordingError(f"{path}: {error}") from error
        seconds = None if stream.duration is None or stream.time_base is None else stream.duration * stream.time_base
        return Recording(
            path,
            first.layout.nb_channels,
            first.sample_rate,
            None if seconds is None else float(seconds),
            stream.codec_context.name,
        )


@contextmanager
def _decoding(path: Path) -> Iterator[tuple[AudioStream, Iterator[AudioFrame]]]:
    """The first audio stream of a file and its frames; what PyAV raises inside becomes a `RecordingError`."""
    import av
    import av.error

    try:
        with av.open(f"file:{path}", "r", options={"format_whitelist": FORMATS}) as container:
            if not container.streams.audio:
                raise RecordingError(f"{path}: holds no audio track (expected WAV, FLAC, MP3, Ogg or Opus)")
            stream = container.streams.audio[0]
            stream.codec_context.thread_count = 1
            yield stream, container.decode(stream)
    except av.error.FFmpegError as error:
        raise RecordingError(
            f"{path}: is not readable as audio, {error.strerror} (expected WAV, FLAC, MP3, Ogg or Opus)"
        ) from error


def _int16(frame: AudioFrame, channel: int, path: Path, done: int) -> Pcm:
    """One channel of a frame as int16[n], whatever its sample format."""
    sound: NDArray[np.generic] = frame.to_ndarray()
    mono = sound[channel] if frame.format.is_planar else sound[0, channel :: frame.layout.nb_channels]
    if mono.dtype == np.int16:
        return np.ascontiguousarray(mono, np.int16)
    if mono.dtype == np.uint8:
        return np.asarray((mono.astype(np.int16) - 128) << 8, np.int16)
    if mono.dtype == np.int32:
        return np.asarray(mono.astype(np.int32) >> 16, np.int16)
    floats = mono.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(floats))
    if len(bad):
        at_s = (done + int(bad[0])) / frame.sample_rate
        raise RecordingError(f"{path}: sample at {at_s:.3f} s is {floats[bad[0]]}; expected numbers (export it again)")
    return np.asarray(np.rint(np.clip(floats, -1, 1) * 32767), np.int16)


# -- whole or cut short ---------------------------------------------------------------------------------------------


def _check_whole(path: Path) -> None:
    """Raises where the container itself says that bytes are missing; decoders pass over that in silence."""
    with path.open("rb") as file:
        head = file.read(4)
        if head in (b"RIFF", b"OggS"):
            missing = _missing_wav(file) if head == b"RIFF" else _missing_ogg(file)
            if missing:
                raise RecordingError(f"{path}: is cut short, {missing} (copy it again)")


def _missing_wav(file: BinaryIO) -> str | None:
    """What the data chunk of a RIFF file lacks. Sizes of 0 and 0xFFFFFFFF mean that a recorder wrote to a pipe."""
    size = file.seek(0, 2)
    at = 12
    while at + 8 <= size:
        file.seek(at)
        name, length = file.read(4), int.from_bytes(file.read(4), "little")
        if name == b"data":
            here = size - at - 8
            if length > here and length != 0xFFFFFFFF:
                return f"{here} of {length} bytes of sound"
            return None
        at += 8 + length + length % 2
    return f"{size} bytes without a data chunk"


def _missing_ogg(file: BinaryIO) -> str | None:
    """Whether the last page of an Ogg file is whole (RFC 3533 section 6)."""
    size = file.seek(0, 2)
    begin = max(0, size - 2 * 65_307)  # the longest page
    file.seek(begin)
    tail = file.read()
    at = tail.rfind(b"OggS")
    page = tail[at:]
    segments = page[26] if len(page) > 26 else 0
    wanted = 27 + segments + sum(page[27 : 27 + segments])
    if at < 0 or len(page) < max(27 + segments, wanted):
        return f"{len(page)} of {wanted} bytes of its last page"
    return None


def _declared_s(path: Path, stream: AudioStream) -> float | None:
    """The duration that a file states (not one guessed from its size), or None."""
    if stream.duration is None or stream.time_base is None:
        return None
    with path.open("rb") as file:
        head = file.read(8_192)
    stated = head.startswith(b"fLaC") or b"Xing" in head or b"Info" in head
    return float(stream.duration * stream.time_base) if stated else None
