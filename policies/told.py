"""What was told when the agent had to ask for one value alone: then the answer is that value.

Who hears "please say just the name" and says one thing says the name, strange as it may sound; a small model that
took it for noise once does so again. What was noted wrongly is read back and can be refused, what is never noted ends
the call. This file refuses to know the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.notes import UNKNOWN, copyable
from policies.numerals import is_number_word
from policies.repair import asked_field
from policies.shapes import NoteField

__all__ = ["told"]

_MOST_WORDS = 3


def told(question: str, answer: str, known: Mapping[str, str], notes: Sequence[NoteField]) -> dict[str, str]:
    """The copied field that was asked for alone -> the words of the answer that it is; else nothing.

    `question`: what the agent said last; `answer`: the caller's whole turn after it; `known`: the note by field.
    """
    field = asked_field(question, notes)
    if field is None or field.kind != "heard" or f"just the {field.name}" not in question:
        return {}
    runs = copyable([answer], notes)
    words = [word for run in runs for word in run.split()]
    one = len(runs) == 1 and len(words) <= _MOST_WORDS and not any(map(is_number_word, words))
    return {field.name: runs[0]} if one and known.get(field.name, UNKNOWN) == UNKNOWN else {}
