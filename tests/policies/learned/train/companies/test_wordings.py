"""Pieces of the representative: understood as what they are, and never in both sets."""

from __future__ import annotations

import dataclasses
from random import Random

import pytest

from policies.learned.train.companies.case import FILE_ITEMS, FORBIDDEN
from policies.learned.train.companies.heldout import (
    HELDOUT,
    HELDOUT_COMPANY_FIRST,
    HELDOUT_COMPANY_SECOND,
    HELDOUT_FIRST_NAMES,
)
from policies.learned.train.companies.spoken_rep import RepWord, say_act, understand
from policies.learned.train.companies.wordings import (
    COMPANY_FIRST,
    COMPANY_SECOND,
    ITEM_PHRASES,
    TERM_PHRASES,
    TRAINED,
    WRAPPED,
    RepWordings,
)
from policies.learned.train.names import FIRST_NAMES
from policies.learned.train.noise import hesitate, split_points
from policies.learned.train.spoken_caller import said, text_of

PLAIN = frozenset(
    {"greet", "ask", "ask_else", "no_ask", "readback", "back", "thanks", "offer", "offer_bare", "term", "tail", "hum"}
)
"""Acts that are told by their values, or that tell nothing."""


def test_both_sets_have_the_same_acts_and_share_no_piece() -> None:
    assert TRAINED.pieces.keys() == HELDOUT.pieces.keys()
    for act, pieces in TRAINED.pieces.items():
        plain = {piece.replace("*", "").replace("!", "") for piece in pieces}
        assert not plain & {piece.replace("*", "").replace("!", "") for piece in HELDOUT.pieces[act]}
        assert len(set(pieces)) == len(pieces)


def test_names_and_companies_are_held_out() -> None:
    assert not set(HELDOUT_FIRST_NAMES) & set(FIRST_NAMES)
    assert not set(HELDOUT_COMPANY_FIRST) & set(COMPANY_FIRST)
    assert not set(HELDOUT_COMPANY_SECOND) & set(COMPANY_SECOND)


@pytest.mark.parametrize("wordings", [TRAINED, HELDOUT], ids=["trained", "unseen"])
def test_each_piece_is_understood_as_its_act_alone(wordings: RepWordings) -> None:
    for act in wordings.pieces.keys() - PLAIN:
        for seed in range(60):
            heard = understand(say_act(wordings, act, Random(seed)))
            assert heard.acts == {act}, (act, seed)
            assert (heard.asked, heard.offer, heard.term, heard.value) == (None, None, None, None)


@pytest.mark.parametrize("wordings", [TRAINED, HELDOUT], ids=["trained", "unseen"])
def test_pieces_without_marks_say_their_values_only(wordings: RepWordings) -> None:
    values = {"company": "north gas", "item": "pin", "value": "one two", "offer": "ten percent", "term": "two years"}
    for act in PLAIN:
        for seed in range(30):
            assert not understand(say_act(wordings, act, Random(seed), values)).acts


@pytest.mark.parametrize("item", [*FILE_ITEMS, *FORBIDDEN])
@pytest.mark.parametrize("act", ["ask", "ask_else", "no_ask"])
def test_each_way_to_name_an_item_is_understood(item: str, act: str) -> None:
    assert all(
        understand(say_act(TRAINED, act, Random(seed), {"item": item})).asked == item
        for seed in range(8 * len(ITEM_PHRASES[item]))
    )


@pytest.mark.parametrize("term", list(TERM_PHRASES))
def test_each_way_to_name_a_term_is_understood(term: str) -> None:
    values = {"offer": "thirty percent", "term": term}
    for seed in range(40):
        heard = understand(say_act(TRAINED, "offer", Random(seed), values))
        assert (heard.offer, heard.term) == ("thirty percent", term)


def test_small_words_of_an_act_say_nothing_alone() -> None:
    assert not understand([RepWord("you", "who"), RepWord("is", "sure")]).anything
    assert understand([RepWord("pin", "item", 7)]).asked == "pin"
    assert understand([RepWord("number", "item", 7)]).asked is None


def test_a_value_stays_whole_in_hesitation_and_pauses() -> None:
    words = [RepWord(text, "value", 3) for text in "four four seven one nine two".split()]
    assert split_points(words) == []
    assert all(hesitate(words, Random(seed), ("um",))[-6:] == words for seed in range(100))


def test_words_around_a_piece_say_nothing_and_come_with_the_trained_set_only() -> None:
    for act in WRAPPED - PLAIN:
        bare = dataclasses.replace(TRAINED, before=(), after=())
        around = [text_of(say_act(TRAINED, act, Random(seed))) for seed in range(40)]
        assert around != [text_of(say_act(bare, act, Random(seed))) for seed in range(40)]
    assert not HELDOUT.before + HELDOUT.after
    pieces = [text_of(said(piece, "", Random(seed))) for piece in TRAINED.before for seed in range(20)]
    assert len(set(pieces)) > 50


def test_words_of_several_acts_say_nothing_alone() -> None:
    assert not understand([RepWord("bill", "agreed"), RepWord("off", "call_back"), RepWord("give", "hold")]).anything
