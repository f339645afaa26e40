"""What the engine reads before it has to write: the card while it rings, words as they come, the end of a turn.

Part of the mind and as pure. A stream is read optimistically, words included that may still change; what changes is
rolled back by the engine. At a pause the engine also says how likely the turn is over, once for the same words: in an
order of its own, or on the way of a draft. This file refuses to know what follows from that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from policies.trajectory import Trajectory

from . import commands as do
from . import events as ev
from .commands import Command
from .conversation import Conversation
from .floor import Floor
from .mind_settings import MindSettings

__all__ = ["Reading"]


class Reading:
    """The engine's view of one call."""

    def __init__(self, settings: MindSettings, conversation: Conversation, floor: Floor) -> None:
        self._thinking, self._conversation, self._floor = settings.thinking, conversation, floor
        self._asked = ""  # digest of the words that are being scored
        self._score = ("", 0.0)  # digest of the words, probability that they are the whole turn

    def ahead(self, stream: Trajectory | None = None) -> Iterator[Command]:
        """Have the engine read a stream; the caller's words as they stand, where none is given."""
        if self._thinking.prefill:
            stream = self._conversation.listening() if stream is None else stream
            yield do.Prefill(stream.digest, stream)

    def noting(self, orders: Iterable[Command]) -> Iterator[Command]:
        """Pass orders on; words that a draft among them scores on its way are not asked about again."""
        for order in orders:
            if isinstance(order, do.Generate) and order.listening:
                self._asked = order.listening
            yield order

    def score(self, revision: int) -> Iterator[Command]:
        """The caller paused: how likely is the turn over at these words?"""
        listening = self._conversation.listening()
        if listening.digest == self._score[0]:
            self._floor.scored(revision, self._score[1])
        elif self._conversation.turn.text and listening.digest != self._asked:
            self._asked = listening.digest
            yield do.ScoreTurn(revision, listening.digest, listening)
            if not self._thinking.draft:
                # so that an answer costs one step; a draft reads the turn's end by itself
                yield from self.ahead(self._conversation.if_over()[0])

    def scored(self, event: ev.TurnScored) -> None:
        """An answer; one about other words than the present ones is kept and used if they come back."""
        self._score = (event.prefix, event.p_over)
        if event.prefix == self._conversation.listening().digest:
            self._floor.scored(event.revision, event.p_over)
