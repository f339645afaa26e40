"""The door of a transcribed call: word-timed text instead of audio.

For recordings that come with a transcript: the words meet the runtime at their times, no recogniser errs. It refuses
to know audio; `listen_words` is its one way in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..ports import CallerAudio, Pcm
from ..testing.clips import ClipError, Word, read_words
from .recording import RecordingDoor

__all__ = ["SpokenWords", "TranscribedDoor", "WordsDoor"]

RATE_HZ = 16_000
LONGER_S = 1.0
"""A transcript may end this much after the recording: word times of recognisers are rounded. A guess."""

PAUSE_SAMPLES = 3_200
"""200 ms without a word end a segment of speech, as the detector's hangover does."""


@dataclass(frozen=True, slots=True)
class SpokenWords:
    """A segment of speech. `words`: (text, first sample, end sample) on the call's line."""

    first_sample: int
    n_samples: int
    words: tuple[tuple[str, int, int], ...]


class WordsDoor:
    """A call whose far party is a list of timed words: a ``words.json`` (raises `ClipError`) or `Word`s at 16,000 Hz.

    Its end is the caller hanging up. Times are those of the recording, which does not wait for the agent.
    """

    def __init__(self, source: Path | str | Sequence[Word], *, counterparty: str = "transcript") -> None:
        self._words = read_words(Path(source)) if isinstance(source, str | Path) else tuple(source)
        self._facts = {"counterparty": counterparty, "direction": "inbound"}
        self._closed = False

    @property
    def ahead(self) -> bool:
        return True

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def listen_words(self) -> AsyncIterator[SpokenWords]:
        """Each segment of speech, in order, as fast as they are taken."""
        for words in split_at_pauses(self._words):
            if self._closed:
                return
            yield _spoken(words)

    async def listen(self) -> AsyncIterator[CallerAudio]:
        """Silence under the words, for whoever records the line; in blocks of up to 1 s."""
        end = self._words[-1].end_sample if self._words else 0
        for first in range(0, end, 16_000):
            if self._closed:
                return
            yield CallerAudio(np.zeros(min(16_000, end - first), np.int16), first)

    def play(self, pcm: Pcm, first_sample: int) -> None:
        """The transcribed caller does not hear us."""

    async def send_digits(self, digits: str) -> None:
        """Nobody is there to take them."""

    async def transfer(self, target: str) -> bool:
        """A transcript cannot be put through."""
        return False

    async def close(self) -> None:
        """We hung up: no more is given."""
        self._closed = True


class TranscribedDoor(RecordingDoor):
    """A recording that is heard by its transcript: its sound is on the line, its words come from ``words.json``.

    Both come at their time, the words until the recording ends. Raises `ClipError` for a transcript that is none, or
    is longer than the recording, and what `RecordingDoor` raises.
    """

    transcribed = True

    def __init__(self, source: Path | str, transcript: Path | str, *, counterparty: str = "recording") -> None:
        super().__init__(source, realtime=True, counterparty=counterparty)
        self._words = read_words(Path(transcript))
        length_s = self.duration_s
        end_s = self._words[-1].end_sample / RATE_HZ if self._words else 0.0
        if length_s is not None and end_s > length_s + LONGER_S:
            raise ClipError(
                f"{transcript}: its last word ends at {end_s:.1f} s, the recording {source} at {length_s:.1f} s; "
                "give the transcript of this recording"
            )
        self._over = asyncio.Event()

    @property
    def ahead(self) -> bool:
        return True

    async def listen(self) -> AsyncIterator[CallerAudio]:
        """The sound, each 20 ms when they are complete."""
        try:
            async for block in super().listen():
                yield block
        finally:
            self._over.set()

    async def listen_words(self) -> AsyncIterator[SpokenWords]:
        """Each segment of speech, in order, as fast as they are taken; ends with the sound."""
        for words in split_at_pauses(self._words):
            if self._closed:
                return
            yield _spoken(words)
        await self._over.wait()


def _spoken(words: Sequence[Word]) -> SpokenWords:
    first, end = words[0].start_sample, words[-1].end_sample
    return SpokenWords(first, end - first, tuple((word.text, word.start_sample, word.end_sample) for word in words))


def split_at_pauses(words: Sequence[Word]) -> list[list[Word]]:
    """The words in segments; a pause of 200 ms or more between two words parts them."""
    segments: list[list[Word]] = []
    for word in words:
        if segments and word.start_sample - segments[-1][-1].end_sample < PAUSE_SAMPLES:
            segments[-1].append(word)
        else:
            segments.append([word])
    return segments
