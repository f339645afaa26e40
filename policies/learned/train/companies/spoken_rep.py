"""Words of a representative with their meaning attached, and what survives of it.

As `policies.learned.train.spoken_caller` for a caller: every word carries a tag, noise works on words, and
`understand` reads meaning from the words that are left. This file knows words and tags, no dialogue and no labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from policies.learned.train.companies.wordings import ITEM_PHRASES, TERM_PHRASES, WRAPPED, RepWordings
from policies.learned.train.spoken_caller import Word, said, say

__all__ = ["Heard", "RepWord", "say_act", "understand"]

_VALUES = frozenset({"item", "value", "offer", "term"})
_OFFERS = frozenset({"five", "ten", "fifteen", "twenty", "thirty"})
_KEYS = {
    "password": "password", "pin": "pin", "card": "card number", "email": "email", "digits": "last four digits",
    "phone": "phone number", "telephone": "phone number", "mobile": "phone number", "new": "new address",
    "postcode": "postcode", "post": "postcode", "zip": "postcode", "birth": "date of birth",
    "birthday": "date of birth", "customer": "customer number", "account": "customer number",
    "client": "customer number",
}  # fmt: skip
"""The word that tells an item from all others, the surest first: ``telephone password`` is a password."""
_YEARS = {"one": "one year", "a": "one year", "year": "one year", "twelve": "one year"} | {
    word: "two years" for word in ("two", "years", "twenty", "four")
}
_WEAK = frozenset(
    "a account address all am and another any anything are ask at be best bill bit bringing button by call calling "
    "can cancellation carry change come comes computer confirm contract could customer day deal did discount does "
    "doesn't don't effect exactly final first follow for from full get give go going got had has have he her here "
    "him home house how i i'm i've if in is it it's its just lets like longer love me month morning move must named "
    "nearly need new next not now of off on one only or our out over party people phone place policy price quick "
    "reduction ring running said send service should so some somebody someone something still system system's that "
    "that's the them there they thing this through time to transfer tried turned up us using voice want was we week "
    "went what what's when where which while will with without won't would you you're your".split()
)
"""Marked words that say nothing alone: the act needs another one to survive, or its label would be a guess."""


BEFORE_SHARE, AFTER_SHARE = 0.25, 0.15
"""How often words that say nothing stand around a piece (`RepWordings.before`); guesses."""


class RepWord(Word):
    """A word of the representative: other values than a caller's must stay whole in hesitation and pauses."""

    __slots__ = ()

    @property
    def is_value(self) -> bool:
        """Whether this word is part of a value."""
        return self.tag in _VALUES


@dataclass(slots=True)
class Heard:
    """What the words of one turn say, read from the words alone. `value`: the words of a read-back as they came."""

    asked: str | None = None
    offer: str | None = None
    term: str | None = None
    value: str | None = None
    acts: set[str] = field(default_factory=set)
    words: int = 0

    @property
    def anything(self) -> bool:
        """Whether any meaning survived."""
        return bool(self.asked or self.offer or self.term or self.value or self.acts)


def say_act(wordings: RepWordings, act: str, rng: Random, values: Mapping[str, str] | None = None) -> list[RepWord]:
    """One piece of `act` as words; an item and a term are said in one of the ways they have."""
    filled = dict(values or {})
    if "item" in filled:
        filled["item"] = rng.choice(ITEM_PHRASES[filled["item"]])
    if "term" in filled:
        filled["term"] = rng.choice(TERM_PHRASES[filled["term"]])
    words = say(wordings, act, rng, filled, group=rng.randrange(1, 10**6))
    if act in WRAPPED:
        words = [*_around(wordings.before, BEFORE_SHARE, rng), *words, *_around(wordings.after, AFTER_SHARE, rng)]
    # a company's name means nothing to the agent, which has it on its card
    return [RepWord(word.text, word.tag.replace("company", ""), word.group, word.kept) for word in words]


def _around(pieces: Sequence[str], share: float, rng: Random) -> list[Word]:
    """One of `pieces` in that share of cases, saying nothing. Draws no number where there are none."""
    return said(rng.choice(pieces), "", rng) if pieces and rng.random() < share else []


def understand(words: Sequence[Word]) -> Heard:
    """Read `words`. Of two values of a kind the last one counts."""
    result = Heard(words=len(words))
    position = 0
    while position < len(words):
        tag, group = words[position].tag, words[position].group
        if tag not in _VALUES:
            if tag and words[position].text not in _WEAK:
                result.acts.add(tag)
            position += 1
            continue
        end = position
        while end < len(words) and words[end].tag == tag and words[end].group == group:
            end += 1
        spoken = [word.text for word in words[position:end]]
        if tag == "item":
            result.asked = next((item for key, item in _KEYS.items() if key in spoken), result.asked)
        elif tag == "value":
            result.value = " ".join(spoken)
        elif tag == "offer":
            percent = [word for word in spoken if word in _OFFERS]
            result.offer = f"{percent[0]} percent" if percent else result.offer
        else:
            years = {_YEARS[word] for word in spoken if word in _YEARS}
            result.term = years.pop() if len(years) == 1 else result.term
        position = end
    return result
