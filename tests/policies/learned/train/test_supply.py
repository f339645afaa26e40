"""New rows in numbered blocks: the same whoever makes them, and none twice."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from random import Random

import numpy as np

from policies.learned.core import model as core_module
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.lessons import Row, new_rows
from policies.learned.train.supply import BLOCK_ROWS, Block, Supply, block

WEIGHTS = Path(core_module.__file__).parent / "weights" / "boxed"


def same(one: Row, other: Row) -> bool:
    alike = np.array_equal(one.ids, other.ids) and np.array_equal(one.wanted, other.wanted)
    return alike and np.array_equal(one.weights, other.weights) and one.ids.dtype == other.ids.dtype


def test_a_block_gives_back_its_rows() -> None:
    rows = list(islice(new_rows(Tokenizer.load(WEIGHTS), Random(3)), 5))
    again = list(Block.of(rows).rows())
    assert len(again) == 5
    assert all(map(same, rows, again))
    assert all(len(row.ids) > 0 for row in again)


def test_rows_follow_from_the_seed_and_not_from_the_number_of_makers() -> None:
    count = BLOCK_ROWS + 3
    alone = list(islice(Supply(WEIGHTS, 5), count))
    helped = Supply(WEIGHTS, 5, makers=2)
    try:
        rows = list(islice(helped, count))
    finally:
        helped.close()
    assert all(map(same, alone, rows))
    assert helped.opened == 2
    assert not same(alone[0], next(Supply(WEIGHTS, 6)))


def test_a_supply_goes_on_with_the_block_after_the_last_one_opened() -> None:
    supply = Supply(WEIGHTS, 5)
    next(supply)
    later = next(Supply(WEIGHTS, 5, first=supply.opened))
    first = next(iter(block(str(WEIGHTS), 5, 1).rows()))
    assert same(later, first)
    assert not same(later, next(Supply(WEIGHTS, 5)))
