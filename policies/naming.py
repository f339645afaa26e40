"""Did the caller name a name? Only then is one noted that nobody asked for.

A small model takes words that it has not met for a name ("nine would do nicely", "my password"), and who never gave a
name then hears one read back. Unasked, people give a name with a word before or behind it, or say nothing else; what
comes otherwise is left, and asked for later. This file refuses to know the model.
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.agreement import answer as verdict
from policies.notes import copyable
from policies.numerals import plain_words
from policies.repair import asked_field, asks_for_agreement
from policies.shapes import NoteField

__all__ = ["is_given", "named"]

_BEFORE = frozenset(
    "is it's i'm am for under called name name's named names that's mr mrs ms miss mister missus dr doctor call".split()
)
_BEHIND = frozenset("here speaking calling again".split())
_BETWEEN = frozenset("a the um uh er erm ehm hm hmm mm mhm ah oh well".split())
"""May stand between such a word and the name: hesitations, and what recognisers make of them."""


def named(question: str, answer: str, lately: Sequence[str], notes: Sequence[NoteField]) -> tuple[str, ...]:
    """The runs of words in the segments `lately` heard that a name may be copied from now.

    All of them where the agent's `question` asks for the name or for what to change, or the `answer` refuses; else
    those that stand as names do. `notes` hold names by their own name (`policies.notes.are_names`).
    """
    asked = asked_field(question, notes)
    refused = asks_for_agreement(question, notes) and verdict(answer) == "no"
    free = refused or (asked is not None and asked.kind == "heard") or "change" in plain_words(question)
    runs = copyable(lately, notes)
    if free:
        return runs
    return tuple(run for text in lately for run in copyable([text], notes) if is_given(run.split(), text.split()))


def is_given(run: Sequence[str], words: Sequence[str]) -> bool:
    """Whether one place of `run` in `words` is one where names are given."""
    if run[0] in _BEFORE or run[-1] in _BEHIND:
        return True
    size = len(run)
    for at in range(len(words) - size + 1):
        if list(words[at : at + size]) != list(run):
            continue
        before = [word for word in words[:at] if word not in _BETWEEN]
        if not before and at + size == len(words):
            return True
        if (before and before[-1] in _BEFORE) or (words[at + size : at + size + 1] or [""])[0] in _BEHIND:
            return True
    return False
