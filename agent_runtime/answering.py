"""The agent's answer to a turn that is over: from the first thought to the last clause, with the tools between.

Part of the mind and as pure. An answer begins when the caller's turn is closed. It takes a draft that was prepared for
these words, or orders a generation; what that writes becomes history, orders and utterances; a tool's result starts
the next one. An answer of which nothing was heard or written can be given up, and the turn with it given back. This
file refuses to know how a turn ends and who has the floor at this moment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from policies import tool_gate
from policies.due import due_tool
from policies.notes import read_note
from policies.repair import NO_MISSES, counted, repair
from policies.trajectory import Role

from . import commands as do
from . import events as ev
from .commands import Command, Decision
from .conversation import Conversation
from .drafting import Draft, DraftEvent, Drafts
from .floor import Floor
from .folding import Folding
from .mind_settings import MindSettings
from .plans import Generation, Kind, Plans, ToolCall
from .saying import Saying
from .waiting import Waiting

__all__ = ["Answering"]


class Answering:
    """The answer in progress of one call, and what it needs to know of the one before."""

    def __init__(self, settings: MindSettings, plans: Plans, floor: Floor, talk: Conversation, saying: Saying) -> None:
        self._settings, self._plans, self._floor, self._talk, self._saying = settings, plans, floor, talk, saying
        self.folding = Folding(settings, plans, floor, saying, talk)
        self.waiting = Waiting(settings, plans, floor, talk, saying, self.folding)
        self.drafts = Drafts(settings, plans, talk)
        self.expects = ""
        self._wrote = False  # since the turn was closed
        self._misses = self._missed_before = NO_MISSES
        self._prepared = 0  # the utterance of the draft that is lived through, until its first clause
        self._unsettled: tuple[ev.ToolRequested, Generation] | None = None  # a write waits for the turn's final text
        self._result: Literal["", "result", "failure"] = ""  # of a tool, not answered yet
        self._tool_steps = 0
        self._steps: Mapping[type, Callable[[Any], Iterator[Command]]] = {
            ev.ThoughtFormed: self._thought,
            ev.ExpectationFormed: self._expectation,
            ev.ClauseGenerated: self._clause,
            ev.ToolRequested: self._tool_requested,
            ev.GenerationEnded: self._generation_ended,
        }

    # --- the turn ------------------------------------------------------------------------------------------------

    def begin(self) -> Iterator[Command]:
        """The caller's turn is over: close it in the stream and answer it."""
        talk, self._saying.audible = self._talk, False
        self._wrote, self._result, self._tool_steps = False, "", 0
        self._unsettled = None
        self._missed_before = self._misses
        self.waiting.turn_over()
        self.folding.put()
        self.folding.committed()
        before = talk.committed.digest
        talk.commit_turn()
        self._floor.committed()
        yield from self.drafts.turn_over(talk.answered.text.split(), before)
        note = read_note(talk.note, self._settings.notes) or {}
        shapes = tuple(self._settings.tools.values())
        due = due_tool(shapes, note, asked=talk.heard, answer=talk.answered.text, refused=talk.refused)
        yield from self._generate(after_result=False, due=due)

    def give_up(self, reason: str) -> Iterator[Command]:
        """The caller takes the floor: drop what was not heard; give the turn back if nothing was heard or written."""
        plans, reopen = self._plans, not self._saying.audible and not self._wrote
        yield Decision("wait" if reopen else "yield", reason)
        if plans.generation is not None:
            yield do.CancelGeneration(plans.generation.number)
            plans.generation = plans.reply = None
        yield from self._saying.drop()
        self._unsettled = None
        yield from self.drafts.drop_all("the caller goes on")
        if not reopen:
            return
        if (call := plans.call) is not None:
            if self._settings.tools[call.tool].effect == "read":
                self.drafts.keep(call.number, call.tool, call.arguments, call.began_us)
            else:
                yield do.CancelTool(call.number)
        plans.call, self._result = None, ""
        self._talk.reopen_turn()
        self.folding.take_back()
        self._misses = self._missed_before

    def settled(self) -> Iterator[Command]:
        """A final text came: a write that waited for it is done, or given up where the caller has said more."""
        if self._unsettled is None or not self._all_known:
            return
        (asked, generation), self._unsettled = self._unsettled, None
        if self._talk.turn.text:
            yield from self.give_up("the caller has said more")
        else:
            self._plans.generation = generation
            yield from self._tool_requested(asked)

    @property
    def _all_known(self) -> bool:
        """No speech waits for its final words, neither of the turn that is answered nor behind it."""
        return self._talk.answered.settled and self._talk.turn.settled

    def say(self, text: str, kind: Kind, *, goodbye: bool = False, again: bool = False) -> Iterator[Command]:
        """Say a text of the mind's own; what waits to be said instead of it is dropped. `again`: see `Utterance`."""
        yield from self.drafts.drop_all("something else is said")
        yield from self._saying.whole(text, kind, goodbye=goodbye, again=again)

    # --- thinking ------------------------------------------------------------------------------------------------

    def wrote(self, event: DraftEvent) -> Iterator[Command]:
        """The model wrote something: of a draft it is held, of the generation in progress it happens."""
        if self.drafts.knows(event.generation):
            yield from self.drafts.hold(event)
        elif self._plans.current(event.generation) is not None:
            yield from self._steps[type(event)](event)

    def _generate(self, *, after_result: bool, blocked: tuple[str, ...] = (), due: str = "") -> Iterator[Command]:
        if self._tool_steps >= self._settings.max_tool_steps:
            blocked = tuple(sorted(self._settings.tools))
        stream, plans = self._talk.committed, self._plans
        draft = self.drafts.take(due, after_result=after_result, blocked=blocked)
        if draft is not None:
            plans.generation = Generation(draft.number, stream, after_result, blocked)
            yield from self._live_through(draft)
            return
        yield from self.drafts.drop_all("the answer is another one")
        plans.generation = Generation(plans.number("generation"), stream, after_result, blocked)
        yield do.Generate(plans.generation.number, stream.digest, after_result, blocked, due, stream)
        yield from self.waiting.reply_asked(plans.generation.number)

    def _live_through(self, draft: Draft) -> Iterator[Command]:
        """What was held of a draft happens now; what it still writes comes as of any generation."""
        yield do.Adopt(generation=draft.number, utterance=draft.utterance)
        self._prepared = draft.utterance
        for event in draft.held:
            yield from self.wrote(event)
        if self._plans.current(draft.number) is not None and self._plans.reply is None:
            yield from self.waiting.reply_asked(draft.number)
        elif self._prepared and self._plans.generation is None:
            yield do.Cancel(self._prepared)  # something else is said than what the draft would have
            self._prepared = 0

    def _thought(self, event: ev.ThoughtFormed) -> Iterator[Command]:
        if self._plans.reply is not None:
            # Between two bits of speech: its place in the stream is known once it is known what was heard.
            self._plans.reply.thoughts.append((len(self._plans.reply.text), event.text))
            return
        before = self._talk.note
        self._talk.add(Role.THINK, event.text)
        yield from self._ask_otherwise(event.generation, before, event.text)

    def _expectation(self, event: ev.ExpectationFormed) -> Iterator[Command]:
        self._expect(event.text)
        yield from ()

    def _expect(self, what: str) -> None:
        self.expects = what
        self._talk.add(Role.EXPECT, what)

    def _ask_otherwise(self, generation: int, before: str, after: str) -> Iterator[Command]:
        """Where the same question was answered in vain, ask in another way in place of what the model would say."""
        notes, question = self._settings.notes, self._talk.heard[-1].said if self._talk.heard else ""
        self._misses = counted(self._missed_before, question, before, after, notes)
        found = repair(self._misses, question, notes, self._settings.repair)
        if found is not None:
            yield Decision("speak", found.reason)
            yield do.CancelGeneration(generation)
            self._plans.generation, self._misses = None, found.misses
            self._expect(found.expects)
            yield from self.say(found.text, "answer")

    def _clause(self, event: ev.ClauseGenerated) -> Iterator[Command]:
        yield from self.folding.before_first()
        if self._plans.generation is None:
            yield from self.answer_result()
            return
        yield from self.waiting.reply_began(event.generation)
        prepared, self._prepared = self._prepared, 0
        yield from self._saying.clause(event.text, self.expects, prepared=prepared)

    def _generation_ended(self, event: ev.GenerationEnded) -> Iterator[Command]:
        spoke, self._plans.generation = self._plans.reply is not None, None
        yield from self._saying.close(goodbye=event.outcome == "said_goodbye")
        if event.outcome == "silent":
            self._talk.add(Role.SILENCE)
            yield Decision("silence", "the model has nothing to say yet")
            yield from self.waiting.for_caller()
            if self.folding.news:
                yield do.SetTimer("settle", self._settings.settle_ms)
            yield from self.waiting.fill()
        elif event.outcome == "failed" or (not spoke and event.outcome != "called"):
            yield Decision("speak", f"apologise: generation {event.outcome} without a usable reply")
            yield from self.say(self._settings.wording.apology, "answer")

    # --- acting --------------------------------------------------------------------------------------------------

    def _tool_requested(self, event: ev.ToolRequested) -> Iterator[Command]:
        generation = self._plans.current(event.generation)
        assert generation is not None, "only the generation in progress is lived through"
        self._plans.generation = None
        yield from self._saying.close()
        if event.tool in generation.blocked:
            yield Decision("speak", f"apologise: the model insists on {event.tool}")
            yield from self.say(self._settings.wording.apology, "answer")
            return
        shape, talk, shapes = self._settings.tools[event.tool], self._talk, tuple(self._settings.tools.values())
        gate = tool_gate.decide(
            shape,
            event.slots,
            committed=True,
            asked=talk.heard,
            answer=talk.answered.text,
            others=shapes,
            refused=talk.refused,
        )
        if not gate.allowed:
            yield Decision("wait", f"{event.tool} held back: {gate.reason} {gate.about}".strip())
            # The model must say something instead: no other tool could make up for what was not agreed.
            talk.committed = generation.base
            yield from self._generate(after_result=generation.after_result, blocked=tuple(sorted(self._settings.tools)))
        elif shape.effect == "write" and not (self._all_known and not talk.turn.text):
            yield Decision("wait", f"{event.tool} waits for the turn's final text")
            self._unsettled = (event, generation)
        else:
            self._tool_steps += 1
            if shape.effect == "write":
                self._wrote = True
                if shape.confirm:
                    talk.heard = []  # one agreement, one write: the model may ask for it again after its result
                yield from self.drafts.forget_results()
            yield from self._call(event, str(gate.reason))

    def _call(self, event: ev.ToolRequested, why: str) -> Iterator[Command]:
        """Run a tool, or take what ran early."""
        plans = self._plans
        if event.tool in self._settings.background:
            yield from self.folding.begin(event, plans.now_us)
            yield from self._generate(after_result=True, blocked=(event.tool,))
            return
        brief = self.folding.brief(event)
        self._talk.add(Role.CALL, event.spoken, Role.END)
        early = self.drafts.early(event.tool, event.arguments)
        number = early.number if early is not None else plans.number("call")
        began_us = early.asked_us if early is not None else plans.now_us
        plans.call = ToolCall(number, event.tool, plans.now_us, began_us, event.slots, event.arguments)
        if early is not None:
            yield do.Adopt(call=number)
        else:
            yield Decision("tool", why)
            yield do.CallTool(number, event.tool, event.arguments, brief=brief)
        if early is not None and early.result is not None:
            yield from self.tool_ended(early.result)
        else:
            yield from self.waiting.fill()

    def tool_ended(self, event: ev.ToolReturned | ev.ToolFailed) -> Iterator[Command]:
        """A tool gave its result, or none."""
        if self.folding.owns(event.call):
            yield from self.folding.came(event)
            return
        if self._plans.call is None or self._plans.call.number != event.call:
            yield from self.drafts.returned(event)
            return
        yield from self.waiting.tool_ended(event)
        if isinstance(event, ev.ToolFailed) and event.reason == "cancelled":
            return
        self._talk.add(Role.RESULT, event.spoken if isinstance(event, ev.ToolReturned) else "failed")
        self._result = "result" if isinstance(event, ev.ToolReturned) else "failure"
        if self._floor.caller_speaking or self._floor.overlapping or self._talk.turn.texts:
            yield Decision("wait", "the caller has the floor; the result is kept")
        else:
            yield from self.answer_result()

    @property
    def kept(self) -> bool:
        """A tool's result waits for the floor."""
        return bool(self._result)

    @property
    def owed(self) -> bool:
        """There is a result that is not answered yet."""
        return bool(self._result or self.folding.news)

    def answer_result(self) -> Iterator[Command]:
        """Answer a result that is not answered yet; an open turn with words is answered together with it."""
        if self._talk.turn.text:
            return
        late = self.folding.put()
        kind, self._result = self._result if self._result == "result" else late or self._result, ""
        if kind == "result":
            yield Decision("think", "a tool returned")
            yield from self._generate(after_result=True)
        elif kind == "failure":
            yield Decision("speak", "say that the tool failed")
            yield from self.say(self._settings.wording.tool_failed, "answer")
