"""The mind's promises as rules, checked after every fact it is told: named after DESIGN 2, 3, 5 and 7."""

from __future__ import annotations

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.commands import Command
from agent_runtime.record import Entry
from policies.trajectory import Role
from tests.agent_runtime.organs import CALLER_TEXTS, READ_BACK, World

__all__ = ["Watch"]

WRITES = frozenset({"book", "jot"})
FLOOR_IS_FREE = ("turn over", "ask again", "silence", "nobody answers")
"""Reasons of decisions that end a turn of the caller: answered, not understood, or long silent."""


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
        self.fillers: set[int] = set()
        self.ending: set[int] = set()
        """Fillers whose last word is still said."""
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
                if kind == "filler":
                    self.fillers.add(number)
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
            case do.Cancel(number, how):
                assert number not in self.over or number in self.ending
                assert how == "now" or number in self.fillers, "only a filler may end with its word"
                self.over.add(number)
                self.held.discard(number)
                self.ending = self.ending | {number} if how == "word" else self.ending - {number}
                self.given_way |= number not in self.fillers | self.prepared
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
