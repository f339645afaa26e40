"""How much of a text was heard: by words, at half of a word, and with less to go on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.heard import CHARACTER_SAMPLES, OPEN_WORD_SAMPLES, Heard, WordMark, bounds, cut, spread

TEXT = "so, that is right."
MARKS = (WordMark(0, 2, 0), WordMark(4, 8, 2_000), WordMark(9, 11, 4_000), WordMark(12, 17, 5_000))


@pytest.mark.parametrize(
    ("played", "text"),
    [
        (0, ""),
        (999, ""),
        (1_000, "so"),
        (2_999, "so"),
        (3_000, "so, that"),
        (4_500, "so, that is"),
        (6_499, "so, that is"),
        (6_500, "so, that is right"),
        (7_999, "so, that is right"),
    ],
)
def test_a_word_is_heard_once_half_of_it_was_played(played: int, text: str) -> None:
    assert cut(TEXT, MARKS, played, 8_000, finished=True) == Heard(text, played, False, tuple(text.split()))


def test_all_of_it_is_the_whole_text() -> None:
    assert cut(TEXT, MARKS, 8_000, 8_000, finished=True) == Heard(TEXT, 8_000, True, ("so,", "that", "is", "right."))
    assert not cut(TEXT, MARKS, 8_000, 8_000, finished=False).complete


def test_the_last_word_is_long_until_more_is_known() -> None:
    marks = [WordMark(0, 2, 0), WordMark(4, 8, 2_000)]
    half = 2_000 + OPEN_WORD_SAMPLES // 2
    assert cut(TEXT, marks, half - 1, 2_100, finished=False).text == "so"
    assert cut(TEXT, marks, half, 2_100, finished=False).text == "so, that"
    assert cut(TEXT, marks, half, 20_000, finished=False).text == "so"


def test_an_utterance_without_sound_says_nothing() -> None:
    assert cut(TEXT, (), 0, 0, finished=True) == Heard("", 0, False, ())


def test_without_marks_words_are_spread_by_their_characters() -> None:
    assert spread("ab cd", 100) == [WordMark(0, 2, 0), WordMark(3, 5, 60)]
    assert spread("", 100) == []
    assert cut("ab cd", (), 79, 100, finished=True).text == "ab"
    assert cut("ab cd", (), 80, 100, finished=True).text == "ab cd"
    # Unfinished: as long as such a text usually is.
    assert cut("ab cd", (), 5 * CHARACTER_SAMPLES, 5 * CHARACTER_SAMPLES, finished=False).text == "ab cd"
    assert cut("ab cd", (), 2 * CHARACTER_SAMPLES, 2 * CHARACTER_SAMPLES, finished=False).text == "ab"


def test_a_word_ends_where_the_next_begins_and_the_last_one_with_the_sound() -> None:
    assert [end for _, end in bounds(TEXT, MARKS, 8_000, finished=True)] == [2_000, 4_000, 5_000, 8_000]
    assert bounds(TEXT, MARKS[:1], 100, finished=False) == [(MARKS[0], OPEN_WORD_SAMPLES)]
    assert bounds("ab cd", (), 100, finished=True) == [(WordMark(0, 2, 0), 60), (WordMark(3, 5, 60), 100)]
    assert bounds("", (), 0, finished=True) == []


@given(st.lists(st.integers(0, 3_000), max_size=8), st.integers(0, 20_000), st.integers(0, 500), st.booleans())
def test_heard_is_a_prefix_and_grows(lengths: list[int], played: int, more: int, finished: bool) -> None:
    text = " ".join(f"w{i}" for i in range(len(lengths)))
    marks = [WordMark(3 * i, 3 * i + 2, sum(lengths[:i])) for i in range(len(lengths))]
    added = sum(lengths)
    now = cut(text, marks, min(played, added), added, finished=finished)
    then = cut(text, marks, min(played + more, added), added, finished=finished)
    assert text.startswith(then.text)
    assert then.text.startswith(now.text)
    assert then.complete >= now.complete
    assert now.words == tuple(now.text.split())
