"""What is learned from: calls as rows of token ids with loss weights, drawn from several sources in stated shares.

A row is a whole call. Most rows are new calls of the experts and never seen twice; the rest are corrected calls of the
model itself (`corrections`), which are dear and are seen a few times. It knows calls and ids, no tensors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreConfig, CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.companies import corrections as company_corrections
from policies.learned.train.companies import dialogue as companies
from policies.learned.train.corrections import coached_call
from policies.learned.train.counting import counting_call
from policies.learned.train.dialogue import Weights, expert_call
from policies.trajectory import Segment

__all__ = ["SOURCES", "Lessons", "Row", "corrected_rows", "new_lesson", "row_of", "texts"]

Row = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Token ids int64[n] and the loss weight of each token float32[n]."""

SLIP_RATE = 0.07
"""Share of fresh values that the expert notes wrongly; about every sixth call holds such a slip."""
STUMBLE_RATE = 0.04
"""Share of turns that go wrong as a whole, see `expert.Expert`."""
RESTLESS = 1.8
"""How much more often than in a test a caller does something else than answer, see `simulator.Caller`."""


CORRECTED_COMPANIES = 0.5
"""Share of calls to companies among the corrected ones; the others are the front desk's."""


class Labelled(Protocol):
    """A call with a loss weight for each of its segments."""

    @property
    def segments(self) -> Sequence[Segment]: ...
    @property
    def weights(self) -> Sequence[Weights]: ...


def _front_desk(rng: Random) -> Labelled:
    return expert_call(rng, slip_rate=SLIP_RATE, stumble_rate=STUMBLE_RATE, restless=RESTLESS)


def _companies(rng: Random) -> Labelled:
    return companies.expert_call(rng, slip_rate=SLIP_RATE, restless=RESTLESS)


SOURCES: Mapping[str, tuple[float, Callable[[Random], Labelled]]] = {
    "front desk": (0.42, _front_desk),
    "companies": (0.43, _companies),
    "counting": (0.15, counting_call),
}
"""Share and maker of each kind of new call."""


def texts(count: int, seed: int) -> Iterator[str]:
    """All texts of `count` new calls, each with the space that stands before it in the stream."""
    rng = Random(seed)
    for _ in range(count):
        for segment in new_lesson(rng).segments:
            if segment.text:
                yield f" {segment.text}"


def new_lesson(rng: Random) -> Labelled:
    """A new call of some source, by their shares."""
    shares, makers = zip(*SOURCES.values(), strict=True)
    return rng.choices(makers, shares)[0](rng)


def row_of(call: Labelled, tokenizer: Tokenizer) -> Row:
    """Ids of the whole call and the weight of each of them."""
    ids: list[int] = []
    weights: list[float] = []
    for segment, weight in zip(call.segments, call.weights, strict=True):
        ids.append(tokenizer.special[str(segment.role)])
        weights.append(weight.role)
        words = tokenizer.encode(" " + segment.text) if segment.text else []
        ids += words
        weights += [weight.words] * len(words)
        if segment.close is not None:
            ids.append(tokenizer.special[str(segment.close)])
            weights.append(weight.close)
    return np.array(ids, np.int64), np.array(weights, np.float32)


def corrected_rows(
    config: CoreConfig, tensors: dict[str, Any], folder: str, words: Sequence[str], seed: int, calls: int
) -> tuple[list[Row], int]:
    """Rows of `calls` coached calls of the model with these weights, and the mistakes in them; runs in a worker.

    `folder` holds ``tokenizer.json``; `words` are the agent's own, see `core.lexicon.Lexicon`.
    """
    model, tokenizer = CoreModel(config, tensors), Tokenizer.load(folder)
    lexicon = Lexicon(tokenizer, words)
    rows: list[Row] = []
    mistakes = 0
    call: Labelled
    for index in range(calls):
        rng = Random(seed * 100_003 + index)
        if rng.random() < CORRECTED_COMPANIES:
            call, wrong = company_corrections.coached_call(model, tokenizer, rng, lexicon=lexicon, restless=RESTLESS)
        else:
            call, wrong = coached_call(model, tokenizer, rng, lexicon=lexicon, restless=RESTLESS)
        rows.append(row_of(call, tokenizer))
        mistakes += wrong
    return rows, mistakes


class Lessons:
    """The stream of rows: new calls, and corrected ones up to `corrected_share` while there are any."""

    def __init__(
        self, tokenizer: Tokenizer, rng: Random, *, corrected_share: float = 0.4, rounds_kept: int = 3
    ) -> None:
        self._tokenizer, self._rng = tokenizer, rng
        self._share = corrected_share
        self._corrected: deque[list[Row]] = deque(maxlen=rounds_kept)

    def correct(self, rows: list[Row]) -> None:
        """Take one round of corrected calls; the oldest round goes."""
        self._corrected.append(rows)

    def draw(self, count: int, longest: int) -> list[Row]:
        """`count` rows of at most `longest` tokens each."""
        kept = [row for rows in self._corrected for row in rows]
        share = self._share if kept else 0.0
        rows = [
            self._rng.choice(kept) if self._rng.random() < share else row_of(new_lesson(self._rng), self._tokenizer)
            for _ in range(count)
        ]
        return [(ids[:longest], weights[:longest]) for ids, weights in rows]
