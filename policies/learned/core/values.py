"""Which values a field of the note, or a tool's argument, may take in one turn.

A choice is one of its values, a time one that was offered, a copied value a run of words that were heard; what the
rules beside the model say of the turn (`policies.turn_rules`) narrows that. This file knows fields and words, no token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.learned.core.lexicon import spans
from policies.notes import UNKNOWN
from policies.shapes import Kind, NoteField, Parameter, ToolShape
from policies.turn_rules import TurnRules

__all__ = ["SPOKEN_TIMES", "Values"]

_HOURS = "one two three four five six seven eight nine ten eleven twelve".split()
SPOKEN_TIMES: tuple[str, ...] = tuple(
    hour + minutes for hour in _HOURS for minutes in ("", " fifteen", " thirty", " forty five")
)
"""Times of day as the stream writes them, on the quarter hour."""
_NUMBERS = tuple("zero one two three four five six seven eight nine ten eleven twelve".split())

_MOST_WORDS = 3
"""Of a copied value."""


class Values:
    """The values of one turn under its `rules`.

    `offered`: the times of the last look-up, empty when there was none; `known`: the note so far. Offered times bind as
    long as the fields of the look-up (the parameters of the ``read`` tools) stay as noted.
    """

    def __init__(
        self,
        rules: TurnRules,
        tools: Sequence[ToolShape],
        *,
        offered: Sequence[str] = (),
        known: Mapping[str, str] | None = None,
    ) -> None:
        self._rules, self._offered, self._known = rules, tuple(offered), dict(known or {})
        self._spans = spans(rules.heard, _MOST_WORDS)
        self._lookup = {item.name for tool in tools if tool.effect == "read" for item in tool.parameters}
        kinds = {item.name: item.kind for item in rules.notes}
        self._denied = {
            name: self._instead(name, kinds.get(name, "heard"), texts) for name, texts in rules.denied.items() if texts
        }

    def of_note(self, item: NoteField, before: Mapping[str, str]) -> tuple[str, ...]:
        """What the field may hold where the fields `before` it hold these values."""
        if item.name in self._rules.sure:
            return (self._rules.sure[item.name],)
        if self._denied.get(item.name):
            return self._denied[item.name]
        options = self._of_kind(item.kind, item.values, self._known.get(item.name))
        if item.kind == "time" and self._offered:
            same = all(before.get(name) == self._known.get(name, UNKNOWN) for name in self._lookup if name in before)
            options = (self._offered if self._rules.chosen else self._kept_time(item)) if same else options
        return (UNKNOWN, *options)

    def of_argument(self, parameter: Parameter, noted: str) -> tuple[str, ...]:
        """What the parameter may be where the note says `noted` of it."""
        return (noted,) if noted != UNKNOWN else self._of_kind(parameter.kind, parameter.values, None)

    def _instead(self, name: str, kind: Kind, texts: Sequence[str]) -> tuple[str, ...]:
        """What may stand in place of a refused value: of a name runs of words that are no part of it."""
        if kind == "choice":
            return tuple(texts)
        if kind == "time":
            return (UNKNOWN, *(time for time in texts if not self._offered or time in self._offered))
        old = f" {self._known.get(name, UNKNOWN)} "
        return tuple(run for run in spans(texts, _MOST_WORDS) if f" {run} " not in old)

    def _kept_time(self, item: NoteField) -> tuple[str, ...]:
        """The time that is noted already, if it is on offer: nobody chose another."""
        return tuple(time for time in self._offered if time == self._known.get(item.name))

    def _of_kind(self, kind: Kind, values: tuple[str, ...], old: str | None) -> tuple[str, ...]:
        if kind == "choice":
            return values
        if kind == "time":
            return SPOKEN_TIMES
        if kind == "number":
            return _NUMBERS
        return tuple(dict.fromkeys((*([old] if old and old != UNKNOWN else []), *self._spans)))
