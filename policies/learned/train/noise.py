"""What happens to a caller's words on their way: hesitation, broken carriers, recogniser errors, pauses.

Everything works on tagged words, so that `understand` can still tell what survived. This file refuses to know goals
and labels. Rates are guesses but for the word error range (0-20 %), which the notes name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from random import Random

from policies.learned.train.names import recogniser_words
from policies.learned.train.spoken_caller import DAYS, Word

__all__ = ["break_carrier", "hesitate", "mangled", "misrecognise", "split_points"]

_SMALL = "the a to of in and it is that i we at on for my you this there with so do be have was".split()
_CONFUSED = {
    "ten": ("then", "nine", "tin"),
    "two": ("to", "too"),
    "four": ("for", "five"),
    "nine": ("five", "line"),
    "five": ("nine", "fine"),
    "eight": ("ate", "a"),
    "one": ("won", "on"),
    "eleven": ("seven", "heaven"),
    "thirty": ("thirteen", "dirty"),
    "half": ("have",),
    "past": ("pass",),
    "monday": ("sunday", "friday"),
    "tuesday": ("thursday", "today"),
    "wednesday": ("when", "wins"),
    "thursday": ("tuesday",),
    "friday": ("monday", "fry"),
    "morning": ("mourning", "warning"),
    "afternoon": ("after", "noon"),
}
_NEIGHBOURS = dict(
    pair.split(":")
    for pair in """b:pdv p:b d:tb t:d m:n n:m f:v v:fw s:z z:s k:cg g:k c:k l:r r:l a:eo e:ai i:ey o:au u:o w:v j:g y:i
    x:s q:k""".split()
)


def mangled(name: str, rng: Random) -> str:
    """`name` as a recogniser may write it: one or two letters replaced, dropped or doubled. Never the same."""
    while True:
        letters = list(name)
        for _ in range(rng.choice((1, 1, 2))):
            at = rng.randrange(len(letters))
            near = _NEIGHBOURS.get(letters[at], "")
            kind = rng.random()
            if near and kind < 0.6:
                letters[at] = rng.choice(near)
            elif kind < 0.8 and len(letters) > 3:
                del letters[at]
            else:
                letters.insert(at, letters[at])
        changed = "".join(letters)
        if changed != name and changed.strip() == changed and "  " not in changed:
            return changed


def _random_word(rng: Random) -> str:
    return rng.choice(_SMALL) if rng.random() < 0.4 else rng.choice(recogniser_words())


def hesitate(words: Sequence[Word], rng: Random, hums: Sequence[str]) -> list[Word]:
    """Filled pauses and repeated words, between values, never inside one."""
    out: list[Word] = []
    for index, word in enumerate(words):
        inside = (
            index > 0 and word.is_value and words[index - 1].group == word.group and words[index - 1].tag == word.tag
        )
        if not inside and rng.random() < 0.06:
            out += [Word(text) for text in rng.choice(hums).split()]
        if not word.tag and not word.kept and rng.random() < 0.02:
            out.append(Word(word.text))
        out.append(word)
    return out


def break_carrier(words: Sequence[Word], rng: Random) -> list[Word]:
    """Drop or replace words that carry nothing and put random ones around, so that slots are read, not templates."""
    out: list[Word] = [Word(_random_word(rng)) for _ in range(rng.choice((0, 0, 1, 2)))]
    for word in words:
        if word.tag or word.kept:
            out.append(word)
            continue
        kind = rng.random()
        if kind < 0.35:
            continue
        out.append(Word(_random_word(rng)) if kind < 0.55 else word)
    return out + [Word(_random_word(rng)) for _ in range(rng.choice((0, 0, 1, 2)))]


def misrecognise(words: Sequence[Word], rng: Random, rate: float) -> list[Word]:
    """Word errors at `rate` (0..1): 45 % replaced, 30 % lost, 25 % something added before."""
    if rate <= 0:
        return list(words)
    out: list[Word] = []
    for index, word in enumerate(words):
        if word.kept or rng.random() >= rate:
            out.append(word)
            continue
        kind = rng.random()
        inside = index > 0 and word.is_value and words[index - 1].group == word.group
        if kind < 0.45:
            out.append(_replaced(word, rng))
        elif kind < 0.75 or inside:
            continue
        else:
            out += [Word(_random_word(rng)), word]
    return out


def _replaced(word: Word, rng: Random) -> Word:
    if word.tag in {"name", "old"}:
        return replace(word, text=mangled(word.text, rng) if rng.random() < 0.7 else rng.choice(recogniser_words()))
    if word.text in _CONFUSED and rng.random() < 0.7:
        return replace(word, text=rng.choice(_CONFUSED[word.text]))
    if word.tag == "day" and rng.random() < 0.3:
        return replace(word, text=rng.choice(DAYS))
    if word.is_value:
        return replace(word, text=_random_word(rng))
    return Word(_random_word(rng))


def split_points(words: Sequence[Word]) -> list[int]:
    """Indices at which a speaker may pause: before any word that does not continue a value."""
    return [
        index
        for index in range(1, len(words))
        if not (words[index].is_value and words[index - 1].tag == words[index].tag)
    ]
