"""What is drawn of a call: marks in lanes, and lines of conversation, as plain values.

This file refuses to know where they come from and how they look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

__all__ = ["Line", "Mark", "Tip", "Word", "with_room"]

Tip = tuple[tuple[str, str], ...]
"""What a mark says when it is pointed at: (name, value) lines."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it was said."""

    text: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something drawn in a lane from `start_s` to `end_s`; `room_s` is where the next mark of the lane begins."""

    kind: str
    start_s: float
    end_s: float
    text: str
    tip: Tip = ()
    seq: int = 0
    room_s: float = 0.0
    tail: str = ""
    """A second piece of the text, drawn weaker: the unstable words of a partial, the result of a tool."""
    words: tuple[Word, ...] = ()
    level: tuple[float, float] = (0.0, 0.0)
    """How much of a partial is known, and how much of that is stable: shares of its segment's words."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the conversation as it was heard."""

    party: str
    start_s: float
    end_s: float
    text: str
    unheard: str = ""
    note: str = ""


def with_room(marks: Sequence[Mark], end_s: float) -> list[Mark]:
    """The marks in order, with `room_s` set to the start of the next one, or to the end of the drawing.

    Of marks that begin together only the last has room for words.
    """
    ordered = sorted(marks, key=lambda one: one.start_s)
    ends = [*(one.start_s for one in ordered[1:]), end_s]
    return [
        replace(mark, room_s=max(until, mark.end_s) if until == end_s else until)
        for mark, until in zip(ordered, ends, strict=False)
    ]
