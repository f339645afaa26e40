"""A call that is learned from: its segments, how much each counts in the loss, and what came where one was expected.

The front desk's calls, calls to companies and counting calls all are one. It knows segments and numbers; it refuses to
know who speaks and why.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from policies.trajectory import Role, Segment, Trajectory

__all__ = ["OBSERVED", "OBSERVED_WORDS", "WeightedCall", "Weights"]

OBSERVED, OBSERVED_WORDS = 0.2, 0.1
"""Loss weights of what the agent observes, its roles and its words: they keep the end-of-turn prediction and a start
for the world half. Words of others are most of a call and cannot be foreseen: they would be most of the loss."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Loss weights of a segment: its role token, its words, its closing token."""

    role: float = 1.0
    words: float = 1.0
    close: float = 1.0


@dataclass(slots=True, kw_only=True)
class WeightedCall:
    """Segments in their order, and the weights of each. `came`: what came where something was expected, by the index of
    the expecting segment (`expectations`)."""

    segments: list[Segment] = field(default_factory=list)
    weights: list[Weights] = field(default_factory=list)
    came: dict[int, str] = field(default_factory=dict)

    def add(self, segment: Segment, weights: Weights) -> None:
        """Append one segment."""
        self.segments.append(segment)
        self.weights.append(weights)

    def expected(self, label: str) -> None:
        """Note what really came after the last expectation, unless that was the expert's own."""
        for index in range(len(self.segments) - 1, -1, -1):
            if self.segments[index].role is Role.EXPECT:
                self.came.setdefault(index, label)
                return

    def trajectory(self) -> Trajectory:
        """The stream of the call."""
        return Trajectory.of(self.segments)
