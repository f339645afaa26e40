"""An agreed write is due, and nothing else is."""

from __future__ import annotations

import pytest

from policies.due import due_tool
from policies.shapes import Parameter, ToolShape
from policies.tool_gate import Heard

DAYS = ("monday", "wednesday")
FIND = ToolShape("find_slots", (Parameter("day", "choice", DAYS),), "read")
BOOK = ToolShape(
    "book", (Parameter("day", "choice", DAYS), Parameter("time", "time"), Parameter("name", "heard")), "write", True
)
LOG = ToolShape("log", (), "write", confirm=False)
TOOLS = (FIND, LOG, BOOK)
NOTE = {"day": "wednesday", "time": "ten thirty", "name": "miller", "answer": "-"}
READ_BACK = "so that is wednesday at ten thirty for miller, is that right?"


def due(answer: str, *, heard: str = READ_BACK, note: dict[str, str] | None = None) -> str:
    return due_tool(TOOLS, NOTE if note is None else note, asked=[Heard(READ_BACK, heard)], answer=answer)


@pytest.mark.parametrize("answer", ["yes", "yes that's right", "yeah", "yes please"])
def test_a_read_back_and_a_yes_make_the_write_due(answer: str) -> None:
    assert due(answer) == "book"


@pytest.mark.parametrize("answer", ["no", "no the name is milner", "yes but make it eleven", "uh", ""])
def test_anything_else_makes_nothing_due(answer: str) -> None:
    assert due(answer) == ""


def test_what_was_not_heard_is_not_due() -> None:
    assert due("yes", heard="so that is wednesday at") == ""


def test_what_the_note_does_not_know_is_not_due() -> None:
    assert due("yes", note=NOTE | {"name": "-"}) == ""
    assert due("yes", note={}) == ""


def test_a_write_without_confirmation_is_never_due() -> None:
    """The model decides on those; only what a caller agreed to is owed."""
    assert due_tool((FIND, LOG), NOTE, asked=[Heard(READ_BACK, READ_BACK)], answer="yes") == ""


def test_a_bare_okay_to_what_was_refused_before_makes_nothing_due() -> None:
    asked = [Heard(READ_BACK, READ_BACK)]
    assert due_tool(TOOLS, NOTE, asked=asked, answer="okay", refused=()) == "book"
    assert due_tool(TOOLS, NOTE, asked=asked, answer="okay", refused=(READ_BACK,)) == ""
