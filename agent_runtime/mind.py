"""The mind of one call: facts in, orders out.

`Mind.receive(entry)` takes one stamped event and returns commands. It never awaits and reads no clock, file, socket
or randomness: its only time is the event's own stamp. Every decision a caller can hear is taken here or in a policy
that is asked from here.

Theory of operation. The caller's words collect in an open turn (`conversation`), and while they do, replies are
prepared on what is known of it (`drafting`). When the endpointing policy takes the turn as over, the turn is closed in
the trajectory and a generation starts, or one that was prepared for these words is taken and lived through. A
generation may form a thought and an expectation, then it speaks (clauses go to one utterance), calls a tool, or stays
silent. A tool's result starts the next generation. While the agent answers, speech of the caller is an overlap, and
`floor` says whether to yield, to cancel or to resume. A turn taken too early is given back as long as nothing of the
answer was audible.

Results name what they belong to (generation, call, revision). One that no longer belongs to anything is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from policies import tool_gate
from policies.due import due_tool
from policies.notes import read_note
from policies.repair import NO_MISSES, counted, repair
from policies.trajectory import Role, Trajectory

from . import commands as do
from . import events as ev
from .commands import Command, Decision
from .conversation import Conversation
from .drafting import Draft, DraftEvent, Drafts
from .floor import Floor, Verdict
from .mind_settings import MindSettings
from .plans import Fillers, Generation, Kind, Plans, ToolCall
from .record import Entry
from .saying import Saying

__all__ = ["Mind"]


class Mind:
    """The state of one call and its decisions. Not thread-safe; one event at a time, in order of `seq`."""

    def __init__(self, settings: MindSettings) -> None:
        self.settings = settings
        self.conversation = Conversation(settings.opening)
        self.floor = Floor(settings.floor)
        self.plans = Plans()
        self.expects = ""
        self.over = False
        self.saying = Saying(self.plans, self.floor, self.conversation)
        self.drafts = Drafts(settings, self.plans, self.conversation)
        self._wrote_since_commit = False
        self._misses = self._missed_before = NO_MISSES
        self._scored = ""
        self._p_over = ("", 0.0)  # digest of the caller's words, the model's probability that they are all
        self._prepared = 0  # the utterance of the draft that is lived through, until its first clause
        self._unsettled: tuple[ev.ToolRequested, Generation] | None = None  # a write waits for the turn's final text
        self._now_us = 0
        self._waiting: Literal["", "result", "failure"] = ""
        self._idle_asked = self._tool_steps = 0
        self._fillers = Fillers(settings.filler)
        self._receivers: dict[type, Callable[[Any, Entry], Iterator[Command]]] = {
            ev.CallStarted: self._call_started,
            ev.CallAnswered: self._call_answered,
            ev.CallerHungUp: lambda event, entry: self._hang_up("caller_hung_up", "the caller left"),
            ev.SpeechStarted: self._speech_started,
            ev.SpeechStopped: self._speech_stopped,
            ev.PartialTranscript: self._partial,
            ev.FinalTranscript: self._final,
            ev.TurnScored: self._turn_scored,
            ev.DigitPressed: self._digit,
            ev.ThoughtFormed: self._written,
            ev.ExpectationFormed: self._written,
            ev.ClauseGenerated: self._clause,
            ev.ToolRequested: self._tool_requested,
            ev.GenerationEnded: self._generation_ended,
            ev.ToolReturned: self._tool_ended,
            ev.ToolFailed: self._tool_ended,
            ev.UtteranceStarted: self.saying.started,
            ev.UtteranceHeard: self.saying.heard,
            ev.UtteranceEnded: self._utterance_ended,
            ev.TimerFired: self._timer,
            ev.PartFailed: self._part_failed,
        }

    def receive(self, entry: Entry) -> list[Command]:
        """The commands that follow from one event. After `HangUp` nothing more comes."""
        self._now_us, what = entry.at_us, entry.what
        receiver = self._receivers.get(type(what))
        if receiver is None or self.over:
            return []
        if isinstance(what, DraftEvent) and self.drafts.knows(what.generation):
            return list(self.drafts.hold(what, entry))
        return list(receiver(what, entry))

    # --- the call ------------------------------------------------------------------------------------------------

    def _call_started(self, event: ev.CallStarted, entry: Entry) -> Iterator[Command]:
        if self.settings.thinking.prefill:
            yield Decision("think", "read the card while it rings")
            yield from self._read_ahead(self.conversation.committed)

    def _read_ahead(self, stream: Trajectory) -> Iterator[Command]:
        """Have the engine read what stands in the stream."""
        if self.settings.thinking.prefill:
            yield do.Prefill(stream.digest, stream)

    def _call_answered(self, event: ev.CallAnswered, entry: Entry) -> Iterator[Command]:
        self.floor.answered(entry.at_us - event.sample * 1_000_000 // 16_000)
        yield do.SetTimer("limit", self.settings.time_limit_ms)
        if self.settings.greeting:
            yield Decision("speak", "greet")
            yield from self._say(self.settings.greeting, "greeting")
        else:
            yield Decision("wait", "the other side speaks first")
            yield do.SetTimer("idle", self.settings.idle_ms)

    def _hang_up(self, reason: str, why: str) -> Iterator[Command]:
        self.over = True
        yield Decision("hang_up", why)
        yield do.HangUp(reason)  # ending the call ends what is under way

    # --- hearing -------------------------------------------------------------------------------------------------

    def _speech_started(self, event: ev.SpeechStarted, entry: Entry) -> Iterator[Command]:
        for timer in ("endpoint", "idle", "overlap"):
            yield do.CancelTimer(timer)
        self._idle_asked = 0
        self.conversation.begin(event.segment)
        speech = self.plans.speech(entry.at_us)
        yield from self._overlap(self.floor.speech_started(event, entry.at_us, answering=self.plans.any, agent=speech))

    def _overlap(self, verdict: Verdict) -> Iterator[Command]:
        """Carry out what the floor says about the caller's speech during ours."""
        for segment in sorted(verdict.dropped):
            self.conversation.ignore(segment)
        if verdict.action == "cancel":
            yield from self._give_way(verdict.reason)
            return
        if verdict.action == "yield":
            yield from self.saying.fall_silent(verdict.reason)
        elif verdict.action == "resume" or verdict.over:
            yield from self._resume(verdict.reason)
        if verdict.wait_ms:
            yield do.SetTimer("overlap", verdict.wait_ms)

    def _give_way(self, reason: str) -> Iterator[Command]:
        """The caller takes the floor: drop what was not heard; take the turn back if nothing was heard or written."""
        yield do.CancelTimer("overlap")
        yield do.CancelTimer("filler")
        reopen = not self.saying.audible and not self._wrote_since_commit
        yield Decision("wait" if reopen else "yield", reason)
        if self.plans.generation is not None:
            yield do.CancelGeneration(self.plans.generation.number)
            self.plans.generation = self.plans.reply = None
        yield from self.saying.drop()
        self._unsettled = None
        yield from self.drafts.drop_all("the caller goes on")
        if reopen:
            if (call := self.plans.call) is not None:
                if self.settings.tools[call.tool].effect == "read":
                    self.drafts.keep(call.number, call.tool, call.arguments, call.asked_us)
                else:
                    yield do.CancelTool(call.number)
            self.plans.call, self._waiting = None, ""
            self.conversation.reopen_turn()
            self._misses = self._missed_before

    def _resume(self, reason: str) -> Iterator[Command]:
        """The agent keeps the floor."""
        yield do.CancelTimer("overlap")
        yield from self.saying.go_on(reason)
        yield from self._answer_waiting()

    def _partial(self, event: ev.PartialTranscript, entry: Entry) -> Iterator[Command]:
        text = f"{event.stable} {event.tail}" if event.stable and event.tail else event.stable or event.tail
        changed = self.conversation.hear(event.segment, text, final=False)
        if self.floor.overlapping:
            # An early hypothesis of "mm-hm" may read "no": the agent is silent already, so wait for words that last.
            speech = self.plans.speech(entry.at_us)
            yield from self._overlap(self.floor.words(event.stable, entry.at_us, speech, final=False))
        if changed and not self.plans.any:
            yield from self._read_ahead(self.conversation.listening())
            yield from self._think_ahead(stable=len(event.stable.split()) - len(text.split()))
            yield from self._endpoint(entry.at_us)

    def _think_ahead(self, *, stable: int = 0) -> Iterator[Command]:
        """Prepare an answer to what is known of the turn; `stable`: minus the words at its end that may change."""
        if self.plans.settling or self.floor.overlapping:
            return
        known = len(self.conversation.turn.text.split()) + stable
        for order in self.drafts.consider(paused=not self.floor.caller_speaking, stable=known, expects=self.expects):
            if isinstance(order, do.Generate) and order.listening:
                self._scored = order.listening  # its words are scored on the way
            yield order

    def _final(self, event: ev.FinalTranscript, entry: Entry) -> Iterator[Command]:
        if self.conversation.correct(event.segment, event.text):
            if not self.saying.audible and not self._wrote_since_commit and self.plans.any:
                yield from self._give_way("the final text says something else")
        elif self._unsettled is not None:
            (asked, self.plans.generation), self._unsettled = self._unsettled, None
            yield from self._tool_requested(asked, entry)
        self.conversation.hear(event.segment, event.text, final=True)
        if self.floor.overlapping:
            speech = self.plans.speech(entry.at_us)
            yield from self._overlap(self.floor.words(event.text, entry.at_us, speech, final=True))
        if not self.plans.any:
            yield from self._think_ahead()
            yield from self._score(event.revision)
            yield from self._endpoint(entry.at_us)

    def _speech_stopped(self, event: ev.SpeechStopped, entry: Entry) -> Iterator[Command]:
        self.floor.speech_stopped(event)
        if self.floor.overlapping:
            yield from self._overlap(self.floor.decide(entry.at_us, self.plans.speech(entry.at_us)))
        if not self.plans.any:
            yield from self._think_ahead()
            yield from self._score(0)
            yield from self._endpoint(entry.at_us)

    def _score(self, revision: int) -> Iterator[Command]:
        """Ask the model whether the turn is over at these words, once for the same words."""
        listening = self.conversation.listening()
        if listening.digest == self._p_over[0]:
            self.floor.scored(revision, self._p_over[1])
        elif self.conversation.turn.text and listening.digest != self._scored:
            self._scored = listening.digest
            yield do.ScoreTurn(revision, listening.digest, listening)
            if not self.settings.thinking.draft:
                yield from self._read_ahead(self.conversation.if_over()[0])

    def _turn_scored(self, event: ev.TurnScored, entry: Entry) -> Iterator[Command]:
        self._p_over = (event.prefix, event.p_over)
        if event.prefix == self.conversation.listening().digest:
            self.floor.scored(event.revision, event.p_over)
        yield from self._endpoint(entry.at_us)

    def _digit(self, event: ev.DigitPressed, entry: Entry) -> Iterator[Command]:
        self.conversation.press(event.digit)
        self.floor.pressed(event.sample)
        yield Decision("wait", "keys may follow")
        yield do.SetTimer("endpoint", self.settings.floor.keys_ms)

    def _endpoint(self, now_us: int) -> Iterator[Command]:
        """Ask whether the caller's turn is over; commit it, or look again when the policy says so."""
        if self.floor.caller_speaking or self.floor.overlapping or self.plans.any or self.plans.settling:
            return
        turn = self.conversation.turn
        ready = self.settings.thinking.predict and self.drafts.ready(turn.text.split())
        settled = turn.settled or ready
        verdict = self.floor.endpoint(now_us, text=turn.text, settled=settled, expects=self.expects)
        if verdict.over and turn.text:
            yield do.CancelTimer("endpoint")
            yield from self._commit(verdict.reason, verdict.scores)
        elif not verdict.over and verdict.wait_ms > 0:
            yield do.SetTimer("endpoint", verdict.wait_ms)
        else:
            self.conversation.clear_turn()
            if self._waiting:
                yield from self._answer_waiting()
            elif verdict.over:
                yield Decision("speak", f"ask again: {verdict.reason}")
                yield from self._say(self.settings.wording.apology, "answer")
            else:
                yield do.SetTimer("idle", self.settings.idle_ms)

    def _commit(self, reason: str, scores: Mapping[str, float]) -> Iterator[Command]:
        yield Decision("think", f"turn over: {reason}", {name: round(score, 4) for name, score in scores.items()})
        self.saying.audible = self._wrote_since_commit = False
        self._waiting, self._tool_steps = "", 0
        self._missed_before = self._misses
        before = self.conversation.committed.digest
        self.conversation.commit_turn()
        self.floor.committed()
        yield from self.drafts.turn_over(self.conversation.answered.text.split(), before)
        note = read_note(self.conversation.note, self.settings.notes) or {}
        shapes, talk = tuple(self.settings.tools.values()), self.conversation
        due = due_tool(shapes, note, asked=talk.heard, answer=talk.answered.text)
        yield from self._generate(after_result=False, due=due)

    # --- thinking ------------------------------------------------------------------------------------------------

    def _generate(self, *, after_result: bool, blocked: tuple[str, ...] = (), due: str = "") -> Iterator[Command]:
        if self._tool_steps >= self.settings.max_tool_steps:
            blocked = tuple(sorted(self.settings.tools))
        stream = self.conversation.committed
        draft = self.drafts.take(due, after_result=after_result, blocked=blocked)
        if draft is not None:
            self.plans.generation = Generation(draft.number, stream, after_result, blocked)
            yield from self._live_through(draft)
            return
        yield from self.drafts.drop_all("the answer is another one")
        self.plans.generation = Generation(self.plans.number("generation"), stream, after_result, blocked)
        yield do.Generate(self.plans.generation.number, stream.digest, after_result, blocked, due, stream)

    def _live_through(self, draft: Draft) -> Iterator[Command]:
        """What was held of a draft happens now; what it still writes comes as of any generation."""
        yield do.Adopt(generation=draft.number, utterance=draft.utterance)
        self._prepared = draft.utterance
        for event in draft.held:
            yield from self._receivers[type(event)](event, Entry(0, self._now_us, 0, event))
        if self._prepared and self.plans.generation is None:
            yield do.Cancel(self._prepared)  # something else is said than what the draft would have
            self._prepared = 0

    def _written(self, event: ev.ThoughtFormed | ev.ExpectationFormed, entry: Entry) -> Iterator[Command]:
        if self.plans.current(event.generation) is None:
            return
        if isinstance(event, ev.ExpectationFormed):
            self._expect(event.text)
            return
        if self.plans.reply is not None:
            # Between two bits of speech: its place in the stream is known once it is known what was heard.
            self.plans.reply.thoughts.append((len(self.plans.reply.text), event.text))
            return
        before = self.conversation.note
        self.conversation.add(Role.THINK, event.text)
        yield from self._ask_otherwise(event.generation, before, event.text)

    def _expect(self, what: str) -> None:
        self.expects = what
        self.conversation.add(Role.EXPECT, what)

    def _ask_otherwise(self, generation: int, before: str, after: str) -> Iterator[Command]:
        """Where the same question was answered in vain, ask in another way in place of what the model would say."""
        notes, question = self.settings.notes, self.conversation.heard[-1].said if self.conversation.heard else ""
        self._misses = counted(self._missed_before, question, before, after, notes)
        found = repair(self._misses, question, notes, self.settings.repair)
        if found is not None:
            yield Decision("speak", found.reason)
            yield do.CancelGeneration(generation)
            self.plans.generation, self._misses = None, found.misses
            self._expect(found.expects)
            yield from self._say(found.text, "answer")

    def _clause(self, event: ev.ClauseGenerated, entry: Entry) -> Iterator[Command]:
        if self.plans.current(event.generation) is not None:
            prepared, self._prepared = self._prepared, 0
            yield from self.saying.clause(event.text, self.expects, prepared=prepared)

    def _generation_ended(self, event: ev.GenerationEnded, entry: Entry) -> Iterator[Command]:
        if self.plans.current(event.generation) is None:
            return
        spoke, self.plans.generation = self.plans.reply is not None, None
        yield from self.saying.close(goodbye=event.outcome == "said_goodbye")
        if event.outcome == "silent":
            self.conversation.add(Role.SILENCE)
            yield Decision("silence", "the model has nothing to say yet")
            yield do.SetTimer("idle", self.settings.idle_ms)
        elif event.outcome == "failed" or (not spoke and event.outcome != "called"):
            yield Decision("speak", f"apologise: generation {event.outcome} without a usable reply")
            yield from self._say(self.settings.wording.apology, "answer")

    # --- acting --------------------------------------------------------------------------------------------------

    def _tool_requested(self, event: ev.ToolRequested, entry: Entry) -> Iterator[Command]:
        generation = self.plans.current(event.generation)
        if generation is None:
            return
        self.plans.generation = None
        yield from self.saying.close()
        if event.tool in generation.blocked:
            yield Decision("speak", f"apologise: the model insists on {event.tool}")
            yield from self._say(self.settings.wording.apology, "answer")
            return
        shape = self.settings.tools[event.tool]
        talk, shapes = self.conversation, tuple(self.settings.tools.values())
        gate = tool_gate.decide(
            shape, event.slots, committed=True, asked=talk.heard, answer=talk.answered.text, others=shapes
        )
        if not gate.allowed:
            yield Decision("wait", f"{event.tool} held back: {gate.reason} {gate.about}".strip())
            # The model must say something instead: no other tool could make up for what was not agreed.
            self.conversation.committed = generation.base
            yield from self._generate(after_result=generation.after_result, blocked=tuple(sorted(self.settings.tools)))
            return
        if shape.effect == "write" and not talk.answered.settled:
            yield Decision("wait", f"{event.tool} waits for the turn's final text")
            self._unsettled = (event, generation)
            return
        self._tool_steps += 1
        self.conversation.add(Role.CALL, event.spoken, Role.END)
        early = self.drafts.early(event.tool, event.arguments)
        if early is not None:
            self.plans.call = ToolCall(early.number, event.tool, early.asked_us, event.arguments)
            yield do.Adopt(call=early.number)
            if early.result is not None:
                yield from self._tool_ended(early.result, entry)
                return
        else:
            self.plans.call = ToolCall(self.plans.number("call"), event.tool, entry.at_us, event.arguments)
            yield Decision("tool", str(gate.reason))
            yield do.CallTool(self.plans.call.number, event.tool, event.arguments)
        if shape.effect == "write":
            self._wrote_since_commit = True
            if shape.confirm:
                talk.heard = []  # one agreement, one write: the model may ask for it again after its result
            yield from self.drafts.forget_results()
        yield from self._fill(entry.at_us)

    def _fill(self, now_us: int) -> Iterator[Command]:
        """Cover the wait for a tool, if it is long and nobody speaks."""
        call = self.plans.call
        if call is None:
            return
        floor_open = not self.floor.caller_speaking and not self.floor.overlapping and not self.plans.utterances
        usual_ms = self.settings.usual_ms.get(call.tool)
        own = self.settings.tool_fillers.get(call.tool, "")
        found = self._fillers.choose(call, now_us, usual_ms=usual_ms, floor_open=floor_open, own_text=own)
        if found.text:
            yield Decision("filler", f"{call.tool} takes {f'{usual_ms} ms usually' if usual_ms else 'long'}")
            yield from self._say(found.text, "filler")
        elif found.wait_ms:
            yield do.SetTimer("filler", found.wait_ms)

    def _tool_ended(self, event: ev.ToolReturned | ev.ToolFailed, entry: Entry) -> Iterator[Command]:
        if self.plans.call is None or self.plans.call.number != event.call:
            yield from self.drafts.returned(event)
            return
        self.plans.call = None
        if isinstance(event, ev.ToolFailed) and event.reason == "cancelled":
            return
        yield do.CancelTimer("filler")
        if covered := self.plans.take_filler():
            self.conversation.add(Role.FILLER, covered, Role.END)
        self.conversation.add(Role.RESULT, event.spoken if isinstance(event, ev.ToolReturned) else "failed")
        self._waiting = "result" if isinstance(event, ev.ToolReturned) else "failure"
        if self.floor.caller_speaking or self.floor.overlapping or self.conversation.turn.texts:
            yield Decision("wait", "the caller has the floor; the result is kept")
            yield from self._endpoint(entry.at_us)
        else:
            yield from self._answer_waiting()

    def _answer_waiting(self) -> Iterator[Command]:
        """Answer a result that is not answered yet; an open turn with words is answered together with it."""
        if self.conversation.turn.text:
            return
        kind, self._waiting = self._waiting, ""
        if kind == "result":
            yield Decision("think", "a tool returned")
            yield from self._generate(after_result=True)
        elif kind == "failure":
            yield Decision("speak", "say that the tool failed")
            yield from self._say(self.settings.wording.tool_failed, "answer")

    # --- speaking ------------------------------------------------------------------------------------------------

    def _say(self, text: str, kind: Kind, *, goodbye: bool = False) -> Iterator[Command]:
        """Say a text of the mind's own; what waits to be said instead of it is dropped."""
        yield from self.drafts.drop_all("something else is said")
        yield from self.saying.whole(text, kind, goodbye=goodbye)

    def _utterance_ended(self, event: ev.UtteranceEnded, entry: Entry) -> Iterator[Command]:
        utterance = self.saying.ended(event, entry.at_us)
        if utterance is None:
            return
        if utterance.kind == "filler" and utterance.text and utterance.heard:
            yield from self._fill(entry.at_us)
        if utterance.goodbye and event.reason in ("played", "failed"):
            yield from self._hang_up("agent_hung_up", "goodbye was said")
        elif not self.plans.any:
            self.floor.agent_finished()
            if not self.plans.settling:
                yield from self._read_ahead(self.conversation.listening())
            yield from self._endpoint(entry.at_us)

    # --- time and faults -----------------------------------------------------------------------------------------

    def _timer(self, event: ev.TimerFired, entry: Entry) -> Iterator[Command]:
        if event.timer == "endpoint":
            yield from self._endpoint(entry.at_us)
        elif event.timer == "overlap":
            yield from self._overlap(self.floor.decide(entry.at_us, self.plans.speech(entry.at_us)))
            yield from self._endpoint(entry.at_us)
        elif event.timer == "filler":
            yield from self._fill(entry.at_us)
        elif event.timer == "limit":
            yield from self._hang_up("time_limit", f"the call reached {self.settings.time_limit_ms / 1000:g} s")
        elif event.timer == "idle" and not self.plans.any and not self.floor.caller_speaking:
            self._idle_asked += 1
            lost = self._idle_asked > self.settings.idle_limit
            yield Decision("speak", "nobody answers" if lost else "silence: ask whether the caller is there")
            text = self.settings.wording.lost_you if lost else self.settings.wording.still_there
            yield from self._say(text, "answer", goodbye=lost)

    def _part_failed(self, event: ev.PartFailed, entry: Entry) -> Iterator[Command]:
        if not event.recovered and event.part in ("door", "mind", "log"):
            yield from self._hang_up("failed", f"{event.part} failed: {event.detail}")
