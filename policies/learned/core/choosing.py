"""The next token, where one sees how likely each is: the likeliest that may come, unless the grammar thinks better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose"]


class _Grammar(Protocol):
    """What choosing asks of `agent_runtime.ports.Grammar`."""

    def allowed(self) -> NDArray[np.bool_] | None: ...
    def reconsider(self, token: int, entropy: Callable[[], float]) -> int: ...


def choose(logits: NDArray[np.float32], grammar: _Grammar | None) -> int:
    """The next token by `logits` float32[vocab], of which a model may have more than the grammar has tokens."""
    allowed = grammar.allowed() if grammar is not None else None
    if grammar is None or allowed is None:
        return int(logits.argmax())
    masked = np.where(allowed, logits[: len(allowed)], -np.inf)
    return grammar.reconsider(int(masked.argmax()), lambda: _entropy(masked))


def _entropy(masked: NDArray[np.float32]) -> float:
    """In nats, over the tokens that may come."""
    shares = np.exp(masked - masked.max())
    shares /= shares.sum()
    known = shares[shares > 0]
    return float(-(known * np.log(known)).sum())
