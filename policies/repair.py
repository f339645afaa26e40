"""When to ask in another way: the caller answered the same question twice, and nothing was understood.

A model that was not understood asks the same again, and the recogniser mishears the same again. Asking for one value
alone ("please say just the day, for example monday") gives a short answer, which is heard better. What was understood
stands in the model's note, so a miss is an answer that left the note as it was; which value a question asks for is
read from the agent's own words. A repair is said once in a row of misses: after it the model speaks again, so that
nobody is caught in a loop. This file refuses to know the model, the recogniser and the call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from policies.notes import UNKNOWN, read_note
from policies.shapes import NoteField
from policies.spoken_times import find_times

__all__ = [
    "NO_MISSES",
    "Misses",
    "Repair",
    "RepairSettings",
    "asked_field",
    "asks_for_agreement",
    "counted",
    "is_agreement",
    "last_sentence",
    "repair",
]

_UNDECIDED = "unclear"
_OPEN = frozenset({UNKNOWN, "none", _UNDECIDED})
"""Values of a note that are no value yet."""
_ELSEWHERE = "other"
"""Value of a choice for what is no business of the agent's."""
_NO_EXAMPLE = frozenset({"none", _ELSEWHERE, _UNDECIDED})


@dataclass(frozen=True, slots=True)
class RepairSettings:
    """When, and in which words; ``{field}`` is the name of the note's field, ``{example}`` one of its values."""

    after: int = 2
    """Misses in a row after which the agent asks in another way. After one the model's own "sorry" may do."""
    text: str = "which {field} is it? please say just the {field}, for example {example}."
    """Where the note has no words of its own (``ask``) and an example is known. A question in front, a request behind:
    what is asked last is answered."""
    without_example: str = "which {field} is it? please say just the {field}."
    yes_or_no: str = "please say just yes or no. {question}"
    """For a question that wants agreement; ``{question}`` repeats it, since only what was read back is written."""


@dataclass(frozen=True, slots=True)
class Misses:
    """Answers in a row, to questions for the same field, that told nothing."""

    field: str = ""
    count: int = 0
    asked: str = ""
    """The repair that was said in this row. An agent's own wording may name no field; it still asks for this one."""


NO_MISSES = Misses()


@dataclass(frozen=True, slots=True)
class Repair:
    """What to say in place of the model's reply, what is expected then, and why."""

    text: str
    expects: str
    reason: str
    misses: Misses
    """The row with this repair in it: what the next answer is counted from."""


def counted(misses: Misses, question: str, before: str, after: str, notes: Sequence[NoteField]) -> Misses:
    """`misses` with one more answer: the agent said `question`, and the answer made the note `before` into `after`.

    Notes are words as the model writes them; one that does not fit the fields tells nothing.
    """
    known = read_note(before, notes) or {}
    return _counted(misses, question, known, read_note(after, notes) or known, notes)


def _counted(
    misses: Misses, question: str, before: Mapping[str, str], after: Mapping[str, str], notes: Sequence[NoteField]
) -> Misses:
    again = bool(misses.asked) and question == misses.asked
    field = next(note for note in notes if note.name == misses.field) if again else asked_field(question, notes)
    if field is not None and _ELSEWHERE in after.values():
        return misses  # an aside says nothing of the question, for or against
    if field is None or _learnt(before, after, notes):
        return NO_MISSES
    value = after.get(field.name, UNKNOWN)
    if value != _UNDECIDED if is_agreement(field) else value not in _OPEN:
        return NO_MISSES
    return replace(misses, count=misses.count + 1) if misses.field == field.name else Misses(field.name, 1)


def repair(
    misses: Misses, question: str, notes: Sequence[NoteField], settings: RepairSettings | None = None
) -> Repair | None:
    """The other way to ask, due now; None where the model shall go on. `question`: what the agent said last."""
    settings = settings or RepairSettings()
    if misses.count != settings.after or misses.asked:  # once in a row
        return None
    field = next(note for note in notes if note.name == misses.field)
    reason = f"ask in another way: {field.name} not understood {misses.count} times"
    agreement = is_agreement(field)
    example = "yes" if agreement else _example(field, question)
    general = settings.yes_or_no if agreement else settings.text if example else settings.without_example
    text = _filled(field.ask or general, field, example, _bare(question, settings))
    return Repair(text, "yes" if agreement else field.name, reason, replace(misses, asked=text))


def asked_field(question: str, notes: Sequence[NoteField]) -> NoteField | None:
    """The field that what the agent said asks for, None where that is not plain.

    By the last sentence: it names one field (``which day suits you?``), or two values of one (``morning or
    afternoon?``). Else by all of it: two times or more are an offer. Else a question wants agreement, if there is a
    field for that.
    """
    name = _asked_name(question, tuple(notes))
    return next((note for note in notes if note.name == name), None)


@lru_cache(maxsize=16)  # five rules ask it of the same question in each turn, on the event loop
def _asked_name(question: str, notes: tuple[NoteField, ...]) -> str:
    last = last_sentence(question)
    words = _plain(last)
    values = [note for note in notes if not is_agreement(note)]
    named = [note for note in values if f" {_spoken(note)} " in words]
    if not named:
        named = [note for note in values if sum(f" {value} " in words for value in note.values) > 1]
    if not named and len(find_times(_plain(question))) > 1:
        named = [note for note in values if note.kind == "time"]
    if not named and last.endswith("?"):
        named = [note for note in notes if is_agreement(note)]
    return named[0].name if len(named) == 1 else ""


def last_sentence(text: str) -> str:
    """What was said last is what is answered."""
    return re.split(r"(?<=[.?!])\s+", text.strip())[-1]


def asks_for_agreement(question: str, notes: Sequence[NoteField]) -> bool:
    """Whether what the agent said is a question to be answered by yes or no."""
    field = asked_field(question, notes)
    return field is not None and is_agreement(field)


def _learnt(before: Mapping[str, str], after: Mapping[str, str], notes: Sequence[NoteField]) -> bool:
    """The answer told something: a value came, went or changed, or the caller said yes or no."""
    for note in notes:
        now = after.get(note.name, UNKNOWN)
        then = before.get(note.name, UNKNOWN)
        if now not in _OPEN if is_agreement(note) else now != then and then != _ELSEWHERE:
            return True
    return False


def is_agreement(note: NoteField) -> bool:
    """Whether a field holds the caller's answer to a question for agreement."""
    return {"yes", "no"} <= set(note.values)


def _example(note: NoteField, question: str) -> str:
    """A value as the caller may say it; of an offer the first time."""
    if note.kind == "time":
        return next(iter(find_times(_plain(question))), "ten thirty")
    if note.kind == "number":
        return "two"
    return next((value for value in note.values if value not in _NO_EXAMPLE), "")


def _filled(text: str, note: NoteField, example: str, question: str) -> str:
    for mark, value in (("{field}", _spoken(note)), ("{example}", example), ("{question}", question)):
        text = text.replace(mark, value)
    return text


def _spoken(note: NoteField) -> str:
    return note.name.replace("_", " ")


def _bare(question: str, settings: RepairSettings) -> str:
    """The question without what an earlier repair put before it."""
    before = settings.yes_or_no.partition("{question}")[0]
    while before and question.startswith(before):
        question = question.removeprefix(before)
    return question


def _plain(text: str) -> str:
    """The words between spaces, without stops."""
    return f" {' '.join(re.sub(r'[^a-z0-9 ]', ' ', text.lower().replace(chr(39), '')).split())} "
