"""The counting example: an agent without note and tools, in the form its model is trained on."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from agent_runtime.agent import Agent
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.call import run_call
from agent_runtime.doors.typed import TypedDoor
from agent_runtime.engines.core_language import CoreLanguage
from agent_runtime.testing.fakes import TimedVoice
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.counting import GREETING, counting_call, counting_card
from policies.trajectory import Role, Trajectory

FOLDER = Path(__file__).parents[2] / "examples" / "counting"
TUESDAY = datetime.date(2026, 11, 24)
TOKENIZER = Tokenizer.load(BOXED_MODEL)


@pytest.fixture(scope="module")
def agent() -> Agent:
    return Agent.load(FOLDER)


def test_card_and_greeting_are_those_of_training(agent: Agent) -> None:
    assert agent.card(TUESDAY).text == counting_card("tuesday", one_breath=False)
    assert agent.greeting == GREETING
    assert (agent.notes, agent.tools) == ((), ())
    breathless = Agent(name="counting", persona="helper. speak in one breath", greeting=GREETING)
    assert breathless.card(TUESDAY).text == counting_card("tuesday", one_breath=True)


def test_the_recogniser_hears_of_numbers(agent: Agent) -> None:
    words = {word for sentence in agent.sentences() for word in sentence.split()}
    assert {"count", "plus", "read", "seventeen", "ninety", "hundred", "fives"} <= words


def test_every_turn_of_training_is_one_the_runtime_lets_the_model_write(agent: Agent) -> None:
    lexicon = Lexicon(TOKENIZER, (BOXED_MODEL / "lexicon.txt").read_text("utf-8").split())
    language = CoreLanguage(TOKENIZER, agent, lexicon)
    turns = 0
    for seed in range(60):
        call = counting_call(Random(seed))
        segments = [replace(one, text=call.came.get(at, one.text)) for at, one in enumerate(call.segments)]
        for at, segment in enumerate(segments):
            if segment.role is not Role.TURN:
                continue
            grammar = language.grammar(Trajectory.of(segments[: at + 1]), after_result=False, blocked=(), due="")
            size = 0
            for later in segments[at + 1 :]:
                if later.role is Role.HEARD:
                    break
                for token in TOKENIZER.encode_parts(Trajectory((later,)).parts()):
                    if token != language.role(Role.CUT):
                        assert grammar.allowed() is not None
                        grammar.advance(token)
                        size += 1
                if later.close is Role.CUT:
                    break
            assert size <= language.turn_tokens
            turns += grammar.done
    assert turns > 120


def test_an_agent_without_notes_holds_a_whole_call(agent: Agent) -> None:
    """With the model in the box: whatever it writes, the call goes on and ends."""
    lines = iter(["count to three", None])
    call = run_call(
        agent, TypedDoor(lambda: next(lines)), today=TUESDAY, audio=False, voice=TimedVoice(first_s=0.0, word_ms=10)
    )
    assert call.ended.reason == "caller_hung_up"
    assert call.transcript[0] == ("agent", GREETING)
    assert call.transcript[1] == ("caller", "count to three")
    assert len(call.transcript) > 2
