"""Thoughts put into a turn where the model wavers: only in bits, only before a new word, and the turn stays whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from policies.learned.core import tokenizer as tokenizer_module
from policies.learned.core.grammar import TurnGrammar
from policies.learned.core.paced import PacedTurn
from policies.learned.core.tokenizer import Tokenizer
from policies.pace import Pace, PaceSettings
from policies.trajectory import Role

TOKENIZER = Tokenizer.load(Path(tokenizer_module.__file__).parent / "weights" / "boxed")
MORE, END = (TOKENIZER.special[str(role)] for role in (Role.MORE, Role.END))
SPEECH = " one, two, three."


def written(doubtful: Callable[[str], bool], *, interleaved: bool = True, most: int = 8) -> str:
    """A turn whose model wants to say `SPEECH` and is in doubt where `doubtful` of what it said in this bit."""
    turn = TurnGrammar(TOKENIZER, (), (), interleaved=interleaved)
    paced = PacedTurn(turn, TOKENIZER, Pace(PaceSettings(most=most, nats=0.5)))
    taken: list[int] = []

    def take(token: int) -> int:
        token = paced.reconsider(token, lambda: 1.0 if doubtful(turn.saying) else 0.0)
        paced.advance(token)
        taken.append(token)
        return token

    for token in TOKENIZER.encode_parts(["<think>", " up to three", "<expect>", " bye", "<say>"]):
        assert take(token) == token
    wanted = [*TOKENIZER.encode(SPEECH), END]
    while wanted:
        if take(wanted[0]) == MORE:
            for token in TOKENIZER.encode_parts(["<think>", " hm", "<say>"]):
                assert take(token) == token
        else:
            wanted.pop(0)
    assert paced.done
    return TOKENIZER.decode(taken)


def test_a_sure_model_speaks_in_one_go() -> None:
    assert written(lambda said: False).count("<more>") == 0


def test_a_thought_stands_where_the_model_wavers() -> None:
    text = written(lambda said: said == "one, two,")
    assert "<say> one, two,<more><think> hm<say> three.<end>" in text


def test_a_word_is_never_broken() -> None:
    for thought in written(lambda said: True).split("<say>")[1:-1]:
        assert thought.split("<more>")[0] in (" one,", " two,")


@pytest.mark.parametrize("most", [0, 1, 2])
def test_no_more_thoughts_than_the_pace_allows(most: int) -> None:
    assert written(lambda said: True, most=most).count("<more>") == most


def test_where_a_turn_may_not_go_in_bits_nothing_is_put_in() -> None:
    assert written(lambda said: True, interleaved=False).count("<more>") == 0
