"""Recordings: reading what others made (through PyAV) and writing what our calls were."""

from __future__ import annotations

from audio.recordings.reading import CallRecording, Recording, RecordingError, Track, open_call, open_recording
from audio.recordings.writing import CallWriter, Party, write_wav

__all__ = [
    "CallRecording",
    "CallWriter",
    "Party",
    "Recording",
    "RecordingError",
    "Track",
    "open_call",
    "open_recording",
    "write_wav",
]
