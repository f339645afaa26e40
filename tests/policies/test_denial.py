"""A refused name may not stay; a refused day leaves it alone."""

from __future__ import annotations

import pytest

from policies.denial import denied
from policies.shapes import NoteField

NOTES = (
    NoteField("intent", "choice", ("none", "book", "cancel", "hours", "other")),
    NoteField("day", "choice", ("monday", "tuesday", "wednesday")),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
KNOWN = {"intent": "cancel", "day": "monday", "time": "-", "name": "obliged", "answer": "-"}
ASKED = "so i cancel the visit on monday for obliged, is that right?"


@pytest.mark.parametrize(
    ("answer", "runs"),
    [
        ("no it's okonkwo", ("okonkwo",)),
        ("no madam my family name is okonkwo", ("okonkwo",)),
        ("no no chip rosewater", ("chip rosewater",)),
        ("that's wrong it's for miller", ("miller",)),
        ("no for crying out loud vickers", ("vickers",)),
        ("no it's obliged singh", ("obliged singh",)),  # the old one was half of the name
        ("not obliged dear okonkwo", ("okonkwo",)),  # named only to be refused
    ],
)
def test_a_refused_name_is_copied_anew_from_the_answer(answer: str, runs: tuple[str, ...]) -> None:
    assert denied(ASKED, answer, KNOWN, NOTES) == {"name": runs}


@pytest.mark.parametrize(
    "answer",
    [
        "no",  # which value is wrong is not said
        "no that's not right",
        "no not tuesday",  # only refused
        "no at ten thirty",
        "no please erm don't",
        "no that did not sound right",
        "no cancel it please",  # a word of the task, no new value
        "no i think i'd come in if that's possible",  # common words are no name
        "no okonkwo and vickers moved with rosewater and singh",  # too much for a correction
        "no obliged is right but not the rest",  # said again, so not refused
        "yes that's right",
        "okonkwo",  # no refusal: the model may understand it as it likes
    ],
)
def test_anything_else_leaves_the_note_alone(answer: str) -> None:
    assert denied(ASKED, answer, KNOWN, NOTES) == {}


TIMED = KNOWN | {"intent": "book", "time": "four thirty"}
ASKED_TIMED = "so that is monday at four thirty for obliged, is that right?"


@pytest.mark.parametrize(
    ("answer", "times"),
    [
        ("no i said four", ("four",)),
        ("nah at ten", ("ten",)),
        ("no at two or at half past five", ("two", "five thirty")),
    ],
)
def test_a_refused_time_may_not_stay_where_another_is_named(answer: str, times: tuple[str, ...]) -> None:
    assert denied(ASKED_TIMED, answer, TIMED, NOTES) == {"time": times}


@pytest.mark.parametrize("answer", ["no four thirty is right", "four i said", "no", "no not tuesday"])
def test_a_time_stays_that_was_said_again_or_not_refused(answer: str) -> None:
    assert denied(ASKED_TIMED, answer, TIMED, NOTES) == {}


def test_what_was_not_read_back_or_is_not_known_was_not_refused() -> None:
    assert denied("what name is it for?", "no it's okonkwo", KNOWN, NOTES) == {}
    assert denied(ASKED, "no it's okonkwo", KNOWN | {"name": "-"}, NOTES) == {}


def test_two_copied_values_leave_it_open_which_was_meant() -> None:
    notes = (*NOTES, NoteField("street", "heard"))
    known = KNOWN | {"street": "high way"}
    assert denied("for obliged in high way, is that right?", "no okonkwo", known, notes) == {}


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        ("no i said tuesday", {"day": ("tuesday",)}),
        ("no could i get him booked in please", {"intent": ("book",)}),
        ("no don't cancel book me in", {"intent": ("book",)}),
        ("no not monday tuesday", {"day": ("tuesday",)}),
        ("no on monday i have a booking to cancel", {}),  # both are said
        ("no the other one", {}),
    ],
)
def test_a_refused_choice_may_not_stay_where_another_is_named(answer: str, values: dict[str, tuple[str, ...]]) -> None:
    assert denied(ASKED, answer, KNOWN, NOTES) == values
