"""Which noted words the caller just refused: a name or a time that was read back and answered by "no, another one".

A small model that once noted a wrong name keeps it: the old value stands in its note and is the likeliest to be copied
again, whatever the caller says. So a copied value that was read back, refused and not said again may not stay, and a
new one comes from the refusing answer. Where the answer names a day, a time or another choice, that was what was wrong,
and the name stays. A time likewise: where the one that is named instead is not on offer, a model that must note one
that is would read back the refused one for ever. This file refuses to know the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.agreement import answer as verdict
from policies.notes import UNKNOWN, copyable
from policies.numerals import plain_words
from policies.shapes import NoteField
from policies.spoken_times import find_times

__all__ = ["denied"]

_SAYS_NO = frozenset(
    plain_words(
        "not wrong right mistake mistaken misheard heard hear said say meant mean asked wanted told ask got get wrote "
        "write quite sure never just there again different something somebody else all one thing things change changed "
        "day time what which where when who how why isn't wasn't don't didn't doesn't can't did does done look listen "
        "exactly really sound sounds mixed up crying loud hold hang second minute moment wait well oh ah ha ehm erm "
        "hmm mm love dear mate pal sir madam mister missus surname last first full fix correct incorrect put make book "
        "out booked booking visit appointment cancel as if then now here very too only still any some more than them "
        "they think thought know known believe see let might should must will shall may been being were had has "
        "into about spell spelled spelling letter letters man woman god goodness honestly actually rather bit "
        "little family"
    )
)
"""Words of refusing that are no new value: an answer of these alone does not say which value was wrong."""
_MOST_RUNS = 2
_REFUSING = frozenset("not never don't isn't wasn't won't can't cannot".split())
_SMALL = frozenset("a an the on for to at that this my it be want".split())
"""May stand between a refusal and what it refuses: "not on tuesday", "don't want to cancel"."""
_NO_CHOICE = frozenset({"yes", "no", "unclear", "none", "other"})
"""Values that name nothing: "no, the other one" is no wish for something else."""
_STEM = 4
"""Letters by which a value is known in all its forms: book, booking, booked."""


def denied(
    question: str, answer: str, known: Mapping[str, str], notes: Sequence[NoteField]
) -> dict[str, tuple[str, ...]]:
    """Fields whose old value may not stay -> the runs of words that a new one may be copied from; of a time the times,
    of a choice the one that was named.

    `question`: what the agent said last; `answer`: the caller's whole turn after it; `known`: the note by field.
    """
    if verdict(answer) != "no":
        return {}
    copied = [note for note in notes if note.kind == "heard" and known.get(note.name, UNKNOWN) != UNKNOWN]
    times = find_times(answer)
    if times:
        asked_times = find_times(question)
        refused = [note.name for note in notes if note.kind == "time" and known.get(note.name) in asked_times]
        return {refused[0]: times} if len(refused) == 1 and known[refused[0]] not in times else {}
    if other := _another_choice(answer, known, notes):
        return other
    if not copied or _names_another(answer, notes):
        return {}
    asked = f" {' '.join(plain_words(question))} "
    read_back = [note for note in copied if f" {known[note.name]} " in asked]
    if len(read_back) != 1:
        return {}
    name, old = read_back[0].name, known[read_back[0].name]
    # "not nicely, miller": named only to be refused
    said = f" {' '.join(plain_words(answer))} ".replace(f" not {old} ", " not ")
    texts = _new_values(said, notes)
    if f" {old} " in said:
        # said again alone it is not what was wrong; inside of more words it was only half of the name
        texts = tuple(text for text in texts if f" {old} " in f" {text} " and text != old)
    # many words are no correction: "no, i'm ringing about my dad, he's eighty four"
    return {name: texts} if 0 < len(texts) <= _MOST_RUNS else {}


def _new_values(answer: str, notes: Sequence[NoteField]) -> tuple[str, ...]:
    """The runs of words of a refusing answer that may be the value that is right."""
    runs: list[list[str]] = []
    for run in copyable([answer], notes):
        runs.append([])
        for word in run.split():
            if word in _SAYS_NO:
                runs.append([])
            else:
                runs[-1].append(word)
    return tuple(" ".join(run) for run in runs if run)


def _another_choice(answer: str, known: Mapping[str, str], notes: Sequence[NoteField]) -> dict[str, tuple[str, ...]]:
    """A choice that was named in some form ("no, to get him booked in") where another stood: only that is left."""
    words = plain_words(answer)
    for note in notes:
        values = [value for value in note.values if len(value) >= _STEM and value not in _NO_CHOICE]
        said = [value for value in values if _is_named(value, words)]
        if len(said) == 1 and known.get(note.name, UNKNOWN) not in (UNKNOWN, *said, "none"):
            return {note.name: (said[0],)}
    return {}


def _is_named(value: str, words: Sequence[str]) -> bool:
    """Whether a form of `value` is said, and not behind a refusal ("not tuesday")."""
    before = ""
    for word in words:
        if word.startswith(value) and before not in _REFUSING:
            return True
        before = before if word in _SMALL else word
    return False


def _names_another(answer: str, notes: Sequence[NoteField]) -> bool:
    """The answer holds one of the values that a field may have: that is what was wrong."""
    words = f" {' '.join(plain_words(answer))} "
    values = {value for note in notes for value in note.values} - _NO_CHOICE
    return any(f" {value} " in words for value in values)
