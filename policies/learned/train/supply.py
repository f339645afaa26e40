"""The supply of new rows: numbered blocks of simulated calls, made ahead of their use by processes of their own.

One core makes a hundred thousand tokens a second, thirty times as many as it learns; a GPU eats more than that. Block
`n` of a seed holds the same calls whoever makes it, so a run follows from its seed and not from the number of makers.
It knows rows and processes; it refuses to know what learns from them.
"""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.lessons import Row, new_rows

__all__ = ["BLOCK_ROWS", "Block", "Supply", "block"]

BLOCK_ROWS = 256
AHEAD = 3
"""Blocks that wait for each maker: makers never wait for the learner's Python, and memory stays bounded."""


class Block(NamedTuple):
    """Rows end to end, small enough to be sent from process to process a thousand times a minute."""

    ids: NDArray[np.uint16]
    wanted: NDArray[np.uint16]
    weights: NDArray[np.float32]
    ends: NDArray[np.int64]
    """int64[rows], where each row ends."""

    @classmethod
    def of(cls, rows: list[Row]) -> Block:
        """`rows` as a block; the vocabulary has fewer than 65,536 entries."""
        ids, wanted, weights = map(np.concatenate, zip(*rows, strict=True))
        ends = np.cumsum([len(row.ids) for row in rows])
        return cls(ids.astype(np.uint16), wanted.astype(np.uint16), weights, ends)

    def rows(self) -> Iterator[Row]:
        """The rows again."""
        parts = (self.ids.astype(np.int64), self.wanted.astype(np.int64), self.weights)
        yield from (Row(*row) for row in zip(*(np.split(part, self.ends[:-1]) for part in parts), strict=True))


def block(folder: str, seed: int, number: int) -> Block:
    """Block `number` of `seed`, spelled by the ``tokenizer.json`` of `folder`."""
    rows = new_rows(_tokenizer(folder), Random(seed * 1_000_003 + number))
    return Block.of([next(rows) for _ in range(BLOCK_ROWS)])


@cache
def _tokenizer(folder: str) -> Tokenizer:
    return Tokenizer.load(folder)


class Supply:
    """Endless new rows. With `makers` 0 they are made where they are asked for; else `close` ends the processes.

    `opened` counts blocks from the seed's first: a run that goes on with ``first=opened`` sees none of its calls again.
    """

    def __init__(self, folder: Path, seed: int, *, first: int = 0, makers: int = 0) -> None:
        self._where = str(folder), seed
        self._makers = makers
        self._pool = ProcessPoolExecutor(makers, mp_context=multiprocessing.get_context("spawn")) if makers else None
        self._ordered = self.opened = first
        self._coming: deque[Future[Block]] = deque()
        self._rows: Iterator[Row] = iter(())

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        row = next(self._rows, None)
        if row is None:
            self._rows = self._next_block().rows()
            self.opened += 1
            row = next(self._rows)
        return row

    def _next_block(self) -> Block:
        if self._pool is None:
            return block(*self._where, self.opened)
        while len(self._coming) < AHEAD * self._makers:
            self._coming.append(self._pool.submit(block, *self._where, self._ordered))
            self._ordered += 1
        return self._coming.popleft().result()

    def close(self) -> None:
        """End the makers; blocks that nobody took are dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
