"""May the agent hang up now? Not while its question is open and the caller has not taken leave.

A small model says goodbye to words it does not know ("my name is peterson, i'm away"), and nobody can put that right.
So in the middle of a matter it takes words of leave; where nothing is asked for the model decides. This file refuses to
know the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.notes import UNKNOWN
from policies.numerals import plain_words
from policies.repair import asked_field, asks_for_agreement, last_sentence
from policies.shapes import NoteField

__all__ = ["may_hang_up", "takes_leave"]

_LEAVE = frozenset(
    "bye goodbye cheerio tara tata ciao farewell later elsewhere forget nevermind leave bother cheers night back "
    "somewhere useless pointless adios goodnight".split()
)
_LEAVE_PHRASES = (
    "never mind", "another time", "some other time", "another way", "no use", "no good", "see you", "take care",
    "have a good", "have a nice", "have a lovely", "so long", "that is all", "that's all", "nothing else", "have to go",
    "must go", "got to go", "let you go", "give up", "hang up", "not interested", "thank you anyway", "thanks anyway",
)  # fmt: skip


def takes_leave(heard: str) -> bool:
    """Whether the caller's words hold any of taking leave or of giving up."""
    words = plain_words(heard)
    spoken = f" {' '.join(words)} "
    return not _LEAVE.isdisjoint(words) or any(f" {phrase} " in spoken for phrase in _LEAVE_PHRASES)


def may_hang_up(question: str, heard: str, known: Mapping[str, str], notes: Sequence[NoteField]) -> bool:
    """Whether a goodbye may answer `heard`, after the agent had said `question`; `known`: the note by field.

    A question is open that asks for a field of the note, or that reads noted values back.
    """
    field = asked_field(question, notes)
    if field is None or takes_leave(heard):
        return True
    if not asks_for_agreement(question, notes):
        return False
    last = f" {' '.join(plain_words(last_sentence(question)))} "
    return not any(f" {value} " in last for value in known.values() if value not in ("", UNKNOWN))
