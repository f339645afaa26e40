"""What is learned from: calls as rows of token ids with loss weights, drawn from several sources in stated shares.

A row is a whole call. Most rows are new calls of the experts and never seen twice; the rest are corrected calls of the
model itself (`corrections`), which are dear and are seen a few times. It knows calls and ids, no tensors.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreConfig, CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.companies import corrections as company_corrections
from policies.learned.train.companies import dialogue as companies
from policies.learned.train.corrections import coached_call
from policies.learned.train.counting import counting_call
from policies.learned.train.dialogue import expert_call
from policies.learned.train.expectations import Expecting, Guesses
from policies.learned.train.weighted import Weights
from policies.trajectory import Role
from policies.window import KEPT_READ, MOST_READ, window

__all__ = ["SOURCES", "Lessons", "Row", "corrected_rows", "new_lesson", "new_rows", "row_of", "texts"]


class Row(NamedTuple):
    """A call as tokens. `wanted` is `ids` but where an expectation stands: there it is what really came."""

    ids: NDArray[np.int64]
    """int64[n]"""
    wanted: NDArray[np.int64]
    """int64[n], what the model should write at each place."""
    weights: NDArray[np.float32]
    """float32[n], the loss weight of each place."""

    def cut(self, longest: int) -> Row:
        """The first `longest` tokens."""
        return Row(self.ids[:longest], self.wanted[:longest], self.weights[:longest])


SLIP_RATE = 0.07
"""Share of fresh values that the expert notes wrongly; about every sixth call holds such a slip."""
STUMBLE_RATE = 0.04
"""Share of turns that go wrong as a whole, see `expert.Expert`."""
RESTLESS = 1.8
"""How much more often than in a test a caller does something else than answer, see `simulator.Caller`."""
SHORTENED, SHORTENED_TO = 0.1, (120, 400)
"""Share of calls that are read as if so many tokens were too long: calls that long are too rare to learn it from."""
GUESSED_FROM = 300
"""Calls of each source from which guesses of what comes next are drawn."""

CORRECTED_COMPANIES = 0.5
"""Share of calls to companies among the corrected ones; the others are the front desk's."""


class Labelled(Expecting, Protocol):
    """A call with a loss weight for each of its segments."""

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
        call = new_lesson(rng)
        for text in (*(segment.text for segment in call.segments), *call.came.values()):
            if text:
                yield f" {text}"


def new_lesson(rng: Random) -> Labelled:
    """A new call of some source, by their shares."""
    shares, makers = zip(*SOURCES.values(), strict=True)
    return rng.choices(makers, shares)[0](rng)


@cache
def guesses() -> Guesses:
    """What may be expected in calls of all sources."""
    rng = Random(0)
    return Guesses(maker(rng) for _, maker in SOURCES.values() for _ in range(GUESSED_FROM))


def row_of(call: Labelled, tokenizer: Tokenizer, rng: Random, most: int = MOST_READ) -> Row:
    """The tokens of the call as the agent reads it: of one longer than about `most` the card and the last turns, or as
    often what it read before the first turns went. Expectations that nobody had yet are guessed."""
    rows = [_row_of_segment(call, index, tokenizer, rng) for index in range(len(call.segments))]
    lengths = [len(row.ids) for row in rows]
    start, end = 1, len(rows)
    if sum(lengths) > most:
        heard = [at for at, segment in enumerate(call.segments) if segment.role is Role.HEARD]
        starts = {at: _start(call, lengths, at, most) for at in (*heard, end)}
        if most == MOST_READ and rng.random() < 0.5:
            end = max((at for at in starts if starts[at] == 1), default=end)
        start = starts[end]
    return Row(*map(np.concatenate, zip(*rows[:1], *rows[start:end], strict=True)))


def _start(call: Labelled, lengths: Sequence[int], end: int, most: int) -> int:
    """The first segment after the card that is read when the call has come to segment `end`."""
    return window(call.segments[:end], lengths[:end], most, most * KEPT_READ // MOST_READ)


def _most_read(rng: Random) -> int:
    return rng.randrange(*SHORTENED_TO) if rng.random() < SHORTENED else MOST_READ


def _row_of_segment(call: Labelled, index: int, tokenizer: Tokenizer, rng: Random) -> Row:
    segment, weight, text = call.segments[index], call.weights[index], call.segments[index].text
    if segment.role is Role.EXPECT and not text:
        text = guesses().draw(call.segments, index, rng)
    words = tokenizer.encode(" " + text) if text else []
    came = call.came.get(index, text)
    right = words if came == text else tokenizer.encode(" " + came)
    role = tokenizer.special[str(segment.role)]
    ids, wanted = [role, *words], [role, *_targets(words, right)]
    weights = [weight.role, *_word_weights(words, right, weight.words)]
    if segment.close is not None:
        close = tokenizer.special[str(segment.close)]
        ids, wanted, weights = [*ids, close], [*wanted, close], [*weights, weight.close]
    return Row(np.array(ids, np.int64), np.array(wanted, np.int64), np.array(weights, np.float32))


def _targets(words: Sequence[int], right: Sequence[int]) -> list[int]:
    """What should stand in the place of each of `words`; one that `right` does not reach stays."""
    return [*right[: len(words)], *words[len(right) :]]


def _word_weights(words: Sequence[int], right: Sequence[int], weight: float) -> list[float]:
    """Places are learned up to the first one where the words differ: behind it stands nothing that could go on."""
    agreed = next((at for at, (one, other) in enumerate(zip(words, right, strict=False)) if one != other), len(words))
    return [weight if at <= agreed and at < len(right) else 0.0 for at in range(len(words))]


def new_rows(tokenizer: Tokenizer, rng: Random) -> Iterator[Row]:
    """Endless rows of new calls."""
    while True:
        yield row_of(new_lesson(rng), tokenizer, rng, _most_read(rng))


def corrected_rows(
    config: CoreConfig, tensors: dict[str, Any], folder: str, words: Sequence[str], seed: int, calls: Iterable[int]
) -> tuple[list[Row], int]:
    """Rows of coached calls of the model with these weights, and the mistakes in them; runs in a worker.

    `folder` holds ``tokenizer.json``; `words` are the agent's own, see `core.lexicon.Lexicon`; `calls`: the numbers of
    the calls, which follow from `seed` and their number.
    """
    model, tokenizer = CoreModel(config, tensors), Tokenizer.load(folder)
    lexicon = Lexicon(tokenizer, words)
    rows: list[Row] = []
    mistakes = 0
    call: Labelled
    for number in calls:
        rng = Random(seed * 100_003 + number)
        if rng.random() < CORRECTED_COMPANIES:
            call, wrong = company_corrections.coached_call(model, tokenizer, rng, lexicon=lexicon, restless=RESTLESS)
        else:
            call, wrong = coached_call(model, tokenizer, rng, lexicon=lexicon, restless=RESTLESS)
        rows.append(row_of(call, tokenizer, rng, _most_read(rng)))
        mistakes += wrong
    return rows, mistakes


class Lessons:
    """The stream of rows: `new` ones, and corrected ones up to `corrected_share` while there are any.

    Of corrected calls the last `rounds_kept` rounds are drawn from.
    """

    def __init__(self, new: Iterator[Row], rng: Random, *, corrected_share: float = 0.4, rounds_kept: int = 3) -> None:
        self._new, self._rng = new, rng
        self._share = corrected_share
        self._corrected: deque[list[Row]] = deque(maxlen=rounds_kept)

    def correct(self, rows: list[Row]) -> None:
        """Take one round of corrected calls; the oldest round goes."""
        self._corrected.append(rows)

    def draw(self, count: int, longest: int) -> list[Row]:
        """`count` rows of at most `longest` tokens each."""
        kept = [row for rows in self._corrected for row in rows]
        share = self._share if kept else 0.0
        rows = [self._rng.choice(kept) if self._rng.random() < share else next(self._new) for _ in range(count)]
        return [row.cut(longest) for row in rows]
