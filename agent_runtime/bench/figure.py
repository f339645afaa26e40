"""One measured figure and the machine it was measured on."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["Figure", "machine", "percentile"]


@dataclass(frozen=True, slots=True)
class Figure:
    """`value` is None where it could not be measured; `reason` then says why."""

    key: str
    value: float | None
    unit: str
    n: int = 0
    p95: float | None = None
    command: str = ""
    machine: str = ""
    date: str = ""
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """The figure without its key, as plain values."""
        return {name: value for name, value in asdict(self).items() if name != "key"}


def machine() -> str:
    """Processor, cores and Python of this machine in one line."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), name)
    except OSError:
        name = platform.machine()
    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which `percent` of the values lie (nearest rank). Raises ValueError without values."""
    if not values:
        raise ValueError("no values: nothing was measured")
    ordered = sorted(values)
    rank = max(1, -(-len(ordered) * percent // 100))
    return ordered[int(rank) - 1]
