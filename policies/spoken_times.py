"""Times of day as spoken words, said, read and found in what a caller said.

Split from `policies.spoken` (import from there) because finding a time in running words is an idea of its own. It
refuses to know calendars, opening hours and tools.

**The day rule.** A bare clock hour names one of the twelve hours from 07:00 to 18:59: ``eight`` is 08:00, ``two`` is
14:00, ``six thirty`` is 18:30. It covers business hours of 8 to 18 and leaves no bare hour with two readings. Times
outside are said with ``a m`` or ``p m``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TypeAlias

from policies import PolicyError
from policies.numerals import DIGITS, HOURS, TEENS, TENS, is_number_word, plain_words, read_digits, say_number

__all__ = ["STRICT_CLOCK", "FoundTime", "find_times", "locate_times", "read_time", "say_time"]

STRICT_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
"""A 24-hour ``HH:MM``, the form of times in tools and logs."""

_FIRST_HOUR = 7
"""First hour of the day rule (see the module docstring)."""

_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})")

_NAMED = {"noon": 720, "midday": 720, "midnight": 0}
_PARTS = frozenset({"half", "quarter"})
_HALF_DAYS = (
    (("am",), 0), (("a", "m"), 0), (("in", "the", "morning"), 0),
    (("pm",), 12), (("p", "m"), 12), (("in", "the", "afternoon"), 12), (("in", "the", "evening"), 12),
    (("at", "night"), 12),
)  # fmt: skip
_PAST = frozenset({"past", "after"})
_NO_HOUR_AFTER = frozenset(
    plain_words("that this which no the any some every first last next other another each only number room line")
)
"""A bare hour word behind one of these is no time: ``that two``, ``the two``, ``room ten``."""
_ONE_AFTER = frozenset(
    plain_words(
        "at around about for by until till to or and from between before after past say monday tuesday wednesday "
        "thursday friday saturday sunday morning afternoon today tomorrow yes ok um uh maybe"
    )
)
"""``one`` is a pronoun more often than an hour: bare, it is a time only first, behind these, or behind a number."""
_NO_HOUR_BEFORE = frozenset(
    plain_words(
        "moment second seconds minute minutes day days week weeks month months year years people persons children "
        "kids hour hours hundred thousand percent dollars pounds euros times of more thing things person appointment "
        "appointments"
    )
)
"""A bare hour word before one of these is a count: ``two people``, ``one moment``."""


_Reading: TypeAlias = "tuple[int, int, int, tuple[FoundTime, ...]]"
"""Of the rest of the words: number words left over, cost, words skipped, times; the smallest wins."""


@dataclass(frozen=True, slots=True)
class FoundTime:
    """A time in heard words: ``words[first:end]`` mean `minute` of the day (0..1439); `cost` ranks readings."""

    first: int
    end: int
    minute: int
    cost: int = 0

    @property
    def clock(self) -> str:
        """As ``HH:MM``."""
        return _clock(self.minute)

    @property
    def spoken(self) -> str:
        """As the stream writes it."""
        return say_time(self.clock)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def say_time(clock: str) -> str:
    """``"10:30"`` -> ``ten thirty``, ``"14:00"`` -> ``two``, ``"20:05"`` -> ``eight oh five p m``.

    Raises `PolicyError` for anything but a 24-hour ``HH:MM``.
    """
    match = STRICT_CLOCK.fullmatch(clock)
    if match is None:
        raise PolicyError(f"time is {clock!r}; expected HH:MM from 00:00 to 23:59 (zero-pad the hour)")
    hour, minute = int(match[1]), int(match[2])
    words = [say_number(hour % 12 or 12)]
    if minute:
        words.append(("oh " if minute < 10 else "") + say_number(minute))
    if not _FIRST_HOUR <= hour < _FIRST_HOUR + 12:
        words.append("a m" if hour < 12 else "p m")
    return " ".join(words)


def _by_day_rule(hour: int) -> int:
    """The 24-hour reading of a bare hour 1..12."""
    return hour % 12 if hour % 12 >= _FIRST_HOUR else hour % 12 + 12


def _endings(words: Sequence[str], end: int) -> Iterator[tuple[int, int | None]]:
    """Where a time that ends at `end` may end with its half of the day: (end, 0 | 12 | None for none said)."""
    yield end, None
    for suffix, half in _HALF_DAYS:
        if tuple(words[end : end + len(suffix)]) == suffix:
            yield end + len(suffix), half


def _minutes_after(words: Sequence[str], at: int, hour: int) -> Iterator[tuple[int, int, int]]:
    """Readings of the minutes said behind a bare hour: (end, minutes, cost).

    Costs settle what ``nine thirty two`` means in a list of slots: 9:30 and 2:00, since minutes off the quarter
    hour are rarer than a second slot. The values are a guess, chosen so that lists on the half hour always read back.
    """
    yield at, 0, 2
    word = words[at] if at < len(words) else ""
    follower = words[at + 1] if at + 1 < len(words) else ""
    if word in {"o'clock", "oclock"}:
        yield at + 1, 0, 2
    elif word == "o" and follower == "clock":
        yield at + 2, 0, 2
    elif word in {"oh", "o", "zero"} and HOURS.get(follower, 10) < 10:
        yield at + 2, HOURS[follower], 2
    elif word in TEENS:
        minutes = TEENS[word]
        is_hour_too = minutes <= 12 and minutes != hour
        yield at + 1, minutes, 5 if is_hour_too else 2
    elif TENS.get(word, 60) < 60:
        minutes = TENS[word]
        yield at + 1, minutes, 2 if minutes == 30 else 3
        if DIGITS.get(follower, 0) > 0:
            minutes += DIGITS[follower]
            yield at + 2, minutes, 2 if minutes == 45 else 5 if TENS[word] == 30 else 3
    elif len(word) == 2 and word.isdecimal() and int(word) < 60:
        yield at + 1, int(word), 2


def _hour_at(words: Sequence[str], at: int) -> int | None:
    """The clock hour 1..12 named by one word or figure, or None."""
    if at >= len(words):
        return None
    word = words[at]
    hour = int(word) if word.isdecimal() and len(word) <= 2 else HOURS.get(word, 0)
    return hour if 1 <= hour <= 12 else None


def _relative(words: Sequence[str], at: int) -> Iterator[tuple[int, int, int]]:
    """``half past ten``, ``quarter to four``, ``ten past nine``, ``half ten``: (end, minute of the half day, cost)."""
    start = at + (words[at] == "a")
    amount = 0
    for length, (text, minutes) in (
        (1, ("half", 30)), (1, ("quarter", 15)), (2, ("twenty five", 25)), (1, ("twenty", 20)), (1, ("ten", 10)),
        (1, ("five", 5)),
    ):  # fmt: skip
        if " ".join(words[start : start + length]) == text:
            amount, start = minutes, start + length
            break
    if not amount or start >= len(words):
        return
    start += words[start] == "minutes"
    link = words[start] if start < len(words) else ""
    if link in _PAST:
        hour = _hour_at(words, start + 1)
        if hour is not None:
            yield start + 2, hour * 60 + amount, 2
    elif link == "to" and amount != 30:
        hour = _hour_at(words, start + 1)
        if hour is not None:
            # "ten to two" is a range more often than 13:50, "twenty to two" is not
            yield start + 2, hour * 60 - amount, 5 if amount in {5, 10} else 2
    elif amount == 30:
        hour = _hour_at(words, start)
        if hour is not None:
            yield start + 1, hour * 60 + 30, 2


def _readings(words: Sequence[str], at: int) -> Iterator[FoundTime]:
    """Every way to read a time that begins at word `at`."""
    word = words[at]
    if word in _NAMED:
        yield FoundTime(at, at + 1, _NAMED[word], 2)
    clock = _CLOCK.fullmatch(word)
    if clock is not None and int(clock[1]) < 24 and int(clock[2]) < 60:
        hour, minutes = int(clock[1]), int(clock[2])
        exact = len(clock[1]) == 2 and hour != 12
        for end, half in _endings(words, at + 1):
            read = hour if half is None and (exact or hour in {0, 12}) else _in_half(hour, half)
            yield FoundTime(at, end, read * 60 + minutes, 2 if half is None else 1)
        return
    for end, half_day_minute, cost in _relative(words, at):
        yield from _in_day(words, at, end, half_day_minute, cost)
    named = _hour_at(words, at)
    if named is not None:
        for end, minutes, cost in _minutes_after(words, at + 1, named):
            if end == at + 1 and _is_no_hour(words, at):
                continue
            yield from _in_day(words, at, end, named * 60 + minutes, cost)
        if words[at + 1 : at + 2] == ("noon",) and named == 12:
            yield FoundTime(at, at + 2, 720, 1)
    elif 13 <= TEENS.get(word, 0) <= 18:
        for end, minutes, cost in _minutes_after(words, at + 1, TEENS[word]):
            if end > at + 1:
                yield FoundTime(at, end, TEENS[word] * 60 + minutes, cost)


def _in_half(hour: int, half: int | None) -> int:
    """A clock-face hour put into the given half of the day, or by the day rule; 13..23 stay."""
    if hour > 12:
        return hour
    return _by_day_rule(hour or 12) if half is None else hour % 12 + half


def _in_day(words: Sequence[str], at: int, end: int, half_day_minute: int, cost: int) -> Iterator[FoundTime]:
    hour, minutes = divmod(half_day_minute, 60)
    for stop, half in _endings(words, end):
        yield FoundTime(at, stop, _in_half(hour or 12, half) * 60 + minutes, cost if half is None else 1)


def _is_no_hour(words: Sequence[str], at: int) -> bool:
    before = words[at - 1] if at else ""
    after = words[at + 1] if at + 1 < len(words) else ""
    if words[at] == "one" and before and not (before in _ONE_AFTER or is_number_word(before)):
        return True
    return before in _NO_HOUR_AFTER or after in _NO_HOUR_BEFORE


def _digit_runs(words: Sequence[str]) -> frozenset[int]:
    """Positions inside runs of four or more single digits that cannot be a rising list of hours: numbers to dial."""
    inside: set[int] = set()
    first = 0
    for at in range(len(words) + 1):
        if at < len(words) and (words[at] in DIGITS or (len(words[at]) == 1 and words[at].isdecimal())):
            continue
        # the last digit before "thirty" is the hour of that time, not part of the run
        has_minutes = at < len(words) and (words[at] in TENS or words[at] in TEENS)
        run = [int(read_digits([word])) for word in words[first : max(first, at - has_minutes)]]
        hours = [_by_day_rule(value) for value in run if value]
        if len(run) >= 4 and (len(hours) < len(run) or any(a >= b for a, b in pairwise(hours))):
            inside.update(range(first, first + len(run)))
        first = at + 1
    return frozenset(inside)


def locate_times(words: str | Sequence[str]) -> tuple[FoundTime, ...]:
    """The times in heard words with their places, read so that as few number words as possible are left over.

    Bare hours count (``wednesday at ten``), counts do not (``two people``, ``one moment``), nor do digit runs.
    """
    heard = plain_words(words) if isinstance(words, str) else tuple(words)
    timely = [is_number_word(word) or word in _NAMED or word in _PARTS for word in heard]
    if not any(timely):  # most partials; they are asked one by one
        return ()
    blocked = _digit_runs(heard)
    best: list[_Reading] = [(0, 0, 0, ())] * (len(heard) + 1)
    for at in range(len(heard) - 1, -1, -1):
        # a skipped "ninety five" is skipped whole, so that its "five" is not taken for an hour
        pair = heard[at] in TENS and at + 1 < len(heard) and heard[at + 1] in DIGITS
        orphans, cost, skipped, after = best[at + 1 + pair]
        choice = (orphans + timely[at], cost, skipped + 1, after)
        for found in () if at in blocked else _readings(heard, at):
            orphans, cost, skipped, after = best[found.end]
            if (orphans, cost + found.cost, skipped) < choice[:3]:
                choice = (orphans, cost + found.cost, skipped, (found, *after))
        best[at] = choice
    return best[0][3]


def find_times(text: str | Sequence[str]) -> tuple[str, ...]:
    """The times in heard words or a tool's result, in order, as the stream writes them.

    ``nine thirty eleven two thirty`` -> ``("nine thirty", "eleven", "two thirty")``; ``half past ten`` gives
    ``ten thirty``. Use `locate_times` for the places and ``HH:MM``.
    """
    return _times_in(text if isinstance(text, str) else tuple(text))


@lru_cache(maxsize=16)  # the rules of a turn read the same few texts, on the event loop
def _times_in(text: str | tuple[str, ...]) -> tuple[str, ...]:
    return tuple(found.spoken for found in locate_times(text))


def read_time(words: str) -> str:
    """One spoken or written time, all of the words, as ``HH:MM``: ``half past two`` -> ``"14:30"``.

    Raises `PolicyError` where the words are no single time.
    """
    heard = plain_words(words)
    whole = [found for found in (_readings(heard, 0) if heard else ()) if found.end == len(heard)]
    if not whole:
        raise PolicyError(f"{words!r} is no single time of day; expected words such as 'ten thirty' or 'two p m'")
    return min(whole, key=lambda found: found.cost).clock
