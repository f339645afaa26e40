"""Phrases: short templates of what callers may say, expanded into the sentences a recogniser's language model learns.

A recogniser hears what its language model has seen, so an agent brings sentences of its scenario. Written out they are
thousands; as templates they fit a page. The notation of a line:

    i (would like|want|) to come in on {day}     one of the alternatives (an empty one allowed), one value of the slot
    @day = monday | tuesday                      the values of a slot
    # words                                      a comment; empty lines are skipped

Every line stands for about as many sentences as any other, so that "yes" is not drowned by what has more wordings:
`weight` of them, or more where there are more wordings or values. Which they are is fixed by the line itself, so
equal templates give equal sentences. This file refuses to know files,
recognisers and agents.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["FORM", "PhraseError", "check_phrases", "expand_phrases", "expand_template"]

FORM = 1
"""Raised whenever the same templates give other sentences, so that what was made of the old ones is left behind."""

_MOST_VARIANTS = 256
"""Wordings one line may stand for; more is a slip of the pen (every alternative multiplies)."""
_PIECE = re.compile(r"\{(?P<slot>[a-z][a-z0-9_]*)\}|(?P<mark>[(|)])|(?P<words>[^(){}|]+)|(?P<bad>.)")
_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_WORDS = re.compile(r"[a-z0-9' -]*")
_SLOT_LINE = re.compile(r"@(?P<name>[a-z][a-z0-9_]*)\s*=(?P<values>.*)")


class PhraseError(ValueError):
    """A template that cannot be read; the message names the line, what is wrong and the way out."""


def expand_phrases(
    lines: Iterable[str], slots: Mapping[str, Sequence[str]], *, weight: int = 20, source: str = "phrases"
) -> tuple[str, ...]:
    """The sentences of template `lines`, in their order; `slots` are values known beside those of the @ lines.

    An @ line may stand anywhere and wins over `slots`. `source` names the lines in errors. Raises `PhraseError`.
    """
    templates, values = _read(lines, slots, source)
    return tuple(sentence for where, line in templates for sentence in expand_template(line, values, weight, where))


def check_phrases(lines: Iterable[str], slots: Mapping[str, Sequence[str]], *, source: str = "phrases") -> None:
    """Raise what `expand_phrases` would raise, at a third of its work."""
    templates, values = _read(lines, slots, source)
    for where, line in templates:
        for variant in _variants(line, where):
            for name in _SLOT.findall(variant):
                _check_slot(name, values, where)


def _read(
    lines: Iterable[str], slots: Mapping[str, Sequence[str]], source: str
) -> tuple[list[tuple[str, str]], dict[str, tuple[str, ...]]]:
    """((where, template) in the order of the lines, slot -> its values)."""
    values = {name: tuple(given) for name, given in slots.items()}
    templates: list[tuple[str, str]] = []
    for number, raw in enumerate(lines, 1):
        line, where = raw.strip().lower(), f"{source}:{number}"
        if not line or line.startswith("#"):
            continue
        if not line.startswith("@"):
            templates.append((where, line))
            continue
        match = _SLOT_LINE.fullmatch(line)
        if match is None:
            raise PhraseError(f"{where}: {line!r} defines no slot; write '@name = first | second'")
        values[match["name"]] = tuple(" ".join(value.split()) for value in match["values"].split("|") if value.strip())
        for value in values[match["name"]]:
            _check_words(where, value)
    return templates, values


def expand_template(template: str, slots: Mapping[str, Sequence[str]], weight: int, where: str) -> Iterator[str]:
    """At least `weight` sentences of one template, evenly mixed: each wording, and each value of a slot that all have.

    Where all combinations are fewer than `weight` they are repeated in turn. Raises `PhraseError` naming `where`.
    """
    rng = random.Random(template)
    pieces_of: dict[str, list[str]] = {}
    decks: dict[tuple[str, int], Iterator[str]] = {}
    for variant in _variants(template, where):
        pieces_of[variant] = _SLOT.split(variant)  # words, slot name, words, slot name, ..., words
        for place, name in enumerate(pieces_of[variant][1::2]):
            _check_slot(name, slots, where)
            # each place is dealt on its own, so that "no {day} not {day}" mostly names two days
            if (name, place) not in decks:
                decks[name, place] = _deal(slots[name], rng)
    count = max(weight, len(pieces_of), *(len(slots[name]) for name, _ in decks), 0)
    for wording in itertools.islice(_deal(tuple(pieces_of), rng), count):
        pieces = pieces_of[wording].copy()
        for place, name in enumerate(pieces[1::2]):
            pieces[2 * place + 1] = next(decks[name, place])
        yield "".join(pieces)


def _deal(cards: Sequence[str], rng: random.Random) -> Iterator[str]:
    """The cards over and over, freshly shuffled each time round, so that slots do not march in step."""
    deck = list(cards)
    while len(deck) > 1:
        rng.shuffle(deck)
        yield from deck
    yield from itertools.repeat(deck[0])


def _variants(template: str, where: str) -> tuple[str, ...]:
    """Every wording of the alternatives in `template`, slots left in place, empty wordings left out."""
    pieces = []
    for match in _PIECE.finditer(template):
        if match["bad"]:
            raise PhraseError(f"{where}: {match['bad']!r} in {template!r} closes or opens nothing; write {{slot}}")
        if match["words"]:
            _check_words(where, match["words"])
        pieces.append(match["mark"] or match[0])
    found, rest = _alternatives(pieces, where, template)
    if rest:
        raise PhraseError(f"{where}: a ')' in {template!r} closes nothing; drop it or open a '('")
    wordings = tuple(dict.fromkeys(" ".join(one.split()) for one in found if one.strip()))
    if not wordings:
        raise PhraseError(f"{where}: {template!r} has no words; write some or drop the line")
    return wordings


def _alternatives(pieces: Sequence[str], where: str, template: str) -> tuple[list[str], Sequence[str]]:
    """The wordings up to the ')' that ends this level, and the pieces from that ')' on."""
    done: list[str] = []
    open_wordings = [""]
    while pieces and pieces[0] != ")":
        piece, pieces = pieces[0], pieces[1:]
        if piece == "|":
            done += open_wordings
            open_wordings = [""]
            continue
        inner = [piece]
        if piece == "(":
            inner, pieces = _alternatives(pieces, where, template)
            if not pieces:
                raise PhraseError(f"{where}: a '(' in {template!r} is never closed; add a ')'")
            pieces = pieces[1:]
        open_wordings = [before + after for before in open_wordings for after in inner]
        if len(done) + len(open_wordings) > _MOST_VARIANTS:
            raise PhraseError(f"{where}: {template!r} has over {_MOST_VARIANTS} wordings; split it into several lines")
    return done + open_wordings, pieces


def _check_slot(name: str, slots: Mapping[str, Sequence[str]], where: str) -> None:
    if not slots.get(name):
        known = ", ".join(sorted(name for name, given in slots.items() if given)) or "none"
        raise PhraseError(f"{where}: the slot {{{name}}} has no values; known are {known} (or '@{name} = ...')")


def _check_words(where: str, text: str) -> None:
    if not _WORDS.fullmatch(text):
        bad = next(sign for sign in text if not _WORDS.fullmatch(sign))
        raise PhraseError(f"{where}: {bad!r} in {text.strip()!r} is not spoken; use letters, digits, ' and -")
