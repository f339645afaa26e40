"""Which words our recogniser takes for which, to be drawn from: ``confusions.txt`` as values.

The table was counted by `policies.learned.train.misheard` from what the recogniser made of simulated callers. This
file refuses to know what words mean and when an error is due.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import accumulate
from random import Random

__all__ = ["Confusions", "Readings", "confusions"]


@dataclass(frozen=True, slots=True)
class Readings:
    """Wrong readings of one word and how often each came, added up for drawing."""

    texts: tuple[tuple[str, ...], ...]
    sums: tuple[int, ...]

    @classmethod
    def of(cls, readings: Counter[str]) -> Readings:
        """The readings of a counter."""
        return cls(tuple(tuple(text.split()) for text in readings), tuple(accumulate(readings.values())))

    def draw(self, rng: Random) -> tuple[str, ...]:
        """One of them, by its count; no words where the word was lost."""
        return rng.choices(self.texts, cum_weights=self.sums)[0]

    @property
    def count(self) -> int:
        """Errors it rests on."""
        return self.sums[-1]


@dataclass(frozen=True, slots=True)
class Confusions:
    """The table for drawing. `any_name` pools what all names became; `added_share`: share of all errors that are words
    from nowhere."""

    words: dict[str, Readings]
    names: dict[str, Readings]
    any_name: Readings
    came_in: Readings
    added_share: float

    @classmethod
    def of(cls, text: str) -> Confusions:
        """The table of `Counts.text`."""
        read: dict[str, dict[str, Counter[str]]] = {"word": {}, "name": {}, "came in": {}}
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            kind, word, _, readings = line.split("\t")
            found: Counter[str] = Counter()
            for item in readings.split("|"):
                reading, _, count = item.rpartition(":")
                found[reading] += int(count)
            read[kind][word] = found
        pool: Counter[str] = Counter()
        for found in read["name"].values():
            pool.update(found)
        added = sum(read["came in"][""].values())
        wrong = sum(sum(found.values()) for kind in ("word", "name") for found in read[kind].values())
        return cls(
            {word: Readings.of(found) for word, found in read["word"].items()},
            {word: Readings.of(found) for word, found in read["name"].items()},
            Readings.of(pool),
            Readings.of(read["came in"][""]),
            added / (added + wrong),
        )


@cache
def confusions() -> Confusions:
    """The table that comes with the package, ``confusions.txt``."""
    return Confusions.of(resources.files(__package__).joinpath("confusions.txt").read_text("utf-8"))
