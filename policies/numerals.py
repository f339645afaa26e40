"""Whole numbers, ordinals and digit runs as English words, and back.

Split from `policies.spoken` because times, dates and values all stand on it. This file refuses to know what a
number means (a time, a day, a price): it only knows how it sounds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies import PolicyError

__all__ = [
    "DIGITS",
    "HOURS",
    "TEENS",
    "TENS",
    "is_number_word",
    "plain_words",
    "read_digits",
    "read_number",
    "read_ordinal",
    "say_digits",
    "say_number",
    "say_ordinal",
]

_UNITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = (
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")

DIGITS: dict[str, int] = {word: value for value, word in enumerate(_UNITS)} | {"oh": 0, "o": 0, "nought": 0}
"""Words of one digit; ``oh`` is zero."""
TEENS: dict[str, int] = {word: 10 + place for place, word in enumerate(_TEENS)}
TENS: dict[str, int] = {word: 20 + 10 * place for place, word in enumerate(_TENS)}
HOURS: dict[str, int] = {word: value for value, word in enumerate(_UNITS) if value} | {
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
}
"""The twelve words that name an hour on a clock face."""

_SCALES = {"hundred": 100, "thousand": 1000}
_REPEATS = {"double": 2, "triple": 3}
_IRREGULAR = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip

_LARGEST_CARDINAL = 9_999
"""Larger numbers are said digit by digit (but for whole thousands): a listener writes such a number down."""

_WORD = re.compile(r"\d+(?:[:.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)*")
_HALF_DAY = re.compile(r"\b([ap])\.\s?m\b\.?")


def plain_words(text: str) -> tuple[str, ...]:
    """The words of any text as they stand in the stream: lower case, no punctuation, ``a.m.`` as ``am``.

    Hyphens split (``twenty-five``), apostrophes stay (``o'clock``), ``10:30`` and ``1,250`` stay whole. Nothing that
    looks like a role token survives, since ``<`` and ``>`` are punctuation.
    """
    lowered = _HALF_DAY.sub(r"\1m", text.lower().replace("\u2019", "'"))
    return tuple(_WORD.findall(lowered))


def is_number_word(word: str) -> bool:
    """True for a word or figure that is part of a number."""
    return word in DIGITS or word in TEENS or word in TENS or word in _SCALES or word[:1].isdigit()


def _below_hundred(value: int) -> str:
    if value < 10:
        return _UNITS[value]
    if value < 20:
        return _TEENS[value - 10]
    tens, unit = divmod(value, 10)
    return _TENS[tens - 2] + (f" {_UNITS[unit]}" if unit else "")


def _cardinal(value: int) -> str:
    parts = []
    thousands, rest = divmod(value, 1000)
    if thousands:
        parts.append(f"{_cardinal(thousands)} thousand")
    hundreds, rest = divmod(rest, 100)
    if hundreds:
        parts.append(f"{_UNITS[hundreds]} hundred")
    if rest or not parts:
        parts.append(_below_hundred(rest))
    return " ".join(parts)


def say_number(value: int) -> str:
    """A whole number in words; beyond 9,999 digit by digit, but for whole thousands below a million."""
    if value < 0:
        return f"minus {say_number(-value)}"
    if value <= _LARGEST_CARDINAL or (value % 1000 == 0 and value < 1_000_000):
        return _cardinal(value)
    return say_digits(str(value))


def say_digits(digits: str) -> str:
    """Figures one by one: ``"0450"`` -> ``zero four five zero``. Raises `PolicyError` for anything but 0-9."""
    if not digits or any(figure not in "0123456789" for figure in digits):
        raise PolicyError(f"digits are {digits!r}; expected one or more of 0-9 (strip separators first)")
    return " ".join(_UNITS[int(figure)] for figure in digits)


def read_digits(words: str | Sequence[str]) -> str:
    """Spoken digits as figures, ``oh double two forty one`` -> ``02241``; raises `PolicyError` at any other word."""
    heard = plain_words(words) if isinstance(words, str) else tuple(words)
    figures: list[str] = []
    at = 0
    while at < len(heard):
        word = heard[at]
        repeat = 1
        if word in _REPEATS and at + 1 < len(heard) and heard[at + 1] in DIGITS:
            repeat = _REPEATS[word]
            at += 1
            word = heard[at]
        if word in DIGITS:
            figures.append(str(DIGITS[word]) * repeat)
        elif word in TEENS:
            figures.append(str(TEENS[word]))
        elif word in TENS:
            unit = DIGITS.get(heard[at + 1], 0) if at + 1 < len(heard) else 0
            figures.append(str(TENS[word] + unit))
            at += unit > 0
        elif word.isdecimal():
            figures.append(word)
        else:
            raise PolicyError(f"word {word!r} is no digit in {' '.join(heard)!r}; expected number words only")
        at += 1
    if not figures:
        raise PolicyError("no words to read digits from; expected at least one number word")
    return "".join(figures)


def read_number(words: str | Sequence[str]) -> int:
    """A spoken or written whole number: cardinals, digit runs and pairs (``nineteen eighty seven`` -> 1987).

    Raises `PolicyError` where the words are no number.
    """
    heard = list(plain_words(words) if isinstance(words, str) else words)
    if heard[:1] == ["minus"]:
        return -read_number(heard[1:])
    heard = [word.replace(",", "") for word in heard if word != "and"]
    if not any(word in _SCALES for word in heard):
        return int(read_digits(heard))
    total = group = 0
    part: list[str] = []
    for word in [*heard, ""]:
        if word in _SCALES or not word:
            small = int(read_digits(part)) if part else 0
            part = []
            if word == "hundred":
                group = (small or 1) * 100
            elif word == "thousand":
                total += (group + small or 1) * 1000
                group = 0
            else:
                total += group + small
        else:
            part.append(word)
    return total


def say_ordinal(value: int) -> str:
    """A place in words, ``1`` -> ``first``, ``23`` -> ``twenty third``; 1 to 99. Raises `PolicyError` outside."""
    if not 1 <= value <= 99:
        raise PolicyError(f"ordinal {value}; expected 1 to 99 (say larger places as a number)")
    *front, last = _below_hundred(value).split()
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith("y"):
        last = last[:-1] + "ieth"
    else:
        last += "th"
    return " ".join([*front, last])


_ORDINALS = {say_ordinal(value): value for value in range(1, 100)}


def read_ordinal(words: str) -> int:
    """A spoken place: ``twenty third`` -> 23, also ``23rd``. Raises `PolicyError` where the words are none."""
    said = " ".join(words.lower().replace("-", " ").split())
    written = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", said)
    value = int(written[1]) if written else _ORDINALS.get(said, 0)
    if not 1 <= value <= 99:
        raise PolicyError(f"{words!r} is no ordinal from first to ninety ninth (use read_number for plain numbers)")
    return value
