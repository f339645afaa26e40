"""What QK-norm and Muon are worth here: the same model, the same calls, each arm at its own best learning rate.

    python -m policies.learned.train.compare --out policies/learned/train

An arm is a layout (plain Llama or QK-norm) and an optimiser for the hidden matrices (AdamW or Muon); embedding and
norms are AdamW's in all arms. Every arm sees the same new calls in the same order, so training loss is loss on unseen
calls. First each arm tries its learning rates on one seed, then the best one runs with the other seeds. Then the last
arm runs again, shorter, each time with a whole schedule: how short a run ends where the first arm's ends is the figure
(`curves.budget`). Writes ``compare.json`` (all curves) and ``compare.svg``, which `curves` reads and draws.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import torch

from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.curves import Curve, budget, picture, table, write_curves
from policies.learned.train.learner import batches, learning_rate, weighted_loss
from policies.learned.train.lessons import Lessons, new_rows
from policies.learned.train.model_torch import CoreShape, TorchCore
from policies.learned.train.muon import Muon

__all__ = ["ARMS", "Arm", "curves", "main", "run"]


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
SHORTER = (0.25, 0.375, 0.5, 0.75)
"""Lengths of the last arm's shorter runs, as shares."""
SMOOTH = 0.9
"""Weight of the past in the smoothed loss."""


def run(arm: Arm, rate: float, seed: int, steps: int, shape: CoreShape, tokenizer: Tokenizer, tokens: int) -> Curve:
    """Train one model for `steps` steps of about `tokens` tokens."""
    torch.manual_seed(seed)
    model = TorchCore(shape, qk_norm=arm.qk_norm)
    rng = Random(seed)
    source = batches(Lessons(new_rows(tokenizer, rng), rng), rng, tokens)
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embedding" not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embedding" in name]
    optimisers: list[tuple[torch.optim.Optimizer, float]] = (
        [(Muon(matrices, lr=rate), rate), (_adam(others), EMBEDDING_RATE)]
        if arm.muon
        else [(_adam([*matrices, *others]), rate)]
    )
    losses: list[float] = []
    for step in range(steps):
        loss = weighted_loss(model, next(source))
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
    """All runs, each when it is done: first the learning rates, then the seeds at each arm's best; the last arm's
    shorter ones at the end."""
    shape = CoreShape(vocab_size=tokenizer.size, num_hidden_layers=3)
    for arm in ARMS:
        tried = []
        for rate in arm.rates:
            tried.append(run(arm, rate, seeds[0], steps, shape, tokenizer, tokens))
            yield tried[-1]
        best = min(tried, key=lambda curve: curve.final).rate
        for seed in seeds[1:]:
            yield run(arm, best, seed, steps, shape, tokenizer, tokens)
    for share in SHORTER:
        for seed in seeds:
            yield run(arm, best, seed, round(steps * share), shape, tokenizer, tokens)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--batch-tokens", type=int, default=2048)
    parser.add_argument("--vocabulary", default="policies/learned/core/weights/boxed", help="its tokenizer.json")
    parser.add_argument("--out", required=True, help="folder for compare.json and compare.svg")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    out = Path(options.out)
    found: list[Curve] = []
    for curve in curves(options.steps, options.seeds, Tokenizer.load(options.vocabulary), options.batch_tokens):
        found.append(curve)
        print(
            f"{curve.arm:22s} rate {curve.rate:g} seed {curve.seed} steps {len(curve.losses)} final {curve.final:.4f}",
            flush=True,
        )
        write_curves(found, out / "compare.json")
    for row in table(found):
        print(row)
    print(f"{ARMS[-1].name} ends there after {budget(found, ARMS[-1].name, table(found)[0].target)} steps")
    (out / "compare.svg").write_text(picture(found, {arm.name: arm.colour for arm in ARMS}), "utf-8")


if __name__ == "__main__":
    main()
