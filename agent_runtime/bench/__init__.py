"""Measurements of this code on this machine: each figure with its unit, sample size, spread, command, machine, date.

A figure that cannot be measured here is null with a reason; none is estimated. Benchmarks are no tests: they may be
slow and noisy, and nothing fails because of them.
"""

from __future__ import annotations

from .figure import Figure, machine, percentile

__all__ = ["Figure", "machine", "percentile"]
