"""What the recogniser believes was said so far, as values.

Positions are samples at 16,000 Hz from the start of the segment. This file refuses to know decoders and processes.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Hypothesis", "Word"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word in lower case, sounding from `start_sample` up to `end_sample` by the decoder's own alignment.

    `confidence` is its share (0 to 1) of the likelihood of all ways to hear the segment, None while that is unknown,
    before the end. Over 299 espeak-ng words it ranked a right word above a wrong one in 85 of 100 pairs. Words outside
    the vocabulary are forced onto others, sometimes with confidence: ask again rather than trust it alone.
    """

    text: str
    start_sample: int
    end_sample: int
    confidence: float | None


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """The words of a segment as known once `at_sample` samples of it were decoded; `final` when it will not change."""

    words: tuple[Word, ...]
    at_sample: int
    final: bool

    @property
    def text(self) -> str:
        """The words with single spaces."""
        return " ".join(word.text for word in self.words)
