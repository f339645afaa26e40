"""What learns: batches of rows as tensors, the loss, and a model with its optimisers and its checkpoint.

Hidden matrices by Muon, embedding and norms by AdamW. On a GPU products run in bfloat16 and everything that is kept
stays in single precision. It knows tensors; it refuses to know where rows come from and what time it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import torch
from torch.nn import functional

from policies.learned.train.lessons import Lessons, Row
from policies.learned.train.model_torch import TorchCore
from policies.learned.train.muon import Muon

__all__ = ["Batch", "Learner", "batches", "learning_rate", "padded", "weighted_loss"]

POOL_ROWS, POOL_SHARE = 512, 1 / 8
"""Rows sorted by length at a time, so that a batch holds calls of one length and little padding: so many, or that share
of the tokens of a batch, which is forty batches of calls."""
LONGEST_ROW = 1_000
"""Tokens of a row; what stands behind them is cut. Calls are 300 tokens long, and only a count aloud is ever longer
than 600: one to 120 in bits takes 800."""


class Batch(NamedTuple):
    """Rows side by side, [rows, longest] each; see `Row`."""

    ids: torch.Tensor
    wanted: torch.Tensor
    weights: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        """The same on `device`."""
        return Batch(*(part.to(device, non_blocking=True) for part in self))


def batches(lessons: Lessons, rng: Random, batch_tokens: int) -> Iterator[Batch]:
    """Endless batches, about `batch_tokens` each with padding."""
    rows = max(POOL_ROWS, int(batch_tokens * POOL_SHARE))
    while True:
        pool = sorted(lessons.draw(rows, LONGEST_ROW), key=lambda row: len(row.ids))
        groups: list[list[Row]] = [[]]
        for row in pool:
            if groups[-1] and (len(groups[-1]) + 1) * len(row.ids) > batch_tokens:
                groups.append([])
            groups[-1].append(row)
        rng.shuffle(groups)
        for group in groups:
            yield padded(group)


def padded(rows: list[Row]) -> Batch:
    """Rows as tensors [rows, longest]; padding has weight 0."""
    length = max(len(row.ids) for row in rows)
    batch = Batch(
        torch.zeros(len(rows), length, dtype=torch.int64),
        torch.zeros(len(rows), length, dtype=torch.int64),
        torch.zeros(len(rows), length),
    )
    for index, row in enumerate(rows):
        length = len(row.ids)
        batch.ids[index, :length] = torch.from_numpy(row.ids)
        batch.wanted[index, :length] = torch.from_numpy(row.wanted)
        batch.weights[index, :length] = torch.from_numpy(row.weights)
    return batch


def weighted_loss(model: TorchCore, batch: Batch) -> torch.Tensor:
    """Mean next-token loss in nats, by weight."""
    hidden = model.hidden(batch.ids[:, :-1])
    weights = batch.weights[:, 1:].reshape(-1)
    used = weights.nonzero().squeeze(1)
    logits = functional.linear(hidden.reshape(-1, hidden.shape[-1])[used], model.embedding.weight)
    losses = functional.cross_entropy(logits.float(), batch.wanted[:, 1:].reshape(-1)[used], reduction="none")
    return (losses * weights[used]).sum() / weights.sum()


def learning_rate(done: float, step: int, anneal: float = 0.5) -> float:
    """Factor on the learning rates: 30 steps of warm-up, flat, linear to zero over the last `anneal` of the run."""
    return min(1.0, (step + 1) / 30, max(0.0, (1.0 - done) / anneal))


class Learner:
    """Model, optimisers and progress of one run, and its checkpoint in `out`; learns where the model lies."""

    def __init__(self, model: TorchCore, out: Path, lr: float, lr_embedding: float) -> None:
        self.model, self._out = model, out
        self.device = next(model.parameters()).device
        matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embedding" not in name]
        others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embedding" in name]
        self._optimisers: dict[str, tuple[torch.optim.Optimizer, float]] = {
            "muon": (Muon(matrices, lr=lr), lr),
            "adam": (torch.optim.AdamW(others, lr=lr_embedding, betas=(0.9, 0.95), weight_decay=0.0), lr_embedding),
        }
        self.steps = self.tokens = self.blocks = 0
        """Steps made, tokens learned, blocks of the supply that were opened for them."""
        self.seconds = 0.0

    def learn(self, batch: Batch, factor: float) -> float:
        """One step at `factor` of the learning rates; gives the loss before it."""
        self.tokens += int((batch.ids != 0).sum())
        with self._precision():
            loss = weighted_loss(self.model, batch.to(self.device))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimiser, rate in self._optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = rate * factor
            optimiser.step()
            optimiser.zero_grad()
        self.steps += 1
        return loss.item()

    def loss(self, tests: list[Batch]) -> float:
        """Mean loss on `tests`, by weight; nothing is learned."""
        total = mass = 0.0
        with torch.no_grad(), self._precision():
            for batch in tests:
                weight = batch.weights[:, 1:].sum().item()
                total += weighted_loss(self.model, batch.to(self.device)).item() * weight
                mass += weight
        return total / mass

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.device.type == "cuda")

    def save(self) -> None:
        """Write the checkpoint; never half of one."""
        state: dict[str, Any] = {name: one.state_dict() for name, (one, _) in self._optimisers.items()}
        progress = {name: getattr(self, name) for name in ("steps", "tokens", "blocks", "seconds")}
        torch.save(state | {"model": self.model.state_dict(), "progress": progress}, self._out / "checkpoint.new")
        (self._out / "checkpoint.new").replace(self._out / "checkpoint.pt")

    def resume(self) -> None:
        """Go on from the checkpoint in `out`."""
        saved = torch.load(self._out / "checkpoint.pt", weights_only=True, map_location=self.device)
        self.model.load_state_dict(saved["model"])
        for name, (optimiser, _) in self._optimisers.items():
            optimiser.load_state_dict(saved[name])
        for name, value in saved["progress"].items():
            setattr(self, name, value)
