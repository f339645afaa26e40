"""Coached calls to companies: where the model goes wrong the expert's turn stands in the stream and counts more."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from policies.learned.core import model as core_module
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.companies.corrections import Coached, coached_call
from policies.learned.train.companies.dialogue import converse, new_call
from policies.learned.train.companies.evaluate import ModelAgent
from policies.learned.train.companies.expert import Expert
from policies.learned.train.corrections import RIGHT, WRONG
from policies.learned.train.dialogue import Line
from policies.learned.train.expert import Action
from policies.learned.train.spoken_caller import Word
from policies.trajectory import Role

WEIGHTS = Path(core_module.__file__).parent / "weights" / "boxed"


class Deaf(ModelAgent):
    """A model that never understands a word."""

    def hear(self, words: list[Word]) -> Action:
        return Action("say", "sorry, i did not catch that.", "cancel - - - unclear")

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        return Action("say", "sorry, i did not catch that.")


@pytest.mark.parametrize("seed", range(6))
def test_the_expert_takes_over_every_wrong_turn_and_reaches_the_goal(seed: int) -> None:
    call = new_call(Random(seed))
    pupil = Deaf(CoreModel.load(WEIGHTS), Tokenizer.load(WEIGHTS), call, True)
    agent = Coached(pupil, Expert(call.case, Random(seed)))
    converse(call, agent, Line(), Random(seed))
    assert call.success, call.failure
    acted = [
        weight.role
        for segment, weight in zip(call.segments, call.weights, strict=True)
        if segment.role in (Role.SAY, Role.CALL, Role.SILENCE)
    ]
    assert set(acted) <= {RIGHT, WRONG}
    assert acted.count(WRONG) == agent.mistakes > 0


def test_calls_of_the_shipped_model_are_corrected_to_their_end() -> None:
    tokenizer = Tokenizer.load(WEIGHTS)
    lexicon = Lexicon(tokenizer, (WEIGHTS / "lexicon.txt").read_text("utf-8").split())
    calls = [coached_call(CoreModel.load(WEIGHTS), tokenizer, Random(seed), lexicon=lexicon) for seed in range(4)]
    assert all(len(call.segments) == len(call.weights) for call, _ in calls)
    assert sum(call.ended for call, _ in calls) >= 3
