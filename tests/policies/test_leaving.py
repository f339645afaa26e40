"""Nobody is hung up on in the middle of a matter who did not take leave."""

from __future__ import annotations

import pytest

from policies.leaving import may_hang_up
from policies.shapes import NoteField

NOTES = (
    NoteField("intent", "choice", ("none", "book", "cancel")),
    NoteField("day", "choice", ("monday", "tuesday")),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
KNOWN = {"intent": "book", "day": "monday", "time": "ten", "name": "bell", "answer": "-"}
WHICH_DAY = "sorry, thursday is full. which other day suits you?"
READ_BACK = "so that is monday at ten for bell, is that right?"
ANYTHING = "done. you are booked on monday at ten. anything else i can do?"


@pytest.mark.parametrize("heard", ["my name is peterson i'm away", "no", "the lorry of", ""])
@pytest.mark.parametrize("question", [WHICH_DAY, READ_BACK, "what is your name?"])
def test_an_open_question_keeps_the_agent_on_the_line(question: str, heard: str) -> None:
    assert not may_hang_up(question, heard, KNOWN, NOTES)


@pytest.mark.parametrize("heard", ["goodbye", "oh never mind then", "i'll call again later", "no thanks that's all"])
@pytest.mark.parametrize("question", [WHICH_DAY, READ_BACK, ANYTHING])
def test_who_takes_leave_is_let_go(question: str, heard: str) -> None:
    assert may_hang_up(question, heard, KNOWN, NOTES)


@pytest.mark.parametrize(
    "question", [ANYTHING, "thank you. goodbye.", "", "on monday i only have ten. does that suit you?"]
)
def test_where_nothing_is_asked_for_the_model_decides(question: str) -> None:
    assert may_hang_up(question, "no", KNOWN, NOTES)
