"""What QK-norm and Muon are worth here: the same model, the same calls, each arm at its own best learning rate.

    python -m policies.learned.train.compare --out policies/learned/train

An arm is a layout (plain Llama or QK-norm) and an optimiser for the hidden matrices (AdamW or Muon); embedding and
norms are AdamW's in all arms. Every arm sees the same new calls in the same order, so training loss is loss on unseen
calls. First each arm tries its learning rates on one seed, then the best one runs with the other seeds. "Steps to the
same loss" is the first step at which the smoothed loss is at or below the mean final loss of the slowest arm. Writes
``compare.json`` (all curves) and ``compare.svg``. This is a worker: it may read the clock.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import torch

from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.lessons import Lessons
from policies.learned.train.model_torch import CoreShape, TorchCore
from policies.learned.train.muon import Muon
from policies.learned.train.recipe import batches, learning_rate, weighted_loss

__all__ = ["ARMS", "Arm", "Curve", "main", "picture", "steps_to"]


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to train. `rates`: learning rates of the hidden matrices that are tried."""

    name: str
    qk_norm: bool
    muon: bool
    rates: tuple[float, ...]
    colour: str


ARMS = (
    Arm("plain Llama + AdamW", False, False, (1.5e-3, 4e-3, 1e-2), "#b03a2e"),
    Arm("QK-norm + AdamW", True, False, (1.5e-3, 4e-3, 1e-2), "#d68910"),
    Arm("QK-norm + Muon", True, True, (0.01, 0.02, 0.04), "#1f618d"),
)
EMBEDDING_RATE = 4e-3
"""Of embedding and norms in the Muon arm; in the AdamW arms everything has the arm's rate."""
SMOOTH = 0.9
"""Weight of the past in the smoothed loss."""


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


def run(arm: Arm, rate: float, seed: int, steps: int, shape: CoreShape, tokenizer: Tokenizer, tokens: int) -> Curve:
    """Train one model for `steps` steps of about `tokens` tokens."""
    torch.manual_seed(seed)
    model = TorchCore(shape, qk_norm=arm.qk_norm)
    rng = Random(seed)
    source = batches(Lessons(tokenizer, rng), rng, tokens)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embedding" in name]
    optimisers: list[tuple[torch.optim.Optimizer, float]] = (
        [(Muon(matrices, lr=rate), rate), (_adam(others), EMBEDDING_RATE)]
        if arm.muon
        else [(_adam([*matrices, *others]), rate)]
    )
    losses: list[float] = []
    for step in range(steps):
        loss = weighted_loss(model, *next(source))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimiser, at in optimisers:
            for group in optimiser.param_groups:
                group["lr"] = at * learning_rate(step / steps, step)
            optimiser.step()
            optimiser.zero_grad()
        value = loss.item()
        losses.append(SMOOTH * losses[-1] + (1 - SMOOTH) * value if losses else value)
    return Curve(arm.name, rate, seed, tuple(round(loss, 4) for loss in losses))


def _adam(parameters: Sequence[torch.Tensor]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=0.0, betas=(0.9, 0.95), weight_decay=0.0)


def curves(steps: int, seeds: Sequence[int], tokenizer: Tokenizer, tokens: int) -> Iterator[Curve]:
    """All runs, each when it is done: first the learning rates, then the seeds at each arm's best."""
    shape = CoreShape(vocab_size=tokenizer.size, num_hidden_layers=3)
    for arm in ARMS:
        tried = []
        for rate in arm.rates:
            tried.append(run(arm, rate, seeds[0], steps, shape, tokenizer, tokens))
            yield tried[-1]
        best = min(tried, key=lambda curve: curve.final).rate
        for seed in seeds[1:]:
            yield run(arm, best, seed, steps, shape, tokenizer, tokens)


def best_of(found: Sequence[Curve], arm: str) -> list[Curve]:
    """The curves of `arm` at its best learning rate, one a seed."""
    of_arm = [curve for curve in found if curve.arm == arm]
    best = min((curve for curve in of_arm if curve.seed == of_arm[0].seed), key=lambda curve: curve.final)
    return [curve for curve in of_arm if curve.rate == best.rate]


def steps_to(curve: Curve, loss: float) -> int | None:
    """The first step whose smoothed loss is at or below `loss`, from 1; None where there is none."""
    return next((step for step, value in enumerate(curve.losses, 1) if value <= loss), None)


def table(found: Sequence[Curve]) -> list[dict[str, object]]:
    """A row for each arm: best rate, final losses, steps to the final loss of the slowest arm, and ratio to its own."""
    best = {arm.name: best_of(found, arm.name) for arm in ARMS if any(curve.arm == arm.name for curve in found)}
    target = max(statistics.mean(curve.final for curve in runs) for runs in best.values())
    total = len(found[0].losses)
    rows: list[dict[str, object]] = []
    for name, runs in best.items():
        reached = [steps_to(curve, target) or total for curve in runs]
        rows.append(
            {
                "arm": name,
                "rate": runs[0].rate,
                "finals": [curve.final for curve in runs],
                "target": round(target, 4),
                "steps_to_target": reached,
                "of_steps": total,
            }
        )
    return rows


def picture(found: Sequence[Curve], width: int = 720, height: int = 360) -> str:
    """The curves at each arm's best rate as SVG: loss (log scale) over steps."""
    best = {arm: best_of(found, arm.name) for arm in ARMS if any(curve.arm == arm.name for curve in found)}
    shown = [curve for runs in best.values() for curve in runs]
    torch_log = [torch.tensor(curve.losses).clamp_min(1e-3).log() for curve in shown]
    low, high = min(float(one.min()) for one in torch_log), max(float(one[5:].max()) for one in torch_log)
    steps = len(shown[0].losses)
    left, top, right, bottom = 56, 34, width - 16, height - 40

    def x(step: float) -> float:
        return left + (right - left) * step / steps

    def y(log_loss: float) -> float:
        return bottom - (bottom - top) * (min(log_loss, high) - low) / (high - low)

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    for loss in (0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0):
        at = float(torch.tensor(loss).log())
        if low <= at <= high:
            lines.append(f'<path d="M{left} {y(at):.1f}H{right}" stroke="#e5e7e9"/>')
            lines.append(f'<text x="{left - 8}" y="{y(at) + 4:.1f}" text-anchor="end">{loss:g}</text>')
    for step in range(0, steps + 1, max(1, steps // 5)):
        lines.append(f'<text x="{x(step):.1f}" y="{bottom + 18}" text-anchor="middle">{step}</text>')
    lines.append(f'<text x="{right}" y="{bottom + 34}" text-anchor="end">steps</text>')
    lines.append(f'<text x="{left}" y="{top - 18}">loss on new calls, nats a token (smoothed)</text>')
    for row, (arm, runs) in enumerate(best.items()):
        for curve in runs:
            logs = torch.tensor(curve.losses).clamp_min(1e-3).log().tolist()
            points = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in enumerate(logs, 1))
            lines.append(f'<polyline points="{points}" fill="none" stroke="{arm.colour}" stroke-opacity="0.75"/>')
        mean = statistics.mean(curve.final for curve in runs)
        label = f"{arm.name}, rate {runs[0].rate:g}: {mean:.3f} at the end, {len(runs)} seeds"
        lines.append(f'<text x="{right}" y="{top + 18 * row}" text-anchor="end" fill="{arm.colour}">{label}</text>')
    return "\n".join([*lines, "</svg>", ""])


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--vocabulary", default="policies/learned/core/weights/front_desk", help="its tokenizer.json")
    parser.add_argument("--out", required=True, help="folder for compare.json and compare.svg")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    out = Path(options.out)
    found: list[Curve] = []
    for curve in curves(options.steps, options.seeds, Tokenizer.load(options.vocabulary), options.batch_tokens):
        found.append(curve)
        print(f"{curve.arm:22s} rate {curve.rate:g} seed {curve.seed} final {curve.final:.4f}", flush=True)
        (out / "compare.json").write_text(json.dumps([asdict(one) for one in found]) + "\n", "utf-8")
    for row in table(found):
        print(json.dumps(row))
    (out / "compare.svg").write_text(picture(found), "utf-8")


if __name__ == "__main__":
    main()
