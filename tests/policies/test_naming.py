"""A name is noted where it was asked for, or given as names are."""

from __future__ import annotations

import pytest

from policies.naming import named
from policies.shapes import NoteField

NOTES = (
    NoteField("day", "choice", ("monday", "tuesday", "wednesday")),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
OFFER = "on monday i have nine or nine thirty. which one suits you?"


@pytest.mark.parametrize(
    "heard",
    [
        "hello this is pemberton",
        "it's for pemberton on monday",
        "nine please my name is um pemberton",
        "pemberton here i want a visit",
        "mrs pemberton i'd like nine",
        "uh pemberton",
    ],
)
def test_a_name_given_as_names_are_may_be_noted_unasked(heard: str) -> None:
    assert "pemberton" in " ".join(named(OFFER, heard, [heard], NOTES))


@pytest.mark.parametrize(
    "heard", ["nine would dandily do the bus isn't so sluggish then", "i can't recall the parchment of your webpage"]
)
def test_words_that_are_merely_strange_are_no_name(heard: str) -> None:
    assert named(OFFER, heard, [heard], NOTES) == ()
    assert named("what is your name?", heard, [heard], NOTES)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("what is your name?", "well pemberton like that village"),
        ("so that is monday at nine for ember, is that right?", "no pemberton you muppet"),
        ("sorry, what should i change?", "well pemberton you muppet"),
    ],
)
def test_asked_for_or_put_right_a_name_needs_no_word_before_it(question: str, answer: str) -> None:
    assert "pemberton" in " ".join(named(question, answer, [answer], NOTES))
