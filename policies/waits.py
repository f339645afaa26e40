"""How long a wait will take, from how long waits of that name took: one running quantile a name.

A name is what is waited for: ``tool find_slots``, ``engine``. Kept are the last few durations of each, and the quantile
is exact over them. That, and not P-squared (Jain and Chlamtac 1985): P-squared needs five waits before it says
anything, and a call has two or three of a kind; it never forgets, while a server that was slow an hour ago tells
nothing about now; and a short list of whole milliseconds can be read in a log and kept between calls. This file
refuses to know tools, engines and the clock.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from policies import PolicyError

__all__ = ["WaitSettings", "Waits"]


@dataclass(frozen=True, slots=True)
class WaitSettings:
    """How waits are foretold."""

    quantile: float = 0.7
    """The share of waits that should be over by the predicted time. Above the middle, because a silence that was not
    foreseen is worse than a filler that is cut. A guess."""
    window: int = 16
    """Durations kept of each name: enough for a quantile, few enough to forget a bad hour. A guess."""
    unknown_ms: int = 1_500
    """Predicted of a name that nothing was declared or seen of, once it has proved not to be instant: a tool that does
    I/O takes 0.3 to 3 s (the tools of our examples and of the peers' demos). A guess."""

    def __post_init__(self) -> None:
        if not 0 < self.quantile <= 1:
            raise PolicyError(f"quantile is {self.quantile!r}; expected above 0, at most 1")
        if self.window < 1:
            raise PolicyError(f"window is {self.window}; expected 1 or more durations")


@dataclass(frozen=True, slots=True)
class Waits:
    """What is known of waits, as a value: `seen` gives a new one. Milliseconds throughout."""

    priors: Mapping[str, int] = field(default_factory=dict)
    """Name -> what was declared. Each counts as one duration, the oldest, so that three waits outvote it."""
    settings: WaitSettings = field(default_factory=WaitSettings)
    durations: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Name -> what was seen, the newest last."""

    def known(self, name: str) -> bool:
        """Something was declared or seen: the prediction is more than the default for everything."""
        return name in self.priors or bool(self.durations.get(name))

    def predict(self, name: str) -> int:
        """How long a wait of this name takes from its start."""
        prior = (self.priors[name],) if name in self.priors else ()
        kept: list[int] = sorted((*prior, *self.durations.get(name, ()))[-self.settings.window :])
        if not kept:
            return self.settings.unknown_ms
        return kept[math.ceil(self.settings.quantile * len(kept)) - 1]

    def seen(self, name: str, ms: int) -> Waits:
        """With one more wait, which took `ms`. Raises `PolicyError` for a negative time."""
        if ms < 0:
            raise PolicyError(f"the wait for {name} took {ms} ms; expected 0 or more")
        kept = (*self.durations.get(name, ()), ms)[-self.settings.window :]
        return replace(self, durations={**self.durations, name: kept})

    def values(self) -> dict[str, list[int]]:
        """What was seen, as plain values: JSON that `from_values` takes back in a later call."""
        return {name: list(kept) for name, kept in sorted(self.durations.items())}

    @classmethod
    def from_values(
        cls,
        values: Mapping[str, Sequence[int]],
        *,
        priors: Mapping[str, int] | None = None,
        settings: WaitSettings | None = None,
    ) -> Waits:
        """Waits that go on from `values`. Raises `PolicyError` where they are no durations."""
        found = cls(dict(priors or {}), settings or WaitSettings())
        for name, kept in values.items():
            for ms in kept:
                found = found.seen(name, ms)
        return found
