"""Whole simulated calls to a company: the expert settles every case, and the stream keeps its form."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

import pytest

from policies.learned.train.companies.case import FILE_ITEMS, FORBIDDEN, OFFERS, TASKS, TERMS, good_enough, random_case
from policies.learned.train.companies.dialogue import Call, ExpertAgent, converse, expert_call, new_call
from policies.learned.train.companies.evaluate import NOTE_FIELDS, distinct_pairs
from policies.learned.train.companies.expert import Expert
from policies.learned.train.companies.heldout import HELDOUT
from policies.learned.train.companies.rep import plan
from policies.learned.train.companies.spoken_rep import understand
from policies.learned.train.companies.wordings import TRAINED
from policies.learned.train.dialogue import Line
from policies.learned.train.expert import Action
from policies.learned.train.spoken_caller import Word
from policies.notes import read_note
from policies.trajectory import Role

CONDITIONS: dict[str, Callable[[Random], Call]] = {
    "clean": lambda rng: expert_call(rng, line=Line()),
    "any noise": lambda rng: expert_call(rng),
    "unseen wordings, 10 % errors": lambda rng: expert_call(rng, line=Line(0.1), wordings=HELDOUT),
    "restless": lambda rng: expert_call(rng, restless=1.8),
    "own slips and stumbles": lambda rng: expert_call(rng, slip_rate=0.1, stumble_rate=0.05, restless=1.8),
}
CALLS = 60
FORM = re.compile(
    r"<card>[^<]+"
    r"((<heard>[^<]+|<think>[^<]+)*<turn>"
    r"<think>[^<]+<expect>[^<]*"
    r"(<call>[^<]+<end>(<filler>[^<]+<end>)*<result>[^<]+<expect>[^<]*)*"
    r"(<silence>|<say>[^<]+(<end>|<cut>|<bye>)))+"
)
EXPECTED = {*FILE_ITEMS, *FORBIDDEN, "offer", "done", "refusal", "hold", "ok", "value", "bye", "other"}


@pytest.fixture(scope="module", params=CONDITIONS)
def calls(request: pytest.FixtureRequest) -> list[Call]:
    return [CONDITIONS[request.param](Random(seed)) for seed in range(CALLS)]


def texts(call: Call, role: Role) -> list[str]:
    return [segment.text for segment in call.segments if segment.role is role]


def test_the_expert_settles_every_case(calls: list[Call]) -> None:
    assert [(index, call.failure) for index, call in enumerate(calls) if not call.success] == []


def test_the_stream_has_the_form_of_a_trajectory(calls: list[Call]) -> None:
    for call in calls:
        text = call.trajectory().text()
        assert FORM.fullmatch(text), text
        assert text == text.lower()
        assert len(call.segments) == len(call.weights)
        assert not re.search(r"\d", text)


def test_every_note_reads_as_the_five_fields(calls: list[Call]) -> None:
    for call in calls:
        for note in texts(call, Role.THINK):
            fields = read_note(note, NOTE_FIELDS)
            assert fields is not None, note
            assert fields["task"] == call.case.task


def test_expectations_are_of_the_agreed_words(calls: list[Call]) -> None:
    assert {text for call in calls for text in call.came.values()} <= EXPECTED
    own = {text for call in calls for text in texts(call, Role.EXPECT)} - {""}
    assert own <= {call.case.hinted for call in calls}


def test_the_card_is_of_the_agreed_form(calls: list[Call]) -> None:
    items = "|".join(FILE_ITEMS)
    accept = rf"nothing|({'|'.join(OFFERS)}) for ({'|'.join(TERMS)})"
    form = re.compile(
        rf"calls desk for [a-z']+ [a-z']+\. calling [a-z']+ [a-z']+\. task: ({'|'.join(TASKS.values())})\. "
        rf"on file: ({items})(, ({items})){{1,4}}\. may accept: ({accept})\. today is [a-z]+day\.( hint: [a-z ]+\.)*"
    )
    for call in calls:
        assert form.fullmatch(call.segments[0].text), call.segments[0].text


def test_a_report_is_made_once_and_only_the_goodbye_comes_after_it(calls: list[Call]) -> None:
    for call in calls:
        roles = [(segment.role, segment.text.split()[:1]) for segment in call.segments]
        at = roles.index((Role.CALL, ["report"]))
        assert [role for role, _ in roles[at:]] == [Role.CALL, Role.RESULT, Role.EXPECT, Role.SAY]
        assert call.segments[-1].close is Role.BYE


def test_the_agent_says_what_it_may_and_nothing_else(calls: list[Call]) -> None:
    for call in calls:
        said = " ".join(texts(call, Role.SAY))
        looked_up = set(call.case.looked_up)
        for item in call.case.on_file:
            assert call.case.values[item] not in said or item in looked_up or item == "new address", (item, said)
        assert not looked_up & set(FORBIDDEN)
        assert looked_up <= set(call.case.on_file)


def test_a_hinted_item_is_looked_up_before_the_first_sentence() -> None:
    prepared = 0
    for seed in range(120):
        call = expert_call(Random(seed), line=Line(cuts=0, thoughts=0))
        if call.case.hinted not in call.case.on_file or not texts(call, Role.SAY)[0].startswith("hello, i am"):
            continue
        prepared += 1
        first = next(at for at, segment in enumerate(call.segments) if segment.role is Role.CALL)
        assert call.segments[first].text == f"look_up item {call.case.hinted}"
        assert call.segments[first - 1].text == call.case.hinted
        assert call.segments[first - 1].role is Role.EXPECT
        assert not [segment for segment in call.segments[:first] if segment.role is Role.SAY]
    assert prepared > 10


def test_a_slip_is_shown_and_not_learned() -> None:
    weights = [
        weight.words
        for seed in range(60)
        for call in [expert_call(Random(seed), slip_rate=0.3)]
        for segment, weight in zip(call.segments, call.weights, strict=True)
        if segment.role is Role.THINK
    ]
    assert weights.count(0.0) > 10
    assert weights.count(1.0) > 3 * weights.count(0.0)


def test_what_was_misheard_is_corrected() -> None:
    corrected = [
        call
        for seed in range(150)
        for call in [expert_call(Random(seed), line=Line(cuts=0))]
        if any(said.startswith("no. the ") for said in texts(call, Role.SAY))
    ]
    assert len(corrected) > 3
    assert not any(call.rep.confirmed_wrong for call in corrected)


@dataclass(slots=True)
class Faulty(ExpertAgent):
    """The expert with one fault, to see that each fault is found."""

    fault: str = ""
    offered: str = ""

    def hear(self, words: list[Word]) -> Action:
        heard = understand(words)
        self.offered = f"{heard.offer} for {heard.term}"
        return self.spoiled(self.expert.turn(heard))

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        if arguments.get("item") in FORBIDDEN:
            return Action("say", "i am not allowed to give that. can i verify with something else?")
        return self.spoiled(self.expert.returned(tool, arguments, result))

    def spoiled(self, action: Action) -> Action:
        """`action` with the fault in it, where there is room for it."""
        if self.fault == "wrong value" and re.match("the [a-z ]+ is ", action.text):
            return replace(action, text=re.sub(r" is [a-z ]+", " is seven", action.text))
        if self.fault == "bad offer taken" and action.text == "is there a better offer?":
            return replace(action, text=f"{self.offered} is fine. yes please.")
        if self.fault == "wrong outcome" and action.tool == "report":
            other = "done" if action.arguments["outcome"] == "refused" else "refused"
            return replace(action, arguments={**action.arguments, "outcome": other})
        if self.fault == "no report" and action.tool == "report":
            return replace(action, kind="say", tool="", text="thank you. goodbye.", bye=True)
        if self.fault == "forbidden looked up" and "not allowed" in action.text:
            return replace(action, kind="call", tool="look_up", arguments={"item": self.expert.asked or ""})
        return action


@pytest.mark.parametrize(
    "fault", ["wrong value", "bad offer taken", "wrong outcome", "no report", "forbidden looked up"]
)
def test_each_fault_of_an_agent_is_found(fault: str) -> None:
    found = set()
    for seed in range(80):
        rng = Random(seed)
        call = new_call(rng)
        converse(call, Faulty(Expert(call.case, rng), fault), Line(cuts=0), rng)
        found.add(call.failure)
    assert found - {""} == {fault}


def test_an_offer_is_good_enough_from_its_percentage_up_and_its_term_down() -> None:
    assert good_enough(("ten percent", "one year"), ("ten percent", "two years"))
    assert good_enough(("thirty percent", "two years"), ("ten percent", "two years"))
    assert not good_enough(("thirty percent", "two years"), ("ten percent", "one year"))
    assert not good_enough(("five percent", "one year"), ("ten percent", "one year"))
    assert not good_enough(("thirty percent", "one year"), None)


def test_what_the_representative_says_varies() -> None:
    calls = [expert_call(Random(seed), line=Line(hesitation=False)) for seed in range(200)]
    assert distinct_pairs(calls) > 0.2


def test_a_restless_representative_asks_more_that_leads_nowhere() -> None:
    def asides(restless: float) -> int:
        plans = [plan(random_case(Random(seed), TRAINED), "brisk", Random(seed), restless) for seed in range(400)]
        return sum(step.act in {"who", "whose", "why", "topic", "hold"} for steps in plans for step in steps)

    assert asides(1.8) > 2 * asides(1.0)
