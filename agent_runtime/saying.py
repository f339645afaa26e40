"""What the agent says: utterances from their first word to their end, as orders and as history.

Part of the mind and as pure. The mind decides that something is said, dropped or taken up again; here it becomes
orders, and what was heard of it becomes history. This file refuses to know why.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies.filler import FillerSettings, finishes
from policies.trajectory import Role

from . import commands as do
from . import events as ev
from .commands import Command, Decision
from .conversation import Conversation
from .floor import Floor
from .plans import Kind, Plans, Utterance
from .record import Entry

__all__ = ["Saying"]


class Saying:
    """The agent's utterances of one call."""

    def __init__(
        self, plans: Plans, floor: Floor, conversation: Conversation, filler: FillerSettings | None = None
    ) -> None:
        self._plans, self._floor, self._conversation = plans, floor, conversation
        self._filler = filler
        self.audible = False
        """Something was heard since the caller's turn was taken as over; the mind sets it back then."""

    def whole(self, text: str, kind: Kind, *, goodbye: bool = False, again: bool = False) -> Iterator[Command]:
        """Say a text that is known to its end."""
        if kind != "filler":
            yield from self._end_filler()
        utterance = self._plans.utterance(kind)
        utterance.closed, utterance.text = True, text
        utterance.goodbye, utterance.again = goodbye, again
        yield do.CancelTimer("idle")
        yield do.Say(utterance.number, kind, last=True, text=text)
        yield from self._hold_back(utterance)

    def clause(self, text: str, expects: str, *, prepared: int = 0) -> Iterator[Command]:
        """Say the next clause of the reply that is being written; the first one begins it.

        `prepared`: the utterance in which the first one waits, synthesised and held back.
        """
        reply = self._plans.reply
        is_first = reply is None
        if reply is None:
            yield from self._end_filler()
            reply = self._plans.adopt(prepared) if prepared else self._plans.utterance("answer")
            self._plans.reply = reply
            yield Decision("speak", f"answer, expecting {expects or 'anything'}")
        reply.text = f"{reply.text} {text}".strip()
        if is_first and prepared:
            reply.held = self._floor.silencing
            if not reply.held:
                yield do.Resume(prepared)
            return
        yield do.Say(reply.number, "answer", last=False, text=text)
        if is_first:
            yield from self._hold_back(reply)

    def close(self, *, goodbye: bool = False) -> Iterator[Command]:
        """All of the reply is known, if there is one."""
        reply, self._plans.reply = self._plans.reply, None
        if reply is not None:
            reply.closed, reply.goodbye = True, goodbye
            yield do.Say(reply.number, "answer", last=True, text="")

    def _end_filler(self) -> Iterator[Command]:
        """The answer is ready: a filler that is nearly over is heard out, any other ends with its word."""
        for utterance in list(self._plans.speaking):
            if utterance.kind != "filler":
                continue
            if not utterance.started or utterance.held:
                utterance.cancelled = True
                yield do.Cancel(utterance.number)
            elif not finishes(self._plans.left_ms(utterance, self._plans.now_us), self._filler):
                utterance.cancelled = utterance.ending = True
                yield do.Cancel(utterance.number, "word")

    def drop_unheard_filler(self) -> Iterator[Command]:
        """A filler that has not begun to sound is not needed any more."""
        for utterance in list(self._plans.speaking):
            if utterance.kind == "filler" and not utterance.started:
                utterance.cancelled = True
                yield do.Cancel(utterance.number)

    def _stop_ending(self) -> Iterator[Command]:
        """Not even the word that sounds is said to its end."""
        for utterance in self._plans.utterances.values():
            if utterance.ending:
                utterance.ending = False
                yield do.Cancel(utterance.number)

    def _hold_back(self, utterance: Utterance) -> Iterator[Command]:
        """What is planned while the agent has fallen silent waits with the rest."""
        if self._floor.silencing:
            utterance.held = True
            yield do.Yield(utterance.number)

    # --- the caller speaks ---------------------------------------------------------------------------------------

    def fall_silent(self, reason: str) -> Iterator[Command]:
        """Become inaudible, keep the rest."""
        yield Decision("yield", reason)
        yield from self._stop_ending()
        for utterance in self._plans.speaking:
            if not utterance.held:
                utterance.held = True
                yield do.Yield(utterance.number)

    def go_on(self, reason: str) -> Iterator[Command]:
        """Be audible again where the agent fell silent."""
        held = [utterance for utterance in self._plans.speaking if utterance.held]
        if held:
            yield Decision("resume", reason)
        for utterance in held:
            utterance.held = False
            yield do.Resume(utterance.number)

    def drop(self) -> Iterator[Command]:
        """Give up all that was not heard."""
        yield from self._stop_ending()
        for utterance in list(self._plans.speaking):
            utterance.cancelled = True
            yield do.Cancel(utterance.number)

    # --- what became of it ---------------------------------------------------------------------------------------

    def started(self, event: ev.UtteranceStarted, entry: Entry) -> Iterator[Command]:
        """The first sample left; no order follows."""
        if utterance := self._plans.utterances.get(event.utterance):
            utterance.started = self.audible = True
            utterance.started_us = entry.at_us
            utterance.over, utterance.doubts = frozenset(self._conversation.turn.texts), self._conversation.doubts
        yield from ()

    def heard(self, event: ev.UtteranceHeard, entry: Entry) -> Iterator[Command]:
        """So much was heard so far; no order follows."""
        if utterance := self._plans.utterances.get(event.utterance):
            utterance.heard, utterance.complete = event.text, event.complete
        yield from ()

    def ended(self, event: ev.UtteranceEnded, at_us: int) -> Utterance | None:
        """The utterance that is over, None for one that is not ours; what was heard of it stands in the stream now.

        A filler stands there only while its wait goes on: one that still played when the result came was taken before
        (`Plans.take_filler`), and its call is over. A call that still waits may need the next filler. A backchannel
        never stands there.
        """
        utterance = self._plans.utterances.pop(event.utterance, None)
        if utterance is None:
            return None
        if self._plans.reply is utterance:
            self._plans.reply = None
        if utterance.started:
            self._plans.sounded_us = at_us
        if utterance.kind == "backchannel":
            return utterance
        if utterance.kind != "filler":
            self._conversation.said(
                utterance.text,
                utterance.heard,
                complete=utterance.complete,
                goodbye=utterance.goodbye,
                again=utterance.again,
                thoughts=utterance.thoughts,
                over=utterance.over,
                doubts=utterance.doubts,
            )
        elif not utterance.taken and utterance.heard and self._plans.call is not None:
            self._conversation.add(Role.FILLER, utterance.heard, Role.END)
        return utterance
