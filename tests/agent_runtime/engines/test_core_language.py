"""The core model's language under a lexicon: what a turn may say and note, for agents of more than one shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_runtime.agent import Agent
from agent_runtime.boxed import COMPANIES, FRONT_DESK
from agent_runtime.engines.core_language import CoreLanguage
from policies.learned.core import tokenizer as tokenizer_module
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.tokenizer import Tokenizer
from policies.trajectory import Role, Segment, Trajectory

TOKENIZER = Tokenizer.load(Path(tokenizer_module.__file__).parent / "weights" / "boxed")
LEXICON = Lexicon(TOKENIZER, "the is number on thank you".split())
TURN = Segment(Role.TURN)


def stream(agent: Agent, *segments: Segment) -> Trajectory:
    assert agent.today is not None
    return Trajectory.of([agent.card(agent.today), *segments])


def heard(text: str) -> Segment:
    return Segment(Role.HEARD, text)


def looked_up(call: str, result: str) -> tuple[Segment, Segment]:
    return Segment(Role.CALL, call, Role.END), Segment(Role.RESULT, result)


def accepts(agent: Agent, trajectory: Trajectory, *pieces: str, after_result: bool = False) -> bool:
    """Whether the grammar of the next turn lets these pieces of the turn be written."""
    grammar = CoreLanguage(TOKENIZER, agent, LEXICON).grammar(trajectory, after_result=after_result, blocked=(), due="")
    for token in TOKENIZER.encode_parts(pieces):
        allowed: Any = grammar.allowed()
        if not allowed[token]:
            return False
        grammar.advance(token)
    return True


def says(agent: Agent, trajectory: Trajectory, text: str) -> bool:
    """Whether this may be said on a tool's result."""
    return accepts(agent, trajectory, "<expect>", " done", "<say>", f" {text}", "<end>", after_result=True)


@pytest.fixture(scope="module")
def desk() -> Agent:
    return Agent.load(COMPANIES)


@pytest.fixture(scope="module")
def clinic() -> Agent:
    return Agent.load(FRONT_DESK)


def test_what_a_read_tool_gave_may_be_said_for_the_rest_of_the_call(desk: Agent) -> None:
    asked = heard("the customer number please"), TURN
    number = looked_up("look_up item customer number", "four four seven one")
    assert not says(desk, stream(desk, *asked), "the number is four four seven one.")
    assert says(desk, stream(desk, *asked, *number), "the number is four four seven one.")
    later = stream(
        desk, *asked, *number, heard("and the postcode"), TURN, *looked_up("look_up item postcode", "s w one")
    )
    assert says(desk, later, "s w one.")
    assert says(desk, later, "the number is four four seven one."), "it may be asked for again"
    assert not says(desk, later, "the number is nine.")


def test_results_of_writes_and_words_of_the_runtime_are_no_values(desk: Agent) -> None:
    assert not says(desk, stream(desk, *looked_up("report outcome done", "recorded")), "recorded.")
    assert says(desk, stream(desk, *looked_up("look_up item email", "not recorded")), "not recorded.")
    failed = stream(desk, *looked_up("look_up item email", "failed"))
    assert not says(desk, failed, "failed.")


def test_a_masked_number_is_not_said(desk: Agent) -> None:
    masked = stream(desk, *looked_up("look_up item phone number", "[digits 7] or seven"))
    assert says(desk, masked, "seven.")
    assert not says(desk, masked, "[digits 7].")


def test_words_of_the_persona_may_be_said_without_its_colons(desk: Agent) -> None:
    assert says(desk, stream(desk), "anna miller, the task is on file.")
    assert not says(desk, stream(desk), "task: cancel.")


def test_times_of_an_old_list_are_no_longer_on_offer(clinic: Agent) -> None:
    wednesday = looked_up("find_slots day wednesday", "eight eleven five")
    friday = looked_up("find_slots day friday", "nine")
    assert says(clinic, stream(clinic, *wednesday), "eleven.")
    assert says(clinic, stream(clinic, *wednesday, *friday), "nine.")
    assert not says(clinic, stream(clinic, *wednesday, *friday), "eleven.")


def test_a_note_on_the_answer_is_the_rules_only_where_a_write_needs_a_yes(desk: Agent, clinic: Agent) -> None:
    done = heard("okay the contract is cancelled now"), TURN
    assert accepts(desk, stream(desk, *done), "<think>", " cancel - - - yes", "<expect>")
    assert not accepts(clinic, stream(clinic, *done), "<think>", " cancel - - - - yes", "<expect>")
    assert accepts(clinic, stream(clinic, heard("yes please"), TURN), "<think>", " cancel - - - - yes", "<expect>")


def test_a_call_may_choose_what_is_looked_up_but_nothing_that_is_never_told(desk: Agent) -> None:
    head = "<think>", " cancel pin - - -", "<expect>", " value", "<call>"
    asked = stream(desk, heard("what is the pin"), TURN)
    assert accepts(desk, asked, *head, " look_up item postcode", "<end>")
    assert not accepts(desk, asked, *head, " look_up item pin", "<end>")
    assert not accepts(desk, asked, *head, " look_up item card number", "<end>")


def test_a_report_carries_the_offer_that_the_note_holds(desk: Agent) -> None:
    head = "<think>", " discount - ten percent one year yes", "<expect>", " ok", "<call>"
    asked = stream(desk, heard("ten percent for one year then"), TURN)
    assert accepts(desk, asked, *head, " report outcome agreed offer ten percent term one year", "<end>")
    assert not accepts(desk, asked, *head, " report outcome agreed offer five percent term one year", "<end>")
