"""What all rules together say of one turn."""

from __future__ import annotations

from typing import Any

from policies.shapes import NoteField
from policies.turn_rules import TurnRules, turn_rules

NOTES = (
    NoteField("intent", "choice", ("none", "book", "cancel")),
    NoteField("day", "choice", ("monday", "tuesday")),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
KNOWN = {"intent": "book", "day": "monday", "time": "-", "name": "-", "answer": "-"}
SINGLE = "on monday i only have ten. does that suit you?"
READ_BACK = "so that is monday at ten for bell, is that right?"


def rules(said: str, heard: str, **more: Any) -> TurnRules:
    options: dict[str, Any] = {"lately": [heard], "known": KNOWN} | more
    return turn_rules(NOTES, said=said, heard=heard, **options)


def answers(found: TurnRules) -> tuple[str, ...]:
    return next(note.values for note in found.notes if note.name == "answer")


def test_the_answer_is_what_the_words_say() -> None:
    known = KNOWN | {"time": "ten", "name": "bell"}
    assert answers(rules(READ_BACK, "yes monday at ten", known=known)) == ("yes",)
    assert answers(rules(READ_BACK, "no", known=known)) == ("no",)
    assert answers(rules(READ_BACK, "the yes of it", known=known)) == ("no", "unclear")
    assert answers(rules(READ_BACK, "the yes of it", known=known, confirms=False)) == ("yes", "no", "unclear")


def test_a_single_time_is_noted_by_a_plain_yes() -> None:
    assert rules(SINGLE, "that'd be grand", offered=("ten",)).sure == {"time": "ten"}
    assert rules(SINGLE, "hm maybe", offered=("ten",)).sure == {}
    assert rules(SINGLE, "yes", offered=("ten", "two")).sure == {}
    assert rules(READ_BACK, "yes", offered=("ten",), known=KNOWN | {"time": "ten"}).sure == {}
    assert rules("anything else?", "yes", offered=("ten",)).sure == {}
    assert rules(SINGLE, "yes", offered=("ten",), after_result=True).sure == {}


def test_who_answered_plainly_is_not_waited_for() -> None:
    assert not rules(SINGLE, "lovely", offered=("ten",)).silence
    assert not rules(READ_BACK, "no").silence
    assert rules(READ_BACK, "hang on").silence
    assert rules("which day suits you?", "okay").silence, "a word to think by"


def test_a_name_needs_a_place_where_names_are_given() -> None:
    assert rules(SINGLE, "ten would dandily do", offered=("ten",)).heard == ()
    assert rules("what is your name?", "dandily").heard == ("dandily",)


def test_a_refused_read_back_denies_what_it_named() -> None:
    known = KNOWN | {"time": "ten", "name": "bell"}
    assert rules(READ_BACK, "no it's quill", known=known).denied == {"name": ("quill",)}
    assert rules(READ_BACK, "no it's quill", known=known, after_result=True).denied == {}
