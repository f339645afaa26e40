"""What stands in a training call as the agent's expectation: a guess that knows no more than the agent did.

What really came is only the target. Where it stands in the stream, every expectation is true, and a model learns to
read its own expectation instead of the words that follow: it then notes a refusal as "done" because it expected one.
Guesses are drawn from what came in calls of the experts after a turn that began alike, so they say nothing about the
turn that follows. This file knows segments, no tokens.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import Protocol

from policies.trajectory import Role, Segment

__all__ = ["Expecting", "Guesses"]

_OPENING = 3
"""Words of an utterance that tell what kind it is."""
_ACTIONS = frozenset({Role.CALL, Role.SAY, Role.SILENCE})


class Expecting(Protocol):
    """A call whose expectations are known by hindsight. `came`: what came, by the index of the expecting segment."""

    @property
    def segments(self) -> Sequence[Segment]: ...
    @property
    def came(self) -> Mapping[int, str]: ...


class Guesses:
    """What came after turns of each kind in `calls`."""

    def __init__(self, calls: Iterable[Expecting]) -> None:
        self._came: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for call in calls:
            for index, label in call.came.items():
                self._came[_kind(call.segments, index)].append(label)

    def draw(self, segments: Sequence[Segment], index: int, rng: Random) -> str:
        """A guess for the expectation at `index`, empty where no turn of its kind was seen."""
        labels = self._came.get(_kind(segments, index), ())
        return rng.choice(labels) if labels else ""


def _kind(segments: Sequence[Segment], index: int) -> tuple[str, ...]:
    """The setting, by the first word of the card, and how the turn goes on after the expectation."""
    setting = segments[0].text.split()[0]
    action = next((item for item in segments[index + 1 :] if item.role in _ACTIONS), None)
    if action is None:
        return (setting,)
    words = action.text.split()
    return (setting, str(action.role), *words[: 1 if action.role is Role.CALL else _OPENING])
