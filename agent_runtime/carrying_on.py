"""A turn that one engine began and another goes on with: what was written of it, as tokens of the other's language.

What the mind was told stands: thoughts are thought and clauses are spoken or about to be. The other engine reads them
as its own beginning and goes on behind the last clause. This file refuses to know engines and why one was left.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from policies.trajectory import Role, Segment, Trajectory

from .events import ClauseGenerated, Event, ExpectationFormed, ThoughtFormed
from .ports import Grammar

__all__ = ["Begun"]


class _Encodes(Protocol):
    def encode(self, trajectory: Trajectory) -> list[int]: ...


class Begun:
    """What was told of one turn so far."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.clauses = 0
        self._again: list[type[Event]] = []

    def told(self, event: Event) -> bool:
        """Take an event of the turn; False: it was told before, by another engine, and is not told again."""
        if type(event) in self._again:
            self._again.remove(type(event))
            return False
        if isinstance(event, ThoughtFormed | ExpectationFormed):
            if self.segments and self.segments[-1].role is Role.SAY:
                self.segments[-1] = Segment(Role.SAY, self.segments[-1].text, Role.MORE)
            role = Role.THINK if isinstance(event, ThoughtFormed) else Role.EXPECT
            self.segments.append(Segment(role, event.text))
        elif isinstance(event, ClauseGenerated):
            self.clauses += 1
            if self.segments and self.segments[-1].role is Role.SAY:
                self.segments[-1] = Segment(Role.SAY, f"{self.segments[-1].text} {event.text}")
            else:
                self.segments.append(Segment(Role.SAY, event.text))
        return True

    def go_on(self, language: _Encodes, trajectory: Trajectory, grammar: Grammar) -> list[int] | None:
        """The tokens behind `trajectory` that the turn begins with; `grammar` has followed them.

        Nothing where nothing was told, or only thoughts that this language has no words for: then the turn is written
        from its beginning, and its thoughts are not told again. None: words were said that cannot be gone on from.
        """
        if not self.segments:
            return []
        before, whole = language.encode(trajectory), language.encode(trajectory.append(*self.segments))
        begin = whole[len(before) :]
        if whole[: len(before)] == before and _follows(grammar, begin):
            return begin
        if self.clauses:
            return None
        self._again = [ThoughtFormed if one.role is Role.THINK else ExpectationFormed for one in self.segments]
        return []


def _follows(grammar: Grammar, tokens: Sequence[int]) -> bool:
    """Whether a grammar allows `tokens`; if it does it has been advanced by them.

    One that allows everything (a chat's) cannot be told where its turn stands: there a reply has no beginning of ours.
    """
    for token in tokens:
        mask = None if grammar.done else grammar.allowed()
        if mask is None or not (token < len(mask) and mask[token]):
            return False
        grammar.advance(token)
    return not grammar.done
