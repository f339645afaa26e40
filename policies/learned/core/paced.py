"""The grammar of a turn whose bits of speech end where the model wavers: `policies.pace` over `TurnGrammar`.

It stands beside the grammar because the place of a thought is chosen by what the model finds hard, and a grammar alone
knows only what may come.
"""

from __future__ import annotations

from collections.abc import Callable

from policies.learned.core.grammar import Mask, TurnGrammar
from policies.learned.core.tokenizer import Tokenizer
from policies.pace import Pace
from policies.trajectory import Role

__all__ = ["PacedTurn"]


class PacedTurn:
    """`turn` with thoughts put in; everything else is the turn's own. Nothing is put in where it may not go in bits."""

    def __init__(self, turn: TurnGrammar, tokenizer: Tokenizer, pace: Pace) -> None:
        self.turn = turn
        self._pace, self._begins_word = pace, tokenizer.begins_word
        self._more = tokenizer.special[str(Role.MORE)]

    @property
    def done(self) -> bool:
        """Whether the turn is complete."""
        return self.turn.done

    def allowed(self) -> Mask:
        """As the turn's."""
        return self.turn.allowed()

    def advance(self, token: int) -> None:
        """As the turn's."""
        self.turn.advance(token)

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        """The token that ends a bit of speech where the model wavers between words, else `token`."""
        if not self._begins_word[token] or not self.turn.allowed()[self._more]:
            return token
        doubt = entropy()
        # the words so far are read only where the model wavers: a bit may be a thousand tokens long
        return self._more if self._pace.wavers(doubt) and self._pace.stops(self.turn.saying, doubt) else token
