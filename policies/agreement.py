"""Does the caller's answer agree? Yes only where nothing but agreement was said.

A yes lets a tool write, so every doubt falls on the other side: one word that is no part of agreeing, and the answer
is ``unclear``; one word of refusal, and it is ``no``. This file refuses to know what was asked: words of the read-back
that the caller may repeat (``yes, ten thirty``) are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from policies.numerals import is_number_word, plain_words
from policies.spoken_times import locate_times

__all__ = ["Answer", "answer"]

Answer = Literal["yes", "no", "unclear"]

_EXPANDED = {
    "that's": "that is", "it's": "it is", "that'd": "that would", "isn't": "is not", "don't": "do not",
    "doesn't": "does not", "won't": "will not", "can't": "can not", "cannot": "can not", "didn't": "did not",
    "wasn't": "was not", "i'm": "i am", "let's": "let us", "thats": "that is", "dont": "do not", "i'd": "i would",
    "okay": "ok", "alright": "ok", "yup": "yes", "yep": "yes", "yeah": "yes", "yea": "yes", "ya": "yes", "aye": "yes",
    "wouldn't": "would not", "shouldn't": "should not", "aren't": "are not", "couldn't": "could not",
}  # fmt: skip

_AGREEING = (
    "yes", "correct", "right", "exactly", "perfect", "sure", "ok", "absolutely", "definitely", "certainly", "of course",
    "fine", "great", "lovely", "wonderful", "excellent", "indeed", "all right", "precisely", "good",
    "that is right", "that is correct", "that is fine", "that is perfect", "that is good", "that is great",
    "that is it", "that is the one", "that is exactly right", "that is all right", "that is all correct", "that is ok",
    "it is", "yes i do", "yes i would", "yes i am", "i agree", "i confirm", "i do", "sounds good",
    "that sounds good", "sounds great", "that sounds great", "sounds right", "that sounds right", "sounds perfect",
    "that works", "works for me", "that works for me", "that would be great", "that would be fine",
    "that would be good", "that would be perfect", "that would be lovely", "go ahead", "please do", "do it",
    "do that", "book it", "all good", "all correct", "you got it", "you have got it", "you are right",
    "that is absolutely right", "that will be fine", "that will be great", "that will do", "yes that is", "yes it is",
)  # fmt: skip
"""Phrases that agree, after contractions were opened. A bare ``mm hm`` is none: recognisers make it out of noise."""

_NEUTRAL = (
    "please", "thanks", "thank you", "thank you very much", "thank you so much", "many thanks", "um", "uh", "er", "oh",
    "ah", "so", "for me", "very much", "with me", "it is great", "cheers",
)  # fmt: skip
"""Phrases that may stand beside agreement and say nothing."""

_LINKS = frozenset({"on", "at", "for", "it", "and"})
"""Words that may link repeated ones: ``yes on wednesday at ten``, ``yes cancel it``."""

_REFUSING = frozenset(plain_words("no nope nah not never neither wrong incorrect nothing negative mistake mistaken"))
_UNDECIDED = (
    "do not know", "not sure", "not certain", "not know", "no idea", "i guess", "maybe", "perhaps", "why not",
    "no problem", "no worries", "not bad", "not yet", "hang on", "hold on", "wait", "one moment", "no rush",
)  # fmt: skip
"""Phrases that are neither, though a word of refusal may stand in them."""


def _phrases(texts: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Longest first, so that the greedy reading below takes ``that is right`` before ``that is``."""
    return tuple(sorted((tuple(text.split()) for text in texts), key=len, reverse=True))


_YES_PHRASES = _phrases(_AGREEING)
_NEUTRAL_PHRASES = _phrases(_NEUTRAL)
_UNDECIDED_PHRASES = _phrases(_UNDECIDED)


def _opened(text: str | Sequence[str]) -> list[str]:
    heard = plain_words(text if isinstance(text, str) else " ".join(text))
    return " ".join(_EXPANDED.get(word, word) for word in heard).split()


def _take(words: Sequence[str], at: int, phrases: Iterable[tuple[str, ...]]) -> int:
    """Length of the first phrase that stands at word `at`, or 0."""
    return next((len(phrase) for phrase in phrases if tuple(words[at : at + len(phrase)]) == phrase), 0)


def answer(text: str | Sequence[str], repeated: str = "") -> Answer:
    """``yes`` for plain agreement, ``no`` for refusal, ``unclear`` for all else, nothing included.

    `repeated` holds words that were read back and may be said again without changing anything: ``yes ten thirty``
    agrees to ``wednesday ten thirty miller``, ``yes ten`` does not (times count as times, not as words).
    """
    words = _opened(text)
    if not words:
        return "unclear"
    if _is_only_agreement(words, repeated):
        return "yes"
    return "no" if _refuses(words) else "unclear"


def _with_clocks(words: Sequence[str]) -> list[str]:
    """The words with each time as one ``HH:MM``, so that ``half past ten`` equals ``ten thirty``."""
    clocked = list(words)
    for found in reversed(locate_times(words)):
        clocked[found.first : found.end] = [found.clock]
    return clocked


def _is_only_agreement(words: Sequence[str], repeated: str) -> bool:
    again = set(_with_clocks(plain_words(repeated)))
    rest = _with_clocks(words)
    agreed = False
    at = 0
    while at < len(rest):
        length = _take(rest, at, _YES_PHRASES)
        agreed = agreed or length > 0
        length = length or _take(rest, at, _NEUTRAL_PHRASES)
        if not length:
            word = rest[at]
            # repeating comes after agreeing: a bare "wednesday" is a value, not a yes; half a time is another time
            is_again = word in again and (":" in word or not is_number_word(word))
            if not agreed or not (is_again or (again and word in _LINKS)):
                return False
            length = 1
        at += length
    return agreed


def _refuses(words: Sequence[str]) -> bool:
    """True where a word of refusal is left once the undecided phrases are taken out."""
    at = 0
    refusing = agreeing = False
    while at < len(words):
        length = _take(words, at, _UNDECIDED_PHRASES)
        if not length:
            # "yes no wednesday" takes the yes back, "no that is right" takes the no back: only the first is a no
            agreeing = refusing and (agreeing or (words[at] in {"yes", "right", "correct"} and not _negated(words, at)))
            refusing = refusing or words[at] in _REFUSING
            length = 1
        at += length
    return refusing and not agreeing


def _negated(words: Sequence[str], at: int) -> bool:
    """True where one of the two words before `at` is ``not``: ``not right``, ``not really right``."""
    return "not" in words[max(0, at - 2) : at]
