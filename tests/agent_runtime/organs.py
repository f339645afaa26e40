"""Organs and a far party of paper, for throwing any plausible order of events at a mind.

They keep the promises that the real organs keep (events of one utterance in order, a result names its order, a
cancel is answered unless the work ended first) and nothing else: when something happens, whether it happens at all,
and what overtakes what is for the test to choose. Facts wait in `inbox` until the test lets the mind have them, so an
order can cross a fact on its way, as it can in a real call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.commands import Command
from agent_runtime.events import Event
from agent_runtime.mind import Mind
from agent_runtime.mind_settings import MindSettings
from agent_runtime.record import Entry
from policies.trajectory import Role, Segment, Trajectory
from tests.agent_runtime.scenes import BOOK, FIND, JOT, TODAY, spoken_call

__all__ = ["CALLER_TEXTS", "REPLIES", "PaperCaller", "PaperEngine", "PaperTools", "PaperVoice", "World"]

CALLER_TEXTS = (
    "yes please",
    "mm hm",
    "no wait",
    "i would like wednesday",
    "wednesday at ten thirty for miller",
    "um",
    "",
    "that is all bye",
)
READ_BACK = "so that is wednesday at ten thirty for miller, is that right?"

REPLIES: dict[str, tuple[str, ...]] = {
    "answer": ("i have ten thirty or two.", "which one?"),
    "read back": (READ_BACK,),
    "long": ("we are open all day,", "the clinic is at the river,", "and parking is free."),
    "bye": ("goodbye.",),
    "silent": (),
    "nothing": (),
    "find": (),
    "book": (),
    "jot": (),
    "failed": (),
    "say and fail": ("i have",),
}
"""What a generation may amount to, with its clauses."""

_CALLS = {
    "find": ("find_slots", {"day": "wednesday"}),
    "book": ("book", {"day": "wednesday", "time": "ten thirty", "name": "miller"}),
    "jot": ("jot", {"name": "miller"}),
}
_OUTCOMES = {
    "bye": "said_goodbye",
    "silent": "silent",
    "nothing": "cut_short",
    "failed": "failed",
    "say and fail": "failed",
}


class World:
    """One call: the mind, the organs, the far party, and everything that was ordered."""

    def __init__(self, *, greeting: str = "good morning. how can i help?", **settings: object) -> None:
        opening = Trajectory.of([Segment(Role.CARD, "desk.")])
        shapes = {shape.name: shape for shape in (FIND, BOOK, JOT)}
        self.mind = Mind(
            MindSettings(opening, greeting, shapes, {"find_slots": 1500, "jot": 100}, **settings)  # type: ignore[arg-type]
        )
        self.now_us = 0
        self.seq = 0
        self.inbox: deque[Entry] = deque()
        self.events: list[Entry] = []
        self.orders: list[Entry] = []
        self.timers: dict[str, int] = {}
        self.engine = PaperEngine(self.publish)
        self.voice = PaperVoice(self.publish)
        self.tools = PaperTools(self.publish)
        self.caller = PaperCaller(self)

    def publish(self, event: Event) -> None:
        """Stamp and queue a fact."""
        self.seq += 1
        self.inbox.append(Entry(self.seq, self.now_us, 0, event))

    def deliver(self) -> tuple[Entry, list[Command]]:
        """The mind takes the oldest fact; its orders take effect at once."""
        entry = self.inbox.popleft()
        self.events.append(entry)
        orders = self.mind.receive(entry)
        for order in orders:
            self.seq += 1
            self.orders.append(Entry(self.seq, self.now_us, entry.seq, order))
            if isinstance(order, do.SetTimer):
                self.timers[order.timer] = self.now_us + order.after_ms * 1000
            elif isinstance(order, do.CancelTimer):
                self.timers.pop(order.timer, None)
            self.engine.obey(order)
            self.voice.obey(order)
            self.tools.obey(order)
        return entry, orders

    def ring(self) -> None:
        """The next timer runs out; time jumps to it."""
        name = min(self.timers, key=lambda timer: self.timers[timer])
        self.now_us = max(self.now_us, self.timers.pop(name))
        self.publish(ev.TimerFired(name))

    def pass_time(self, ms: int) -> None:
        """Time passes, but no timer is jumped over."""
        limit = min([self.now_us + ms * 1000, *self.timers.values()])
        self.now_us = max(self.now_us, limit)

    @property
    def sample(self) -> int:
        """Now, on the sample line."""
        return self.now_us * 2 // 125

    def begin(self) -> None:
        """The call comes in."""
        self.publish(ev.CallStarted("c", "inbound", "s", "desk", TODAY.isoformat(), 1, "", "+15550100"))
        self.publish(ev.CallAnswered(0))


class PaperCaller:
    """The far party and how it is heard: segments with partials and a final text each, in order of segments."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.speaking = False
        self.segment = 0
        self.revision = 0
        self.text = ""
        self.shown = 0
        self.owed: deque[tuple[int, str]] = deque()
        """(segment, text) of segments whose final text is still to come."""

    def starts(self, text: str) -> None:
        """Begin a segment that will read `text`."""
        self.segment += 1
        self.text, self.shown, self.speaking = text, 0, True
        sample = self._world.sample
        self._world.publish(ev.SpeechStarted(max(0, sample - 1024), sample, 0.9, 0.0, self.segment))

    @property
    def may_show(self) -> bool:
        """A partial can come: no older segment is still open at the recogniser."""
        return self.speaking and not self.owed and self.shown < len(self.text.split())

    def shows(self) -> None:
        """One more word of the present segment is recognised."""
        self.shown += 1
        self.revision += 1
        *stable, tail = self.text.split()[: self.shown]
        partial = ev.PartialTranscript(self.segment, self.revision, self._world.sample, " ".join(stable), tail)
        self._world.publish(partial)

    def stops(self) -> None:
        """Pause; the final text comes later."""
        self.speaking = False
        sample = self._world.sample
        self._world.publish(ev.SpeechStopped(max(0, sample - 3200), sample))
        self.owed.append((self.segment, self.text))

    def settles(self) -> None:
        """The final text of the oldest open segment."""
        segment, text = self.owed.popleft()
        self.revision += 1
        self._world.publish(ev.FinalTranscript(segment, self.revision, self._world.sample, text, ()))


class PaperEngine:
    """Writes replies step by step; one at a time, in the order asked."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self.waiting: deque[do.Generate] = deque()
        self.scores: deque[do.ScoreTurn] = deque()
        self.now: do.Generate | None = None
        self.steps: deque[Event] = deque()

    def obey(self, order: Command) -> None:
        """Take an order."""
        if isinstance(order, do.Generate):
            self.waiting.append(order)
        elif isinstance(order, do.ScoreTurn):
            self.scores.append(order)
        elif isinstance(order, do.CancelGeneration):
            if self.now is not None and self.now.generation == order.generation:
                self.now = None
                self.steps.clear()
            elif any(waiting.generation == order.generation for waiting in self.waiting):
                self.waiting = deque(one for one in self.waiting if one.generation != order.generation)
            else:
                return
            self._publish(ev.GenerationEnded(order.generation, "cancelled", 1))

    def may(self) -> list[str]:
        """Kinds of reply that the next generation may have: a grammar keeps blocked tools out."""
        if self.now is not None or not self.waiting:
            return []
        blocked = self.waiting[0].blocked_tools
        return [kind for kind in REPLIES if kind not in _CALLS or _CALLS[kind][0] not in blocked]

    def starts(self, kind: str) -> None:
        """Begin the next generation; it will amount to `kind`."""
        self.now = order = self.waiting.popleft()
        number = order.generation
        scored = [ev.TurnScored(0, 0.6, order.listening)] if order.listening else []
        steps: list[Event] = [*scored] if order.after_result else [*scored, ev.ThoughtFormed(number, f"note {number}")]
        steps.append(ev.ExpectationFormed(number, "yes" if kind == "read back" else "more"))
        steps += [ev.ClauseGenerated(number, index, text) for index, text in enumerate(REPLIES[kind])]
        if kind in _CALLS:
            name, given = _CALLS[kind]
            spoken, slots = spoken_call(name, **given)
            steps.append(ev.ToolRequested(number, name, spoken, slots, slots))
        outcome = "called" if kind in _CALLS else _OUTCOMES.get(kind, "said")
        steps.append(ev.GenerationEnded(number, outcome, len(steps)))  # type: ignore[arg-type]
        self.steps = deque(steps)

    def writes(self) -> None:
        """The next piece of the reply."""
        self._publish(self.steps.popleft())
        if not self.steps:
            self.now = None

    def score(self, p_over: float) -> None:
        """Answer the oldest question for a score."""
        asked = self.scores.popleft()
        self._publish(ev.TurnScored(asked.revision, p_over, asked.prefix))


@dataclass(slots=True)
class PaperUtterance:
    """One utterance at the mouth."""

    number: int
    words: list[str] = field(default_factory=list)
    closed: bool = False
    started: bool = False
    paused: bool = False
    heard: int = 0
    borders: list[int] = field(default_factory=list)
    """Words before the end of each clause."""
    short: bool = False
    """Something of it was dropped, and the rest is said to its end."""

    @property
    def heard_text(self) -> str:
        """The words heard so far."""
        return " ".join(self.words[: self.heard])


class PaperVoice:
    """Plays utterances one after the other, a word at a time."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self.queue: deque[PaperUtterance] = deque()
        self.ended: set[int] = set()
        self.ordered: dict[int, str] = {}
        self.answers: set[int] = set()
        """Utterances that are the agent's turns: no fillers."""
        self.heard: dict[int, str] = {}
        """Utterance -> what its last `UtteranceHeard` said."""

    def _find(self, number: int) -> PaperUtterance | None:
        return next((one for one in self.queue if one.number == number), None)

    def obey(self, order: Command) -> None:
        """Take an order."""
        if isinstance(order, do.Say):
            found = self._find(order.utterance)
            if found is None:
                if order.utterance in self.ended:
                    return
                found = PaperUtterance(order.utterance)
                self.queue.append(found)
                if order.kind != "filler":
                    self.answers.add(order.utterance)
            if found.short:
                return
            found.words += order.text.split()
            found.borders.append(len(found.words))
            self.ordered[order.utterance] = " ".join(found.words)
            found.closed = order.last
            self._settle()
        elif isinstance(order, (do.Yield, do.Resume, do.Cancel, do.Trim)):
            found = self._find(order.utterance)
            if found is None:
                return
            if isinstance(order, do.Yield) and not found.paused:
                found.paused = True
                self._tell_heard(found, complete=False)
                self._publish(ev.UtterancePaused(found.number, 0))
            elif isinstance(order, do.Resume) and found.paused:
                found.paused = False
                self._publish(ev.UtteranceResumed(found.number, 0))
            elif isinstance(order, do.Cancel) or (isinstance(order, do.Trim) and not found.started):
                self._end(found, "cancelled")
            elif isinstance(order, do.Trim):
                end = next((border for border in found.borders if border >= max(1, found.heard)), len(found.words))
                found.short = not found.closed or end < len(found.words)
                found.words, found.closed = found.words[:end], True
                self._settle()

    @property
    def head(self) -> PaperUtterance | None:
        """What plays now."""
        return self.queue[0] if self.queue and not self.queue[0].paused else None

    @property
    def may_play(self) -> bool:
        """The head has a word that was not played."""
        return self.head is not None and self.head.heard < len(self.head.words)

    def plays(self) -> None:
        """One word, or only the first sample of it, leaves."""
        head = self.head
        assert head is not None
        if not head.started:
            head.started = True
            self._publish(ev.UtteranceStarted(head.number, 0))
            return
        head.heard += 1
        self._settle()

    def breaks(self) -> None:
        """The voice fails on the utterance that plays."""
        head = self.head
        assert head is not None
        self._publish(ev.PartFailed("voice", True, "RuntimeError: broken"))
        self._end(head, "failed")

    def _settle(self) -> None:
        while self.queue:
            head = self.queue[0]
            if not head.closed or head.heard < len(head.words):
                return
            self._end(head, "played")

    def _end(self, utterance: PaperUtterance, reason: str) -> None:
        self.queue.remove(utterance)
        self.ended.add(utterance.number)
        self._tell_heard(utterance, complete=reason == "played" and bool(utterance.words) and not utterance.short)
        self._publish(ev.UtteranceEnded(utterance.number, 0, reason))  # type: ignore[arg-type]
        if reason != "played":
            self._settle()

    def _tell_heard(self, utterance: PaperUtterance, *, complete: bool) -> None:
        self.heard[utterance.number] = utterance.heard_text
        self._publish(ev.UtteranceHeard(utterance.number, utterance.heard, complete, utterance.heard_text))


class PaperTools:
    """Tool calls in progress."""

    def __init__(self, publish: Callable[[Event], None]) -> None:
        self._publish = publish
        self.running: dict[int, str] = {}
        self.done: list[tuple[int, str]] = []
        """(call, tool) of calls that returned."""

    def obey(self, order: Command) -> None:
        """Take an order."""
        if isinstance(order, do.CallTool):
            self.running[order.call] = order.tool
        elif isinstance(order, do.CancelTool) and order.call in self.running:
            name = self.running.pop(order.call)
            self._publish(ev.ToolFailed(order.call, name, "cancelled", "given up"))

    def returns(self) -> None:
        """The oldest call returns."""
        call = next(iter(self.running))
        name = self.running.pop(call)
        self.done.append((call, name))
        self._publish(ev.ToolReturned(call, name, {"find_slots": "ten thirty two"}.get(name, "ok"), "x"))

    def fails(self) -> None:
        """The oldest call fails."""
        call = next(iter(self.running))
        self._publish(ev.ToolFailed(call, self.running.pop(call), "raised", "ValueError: no"))
