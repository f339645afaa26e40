"""Digits that look like secrets, masked before anything is written down.

Stands at the event boundary: heard words, tool results and said text pass through here before they reach the log, so
card, account and telephone numbers, PINs and codes are not stored, spoken or written. This file refuses to know events,
and does not judge whether a number is valid (no Luhn: a misheard card is a card).

What counts as a secret: six or more digits in a row (words, figures, or both; ``double five``, pairs such as ``forty
nine`` and small joining words included), or three to eight digits shortly after ``pin``, ``code``, ``cvv`` and their
like. Times, dates, prices and small numbers stay. Not seen: passwords in words, spelled letters, and digits that a
recogniser turned into other words (``to``, ``for``).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

__all__ = ["Masked", "MaskedWords", "SecretMask", "Span", "mask", "mask_words", "may_count"]

_SECRET_DIGITS = 6
"""This many digits in a row are a secret."""
_GROWING_DIGITS = 4
"""This many at the end of a text that may go on are masked at once: the rest of a card may follow."""
_NAMED_DIGITS = range(3, 9)
"""This many digits are a secret where a word named one."""
_NAMED_WITHIN_WORDS = 5
"""How far behind its name a secret stands: ``the security code on the back is``. A guess."""
_HELD_DIGITS = 3
"""What is left of a run that once was a secret stays masked from this many digits on. A guess."""

_UNITS = {
    "zero": 0, "oh": 0, "o": 0, "nought": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6,
    "seven": 7, "eight": 8, "nine": 9,
}  # fmt: skip
_TEENS = {
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90,
}  # fmt: skip
_REPEATS = {"double": 2, "triple": 3, "treble": 3}
_JOINS = frozenset({"um", "uh", "er", "erm", "and", "then", "dash", "hyphen", "space", "plus"})
"""Words that may stand inside a number read aloud without ending it."""
_NAMES = frozenset(
    {"pin", "pins", "code", "codes", "passcode", "cvv", "cvc", "otp", "password", "security", "social"}
)  # fmt: skip
_ENDS_NAME = frozenset({"at"})
"""Behind ``at`` a time follows, not the code: ``the code works, i will come at ten thirty``."""
_QUESTION_WORDS = 4
"""A question of at least this many words ends a number read in groups; ``go on?`` does not. A guess."""
_DICTATING = frozenset({"digit", "digits", "number", "numbers", "card", "next", "rest", "last", "again", "continue"})
"""Questions with one of these ask for the rest of the number."""
_MONTHS = frozenset(
    {"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
     "december"}
)  # fmt: skip
_QUARTERS = ((15,), (30,), (40, 5), (45,))
"""Minutes on the quarter hour, as said."""
_FIRST_HOUR = 7
"""Bare hours name the twelve from 07:00 on, as in `policies.spoken_times`."""

_TOKEN = re.compile(
    r"(?P<done>\[digits \d+\])"
    r"|(?P<kept>"
    r"[$\u00a3\u20ac]\s?(?:\d{1,3}(?:,\d{3}){1,2}|\d{1,5})(?:\.\d{1,2})?(?![\d,.]*\d)"
    r"|(?<![\d.,:/-])(?:"
    r"(?:[01]?\d|2[0-4]):[0-5]\d(?::[0-5]\d)?"
    r"|(?:19|20)\d\d-(?:0\d|1[0-2])-[0-3]\d"
    r"|[0-3]?\d/[0-3]?\d/(?:(?:19|20)\d\d|\d\d)"
    r"|\d{1,3}(?:,\d{3}){1,2}(?:\.\d{1,2})?"
    r"|\d{1,3}\.\d{1,2}"
    r")(?![\d:/-]|[.,]\d))"
    r"|(?P<figures>\d+)"
    r"|(?P<word>[^\W\d_]+(?:['\u2019][^\W\d_]+)*)",
)

_COUNTS = re.compile(rf"[\d\[]|\b(?:{'|'.join((*_UNITS, *_TEENS, *_TENS))})\b", re.IGNORECASE)
"""Something that could stand in a number."""
_COUNTING = frozenset({*_UNITS, *_TEENS, *_TENS})


@dataclass(frozen=True, slots=True)
class Span:
    """A masked stretch of the original text, ``text[start:end]``, and how many digits it held."""

    start: int
    end: int
    digits: int


@dataclass(frozen=True, slots=True)
class Masked:
    """A text fit to be written down, and where the original differed."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class MaskedWords:
    """Words fit to be written down, one word ``[digits 16]`` for a whole run; the first `stable` will not change."""

    words: tuple[str, ...]
    stable: int
    sources: tuple[int, ...]
    """For each of the words, the place of the (first) original word it stands for: its times can be looked up there."""


@dataclass(frozen=True, slots=True)
class _Token:
    """One word or number; `digits` is what it adds to a run, 0 for other words."""

    start: int
    end: int
    word: str
    digits: int = 0
    parts: tuple[int, ...] = ()
    """The values of its words: 40 and 5 for ``forty five``; -1 where it is no number below 10,000."""


@dataclass(frozen=True, slots=True)
class _Run:
    """A stretch of digit tokens, what stood before it, and whether a word named it a secret."""

    tokens: tuple[_Token, ...]
    before: str
    named: bool
    at_end: bool
    carried: tuple[_Token, ...] = ()
    """Tokens of the segment before, where this run continues one."""

    @property
    def all(self) -> tuple[_Token, ...]:
        return self.carried + self.tokens

    @property
    def digits(self) -> int:
        return sum(token.digits for token in self.tokens)

    @property
    def span(self) -> Span:
        return Span(self.tokens[0].start, self.tokens[-1].end, self.digits)


def _tokens(text: str) -> list[_Token]:
    """The words and numbers of a text; ``double five`` and ``forty nine`` are one token each."""
    tokens: list[_Token] = []
    for match in _TOKEN.finditer(text):
        word = match[0].lower()
        start, end = match.span()
        last = tokens[-1] if tokens else None
        if match["figures"]:
            tokens.append(_Token(start, end, word, len(word), (int(word) if len(word) <= 4 else -1,)))
        elif word in _UNITS and last is not None and last.word in _REPEATS:
            tokens[-1] = _Token(last.start, end, f"{last.word} {word}", _REPEATS[last.word], (-1,))
        elif _UNITS.get(word, 0) and last is not None and last.word in _TENS:
            tokens[-1] = _Token(last.start, end, f"{last.word} {word}", 2, (*last.parts, _UNITS[word]))
        elif word in _UNITS:
            tokens.append(_Token(start, end, word, 1, (_UNITS[word],)))
        elif word in _TEENS or word in _TENS:
            tokens.append(_Token(start, end, word, 2, (_TEENS.get(word, 0) or _TENS[word],)))
        else:
            tokens.append(_Token(start, end, word))
    return tokens


def _runs(tokens: Sequence[_Token], carried: tuple[_Token, ...], named: bool) -> list[_Run]:
    """Maximal stretches of digits, joining words inside them ignored."""
    runs: list[_Run] = []
    growing: list[_Token] = []
    before = ""
    run_before = ""
    run_named = False
    begins = True
    run_begins = False
    name_left = _NAMED_WITHIN_WORDS if named else 0

    def close(at_end: bool) -> None:
        if growing:
            runs.append(_Run(tuple(growing), run_before, run_named, at_end, carried if run_begins else ()))
            growing.clear()

    for token in tokens:
        if token.digits:
            if not growing:
                run_before, run_named, run_begins = before, name_left > 0, begins
            growing.append(token)
            continue
        if token.word in _JOINS:
            continue
        close(at_end=False)
        begins = False
        before = token.word
        if token.word in _NAMES:
            name_left = _NAMED_WITHIN_WORDS
        else:
            name_left = 0 if token.word in _ENDS_NAME else max(0, name_left - 1)
    close(at_end=True)
    return runs


def _by_day_rule(hour: int, minutes: int) -> int:
    return (hour % 12 + (0 if hour % 12 >= _FIRST_HOUR else 12)) * 60 + minutes


def _is_times(tokens: Sequence[_Token], *, rising: bool = True) -> bool:
    """True for one spoken time, or a list of them on the quarter hour: ``nine thirty eleven two thirty``.

    A list must rise unless told otherwise, and hold a word of two digits: one-digit words may be a card. Nothing with
    six one-digit words in a row is a list of times.
    """
    # "thirty one" is one token, and 30 and 1 in "eight thirty one thirty"
    atoms = [part for token in tokens for part in token.parts]
    if any(len(list(same)) >= _SECRET_DIGITS for units, same in groupby(atoms, lambda atom: atom < 10) if units):
        return False
    minutes: list[int] = []
    # "oh, ten thirty" opens with a sigh
    at = int(max(atoms, default=0) >= 10 and tokens[0].word == "oh")
    while at < len(atoms):
        if not 1 <= atoms[at] <= 12:
            return False
        quarter = next((q for q in _QUARTERS if tuple(atoms[at + 1 : at + 1 + len(q)]) == q), ())
        minutes.append(_by_day_rule(atoms[at], sum(quarter)))
        at += 1 + len(quarter)
    in_order = not rising or all(earlier < later for earlier, later in pairwise(minutes))
    return in_order and (len(minutes) == 1 or any(atom >= 10 for atom in atoms))


def _is_year(values: Sequence[int]) -> bool:
    """``2026``, ``twenty twenty six``, ``twenty oh six``."""
    if len(values) == 1:
        return 1900 <= values[0] <= 2099
    if values[0] not in {19, 20}:
        return False
    return (len(values) == 2 and values[1] >= 10) or (len(values) == 3 and values[1] == 0 and 0 < values[2] < 10)


def _is_date(run: _Run) -> bool:
    """True for a year, or a day and a year, behind a month or an ordinal: ``march fourteen twenty twenty six``."""
    is_month = run.before in _MONTHS
    if not is_month and not run.before.endswith(("th", "first", "second", "third")):
        return False
    values = [sum(token.parts) for token in run.all]
    return _is_year(values) or (is_month and len(values) > 1 and 1 <= values[0] <= 31 and _is_year(values[1:]))


def _is_secret(run: _Run) -> bool:
    if run.named and run.digits in _NAMED_DIGITS:
        return True
    total = sum(token.digits for token in run.all)
    return total >= _SECRET_DIGITS and not _is_times(run.all) and not _is_date(run)


def _is_growing(run: _Run) -> bool:
    """At the end of a text that may go on, and long enough to be the start of a secret."""
    total = sum(token.digits for token in run.all)
    return run.at_end and total >= _GROWING_DIGITS and not _is_times(run.all, rising=False) and not _is_date(run)


def _replace(text: str, spans: Sequence[Span]) -> str:
    parts = []
    at = 0
    for span in spans:
        parts += [text[at : span.start], f"[digits {span.digits}]"]
        at = span.end
    return "".join([*parts, text[at:]])


def mask(text: str, *, more: bool = False) -> Masked:
    """The text with ``[digits 16]`` in place of each secret. `more`: it may go on, so its end is masked sooner."""
    runs = _runs(_tokens(text), (), named=False)
    spans = tuple(run.span for run in runs if _is_secret(run) or (more and _is_growing(run)))
    return Masked(_replace(text, spans), spans)


def mask_words(words: Sequence[str], *, more: bool = True) -> tuple[str, ...]:
    """Words of a partial transcript with one word ``[digits 16]`` in place of each secret; remembers nothing.

    Use `SecretMask` for the partials of a call: it also knows what came before.
    """
    runs = _runs(_tokens(" ".join(words)), (), named=False)
    spans = [run.span for run in runs if _is_secret(run) or (more and _is_growing(run))]
    return _mask_words(words, spans, 0).words


def _mask_words(words: Sequence[str], spans: Sequence[Span], stable: int) -> MaskedWords:
    """Put the marks into the word list; `stable` counts words before and after."""
    masked: list[str] = []
    sources: list[int] = []
    kept = 0
    offset = 0
    waiting = list(spans)
    for place, word in enumerate(words):
        end = offset + len(word)
        inside = [span for span in waiting if span.start < end and span.end > offset]
        text = ""
        at = offset
        for span in inside:
            text += word[at - offset : max(span.start - offset, 0)]
            if span.start >= offset:
                text += f"[digits {span.digits}]"
            at = min(span.end, end)
        text += word[at - offset :]
        if text:
            masked.append(text)
            sources.append(place)
        crosses = bool(inside) and inside[-1].end > end
        if place < stable and not crosses:
            kept = len(masked)
        offset = end + 1
    return MaskedWords(tuple(masked), kept, tuple(sources))


def may_count(words: Sequence[str]) -> bool:
    """False where nothing in `words` could stand in a number: no partial of such words is ever masked.

    Most hypotheses hold no number, and 20 a second are asked about: a word of plain letters is looked up, which takes
    1 us for eight words; a search for all number words at once took 14 us, a third of what an event cost.
    """
    for word in words:
        if word.isalpha() and word.isascii():
            if word.lower() in _COUNTING:
                return True
        elif _COUNTS.search(word) is not None:
            return True
    return False


class SecretMask:
    """The mask of one caller's words through a call: revisions, pauses and turns included.

    Give each partial to `partial`, each segment's end to `final`, and what the agent said to `asked`. A run that once
    was a secret stays masked while the recogniser revises it; a number read in groups with pauses between is one run
    (its first group is masked from four digits on, smaller first groups stand); ``what is your pin?`` names the answer.
    """

    def __init__(self) -> None:
        self._carried: tuple[_Token, ...] = ()
        self._named = False
        self._interrupted = False
        self._held: set[int] = set()

    def asked(self, text: str) -> None:
        """The agent said this; a secret named in its last words is what the caller answers with."""
        words = [token.word for token in _tokens(text)]
        self._named = not _NAMES.isdisjoint(words[-2 * _NAMED_WITHIN_WORDS :])
        self._interrupted = True
        is_time = _is_times(self._carried) and sum(token.digits for token in self._carried) > 1
        asks_else = text.rstrip().endswith("?") and len(words) >= _QUESTION_WORDS and _DICTATING.isdisjoint(words)
        if is_time or asks_else:
            # "ten thirty", then after the agent's turn "two": two times; ratings given one by one: no number either
            self._carried = ()

    def partial(self, stable: Sequence[str], tail: Sequence[str] = ()) -> MaskedWords:
        """The words of a hypothesis of the current segment, masked, and how many of them are stable."""
        words = (*stable, *tail)
        if not may_count(words):
            return MaskedWords(words, len(stable), tuple(range(len(words))))
        runs, spans = self._scan(words)
        masked = _mask_words(words, spans, len(stable))
        if runs and runs[-1].at_end and runs[-1].span in spans:
            # its count may still grow
            return replace(masked, stable=min(masked.stable, len(masked.words) - 1))
        return masked

    def final(self, words: Sequence[str]) -> MaskedWords:
        """The words of a finished segment, masked, all stable; the next `partial` belongs to the next segment."""
        runs, spans = self._scan(words)
        tokens = _tokens(" ".join(words))
        if runs and runs[-1].at_end:
            self._carried = runs[-1].all
        elif any(token.word not in _JOINS for token in tokens):
            self._carried = ()
        if any(token.word not in _JOINS for token in tokens):
            names = [place for place, token in enumerate(tokens) if token.word in _NAMES]
            self._named = bool(names) and len(tokens) - 1 - names[-1] < _NAMED_WITHIN_WORDS and not runs
        self._held.clear()
        self._interrupted = False
        return _mask_words(words, spans, len(words))

    def _scan(self, words: Sequence[str]) -> tuple[list[_Run], list[Span]]:
        """Runs of the segment, and the spans of those to mask; remembers where secrets began."""
        text = " ".join(words)
        runs = _runs(_tokens(text), self._carried, self._named)
        if self._interrupted and runs and _is_times(runs[0].tokens) and runs[0].digits > 1:
            # "ten thirty" behind a number and an agent's turn is a time; one digit may be one more of the number
            runs[0] = replace(runs[0], carried=())
        spans = []
        for run in runs:
            first_word = text.count(" ", 0, run.span.start)
            was_secret = any(abs(first_word - place) <= 1 for place in self._held) and run.digits >= _HELD_DIGITS
            if _is_secret(run):
                self._held.add(first_word)
            elif not was_secret and not _is_growing(run):
                continue
            spans.append(run.span)
        return runs, spans
