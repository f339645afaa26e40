"""Values, dates and times as spoken words, and back.

The stream of a call holds words only (`policies.trajectory`); tools and logs want ``HH:MM`` and JSON. This file is
where the two meet; times themselves stand in `policies.spoken_times` and are given on from here. It refuses to know
calendars, opening hours and tools.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import TypeAlias

from policies import PolicyError
from policies.numerals import plain_words, read_number, read_ordinal, say_digits, say_number, say_ordinal
from policies.shapes import Kind
from policies.spoken_times import STRICT_CLOCK, FoundTime, find_times, locate_times, read_time, say_time

__all__ = [
    "MONTHS",
    "UNKNOWN",
    "WEEKDAYS",
    "FoundTime",
    "Json",
    "find_times",
    "locate_times",
    "read_date",
    "read_time",
    "read_value",
    "say_date",
    "say_time",
    "say_value",
]

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"

UNKNOWN = "-"
"""How the stream writes a value that is not known."""

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def say_date(day: date) -> str:
    """``march fourth twenty twenty six``."""
    century, rest = divmod(day.year, 100)
    if day.year % 1000 < 10:
        year = say_number(day.year)
    elif rest == 0:
        year = f"{say_number(century)} hundred"
    else:
        year = f"{say_number(century)} {'oh ' if rest < 10 else ''}{say_number(rest)}"
    return f"{MONTHS[day.month - 1]} {say_ordinal(day.day)} {year}"


def read_date(words: str, today: date) -> date:
    """A spoken or ISO date; without a year the next such day, counted from `today`.

    A weekday name is the next such day after `today`, ``next`` or not (a guess: people disagree about ``next``).
    Raises `PolicyError` where the words are no date or the day does not exist.
    """
    said = words.strip().lower()
    if _ISO_DATE.fullmatch(said):
        return _real_day(words, int(said[:4]), int(said[5:7]), int(said[8:]))
    skipped = {"the", "of", "on", "this", "next"}
    tokens = [word for word in said.replace(",", " ").replace("-", " ").split() if word not in skipped]
    if tokens in (["today"], ["tomorrow"]):
        return today + timedelta(days=tokens == ["tomorrow"])
    if len(tokens) == 1 and tokens[0] in WEEKDAYS:
        ahead = (WEEKDAYS.index(tokens[0]) - today.weekday() - 1) % 7 + 1
        return today + timedelta(days=ahead)
    month = next((at for at, word in enumerate(tokens) if word in MONTHS), None)
    if month is None:
        raise PolicyError(f"{words!r} is no date; expected words such as 'march fourth' or 'wednesday'")
    number, year_words = _day_and_year(words, tokens[:month], tokens[month + 1 :])
    place = MONTHS.index(tokens[month]) + 1
    if year_words:
        return _real_day(words, read_number(year_words), place, number)
    # nine years: a 29th of February may be eight years away (1896 to 1904)
    years = [year for year in range(today.year, today.year + 9) if _exists(year, place, number)]
    coming = [year for year in years if date(year, place, number) >= today]
    return _real_day(words, (coming or [today.year])[0], place, number)


def _day_and_year(words: str, before: list[str], behind: list[str]) -> tuple[int, list[str]]:
    """The day number, said before the month (``fourth of march``) or behind it, and the words of the year."""
    for split in [len(before)] if before else [2, 1]:
        named = before or behind[:split]
        try:
            return _day_number(named), behind if before else behind[split:]
        except PolicyError:
            continue
    raise PolicyError(f"{words!r} names a month and no day; expected words such as 'march fourth'")


def _day_number(named: list[str]) -> int:
    joined = " ".join(named)
    try:
        return read_ordinal(joined)
    except PolicyError:
        value = read_number(joined)
        if not 1 <= value <= 31:
            raise
        return value


def _exists(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _real_day(words: str, year: int, month: int, day: int) -> date:
    if not _exists(year, month, day):
        raise PolicyError(f"{words!r} names day {day} of month {month} in {year}, which does not exist (ask again)")
    return date(year, month, day)


def say_value(value: Json) -> str:
    """Any JSON value as words of the stream: no capitals, no punctuation, no figures.

    None, ``""``, ``[]`` and ``{}`` -> ``none``; True -> ``yes``; ``["09:30", "11:00"]`` -> ``nine thirty eleven``;
    a dict gives its keys and values in order. Figures of five or more digits, and those with a leading zero, are said
    one by one. Raises `PolicyError` for values that JSON does not have.
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return say_number(value)
    if isinstance(value, float):
        return _say_float(value)
    if isinstance(value, str):
        return _say_text(value)
    if isinstance(value, Mapping):
        return " ".join(f"{_say_text(str(key))} {say_value(item)}" for key, item in value.items()) or "none"
    if isinstance(value, Sequence) and not isinstance(value, bytes | bytearray):
        return _say_list(value)
    raise PolicyError(f"value {value!r} is a {type(value).__name__}; expected JSON (convert it in the tool)")


def _say_list(values: Sequence[Json]) -> str:
    said: list[str] = []
    times: list[str] = []
    for value in values:
        words = say_value(value)
        if isinstance(value, str) and STRICT_CLOCK.fullmatch(value):
            times.append(words)
            if find_times(words) != (words,):
                # alone it reads as two ("ten thirty five"), and only the half of the day settles it
                words += " a m" if value < "12:00" else " p m"
            # two times that would read as another one get an "and" between them: "ten twenty and five"
            if find_times(" ".join([*said, words]))[-len(times) :] != tuple(times):
                said.append("and")
        else:
            times = []
        said.append(words)
    return " ".join(said) or "none"


def _say_float(value: float) -> str:
    if not math.isfinite(value):
        raise PolicyError(f"value {value} is not finite; expected a JSON number (return null for unknown)")
    figures = f"{value:.10f}".rstrip("0")
    whole, _, decimals = figures.lstrip("-").partition(".")
    words = say_number(int(whole)) + (f" point {say_digits(decimals)}" if decimals else "")
    return f"minus {words}" if value < 0 else words


def _say_text(text: str) -> str:
    if _ISO_DATE.fullmatch(text) and _exists(int(text[:4]), int(text[5:7]), int(text[8:])):
        return say_date(date.fromisoformat(text))
    words = []
    for word in plain_words(text.replace("_", " ")):
        if STRICT_CLOCK.fullmatch(word):
            words.append(say_time(word))
        elif not word[0].isdecimal():
            words.append(word)
        else:
            words.append(_say_figures(word))
    return " ".join(words) or "none"


def _say_figures(word: str) -> str:
    """A written number inside a text; what is no plain number is said figure by figure."""
    figures = word.replace(",", "")
    if figures.isdecimal() and figures.isascii() and len(figures) < 5 and not (len(figures) > 1 and figures[0] == "0"):
        return say_number(int(figures))
    whole, dot, decimals = figures.partition(".")
    if dot and whole.isdecimal() and decimals.isdecimal():
        return f"{_say_figures(whole)} point {say_digits(decimals)}"
    return say_digits("".join(str(int(figure)) for figure in figures if figure.isdecimal()))


def read_value(words: str, kind: Kind, values: Sequence[str] = ()) -> str | int | None:
    """Words of the stream as a JSON value: ``-`` -> None, a time as ``HH:MM``, a number as int, else the words.

    Raises `PolicyError` where the words do not fit the kind, or are none of the `values` of a choice.
    """
    said = " ".join(words.split())
    if said in {"", UNKNOWN}:
        return None
    if kind == "time":
        return read_time(said)
    if kind == "number":
        return read_number(said)
    if kind == "choice" and values:
        for value in values:
            if said.lower() in {value.lower(), _say_text(value)}:
                return value
        raise PolicyError(f"{words!r} is none of {', '.join(values)} (offer these to the caller)")
    return said
