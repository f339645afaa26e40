"""Streaming text into speakable clauses, the first one short.

The voice starts on the first clause while the model still writes the second, so the first cut decides how soon the
caller hears something, and every cut is a place where the melody of the voice restarts. This file refuses to know
voices, engines and time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from policies.numerals import is_number_word, plain_words

__all__ = ["ClauseSettings", "Clauses", "for_pace"]


@dataclass(frozen=True, slots=True)
class ClauseSettings:
    """Where to cut. All counts are words."""

    first_least: int = 2
    """The first clause ends at a comma or stop after at least this many words: ``ok,`` alone is over before the next
    clause can be ready. A guess."""
    first_most: int = 6
    """With no comma or stop in sight the first clause ends at the last good border within this many. A guess; 6 words
    are about 2 s of speech, in which 200 tokens can be written."""
    hurried: int = 3
    """The same where the model writes slowly (`for_pace`): 3 words are 1 s of speech, and 10 ms a token is waited for
    each word that comes first."""
    slow_s: float = 0.005
    """Seconds a token from which a model counts as slow."""
    later_least: int = 3
    """A later clause ends at a stop after at least this many words. A guess."""
    later_comma: int = 6
    """A later clause ends at a comma after at least this many words: sentences keep their melody. A guess."""
    later_most: int = 24
    """A later clause without punctuation ends here; bounds what is synthesised for nothing at a barge-in. A guess."""
    patience: int = 4
    """How many words a cut without punctuation is put off where no border before it would do. A guess."""


_STOPS = ".?!;:"
_CLOSERS = "\"')]}\u2019\u201d"
_ABBREVIATIONS = frozenset(
    ("dr.", "mr.", "mrs.", "ms.", "st.", "prof.", "vs.", "etc.", "e.g.", "i.e.", "approx.", "dept.", "jr.", "sr.",
     "ave.", "a.m.", "p.m.", "inc.", "ltd.")
)  # fmt: skip
_LEANING = frozenset(
    plain_words(
        "a an the at on in of to for from with by and or but so my your our his her their its very as if into about "
        "around past half quarter dr mr mrs ms doctor between until till not no"
    )
)
"""Words that lean on the next one: no cut without punctuation behind them."""
_HALF_LEANING = frozenset(
    plain_words(
        "that this is are was were be am i you we they he she it do does did will would can could should may might "
        "have has had i'm i'll you're we're it's that's"
    )
)
"""Words that lean on the next one unless that opens a phrase of its own."""
_OPENERS = frozenset(
    plain_words("at on in for from with by and or but because when if then before after until between so to about")
)
"""Words before which a voice may pause."""
_CLOCK_ENDS = frozenset({"o'clock", "am", "pm", "a.m", "p.m"})
_CLOSED_WORD = re.compile(r"(\S+)\s")


def for_pace(token_s: float, settings: ClauseSettings | None = None) -> ClauseSettings:
    """The settings for a model that takes `token_s` seconds a token: the slower it writes, the sooner it speaks."""
    settings = settings or ClauseSettings()
    return replace(settings, first_most=settings.hurried) if token_s >= settings.slow_s else settings


class Clauses:
    """Cuts one reply. `push` returns the clauses that are ready, in order; `flush` the rest and starts afresh.

    A clause carries its own punctuation and no white space at its ends. Words are never split, dropped or reordered;
    a rest without any letter or figure is dropped. A word counts once white space stands behind it, so the cuts do
    not depend on how the text was cut into tokens; that costs one token.
    """

    def __init__(self, settings: ClauseSettings | None = None) -> None:
        self._settings = settings or ClauseSettings()
        self._rest = ""
        self._is_first = True

    def push(self, text: str) -> list[str]:
        """Clauses that became speakable with this piece of text, which may end inside a word."""
        self._rest += text
        ready = []
        while (end := self._cut()) is not None:
            ready.append(self._rest[:end].strip())
            self._rest = self._rest[end:].lstrip()
            self._is_first = False
        return ready

    def flush(self) -> list[str]:
        """What is left at the end of the reply, as one clause or none; the next `push` begins a new reply."""
        rest = self.rest()
        self._is_first = True
        return rest

    def rest(self) -> list[str]:
        """What is left, as one clause or none, where the reply pauses for a thought and then goes on."""
        rest = self._rest.strip()
        self._rest = ""
        self._is_first = self._is_first and not rest
        return [rest] if any(character.isalnum() for character in rest) else []

    def _cut(self) -> int | None:
        """Where the next clause ends in the rest, or None while that is open."""
        settings = self._settings
        least = settings.first_least if self._is_first else settings.later_least
        comma = settings.first_least if self._is_first else settings.later_comma
        most = settings.first_most if self._is_first else settings.later_most
        words = 0
        border = 0
        previous = ""
        for match in _CLOSED_WORD.finditer(self._rest):
            word = match[1]
            if words >= comma and _may_part(previous, word):
                border = match.start(1)
            if words >= most and border:
                return border
            # no border at all: not inside a number, unless the "number" goes on for ever
            late = words - most - settings.patience
            if late >= 0 and (late >= most or not (_is_number(previous) and _is_number(word))):
                return match.start(1)
            words += any(character.isalnum() for character in word)
            sign = _closing_sign(word)
            if sign and words >= (comma if sign == "," else least):
                return match.end(1)
            previous = word
        return None


def _may_part(previous: str, following: str) -> bool:
    """May a cut without punctuation fall between these two words?"""
    last = plain_words(previous)[-1:]
    first = plain_words(following)[:1]
    if not last or not first or last[0] in _LEANING or following.lower().rstrip(".,?!") in _CLOCK_ENDS:
        return False
    if last[0] in _HALF_LEANING:
        return first[0] in _OPENERS
    return not (_is_number(previous) and _is_number(following))


def _is_number(word: str) -> bool:
    return any(is_number_word(part) for part in plain_words(word))


def _closing_sign(word: str) -> str:
    """The sign that ends a clause behind this word, or nothing."""
    bare = word.rstrip(_CLOSERS)
    sign = bare[-1:]
    if sign == ",":
        return sign
    if not sign or sign not in _STOPS:
        return ""
    body = bare[:-1]
    is_initial = len(body) == 1 and body.isalpha() and body.lower() != "i"
    return "" if sign == "." and (is_initial or bare.lower() in _ABBREVIATIONS) else sign
