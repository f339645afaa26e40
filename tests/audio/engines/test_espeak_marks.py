"""Written words from spoken ones."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from audio.engines.espeak.marks import WordFinder
from audio.heard import WordMark


def found(text: str, events: list[tuple[int, int]], end: int) -> list[tuple[str, int]]:
    finder = WordFinder(text)
    marks = [mark for char, sample in events for mark in finder.at(char, sample)]
    return [(text[mark.start_char : mark.end_char], mark.first_sample) for mark in marks + finder.end(end)]


def test_a_number_is_one_word() -> None:
    events = [(0, 0), (9, 100), (10, 200), (12, 300), (12, 400), (17, 500)]
    assert found("It costs $12.50, sir.", [*events], 900) == [
        ("It", 0),
        ("costs", 33),
        ("$12.50,", 100),
        ("sir.", 500),
    ]


def test_words_run_together_share_the_time() -> None:
    # "of the" came as one event at "of".
    assert found("one of the best", [(0, 0), (4, 100), (11, 240)], 400) == [
        ("one", 0),
        ("of", 100),
        ("the", 160),
        ("best", 240),
    ]


def test_words_without_an_event_at_the_end() -> None:
    assert found("I am", [(0, 10)], 110) == [("I", 10), ("am", 60)]
    assert found("so be it", [], 80) == [("so", 0), ("be", 30), ("it", 60)]


def test_signs_alone_are_no_words() -> None:
    assert found("yes \u2014 no", [(0, 0), (4, 50), (6, 90)], 200) == [("yes", 0), ("no", 90)]
    assert found(" ... ", [(1, 0)], 10) == []


@given(
    st.text("ab1 .\u00e9", max_size=30),
    st.lists(st.tuples(st.integers(-1, 40), st.integers(0, 1000)), max_size=10),
    st.integers(0, 2000),
)
def test_each_word_once_and_in_order(text: str, events: list[tuple[int, int]], end: int) -> None:
    finder = WordFinder(text)
    marks: list[WordMark] = []
    for char, sample in events:
        marks += finder.at(char, sample)
    marks += finder.end(end)
    words = [word for word in text.split() if any(map(str.isalnum, word))]
    assert [text[mark.start_char : mark.end_char] for mark in marks] == words
    assert [mark.first_sample for mark in marks] == sorted(mark.first_sample for mark in marks)
    assert finder.end(end) == []
