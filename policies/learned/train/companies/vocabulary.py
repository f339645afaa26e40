"""The words the calls desk says of its own, for the lexicon that a model is decoded under.

Values come into speech from the note, the card and look-ups; in the lexicon they would let a wrong one be said.
"""

from __future__ import annotations

import re
from random import Random

from policies.learned.train.companies.case import FILE_ITEMS, FORBIDDEN, OFFERS, TERMS
from policies.learned.train.companies.dialogue import expert_call
from policies.learned.train.dialogue import Line
from policies.trajectory import Role

__all__ = ["said_words"]


def said_words(*, calls: int = 2000, seed: int = 11) -> list[str]:
    """The words of the agent's own style, sorted: all that the expert says but customers, items, offers and values."""
    rng = Random(seed)
    words: set[str] = set()
    for _ in range(calls):
        call = expert_call(rng, line=Line(cuts=0))
        case = call.case
        # the longest first, so that no value is taken apart by a shorter one
        values = sorted((case.customer, *case.values.values(), *OFFERS, *TERMS), key=len, reverse=True)
        items = [f"the {item}" for item in (*FILE_ITEMS, *FORBIDDEN)]
        for segment in call.segments:
            if segment.role in (Role.SAY, Role.FILLER):
                text = segment.text
                for value in (*values, *items):
                    text = text.replace(value, "")
                words.update(re.findall(r"[a-z']+", text))
    return sorted(words | {"the"})
