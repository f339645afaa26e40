"""A reply that a server writes freely and we hold to a grammar: what may come, what came, and how it goes on.

Where the model runs elsewhere (a server, vLLM's own processes) the grammar of a turn stays here: it is made of the call
and advanced by each token. Tokens are taken as they come; the first that may not come is where the reply is asked for
again, with the tokens that may. This file refuses to know who writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ..ports import Grammar

__all__ = ["Writing"]


@dataclass
class Writing:
    """A reply being written: what may come, what came, and how it goes on."""

    grammar: Grammar | None
    stops: frozenset[int]
    left: int
    refused: bool = False
    """The next token was not allowed; it has to be asked again."""
    fresh: list[int] = field(default_factory=list)
    """Tokens that were added and not yet handed on."""

    def __post_init__(self) -> None:
        self.over = self.left <= 0

    def take(self, tokens: Sequence[int]) -> list[int]:
        """In a job, because a grammar may take a while: the tokens up to the first that may not come."""
        self.fresh, self.refused = [], False
        for token in tokens:
            if self.over:
                break
            mask = self.grammar.allowed() if self.grammar is not None else None
            if mask is not None and not (token < len(mask) and mask[token]):
                self.refused = True
                break
            self.add(token)
        fresh, self.fresh = self.fresh, []
        return fresh

    def add(self, token: int) -> None:
        """One more token."""
        self.fresh.append(token)
        self.left -= 1
        if self.grammar is not None:
            self.grammar.advance(token)
        ended = token in self.stops or (self.grammar is not None and self.grammar.done)
        self.over = ended or self.left <= 0

    def forced(self) -> list[int]:
        """Add what alone may come, as far as that goes; then the tokens of which one must come."""
        self.refused = False
        while not self.over:
            assert self.grammar is not None, "only a grammar refuses"
            mask = self.grammar.allowed()
            allowed = [] if mask is None else [int(one) for one in np.flatnonzero(mask)]
            if len(allowed) != 1:
                return allowed
            self.add(allowed[0])
        return []
