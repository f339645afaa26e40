"""Listening without sound: word-timed text instead of a detector and a recogniser.

For calls whose words are known: a transcript track, a script played without audio. Words become known with the delays
of a canned recogniser, so that such a call meets the same mind on the same time line; no audio is touched.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from .events import Event, FinalTranscript, PartialTranscript, SpeechStarted, SpeechStopped
from .timeline import Timeline

__all__ = ["CannedHearing", "WordDoor", "WordListening"]

_SOUNDS = frozenset("mm hm mhm mmhm mmhmm hmm uhhuh okay ok yeah".split())
"""Words whose sound tells the ears that they ask for no floor (`policies.onset`)."""


class SpokenWords(Protocol):
    """A clip that begins at `first_sample` of the line; word times are samples of the line too."""

    @property
    def first_sample(self) -> int: ...
    @property
    def words(self) -> Sequence[tuple[str, int, int]]: ...


class WordDoor(Protocol):
    """A door that can give words instead of audio."""

    @property
    def ahead(self) -> bool: ...
    def listen_words(self) -> AsyncIterator[SpokenWords]: ...


@dataclass(frozen=True, slots=True)
class CannedHearing:
    """When words count as heard, in milliseconds (the common work of the peers' baseline where it names a figure)."""

    start_ms: int = 64
    """First speech sample -> speech started is known (two detector windows)."""
    word_ms: int = 150
    """Word end -> the word stands in a partial."""
    stop_ms: int = 200
    """Last word end -> speech stopped is known; shorter gaps between words are no pause."""
    final_ms: int = 250
    """Last word end -> final text."""


class WordListening:
    """One call's ears for words."""

    def __init__(self, door: WordDoor, timeline: Timeline, settings: CannedHearing) -> None:
        self._door, self._timeline, self._settings = door, timeline, settings
        self._segment = 0
        self._revision = 0

    async def run(self, line_origin_s: float) -> int:
        """Hear the call to its end; returns the sample at which it ended."""
        end = 0
        async for clip in self._door.listen_words():
            for words in self._segments(clip.words):
                await self._put_segment(words)
                end = max(end, words[-1][2])
        now_sample = round((asyncio.get_running_loop().time() - line_origin_s) * 16_000)
        return max(end, now_sample)

    def _segments(self, words: Sequence[tuple[str, int, int]]) -> list[list[tuple[str, int, int]]]:
        """Split where the caller pauses for longer than the detector bridges."""
        segments: list[list[tuple[str, int, int]]] = []
        for word in words:
            if segments and word[1] - segments[-1][-1][2] < self._settings.stop_ms * 16:
                segments[-1].append(word)
            else:
                segments.append([word])
        return segments

    async def _put_segment(self, words: list[tuple[str, int, int]]) -> None:
        self._segment += 1
        segment, settings = self._segment, self._settings
        first, last = words[0][1], words[-1][2]
        due: list[tuple[int, int, Event]] = []

        def at(sample: int, event: Event) -> None:
            heapq.heappush(due, (sample, len(due), event))

        no_floor = 1.0 if all(word.replace("-", "") in _SOUNDS for word, _, _ in words) else 0.0
        at(first + settings.start_ms * 16, SpeechStarted(first, first + settings.start_ms * 16, 1.0, no_floor, segment))
        for count in range(1, len(words) + 1):
            known = words[count - 1][2] + settings.word_ms * 16
            self._revision += 1
            stable, tail = words[: max(0, count - 2)], words[max(0, count - 2) : count]
            at(known, PartialTranscript(segment, self._revision, known, _text(stable), _text(tail)))
        stopped = last + settings.stop_ms * 16
        at(stopped, SpeechStopped(last, stopped))
        self._revision += 1
        ended = last + settings.final_ms * 16
        at(ended, FinalTranscript(segment, self._revision, ended, _text(words), tuple(words)))
        while due:
            sample, _, event = heapq.heappop(due)
            await self._timeline.put(event, sample=sample, segment=segment)


def _text(words: Sequence[tuple[str, int, int]]) -> str:
    return " ".join(word for word, _, _ in words)
