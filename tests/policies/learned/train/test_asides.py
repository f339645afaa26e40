"""Asides made up: what survives of them is somebody else's business or nothing, and no word of ours is among them."""

from __future__ import annotations

import re
from random import Random

from policies.learned.train import asides
from policies.learned.train.asides import babble, business, salad
from policies.learned.train.companies.case import FILE_ITEMS, FORBIDDEN
from policies.learned.train.companies.wordings import TRAINED as COMPANIES_TRAINED
from policies.learned.train.heldout import HELDOUT
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, text_of, understand
from policies.learned.train.wordings import TRAINED

ANSWERING = ("yes", "no", "any_time", "other_day", "nothing_else", "bye", "give_up", "hours", "book", "cancel")


def test_business_is_understood_as_somebody_elses() -> None:
    for seed in range(500):
        found = understand(business(Random(seed)), "monday")
        assert found.intent == "other"
        assert not found.slots


def test_babble_and_salad_mean_nothing() -> None:
    for seed in range(500):
        for made in (babble, salad):
            words = made(Random(seed))
            assert words
            assert not understand(words, "monday").anything


def test_no_word_of_an_answer_is_among_the_lists() -> None:
    lists = asides._words()
    tongues = {word for tongue in lists["tongues"] for word in tongue}
    words = {*lists["things"], *lists["acts"], *lists["qualities"], *tongues}
    values = {word for text in (*DAYS, *PARTS, *TIMES) for word in text.split()}
    assert not (words | set(lists["small"])) & values
    answers = (piece for act in ANSWERING for piece in TRAINED.pieces[act])
    marked = {word for piece in answers for word in re.findall(r"\*!?([a-z']+)", piece)}
    assert words & marked <= {"take", "bin"}  # bin is german
    items = {word for item in (*FILE_ITEMS, *FORBIDDEN) for word in item.split()}
    assert words & items <= {"new"}


def test_asides_do_not_run_out_and_no_test_piece_is_among_them() -> None:
    made = {text_of(business(Random(seed))) for seed in range(3000)}
    assert len(made) > 2800
    for pieces in HELDOUT.pieces.values():
        assert not made & {piece.replace("*", "").replace("!", "") for piece in pieces}
    assert "topic" in COMPANIES_TRAINED.pieces
