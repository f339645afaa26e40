"""What a field may hold: values of its kind, narrowed by the rules of the turn."""

from __future__ import annotations

from typing import Any

from policies.learned.core.values import SPOKEN_TIMES, Values
from policies.shapes import NoteField, Parameter, ToolShape
from policies.turn_rules import TurnRules

DAYS = ("monday", "tuesday", "wednesday")
NOTES = (
    NoteField("intent", "choice", ("none", "book", "cancel")),
    NoteField("day", "choice", DAYS),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
TOOLS = (ToolShape("find_slots", (Parameter("day", "choice", DAYS),), "read"),)
KNOWN = {"intent": "book", "day": "wednesday", "time": "-", "name": "flu", "answer": "-"}
OFFERED = ("ten", "ten thirty")


def values(field: str, known: dict[str, str] | None = None, day: str = "wednesday", **rules: Any) -> set[str]:
    """What `field` may hold where the note of this turn says `day`."""
    item = next(note for note in NOTES if note.name == field)
    before = {} if field in ("intent", "day") else {"intent": "book", "day": day}
    return set(Values(TurnRules(NOTES, **rules), TOOLS, offered=OFFERED, known=known or KNOWN).of_note(item, before))


def test_a_name_is_a_run_of_words_that_were_heard_or_the_one_noted() -> None:
    assert values("name", heard=("zoe bell", "thanks")) == {"-", "flu", "zoe", "bell", "zoe bell", "thanks"}


def test_a_refused_name_gives_way_to_one_from_the_answer() -> None:
    assert values("name", heard=("flu", "bell"), denied={"name": ("bell",)}) == {"bell"}


def test_half_of_a_name_gives_way_to_more_than_that_half() -> None:
    known = KNOWN | {"name": "bert"}
    assert values("name", known, denied={"name": ("bert underhill",)}) == {"underhill", "bert underhill"}


def test_a_time_is_one_on_offer_while_the_day_stays() -> None:
    assert values("time") == {"-", *OFFERED}
    assert values("time", day="monday") == {"-", *SPOKEN_TIMES}, "another day: the offer says nothing about it"


def test_a_refused_time_gives_way_to_the_one_that_was_named_or_to_none() -> None:
    known = KNOWN | {"time": "ten thirty"}
    assert values("time", known, denied={"time": ("ten",)}) == {"-", "ten"}
    assert values("time", known, denied={"time": ("four",)}) == {"-"}, "four is not on offer"


def test_no_time_is_noted_that_nobody_chose() -> None:
    assert values("time", chosen=False) == {"-"}
    assert values("time", KNOWN | {"time": "ten"}, chosen=False) == {"-", "ten"}, "it stays"


def test_a_refused_choice_gives_way_to_the_one_that_was_named() -> None:
    assert values("day", denied={"day": ("tuesday",)}) == {"tuesday"}


def test_what_is_plain_is_noted() -> None:
    assert values("time", sure={"time": "ten"}) == {"ten"}


def test_an_argument_is_what_the_note_says_of_it() -> None:
    found = Values(TurnRules(NOTES), TOOLS, known=KNOWN)
    assert found.of_argument(TOOLS[0].parameters[0], "monday") == ("monday",)
    assert found.of_argument(TOOLS[0].parameters[0], "-") == DAYS
