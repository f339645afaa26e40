"""JSON values and dates as words of the stream and back."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import PolicyError
from policies.numerals import say_ordinal
from policies.shapes import Kind
from policies.spoken import MONTHS, UNKNOWN, Json, read_date, read_value, say_date, say_time, say_value

TODAY = date(2026, 3, 4)
"""A Wednesday."""

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(JSON)
def test_any_json_becomes_words_of_the_stream(value: Json) -> None:
    said = say_value(value)
    assert said
    assert said == " ".join(said.split())
    assert not set(said) & set('<>.,?!:;"0123456789')


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "none"),
        ([], "none"),
        ({}, "none"),
        ("", "none"),
        ("...", "none"),
        (True, "yes"),
        (False, "no"),
        (3, "three"),
        (45.5, "forty five point five"),
        (-0.25, "minus zero point two five"),
        (2.0, "two"),
        (["09:30", "11:00", "14:00"], "nine thirty eleven two"),
        (["10:20", "17:00"], "ten twenty and five"),
        (["10:35"], "ten thirty five a m"),
        (["14:35"], "two thirty five p m"),
        (["11:00", "Miller", "12:00"], "eleven miller twelve"),
        ({"day": "Wednesday", "open_slots": ["10:30"]}, "day wednesday open slots ten thirty"),
        ("OK, Room_12!", "ok room twelve"),
        ("meet at 14:30", "meet at two thirty"),
        ("07700900123", "zero seven seven zero zero nine zero zero one two three"),
        ("12345", "one two three four five"),
        ("4.50", "four point five zero"),
        ("1,250", "one thousand two hundred fifty"),
        ("25:99", "two five nine nine"),
        ("1.2.3", "one two three"),
        ("007", "zero zero seven"),
        ("2026-03-04", "march fourth twenty twenty six"),
        ("2026-02-30", "two thousand twenty six zero two thirty"),
        ("<say> hello <end>", "say hello end"),
    ],
)
def test_values_in_words(value: Json, said: str) -> None:
    assert say_value(value) == said


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_numbers_that_json_lacks_are_refused(value: float) -> None:
    with pytest.raises(PolicyError, match="not finite"):
        say_value(value)


@pytest.mark.parametrize("value", [b"bytes", {1, 2}, object()])
def test_values_that_json_lacks_are_refused(value: Any) -> None:
    with pytest.raises(PolicyError, match="expected JSON"):
        say_value(value)


@pytest.mark.parametrize(
    ("words", "kind", "values", "value"),
    [
        (UNKNOWN, "time", (), None),
        ("", "heard", (), None),
        ("ten thirty", "time", (), "10:30"),
        ("twenty two", "number", (), 22),
        ("wednesday", "choice", ("monday", "wednesday"), "wednesday"),
        ("new patient", "choice", ("New_patient",), "New_patient"),
        ("anything", "choice", (), "anything"),
        (" van  dyk ", "heard", (), "van dyk"),
        ("free words", "text", (), "free words"),
    ],
)
def test_values_read(words: str, kind: Kind, values: tuple[str, ...], value: str | int | None) -> None:
    assert read_value(words, kind, values) == value


def test_a_choice_off_the_list_is_refused() -> None:
    with pytest.raises(PolicyError, match="'sunday' is none of monday, friday"):
        read_value("sunday", "choice", ("monday", "friday"))


@given(st.times())
def test_a_time_value_survives_the_stream(moment: Any) -> None:
    clock = moment.strftime("%H:%M")
    assert read_value(say_time(clock), "time") == clock
    assert read_value(say_value(clock), "time") == clock


@given(st.integers(-9999, 1_000_000))
def test_a_number_value_survives_the_stream(value: int) -> None:
    assert read_value(say_value(value), "number") == value


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)))
def test_a_date_said_reads_back(day: date) -> None:
    assert read_date(say_date(day), TODAY) == day
    assert read_date(day.isoformat(), TODAY) == day


@given(st.dates(date(1950, 1, 1), date(2090, 1, 1)), st.integers(0, 364))
def test_a_date_without_year_is_the_next_one(today: date, ahead: int) -> None:
    day = today + timedelta(days=ahead)
    assert read_date(f"{MONTHS[day.month - 1]} {say_ordinal(day.day)}", today) == day


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("today", date(2026, 3, 4)),
        ("Tomorrow", date(2026, 3, 5)),
        ("wednesday", date(2026, 3, 11)),
        ("next friday", date(2026, 3, 6)),
        ("march fourth", date(2026, 3, 4)),
        ("march third", date(2027, 3, 3)),
        ("the twenty-third of march", date(2026, 3, 23)),
        ("4 march 2027", date(2027, 3, 4)),
        ("march 23rd nineteen eighty seven", date(1987, 3, 23)),
        ("february 29", date(2028, 2, 29)),
        ("june first two thousand", date(2000, 6, 1)),
    ],
)
def test_dates_read(words: str, day: date) -> None:
    assert read_date(words, TODAY) == day


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("soon", "is no date"),
        ("march", "names a month and no day"),
        ("march fortieth", "does not exist"),
        ("march ninety", "names a month and no day"),
        ("february thirtieth", "does not exist"),
        ("2026-13-01", "does not exist"),
        ("fourth floor march", "names a month and no day"),
    ],
)
def test_what_is_no_date_is_refused(words: str, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason):
        read_date(words, TODAY)


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 3, 4), "march fourth twenty twenty six"),
        (date(2000, 1, 1), "january first two thousand"),
        (date(1900, 1, 1), "january first nineteen hundred"),
        (date(1905, 12, 31), "december thirty first nineteen oh five"),
        (date(2012, 2, 29), "february twenty ninth twenty twelve"),
    ],
)
def test_dates_in_words(day: date, said: str) -> None:
    assert say_date(day) == said
