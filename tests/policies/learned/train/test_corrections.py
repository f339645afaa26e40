"""Coached calls: the model's mistakes are corrected, and some are carried out for the way back to be learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from safetensors.numpy import load_file

from policies.learned.core import model as core_module
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.corrections import RIGHT, WRONG, Coached, coached_call, same
from policies.learned.train.dialogue import Line, Teacher, converse, new_call
from policies.learned.train.evaluate import ModelAgent
from policies.learned.train.expert import Action, Expert
from policies.learned.train.lessons import Lessons, corrected_rows, new_rows, row_of
from policies.learned.train.spoken_caller import Word
from policies.trajectory import Role

WEIGHTS = Path(core_module.__file__).parent / "weights" / "boxed"
WORDS = (WEIGHTS / "lexicon.txt").read_text("utf-8").split()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.load(WEIGHTS)


@pytest.fixture(scope="module")
def model() -> CoreModel:
    return CoreModel.load(WEIGHTS)


class Deaf(ModelAgent):
    """A model that never understands a word: the worst pupil there is."""

    def hear(self, segments: list[list[Word]]) -> Action:
        return Action("say", "sorry, i did not catch that. would you like to book or cancel a visit?", "none - - - - -")

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        return Action("say", "which day suits you?")


def test_turns_that_mean_the_same_are_the_same() -> None:
    left = Action("say", "all right. which day suits you?", "book - - - - -")
    assert same(left, replace(left, text="sure. which day would you like?"))
    assert not same(left, replace(left, text="sure. what is your name?"))
    assert not same(left, replace(left, note="cancel - - - - -"))
    assert not same(left, replace(left, text="sorry, monday is full. which other day suits you?"))


@pytest.mark.parametrize("seed", range(8))
def test_wrong_turns_count_more_and_mistakes_that_are_carried_out_not_at_all(
    seed: int, model: CoreModel, tokenizer: Tokenizer
) -> None:
    call = new_call(Random(seed))
    agent = Coached(Deaf(model, tokenizer, call, True), Expert(call.situation, Random(seed)), Random(seed))
    assert isinstance(agent, Teacher)
    converse(call, agent, Line(), Random(seed), max_turns=12)
    begin = next(at for at, one in enumerate(call.segments) if one.role is Role.HEARD)
    acted = [
        weight.words if segment.role is not Role.SILENCE else weight.role
        for segment, weight in zip(call.segments[begin:], call.weights[begin:], strict=True)
        if segment.role in (Role.SAY, Role.CALL, Role.SILENCE)
    ]
    assert set(acted) <= {0.0, RIGHT, WRONG}
    assert acted.count(0.0) + acted.count(WRONG) == agent.mistakes > 0
    assert WRONG in acted, "the expert's turn stands in the stream"


def test_calls_of_the_shipped_model_are_corrected_towards_the_goal(model: CoreModel, tokenizer: Tokenizer) -> None:
    lexicon = Lexicon(tokenizer, WORDS)
    calls = [coached_call(model, tokenizer, Random(seed), lexicon=lexicon)[0] for seed in range(6)]
    assert not any(call.early_write for call in calls)
    assert sum(call.ended for call in calls) >= 4
    for call in calls:
        row = row_of(call, tokenizer, Random(0), most=10_000)
        guesses = [one.text for one in call.segments if one.role is Role.EXPECT]
        assert all(guesses)  # the model's own, so the stream is the one that it wrote
        assert len(row.ids) == len(row.weights) == len(tokenizer.encode_parts(call.trajectory().parts()))


def test_a_round_of_corrections_follows_from_its_seed_and_is_drawn_in_its_share(
    model: CoreModel, tokenizer: Tokenizer
) -> None:
    tensors = {name: array.astype("float32") for name, array in load_file(WEIGHTS / "model.safetensors").items()}
    given = (model.config, tensors, str(WEIGHTS), WORDS, 3)
    whole, mistakes = corrected_rows(*given, range(2))
    # who plays a call changes nothing about it: a round is shared out among processes
    parts = [corrected_rows(*given, [number]) for number in range(2)]
    assert mistakes == sum(wrong for _, wrong in parts)
    for one, two in zip(whole, (row for rows, _ in parts for row in rows), strict=True):
        assert (one.ids == two.ids).all()
        assert (one.wanted == two.wanted).all()
        assert (one.weights == two.weights).all()
    mark = whole[0]
    lessons = Lessons(new_rows(tokenizer, Random(1)), Random(1), corrected_share=0.5)
    lessons.correct([mark])
    rows = lessons.draw(300, 64)
    share = sum((row.ids == mark.ids[:64]).all() for row in rows if len(row.ids) == 64) / len(rows)
    assert 0.4 < share < 0.6
