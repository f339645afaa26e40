"""Clips: short sounds that people make elsewhere and agents play or tests speak, brought into shape with pydub.

pydub is imported on first use only and stays out of the live path: it holds a whole clip in memory and works in
milliseconds. This file refuses to know what a clip says.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audio.frame import RATE_HZ, AudioError, Pcm, check_pcm, s_to_samples, samples_to_s, silence
from audio.recordings import RecordingError, open_recording
from audio.recordings.encoding import ENCODERS, write_encoded

if TYPE_CHECKING:
    from pydub import AudioSegment

__all__ = ["MOST_S", "ClipError", "export_clip", "import_clip"]

MOST_S = 120.0
"""Longest clip; longer ones are recordings, which are read a little at a time (`audio.recordings`)."""

QUIET_DBFS = -50.0
"""Below this a clip's edge counts as silence: pydub's own default for leading silence."""

EDGE_MS = 20
"""Silence kept at either edge where it is trimmed, so that soft onsets stay; a guess."""


class ClipError(AudioError):
    """A clip that cannot be read, shaped or written."""


def import_clip(path: str | Path, *, trim: bool = False, level_dbfs: float | None = None) -> Pcm:
    """A clip as int16[n] at 16 kHz: WAV, FLAC, MP3, Ogg, Opus or M4A, two channels mixed to one.

    `trim` cuts silence (below -50 dBFS) off both ends, `level_dbfs` (dB below full scale, RMS) makes it that loud
    unless peaks would clip. Raises `ClipError`.
    """
    path = Path(path)
    pcm = _read(path)
    if not trim and level_dbfs is None:
        return pcm
    segment = _segment(pcm)
    if trim:
        segment = _trimmed(segment, path)
    if level_dbfs is not None:
        if not -60 <= level_dbfs <= 0:
            raise ClipError(f"{path}: level is {level_dbfs} dBFS; expected -60 to 0")
        if segment.rms == 0:
            raise ClipError(f"{path}: is silent throughout; no gain makes it {level_dbfs} dBFS loud (record it again)")
        segment = segment.apply_gain(min(level_dbfs - segment.dBFS, -segment.max_dBFS))
    return np.array(segment.get_array_of_samples(), np.int16)


def export_clip(path: str | Path, pcm: Pcm) -> None:
    """Writes int16[n] at 16 kHz in the kind that the ending names: .wav, .flac, .mp3, .ogg or .opus.

    The file appears only when it is whole. Raises `ClipError`.
    """
    path = Path(path)
    check_pcm(pcm, f"clip for {path}")
    if path.suffix.lower() != ".wav":
        if path.suffix.lower() not in ENCODERS:
            raise ClipError(f"{path}: ends in {path.suffix or 'nothing'!r}; expected .wav or {', '.join(ENCODERS)}")
        try:
            write_encoded(path, pcm)
        except RecordingError as error:
            raise ClipError(str(error)) from error
        return
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as file:
            _segment(pcm).export(file, format="wav")
        partial.replace(path)
    except OSError as error:
        raise ClipError(f"{path}: cannot be written, {error.strerror} (check folder, rights and space)") from error


def _read(path: Path) -> Pcm:
    try:
        recording = open_recording(path)
        limit = s_to_samples(MOST_S)
        channels = []
        for channel in range(recording.channels):
            blocks, n_samples = [silence(0)], 0
            for block in recording.blocks(channel):
                blocks.append(block)
                n_samples += len(block)
                if n_samples > limit:
                    raise ClipError(
                        f"{path}: is longer than {samples_to_s(limit):.0f} s; cut it, or read it as a recording"
                    )
            channels.append(np.concatenate(blocks))
    except RecordingError as error:
        raise ClipError(str(error)) from error
    if len(channels) == 1:
        return channels[0]
    return np.asarray((channels[0].astype(np.int32) + channels[1]) >> 1, np.int16)


def _segment(pcm: Pcm) -> AudioSegment:
    with warnings.catch_warnings():
        # pydub looks for the ffmpeg program when imported; here it never needs it. Its old regular expressions warn
        # on Python 3.12 and later, its use of audioop on 3.11 and 3.12.
        warnings.simplefilter("ignore")
        from pydub import AudioSegment
    return AudioSegment(data=pcm.astype("<i2").tobytes(), sample_width=2, frame_rate=RATE_HZ, channels=1)


def _trimmed(segment: AudioSegment, path: Path) -> AudioSegment:
    from pydub.silence import detect_leading_silence

    first_ms = detect_leading_silence(segment, QUIET_DBFS, chunk_size=10)
    if first_ms >= len(segment):
        raise ClipError(f"{path}: holds nothing above {QUIET_DBFS:.0f} dBFS; trimming would leave nothing (drop trim)")
    last_ms = len(segment) - detect_leading_silence(segment.reverse(), QUIET_DBFS, chunk_size=10)
    return segment[max(0, first_ms - EDGE_MS) : last_ms + EDGE_MS]
