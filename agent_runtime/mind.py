"""The mind of one call: facts in, orders out.

`Mind.receive(entry)` takes one stamped event and returns commands. It never awaits and reads no clock, file, socket
or randomness: its only time is the event's own stamp. Every decision a caller can hear is taken here or in a policy
that is asked from here.

Theory of operation. The caller's words collect in an open turn (`conversation`). When the endpointing policy takes
the turn as over, the turn is closed in the trajectory and a generation starts. A generation may form a thought and
an expectation, then it speaks (clauses go to one utterance), calls a tool, or stays silent. A tool's result starts
the next generation. While the agent answers, speech of the caller is an overlap, and `floor` says whether to yield,
to cancel or to resume. A turn taken too early is given back as long as nothing of the answer was audible.

Results name what they belong to (generation, call, revision). One that no longer belongs to anything is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policies import filler, tool_gate
from policies.shapes import ToolShape
from policies.trajectory import Role, Trajectory

from . import commands as do
from . import events as ev
from .commands import Command, Decision
from .conversation import Conversation
from .floor import Floor, FloorSettings, Verdict
from .plans import Generation, Kind, Plans, ToolCall
from .record import Entry

__all__ = ["Mind", "MindSettings"]


@dataclass(frozen=True, slots=True)
class MindSettings:
    """Everything the mind knows before the call. Times in milliseconds; the texts are spoken as they stand."""

    opening: Trajectory
    """The card: what stands in the stream before anybody speaks."""
    greeting: str = ""
    """Said when the call is answered; empty: the agent waits for the other side."""
    tools: Mapping[str, ToolShape] = field(default_factory=dict)
    usual_ms: Mapping[str, int] = field(default_factory=dict)
    """How long a tool usually takes, as its author declared; unknown tools count as quick until they are not."""
    floor: FloorSettings = field(default_factory=FloorSettings)
    filler: filler.FillerSettings = field(default_factory=filler.FillerSettings)
    idle_ms: int = 8_000
    """Silence of both before the agent asks whether the caller is still there. A guess."""
    idle_limit: int = 2
    """After so many unanswered questions the agent says goodbye."""
    still_there: str = "are you still there?"
    lost_you: str = "i cannot hear you, so i will hang up now. goodbye."
    apology: str = "sorry, could you say that again?"
    tool_failed: str = "sorry, i cannot look that up right now."
    time_limit_ms: int = 1_800_000
    max_tool_steps: int = 4
    """Tool calls within one agent turn, so that a loop ends. A guess; real turns take one or two."""


class Mind:
    """The state of one call and its decisions. Not thread-safe; one event at a time, in order of `seq`."""

    def __init__(self, settings: MindSettings) -> None:
        self.settings = settings
        self.conversation = Conversation(settings.opening)
        self.floor = Floor(settings.floor)
        self.plans = Plans()
        self.expects = ""
        self.audible_since_commit = False
        self.over = False
        self._idle_asked = 0
        self._tool_steps = 0
        self._fillers_said = 0
        self._last_filler = ""
        self._result_waits = False
        self._overlap_segments: set[int] = set()
        self._receivers: dict[type, Callable[[Any, Entry], Iterator[Command]]] = {
            ev.CallStarted: self._call_started,
            ev.CallAnswered: self._call_answered,
            ev.CallerHungUp: self._caller_hung_up,
            ev.SpeechStarted: self._speech_started,
            ev.SpeechStopped: self._speech_stopped,
            ev.PartialTranscript: self._partial,
            ev.FinalTranscript: self._final,
            ev.TurnScored: self._turn_scored,
            ev.DigitPressed: self._digit,
            ev.ThoughtFormed: self._thought,
            ev.ExpectationFormed: self._expectation,
            ev.ClauseGenerated: self._clause,
            ev.ToolRequested: self._tool_requested,
            ev.GenerationEnded: self._generation_ended,
            ev.ToolReturned: self._tool_returned,
            ev.ToolFailed: self._tool_failed,
            ev.UtteranceStarted: self._utterance_started,
            ev.UtteranceHeard: self._utterance_heard,
            ev.UtteranceEnded: self._utterance_ended,
            ev.TimerFired: self._timer,
            ev.PartFailed: self._part_failed,
        }

    def receive(self, entry: Entry) -> list[Command]:
        """The commands that follow from one event. After `HangUp` nothing more comes."""
        receiver = self._receivers.get(type(entry.what))
        if receiver is None or self.over:
            return []
        return list(receiver(entry.what, entry))

    # --- the call ------------------------------------------------------------------------------------------------

    def _call_started(self, event: ev.CallStarted, entry: Entry) -> Iterator[Command]:
        yield Decision("think", "read the card while it rings")
        yield do.Prefill(self.conversation.committed.digest, self.conversation.committed)

    def _call_answered(self, event: ev.CallAnswered, entry: Entry) -> Iterator[Command]:
        self.floor.answered(entry.at_us - event.sample * 1_000_000 // 16_000)
        yield do.SetTimer("limit", self.settings.time_limit_ms)
        if self.settings.greeting:
            yield Decision("speak", "greet")
            yield from self._say_whole(self.settings.greeting, "greeting")
        else:
            yield Decision("wait", "the other side speaks first")
            yield do.SetTimer("idle", self.settings.idle_ms)

    def _caller_hung_up(self, event: ev.CallerHungUp, entry: Entry) -> Iterator[Command]:
        yield from self._hang_up("caller_hung_up", "the caller left")

    def _hang_up(self, reason: str, why: str) -> Iterator[Command]:
        self.over = True
        yield Decision("hang_up", why)
        if self.plans.generation is not None:
            yield do.CancelGeneration(self.plans.generation.number)
        if self.plans.call is not None:
            yield do.CancelTool(self.plans.call.number)
        yield do.HangUp(reason)

    # --- hearing -------------------------------------------------------------------------------------------------

    def _speech_started(self, event: ev.SpeechStarted, entry: Entry) -> Iterator[Command]:
        for timer in ("endpoint", "idle", "overlap"):
            yield do.CancelTimer(timer)
        self._idle_asked = 0
        if not self.floor.overlapping:
            self._overlap_segments.clear()
        self._overlap_segments.add(event.segment)
        speech = self.plans.speech(entry.at_us)
        yield from self._overlap(self.floor.speech_started(event, entry.at_us, answering=self.plans.any, agent=speech))

    def _overlap(self, verdict: Verdict) -> Iterator[Command]:
        """Carry out what the floor says about the caller's speech during ours."""
        if verdict.drop_words:
            for segment in self._overlap_segments:
                self.conversation.ignore(segment)
        if verdict.action == "cancel":
            yield from self._give_way(verdict.reason)
            return
        if verdict.action == "yield":
            held = [u for u in self.plans.utterances.values() if not u.held]
            yield Decision("yield", verdict.reason)
            for utterance in held:
                utterance.held = True
                yield do.Yield(utterance.number)
        elif verdict.action == "resume" or verdict.over:
            yield from self._resume(verdict.reason)
        if verdict.wait_ms:
            yield do.SetTimer("overlap", verdict.wait_ms)

    def _give_way(self, reason: str) -> Iterator[Command]:
        """The caller takes the floor: drop what was not heard; take the turn back if nothing was."""
        yield do.CancelTimer("overlap")
        yield do.CancelTimer("filler")
        writing = self.plans.call is not None and self.settings.tools[self.plans.call.tool].effect == "write"
        reopen = not self.audible_since_commit and not writing
        yield Decision("wait" if reopen else "yield", reason)
        if self.plans.generation is not None:
            yield do.CancelGeneration(self.plans.generation.number)
            self.plans.generation = self.plans.reply = None
        for utterance in self.plans.utterances.values():
            yield do.Cancel(utterance.number)
        if reopen:
            if self.plans.call is not None:
                yield do.CancelTool(self.plans.call.number)
                self.plans.call = None
            self.plans.utterances.clear()
            self.conversation.reopen_turn()
            self._result_waits = False

    def _resume(self, reason: str) -> Iterator[Command]:
        """The agent keeps the floor."""
        yield do.CancelTimer("overlap")
        held = [u for u in self.plans.utterances.values() if u.held]
        if held:
            yield Decision("resume", reason)
        for utterance in held:
            utterance.held = False
            yield do.Resume(utterance.number)
        if self._result_waits:
            yield from self._answer_result()

    def _partial(self, event: ev.PartialTranscript, entry: Entry) -> Iterator[Command]:
        text = " ".join(part for part in (event.stable, event.tail) if part)
        changed = self.conversation.hear(event.segment, text, final=False)
        if self.floor.overlapping:
            # An early hypothesis of "mm-hm" may read "no": the agent is silent already, so wait for words that last.
            speech = self.plans.speech(entry.at_us)
            yield from self._overlap(self.floor.words(event.stable, entry.at_us, speech, final=False))
        if changed and not self.plans.any:
            listening = self.conversation.listening()
            yield do.Prefill(listening.digest, listening)
            yield from self._endpoint(entry.at_us)

    def _final(self, event: ev.FinalTranscript, entry: Entry) -> Iterator[Command]:
        self.conversation.hear(event.segment, event.text, final=True)
        if self.floor.overlapping:
            speech = self.plans.speech(entry.at_us)
            yield from self._overlap(self.floor.words(event.text, entry.at_us, speech, final=True))
        if self.plans.any or not self.conversation.turn.texts:
            return
        if self.conversation.turn.text:
            listening = self.conversation.listening()
            yield do.ScoreTurn(event.revision, listening.digest, listening)
        yield from self._endpoint(entry.at_us)

    def _speech_stopped(self, event: ev.SpeechStopped, entry: Entry) -> Iterator[Command]:
        self.floor.speech_stopped(event)
        if self.floor.overlapping:
            yield from self._overlap(self.floor.decide(entry.at_us, self.plans.speech(entry.at_us)))
        elif self.conversation.turn.text:
            listening = self.conversation.listening()
            yield do.ScoreTurn(0, listening.digest, listening)
            yield from self._endpoint(entry.at_us)
        else:
            yield from self._endpoint(entry.at_us)

    def _turn_scored(self, event: ev.TurnScored, entry: Entry) -> Iterator[Command]:
        self.floor.scored(event.revision, event.p_over)
        yield from self._endpoint(entry.at_us)

    def _digit(self, event: ev.DigitPressed, entry: Entry) -> Iterator[Command]:
        # Keys stand in the turn as a speech segment of their own, numbered below the spoken ones.
        key = self.conversation.turn.texts.get(-1, "pressed")
        self.conversation.hear(-1, f"{key} {event.digit}", final=True)
        self.floor.pressed(event.sample)
        yield Decision("wait", "keys may follow")
        yield do.SetTimer("endpoint", self.settings.floor.keys_ms)

    def _endpoint(self, now_us: int) -> Iterator[Command]:
        """Ask whether the caller's turn is over; commit it, or look again when the policy says so."""
        if self.floor.caller_speaking or self.floor.overlapping or self.plans.any:
            return
        turn = self.conversation.turn
        verdict = self.floor.endpoint(now_us, text=turn.text, settled=turn.settled, expects=self.expects)
        if verdict.over and turn.text:
            yield do.CancelTimer("endpoint")
            yield from self._commit(verdict.reason, dict(verdict.scores))
        elif verdict.over:
            yield Decision("speak", f"ask again: {verdict.reason}")
            self.conversation.clear_turn()
            yield from self._say_whole(self.settings.apology, "answer")
        elif verdict.wait_ms > 0:
            yield do.SetTimer("endpoint", verdict.wait_ms)
        else:
            self.conversation.clear_turn()
            yield do.SetTimer("idle", self.settings.idle_ms)

    def _commit(self, reason: str, scores: dict[str, float]) -> Iterator[Command]:
        yield Decision("think", f"turn over: {reason}", scores)
        self.audible_since_commit = False
        self._tool_steps = 0
        self.conversation.commit_turn()
        self.floor.committed()
        yield from self._generate(after_result=False)

    # --- thinking ------------------------------------------------------------------------------------------------

    def _generate(self, *, after_result: bool, blocked: tuple[str, ...] = ()) -> Iterator[Command]:
        if self._tool_steps >= self.settings.max_tool_steps:
            blocked = tuple(sorted(self.settings.tools))
        stream = self.conversation.committed
        self.plans.generation = Generation(self.plans.number("generation"), stream, after_result)
        yield do.Generate(self.plans.generation.number, stream.digest, after_result, blocked, stream)

    def _thought(self, event: ev.ThoughtFormed, entry: Entry) -> Iterator[Command]:
        if self.plans.current(event.generation):
            self.conversation.add(Role.THINK, event.text)
        yield from ()

    def _expectation(self, event: ev.ExpectationFormed, entry: Entry) -> Iterator[Command]:
        if self.plans.current(event.generation):
            self.expects = event.text
            self.conversation.add(Role.EXPECT, event.text)
        yield from ()

    def _clause(self, event: ev.ClauseGenerated, entry: Entry) -> Iterator[Command]:
        generation = self.plans.current(event.generation)
        if generation is None:
            return
        if self.plans.reply is None:
            self.plans.reply = self.plans.utterance("answer")
            yield Decision("speak", f"answer, expecting {self.expects or 'anything'}")
        self.plans.reply.text = f"{self.plans.reply.text} {event.text}".strip()
        yield do.Say(self.plans.reply.number, "answer", last=False, text=event.text)

    def _generation_ended(self, event: ev.GenerationEnded, entry: Entry) -> Iterator[Command]:
        generation = self.plans.current(event.generation)
        if generation is None:
            return
        self.plans.generation = None
        utterance, self.plans.reply = self.plans.reply, None
        if event.outcome == "silent":
            self.conversation.add(Role.SILENCE)
            yield Decision("silence", "the model has nothing to say yet")
            yield do.SetTimer("idle", self.settings.idle_ms)
        elif event.outcome in ("said", "said_goodbye", "cut_short") and utterance is not None:
            utterance.closed = True
            utterance.goodbye = event.outcome == "said_goodbye"
            yield do.Say(utterance.number, "answer", last=True, text="")
        elif event.outcome in ("failed", "cut_short", "said", "said_goodbye"):
            if utterance is not None:
                utterance.closed = True
                yield do.Say(utterance.number, "answer", last=True, text="")
            yield Decision("speak", f"apologise: generation {event.outcome} without a usable reply")
            yield from self._say_whole(self.settings.apology, "answer")

    # --- acting --------------------------------------------------------------------------------------------------

    def _tool_requested(self, event: ev.ToolRequested, entry: Entry) -> Iterator[Command]:
        generation = self.plans.current(event.generation)
        if generation is None:
            return
        self.plans.generation = None
        shape = self.settings.tools[event.tool]
        gate = tool_gate.decide(
            shape,
            event.slots,
            committed=True,
            asked=[tool_gate.Heard(u.said, u.heard) for u in self.conversation.heard],
            answer=self.conversation.answered.text,
            others=tuple(self.settings.tools.values()),
        )
        if not gate.allowed:
            yield Decision("wait", f"{event.tool} held back: {gate.reason} {gate.about}".strip())
            # The model must say something instead: no other tool could make up for what was not agreed.
            self.conversation.committed = generation.base
            yield from self._generate(after_result=generation.after_result, blocked=tuple(sorted(self.settings.tools)))
            return
        self._tool_steps += 1
        self.conversation.add(Role.CALL, event.spoken, Role.END)
        self.plans.call = ToolCall(self.plans.number("call"), event.tool, entry.at_us)
        yield Decision("tool", str(gate.reason))
        yield do.CallTool(self.plans.call.number, event.tool, event.arguments)
        yield from self._fill(entry.at_us)

    def _fill(self, now_us: int) -> Iterator[Command]:
        """Cover the wait for a tool, if it is long and nobody speaks."""
        call = self.plans.call
        if call is None:
            return
        usual_ms = self.settings.usual_ms.get(call.tool)
        found = filler.choose(
            filler.Wait(
                waited_ms=(now_us - call.asked_us) // 1000,
                predicted_ms=usual_ms,
                floor_open=not self.floor.caller_speaking and not self.plans.utterances,
                said_in_wait=call.fillers,
                since_filler_ms=(now_us - call.filler_ended_us) // 1000,
                said_in_call=self._fillers_said,
                last_text=self._last_filler,
            ),
            self.settings.filler,
        )
        if found.text:
            call.fillers += 1
            self._fillers_said += 1
            self._last_filler = found.text
            slow = "is known to take long" if usual_ms and usual_ms > self.settings.filler.slow_ms else "takes long"
            yield Decision("filler", f"{call.tool} {slow}")
            yield from self._say_whole(found.text, "filler")
        elif found.wait_ms:
            yield do.SetTimer("filler", found.wait_ms)

    def _tool_returned(self, event: ev.ToolReturned, entry: Entry) -> Iterator[Command]:
        if self.plans.call is None or self.plans.call.number != event.call:
            return
        yield from self._result(event.spoken)

    def _tool_failed(self, event: ev.ToolFailed, entry: Entry) -> Iterator[Command]:
        if self.plans.call is None or self.plans.call.number != event.call:
            return
        if event.reason == "cancelled":
            self.plans.call = None
            return
        self.plans.call = None
        yield do.CancelTimer("filler")
        self._note_filler()
        self.conversation.add(Role.RESULT, "failed")
        yield Decision("speak", f"say that {event.tool} {event.reason.replace('_', ' ')}")
        yield from self._say_whole(self.settings.tool_failed, "answer")

    def _result(self, spoken: str) -> Iterator[Command]:
        self.plans.call = None
        yield do.CancelTimer("filler")
        self._note_filler()
        self.conversation.add(Role.RESULT, spoken)
        if self.floor.caller_speaking or self.floor.overlapping:
            self._result_waits = True
            yield Decision("wait", "the caller speaks; the result is kept")
        else:
            yield from self._answer_result()

    def _answer_result(self) -> Iterator[Command]:
        self._result_waits = False
        yield Decision("think", "a tool returned")
        yield from self._generate(after_result=True)

    def _note_filler(self) -> None:
        """A filler that is still playing stands in the stream before the result that it covers the wait for."""
        for utterance in self.plans.utterances.values():
            if utterance.kind == "filler" and utterance.text:
                self.conversation.add(Role.FILLER, utterance.text, Role.END)
                utterance.text = ""

    # --- speaking ------------------------------------------------------------------------------------------------

    def _say_whole(self, text: str, kind: Kind, *, goodbye: bool = False) -> Iterator[Command]:
        utterance = self.plans.utterance(kind)
        utterance.closed, utterance.goodbye, utterance.text = True, goodbye, text
        yield do.CancelTimer("idle")
        yield do.Say(utterance.number, kind, last=True, text=text)

    def _utterance_started(self, event: ev.UtteranceStarted, entry: Entry) -> Iterator[Command]:
        if utterance := self.plans.utterances.get(event.utterance):
            utterance.started = True
            self.audible_since_commit = True
            utterance.started_us = entry.at_us
        yield from ()

    def _utterance_heard(self, event: ev.UtteranceHeard, entry: Entry) -> Iterator[Command]:
        if utterance := self.plans.utterances.get(event.utterance):
            utterance.heard, utterance.complete = event.text, event.complete
        yield from ()

    def _utterance_ended(self, event: ev.UtteranceEnded, entry: Entry) -> Iterator[Command]:
        utterance = self.plans.utterances.pop(event.utterance, None)
        if utterance is None:
            return
        if utterance.kind == "filler":
            if utterance.text and utterance.heard and self.plans.call is not None:
                self.conversation.add(Role.FILLER, utterance.heard, Role.END)
                self.plans.call.filler_ended_us = entry.at_us
                yield from self._fill(entry.at_us)
        else:
            self.conversation.said(
                utterance.text, utterance.heard, complete=utterance.complete, goodbye=utterance.goodbye
            )
        if event.reason == "played" and utterance.goodbye:
            yield from self._hang_up("agent_hung_up", "goodbye was said")
        elif not self.plans.any:
            self.floor.agent_finished()
            if not self.floor.caller_speaking:
                yield from self._endpoint(entry.at_us)
                if not self.plans.any:
                    yield do.SetTimer("idle", self.settings.idle_ms)

    # --- time and faults -----------------------------------------------------------------------------------------

    def _timer(self, event: ev.TimerFired, entry: Entry) -> Iterator[Command]:
        if event.timer == "endpoint":
            yield from self._endpoint(entry.at_us)
        elif event.timer == "overlap":
            yield from self._overlap(self.floor.decide(entry.at_us, self.plans.speech(entry.at_us)))
        elif event.timer == "filler":
            yield from self._fill(entry.at_us)
        elif event.timer == "idle":
            yield from self._idle()
        elif event.timer == "limit":
            yield from self._hang_up("time_limit", f"the call reached {self.settings.time_limit_ms / 1000:g} s")

    def _idle(self) -> Iterator[Command]:
        if self.plans.any or self.floor.caller_speaking:
            return
        self._idle_asked += 1
        if self._idle_asked > self.settings.idle_limit:
            yield Decision("speak", "nobody answers")
            yield from self._say_whole(self.settings.lost_you, "answer", goodbye=True)
        else:
            yield Decision("speak", "silence: ask whether the caller is there")
            yield from self._say_whole(self.settings.still_there, "answer")

    def _part_failed(self, event: ev.PartFailed, entry: Entry) -> Iterator[Command]:
        if not event.recovered and event.part in ("door", "mind", "log"):
            yield from self._hang_up("failed", f"{event.part} failed: {event.detail}")
