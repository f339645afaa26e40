"""Loss curves of several ways to train: what is read off them, and their picture. Knows numbers, no tensors."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Curve", "Row", "best_of", "budget", "picture", "read_curves", "steps_to", "table", "write_curves"]


@dataclass(frozen=True, slots=True)
class Curve:
    """The smoothed loss of one run after each step."""

    arm: str
    rate: float
    seed: int
    losses: tuple[float, ...]

    @property
    def final(self) -> float:
        """The loss at the end."""
        return self.losses[-1]


@dataclass(frozen=True, slots=True)
class Row:
    """One arm at its best rate. `target`: the mean final loss of the slowest arm; `reached`: first step there, a seed
    each, the whole run where it was never reached."""

    arm: str
    rate: float
    finals: tuple[float, ...]
    target: float
    reached: tuple[int, ...]
    of_steps: int

    @property
    def mean_steps(self) -> float:
        """Mean steps to the target."""
        return statistics.mean(self.reached)


def write_curves(found: Sequence[Curve], file: Path) -> None:
    """Write all of `found` as one line of JSON."""
    file.write_text(json.dumps([asdict(one) for one in found], separators=(",", ":")) + "\n", "utf-8")


def read_curves(file: Path) -> list[Curve]:
    """What `write_curves` wrote; nothing where there is no file."""
    if not file.exists():
        return []
    return [Curve(**{**one, "losses": tuple(one["losses"])}) for one in json.loads(file.read_text("utf-8"))]


def best_of(found: Sequence[Curve], arm: str) -> list[Curve]:
    """The whole runs of `arm` at its best learning rate, one a seed."""
    whole = max(len(curve.losses) for curve in found)
    of_arm = [curve for curve in found if curve.arm == arm and len(curve.losses) == whole]
    best = min((curve for curve in of_arm if curve.seed == of_arm[0].seed), key=lambda curve: curve.final)
    return [curve for curve in of_arm if curve.rate == best.rate]


def steps_to(curve: Curve, loss: float) -> int | None:
    """The first step whose smoothed loss is at or below `loss`, from 1; None where there is none."""
    return next((step for step, value in enumerate(curve.losses, 1) if value <= loss), None)


def budget(found: Sequence[Curve], arm: str, loss: float) -> float | None:
    """How long a run of `arm` at its best rate must be to end at `loss`, by its runs of several lengths; None where
    even the longest ends above it.

    In a run whose rate falls to zero most of the loss falls with it, at whatever step that is; so the step at which a
    long run passes `loss` says little. Between two lengths it is read off a straight line; where the shortest is good
    enough it is the shortest.
    """
    rate = best_of(found, arm)[0].rate
    ends: dict[int, list[float]] = {}
    for curve in found:
        if (curve.arm, curve.rate) == (arm, rate):
            ends.setdefault(len(curve.losses), []).append(curve.final)
    points = [(length, statistics.mean(finals)) for length, finals in sorted(ends.items())]
    before: tuple[int, float] | None = None
    for length, final in points:
        if final <= loss:
            if before is None:
                return float(length)
            share = (before[1] - loss) / (before[1] - final)
            return before[0] + share * (length - before[0])
        before = length, final
    return None


def table(found: Sequence[Curve]) -> list[Row]:
    """A row for each arm, in the order in which they ran; of whole runs."""
    best = {name: best_of(found, name) for name in dict.fromkeys(curve.arm for curve in found)}
    target = max(statistics.mean(curve.final for curve in runs) for runs in best.values())
    total = max(len(curve.losses) for curve in found)
    return [
        Row(
            name,
            runs[0].rate,
            tuple(curve.final for curve in runs),
            target,
            tuple(steps_to(curve, target) or total for curve in runs),
            total,
        )
        for name, runs in best.items()
    ]


def picture(found: Sequence[Curve], colours: dict[str, str], width: int = 720, height: int = 360) -> str:
    """The curves at each arm's best rate as SVG: loss (log scale) over steps. `colours`: of each arm."""
    best = {arm: best_of(found, arm) for arm in colours if any(curve.arm == arm for curve in found)}
    shown = [curve for runs in best.values() for curve in runs]
    low = math.log(min(min(curve.losses) for curve in shown))
    high = math.log(max(max(curve.losses[5:] or curve.losses) for curve in shown))
    steps = len(shown[0].losses)
    left, top, right, bottom = 56, 34, width - 16, height - 40

    def x(step: float) -> float:
        return left + (right - left) * step / steps

    def y(loss: float) -> float:
        return bottom - (bottom - top) * (min(math.log(loss), high) - low) / max(high - low, 1e-9)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for loss in (0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0):
        if low <= math.log(loss) <= high:
            lines.append(f'<path d="M{left} {y(loss):.1f}H{right}" stroke="#e5e7e9"/>')
            lines.append(f'<text x="{left - 8}" y="{y(loss) + 4:.1f}" text-anchor="end">{loss:g}</text>')
    for step in range(0, steps + 1, max(1, steps // 5)):
        lines.append(f'<text x="{x(step):.1f}" y="{bottom + 18}" text-anchor="middle">{step}</text>')
    lines.append(f'<text x="{right}" y="{bottom + 34}" text-anchor="end">steps</text>')
    lines.append(f'<text x="{left}" y="{top - 18}">loss on new calls, nats a token (smoothed, log scale)</text>')
    for row, (arm, runs) in enumerate(best.items()):
        for curve in runs:
            points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in enumerate(curve.losses, 1))
            lines.append(f'<polyline points="{points}" fill="none" stroke="{colours[arm]}" stroke-opacity="0.75"/>')
        mean = statistics.mean(curve.final for curve in runs)
        label = f"{arm}, rate {runs[0].rate:g}: {mean:.3f} at the end, {len(runs)} seeds"
        lines.append(f'<text x="{right}" y="{top + 18 * row}" text-anchor="end" fill="{colours[arm]}">{label}</text>')
    return "\n".join([*lines, "</svg>", ""])
