"""Any plausible order of events thrown at the mind: its invariants hold after every single one.

The organs are those of `organs.py`: they answer late, cross orders on the way, or never answer. `Watch` checks each
batch of orders as it is given; the rules are named after the promises of DESIGN 2, 3, 5 and 7.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.commands import Command
from agent_runtime.record import Entry
from policies.trajectory import Role
from tests.agent_runtime.organs import CALLER_TEXTS, READ_BACK, World

WRITES = frozenset({"book", "jot"})
SEEDED_CALLS = int(os.environ.get("DUOLOGUE_SEEDED_CALLS", "300"))
"""More of them for a long night: 6,000 take about two minutes."""
FLOOR_IS_FREE = ("turn over", "ask again", "silence", "nobody answers")
"""Reasons of decisions that end a turn of the caller: answered, not understood, or long silent."""


Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of the given things."""


class Watch:
    """Delivers facts to the mind of a world and checks what follows."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.numbers = {"generation": 0, "utterance": 0, "call": 0}
        self.generating: int | None = None
        self.drafts: set[int] = set()
        self.written: set[int] = set()
        """Generations that came to their end."""
        self.prepared: set[int] = set()
        """Utterances of drafts, held back."""
        self.early: set[int] = set()
        self.returned: set[int] = set()
        self.names: dict[int, str] = {}
        self.adopting = False
        self.called: set[int] = set()
        self.held: set[int] = set()
        self.over: set[int] = set()
        """Utterances cancelled or ended: no order may touch them again."""
        self.given_way = False
        """The caller has taken the floor and its turn is not over yet."""
        self.hung_up = False
        self.spoken_since_commit: list[tuple[str, str]] = []
        self.spoken_before_answer: list[tuple[str, str]] = []
        self.answered = ""

    def deliver(self) -> None:
        """One fact to the mind, and every rule."""
        entry, orders = self.world.deliver()
        self._before(entry, orders)
        self.adopting = isinstance(entry.what, ev.FinalTranscript)  # a write may have waited for the final text
        for order in orders:
            self._order(order, entry)
        self._batch(orders)
        self._ledger()

    def settle(self) -> None:
        """Deliver all that waits."""
        while self.world.inbox:
            self.deliver()

    # --- the rules -----------------------------------------------------------------------------------------------

    def _before(self, entry: Entry, orders: list[Command]) -> None:
        what = entry.what
        if self.hung_up:
            assert orders == [], "after HangUp nothing more is ordered"
        stale = isinstance(
            what, (ev.ThoughtFormed, ev.ExpectationFormed, ev.ClauseGenerated, ev.ToolRequested, ev.GenerationEnded)
        ) and what.generation not in self.drafts | {self.generating}
        stale = stale or (
            isinstance(what, (ev.ToolReturned, ev.ToolFailed)) and what.call not in self.called | self.early
        )
        if stale:
            assert orders == [], f"{what} belongs to nothing any more"
        if isinstance(what, (ev.ToolRequested, ev.GenerationEnded)):
            self.written.add(what.generation)
            if what.generation == self.generating:
                self.generating = None
        if isinstance(what, (ev.ToolReturned, ev.ToolFailed)):
            self.called.discard(what.call)
            self.returned.add(what.call)
        if isinstance(what, ev.UtteranceStarted):
            assert what.utterance not in self.prepared, "nothing of a draft is audible"
        if isinstance(what, ev.UtteranceEnded):
            self.held.discard(what.utterance)
            self.over.add(what.utterance)
            heard = self.world.voice.heard[what.utterance]
            said = self.world.voice.ordered[what.utterance]
            assert said.startswith(heard), "what was heard is a prefix of what was ordered"
            if heard:
                self.spoken_since_commit.append((said, heard))

    def _order(self, order: Command, entry: Entry) -> None:
        match order:
            case do.Generate(generation=number, trajectory=stream, draft=depth):
                self._next("generation", number)
                if depth:
                    self.drafts.add(number)
                    return
                assert self.generating is None, f"generation {number} while {self.generating} is being written"
                assert stream is self.world.mind.conversation.committed
                self.generating = number
            case do.Adopt(generation, call, utterance):
                self.adopting = True
                if generation:
                    self.drafts.remove(generation)
                    assert self.generating is None
                    self.generating = None if generation in self.written else generation
                if call:
                    self.early.remove(call)
                    self.called |= {call} - self.returned
                assert not utterance or utterance in self.prepared
            case do.CancelGeneration(number) if number in self.drafts:
                self.drafts.remove(number)
            case do.CancelGeneration(number):
                assert number == self.generating, "only the generation in progress is cancelled"
                self.generating = None
                self.given_way = True
            case do.Say(number, "answer", False, text) if self._draft_speaks(entry):
                self._next("utterance", number)
                self.prepared.add(number)
            case do.Say(number, kind, last, text):
                assert number not in self.prepared, "a draft says no more than its first words"
                if number > self.numbers["utterance"]:
                    self._next("utterance", number)
                assert number not in self.over, f"utterance {number} was over"
                free = not self.given_way or (kind == "filler" and not self.world.mind.floor.caller_speaking)
                assert free, "nothing is said after the caller took the floor until its turn is over"
                assert text or last, "an empty clause only closes"
            case do.Yield(number):
                assert number not in self.over | self.held
                self.held.add(number)
            case do.Resume(number):
                assert number in self.held, f"utterance {number} was not held"
                assert not self.given_way, "nothing is resumed after the caller took the floor"
                self.held.discard(number)
                self.prepared.discard(number)
            case do.Cancel(number):
                assert number not in self.over
                self.over.add(number)
                self.held.discard(number)
                self.given_way |= number not in self.prepared
                self.prepared.discard(number)
            case do.CallTool(number, name, early=True):
                self._next("call", number)
                assert name not in WRITES, "nothing is written before the turn is over"
                self.early.add(number)
            case do.CallTool(number, name, arguments):
                self._next("call", number)
                assert not self.called, "one tool at a time"
                assert isinstance(entry.what, ev.ToolRequested) or self.adopting
                self.called.add(number)
                self.names[number] = name
                if name == "book":
                    self._confirmed(arguments)
                if name in WRITES:
                    assert not self.given_way, "no write while the caller's turn is open"
            case do.CancelTool(number):
                self.called.discard(number)
                self.early.discard(number)
            case do.HangUp():
                self.hung_up = True
            case do.Decision("think" | "speak", reason) if reason.startswith(FLOOR_IS_FREE):
                self.given_way = False
            case do.Decision("think", "a tool returned") | do.Decision("speak", "say that the tool failed"):
                mind = self.world.mind
                assert not mind.floor.caller_speaking, "a result waits while the caller speaks"
                assert not mind.conversation.turn.text, "the caller's words come before the result"
                self.given_way = False

    def _draft_speaks(self, entry: Entry) -> bool:
        return isinstance(entry.what, ev.ClauseGenerated) and entry.what.generation in self.drafts

    def _next(self, what: str, number: int) -> None:
        assert number == self.numbers[what] + 1, f"{what} {number} follows {self.numbers[what]}"
        self.numbers[what] = number

    def _confirmed(self, arguments: object) -> None:
        """Read back, heard to the last word, and agreed to in the turn right after it."""
        assert (READ_BACK, READ_BACK) in self.spoken_before_answer, "the read-back was heard to its last word"
        agreeing = {"yes", "please", "mm", "hm", "um"} | set(CALLER_TEXTS[4].split())
        words = set(self.answered.split())
        assert words & {"yes", "mm"}, f"{self.answered!r} is no agreement"
        assert words <= agreeing, f"{self.answered!r} says more than yes"

    def _batch(self, orders: list[Command]) -> None:
        takes_back = any(isinstance(o, do.Decision) and o.action == "wait" for o in orders)
        if takes_back and any(isinstance(o, (do.Cancel, do.CancelGeneration)) for o in orders):
            kept = {call for call in self.called if self.names.get(call) not in WRITES}
            self.called, self.early = self.called - kept, self.early | kept  # nobody waits for it, its result is kept
            self.spoken_since_commit = self.spoken_before_answer + self.spoken_since_commit
            self.spoken_before_answer = []
        floor = self.world.mind.floor
        if floor.caller_speaking and floor.overlapping:
            for order in orders:
                if isinstance(order, do.Say):
                    assert order.utterance in self.held, "nothing begins to sound into the caller's words"
        committed = any(isinstance(o, do.Decision) and o.reason.startswith("turn over") for o in orders)
        if committed:
            self.answered = self.world.mind.conversation.answered.text
            self.spoken_before_answer, self.spoken_since_commit = self.spoken_since_commit, []

    def _ledger(self) -> None:
        if self.hung_up:
            return
        self._written()

    def _written(self) -> None:
        """The stream says what was heard, in the order in which it was heard, and keeps every write that was made."""
        segments = self.world.mind.conversation.committed.segments
        stream = [segment.text for segment in segments if segment.role is Role.SAY]
        answers = [
            self.world.voice.heard[e.what.utterance]
            for e in self.world.events
            if isinstance(e.what, ev.UtteranceEnded) and e.what.utterance in self.world.voice.answers
        ]
        assert stream == [heard for heard in answers if heard], "the stream keeps what was heard and nothing more"
        returned = [
            e.what.tool for e in self.world.events if isinstance(e.what, ev.ToolReturned) and e.what.tool in WRITES
        ]
        kept = iter(s.text.split()[0] for s in segments if s.role is Role.CALL)
        assert all(name in kept for name in returned), "a write that was made is kept, in order"


class Chance:
    """Chooses what happens next."""

    def __init__(self, watch: Watch, pick: Pick) -> None:
        self.watch, self.world, self.pick = watch, watch.world, pick
        self.trace: list[str] = []

    def step(self) -> None:
        """One thing happens, of those that can."""
        name = self.pick(sorted(self.possible()))
        self.trace.append(name)
        getattr(self, name.replace(" ", "_"))()

    def possible(self) -> list[str]:
        """What can happen now; likelier things stand there more than once."""
        world = self.world
        found = ["time"]
        found += ["deliver"] * 4 * bool(world.inbox) + ["settle"] * 3 * bool(world.inbox)
        found += ["ring"] * (len(world.timers) > 1)
        found += ["shows"] * 2 * world.caller.may_show + ["stops"] * 2 * world.caller.speaking
        found += ["settles"] * 3 * bool(world.caller.owed) + ["speaks"] * 2 * (not world.caller.speaking)
        found += ["turn"] * 2 * (not world.caller.speaking and not world.caller.owed)
        found += ["engine"] * 3 * bool(world.engine.may()) + ["writes"] * 4 * bool(world.engine.steps)
        found += (
            ["confirms"] * bool(world.engine.may())
            + ["reply"] * 2 * bool(world.engine.steps)
            + ["scored"] * bool(world.engine.scores)
        )
        found += ["plays"] * 2 * world.voice.may_play + ["utterance"] * 2 * world.voice.may_play
        found += ["tool returns"] * 2 * bool(world.tools.running)
        if self.pick(range(20)) == 19:
            found += ["tool fails"] * bool(world.tools.running) + ["voice breaks"] * world.voice.may_play
            found += ["key", "leaves", "part fails"]
        return found

    def deliver(self) -> None:
        self.watch.deliver()

    def settle(self) -> None:
        self.watch.settle()

    def time(self) -> None:
        self.world.pass_time(self.pick([20, 150, 500, 1500]))

    def ring(self) -> None:
        self.world.ring()

    def speaks(self, text: str | None = None) -> None:
        self.world.caller.starts(self.pick(CALLER_TEXTS) if text is None else text)

    def shows(self) -> None:
        self.world.caller.shows()

    def stops(self) -> None:
        self.world.caller.stops()

    def settles(self) -> None:
        self.world.caller.settles()

    def turn(self, text: str | None = None) -> None:
        """A whole undisturbed turn, heard at once, and the pause after it."""
        self.speaks(text)
        while self.world.caller.may_show:
            self.world.pass_time(200)
            self.world.caller.shows()
        self.watch.settle()
        self.world.pass_time(300)
        self.world.caller.stops()
        self.world.caller.settles()
        self.watch.settle()
        if "endpoint" in self.world.timers and min(self.world.timers, key=self.world.timers.__getitem__) == "endpoint":
            self.world.ring()
            self.watch.settle()

    def engine(self) -> None:
        kinds = self.world.engine.may()
        self.world.engine.starts(self.pick(kinds))

    def writes(self) -> None:
        self.world.engine.writes()

    def reply(self) -> None:
        """The generation is written to its end."""
        while self.world.engine.steps:
            self.world.engine.writes()
        self.watch.settle()

    def confirms(self) -> None:
        """The agent reads a booking back, the caller agrees, the model asks for the tool; undisturbed."""
        world = self.world
        world.engine.starts("read back")
        self.reply()
        if world.voice.may_play:
            self.utterance()
        if world.caller.speaking or world.caller.owed:
            return
        self.turn("yes please")
        if "book" in world.engine.may():
            world.engine.starts("book")
            self.reply()

    def scored(self) -> None:
        self.world.engine.score(self.pick([0.05, 0.5, 0.95]))

    def plays(self) -> None:
        """A word takes longer to sound than an order to arrive, so nothing is on its way meanwhile."""
        self.watch.settle()
        if self.world.voice.may_play:
            self.world.pass_time(350)
            self.world.voice.plays()

    def utterance(self) -> None:
        """The head is played to the end of what it has, undisturbed."""
        self.watch.settle()
        while self.world.voice.may_play:
            self.world.pass_time(350)
            self.world.voice.plays()
        self.watch.settle()

    def voice_breaks(self) -> None:
        self.world.voice.breaks()

    def tool_returns(self) -> None:
        self.world.tools.returns()

    def tool_fails(self) -> None:
        self.world.tools.fails()

    def key(self) -> None:
        self.world.publish(ev.DigitPressed(self.world.sample, "4"))

    def leaves(self) -> None:
        self.world.publish(ev.CallerHungUp(self.world.sample))

    def part_fails(self) -> None:
        self.world.publish(ev.PartFailed("engine", True, "RuntimeError: broken"))


def finish(chance: Chance) -> None:
    """Everybody answers now and the caller says goodbye: the call must come to its end."""
    world, watch = chance.world, chance.watch

    def over() -> bool:
        return watch.hung_up

    watch.settle()
    for _ in range(400):
        if over():
            return
        if world.caller.speaking:
            world.caller.stops()
        elif world.caller.owed:
            world.caller.settles()
        elif world.engine.steps:
            world.engine.writes()
        elif world.engine.may():
            world.engine.starts("bye")
        elif world.tools.running:
            world.tools.returns()
        elif world.voice.may_play:
            world.pass_time(350)
            world.voice.plays()
        else:
            assert world.timers, "the call hangs: nothing is under way and no timer runs"
            world.ring()
        watch.settle()
        assert not watch.hung_up or not watch.held
    raise AssertionError("the call did not end")


def play(pick: Pick, steps: int) -> Watch:
    """A call with so many random things in it."""
    watch = Watch(World())
    chance = Chance(watch, pick)
    watch.world.begin()
    watch.settle()
    for _ in range(steps):
        chance.step()
    finish(chance)
    return watch


def seeded(seed: int) -> Pick:
    """Choices that a seed makes."""
    draw = random.Random(seed)
    return lambda choices: choices[draw.randrange(len(choices))]


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_happens_the_mind_keeps_its_promises(data: st.DataObject) -> None:
    """Orders of events that hypothesis thinks of; a failing one is shrunk to a few lines."""
    play(lambda choices: data.draw(st.sampled_from(choices)), 40)


def test_hundreds_of_seeded_calls_keep_the_promises() -> None:
    """Orders drawn from seeds: cheaper than hypothesis, so many more. The promises would be cheap if these calls never
    came near what they are about, so together they must have seen every kind of order."""
    seen: set[str] = set()
    for seed in range(SEEDED_CALLS):
        try:
            orders = play(seeded(seed), 80).world.orders
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        for entry in orders:
            what = entry.what
            seen.add(f"CallTool {what.tool}" if isinstance(what, do.CallTool) else type(what).__name__)
    never = {"SendDigits", "Transfer", "CallTool", "Action", "Command"}  # no decision of this mind asks for these yet
    assert seen >= set(do.__all__) - never | {f"CallTool {name}" for name in ("find_slots", "book", "jot")}
