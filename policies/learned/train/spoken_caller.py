"""Words of a caller with their meaning attached, and what survives of it.

A label must follow from the words that the agent can see, not from the goal in the caller's head: a label made from
the goal teaches the model to invent what it never heard. So every word carries a tag, noise works on words, and
`understand` reads meaning from the words that are left. This file knows words and tags, no dialogue and no labels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

from policies.learned.train.wordings import Wordings

__all__ = [
    "DAYS",
    "PARTS",
    "TIMES",
    "WEEK",
    "Understood",
    "Word",
    "parse_times",
    "part_of",
    "said",
    "say",
    "text_of",
    "understand",
]

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
WEEK = (*DAYS, "saturday", "sunday")
PARTS = ("morning", "afternoon")
_HOURS = ("eight", "nine", "ten", "eleven", "twelve", "one", "two", "three", "four", "five")
TIMES = tuple(f"{hour}{half}" for hour in _HOURS for half in ("", " thirty"))
"""Spoken starts of visits, eight to five thirty on the half hour."""

_ORDINALS = {"first": 0, "earliest": 0, "second": 1, "last": -1, "latest": -1}
_INTENTS = frozenset({"book", "cancel", "hours", "other"})
_VALUES = frozenset({"day", "part", "time", "ordinal", "name", "old"})


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word. `tag`: the slot or act whose meaning it carries; `group`: words of one value; `kept`: noise
    must not take it."""

    text: str
    tag: str = ""
    group: int = 0
    kept: bool = False

    @property
    def is_value(self) -> bool:
        """Whether this word is part of a slot value."""
        return self.tag in _VALUES


def text_of(words: Iterable[Word]) -> str:
    """The plain words."""
    return " ".join(word.text for word in words)


def part_of(time: str) -> str:
    """``morning`` for times before twelve, else ``afternoon``."""
    return "morning" if time.split()[0] in _HOURS[:4] else "afternoon"


def parse_times(text: str) -> tuple[str, ...]:
    """All times in `text` in their order: ``nine thirty eleven`` gives ``nine thirty`` and ``eleven``. "which one" is
    no time."""
    times: list[str] = []
    for word in re.findall(r"[a-z]+", text.replace("which one", "")):
        if word in _HOURS:
            times.append(word)
        elif word == "thirty" and times and times[-1] in _HOURS:
            times[-1] += " thirty"
    return tuple(times)


_ALTERNATIVES = re.compile(r"\(([^()]*)\)")


@cache
def _flat(piece: str) -> bool:
    return "(" not in piece


def say(
    wordings: Wordings, act: str, rng: Random, values: Mapping[str, str] | None = None, group: int = 0
) -> list[Word]:
    """One piece of `act` as words, its slots filled from `values`. `group`: a number for this piece's values."""
    return said(rng.choice(wordings.pieces[act]), act, rng, values, group)


def said(piece: str, act: str, rng: Random, values: Mapping[str, str] | None = None, group: int = 0) -> list[Word]:
    """`piece` as words: one of its alternatives, its marked words tagged with `act`."""
    while not _flat(piece):
        piece = _ALTERNATIVES.sub(lambda found: rng.choice(found[1].split("|")), piece)
    words: list[Word] = []
    for token in piece.split():
        if token[0] == "{":
            slot = token[1:-1]
            value = (values or {})[slot]
            spoken = _spoken(slot, value, rng)
            words += [Word(text, slot, group * 10 + len(slot)) for text in spoken.split()]
        elif token[0] in "*!":
            words.append(Word(token.lstrip("*!"), act if "*" in token else "", 0, "!" in token))
        else:
            words.append(Word(token))
    return words


def _spoken(slot: str, value: str, rng: Random) -> str:
    """A value as a caller says it."""
    if slot == "time" and rng.random() < 0.25:
        hour, _, half = value.partition(" ")
        if half:
            return f"half past {hour}"
        return rng.choice((f"{hour} o'clock", f"{hour} am" if hour in _HOURS[:4] else f"{hour} pm"))
    if slot == "ordinal":
        return rng.choice([word for word, index in _ORDINALS.items() if str(index) == value])
    return value


@dataclass(slots=True)
class Understood:
    """What the words of one turn say, read from the words alone."""

    day: str | None = None
    part: str | None = None
    time: str | None = None
    ordinal: int | None = None
    name: str | None = None
    acts: set[str] = field(default_factory=set)
    words: int = 0

    @property
    def intent(self) -> str | None:
        """The last of book, cancel, hours and other that was asked for; tasks before questions."""
        for intent in ("cancel", "book", "hours", "other"):
            if intent in self.acts:
                return intent
        return None

    @property
    def answer(self) -> str | None:
        """``yes``, ``no``, or None when neither or both were said."""
        yes = "yes" in self.acts
        no = bool(self.acts & {"no", "nothing_else"})
        return None if yes == no else ("yes" if yes else "no")

    @property
    def slots(self) -> bool:
        """Whether any value was heard."""
        return any((self.day, self.part, self.time, self.name, self.ordinal is not None, "any_time" in self.acts))

    @property
    def anything(self) -> bool:
        """Whether any meaning survived."""
        return self.slots or bool(self.acts)


def understand(words: Sequence[Word], today: str) -> Understood:
    """Read `words`. `today` is a weekday, for "today" and "tomorrow"."""
    result = Understood(words=len(words))
    last: str | None = None
    position = 0
    while position < len(words):
        word = words[position]
        if not word.is_value:
            if word.tag == "fix_mark" and last is not None:
                # "tuesday no wednesday": what stood before the mark is taken back, even if the rest is lost
                setattr(result, last, None)
            elif word.tag and word.tag != "fix_mark":
                result.acts.add(word.tag)
            position += 1
            continue
        end = position
        while end < len(words) and words[end].tag == word.tag and words[end].group == word.group:
            end += 1
        value = _value(word.tag, [item.text for item in words[position:end]], today)
        if word.tag != "old" and value is not None:
            setattr(result, word.tag, value)
            last = word.tag
        position = end
    return result


def _value(slot: str, words: list[str], today: str) -> str | int | None:
    if slot == "day":
        for word in words:
            if word in DAYS:
                return word
            if word in {"today", "tomorrow"}:
                meant = WEEK[(WEEK.index(today) + (word == "tomorrow")) % len(WEEK)]
                return meant if meant in DAYS else None
        return None
    if slot == "part":
        return next((word for word in words if word in PARTS), None)
    if slot == "time":
        if "half" in words and "past" in words:
            hour = next((word for word in words if word in _HOURS), None)
            return None if hour is None else f"{hour} thirty"
        times = parse_times(" ".join(words))
        return times[0] if times else None
    if slot == "ordinal":
        return next((_ORDINALS[word] for word in words if word in _ORDINALS), None)
    return " ".join(words) if slot == "name" else None
