"""Random calls against the mind with every way of thinking ahead on: what it writes is judged by `writes_judge`.

The organs are made of dice: they answer late, cross orders on the way, revise words, barge in, ask for the wrong tool
or for the right one with other values, while drafts and early tools run. They keep what the real ones promise: events
of one utterance and of one stretch of speech in order, a final text soon and before the next stretch begins.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from policies.trajectory import Role, Segment, Trajectory

from .. import commands as do
from .. import events as ev
from ..commands import Command
from ..events import Event
from ..mind import Mind
from ..mind_settings import MindSettings
from ..record import SCHEMA, Entry
from .figure import Figure
from .writes_judge import DAYS, NAMES, TIMES, TOOLS, YES, Judge, read_back, read_back_values

__all__ = ["CALLS", "RandomCall", "new_mind", "side_effects"]

_OTHER = (
    "no", "no wait", "i would like wednesday", "on monday at nine for miller", "no tuesday", "yes but at two",
    "ten thirty for young", "um", "mm-hm", "", "that is all bye", "please write down adams",
)  # fmt: skip
_WORD_US = 350_000
_SOON_US = 2_000_000
"""Timers further off than this are those of a long silence; calls would end of it before anything happened."""
_FINAL_US = 400_000
"""A final text comes within this after the pause that ends the speech is known; the ears of the box need less."""
CALLS = 10_000
_STEPS = 90
"""Things that happen in one call, about a minute of it."""


@dataclass(slots=True)
class _Utterance:
    number: int
    kind: str
    words: list[str] = field(default_factory=list)
    closed: bool = False
    paused: bool = False
    started: bool = False
    heard: int = 0


@dataclass(slots=True)
class _Speech:
    """A stretch of the caller's speech: what was really said, and how far it is known."""

    segment: int
    words: list[str]
    shown: int = 0
    speaking: bool = True
    due_us: int = 0
    """Once it stopped: its final text is known by then."""


class RandomCall:
    """One call of dice. `play` lets so many things happen."""

    def __init__(self, seed: int, mind: Mind | None = None) -> None:
        self.dice = Random(f"{seed} side effects")
        self.mind = mind or new_mind()
        self.judge = Judge()
        self.over = False
        self._now_us = self._seq = self._revision = 0
        self._inbox: deque[Event] = deque()
        self._timers: dict[str, int] = {}
        self._speeches: list[_Speech] = []
        self._truth: dict[int, str] = {}
        self._orders: deque[do.Generate] = deque()
        self._writing: tuple[do.Generate, deque[Event]] | None = None
        self._mouth: deque[_Utterance] = deque()
        self._before: dict[int, set[int]] = {}
        self._tools: dict[int, str] = {}

    def play(self, steps: int = _STEPS) -> Judge:
        """What the judge saw."""
        self._tell(ev.CallStarted("c", "inbound", "s", "desk", "2026-11-23", SCHEMA, "", ""))
        self._tell(ev.CallAnswered(0))
        for _ in range(steps):
            if self.over:
                break
            # mostly facts arrive before the next thing happens; now and then they cross it
            while self._inbox and self.dice.random() < 0.8:
                self._deliver()
            self.dice.choice(self._possible())()
        self._arrive()
        return self.judge

    def _possible(self) -> list[Callable[[], None]]:
        soon = any(at - self._now_us < _SOON_US for at in self._timers.values())
        found = [self._pass_time] + [self._ring] * (3 * soon)
        found += [self._smoothly] * 3
        speech = self._speeches[-1] if self._speeches else None
        if speech is None or not speech.speaking:
            found += [self._speak] * 2
        else:
            found += [self._show] * (4 * (speech.shown < len(speech.words))) + [self._stop]
        found += [self._settle] * (3 * (self._owed is not None))
        found += [self._write] * (6 * bool(self._writing or self._orders))
        head = self._mouth[0] if self._mouth else None
        found += [self._sound] * (6 * bool(head and not head.paused and head.heard < len(head.words)))
        found += [self._return] * (2 * bool(self._tools))
        return found

    def _smoothly(self) -> None:
        """What is under way comes to its end as in most calls: a sentence, a reply, an utterance, a pause."""
        if self._writing or self._orders:
            while (self._writing or self._orders) and not self.over:
                self._write()
                self._arrive()
        elif self._mouth and not self._mouth[0].paused:
            number = self._mouth[0].number
            while self._mouth and self._mouth[0].number == number and not self._stuck and not self.over:
                self._sound()
                self._arrive()
        elif self._tools:
            self._return()
        else:
            if not (self._speeches and self._speeches[-1].speaking):
                self._speak()
            while self._speeches[-1].shown < len(self._speeches[-1].words) and not self.over:
                self._show()
                self._move(self._now_us + 300_000)
                self._arrive()
            self._stop()
            self._arrive()
            if self.dice.random() < 0.7 and self._owed is not None:
                self._settle()
                self._arrive()
            if self._timers and min(self._timers.values()) - self._now_us < _SOON_US:
                self._ring()

    @property
    def _stuck(self) -> bool:
        """Nothing of the utterance at the head can be played now."""
        return not self._mouth or self._mouth[0].paused or self._mouth[0].heard >= len(self._mouth[0].words)

    def _arrive(self) -> None:
        while self._inbox and not self.over:
            self._deliver()

    # --- facts and orders ------------------------------------------------------------------------------------------

    def _tell(self, event: Event) -> None:
        self._inbox.append(event)

    def _deliver(self) -> None:
        event = self._inbox.popleft()
        self.judge.saw(event, self._truth)
        self._seq += 1
        orders = self.mind.receive(Entry(self._seq, self._now_us, 0, event))
        if any(isinstance(one, (do.Cancel, do.CancelGeneration)) for one in orders) and any(
            isinstance(one, do.Decision) and one.action in ("wait", "yield") and "is kept" not in one.reason
            for one in orders
        ):
            self.judge.gave_way()
        for order in orders:
            self._seq += 1
            self.judge.ordered(order)
            self._obey(order)

    def _obey(self, order: Command) -> None:
        match order:
            case do.SetTimer(timer, after_ms):
                self._timers[timer] = self._now_us + after_ms * 1000
            case do.CancelTimer(timer):
                self._timers.pop(timer, None)
            case do.Generate():
                self._orders.append(order)
            case do.CancelGeneration(number):
                self._cancel_generation(number)
            case do.CallTool(call=number, tool=tool):
                self._tools[number] = tool
            case do.CancelTool(number) if number in self._tools:
                self._tell(ev.ToolFailed(number, self._tools.pop(number), "cancelled", ""))
            case do.Say():
                self._say(order)
            case do.Yield(number) | do.Resume(number) | do.Cancel(number):
                self._hold(order, number)
            case do.HangUp():
                self.over = True

    def _ring(self) -> None:
        name = min(self._timers, key=lambda timer: self._timers[timer])
        self._move(self._timers[name])
        if name in self._timers:
            del self._timers[name]
            self._tell(ev.TimerFired(name))

    def _pass_time(self) -> None:
        self._move(min([self._now_us + self.dice.choice((20_000, 150_000, 500_000)), *self._timers.values()]))

    def _move(self, to_us: int) -> None:
        """Time passes; final texts do not come later than a recogniser brings them."""
        while (speech := self._owed) is not None and speech.due_us <= to_us:
            self._now_us = max(self._now_us, speech.due_us)
            self._settle()
        self._now_us = max(self._now_us, to_us)

    # --- the caller ------------------------------------------------------------------------------------------------

    @property
    def _sample(self) -> int:
        return self._now_us * 2 // 125

    @property
    def _owed(self) -> _Speech | None:
        """A stretch that is over and whose final text is still to come: at most one, since ears work in order."""
        return next((one for one in self._speeches if not one.speaking), None)

    def _speak(self) -> None:
        if self._owed is not None:
            self._settle()
        text = self.dice.choice(YES if self.dice.random() < 0.45 else _OTHER)
        segment = len(self._truth) + 1
        self._truth[segment] = text
        self._speeches.append(_Speech(segment, text.split()))
        no_floor = 1.0 if text == "mm-hm" else 0.0
        self._tell(ev.SpeechStarted(max(0, self._sample - 1024), self._sample, 0.9, no_floor, segment))

    def _show(self) -> None:
        """One more word; now and then an earlier one, or this, reads as another."""
        speech = self._speeches[-1]
        speech.shown += 1
        self._revision += 1
        words = speech.words[: speech.shown]
        if self.dice.random() < 0.15:
            words[self.dice.randrange(len(words))] = self.dice.choice(("yes", "no", "monday", "two", "miller"))
        stable, tail = words[:-1], words[-1:]
        self._tell(ev.PartialTranscript(speech.segment, self._revision, self._sample, " ".join(stable), " ".join(tail)))

    def _stop(self) -> None:
        speech = self._speeches[-1]
        speech.speaking, speech.due_us = False, self._now_us + self.dice.randrange(_FINAL_US)
        self._tell(ev.SpeechStopped(max(0, self._sample - 3200), self._sample))

    def _settle(self) -> None:
        speech = self._owed
        assert speech is not None, "a final text is owed"
        self._speeches.remove(speech)
        self._revision += 1
        self._tell(ev.FinalTranscript(speech.segment, self._revision, self._sample, " ".join(speech.words), ()))

    # --- the engine ------------------------------------------------------------------------------------------------

    def _cancel_generation(self, number: int) -> None:
        if self._writing is not None and self._writing[0].generation == number:
            self._writing = None
        elif any(one.generation == number for one in self._orders):
            self._orders = deque(one for one in self._orders if one.generation != number)
        else:
            return
        self._tell(ev.GenerationEnded(number, "cancelled", 1))

    def _write(self) -> None:
        """The next piece of a reply; a new one begins with a choice of what it will amount to."""
        if self._writing is None:
            order = self._orders.popleft()
            self._writing = (order, deque(self._reply(order)))
        order, steps = self._writing
        for _ in range(self.dice.randint(1, 3)):
            self._tell(steps.popleft())
            if not steps:
                self._writing = None
                return

    def _reply(self, order: do.Generate) -> list[Event]:
        number, dice = order.generation, self.dice
        steps: list[Event] = []
        if order.listening and dice.random() < 0.5:
            steps.append(ev.TurnScored(0, dice.choice((0.1, 0.6, 0.95)), order.listening))
        if not order.after_result:
            steps.append(ev.ThoughtFormed(number, "note"))
        steps.append(ev.ExpectationFormed(number, "more"))
        asked = next((one.text for one in reversed(order.trajectory.segments) if one.role is Role.SAY), "")
        values = read_back_values(asked)
        call = self._call(values)
        if call is not None and call[0] not in order.blocked_tools:
            tool, slots = call
            spoken = " ".join([tool, *(word for pair in slots.items() for word in pair)])
            ended = ev.GenerationEnded(number, "called", 9)
            return [*steps, ev.ToolRequested(number, tool, spoken, slots, slots), ended]
        if order.draft == "peek":
            return [*steps, ev.GenerationEnded(number, "cut_short", 5)]
        offer = {"day": dice.choice(DAYS), "time": dice.choice(TIMES), "name": dice.choice(NAMES)}
        said = read_back(offer) if dice.random() < 0.7 else "which day suits you?"
        return [*steps, ev.ClauseGenerated(number, 0, said), ev.GenerationEnded(number, "said", 12)]

    def _call(self, asked: dict[str, str] | None) -> tuple[str, dict[str, str]] | None:
        """The tool that the model asks for, wrongly at times; None: it speaks."""
        dice = self.dice
        chance = dice.random()
        if asked is not None and chance < 0.65:
            slot, known = dice.choice((("day", DAYS), ("time", TIMES), ("name", NAMES)))
            return "book", asked if chance < 0.5 else {**asked, slot: dice.choice(known)}
        if chance < 0.7:
            return "book", {"day": dice.choice(DAYS), "time": dice.choice(TIMES), "name": dice.choice(NAMES)}
        if chance < 0.74:
            return "jot", {"name": dice.choice(NAMES)}
        return ("find_slots", {"day": dice.choice(DAYS)}) if chance < 0.82 else None

    # --- the mouth and the hands -----------------------------------------------------------------------------------

    def _say(self, order: do.Say) -> None:
        found = next((one for one in self._mouth if one.number == order.utterance), None)
        if found is None:
            found = _Utterance(order.utterance, order.kind)
            self._mouth.append(found)
        found.words += order.text.split()
        found.closed = order.last
        self._finish()

    def _hold(self, order: Command, number: int) -> None:
        found = next((one for one in self._mouth if one.number == number), None)
        if found is None:
            return
        if isinstance(order, do.Cancel):
            self._end(found, "cancelled")
        elif isinstance(order, do.Yield) and not found.paused:
            found.paused = True
            if found.started:
                self._tell(ev.UtterancePaused(number, self._sample))
        elif isinstance(order, do.Resume) and found.paused:
            found.paused = False
            if found.started:
                self._tell(ev.UtteranceResumed(number, self._sample))

    def _sound(self) -> None:
        """A few words of the utterance at the head are heard."""
        head = self._mouth[0]
        if not head.started:
            head.started = True
            self._before[head.number] = set(self._truth)
            self._tell(ev.UtteranceStarted(head.number, self._sample))
        for _ in range(min(len(head.words) - head.heard, self.dice.choice((1, 4, 20)))):
            if any(at <= self._now_us + _WORD_US for at in self._timers.values()):
                self._ring()
                return
            self._move(self._now_us + _WORD_US)
            head.heard += 1
        self._finish()

    def _finish(self) -> None:
        while self._mouth and self._mouth[0].closed and self._mouth[0].heard >= len(self._mouth[0].words):
            self._end(self._mouth[0], "played")

    def _end(self, utterance: _Utterance, reason: str) -> None:
        self._mouth.remove(utterance)
        text, heard = " ".join(utterance.words), " ".join(utterance.words[: utterance.heard])
        self.judge.heard(utterance.kind, text, heard, self._before.get(utterance.number, set()))
        complete = reason == "played" and bool(utterance.words)
        self._tell(ev.UtteranceHeard(utterance.number, utterance.heard, complete, heard))
        self._tell(ev.UtteranceEnded(utterance.number, self._sample, reason))  # type: ignore[arg-type]

    def _return(self) -> None:
        number = self.dice.choice(list(self._tools))
        tool = self._tools.pop(number)
        if self.dice.random() < 0.1:
            self._tell(ev.ToolFailed(number, tool, "raised", "ValueError: no"))
        else:
            self._tell(ev.ToolReturned(number, tool, "ten thirty two" if tool == "find_slots" else "ok", "x"))


def new_mind() -> Mind:
    """A mind with every way of thinking ahead on."""
    opening = Trajectory.of([Segment(Role.CARD, "desk.")])
    tools = {shape.name: shape for shape in TOOLS}
    prefetches = {"find_slots": [{"day": day} for day in DAYS]}
    return Mind(MindSettings(opening, "good morning. how can i help?", tools, prefetches=prefetches))


def side_effects(calls: int = CALLS) -> Figure:
    """Writes that nobody wished for, over all calls; must be none. The unit says how much there was to go wrong."""
    wrong: list[str] = []
    writes = adopted = early = 0
    for seed in range(calls):
        judge = RandomCall(seed).play()
        wrong += [f"seed {seed}: {one}" for one in judge.wrong]
        writes, adopted, early = writes + judge.writes, adopted + judge.adopted, early + judge.early
    unit = f"in {calls} random calls ({writes} writes, {adopted} drafts and {early} early tool calls adopted)"
    return Figure("wrong_side_effects", len(wrong), unit, calls, reason="; ".join(wrong[:3]))
