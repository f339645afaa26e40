"""What Whisper believes was said so far, as values: words as the rest of the runtime writes them.

Whisper writes capitals and punctuation, and changes its mind about them from decoding to decoding; a word here is in
lower case without them, so that hypotheses can be compared. Positions are samples at 16,000 Hz from the start of the
segment. This file refuses to know processes and which words will last.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audio.agreement import TimedWord
from audio.frame import s_to_samples

__all__ = ["Hypothesis", "Row", "plain", "words_of"]

Row = Sequence[object]
"""A word as it travels: text, start and end (s from the start of the stretch), probability."""

_AROUND = " \t\n\"'“”‘’«»()[]{}.,;:!?…-–—*♪¿¡。，、！？："
"""What stands before and behind a word without being part of it; an apostrophe or point inside a word stays."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words of a segment as known once `at_sample` samples of it were decoded; `final` when it will not change."""

    words: tuple[TimedWord, ...]
    at_sample: int
    final: bool

    @property
    def text(self) -> str:
        """The words with single spaces."""
        return " ".join(word.text for word in self.words)


def plain(spelled: str) -> str:
    """The word in lower case without the punctuation around it; empty where nothing else is in it.

    >>> plain(' "Tuesday,"'), plain("o'clock."), plain(" -")
    ('tuesday', "o'clock", '')
    """
    return "".join(spelled.lower().split()).strip(_AROUND)


def words_of(rows: Sequence[Row], base: int, end: int) -> tuple[TimedWord, ...]:
    """The words of a decoding of the samples `base` up to `end`, in order of time and within that stretch."""
    words = []
    floor = base
    for spelled, start_s, end_s, probability in rows:
        text = plain(str(spelled))
        if not text:
            continue
        start = min(max(floor, base + s_to_samples(float(str(start_s)))), end)
        floor = min(max(start, base + s_to_samples(float(str(end_s)))), end)
        words.append(TimedWord(text, str(spelled).strip(), start, floor, round(float(str(probability)), 4)))
    return tuple(words)
