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

__all__ = ["Answer", "answer", "is_half"]

Answer = Literal["yes", "no", "unclear"]

_EXPANDED = {
    "that's": "that is", "it's": "it is", "that'd": "that would", "isn't": "is not", "don't": "do not",
    "doesn't": "does not", "won't": "will not", "can't": "can not", "cannot": "can not", "didn't": "did not",
    "wasn't": "was not", "i'm": "i am", "let's": "let us", "thats": "that is", "dont": "do not", "i'd": "i would",
    "okay": "ok", "alright": "ok", "yup": "yes", "yep": "yes", "yeah": "yes", "yea": "yes", "ya": "yes", "aye": "yes",
    "wouldn't": "would not", "shouldn't": "should not", "aren't": "are not", "couldn't": "could not",
    "you've": "you have", "you're": "you are", "everything's": "everything is", "that'll": "that will",
    "i'll": "i will", "we'll": "we will", "it'd": "it would", "it'll": "it will",
}  # fmt: skip

_HESITATIONS = frozenset(plain_words("um uh er erm ehm eh mm hm hmm mhm mmhm ah oh"))
"""Dropped before reading. A bare ``mm hm`` is no yes: recognisers make it out of noise."""

_GOOD = (
    "right", "correct", "fine", "perfect", "great", "good", "lovely", "wonderful", "excellent", "ok", "nice",
    "brilliant", "all right", "grand", "super", "smashing", "ideal", "terrific", "fantastic", "fab", "splendid",
    "marvellous", "superb", "champion", "dandy", "cracking", "ace",
)  # fmt: skip
_GOOD_OF_SOMETHING = (
    "acceptable", "accurate", "agreeable", "amazing", "awesome", "beautiful", "convenient", "delightful", "exact",
    "fabulous", "fair", "first class", "first rate", "flawless", "handy", "impeccable", "in order", "magic",
    "magnificent", "neat", "precise", "proper", "satisfactory", "sound", "suitable", "tip top", "true", "as agreed",
    "as it should be", "spot on", "cool", "pleasing", "spotless", "sweet", "top",
)  # fmt: skip
"""Good words that agree behind a frame only ("that is accurate"): alone a recogniser may have made them of noise."""
_FRAMES = (
    "", "that is", "it is", "this is", "that sounds", "this sounds", "it sounds", "it all sounds", "sounds",
    "that would be", "that will be", "that looks", "looks", "you are", "everything is", "yes is", "that seems",
    "it seems", "it looks", "it would be", "it will be", "all of it is",
)  # fmt: skip
_DEGREES = ("", "absolutely", "exactly", "all", "just", "perfectly", "quite", "really", "very", "about")
_AGREEING = (
    "yes", "exactly", "sure", "sure thing", "absolutely", "definitely", "certainly", "of course", "indeed", "precisely",
    "exactly that", "just that", "that is it", "that is the one", "that is what i want", "that is what i wanted",
    "that is what i said", "yes it is", "yes that is", "yes i do", "yes i would", "yes i am", "i agree", "i confirm",
    "you got it", "you got it right", "you have got it", "you have got it right", "you have it right", "all of it",
    "that works", "works", "that works for me", "works for me", "that will do", "that suits me", "go ahead",
    "go for it",
    "please do", "do it", "do that", "book it", "book that", "book me in", "put me down", "put me in", "confirmed",
    "agreed", "affirmative", "spot on", "bang on", "that is me", "that is us", "that is the one i want", "good to go",
    "let us do it", "let us do that", "let us go with that", "you have got everything", "you have got it all",
    "you got it all", "you have got it all down", "you got it all down", "you have got that right",
    "you got that right", "as i said", "just as i said", "that is settled",
    "i accept", "accepted", "very well", "go on then", "i will take it", "i will take that", "i will take that one",
    "i will have it", "i will have that", "i will have that one", "i can do that", "i can make that", "i can make it",
)  # fmt: skip
"""Phrases that agree, after contractions were opened and hesitations dropped."""

_NEUTRAL = (
    "please", "thank", "thanks", "thank you", "very much", "so much", "many thanks", "so", "cheers", "for me",
    "with me", "you know", "if you would", "if that is ok", "if it is no trouble", "as soon as you can", "then", "now",
    "indeed", "bless you", "very kind", "how kind", "kind of you", "very kind of you", "that is very kind",
    "love", "my love", "dear", "my dear", "darling", "mate", "pal", "friend", "my friend", "sir", "madam", "ma'am",
    "miss", "honey", "sweetheart", "young man", "young lady", "doctor", "hen", "duck", "petal", "pet", "guv", "bro",
    "sorted", "beautifully", "nicely", "perfectly", "wonderfully", "i think so", "i think", "i believe", "believe me",
    "dude", "man", "buddy", "god", "my god", "good god", "goodness", "good lord", "gosh", "heavens", "phew",
)  # fmt: skip
"""Phrases that may stand beside agreement and say nothing: politeness, and what callers call the other side."""

_LINKS = frozenset({"on", "at", "for", "it", "and"})
"""Words that may link repeated ones: ``yes on wednesday at ten``, ``yes cancel it``."""

_REFUSING = frozenset(plain_words("no nope nah not never neither wrong incorrect nothing negative mistake mistaken"))
_UNDECIDED = (
    "do not know", "not sure", "not certain", "not know", "no idea", "i guess", "maybe", "perhaps", "why not",
    "no problem", "no trouble", "no worries", "not bad", "not yet", "hang on", "hold on", "wait", "one moment",
    "no rush",
)  # fmt: skip
"""Phrases that are neither, though a word of refusal may stand in them."""


_Phrases = dict[str, tuple[tuple[str, ...], ...]]
"""Phrases by their first word, the longest first, so that ``that is right`` is read before ``that is``."""


def _phrases(texts: Iterable[str]) -> _Phrases:
    found: dict[str, set[tuple[str, ...]]] = {}
    for text in texts:
        words = tuple(text.split())
        found.setdefault(words[0], set()).add(words)
    return {first: tuple(sorted(phrases, key=len, reverse=True)) for first, phrases in found.items()}


_YES_PHRASES = _phrases(_AGREEING)
_FRAME_PHRASES, _GOOD_PHRASES = _phrases(frame for frame in _FRAMES if frame), _phrases(_GOOD)
_FRAMED_PHRASES = _phrases((*_GOOD, *_GOOD_OF_SOMETHING))
_NEUTRAL_PHRASES = _phrases(_NEUTRAL)
_UNDECIDED_PHRASES = _phrases(_UNDECIDED)


def _opened(text: str | Sequence[str]) -> list[str]:
    """The words with contractions opened, hesitations dropped and stutters (``that that is``) said once."""
    heard = plain_words(text if isinstance(text, str) else " ".join(text))
    opened = " ".join(_EXPANDED.get(word, word) for word in heard if word not in _HESITATIONS).split()
    said: list[str] = []
    for word in opened:
        said.append(word)
        for size in (1, 2):
            # numbers may repeat: "five five" are two digits
            if said[-size:] == said[-2 * size : -size] and not any(map(is_number_word, said[-size:])):
                del said[-size:]
    return said


def _ends(words: Sequence[str], at: int, phrases: _Phrases) -> list[int]:
    """Where the phrases that begin at word `at` end, the longest first."""
    candidates = phrases.get(words[at], ())
    return [at + len(phrase) for phrase in candidates if tuple(words[at : at + len(phrase)]) == phrase]


def _yes_ends(words: Sequence[str], at: int) -> set[int]:
    """Where phrases that agree and begin at word `at` end: a set one, or a frame, a degree and a good word."""
    frames = _ends(words, at, _FRAME_PHRASES)
    good: set[int] = set()
    for begins, phrases in (({at}, _GOOD_PHRASES), (set(frames), _FRAMED_PHRASES)):
        starts = begins | {start + 1 for start in begins if start < len(words) and words[start] in _DEGREES}
        good |= {end for start in starts if start < len(words) for end in _ends(words, start, phrases)}
    return good | set(_ends(words, at, _YES_PHRASES))


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


def is_half(text: str | Sequence[str]) -> bool:
    """Whether an answer that agrees is a bare ``okay``: who has refused the same before gives up with that, too."""
    return set(_opened(text)) == {"ok"}


def _with_clocks(words: Sequence[str]) -> list[str]:
    """The words with each time as one ``HH:MM``, so that ``half past ten`` equals ``ten thirty``."""
    clocked = list(words)
    for found in reversed(locate_times(words)):
        clocked[found.first : found.end] = [found.clock]
    return clocked


def _is_only_agreement(words: Sequence[str], repeated: str) -> bool:
    """Can all words be read as agreement, neutral phrases and, behind agreement, words of the read-back?"""
    again = set(_with_clocks(plain_words(repeated)))
    rest = _with_clocks(words)
    # readings as (how far, agreed by then): "yes that is it" must not fail on "yes that is"
    reached = {(0, False)}
    for at in range(len(rest)):
        for agreed in (False, True):
            if (at, agreed) not in reached:
                continue
            reached |= {(end, True) for end in _yes_ends(rest, at)}
            reached |= {(end, agreed) for end in _ends(rest, at, _NEUTRAL_PHRASES)}
            # repeating comes after agreeing: a bare "wednesday" is a value, not a yes; half a time is another time
            is_again = rest[at] in again and (":" in rest[at] or not is_number_word(rest[at]))
            if agreed and (is_again or (again and rest[at] in _LINKS)):
                reached.add((at + 1, True))
    return (len(rest), True) in reached


def _refuses(words: Sequence[str]) -> bool:
    """True where a word of refusal is left once the undecided phrases are taken out."""
    at = 0
    refusing = agreeing = False
    while at < len(words):
        ends = _ends(words, at, _UNDECIDED_PHRASES)
        if ends:
            at = ends[0]
            continue
        # "yes no wednesday" takes the yes back, "no that is right" takes the no back: only the first is a no
        agreeing = refusing and (agreeing or (words[at] in {"yes", "right", "correct"} and not _negated(words, at)))
        refusing = refusing or words[at] in _REFUSING
        at += 1
    return refusing and not agreeing


def _negated(words: Sequence[str], at: int) -> bool:
    """True where one of the two words before `at` is ``not``: ``not right``, ``not really right``."""
    return "not" in words[max(0, at - 2) : at]
