"""What was told when the agent asked for one value, and one thing was said: then the answer is that value.

Who hears "please say just the name" and says one thing says the name, strange as it may sound; a small model that
took it for noise once does so again. What was noted wrongly is read back and can be refused, what is never noted ends
the call. This file refuses to know the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.naming import is_given
from policies.notes import UNKNOWN, are_names, copyable
from policies.numerals import is_number_word
from policies.repair import asked_field
from policies.shapes import NoteField

__all__ = ["told"]

_MOST_WORDS = 3
_ADDRESSES = frozenset("dear love darling mate pal sir madam honey pet duck hen petal man".split())
"""What callers call the other side; a surname now and then, so the model decides."""


def told(question: str, answer: str, known: Mapping[str, str], notes: Sequence[NoteField]) -> dict[str, str]:
    """The copied field that was asked for -> the words of the answer that it is; else nothing. One thing said is taken
    where the value was asked for alone, and where it is a name and given as names are ("it's jamie clarke").

    `question`: what the agent said last; `answer`: the caller's whole turn after it; `known`: the note by field.
    """
    field = asked_field(question, notes)
    if field is None or field.kind != "heard":
        return {}
    runs = copyable([answer], notes)
    words = [word for run in runs for word in run.split()]
    alone = f"just the {field.name}" in question
    given = are_names(notes) and bool(words) and is_given(words, answer.split()) and _ADDRESSES.isdisjoint(words)
    one = (alone or given) and len(runs) == 1 and len(words) <= _MOST_WORDS and not any(map(is_number_word, words))
    return {field.name: runs[0]} if one and known.get(field.name, UNKNOWN) == UNKNOWN else {}
