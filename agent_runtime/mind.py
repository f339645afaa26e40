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

from collections.abc import Callable, Iterator
from typing import Any

from policies import barge_in

from . import commands as do
from . import events as ev
from .answering import Answering
from .commands import Command, Decision
from .conversation import Conversation
from .floor import Floor, Verdict
from .mind_settings import MindSettings
from .plans import Plans
from .reading import Reading
from .record import Entry
from .saying import Saying

__all__ = ["Mind"]

LOOKED_UP = 0.9
"""Probability that a turn is over whose words a read-only tool was asked with, as from a model's score. A guess."""


class Mind:
    """The state of one call and its decisions. Not thread-safe; one event at a time, in order of `seq`."""

    def __init__(self, settings: MindSettings) -> None:
        self.settings = settings
        self.conversation = Conversation(settings.opening)
        self.floor = Floor(settings.floor)
        self.plans = Plans()
        self.over = False
        self._let_by: set[int] = set()  # speech over ours that seemed to ask for nothing before its final text came
        self._unheard: set[int] = set()  # and speech into our silence, given up before its final text
        self.saying = Saying(self.plans, self.floor, self.conversation, settings.filler)
        self.answering = Answering(settings, self.plans, self.floor, self.conversation, self.saying)
        self.reading = Reading(settings, self.conversation, self.floor)
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
            ev.ClauseGenerated: self._written,
            ev.ToolRequested: self._written,
            ev.GenerationEnded: self._written,
            ev.ToolReturned: self._tool_ended,
            ev.ToolFailed: self._tool_ended,
            ev.UtteranceStarted: self.saying.started,
            ev.UtteranceHeard: self.saying.heard,
            ev.UtteranceEnded: self._utterance_ended,
            ev.TimerFired: self._timer,
            ev.PartFailed: self._part_failed,
        }

    @property
    def expects(self) -> str:
        """What the agent expects next: words of its last EXPECT block."""
        return self.answering.expects

    def receive(self, entry: Entry) -> list[Command]:
        """The commands that follow from one event. After `HangUp` nothing more comes."""
        receiver = self._receivers.get(type(entry.what))
        if receiver is None or self.over:
            return []
        self.plans.now_us = entry.at_us
        return list(receiver(entry.what, entry))

    # --- the call ------------------------------------------------------------------------------------------------

    def _call_started(self, event: ev.CallStarted, entry: Entry) -> Iterator[Command]:
        if self.settings.thinking.prefill:
            yield Decision("think", "read the card while it rings")
            yield from self.reading.ahead()

    def _call_answered(self, event: ev.CallAnswered, entry: Entry) -> Iterator[Command]:
        self.floor.answered(entry.at_us - event.sample * 1_000_000 // 16_000)
        yield do.SetTimer("limit", self.settings.time_limit_ms)
        if self.settings.greeting:
            yield Decision("speak", "greet")
            yield from self.answering.say(self.settings.greeting, "greeting")
        else:
            yield Decision("wait", "the other side speaks first")
            yield from self.answering.waiting.for_caller()

    def _hang_up(self, reason: str, why: str) -> Iterator[Command]:
        self.over = True
        yield Decision("hang_up", why)
        yield do.HangUp(reason)  # ending the call ends what is under way

    # --- hearing -------------------------------------------------------------------------------------------------

    def _speech_started(self, event: ev.SpeechStarted, entry: Entry) -> Iterator[Command]:
        for timer in ("endpoint", "idle", "overlap"):
            yield do.CancelTimer(timer)
        self.conversation.begin(event.segment)
        speech, answering = self.plans.speech(entry.at_us), self.plans.any
        yield from self._overlap(self.floor.speech_started(event, entry.at_us, answering=answering, agent=speech))
        if not answering:
            yield from self.answering.drafts.prefetch()

    def _overlap(self, verdict: Verdict) -> Iterator[Command]:
        """Carry out what the floor says about the caller's speech during ours."""
        if verdict.reason in (barge_in.Cause.NOTHING_SAID, barge_in.Cause.BACKCHANNEL):
            self._let_by |= verdict.dropped - self.conversation.turn.finals
        for segment in sorted(verdict.dropped):
            self.conversation.ignore(segment)
        if verdict.action == "cancel":
            if verdict.reason == barge_in.Cause.LONG:
                self.conversation.doubt()  # whatever was said, nobody understood it, and it may take back a yes
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
        yield from self.answering.give_up(reason)

    def _resume(self, reason: str) -> Iterator[Command]:
        """The agent keeps the floor."""
        yield do.CancelTimer("overlap")
        yield from self.saying.go_on(reason)
        yield from self.answering.folding.trim()
        yield from self.answering.answer_result()
        yield from self.answering.waiting.fill()

    def _partial(self, event: ev.PartialTranscript, entry: Entry) -> Iterator[Command]:
        text = f"{event.stable} {event.tail}" if event.stable and event.tail else event.stable or event.tail
        changed = self.conversation.hear(event.segment, text, final=False)
        if self.floor.overlapping:
            # An early hypothesis of "mm-hm" may read "no": the agent is silent already, so wait for words that last.
            words, speech = event.stable if self.floor.doubtful else text, self.plans.speech(entry.at_us)
            yield from self._overlap(self.floor.words(words, entry.at_us, speech, final=False))
        if changed and not self.plans.any:
            yield from self.reading.ahead()
            yield from self._think_ahead(stable=len(event.stable.split()) - len(text.split()))
            yield from self._endpoint(entry.at_us)

    def _think_ahead(self, *, stable: int = 0) -> Iterator[Command]:
        """Prepare an answer to what is known of the turn; `stable`: minus the words at its end that may change."""
        if self.plans.settling or self.floor.overlapping:
            return
        known = len(self.conversation.turn.text.split()) + stable
        paused = not self.floor.caller_speaking
        drafts = self.answering.drafts
        yield from self.reading.noting(drafts.consider(paused=paused, stable=known, expects=self.expects))

    def _final(self, event: ev.FinalTranscript, entry: Entry) -> Iterator[Command]:
        if self.conversation.correct(event.segment, event.text):
            # words that were answered too soon: taken back, or, where the answer is heard already, answered again
            yield from self._give_way("the final text says something else")
            self.conversation.again(event.segment)
        if event.segment in self._unheard and event.text:
            self.conversation.heed(event.segment, event.text)  # given up as noise before its words came
        if event.segment in self._let_by and event.text and not barge_in.is_backchannel(event.text.split()):
            # they asked for something after all: nothing that was asked before them is agreed to by a yes
            self.conversation.doubt()
            self.conversation.heed(event.segment, event.text)
        self._let_by.discard(event.segment)
        self._unheard.discard(event.segment)
        self.conversation.hear(event.segment, event.text, final=True)
        if self.floor.overlapping:
            speech = self.plans.speech(entry.at_us)
            yield from self._overlap(self.floor.words(event.text, entry.at_us, speech, final=True))
        yield from self.answering.settled()  # a write that waited for these words: not if they take the floor
        yield from self.answering.folding.heed(event.segment, event.text)
        if not self.plans.any:
            yield from self._think_ahead()
            yield from self.reading.score(event.revision)
            yield from self._endpoint(entry.at_us)

    def _speech_stopped(self, event: ev.SpeechStopped, entry: Entry) -> Iterator[Command]:
        self.floor.speech_stopped(event)
        if self.floor.overlapping:
            yield from self._overlap(self.floor.decide(entry.at_us, self.plans.speech(entry.at_us)))
        yield from self.answering.waiting.fill()
        if not self.plans.any:
            yield from self._think_ahead()
            yield from self.reading.score(0)
            yield from self._endpoint(entry.at_us)

    def _turn_scored(self, event: ev.TurnScored, entry: Entry) -> Iterator[Command]:
        self.reading.scored(event)
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
        turn, predicts = self.conversation.turn, self.settings.thinking.predict
        words, drafts = turn.text.split(), self.answering.drafts
        ready = predicts and drafts.ready(words)
        # a look-up that the words were enough for says that they are whole, where no model was asked
        p_over = LOOKED_UP if predicts and drafts.asks(words) else None
        verdict = self.floor.endpoint(
            now_us, text=turn.text, settled=turn.settled or ready, expects=self.expects, p_over=p_over
        )
        if verdict.over and turn.text:
            yield do.CancelTimer("endpoint")
            scores = {name: round(score, 4) for name, score in verdict.scores.items()}
            yield Decision("think", f"turn over: {verdict.reason}", scores)
            yield from self.answering.begin()
        elif not verdict.over and verdict.wait_ms > 0:
            yield do.SetTimer("endpoint", verdict.wait_ms)
            owed = self.answering.owed
            hum = self.floor.backchannel(now_us, turn.text, self.expects, settled=turn.settled, owed=owed)
            if hum:
                yield Decision("backchannel", "a long turn goes on")
                yield from self.answering.say(hum, "backchannel")
        else:
            self._unheard |= set(turn.texts) - turn.finals
            self.conversation.clear_turn()
            yield from self.answering.drafts.drop_all("nothing can be answered")
            if self.answering.owed:
                yield from self.answering.answer_result()
            elif verdict.over:
                self.answering.waiting.caller_is_there()
                yield Decision("speak", f"ask again: {verdict.reason}")
                yield from self.answering.say(self.settings.wording.apology, "answer", again=True)
            else:
                yield from self.answering.waiting.for_caller()

    # --- answering -----------------------------------------------------------------------------------------------

    def _written(self, event: Any, entry: Entry) -> Iterator[Command]:
        yield from self.answering.wrote(event)
        if isinstance(event, ev.ToolRequested) and self.answering.drafts.knows(event.generation):
            yield from self._endpoint(entry.at_us)

    def _tool_ended(self, event: ev.ToolReturned | ev.ToolFailed, entry: Entry) -> Iterator[Command]:
        yield from self.answering.tool_ended(event)
        if self.answering.kept:
            yield from self._endpoint(entry.at_us)

    # --- speaking ------------------------------------------------------------------------------------------------

    def _utterance_ended(self, event: ev.UtteranceEnded, entry: Entry) -> Iterator[Command]:
        utterance = self.saying.ended(event, entry.at_us)
        if utterance is None:
            return
        yield from self.answering.waiting.fill()
        if utterance.goodbye and event.reason in ("played", "failed"):
            yield from self._hang_up("agent_hung_up", "goodbye was said")
        elif not self.plans.any:
            self.floor.agent_finished()
            self.answering.folding.covered(utterance)
            if utterance.heard.endswith("?") and self.answering.folding.news:
                yield do.SetTimer("settle", self.settings.settle_ms)  # the caller may answer first
                return
            yield from self._endpoint(entry.at_us)
            if not self.plans.any:
                yield from self.reading.ahead()
                yield from self.answering.waiting.fill()

    # --- time and faults -----------------------------------------------------------------------------------------

    def _timer(self, event: ev.TimerFired, entry: Entry) -> Iterator[Command]:
        if event.timer in ("endpoint", "settle"):
            yield from self._endpoint(entry.at_us)
        elif event.timer == "overlap":
            yield from self._overlap(self.floor.decide(entry.at_us, self.plans.speech(entry.at_us)))
            yield from self._endpoint(entry.at_us)
        elif event.timer == "filler":
            yield from self.answering.waiting.timer()
        elif event.timer == "limit":
            yield from self._hang_up("time_limit", f"the call reached {self.settings.time_limit_ms / 1000:g} s")
        elif event.timer == "idle" and not self.plans.any and not self.floor.caller_speaking:
            yield from self.answering.waiting.for_caller()

    def _part_failed(self, event: ev.PartFailed, entry: Entry) -> Iterator[Command]:
        if not event.recovered and event.part in ("door", "mind", "log"):
            yield from self._hang_up("failed", f"{event.part} failed: {event.detail}")
