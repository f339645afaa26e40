"""Listening without sound: word-timed text instead of a detector and a recogniser.

For calls whose words are known: a transcript track, a script played without audio. Words become known with the delays
of a canned recogniser, so that such a call meets the same mind on the same time line; no audio is touched. A door
brings whole clips, whose words are settled when they begin, or pieces, where speech may be broken off at any word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from .events import Event, FinalTranscript, PartialTranscript, SpeechStarted, SpeechStopped
from .timeline import Timeline

__all__ = ["CannedHearing", "SpokenPiece", "WordDoor", "WordListening", "asks_no_floor"]

_SOUNDS = frozenset("mm hm mhm mmhm mmhmm hmm uhhuh okay ok yeah".split())
"""Words whose sound tells the ears that they ask for no floor (`policies.onset`)."""


class SpokenWords(Protocol):
    """A clip that begins at `first_sample` of the line; word times are samples of the line too."""

    @property
    def first_sample(self) -> int: ...
    @property
    def words(self) -> Sequence[tuple[str, int, int]]: ...


@dataclass(frozen=True, slots=True)
class SpokenPiece:
    """A piece of one segment of speech. The first one comes at `first_sample`, where speech begins, before any word is
    known; then each word when it is over; the piece that `ends` the segment brings no words, and its `first_sample` is
    where the speech ended. A segment may hold no word at all: somebody began one and was silent."""

    first_sample: int
    words: tuple[tuple[str, int, int], ...] = ()
    no_floor: bool = False
    """The speech that begins here sounds as if it asked for no floor."""
    ends: bool = False


class WordDoor(Protocol):
    """A door that can give words instead of audio."""

    @property
    def ahead(self) -> bool: ...
    def listen_words(self) -> AsyncIterator[SpokenWords | SpokenPiece]: ...


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
        self._words: list[tuple[str, int, int]] | None = None  # of the segment that is being spoken

    async def run(self, line_origin_s: float) -> int:
        """Hear the call to its end; returns the sample at which it ended."""
        end = 0
        async for clip in self._door.listen_words():
            if isinstance(clip, SpokenPiece):
                await self._put_piece(clip)
                end = max(end, clip.first_sample)
                continue
            for words in self._segments(clip.words):
                await self._begin(words[0][1], no_floor=asks_no_floor(word for word, _, _ in words))
                await self._hear(words)
                await self._stop(words[-1][2])
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

    async def _put_piece(self, piece: SpokenPiece) -> None:
        if self._words is None:
            await self._begin(piece.first_sample, no_floor=piece.no_floor)
        await self._hear(piece.words)
        if piece.ends:
            await self._stop(piece.first_sample)

    async def _begin(self, first: int, *, no_floor: bool) -> None:
        """Speech starts at sample `first`."""
        self._segment += 1
        self._words = []
        known = first + self._settings.start_ms * 16
        await self._put(SpeechStarted(first, known, 1.0, float(no_floor), self._segment), known)

    async def _hear(self, words: Sequence[tuple[str, int, int]]) -> None:
        """More words of the segment, each over at its end sample."""
        assert self._words is not None, "a segment was begun"
        for word in words:
            self._words.append(word)
            self._revision += 1
            known = word[2] + self._settings.word_ms * 16
            stable, tail = self._words[:-2], self._words[-2:]
            await self._put(PartialTranscript(self._segment, self._revision, known, _text(stable), _text(tail)), known)

    async def _stop(self, last: int) -> None:
        """The segment ended at sample `last`."""
        assert self._words is not None, "a segment was begun"
        words, self._words = tuple(self._words), None
        stopped = last + self._settings.stop_ms * 16
        await self._put(SpeechStopped(last, stopped), stopped)
        self._revision += 1
        ended = last + self._settings.final_ms * 16
        await self._put(FinalTranscript(self._segment, self._revision, ended, _text(words), words), ended)

    async def _put(self, event: Event, sample: int) -> None:
        await self._timeline.put(event, sample=sample, segment=self._segment)


def asks_no_floor(words: Iterable[str]) -> bool:
    """Nothing but sounds that ask for no floor, as the ears would report them."""
    return all(word.replace("-", "") in _SOUNDS for word in words)


def _text(words: Sequence[tuple[str, int, int]]) -> str:
    return " ".join(word for word, _, _ in words)
