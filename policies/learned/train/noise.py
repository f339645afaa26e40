"""What happens to a caller's words on their way: hesitation, broken carriers, recogniser errors, pauses.

Everything works on tagged words, so that `understand` can still tell what survived. What a misheard word becomes is
drawn from what our recogniser made of such words (`confusions`); a hand-written table stands in for words that it was
never asked. This file refuses to know goals and labels. Rates are guesses but for the word error range (0-20 %), which
the notes name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from random import Random

from policies.learned.train.confusions import Readings, confusions
from policies.learned.train.names import recogniser_words
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, WEEK, Word
from policies.learned.train.wordings import TRAINED

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
_SPELT_NAMES = 0.25
"""Share of misheard names with other letters instead of other words: recognisers with an open vocabulary spell."""
_FEW_ERRORS = 3
"""A table row is believed with n / (n + 3) when it rests on n errors (a guess); else a word errs the old way."""
_DRAWS = 4
"""Readings drawn before a word counts as lost, where each would say what nobody said."""

_SYNONYMS = (
    "yes yeah yep yup",
    "ok okay",
    "sure",
    "correct",
    "exactly",
    "no nope",
    "not never",
    "wrong incorrect",
    "book booking booked",
    "appointment appointments",
    "visit visits",
    "cancel cancelled canceled cancelling canceling",
    "bye goodbye",
    "sorry",
    "actually",
)
"""Words that alone decide how a turn is read. One heard for another of its line says the same; heard for anything else
it would make the label of the turn false."""
_SAYS = {word: line.split()[0] for line in _SYNONYMS for word in line.split()}
_SAYS |= dict.fromkeys((*WEEK, "today", "tomorrow"), "day") | dict.fromkeys(PARTS, "part")
_SAYS |= {time.split()[0]: "hour" for time in TIMES} | {"thirty": "half"}
_SAYS |= dict.fromkeys(("first", "earliest", "second", "last", "latest"), "ordinal")

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
    """Word errors at `rate` (0..1), the share of words drawn for one: replaced by one or more, lost, or a word put
    before, as often as our recogniser does each. A value replaced by another value is that other value; what would say
    something that nobody said, a yes or a day, is drawn again."""
    if rate <= 0:
        return list(words)
    added_share = confusions().added_share
    out: list[Word] = []
    for index, word in enumerate(words):
        if word.kept or rng.random() >= rate:
            out.append(word)
            continue
        inside = index > 0 and word.is_value and words[index - 1].group == word.group
        if not inside and rng.random() < added_share:
            out += [Word(text) for text in _fitting(Word(""), confusions().came_in, rng)] + [word]
        else:
            out += _misheard(word, rng)
    return out


def _misheard(word: Word, rng: Random) -> list[Word]:
    known = confusions().words.get(word.text)
    if word.tag == "name" or (word.tag == "old" and known is None and word.text not in _SAYS):
        return _misheard_name(word, rng)
    if known is None or not _believed(known, rng):
        return _replaced(word, rng)
    heard = _fitting(word, known, rng)
    if word.is_value:
        return [replace(word, text=text) for text in heard]
    return [replace(word, text=text) if word.tag and _alike(word.text, text) else Word(text) for text in heard]


def _believed(readings: Readings, rng: Random) -> bool:
    return rng.random() * (readings.count + _FEW_ERRORS) < readings.count


def _misheard_name(word: Word, rng: Random) -> list[Word]:
    """A name is outside the vocabulary and becomes other words: those that callers use otherwise too are no name."""
    if rng.random() < _SPELT_NAMES:
        return [replace(word, text=mangled(word.text, rng))]
    table = confusions()
    known = table.names.get(word.text)
    heard = _fitting(word, known if known is not None and _believed(known, rng) else table.any_name, rng)
    named = [text for text in heard if text not in _carriers()]
    return [replace(word, text=text) for text in named] or [Word(text) for text in heard]


def _fitting(word: Word, readings: Readings, rng: Random) -> tuple[str, ...]:
    """A reading of `word` that says nothing which `word` is not about; none when none is found."""
    for _ in range(_DRAWS):
        heard = readings.draw(rng)
        said = [_SAYS[text] for text in heard if text in _SAYS]
        if not said or (word.tag and word.tag != "name" and said == [_SAYS.get(word.text)]):
            return heard
    return ()


def _alike(spoken: str, heard: str) -> bool:
    """Whether `heard` says what `spoken` did: a synonym, or another form of the word."""
    if spoken in _SAYS or heard in _SAYS:
        return _SAYS.get(spoken) == _SAYS.get(heard)
    short, long = sorted((spoken, heard), key=len)
    return short == long or (len(short) >= 4 and long.startswith(short))


@cache
def _carriers() -> frozenset[str]:
    """Every word that callers say around their values."""
    pieces = (piece for pieces in TRAINED.pieces.values() for piece in pieces)
    marks = str.maketrans("(|)*!", "     ")
    return frozenset(word for piece in pieces for word in piece.translate(marks).split() if word[0] != "{")


def _replaced(word: Word, rng: Random) -> list[Word]:
    """The old way: a third lost, the others taken for a word from a hand-written table or for any word."""
    if rng.random() < 0.35:
        return []
    if word.text in _CONFUSED and rng.random() < 0.7:
        text = rng.choice(_CONFUSED[word.text])
        return [replace(word, text=text) if word.is_value else Word(text)]
    if word.tag == "day" and rng.random() < 0.3:
        return [replace(word, text=rng.choice(DAYS))]
    if word.is_value:
        return [replace(word, text=_random_word(rng))]
    return [Word(_random_word(rng))]


def split_points(words: Sequence[Word]) -> list[int]:
    """Indices at which a speaker may pause: before any word that does not continue a value."""
    return [
        index
        for index in range(1, len(words))
        if not (words[index].is_value and words[index - 1].tag == words[index].tag)
    ]
