"""Greedy decoding of one agent turn under its grammar, for the chat command and for evaluation.

Small on purpose: the runtime's engine streams, batches and cancels; this only shows how model and grammar go together.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from policies.learned.core.choosing import choose
from policies.learned.core.grammar import TurnGrammar
from policies.learned.core.model import Cache, CoreModel

__all__ = ["decode_turn"]


def decode_turn(
    model: CoreModel, cache: Cache, grammar: TurnGrammar, logits: NDArray[np.float32], *, max_tokens: int = 160
) -> Iterator[int]:
    """Token ids of the turn, each one taken by `grammar` when it is given out.

    `logits` float32[vocab] belong to the last position of `cache`. All ids but the very last are in the cache at the
    end. Tokens that the grammar forces cost no decision: they are fed together with the next free one.
    """
    waiting: list[int] = []
    for _ in range(max_tokens):
        if grammar.done:
            return
        token = grammar.forced
        if token is None:
            if waiting:
                logits = model.extend(cache, waiting)
                waiting = []
            token = choose(logits, grammar)
        grammar.advance(token)
        waiting.append(token)
        yield token
