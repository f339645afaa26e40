"""From espeak-ng's word events to the words of the text that was given to it.

The library tells of spoken words: ``12.50`` gives four events, whose places in the text drift inside the number, and
``of the`` gives one. The runtime asks which *written* words were heard. This file refuses to know processes and sound.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from audio.heard import WordMark

__all__ = ["WordFinder"]

_WRITTEN = re.compile(r"\S+")


class WordFinder:
    """Gives each written word of `text` one mark, in the order of the text, as events come in."""

    def __init__(self, text: str) -> None:
        spans = [match.span() for match in _WRITTEN.finditer(text) if any(map(str.isalnum, match.group()))]
        self._starts = [start for start, _ in spans]
        self._ends = [end for _, end in spans]
        self._next = 0
        self._last_sample = 0

    def at(self, char: int, sample: int) -> list[WordMark]:
        """Marks that an event at place `char` of the text and `sample` of the sound makes known, each word once.

        Written words that had no event of their own, since the library ran them together with the one before, share
        the time since that one by their characters.
        """
        word = bisect_right(self._starts, char) - 1
        if word < self._next:
            return []
        marks = self._between(word, self._starts[word], sample)
        marks.append(WordMark(self._starts[word], self._ends[word], max(sample, self._last_sample)))
        self._next, self._last_sample = word + 1, marks[-1].first_sample
        return marks

    def end(self, sample: int) -> list[WordMark]:
        """Marks of the words that are left when the sound ends at `sample`."""
        marks = self._between(len(self._starts), self._ends[-1], sample) if self._starts else []
        self._next = len(self._starts)
        return marks

    def _between(self, word: int, char: int, sample: int) -> list[WordMark]:
        """Marks from the next unmarked word up to `word`, which begins (or the text ends) at `char` and `sample`."""
        if word <= self._next:
            return []
        since = self._starts[self._next - 1] if self._next else 0
        share = max(0, sample - self._last_sample) / max(1, char - since)
        marks = []
        for index in range(self._next, word):
            sounding = self._last_sample + int((self._starts[index] - since) * share)
            marks.append(WordMark(self._starts[index], self._ends[index], sounding))
        return marks
