"""When the agent asks in another way: what counts as a miss, what is asked for, and that it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.repair import NO_MISSES, Misses, RepairSettings, asked_field, counted, repair
from policies.shapes import NoteField

INTENT = NoteField("intent", "choice", ("none", "book", "cancel"))
DAY = NoteField("day", "choice", ("monday", "tuesday", "wednesday"))
PART = NoteField("part", "choice", ("morning", "afternoon"))
TIME = NoteField("time", "time")
NAME = NoteField("name", "heard")
PEOPLE = NoteField("people", "number")
ANSWER = NoteField("answer", "choice", ("yes", "no", "unclear"))
NOTES = (INTENT, DAY, PART, TIME, NAME, PEOPLE, ANSWER)

WHICH_DAY = "sorry, i did not catch that. which day suits you?"
OFFER = "on monday i have eight thirty, ten or eleven. which one suits you?"
READ_BACK = "that is monday at ten for miller, is that right?"
BOOKING = "book - - - - - -"


@pytest.mark.parametrize(
    ("question", "field"),
    [
        (WHICH_DAY, "day"),
        ("may i have your name?", "name"),
        ("which day is it? please say just the day, for example monday.", "day"),
        ("morning or afternoon?", "part"),
        ("would you like to book or cancel a visit?", "intent"),
        (OFFER, "time"),
        (READ_BACK, "answer"),
        ("which day and what name?", ""),
        ("thank you. goodbye.", ""),
        ("", ""),
    ],
)
def test_the_agents_words_say_which_field_it_asks_for(question: str, field: str) -> None:
    found = asked_field(question, NOTES)
    assert (found.name if found else "") == field


def test_without_a_field_for_agreement_a_plain_question_asks_for_none() -> None:
    assert asked_field(READ_BACK, (DAY, TIME, NAME)) is None


def test_the_second_answer_in_vain_is_answered_with_another_way_to_ask_and_the_third_is_not() -> None:
    misses, found = NO_MISSES, []
    for _ in range(4):
        misses = counted(misses, WHICH_DAY, BOOKING, BOOKING, NOTES)
        found.append(repair(misses, WHICH_DAY, NOTES))
    assert misses == Misses("day", 4)
    assert [one is not None for one in found] == [False, True, False, False]
    assert found[1] is not None
    assert found[1].text == "which day is it? please say just the day, for example monday."
    assert (found[1].expects, found[1].reason) == ("day", "ask in another way: day not understood 2 times")


@pytest.mark.parametrize(
    ("question", "before", "after", "field"),
    [
        (WHICH_DAY, BOOKING, "book monday - - - - -", ""),  # it was understood
        (WHICH_DAY, BOOKING, "cancel - - - - - -", ""),  # the caller wants something else
        (WHICH_DAY, BOOKING, "book - - - miller - -", ""),  # another value was heard
        (WHICH_DAY, "book - - - - - yes", BOOKING, "day"),  # an agreement is of one turn
        (WHICH_DAY, BOOKING, "no note at all", "day"),
        (WHICH_DAY, "", BOOKING, ""),  # the first note
        (WHICH_DAY, "book monday - - - - -", "book monday - - - - -", ""),  # known already
        (READ_BACK, BOOKING, "book - - - - - unclear", "answer"),
        (READ_BACK, BOOKING, "book - - - - - no", ""),
        (READ_BACK, BOOKING, BOOKING, ""),  # something else was said, not an unclear answer
        ("thank you.", BOOKING, BOOKING, ""),
    ],
)
def test_a_miss_is_an_answer_that_told_nothing(question: str, before: str, after: str, field: str) -> None:
    expected = Misses(field, 2 if field == "day" else 1) if field else NO_MISSES
    assert counted(Misses("day", 1), question, before, after, NOTES) == expected


def test_a_wording_that_names_no_field_still_asks_for_it_and_is_not_said_again() -> None:
    notes = (replace(DAY, ask="please say just that."), ANSWER)
    misses, question, said = NO_MISSES, WHICH_DAY, 0
    for _ in range(9):
        misses = counted(misses, question, "- -", "- -", notes)
        found = repair(misses, question, notes)
        question, misses = (found.text, found.misses) if found else (WHICH_DAY, misses)
        said += found is not None
    assert (said, misses.count) == (1, 9)


def test_a_question_for_another_field_counts_anew() -> None:
    assert counted(Misses("name", 5), WHICH_DAY, BOOKING, BOOKING, NOTES) == Misses("day", 1)


@pytest.mark.parametrize(
    ("field", "question", "text"),
    [
        ("intent", "book or cancel?", "which intent is it? please say just the intent, for example book."),
        ("time", OFFER, "which time is it? please say just the time, for example eight thirty."),
        ("time", "what time?", "which time is it? please say just the time, for example ten thirty."),
        ("name", "your name?", "which name is it? please say just the name."),
        ("people", "how many people?", "which people is it? please say just the people, for example two."),
        ("answer", READ_BACK, f"please say just yes or no. {READ_BACK}"),
    ],
)
def test_each_field_is_asked_for_in_its_way(field: str, question: str, text: str) -> None:
    found = repair(Misses(field, 2), question, NOTES)
    assert found is not None
    assert found.text == text
    assert found.expects == ("yes" if field == "answer" else field)


def test_words_of_the_note_come_before_the_general_ones() -> None:
    notes = (replace(DAY, ask="what {field}, such as {example}?"), replace(ANSWER, ask="yes or no: {question}"))
    found = [repair(Misses(note.name, 1), READ_BACK, notes, RepairSettings(after=1)) for note in notes]
    assert [one.text for one in found if one] == ["what day, such as monday?", f"yes or no: {READ_BACK}"]


def test_a_question_that_was_repaired_before_is_not_repaired_into_itself() -> None:
    notes = (NoteField("day", "choice", ("monday", "tuesday")), NoteField("answer", "choice", ("yes", "no", "unclear")))
    once = repair(Misses("answer", 2), "that is monday, is that right?", notes)
    assert once is not None
    again = repair(Misses("answer", 2), once.text, notes)
    assert again is not None
    assert again.text == once.text == "please say just yes or no. that is monday, is that right?"


def test_an_aside_between_two_misses_neither_counts_nor_forgives() -> None:
    notes = (NoteField("intent", "choice", ("none", "book", "other")), *NOTES[1:])
    known, unclear, aside = ("book monday - ten miller - " + end for end in ("-", "unclear", "-"))
    aside = aside.replace("book", "other")
    once = counted(NO_MISSES, READ_BACK, known, unclear, notes)
    between = counted(once, READ_BACK, unclear, aside, notes)
    twice = counted(between, READ_BACK, aside, unclear, notes)
    assert (once, between, twice) == (Misses("answer", 1), Misses("answer", 1), Misses("answer", 2))
    found = repair(twice, READ_BACK, notes)
    assert found is not None
    after = counted(found.misses, found.text, unclear, aside, notes)
    assert repair(after, found.text, notes) is None, "a repair is said once in a row"
