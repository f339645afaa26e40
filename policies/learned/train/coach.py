"""The coach of a run: plays and corrects calls with the weights of one round, while the next one is learned.

Calls of a round are numbered and shared out among processes; which process plays one changes nothing about it.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

from policies.learned.core.model import CoreConfig
from policies.learned.train.export import tensors_of
from policies.learned.train.lessons import Row, corrected_rows
from policies.learned.train.model_torch import TorchCore

__all__ = ["Coach", "Round"]

SHARE = 10
"""Calls that a process takes at a time: few enough that none plays on alone while the others are done."""


class Round(NamedTuple):
    """What came of a round: its corrected calls, and the mistakes in all of them."""

    rows: list[Row]
    mistakes: int


class Coach:
    """Processes that play the rounds of a run. `folder` holds ``tokenizer.json``, `words` are the agent's own.

    `calls` of a round; `close` ends the processes.
    """

    def __init__(self, folder: Path, words: list[str], seed: int, *, calls: int, processes: int = 1) -> None:
        self._folder, self._words, self._seed, self._calls = str(folder), words, seed, calls
        self._pool = ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn"))
        self._coming: list[Future[tuple[list[Row], int]]] = []

    def turn(self, model: TorchCore, number: int) -> Round:
        """The last round, once it is done; round `number` begins with the weights of `model`."""
        played = [part.result() for part in self._coming]
        config = CoreConfig(**{name: getattr(model.shape, name) for name in CoreConfig.__dataclass_fields__})
        tensors = {name: array.copy() for name, array in tensors_of(model).items()}
        given = (config, tensors, self._folder, self._words, self._seed * 1009 + number)
        self._coming = [
            self._pool.submit(corrected_rows, *given, range(first, min(first + SHARE, self._calls)))
            for first in range(0, self._calls, SHARE)
        ]
        return Round([row for rows, _ in played for row in rows], sum(mistakes for _, mistakes in played))

    def close(self) -> None:
        """End the processes; a round in progress is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)
