"""Wishes and answers made up without end: what is marked is what they say, and the rules know the words of approval."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from policies.agreement import answer
from policies.learned.train.invented import APPROVALS, ache, assent, need, withdrawal
from policies.learned.train.spoken_caller import Word, text_of, understand

MAKERS: tuple[tuple[Callable[[Random], list[Word]], set[str]], ...] = (
    (ache, set()),
    (need, {"book"}),
    (withdrawal, {"cancel"}),
    (assent, {"yes"}),
)


@pytest.mark.parametrize(("make", "acts"), MAKERS)
def test_every_piece_says_what_it_is_for_and_nothing_else(make: Callable[[Random], list[Word]], acts: set[str]) -> None:
    pieces = [make(Random(seed)) for seed in range(400)]
    for words in pieces:
        assert not set("{}*!|()") & set(text_of(words)), text_of(words)
        assert understand(words, "monday").acts == acts, text_of(words)
    assert len({text_of(words) for words in pieces}) > 150


def test_every_word_of_approval_is_one_by_rule() -> None:
    assert [word for word in APPROVALS if answer(f"that's {word}") != "yes"] == []
