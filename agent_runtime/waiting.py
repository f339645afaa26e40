"""How the agent bears waiting: for a tool, for its own reply, and for a caller who is silent.

Part of the mind and as pure. It knows since when each wait lasts and how long such waits took, asks the policies
(`policies.waits`, `policies.filler`, `policies.idle`) and turns their choices into orders. The mind tells it when a
reply was asked for, a tool returned, a clause came. A wait lasts from the end of the caller's turn to the answer's
first clause, however many tools lie between. A filler for a reply stands in no stream: its place is taken by what the
model is writing. This file refuses to know what is waited for.
"""

from __future__ import annotations

from collections.abc import Iterator

from policies import filler, idle
from policies.trajectory import Role
from policies.waits import Waits

from . import commands as do
from . import events as ev
from .commands import Command, Decision
from .conversation import Conversation
from .floor import Floor
from .folding import Folding
from .mind_settings import MindSettings
from .plans import Plans
from .saying import Saying

__all__ = ["Waiting"]

ENGINE = "engine"
"""Name of the wait from asking for a reply to its first clause."""
ENGINE_MS = 150
"""Taken for it before the first: the embedded engine needs 20 to 120 ms, a server 100 to 500, which is soon learned.
A guess."""
VOICE_MS = 80
"""From a clause to its first sample: what espeak-ng in its process takes, rounded up, and one frame."""


class Waiting:
    """The waits of one call."""

    def __init__(
        self,
        settings: MindSettings,
        plans: Plans,
        floor: Floor,
        conversation: Conversation,
        saying: Saying,
        folding: Folding,
    ) -> None:
        self._settings, self._plans, self._floor = settings, plans, floor
        self._conversation, self._saying, self._folding = conversation, saying, folding
        priors = {ENGINE: ENGINE_MS, **{_tool(name): ms for name, ms in settings.usual_ms.items()}}
        self.waits = Waits.from_values(settings.waits, priors=priors)
        """How long waits took; its `values()` are worth keeping for the next call."""
        self._said: tuple[str, ...] = ()
        self._in_wait = 0
        self._begun_us = 0  # when the present wait began
        self._asked = (0, 0)  # generation, and when it was asked for
        self._timing = False  # the filler's timer runs
        self._idle_asked = 0

    # --- for a reply and for tools -------------------------------------------------------------------------------

    def turn_over(self) -> None:
        """The caller waits from now on, and is there."""
        self._in_wait = 0
        self._begun_us = self._plans.now_us
        self.caller_is_there()

    def reply_asked(self, generation: int) -> Iterator[Command]:
        """A generation was asked for: cover its wait, if it is long."""
        self._asked = (generation, self._plans.now_us)
        yield from self.fill()

    def reply_began(self, generation: int) -> Iterator[Command]:
        """A clause of it came; the first ends the wait."""
        if self._asked[0] != generation:
            return
        self.waits = self.waits.seen(ENGINE, (self._plans.now_us - self._asked[1]) // 1000)
        self._asked = (0, 0)
        yield from self.answered()

    def answered(self) -> Iterator[Command]:
        """The wait is over: something is said that is no filler."""
        self._in_wait = 0
        self._begun_us = self._plans.now_us
        if self._timing:
            self._timing = False
            yield do.CancelTimer("filler")

    def tool_ended(self, event: ev.ToolReturned | ev.ToolFailed) -> Iterator[Command]:
        """The tool in progress returned or failed: learn how long it took, and let what covered it stand in the stream.

        A filler that nobody has heard yet is dropped where the answer comes soon enough.
        """
        call, self._plans.call = self._plans.call, None
        if call is None or (isinstance(event, ev.ToolFailed) and event.reason == "cancelled"):
            return
        if isinstance(event, ev.ToolReturned) or event.reason == "timed_out":
            took_ms = (self._plans.now_us - call.began_us) // 1000
            self.waits = self.waits.seen(_tool(call.tool), took_ms)
        self._timing = False
        yield do.CancelTimer("filler")
        if self._silent_ms + self._answer_ms <= self._settings.filler.limit_ms:
            yield from self._saying.drop_unheard_filler()
        if covered := self._plans.take_filler():
            self._conversation.add(Role.FILLER, covered, Role.END)

    def timer(self) -> Iterator[Command]:
        """The filler's timer ran out."""
        self._timing = False
        yield from self.fill()

    def fill(self) -> Iterator[Command]:
        """Cover the present wait, if there is one, it is long and nobody speaks."""
        plans, now_us = self._plans, self._plans.now_us
        # a call in the background is covered when nothing else is said or owed
        quiet = not plans.any and not self._conversation.turn.text
        call = plans.call or (self._folding.longest if quiet else None)
        thinking = plans.generation is not None and plans.generation.number == self._asked[0]
        if call is None and not thinking:
            return
        name = ENGINE if call is None else _tool(call.tool)
        since_us = self._asked[1] if call is None else call.began_us
        own = () if call is None else self._settings.tool_fillers.get(call.tool, ())
        found = filler.choose(
            filler.Wait(
                self.waits.predict(name),
                (now_us - since_us) // 1000,
                known=self.waits.known(name),
                after_ms=VOICE_MS if call is None else self._answer_ms,
                silent_ms=self._silent_ms,
                floor_open=not self._floor.caller_speaking and not self._floor.overlapping and not plans.utterances,
                broken=self._quiet_us > self._begun_us,
                said_in_wait=self._in_wait,
                said=self._said,
                own=filler.filled(own, {} if call is None else call.slots),
                thinking=call is None,
            ),
            self._settings.filler,
        )
        if found.text:
            self._in_wait += 1
            self._said = (*self._said, found.text)
            yield Decision("filler", f"{name}: {found.reason}")
            yield from self._saying.whole(found.text, "filler")
        elif found.wait_ms:
            self._timing = True
            yield do.SetTimer("filler", found.wait_ms)

    @property
    def _quiet_us(self) -> int:
        """Since when nobody was heard."""
        return max(self._floor.silent_since_us, self._plans.sounded_us)

    @property
    def _silent_ms(self) -> int:
        return max(0, self._plans.now_us - self._quiet_us) // 1000

    @property
    def _answer_ms(self) -> int:
        """From a tool's result to the answer's first sample, as predicted."""
        return self.waits.predict(ENGINE) + VOICE_MS

    # --- for the caller ------------------------------------------------------------------------------------------

    def caller_is_there(self) -> None:
        """The caller was heard; a mere noise is not enough."""
        self._idle_asked = 0

    def for_caller(self) -> Iterator[Command]:
        """Both are silent and nobody owes anything: wait, ask whether the caller is there, or say goodbye."""
        found = idle.decide(
            idle.Quiet(self._silent_ms, self._last_said(), self._conversation.answered.text, self._idle_asked),
            self._settings.idle,
        )
        if found.action == "wait":
            yield do.SetTimer("idle", found.wait_ms)
            return
        lost = found.action == "goodbye"
        self._idle_asked += 1
        why = "nobody answers" if lost else f"silence, {found.reason}: ask whether the caller is there"
        yield Decision("speak", why)
        text = self._settings.wording.lost_you if lost else self._settings.wording.still_there
        yield from self._saying.whole(text, "answer", goodbye=lost)

    def _last_said(self) -> str:
        segments = reversed(self._conversation.committed.segments)
        return next((segment.text for segment in segments if segment.role is Role.SAY), "")


def _tool(name: str) -> str:
    """The name under which waits for a tool are kept."""
    return f"tool {name}"
