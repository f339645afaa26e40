"""Writing a clip as FLAC, MP3, Ogg or Opus through PyAV, which brings its own codecs: no program need be installed.

This file refuses to know what a clip is for; it is not for live sound, which doors encode packet by packet.
"""

from __future__ import annotations

from pathlib import Path

from audio.frame import RATE_HZ, Pcm, check_pcm
from audio.recordings.reading import RecordingError

__all__ = ["ENCODERS", "write_encoded"]

ENCODERS = {
    ".flac": ("flac", "s16"),
    ".mp3": ("libmp3lame", "s16p"),
    ".ogg": ("libopus", "s16"),
    ".opus": ("libopus", "s16"),
}
"""File ending -> (encoder, the sample format that it takes)."""


def write_encoded(path: str | Path, pcm: Pcm, *, bit_rate_bps: int = 32_000) -> None:
    """One mono clip int16[n] at 16 kHz, in the kind that the file's ending names; whole or not at all.

    `bit_rate_bps` (bits a second) is for the lossy kinds; 32,000 is transparent for speech in Opus. Raises
    `RecordingError`.
    """
    import av
    import av.error

    path = Path(path)
    check_pcm(pcm, f"sound for {path}")
    if path.suffix.lower() not in ENCODERS:
        raise RecordingError(f"{path}: ends in {path.suffix or 'nothing'!r}; expected one of {', '.join(ENCODERS)}")
    codec, sample_format = ENCODERS[path.suffix.lower()]
    partial = path.with_name(path.stem + ".partial" + path.suffix)
    try:
        with av.open(f"file:{partial}", "w") as out:
            stream = out.add_stream(codec, rate=RATE_HZ)
            assert isinstance(stream, av.AudioStream)
            stream.layout = "mono"
            stream.format = sample_format
            if codec != "flac":
                stream.bit_rate = bit_rate_bps
            size = stream.codec_context.frame_size or 4_096
            for start in range(0, len(pcm), size):
                block = pcm[start : start + size]
                frame = av.AudioFrame.from_ndarray(block.reshape(1, -1), format=sample_format, layout="mono")
                frame.sample_rate = RATE_HZ
                frame.pts = start
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        partial.replace(path)
    except (av.error.FFmpegError, OSError) as error:
        partial.unlink(missing_ok=True)
        raise RecordingError(f"{path}: cannot be written, {error.strerror} (check folder, rights and space)") from error
