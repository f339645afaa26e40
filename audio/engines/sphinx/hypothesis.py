"""What the recogniser believes was said so far, as values.

Positions are samples at 16,000 Hz from the start of the segment. This file refuses to know decoders and processes.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Hypothesis", "Word"]


@dataclass(frozen=True, slots=True)
class Word:
    """A word in lower case, sounding from `start_sample` up to `end_sample` by the decoder's own alignment.

    `fit` is the mean log-probability per 10 ms of the word's sounds against the best sounds at each moment: 0 is
    perfect, and words forced onto something else sink lower. It is a hint, no probability that the word is right.
    """

    text: str
    start_sample: int
    end_sample: int
    fit: float


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
