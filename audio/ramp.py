"""A gain that moves to its goal over a stated number of samples, so that speech stops and starts without a click.

This file refuses to know what is turned up or down, and why.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["Ramp"]


class Ramp:
    """A gain on its way to a goal, in samples, so that it arrives exactly."""

    def __init__(self) -> None:
        self.gain = 1.0
        self.goal = 1.0
        self.left = 0
        self._from = 1.0
        self._length = 1

    def to(self, goal: float, n_samples: int) -> None:
        self._from, self._length = self.gain, max(1, n_samples)
        self.goal, self.left = goal, n_samples
        if not n_samples:
            self.gain = goal

    def arrive(self) -> None:
        self.gain, self.left = self.goal, 0

    @property
    def flat(self) -> bool:
        """Full gain, and no change under way."""
        return self.gain == 1.0 and not self.left

    def take(self, n_samples: int) -> NDArray[np.float64]:
        """float64[n]: the gains of the next `n_samples`, the same however they are cut into takes."""
        if not self.left:
            return np.full(n_samples, self.gain)
        done = self._length - self.left
        along = np.minimum(np.arange(done + 1, done + n_samples + 1), self._length) / self._length
        gains: NDArray[np.float64] = self._from + (self.goal - self._from) * along
        self.left = max(0, self.left - n_samples)
        self.gain = float(gains[-1]) if self.left else self.goal
        return gains
