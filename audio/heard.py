"""How much of a text was heard, given how much of its sound was played.

The rule that decides what history keeps stands here alone, apart from the queue that counts the samples
(`audio.playout`). This file refuses to know about queues, fades and time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audio.frame import RATE_HZ, ms_to_samples

__all__ = ["CHARACTER_SAMPLES", "OPEN_WORD_SAMPLES", "Heard", "NextWord", "WordMark", "bounds", "cut", "spread"]

OPEN_WORD_SAMPLES = ms_to_samples(200)
"""Least length assumed for the last word while its end is not synthesised yet: a short English word, a guess."""

CHARACTER_SAMPLES = RATE_HZ // 15
"""Length of one character of speech (15 a second, 180 words a minute) where an engine gives no word times."""


@dataclass(frozen=True, slots=True)
class WordMark:
    """Where a word stands: characters `start_char` to `end_char` of the utterance's text, sounding from
    `first_sample` of the utterance (16 kHz)."""

    start_char: int
    end_char: int
    first_sample: int


@dataclass(frozen=True, slots=True)
class NextWord:
    """A word that is not played to its end yet: `text` ends at `end_char` of the utterance's text and sounds from
    `first_sample` up to `end_sample` of the output, if nothing changes."""

    text: str
    end_char: int
    first_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class Heard:
    """What was played of an utterance: its `text` up to the last word of which at least half was played.

    `n_samples` is how far it was played; `complete` says that nothing is missing; `words` are the words in `text`.
    """

    text: str
    n_samples: int
    complete: bool
    words: tuple[str, ...]


def cut(text: str, marks: Sequence[WordMark], played: int, added: int, *, finished: bool) -> Heard:
    """What was heard of `text` after `played` of the `added` samples; `finished` says that no more will be added.

    Where words begin and end is the business of `bounds`. Everything played of something finished is the whole text,
    trailing punctuation included.
    """
    if finished and 0 < added == played:
        return Heard(text, played, True, tuple(text.split()))
    end_char = 0
    for mark, end in bounds(text, marks, added, finished=finished):
        if played <= mark.first_sample or 2 * played < mark.first_sample + end:
            break
        end_char = max(end_char, mark.end_char)
    return Heard(text[:end_char], played, False, tuple(text[:end_char].split()))


def bounds(text: str, marks: Sequence[WordMark], added: int, *, finished: bool) -> list[tuple[WordMark, int]]:
    """Each word's mark and the sample at which the word ends: where the next one begins, or with the sound.

    Without marks the words are spread over the sound by their characters.
    """
    if not marks:
        marks = spread(text, added if finished else max(added, len(text) * CHARACTER_SAMPLES))
    if not marks:
        return []
    last = added if finished else max(added, marks[-1].first_sample + OPEN_WORD_SAMPLES)
    return list(zip(marks, [*(mark.first_sample for mark in marks[1:]), last], strict=True))


def spread(text: str, n_samples: int) -> list[WordMark]:
    """Marks for the words of `text`, as if each of its characters took the same share of `n_samples`."""
    marks, char = list[WordMark](), 0
    for word in text.split():
        start = text.index(word, char)
        char = start + len(word)
        marks.append(WordMark(start, char, n_samples * start // len(text)))
    return marks
