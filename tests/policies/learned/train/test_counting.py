"""Counting calls: each label right by other means than those that made it, bits in bounds, wordings kept apart."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest

from policies.learned.core import tokenizer as tokenizer_module
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.counting import counting_call, counting_card, paced, request, task
from policies.learned.train.counting_tasks import LONGEST_BIT, Count, Digits, Sum, added
from policies.learned.train.counting_wordings import COUNTING, COUNTING_UNSEEN
from policies.learned.train.weighted import WeightedCall
from policies.numerals import read_digits, read_number
from policies.trajectory import Role, Segment

TOKENIZER = Tokenizer.load(Path(tokenizer_module.__file__).parent / "weights" / "boxed")
CALLS = [counting_call(Random(seed)) for seed in range(400)]


def numbers(said: str) -> list[int]:
    """The numbers of a said count, read back."""
    return [read_number(part) for part in said.rstrip(".,").split(",")]


@pytest.mark.parametrize(
    "count",
    [
        Count(1, 200),
        Count(7, 23),
        Count(150, 160),
        Count(149, 171),
        Count(20, 1, -1),
        Count(100, 10, -10),
        Count(5, 50, 5),
    ],
)
def test_a_count_in_bits_is_the_count_in_one_breath(count: Count) -> None:
    bits = count.bits()
    assert numbers(" ".join(bit.said for bit in bits)) == list(count.numbers)
    assert numbers(count.one_breath().said) == list(count.numbers)
    assert (count.numbers[0], count.numbers[-1]) == (count.first, count.last)
    for bit in bits:
        goal, stretch = bit.thought.split(". ")
        assert goal == count.goal
        assert stretch.endswith(", last") == (bit is bits[-1])
        first, last = stretch.removesuffix(", last").split(" to ")
        assert (read_number(first), read_number(last)) == (numbers(bit.said)[0], numbers(bit.said)[-1])
    assert all(bit.said.endswith(",") for bit in bits[:-1])
    assert bits[-1].said.endswith(".")


def test_a_bit_ends_where_a_ten_is_full() -> None:
    for first in (*range(0, 13), 29, 38, 39, 41, 99, *range(145, 156)):
        for last in range(first + 2, 201, 1 if first < 50 else 3):
            up, down = Count(first, last).bits(), Count(last, first, -1).bits()
            assert all(len(numbers(bit.said.removesuffix(","))) <= LONGEST_BIT for bit in (*up, *down))
            assert all(numbers(bit.said.removesuffix(","))[-1] % 10 == 0 for bit in up[:-1])
            assert all(numbers(bit.said.removesuffix(","))[-1] % 10 == 1 for bit in down[:-1])


def test_each_thought_names_the_goal_and_the_last_one_says_so() -> None:
    assert Count(1, 31).bits()[1].thought == "up to thirty one. eleven to twenty"
    assert Count(1, 31).bits()[3].thought == "up to thirty one. thirty one to thirty one, last"
    assert Count(20, 1, -1).bits()[0].thought == "down to one. twenty to eleven"
    assert Count(5, 100, 5).bits()[0].thought == "up to one hundred by five. five to twenty five"
    assert Count(5, 100, 5).one_breath().thought == "up to one hundred by five"


def test_an_interrupted_count_goes_on_after_the_last_number_that_is_certain() -> None:
    count = Count(1, 50)
    assert count.rest("one, two, three,") == Count(4, 50)
    assert count.rest("one, two, three") == Count(3, 50)
    assert count.rest(count.one_breath().said.rstrip(".") + ",") == Count(50, 50)


def test_figures_are_read_in_threes_and_fours() -> None:
    for length in range(1, 13):
        figures = "123456789012"[:length]
        groups = Digits(figures).groups()
        assert read_digits(" ".join(groups)) == figures
        assert length < 6 or {len(group.split()) for group in groups} <= {3, 4}
        assert " ".join(bit.said for bit in Digits(figures).bits()) == Digits(figures).one_breath().said


def test_every_addition_is_right_column_by_column() -> None:
    for one in range(0, 401, 3):
        for other in range(1, 100, 2):
            whole, *columns, result = added(one, other).split(". ")
            left, right = whole.split(" plus ")
            assert read_number(left) + read_number(right) == read_number(result) == one + other
            for column in columns:
                parts, _, is_ = column.removesuffix(", carry one").partition(" is ")
                assert sum(map(read_number, parts.split(" and "))) == read_number(is_)
                assert column.endswith(", carry one") == (read_number(is_) >= 10 and column != columns[-1])


def test_sums_add_up_in_bits_and_in_one_breath() -> None:
    bits = Sum((47, 8, 30)).bits()
    assert [bit.said for bit in bits] == ["forty seven plus eight is fifty five,", "plus thirty is eighty five."]
    assert Sum((47, 8, 30)).one_breath().said == "forty seven plus eight plus thirty is eighty five."
    assert Sum((47, 8)).bits()[-1].said == "forty seven plus eight is fifty five."


def test_both_sets_of_wordings_have_the_same_acts_and_share_no_piece() -> None:
    assert set(COUNTING.pieces) == set(COUNTING_UNSEEN.pieces)
    for act, pieces in COUNTING.pieces.items():
        assert not set(pieces) & set(COUNTING_UNSEEN.pieces[act]), act


def test_a_request_holds_all_values_of_its_task() -> None:
    for seed in range(600):
        rng = Random(seed)
        what = task(rng)
        words = request(what, rng, COUNTING if seed % 2 else COUNTING_UNSEEN).replace("a hundred", "one hundred")
        words = words.replace("hundred and ", "hundred ")
        if isinstance(what, Digits):
            continue
        values = what.addends if isinstance(what, Sum) else (what.last,) if what.step > 0 else (what.first,)
        for value in values:
            assert f" {Count(value, value).one_breath().said[:-1]} " in f" {words} ", (what, words)


def said(call: WeightedCall) -> list[list[Segment]]:
    """The agent's turns: the segments between one `<turn>` and the next heard words."""
    turns: list[list[Segment]] = []
    for segment in call.segments:
        if segment.role is Role.TURN:
            turns.append([])
        elif turns and segment.role is not Role.HEARD:
            turns[-1].append(segment)
    return turns


def test_every_turn_has_the_form_of_a_turn() -> None:
    for call in CALLS:
        for turn in said(call):
            roles = [segment.role for segment in turn]
            bits = (len(turn) - 1) // 2
            assert roles == [Role.THINK, Role.EXPECT, Role.SAY, *[Role.THINK, Role.SAY] * (bits - 1)]
            closes = [segment.close for segment in turn if segment.role is Role.SAY]
            assert closes[:-1] == [Role.MORE] * (bits - 1)
            assert closes[-1] in {Role.END, Role.CUT, Role.BYE}
        assert call.segments[-1].close is Role.BYE


def test_a_broken_count_goes_on_where_it_stopped() -> None:
    resumed = 0
    for call in CALLS:
        for turn, following in pairwise(said(call)):
            if turn[-1].close is not Role.CUT or following[0].text == "stop":
                continue
            resumed += 1
            heard = " ".join(segment.text for segment in turn if segment.role is Role.SAY)
            rest = " ".join(segment.text for segment in following if segment.role is Role.SAY)
            whole = [part.strip() for part in heard.split(",")[:-1]]
            counted = numbers(", ".join([*whole, rest]))
            assert len({later - sooner for sooner, later in pairwise(counted)}) == 1, (heard, rest)
    assert resumed > 8


def test_calls_are_short_half_are_in_one_breath_and_weights_fit_the_recipe() -> None:
    recipe = pytest.importorskip("policies.learned.train.recipe", reason="torch is in the extra `learn`")
    rows = [recipe.row_of(call, TOKENIZER, Random(0)) for call in CALLS]
    lengths = [len(row.ids) for row in rows]
    assert np.mean(lengths) < 200
    assert max(lengths) < 2048
    one_breath = [call.segments[0].text.startswith(counting_card("", one_breath=True)[:28]) for call in CALLS]
    assert 0.4 < np.mean(one_breath) < 0.6
    for ids, _, weights in rows:
        assert (weights[ids == TOKENIZER.special[str(Role.CUT)]] == 0).all()


def test_nobody_learns_to_stop_where_a_bit_was_made_to_end() -> None:
    learned = {False: 0, True: 0}
    for call in CALLS:
        one_breath = "one breath" in call.segments[0].text
        for segment, weight in zip(call.segments, call.weights, strict=True):
            if segment.close is Role.MORE:
                learned[one_breath] += weight.close > 0
                assert weight.close in (0, 1)
                assert not (one_breath and weight.close), "one breath has no border of its own"
    assert learned[False] > 100


@pytest.mark.parametrize("one_breath", [False, True])
def test_thoughts_may_stand_anywhere_and_all_is_said_once(one_breath: bool) -> None:
    stopped = 0
    for seed in range(400):
        rng = Random(seed)
        what = task(rng)
        whole = (what.one_breath(),) if one_breath else what.bits()
        bits = paced(what, whole, one_breath, rng)
        stopped += len(bits) > len(whole)
        assert " ".join(bit.said for bit in bits) == " ".join(bit.said for bit in whole)
        if isinstance(what, Count) and not one_breath:
            for bit in bits:  # each thought begins where the speech is
                assert read_number(bit.thought.split(". ")[1].split(" to ")[0]) == numbers(bit.said)[0]
    assert stopped > 100


def test_a_sum_in_one_breath_is_worked_out_before_its_total() -> None:
    first, last = paced(Sum((47, 8, 30)), (Sum((47, 8, 30)).one_breath(),), True, Random(0))
    assert first.said == "forty seven plus eight plus thirty is"
    assert last.said == "eighty five."
    assert last.thought.startswith("forty seven, eight, thirty. forty seven plus eight.")
    assert last.thought.endswith("eighty five")


def test_the_same_seed_makes_the_same_call() -> None:
    assert counting_call(Random(5)).segments == CALLS[5].segments
