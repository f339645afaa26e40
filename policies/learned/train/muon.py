"""Muon: momentum, then the nearest orthogonal matrix as the update, for hidden matrices (Jordan et al. 2024).

What it is worth here is in BENCHMARKS.md (`compare`). torch's own Muon takes one matrix at a time; here
matrices of one shape are orthogonalised as one batch, which matters when a step lasts half a second on one core.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

__all__ = ["Muon"]

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
"""Quintic Newton-Schulz iteration with the steepest start (Keller Jordan's Muon note, 2024)."""


def _orthogonalised(batch: Tensor, steps: int) -> Tensor:
    """float32[n, rows, columns] with singular values near one; works on the smaller side."""
    wide = batch.shape[1] <= batch.shape[2]
    x = batch if wide else batch.transpose(1, 2)
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    a, b, c = _COEFFICIENTS
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = a * x + (b * gram + c * (gram @ gram)) @ x
    return x if wide else x.transpose(1, 2)


class Muon(torch.optim.Optimizer):
    """`lr` is the size of an update as the root of its mean squared singular value, times sqrt(rows / columns) where
    that is above one. `momentum` with Nesterov look-ahead."""

    def __init__(self, params: Iterable[Tensor], lr: float = 0.02, momentum: float = 0.95, steps: int = 5) -> None:
        super().__init__(list(params), {"lr": lr, "momentum": momentum, "steps": steps})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of every matrix that has a gradient."""
        for group in self.param_groups:
            by_shape: defaultdict[torch.Size, list[Tensor]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape[parameter.shape].append(parameter)
            for shape, parameters in by_shape.items():
                updates = []
                for parameter in parameters:
                    assert parameter.grad is not None
                    state = self.state[parameter]
                    if "momentum" not in state:
                        state["momentum"] = torch.zeros_like(parameter)
                    momentum = state["momentum"]
                    momentum.lerp_(parameter.grad, 1 - group["momentum"])
                    updates.append(parameter.grad.lerp(momentum, group["momentum"]))
                scale = max(1.0, shape[0] / shape[1]) ** 0.5
                for parameter, update in zip(
                    parameters, _orthogonalised(torch.stack(updates), group["steps"]), strict=True
                ):
                    parameter.add_(update, alpha=-group["lr"] * scale)
