"""Which noted words the caller just refused: a name that was read back and answered by "no, it's another one".

A small model that once noted a wrong name keeps it: the old value stands in its note and is the likeliest to be copied
again, whatever the caller says. So a copied value that was read back, refused and not said again may not stay, and a
new one comes from the refusing answer. Where the answer names a day, a time or another choice, that was what was wrong,
and the name stays. This file refuses to know the model.
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
        "not wrong right mistake mistaken misheard heard said say meant mean asked wanted told ask got get wrote write "
        "quite sure never please just there again different something else all one thing change changed day time what "
        "isn't wasn't don't didn't love dear mate pal sir madam ha oh well surname last first family full fix "
        "correct incorrect change put make book booked booking visit appointment cancel"
    )
)
"""Words of refusing that are no new value: an answer of these alone does not say which value was wrong."""


def denied(
    question: str, answer: str, known: Mapping[str, str], notes: Sequence[NoteField]
) -> dict[str, tuple[str, ...]]:
    """Fields whose old value may not stay -> the runs of words that a new one may be copied from.

    `question`: what the agent said last; `answer`: the caller's whole turn after it; `known`: the note by field.
    """
    copied = [note for note in notes if note.kind == "heard" and known.get(note.name, UNKNOWN) != UNKNOWN]
    if not copied or verdict(answer) != "no" or _names_another(answer, notes):
        return {}
    said, asked = f" {' '.join(plain_words(answer))} ", f" {' '.join(plain_words(question))} "
    runs: list[list[str]] = []
    for run in copyable([answer]):
        runs.append([])
        for word in run.split():
            if word in _SAYS_NO:
                runs.append([])
            else:
                runs[-1].append(word)
    texts = tuple(" ".join(run) for run in runs if run)
    refused = [note for note in copied if f" {known[note.name]} " in asked and f" {known[note.name]} " not in said]
    return {note.name: texts for note in refused} if texts and len(refused) == 1 else {}


def _names_another(answer: str, notes: Sequence[NoteField]) -> bool:
    """The answer holds a time or one of the values that a field may have: that is what was wrong."""
    words = f" {' '.join(plain_words(answer))} "
    values = {value for note in notes for value in note.values} - {"yes", "no", "unclear", "none", "other"}
    return bool(find_times(answer)) or any(f" {value} " in words for value in values)
