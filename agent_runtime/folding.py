"""What comes in while the agent speaks, and how it is folded into what is not said yet.

Part of the mind and as pure. A tool in the background does not hold the turn: its call stands in the stream with the
result "started", and the agent goes on talking. When the result comes while an answer is being said, the clause in
progress is finished and the rest dropped (`Trim`); once it is known what was heard, the result enters the stream behind
that, and a new generation says the rest. An answer that is written but not begun is written again. While the caller has
the floor, or nothing is said, the result is kept and answered with the next turn, or when both are silent for a moment.

In the stream a late result stands behind its call, written once more: the one form that the model was trained with and
that chat servers take. The tool ran once; the log's `CallTool` says so.

A caller's word that took no floor ("thursday" over the agent's last words) is folded in the same way if it names
another value than the note holds. This file refuses to know how a generation is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from policies import filler
from policies.brief import brief_of
from policies.notes import UNKNOWN, read_note
from policies.numerals import plain_words
from policies.spoken_times import find_times
from policies.trajectory import Role

from . import commands as do
from . import events as ev
from .commands import Command, Decision
from .conversation import Conversation
from .floor import Floor
from .mind_settings import MindSettings
from .plans import Plans, ToolCall, Utterance
from .saying import Saying

__all__ = ["STARTED", "Folding"]

STARTED = "started"
"""What the model is told in place of the result."""

_NO_CHANGE = frozenset({"none", "other", "unclear", "yes", "no"})
"""Choice values that name nothing a caller could want changed."""


@dataclass(slots=True)
class _Late:
    """A call in the background; `result` is empty while it runs."""

    call: ToolCall
    spoken: str
    result: str = ""
    failed: bool = False


class Folding:
    """Calls in the background and their results, and the words that took no floor, of one call."""

    def __init__(self, settings: MindSettings, plans: Plans, floor: Floor, saying: Saying, talk: Conversation) -> None:
        self._settings, self._plans, self._floor, self._saying, self._talk = settings, plans, floor, saying, talk
        self._running: dict[int, _Late] = {}
        self.news: list[_Late] = []
        """Results that do not stand in the stream yet."""
        self._told: list[_Late] = []  # put there since the caller's turn was committed

    # --- calls ---------------------------------------------------------------------------------------------------

    def brief(self, event: ev.ToolRequested) -> dict[str, Any]:
        """What a tool that takes a brief is told; empty for others."""
        limits = self._settings.briefs.get(event.tool)
        if limits is None:
            return {}
        task = event.slots.get("about") or " ".join(f"{name} {words}" for name, words in event.slots.items())
        return brief_of(task, self._talk.committed, self._settings.notes, limits).plain()

    def begin(self, event: ev.ToolRequested, now_us: int) -> Iterator[Command]:
        """Start a call in the background, once: one that runs already for the same arguments is not started again."""
        own = next(iter(filler.filled(self._settings.tool_fillers.get(event.tool, ()), event.slots)), "")
        joined = self._runs(event.spoken)
        brief = self.brief(event)
        self._talk.add(Role.CALL, event.spoken, Role.END)
        if own and not joined:
            self._talk.add(Role.FILLER, own, Role.END)
        self._talk.add(Role.RESULT, STARTED)
        if joined:
            yield Decision("wait", f"{event.tool} is at it already")
            return
        call = ToolCall(self._plans.number("call"), event.tool, now_us, slots=event.slots)
        self._running[call.number] = _Late(call, event.spoken)
        yield Decision("tool", "in the background")
        yield do.CallTool(call.number, event.tool, event.arguments, brief=brief)
        if own:
            yield Decision("filler", f"{event.tool} takes long")
            yield from self._saying.whole(own, "filler")
            for utterance in self._plans.speaking:
                utterance.taken |= utterance.kind == "filler"  # it stands in the stream

    def _runs(self, spoken: str) -> bool:
        return any(late.spoken == spoken for late in (*self._running.values(), *self.news))

    def owns(self, call: int) -> bool:
        """The call runs in the background."""
        return call in self._running

    @property
    def longest(self) -> ToolCall | None:
        """The call that has run longest."""
        return next((late.call for late in self._running.values()), None)

    def covered(self, utterance: Utterance) -> None:
        """The agent has spoken while something runs: a filler is part of the talk then, for no call holds its place."""
        if (self._running or self.news) and utterance.kind == "filler" and not utterance.taken and utterance.heard:
            self._talk.add(Role.SAY, utterance.heard, Role.END)

    # --- results -------------------------------------------------------------------------------------------------

    def came(self, event: ev.ToolReturned | ev.ToolFailed) -> Iterator[Command]:
        """Keep the result; where an answer is being said, finish its clause and drop the rest."""
        late = self._running.pop(event.call)
        if isinstance(event, ev.ToolFailed) and event.reason == "cancelled":
            return
        late.failed = isinstance(event, ev.ToolFailed)
        late.result = event.spoken if isinstance(event, ev.ToolReturned) else "failed"
        self.news.append(late)
        if self._floor.caller_speaking or self._floor.overlapping or self._talk.turn.texts:
            yield Decision("wait", "the caller has the floor; the result is kept")
        elif self._plans.any:
            yield from self.trim()
        else:
            yield Decision("wait", "nobody speaks; the result is kept for a moment")
            yield do.SetTimer("settle", self._settings.settle_ms)

    @property
    def _worth_it(self) -> bool:
        """There is news that the present answer does not know, and the caller is silent. A failure waits."""
        silent = not self._floor.caller_speaking and not self._floor.overlapping
        return silent and self._settings.thinking.speak and any(not late.failed for late in self.news)

    def trim(self) -> Iterator[Command]:
        """Fold the news into the answer that is being said, if one is."""
        if self._worth_it:
            yield from self._cut_short(f"{self.news[-1].call.tool} returned")

    def _cut_short(self, why: str) -> Iterator[Command]:
        plans = self._plans
        if plans.call is not None or (plans.generation is not None and plans.reply is None):
            return  # what is said covers another wait
        said = [one for one in plans.speaking if one.kind == "answer" and not one.goodbye and not one.trimmed]
        if not said:
            return
        yield Decision("think", f"fold in: {why}")
        if plans.generation is not None:
            yield do.CancelGeneration(plans.generation.number)
            plans.generation = plans.reply = None
        for utterance in said:
            utterance.closed = utterance.trimmed = True
            yield do.Trim(utterance.number)

    def before_first(self) -> Iterator[Command]:
        """The first clause of a reply is written: give the reply up if it does not know the news."""
        generation = self._plans.generation
        if generation is not None and self._plans.reply is None and self._worth_it and not self._open:
            yield Decision("think", f"write again: {self.news[-1].call.tool} returned")
            yield do.CancelGeneration(generation.number)
            self._plans.generation = None

    @property
    def _open(self) -> bool:
        """Something of ours is said or called whose place in the stream is not known yet."""
        plans = self._plans
        return plans.call is not None or any(one.kind != "filler" for one in plans.utterances.values())

    def put(self) -> Literal["", "result", "failure"]:
        """Put the news into the stream if nothing of ours is open there; what they amount to."""
        if not self.news or self._open or self._plans.generation is not None:
            return ""
        if covered := self._plans.take_filler():
            self._talk.add(Role.SAY, covered, Role.END)
        for late in self.news:
            self._talk.add(Role.CALL, late.spoken, Role.END)
            self._talk.add(Role.RESULT, late.result)
        kind: Literal["result", "failure"] = "failure" if all(late.failed for late in self.news) else "result"
        self._told += self.news
        self.news = []
        return kind

    def committed(self) -> None:
        """The caller's turn is over; what stands before it stays."""
        self._told = []

    def take_back(self) -> None:
        """The turn was given back, and what was put behind it is news again."""
        self.news, self._told = self._told + self.news, []

    # --- words that took no floor --------------------------------------------------------------------------------

    def heed(self, segment: int, text: str) -> Iterator[Command]:
        """Take words of a segment that was let go by as a turn after all, if they ask for a change."""
        if self._settings.thinking.speak and self._talk.ignored(segment) and (value := self._change(text)):
            self._talk.heed(segment, text)
            yield Decision("wait", f"the caller said {value} over us")
            yield from self._cut_short(f"{value} was said")

    def _change(self, text: str) -> str:
        """The first value of a note's field that is named and is not what the note holds."""
        known = read_note(self._talk.note, self._settings.notes) or {}
        words = f" {' '.join(plain_words(text))} "
        for field in self._settings.notes:
            values = find_times(text) if field.kind == "time" else field.values
            for value in values:
                if value not in _NO_CHANGE and f" {value} " in words and value != known.get(field.name, UNKNOWN):
                    return value
        return ""
