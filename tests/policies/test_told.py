"""Asked for one value alone, an answer of one thing is that value; an answer of none or of several is left alone."""

from __future__ import annotations

import pytest

from policies.shapes import NoteField
from policies.told import told

NOTES = (
    NoteField("intent", "choice", ("none", "book", "cancel", "hours", "other")),
    NoteField("day", "choice", ("monday", "tuesday", "wednesday")),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
KNOWN = {"intent": "book", "day": "monday", "name": "-", "answer": "-"}
ASKED = "which name is it? please say just the name."


@pytest.mark.parametrize(
    ("answer", "name"),
    [("moreau", "moreau"), ("under underwood", "underwood"), ("it's doctor van der berg", "van der berg")],
)
def test_one_thing_said_is_the_name(answer: str, name: str) -> None:
    assert told(ASKED, answer, KNOWN, NOTES) == {"name": name}


@pytest.mark.parametrize(
    "answer",
    ["", "hang on a second", "can you repeat that", "what are your opening hours", "moreau or underwood", "ten"],
)
def test_none_or_several_are_left_to_the_model(answer: str) -> None:
    assert told(ASKED, answer, KNOWN, NOTES) == {}


@pytest.mark.parametrize("question", ["would you like another?", "which day is it? please say just the day.", ""])
def test_only_where_the_name_was_asked_for(question: str) -> None:
    assert told(question, "moreau", KNOWN, NOTES) == {}


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        ("it's jamie clarke", "jamie clarke"),
        ("moreau", "moreau"),
        ("hm reed", "reed"),  # heard as part of it, 1 of 50 calls by voice was booked for "hm reed"
        ("um my name is moreau please", "moreau"),
        ("moreau like the river", None),  # more was said
        ("it's moreau dear", None),  # the model knows who is dear
        ("just a second", None),
        ("he brought a parrot moreau", None),  # no place where names are given
    ],
)
def test_a_name_given_as_names_are_is_taken(answer: str, name: str | None) -> None:
    assert told("what name is it for?", answer, KNOWN, NOTES) == ({"name": name} if name else {})


def test_a_name_that_is_known_stays() -> None:
    assert told(ASKED, "moreau", KNOWN | {"name": "miller"}, NOTES) == {}
