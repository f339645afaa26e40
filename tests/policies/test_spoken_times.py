"""Times of day said, read and found in running words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import PolicyError
from policies.spoken import find_times, locate_times, read_time, say_time, say_value

CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59))
SLOTS = [f"{hour:02d}:{minute}" for hour in range(8, 18) for minute in ("00", "30")]


@given(CLOCKS)
def test_a_time_said_reads_back(clock: str) -> None:
    assert read_time(say_time(clock)) == clock


@given(st.lists(st.sampled_from(SLOTS), unique=True, max_size=6).map(sorted))
def test_slots_on_the_half_hour_need_no_joining_words_and_are_found(slots: list[str]) -> None:
    said = " ".join(map(say_time, slots))
    assert say_value(slots) == (said or "none")
    assert [found.clock for found in locate_times(said)] == slots


@given(st.lists(CLOCKS, min_size=1, max_size=5))
def test_any_list_of_times_is_found_again(clocks: list[str]) -> None:
    assert [found.clock for found in locate_times(say_value(clocks))] == clocks


@given(st.text("abcdefghij oneutw fvithry:0123456789'", max_size=60))
def test_any_words_can_be_searched(text: str) -> None:
    for found in locate_times(text):
        assert 0 <= found.first < found.end
        assert read_time(found.spoken) == found.clock


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        ("10:30", "ten thirty"),
        ("14:00", "two"),
        ("08:05", "eight oh five"),
        ("18:59", "six fifty nine"),
        ("19:00", "seven p m"),
        ("06:00", "six a m"),
        ("00:15", "twelve fifteen a m"),
        ("12:00", "twelve"),
    ],
)
def test_times_in_words(clock: str, said: str) -> None:
    assert say_time(clock) == said


@pytest.mark.parametrize("clock", ["9:30", "24:00", "10:60", "ten", ""])
def test_only_clock_times_are_said(clock: str) -> None:
    with pytest.raises(PolicyError, match="expected HH:MM"):
        say_time(clock)


@pytest.mark.parametrize(
    ("words", "clock"),
    [
        ("half past two", "14:30"),
        ("half ten", "10:30"),
        ("a quarter to four", "15:45"),
        ("quarter past nine in the evening", "21:15"),
        ("twenty to five", "16:40"),
        ("ten minutes past nine", "09:10"),
        ("ten to two", "13:50"),
        ("five to one", "12:55"),
        ("quarter to one a m", "00:45"),
        ("ten o'clock", "10:00"),
        ("ten o clock p m", "22:00"),
        ("ten o five", "10:05"),
        ("ten thirty five", "10:35"),
        ("10 30", "10:30"),
        ("2:30", "14:30"),
        ("02:30", "02:30"),
        ("12:15", "12:15"),
        ("12:15 am", "00:15"),
        ("0:15", "00:15"),
        ("13:15 pm", "13:15"),
        ("10.30", "10:30"),
        ("3pm", "15:00"),
        ("twelve noon", "12:00"),
        ("midnight", "00:00"),
        ("midday", "12:00"),
        ("fourteen thirty", "14:30"),
        ("nine at night", "21:00"),
        ("Eight a.m.", "08:00"),
    ],
)
def test_times_read(words: str, clock: str) -> None:
    assert read_time(words) == clock


@pytest.mark.parametrize("words", ["", "wednesday", "ten eleven twelve", "25:00", "10:75", "half", "a", "quarter past"])
def test_what_is_no_single_time_is_refused(words: str) -> None:
    with pytest.raises(PolicyError, match="no single time"):
        read_time(words)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("nine thirty eleven two thirty", ("nine thirty", "eleven", "two thirty")),
        ("nine thirty two", ("nine thirty", "two")),
        ("ten ten thirty", ("ten", "ten thirty")),
        ("eleven twelve one one thirty", ("eleven", "twelve", "one", "one thirty")),
        ("ten forty five", ("ten forty five",)),
        ("ten twenty five", ("ten twenty five",)),
        ("from ten to two", ("ten", "two")),
        ("half past ten or at noon", ("ten thirty", "twelve")),
        ("at five past ten", ("ten oh five",)),
        ("tuesday at ten a.m. or 14:30", ("ten", "two thirty")),
        ("one two three four", ("one", "two", "three", "four")),
        ("one quarter past", ("one",)),
        ("ten to wait", ("ten",)),
    ],
)
def test_times_found(text: str, times: tuple[str, ...]) -> None:
    assert find_times(text) == times
    assert find_times(text.split()) == times


@pytest.mark.parametrize(
    "text",
    [
        "",
        "that one please",
        "cancel the old one",
        "a good one",
        "one moment please",
        "two people",
        "i have ninety nine problems",
        "twenty two children",
        "my number is five five five one two three four",
        "zero one two three",
        "3 3 3 3",
        "room ten",
        "half a day",
    ],
)
def test_counts_and_numbers_are_no_times(text: str) -> None:
    assert find_times(text) == ()


def test_places_are_word_positions() -> None:
    (found,) = locate_times("on wednesday at half past two please")
    assert (found.first, found.end, found.minute, found.clock) == (3, 6, 870, "14:30")
