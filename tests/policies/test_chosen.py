"""A time is noted only where the caller's words chose one."""

from __future__ import annotations

import pytest

from policies.chosen import chose, named_whole, picked
from policies.shapes import NoteField

OFFERED = ("eight", "eleven", "five")
NOTES = (
    NoteField("day", "choice", ("monday", "tuesday", "wednesday")),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)


@pytest.mark.parametrize(
    "heard",
    [
        "eleven please",
        "the first one",
        "half past ten",
        "i don't mind",
        "whichever suits you",
        "the last",
        "any of them",
    ],
)
def test_words_that_choose(heard: str) -> None:
    assert chose(heard, OFFERED)


@pytest.mark.parametrize(
    "heard", ["", "mhm", "uh huh", "hm", "yes", "my name is lewis", "the afternoon would be better"]
)
def test_words_that_choose_nothing(heard: str) -> None:
    assert not chose(heard, OFFERED)


def test_a_single_time_is_chosen_by_agreeing() -> None:
    assert chose("yes please", OFFERED[:1])
    assert not chose("no", OFFERED[:1])
    assert not chose("", OFFERED[:1])


LISTED = "on monday i have eight, eleven or five. which one suits you?"


@pytest.mark.parametrize(
    ("heard", "time"),
    [
        ("the middle one i reckon", "eleven"),
        ("oh the first one please", "eight"),
        ("the third time", "five"),
        ("i'll take the last", "five"),
        ("the fourth one", None),  # there is none
        ("the first thing you have", None),
        ("not the first one", None),
        ("the first one or the last one", None),
        ("the last one at five", None),  # the model reads the time
        ("one", None),
    ],
)
def test_a_place_in_the_list_picks_its_time(heard: str, time: str | None) -> None:
    notes = (NoteField("day", "choice", ("monday",)), NoteField("time", "time"))
    assert picked(LISTED, heard, OFFERED, notes) == ({"time": time} if time else {})
    assert picked("which day suits you?", heard, OFFERED, notes) == {}


ASKED = "on tuesday i have eight thirty, eleven thirty or four. which one?"


@pytest.mark.parametrize(
    ("question", "answer", "is_whole"),
    [
        (ASKED, "four", True),
        (ASKED, "two", True),  # not on offer, and the agent should say so instead of waiting
        (ASKED, "eleven thirty please", True),
        (ASKED, "eleven", False),  # "thirty" may come yet
        (ASKED, "hang on", False),
        ("what name is it for?", "four", False),
    ],
)
def test_a_time_that_needs_no_more_words_is_not_waited_for(question: str, answer: str, is_whole: bool) -> None:
    assert named_whole(question, answer, ("eight thirty", "eleven thirty", "four"), NOTES) is is_whole
