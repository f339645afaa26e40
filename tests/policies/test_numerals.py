"""Numbers as words and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import PolicyError
from policies.numerals import (
    is_number_word,
    plain_words,
    read_digits,
    read_number,
    read_ordinal,
    say_digits,
    say_number,
    say_ordinal,
)


@given(st.integers(-10_000_000, 10_000_000))
def test_a_number_said_reads_back(value: int) -> None:
    assert read_number(say_number(value)) == value


@given(st.integers(1, 99))
def test_an_ordinal_said_reads_back(value: int) -> None:
    assert read_ordinal(say_ordinal(value)) == value


@given(st.text("0123456789", min_size=1, max_size=20))
def test_digits_said_read_back(figures: str) -> None:
    assert read_digits(say_digits(figures)) == figures


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "zero"),
        (12, "twelve"),
        (40, "forty"),
        (105, "one hundred five"),
        (9999, "nine thousand nine hundred ninety nine"),
        (12345, "one two three four five"),
        (50_000, "fifty thousand"),
        (-3, "minus three"),
    ],
)
def test_numbers_in_words(value: int, said: str) -> None:
    assert say_number(value) == said


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("nineteen eighty seven", 1987),
        ("twenty oh five", 2005),
        ("one hundred and five", 105),
        ("hundred", 100),
        ("thousand", 1000),
        ("one hundred twenty thousand", 120_000),
        ("two thousand five hundred", 2500),
        ("1,250", 1250),
        ("twenty-five", 25),
        ("double five six", 556),
    ],
)
def test_numbers_read(words: str, value: int) -> None:
    assert read_number(words) == value


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(PolicyError, match="'many' is no digit"):
        read_number("many")
    with pytest.raises(PolicyError, match="no words to read"):
        read_number("")
    with pytest.raises(PolicyError, match="'double' is no digit"):
        read_digits("double")


def test_digits_take_pairs_and_repeats() -> None:
    assert read_digits("oh double two forty one twenty ten 77") == "02241201077"


@pytest.mark.parametrize("figures", ["", "12a", "-1"])
def test_only_figures_are_said_as_digits(figures: str) -> None:
    with pytest.raises(PolicyError, match="expected one or more of 0-9"):
        say_digits(figures)


@pytest.mark.parametrize(
    ("value", "said"),
    [(1, "first"), (12, "twelfth"), (20, "twentieth"), (23, "twenty third"), (14, "fourteenth"), (99, "ninety ninth")],
)
def test_ordinals_in_words(value: int, said: str) -> None:
    assert say_ordinal(value) == said


def test_ordinals_have_limits() -> None:
    assert read_ordinal("23rd") == 23
    assert read_ordinal("Twenty-Third") == 23
    for value in (0, 100):
        with pytest.raises(PolicyError, match="expected 1 to 99"):
            say_ordinal(value)
    for words in ("fourth floor", "0th", ""):
        with pytest.raises(PolicyError, match="is no ordinal"):
            read_ordinal(words)


def test_plain_words_keep_times_and_drop_punctuation() -> None:
    assert plain_words("It\u2019s 10:30 a.m., isn't it? <say> Twenty-five, 1,250!") == (
        *("it's", "10:30", "am", "isn't", "it", "say", "twenty", "five", "1,250"),
    )


def test_number_words() -> None:
    assert all(map(is_number_word, ("two", "twelve", "thirty", "hundred", "10:30")))
    assert not any(map(is_number_word, ("to", "", "monday")))
