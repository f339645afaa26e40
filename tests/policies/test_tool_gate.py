"""That a tool which must be confirmed never runs without a heard read-back and a yes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import PolicyError
from policies.agreement import answer
from policies.shapes import Parameter, ToolShape
from policies.tool_gate import Block, Gate, Heard, decide

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
DAY, TIME, NAME = Parameter("day", "choice", DAYS), Parameter("time", "time"), Parameter("name", "heard")
FIND = ToolShape("find_slots", (DAY, Parameter("part", "choice", ("morning", "afternoon"), required=False)), "read")
NOTE = ToolShape("leave_note", (Parameter("text", "text"),))
BOOK = ToolShape("book", (DAY, TIME, NAME), confirm=True)
CANCEL = ToolShape("cancel_booking", (DAY, NAME), confirm=True)
PARTY = ToolShape("reserve", (Parameter("people", "number"),), confirm=True)
TOOLS = (FIND, NOTE, BOOK, CANCEL, PARTY)

ARGUMENTS = {"day": "wednesday", "time": "ten thirty", "name": "miller"}
QUESTION = "so that is wednesday at ten thirty for miller, is that right?"


def said(text: str, heard: str | None = None) -> tuple[Heard, ...]:
    return (Heard(text, text if heard is None else heard),)


def book(question: tuple[Heard, ...], reply: str | None, arguments: Mapping[str, str] = ARGUMENTS) -> Gate:
    return decide(BOOK, arguments, committed=True, asked=question, answer=reply, others=TOOLS)


def test_reading_is_open_before_the_turn_is_over() -> None:
    assert decide(FIND, {"day": "monday"}, committed=False) == Gate(True, Block.OPEN)


def test_writing_waits_for_the_turn() -> None:
    assert decide(NOTE, {"text": "call back"}, committed=False) == Gate(False, Block.NOT_COMMITTED)
    assert decide(NOTE, {"text": "call back"}, committed=True) == Gate(True, Block.OPEN)


@pytest.mark.parametrize("reply", ["yes", "yes please", "that's right", "yes wednesday at half past ten for miller"])
def test_a_heard_read_back_and_a_yes_open_a_confirmed_tool(reply: str) -> None:
    assert book(said(QUESTION), reply) == Gate(True, Block.CONFIRMED)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, Block.NO_ANSWER),
        ("no", Block.REFUSED),
        ("that is not right", Block.REFUSED),
        ("yes but make it eleven", Block.UNCLEAR),
        ("yes thursday", Block.UNCLEAR),
        ("mm hm", Block.UNCLEAR),
    ],
)
def test_anything_but_yes_keeps_it_shut(reply: str | None, reason: Block) -> None:
    assert book(said(QUESTION), reply) == Gate(False, reason)


def test_it_waits_for_the_turn_too() -> None:
    assert decide(BOOK, ARGUMENTS, committed=False, asked=said(QUESTION), answer="yes").reason is Block.NOT_COMMITTED


@pytest.mark.parametrize(
    ("question", "reason", "about"),
    [
        ((), Block.NOTHING_ASKED, ""),
        (said("that is wednesday at ten thirty for miller."), Block.NOTHING_ASKED, ""),
        (said("?"), Block.NOT_READ_BACK, "day"),
        (said("wednesday at ten thirty for miller. what is your number?"), Block.OPEN_QUESTION, "what"),
        (said("so wednesday at ten thirty for miller, which is what?"), Block.OPEN_QUESTION, "which"),
        (said("so not wednesday at ten thirty for miller?"), Block.NEGATED, "not"),
        (said("wednesday at ten thirty is taken. shall i book it for miller?"), Block.NEGATED, "taken"),
        (said("so thursday at ten thirty for miller?"), Block.NOT_READ_BACK, "day"),
        (said("so wednesday at ten for miller?"), Block.NOT_READ_BACK, "time"),
        (said("so wednesday at ten thirty for milner?"), Block.NOT_READ_BACK, "name"),
        (said("so wednesday at ten or ten thirty for miller?"), Block.AMBIGUOUS, "time"),
        (said("so tuesday or wednesday at ten thirty for miller?"), Block.AMBIGUOUS, "day"),
        (said(QUESTION, "so that is wednesday at ten thirty"), Block.NOT_READ_BACK, "name"),
        (said(QUESTION) + said("hello, are you still there?"), Block.NOT_READ_BACK, "day"),
        (said(QUESTION) + said("so that is tuesday, right?", "so that is"), Block.NOT_READ_BACK, "day"),
        (
            said("wednesday at ten thirty for miller, or two?", "wednesday at ten thirty for miller"),
            Block.AMBIGUOUS,
            "time",
        ),
        (said("so i cancel wednesday at ten thirty for miller?"), Block.OTHER_TOOL, "cancel_booking"),
    ],
)
def test_a_question_that_does_not_read_back_keeps_it_shut(
    question: tuple[Heard, ...], reason: Block, about: str
) -> None:
    assert book(question, "yes") == Gate(False, reason, about)


@pytest.mark.parametrize(
    "question",
    [
        said(QUESTION, "so that is wednesday at ten thirty for miller,"),
        said("no problem. so wednesday at half past ten for miller?"),
        said("so that is wednesday at ten thirty") + said("for miller, right?", "for miller,"),
        said("shall i book wednesday at 10:30 for Miller?"),
        said("shall i book wednesday at ten thirty for miller and cancel the old one?"),
    ],
)
def test_forms_of_a_read_back_that_count(question: tuple[Heard, ...]) -> None:
    assert book(question, "yes").allowed


def test_a_tool_that_another_one_covers_must_be_named() -> None:
    arguments = {"day": "wednesday", "name": "miller"}

    def cancel(question: str, reply: str = "yes") -> Gate:
        return decide(CANCEL, arguments, committed=True, asked=said(question), answer=reply, others=TOOLS)

    assert cancel(QUESTION) == Gate(False, Block.OTHER_TOOL, "book")
    assert cancel("so i book wednesday for miller?") == Gate(False, Block.OTHER_TOOL, "book")
    assert cancel("so i cancel your booking on wednesday for miller?").allowed
    assert cancel("so i cancel wednesday for miller?", "yes cancel it").allowed
    other_way = said("so i cancel your booking at ten thirty on wednesday for miller?")
    assert book(other_way, "yes") == Gate(False, Block.OTHER_TOOL, "cancel_booking")
    assert decide(CANCEL, arguments, committed=True, asked=said(QUESTION), answer="yes").allowed


def test_numbers_are_words() -> None:
    gate = decide(PARTY, {"people": "four"}, committed=True, asked=said("for four people, right?"), answer="yes")
    assert gate.allowed
    gate = decide(PARTY, {"people": "four"}, committed=True, asked=said("for five people, right?"), answer="yes")
    assert gate == Gate(False, Block.NOT_READ_BACK, "people")


def test_arguments_are_checked_first() -> None:
    assert decide(FIND, {"day": "-"}, committed=True) == Gate(False, Block.MISSING, "day")
    assert decide(FIND, {"day": "monday", "part": "-"}, committed=False).allowed
    move = ToolShape("move", (DAY, Parameter("time", "time", required=False)), confirm=True)
    assert decide(move, {"day": "monday"}, committed=True, asked=said("to monday, right?"), answer="yes").allowed
    assert book(said(QUESTION), "yes", ARGUMENTS | {"time": "soon"}) == Gate(False, Block.UNFIT, "time")
    assert book(said(QUESTION), "yes", ARGUMENTS | {"name": "!"}) == Gate(False, Block.UNFIT, "name")
    with pytest.raises(PolicyError, match="tool book has no argument 'colour'; it takes day, name, time"):
        book(said(QUESTION), "yes", ARGUMENTS | {"colour": "blue"})
    with pytest.raises(PolicyError, match="it takes none"):
        decide(ToolShape("ping", ()), {"x": "y"}, committed=True)


def test_one_choice_inside_another_is_no_rival() -> None:
    part = Parameter("part", "choice", ("noon", "after noon"))
    tool = ToolShape("call_back", (part,), confirm=True)
    assert decide(tool, {"part": "after noon"}, committed=True, asked=said("after noon, right?"), answer="yes").allowed


REPLIES = st.lists(
    st.sampled_from("yes yeah no not right that is wednesday ten thirty miller but maybe eleven please ok".split()),
    max_size=5,
).map(" ".join)
QUESTIONS = st.lists(
    st.sampled_from("so wednesday thursday at ten thirty eleven for miller book cancel not , ?".split()),
    max_size=12,
).map(" ".join)


@given(st.none() | REPLIES, QUESTIONS | st.just(QUESTION), st.booleans())
def test_a_confirmed_tool_never_runs_without_commit_read_back_and_yes(
    reply: str | None, question: str, committed: bool
) -> None:
    gate = decide(BOOK, ARGUMENTS, committed=committed, asked=said(question), answer=reply, others=TOOLS)
    if gate.allowed:
        assert committed
        assert reply is not None
        assert answer(reply, "book wednesday ten thirty miller") == "yes"
        assert question.rstrip().endswith("?")
        assert all(word in question for word in ("wednesday", "ten thirty", "miller"))
        assert not any(word in question for word in ("thursday", "not"))


@given(st.text(max_size=40).filter(lambda text: answer(text, " ".join(ARGUMENTS.values())) != "yes"))
def test_no_text_opens_it_that_is_no_yes(reply: str) -> None:
    assert not book(said(QUESTION), reply).allowed


def test_who_refused_the_same_before_does_not_agree_with_a_bare_okay() -> None:
    """Heard of a caller whose name was misheard: four times no, then "okay, i'll call again later"."""

    def booked(reply: str, *refused: str) -> Block:
        return decide(BOOK, ARGUMENTS, committed=True, asked=said(QUESTION), answer=reply, refused=refused).reason

    other = "so that is thursday at ten thirty for miller, is that right?"
    assert booked("okay") is Block.CONFIRMED
    assert booked("okay", other) is Block.CONFIRMED
    assert booked("okay", other, QUESTION) is Block.REFUSED_BEFORE
    assert booked("um okay okay", QUESTION) is Block.REFUSED_BEFORE
    assert booked("okay yes", QUESTION) is Block.CONFIRMED
    assert booked("that's right", QUESTION) is Block.CONFIRMED
