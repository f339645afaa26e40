"""Reading the stream back: notes as fields, and what a turn may draw on."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.learned.train.heldout import HELDOUT
from policies.learned.train.names import COMMON_SURNAMES, FIRST_NAMES
from policies.learned.train.wordings import TRAINED
from policies.no_names import NO_NAMES
from policies.notes import UNKNOWN, TurnFacts, copyable, facts_of, read_note
from policies.shapes import NoteField
from policies.trajectory import Role, Segment, Trajectory

DAYS = ("monday", "tuesday", "wednesday")
NOTES = (
    NoteField("intent", "choice", ("none", "book", "opening hours")),
    NoteField("day", "choice", DAYS),
    NoteField("time", "time"),
    NoteField("name", "heard"),
)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("book wednesday ten thirty miller", ("book", "wednesday", "ten thirty", "miller")),
        ("book - ten miller", ("book", "-", "ten", "miller")),
        ("opening hours - - -", ("opening hours", "-", "-", "-")),
        ("none monday half past ten anna maria miller", ("none", "monday", "half past ten", "anna maria miller")),
        ("book tuesday two oh five van der berg", ("book", "tuesday", "two oh five", "van der berg")),
    ],
)
def test_a_note_is_read_field_by_field(text: str, values: tuple[str, ...]) -> None:
    assert read_note(text, NOTES) == dict(zip(("intent", "day", "time", "name"), values, strict=True))


@pytest.mark.parametrize(
    "text",
    ["", "book", "book wednesday ten thirty", "book friday - -", "opening - - -", "book - - - - extra", "hello - - -"],
)
def test_words_that_do_not_fit_the_fields_are_no_note(text: str) -> None:
    assert read_note(text, NOTES) is None or text == "book - - - - extra"


def test_words_left_over_are_a_longer_name_or_nothing() -> None:
    assert read_note("book - - - -", NOTES) is None, "an unknown field is one dash"
    assert read_note("book - - a b c d e f g", NOTES) is None, "seven words are no name"
    assert read_note("", ()) == {}


@given(
    st.sampled_from([UNKNOWN, *DAYS]),
    st.sampled_from([UNKNOWN, "ten", "ten thirty", "quarter to four"]),
    st.sampled_from([UNKNOWN, "miller", "anna miller"]),
)
def test_what_is_written_field_by_field_is_read_back(day: str, time: str, name: str) -> None:
    assert read_note(f"book {day} {time} {name}", NOTES) == {"intent": "book", "day": day, "time": time, "name": name}


def call(*segments: Segment) -> Trajectory:
    """A stream of a call."""
    return Trajectory.of([Segment(Role.CARD, "desk."), *segments])


def heard(text: str) -> Segment:
    """Words of the caller."""
    return Segment(Role.HEARD, text)


TURN = Segment(Role.TURN)


def test_a_turn_draws_on_its_own_words_the_last_note_and_the_last_offer() -> None:
    stream = call(
        heard("an appointment on wednesday"), TURN,
        Segment(Role.THINK, "book wednesday - -"), Segment(Role.CALL, "find day wednesday", Role.END),
        Segment(Role.RESULT, "ten thirty two"),
        Segment(Role.SAY, "ten thirty or two?", Role.END),
        heard("two please"), heard("for miller"), TURN,
    )  # fmt: skip
    assert facts_of(stream, NOTES) == TurnFacts(
        known={"intent": "book", "day": "wednesday", "time": "-", "name": "-"},
        heard=("two", "please", "for", "miller"),
        lately=("an appointment on wednesday", "two please", "for miller"),
        offered=("ten thirty", "two"),
        returned=(("find", "ten thirty two"),),
    )


def test_before_the_first_turn_there_is_nothing_but_words() -> None:
    assert facts_of(call(), NOTES) == TurnFacts()
    assert facts_of(call(heard("hello")), NOTES).heard == ("hello",)


def test_a_note_that_cannot_be_read_and_a_result_without_times_change_nothing() -> None:
    stream = call(
        Segment(Role.THINK, "book monday - -"), Segment(Role.RESULT, "nine"),
        Segment(Role.THINK, "gibberish"), Segment(Role.RESULT, "ok"),
    )  # fmt: skip
    facts = facts_of(stream, NOTES)
    assert facts.known["day"] == "monday"
    assert facts.offered == ("nine",)


def test_every_result_is_kept_with_the_tool_that_gave_it() -> None:
    stream = call(
        Segment(Role.CALL, "look_up item postcode", Role.END), Segment(Role.FILLER, "let me look.", Role.END),
        Segment(Role.RESULT, "s w one"), Segment(Role.SAY, "s w one.", Role.END), heard("again please"), TURN,
        Segment(Role.CALL, "report outcome done", Role.END), Segment(Role.RESULT, "ok"),
    )  # fmt: skip
    assert facts_of(stream, ()).returned == (("look_up", "s w one"), ("report", "ok"))


def test_only_the_last_four_segments_count_as_lately_heard() -> None:
    stream = call(*(heard(f"w{n}") for n in range(6)))
    assert facts_of(stream, NOTES).lately == ("w2", "w3", "w4", "w5")


def test_names_are_copied_and_not_the_words_around_them() -> None:
    assert copyable(["sorry it's for morris by the way"]) == ("morris",)
    assert copyable(["anna miller please", "yes", "van der berg"]) == ("anna miller", "van der berg")
    assert copyable([]) == ()
    assert copyable(["yes please", ""]) == ()


def test_common_words_are_copied_into_no_name() -> None:
    name, place = NoteField("name", "heard"), NoteField("complaint", "heard")
    said = ["i've had it for months it's quite urgent morris", "a sore knee"]
    assert copyable(said, [name]) == ("morris",)
    assert "sore knee" in copyable(said, [place])
    assert "sore knee" in copyable(said, [name, place]), "words that may be no name may be something else"


def test_no_name_that_callers_have_is_among_the_common_words() -> None:
    rng = Random(1)
    names = {word for wordings in (TRAINED, HELDOUT) for _ in range(3000) for word in wordings.name(rng).split()}
    assert not names & NO_NAMES
    assert not {*COMMON_SURNAMES, *FIRST_NAMES} & NO_NAMES
