"""Word marks where a voice tells none: shares of the sound by letters, and running marks that are never taken back."""

from __future__ import annotations

from itertools import pairwise

import pytest

from audio.engines.estimate import LETTER_SAMPLES, Pace, RunningMarks, estimate
from audio.heard import WordMark

SENTENCE = "We are open, every day, from 9 to 17."


def words(text: str, marks: list[WordMark]) -> list[str]:
    return [text[mark.start_char : mark.end_char] for mark in marks]


def test_every_written_word_has_one_mark_in_order() -> None:
    marks = estimate(SENTENCE, 0, 100, 48_000)
    assert words(SENTENCE, marks) == SENTENCE.split()
    assert marks[0].first_sample == 100
    assert all(a.first_sample < b.first_sample for a, b in pairwise(marks))
    assert marks[-1].first_sample < 48_100


def test_letters_figures_and_pauses_take_their_share() -> None:
    places = [mark.first_sample for mark in estimate("be, bee 17 be", 0, 0, 2800)]
    # be, = 1 + 2 + 5; bee = 1 + 3; 17 = 1 + 12; be = 1 + 2: 28 shares
    assert places == [100 * before for before in (0, 8, 12, 25)]


def test_a_part_of_a_text_is_marked_where_it_stands() -> None:
    text = "One two. Three four."
    first = text.index("Three")
    assert words(text, estimate(text[first:], first, 0, 1000)) == ["Three", "four."]


def test_what_has_no_letters_is_no_word() -> None:
    assert estimate(" - ... !", 0, 0, 1000) == []
    assert words("well - yes", estimate("well - yes", 0, 0, 1000)) == ["well", "yes"]
    assert RunningMarks("...", Pace()).end(1000) == []


@pytest.mark.parametrize("factor", [0.5, 1.0, 2.0])
def test_running_marks_follow_the_sound_and_all_words_get_one(factor: float) -> None:
    total = int(factor * 40 * LETTER_SAMPLES)
    marks, running = list[WordMark](), RunningMarks(SENTENCE, Pace())
    for known in range(0, total, 1600):
        new = running.upto(known)
        assert all(mark.first_sample < known for mark in new)
        marks += new
    marks += running.end(total)
    assert words(SENTENCE, marks) == SENTENCE.split()
    assert all(a.first_sample <= b.first_sample <= total for a, b in pairwise(marks))
    assert running.end(total) == []


def test_the_pace_of_a_voice_is_learnt() -> None:
    pace = Pace()
    assert pace.letter_samples == LETTER_SAMPLES
    length = 60_000
    for _ in range(8):
        RunningMarks(SENTENCE, pace).end(length)
    true = estimate(SENTENCE, 0, 0, length)
    guessed = RunningMarks(SENTENCE, pace).upto(length)
    assert words(SENTENCE, guessed) == SENTENCE.split()
    assert max(abs(a.first_sample - b.first_sample) for a, b in zip(true, guessed, strict=True)) < 0.1 * length


def test_sound_that_ends_at_once_still_marks_its_words() -> None:
    assert [mark.first_sample for mark in RunningMarks("one two", Pace()).end(0)] == [0, 0]
