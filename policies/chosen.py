"""Did the caller choose among the times on offer? Only then may one be noted; a single one by a plain yes, one of
a list by its place in it.

A model that was offered three times and hears "mm-hm" now and then takes the first. It is read back, and who listens
with half an ear agrees; so a time needs words that chose it: a time, a place in the list, or that any will do. This
file refuses to know the model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from policies.agreement import answer as verdict
from policies.notes import UNKNOWN
from policies.numerals import is_number_word, plain_words
from policies.repair import asked_field, asks_for_agreement
from policies.shapes import NoteField
from policies.spoken_times import find_times

__all__ = ["accepted", "chose", "named_whole", "picked"]

_CHOOSING = frozenset(
    plain_words(
        "first second third last earliest latest earlier later early late any either whichever whatever choose pick "
        "mind matter matters surprise easiest easy flexible fussy noon midday half quarter middle soonest"
    )
)
_PLACES = {"first": 0, "earliest": 0, "second": 1, "third": 2, "fourth": 3, "last": -1, "latest": -1}
_PLACE = re.compile(
    rf"\bthe ({'|'.join((*_PLACES, 'middle'))}) (?:one|time|slot|of them|of those|of these|please\b|then\b|$)"
)


def chose(heard: str, offered: Sequence[str]) -> bool:
    """Whether the words `heard` choose one of the times `offered`; a plain yes does where there is only one."""
    words = plain_words(heard)
    if any(is_number_word(word) or word in _CHOOSING for word in words):
        return True
    return len(offered) == 1 and verdict(heard, " ".join(offered)) != "no" and bool(words)


def accepted(
    question: str, answer: str, known: Mapping[str, str], offered: Sequence[str], notes: Sequence[NoteField]
) -> dict[str, str]:
    """The field of the time -> the only time on offer, where the `question` asked whether it suits and the `answer`
    agrees plainly; else nothing. `known`: the note by field."""
    field = next((note.name for note in notes if note.kind == "time"), None)
    if field is None or len(offered) != 1 or known.get(field, UNKNOWN) != UNKNOWN:
        return {}
    is_asked = find_times(question) == tuple(offered) and asks_for_agreement(question, notes)
    return {field: offered[0]} if is_asked and verdict(answer, offered[0]) == "yes" else {}


def picked(question: str, answer: str, offered: Sequence[str], notes: Sequence[NoteField]) -> dict[str, str]:
    """The field of the time -> the one on offer at the place that the `answer` names ("the middle one"), where the
    `question` listed several and asked which; else nothing. Such a "one" is no time of day."""
    field = asked_field(question, notes)
    times = [time for time in find_times(question) if time in offered]
    words = " ".join(plain_words(answer))
    found = _PLACE.findall(f"{words} ")
    if field is None or field.kind != "time" or len(times) < 2 or len(found) != 1 or "not" in words.split():
        return {}
    if found[0] == "middle":
        place, fits = len(times) // 2, len(times) % 2 == 1
    else:
        place = _PLACES[found[0]]
        fits = place < len(times)
    return {field.name: times[place]} if fits and not find_times(_PLACE.sub(" ", f"{words} ")) else {}


def named_whole(question: str, answer: str, offered: Sequence[str], notes: Sequence[NoteField]) -> bool:
    """Whether the `answer` to which of the times names a time that needs no more words: on offer or not, but not the
    beginning of one on offer ("eight" of "eight thirty")."""
    field = asked_field(question, notes)
    times = find_times(answer) if field is not None and field.kind == "time" else ()
    return bool(times) and not any(time.startswith(f"{times[-1]} ") for time in offered)
