"""Whole simulated calls: the expert reaches the goal, writes after a yes only, and the stream keeps its form."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random

import pytest

from policies.learned.train.appointments import Calendar, Visit, random_calendar
from policies.learned.train.dialogue import Call, Line, converse, expert_call, new_call
from policies.learned.train.expert import Action, Expert, Situation, listed
from policies.learned.train.heldout import HELDOUT, HELDOUT_SURNAMES
from policies.learned.train.names import COMMON_SURNAMES
from policies.learned.train.questions import SETTLED
from policies.learned.train.secondhand import SECOND_HAND
from policies.learned.train.spoken_caller import DAYS, PARTS, Understood, Word
from policies.learned.train.wordings import TRAINED, Wordings
from policies.trajectory import Role

CONDITIONS: dict[str, Callable[[Random], Call]] = {
    "clean": lambda rng: expert_call(rng, line=Line()),
    "any noise": lambda rng: expert_call(rng),
    "unseen wordings, 15 % errors": lambda rng: expert_call(rng, line=Line(0.15), wordings=HELDOUT),
    "second-hand wordings": lambda rng: expert_call(rng, line=Line(0.05), wordings=SECOND_HAND),
    "restless": lambda rng: expert_call(rng, line=Line(), restless=1.8),
    "own slips": lambda rng: expert_call(rng, slip_rate=0.1),
}
CALLS = 100


@pytest.fixture(scope="module", params=CONDITIONS)
def calls(request: pytest.FixtureRequest) -> list[Call]:
    return [CONDITIONS[request.param](Random(seed)) for seed in range(CALLS)]


def test_the_expert_reaches_every_goal_and_writes_after_a_yes_only(calls: list[Call]) -> None:
    assert [index for index, call in enumerate(calls) if not call.success] == []
    assert not any(call.early_write for call in calls)


FORM = re.compile(
    r"<card>[^<]+(<say>[^<]+(<end>|<cut>))?"
    r"((<heard>[^<]+|<think>[^<]+)*<turn>"
    r"<think>[^<]+<expect>[^<]*"
    r"(<call>[^<]+<end>(<filler>[^<]+<end>)*<result>[^<]+<expect>[^<]*)*"
    r"(<silence>|<say>[^<]+(<end>|<cut>|<bye>)))+"
)


def test_the_stream_has_the_form_of_a_trajectory(calls: list[Call]) -> None:
    for call in calls:
        text = call.trajectory().text()
        assert FORM.fullmatch(text), text
        assert text == text.lower()
        assert len(call.segments) == len(call.weights)


def test_notes_hold_six_fields_and_names_that_were_said(calls: list[Call]) -> None:
    for call in calls:
        heard = ""
        for segment, weight in zip(call.segments, call.weights, strict=True):
            if segment.role is Role.HEARD:
                heard += f" {segment.text}"
            if segment.role is not Role.THINK or weight.words == 0:
                continue  # a slip of our own: shown, not learned
            intent, *_, answer = segment.text.split()
            assert intent in {"none", "book", "cancel", "hours", "other"}
            assert answer in {"-", "yes", "no", "unclear"}


def test_a_slip_is_shown_and_not_learned() -> None:
    slipped = [
        weight
        for seed in range(40)
        for call in [expert_call(Random(seed), slip_rate=0.3)]
        for segment, weight in zip(call.segments, call.weights, strict=True)
        if segment.role is Role.THINK and weight.words == 0
    ]
    assert slipped


def test_whole_turns_that_go_wrong_are_not_learned_and_the_call_recovers() -> None:
    calls = [expert_call(Random(seed), line=Line(), stumble_rate=0.1) for seed in range(80)]
    unlearned = [
        weight.words
        for call in calls
        for segment, weight in zip(call.segments, call.weights, strict=True)
        if segment.role is Role.SAY and weight.words == 0
    ]
    assert len(unlearned) > 40
    assert sum(call.success for call in calls) >= 76
    assert not any(call.early_write for call in calls)


def test_expectations_are_what_really_came() -> None:
    for seed in range(30):
        call = expert_call(Random(seed), line=Line(cuts=0, thoughts=0))
        segments = call.segments
        assert set(call.came) == {index for index, one in enumerate(segments) if one.role is Role.EXPECT}
        for index, came in call.came.items():
            assert not segments[index].text, "what came does not stand in the stream"
            assert len(came.split()) in (1, 2)
            assert (came == "more") or segments[index + 1].role is not Role.SILENCE
        results = [segment.text for segment in segments if segment.role is Role.RESULT]
        assert all(result in {"ok", "taken", "none", "not found"} or result.split()[0] for result in results)


def test_the_card_can_ask_for_the_name_first() -> None:
    expert = Expert(Situation(name_first=True), Random(1))
    assert "name" in expert.turn(Understood(acts={"book"}, words=3)).text
    assert "which day" in expert.turn(Understood(name="miller", words=1)).text


def test_a_cut_read_back_is_read_again_although_the_caller_said_yes() -> None:
    expert = Expert(Situation(), Random(1))
    expert.turn(Understood(acts={"cancel"}, day="friday", name="bo", words=5))
    assert expert.question == "readback"
    expert.cut()
    assert expert.turn(Understood(acts={"yes"}, words=1)).kind == "say"
    assert expert.turn(Understood(acts={"yes"}, words=1)).tool == "cancel_booking"


def broken_off(heard: str) -> Expert:
    """An expert that has cancelled a visit and was cut after `heard`."""
    expert = Expert(Situation(), Random(1))
    expert.turn(Understood(acts={"cancel"}, day="friday", name="bo", words=5))
    expert.turn(Understood(acts={"yes"}, words=1))
    expert.returned("cancel_booking", {}, "ok")
    expert.cut(heard)
    return expert


def test_what_was_done_is_said_again_when_its_sentence_was_broken_off() -> None:
    for acts, words in ((set[str](), 1), ({"yes"}, 1), ({"pardon"}, 3), (set[str](), 0)):
        expert = broken_off("done.")
        action = expert.turn(Understood(acts=acts, words=words))
        assert "your visit is cancelled." in action.text
        assert (action.note or "").startswith("none - - - bo")
        assert "cancelled" not in expert.turn(Understood(words=1)).text


def test_a_wish_or_a_goodbye_after_a_broken_confirmation_is_taken_as_one() -> None:
    assert "which day" in broken_off("done.").turn(Understood(acts={"book"}, words=4)).text
    assert broken_off("done.").turn(Understood(acts={"bye"}, words=1)).bye
    assert (
        "cancelled"
        not in broken_off("done. your visit on friday is cancelled. anything else").turn(Understood(words=1)).text
    )


def test_restless_callers_wish_twice_and_break_off_confirmations_and_others_do_not() -> None:
    def of(restless: float) -> tuple[int, int]:
        calls = [expert_call(Random(seed), line=Line(), restless=restless) for seed in range(80)]
        said = [segment for call in calls for segment in call.segments if segment.role is Role.SAY]
        broken = sum(segment.close is Role.CUT and "else" not in segment.text for segment in said if done(segment.text))
        return sum(len(call.caller.agreed) > 1 for call in calls), broken

    def done(text: str) -> bool:
        return text.startswith(SETTLED)

    assert of(1.0)[1] == 0
    assert of(1.8)[1] > 8
    assert of(1.8)[0] > 1.5 * of(1.0)[0]


class Curt:
    """Says what was done in one sentence, as a model does that has hardly begun to learn."""

    def hear(self, segments: list[list[Word]]) -> Action:
        return Action("say", "all set. thanks.", "none - - - - -", expect="bye")

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        raise AssertionError("it calls nothing")


def test_a_confirmation_in_few_sentences_is_heard_whole() -> None:
    for seed in range(20):
        call = converse(new_call(Random(seed), restless=1.8), Curt(), Line(cuts=0.0), Random(seed), max_turns=4)
        assert not any(segment.close is Role.CUT for segment in call.segments[2:])


def test_a_crowded_calendar_has_parts_of_days_without_a_time() -> None:
    def full(crowded: float) -> int:
        books = [random_calendar(Random(seed), crowded=crowded) for seed in range(60)]
        return sum(not book.find(day, part) for book in books for day in DAYS for part in PARTS)

    assert full(0.5) > full(0.0) + 60
    assert all(random_calendar(Random(seed)) == random_calendar(Random(seed), crowded=0) for seed in range(9))


def test_a_thought_in_mid_turn_changes_nothing() -> None:
    expert = Expert(Situation(), Random(1))
    assert expert.peek(Understood(acts={"book"}, day="friday", words=4)) == "book friday - - - -"
    assert expert.note() == "none - - - - -"


def test_the_calendar_answers_as_the_tools_do() -> None:
    calendar = Calendar({"monday": ["nine", "two"]}, [Visit("friday", "", "bo")], {("monday", "two")})
    assert calendar.run("find_slots", {"day": "monday"}) == "nine two"
    assert calendar.run("find_slots", {"day": "monday", "part": "afternoon"}) == "two"
    assert calendar.run("find_slots", {"day": "tuesday"}) == "none"
    assert calendar.run("book", {"day": "monday", "time": "two", "name": "bo"}) == "taken"
    assert calendar.run("book", {"day": "monday", "time": "nine", "name": "bo"}) == "ok"
    assert calendar.run("book", {"day": "monday", "time": "nine", "name": "bo"}) == "taken"
    assert calendar.run("cancel_booking", {"day": "friday", "name": "jo"}) == "not found"
    assert calendar.run("cancel_booking", {"day": "friday", "name": "bo"}) == "ok"
    assert (len(calendar.booked), len(calendar.cancelled), calendar.visits) == (1, 1, [Visit("monday", "nine", "bo")])
    with pytest.raises(KeyError, match="no tool 'dance'"):
        calendar.run("dance", {})
    assert (listed([]), listed(["ten"]), listed(["nine", "ten", "two"])) == ("", "ten", "nine, ten or two")


def expanded(wordings: Wordings) -> dict[str, set[str]]:
    """Every piece of every act with its alternatives written out."""

    def spread(piece: str) -> set[str]:
        found = re.search(r"\(([^()]*)\)", piece)
        if found is None:
            return {" ".join(piece.replace("*", "").replace("!", "").split())}
        head, tail = piece[: found.start()], piece[found.end() :]
        return {text for option in found[1].split("|") for text in spread(head + option + tail)}

    return {act: {text for piece in pieces for text in spread(piece)} for act, pieces in wordings.pieces.items()}


def test_no_test_piece_and_no_test_name_stands_in_training() -> None:
    trained, heldout = expanded(TRAINED), expanded(HELDOUT)
    assert trained.keys() == heldout.keys() == SECOND_HAND.pieces.keys()
    shared = {act: trained[act] & heldout[act] for act in trained if trained[act] & heldout[act]}
    assert shared == {}
    assert not set(HELDOUT_SURNAMES) & set(COMMON_SURNAMES)
