"""Word marks for voices that tell no word times: the sound is shared out in proportion to the letters of each word.

An estimate: espeak-ng tells where its words begin, neural and cloud voices do not. A figure counts as many letters as
it takes to say it, a pause at a comma as some more. The three weights were chosen on espeak-ng's own marks of 20
sentences (176 words behind the first ones), in sample: 90 ms off on average, p95 215 ms; by characters alone, as
`audio.heard.spread` has it, 172 and 607. This file refuses to know the sound itself; whoever calls has cut the silence
off its ends.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from audio.frame import RATE_HZ
from audio.heard import WordMark

__all__ = ["LETTER_SAMPLES", "Pace", "RunningMarks", "estimate"]

LETTER_SAMPLES = RATE_HZ // 15
"""Length of a letter where nothing is known of the voice: 15 a second (180 words a minute), as `audio.heard` has it."""

DIGIT_LETTERS = 6
"""A figure stands for a word of three to five letters with what belongs to it ("thirty", "point", "hundred")."""
BETWEEN_LETTERS = 1
"""What a word costs besides its letters: short words are longer than their letters."""
PAUSE_LETTERS = 5
"""A pause behind a comma or a full stop inside the text: 0.3 s at 15 letters a second."""

_WRITTEN = re.compile(r"\S+")
_PAUSES = frozenset(",;:.!?…—–")


@dataclass(frozen=True, slots=True)
class _Share:
    """A written word and the letters before it."""

    start_char: int
    end_char: int
    before: int


def _shares(text: str) -> tuple[list[_Share], int]:
    """Each written word of `text`, and the letters of the whole. What has no letter or figure is no word."""
    shares, letters = list[_Share](), 0
    for match in _WRITTEN.finditer(text):
        word = match.group()
        if not any(map(str.isalnum, word)):
            continue
        shares.append(_Share(match.start(), match.end(), letters))
        letters += BETWEEN_LETTERS + sum(DIGIT_LETTERS if char.isdigit() else char.isalpha() for char in word)
        if word[-1] in _PAUSES and match.end() < len(text.rstrip()):
            letters += PAUSE_LETTERS
    return shares, letters


def estimate(text: str, first_char: int, first_sample: int, n_samples: int) -> list[WordMark]:
    """Marks of the words of `text`, whose sound is `n_samples` long and begins at `first_sample`.

    `first_char` is where `text` begins in the text of the utterance.
    """
    shares, letters = _shares(text)
    return [
        WordMark(
            first_char + one.start_char,
            first_char + one.end_char,
            first_sample + n_samples * one.before // max(1, letters),
        )
        for one in shares
    ]


@dataclass(slots=True)
class Pace:
    """How long a letter of a voice is, learnt from the texts it has spoken; begins with `LETTER_SAMPLES`."""

    letters: int = field(default=30)
    """Counts as if so many letters had been heard at the first guess: a clause outweighs it."""
    samples: int = field(default=30 * LETTER_SAMPLES)

    @property
    def letter_samples(self) -> float:
        """Samples of a letter."""
        return self.samples / self.letters

    def learn(self, letters: int, samples: int) -> None:
        """A text of so many letters took so many samples."""
        self.letters += letters
        self.samples += samples


class RunningMarks:
    """Marks for sound whose length is not known before its end, since it is played while it still comes in.

    They come by the voice's pace and are never taken back; the words that are left at the end share what is left.
    """

    def __init__(self, text: str, pace: Pace) -> None:
        self._shares, self._letters = _shares(text)
        self._pace = pace
        self._letter_samples = pace.letter_samples
        self._next = 0

    def upto(self, n_samples: int) -> list[WordMark]:
        """Marks of further words that begin within the first `n_samples`."""
        found = []
        while self._next < len(self._shares):
            one = self._shares[self._next]
            at = int(one.before * self._letter_samples)
            if at >= n_samples:
                break
            found.append(WordMark(one.start_char, one.end_char, at))
            self._next += 1
        return found

    def end(self, n_samples: int) -> list[WordMark]:
        """Marks of the words that are left, now that the sound has ended after `n_samples`; the pace learns."""
        found = self.upto(n_samples)
        left, self._next = self._shares[self._next :], len(self._shares)
        if left:
            # the word before them was placed by the pace; they share the time since it began
            since = self._shares[-len(left) - 1] if len(left) < len(self._shares) else None
            before, at = (since.before, int(since.before * self._letter_samples)) if since else (0, 0)
            rate = max(0, n_samples - at) / max(1, self._letters - before)
            found += [WordMark(one.start_char, one.end_char, at + int((one.before - before) * rate)) for one in left]
        if self._letters and n_samples:
            self._pace.learn(self._letters, n_samples)
        return found
