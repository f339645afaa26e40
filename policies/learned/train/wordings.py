"""How callers say things in training: pieces by act, as large a variety as one hand can write.

Wording variety is the first limit of the core model (notes: poor templates 0.02, rich ones 0.85 on unseen wordings), so
the pieces are many on purpose: `wordings_wishes`, `wordings_values` and `wordings_answers`. They know words only;
goals, noise and labels stand elsewhere. `heldout` has the same shape with other pieces, and no piece may stand in both.

Notation: ``(a|b|)`` one of, may nest; ``{day} {part} {time} {name}`` the value, ``{old}`` a value that is being
corrected; ``*word`` carries the meaning of the act: while one such word survives the noise, the act is understood;
``!word`` is never lost, because without it the rest would say the opposite ("that is not right").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from policies.learned.train.names import training_name
from policies.learned.train.wordings_answers import ANSWERS
from policies.learned.train.wordings_values import VALUES
from policies.learned.train.wordings_wishes import ALSO, WISHES

__all__ = ["TRAINED", "Wordings"]


@dataclass(frozen=True, slots=True)
class Wordings:
    """Pieces by act, and where names come from. Two sets of wordings must have the same acts. `also`: what may stand
    before a second wish; a set without it has none."""

    pieces: Mapping[str, tuple[str, ...]]
    name: Callable[[Random], str]
    also: tuple[str, ...] = field(default=(), kw_only=True)


TRAINED = Wordings(pieces=WISHES | VALUES | ANSWERS, name=training_name, also=ALSO)
