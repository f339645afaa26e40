"""One call from ringing to its end: the bus, the mind and the organs, and who owns their tasks.

Shutdown is a numbered sequence, the same however the call ends: 1 the mind has ordered the end, or a fault forces it;
2 listening, thinking and acting are cancelled; 3 what is still playing is dropped and its ledger closed; 4 `CallEnded`
is logged and the log closed; 5 the line is put down; 6 the engine's session is closed. Nothing is logged after
`CallEnded`. A tool that will not be cancelled holds up none of this, only the return of `run`.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from audio.echo import EchoGuard, FarEnd
from memory.subjects import normalise, subject_of

from . import commands as do
from .acting import Acting
from .agent import Agent
from .bus import Bus, InboxFull, Watcher
from .events import (
    CallAnswered,
    CallEnded,
    CallerHungUp,
    CallStarted,
    DigitsSent,
    Event,
    LoopLagged,
    PartFailed,
    TransferEnded,
)
from .listening import Listening, ListeningSettings
from .listening_words import CannedHearing, WordListening
from .log import Log
from .mind import Mind
from .mind_settings import MindSettings
from .ports import Detector, Engine, EngineSession, Recogniser, Voice
from .record import SCHEMA, Entry
from .speaking import Speaking
from .thinking import Language, Thinking
from .timeline import Timeline
from .timers import Timers
from .tools import ToolContext

__all__ = ["CallFacts", "Ears", "Session"]

LAG_CHECK_S = 0.25
LAG_LIMIT_MS = 10.0
SHUTDOWN_LIMIT_S = 2.0
"""How long the end of a call waits for what it cancelled before it puts the line down all the same."""


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call before it starts; all of it stands in `CallStarted`."""

    call_id: str
    today: datetime.date
    folder: Path
    """Where the call's files and its tools' files lie."""
    counterparty: str = ""
    """A number, an address, a name; empty where it is withheld."""
    direction: Literal["inbound", "outbound"] = "inbound"
    subject_salt: bytes = b"duologue-without-a-vault"
    """Key of the subject's pseudonym; a deployment gives its own secret (the memory part keeps it)."""
    settings: str = ""


@dataclass(frozen=True, slots=True)
class Ears:
    """How the caller is heard: detector and recogniser, or words that are known."""

    detector: Detector | None = None
    recogniser: Recogniser | None = None
    listening: ListeningSettings = field(default_factory=ListeningSettings)
    canned: CannedHearing = field(default_factory=CannedHearing)
    audible: bool = False
    """The call has audio though the caller's words are known: nobody listens to it, but the agent speaks into it."""

    @property
    def by_words(self) -> bool:
        """The caller is heard by words that are known."""
        return self.detector is None or self.recogniser is None


class Session:
    """One call. `run` plays it to its end and returns how it ended."""

    def __init__(
        self,
        agent: Agent,
        mind: MindSettings,
        facts: CallFacts,
        *,
        door: Any,
        ears: Ears,
        engine: Engine,
        language: Language,
        voice: Voice,
        log: Log,
        watchers: Sequence[Watcher] = (),
        live: bool = False,
    ) -> None:
        self._agent, self._facts, self._door, self._ears = agent, facts, door, ears
        self._engine, self._language, self._voice = engine, language, voice
        self._log, self._watchers, self._live = log, tuple(watchers), live
        self.mind = Mind(mind)
        self._line_origin_s: float | None = None
        self._speaking: Speaking | None = None
        self._ended: CallEnded | None = None

    async def run(self) -> CallEnded:
        """Play the call. Faults of parts are events; only a fault of the mind or the bus ends the call as failed."""
        self._bus = Bus(self._log, self._watchers)
        self._timers = Timers(self._bus)
        try:
            await self._bus.publish(self._call_started())
            try:
                await self._live_through()
            except* InboxFull as group:
                await self._end(CallEnded("failed", self._sample(), str(_innermost(group))))
        except asyncio.CancelledError:
            await self._end(CallEnded("cancelled", self._sample(), "the program ended the call"))
            raise
        except Exception as error:
            fault = _innermost(error)
            await self._end(CallEnded("failed", self._sample(), f"{type(fault).__name__}: {fault}"))
            raise fault from None  # the one fault, not the group that the tasks wrapped around it
        return self._how_it_ended()

    def _how_it_ended(self) -> CallEnded:
        assert self._ended is not None, "a call without a fault was ended by its mind"
        return self._ended

    async def _end(self, ended: CallEnded, cause: int = 0) -> None:
        """Steps 3 to 5 of the shutdown, once: later calls change nothing. Each step is tried whatever the others do."""
        if self._ended is not None:
            return
        self._ended = ended
        try:
            self._timers.close()
            if self._speaking is not None:
                self._speaking.close()
            self._bus.post(ended, cause)
        finally:
            self._bus.closed = True
            try:
                self._log.close()
            finally:
                await self._door.close()

    def _call_started(self) -> CallStarted:
        facts = self._facts
        known = normalise(facts.counterparty)
        return CallStarted(
            facts.call_id,
            facts.direction,
            subject_of(known or f"call:{facts.call_id}", facts.subject_salt),
            self._agent.name,
            facts.today.isoformat(),
            SCHEMA,
            facts.settings,
            facts.counterparty,
        )

    def _sample(self) -> int:
        """Where the sample line stands now."""
        if self._line_origin_s is None:
            return 0
        return max(0, round((asyncio.get_running_loop().time() - self._line_origin_s) * 16_000))

    async def _live_through(self) -> None:
        """Open the engine's session, live the call, and close it again."""
        engine_session = await self._engine.open(self._facts.call_id)
        try:
            await self._converse(engine_session)
        finally:
            await engine_session.close()

    async def _converse(self, engine_session: EngineSession) -> None:
        """Make the organs, answer, and let the mind decide until it hangs up; then end the call."""
        scores = self._engine.caps.logprobs
        stand_in = getattr(engine_session, "stand_in", None)
        self._thinking = Thinking(self._bus, engine_session, self._language, scores=scores, stand_in=stand_in)
        audible = self._ears.audible or not self._ears.by_words
        # what a recording brings was said to somebody else: our voice is not in it
        asks = self._agent.echo.guard and audible and not self._ears.by_words and not self._door.ahead
        far = FarEnd() if asks else None
        speaking = self._speaking = Speaking(self._bus, self._door, self._voice, audible=audible, far=far)
        origin_s = self._line_origin_s = asyncio.get_running_loop().time()
        timeline = Timeline(self._bus, origin_s)
        listening = self._make_ears(timeline, far)
        await self._bus.publish(CallAnswered(0))
        async with asyncio.TaskGroup() as group:
            context = ToolContext(today=self._facts.today, call_id=self._facts.call_id, folder=self._facts.folder)
            self._acting = Acting(self._bus, group, {tool.name: tool for tool in self._agent.tools}, context)
            self._group = group
            tasks = self._tasks = [
                group.create_task(self._listen(listening, timeline, origin_s), name="listening"),
                group.create_task(timeline.run(), name="timeline"),
                group.create_task(self._thinking.run(), name="thinking"),
                group.create_task(speaking.voice_run(), name="voice"),
                group.create_task(self._play(speaking, origin_s), name="playout"),
            ]
            if self._ears.by_words and self._ears.audible:
                tasks.append(group.create_task(self._let_pass(), name="unheard audio"))
            if self._live:
                tasks.append(group.create_task(self._watch_lag(), name="loop lag"))
            try:
                cause, ended = await self._decide((self._thinking, speaking, self._acting, self._timers))
            finally:
                self._bus.closed = True  # what is given up from here on is no news
                for task in tasks:
                    task.cancel()
                tasks += self._acting.close()
            await asyncio.wait(tasks, timeout=SHUTDOWN_LIMIT_S)
            await self._end(ended, cause)

    def _make_ears(self, timeline: Timeline, far: FarEnd | None) -> Listening | WordListening:
        ears = self._ears
        if ears.detector is None or ears.recogniser is None:
            return WordListening(self._door, timeline, ears.canned)
        guard = EchoGuard(far, self._agent.echo) if far is not None else None
        return Listening(self._door, ears.detector, ears.recogniser, timeline, ears.listening, guard)

    async def _listen(self, listening: Listening | WordListening, timeline: Timeline, origin_s: float) -> None:
        """Hear the call; a failing part ends the hearing, and with it the call, with a stated reason."""
        try:
            end = await listening.run(origin_s)
        except Exception as error:
            await self._bus.publish(PartFailed("door", False, f"{type(error).__name__}: {error}"))
            return
        await timeline.put(CallerHungUp(end), sample=end)
        timeline.end()

    async def _play(self, speaking: Speaking, origin_s: float) -> None:
        """Speak into the line; a line that takes no sound ends the call."""
        try:
            await speaking.playout_run(origin_s)
        except Exception as error:
            await self._bus.publish(PartFailed("door", False, f"{type(error).__name__}: {error}"))

    async def _let_pass(self) -> None:
        """Take the audio of a call that is heard by its words, for whoever records the line."""
        try:
            async with aclosing(self._door.listen()) as blocks:
                async for _ in blocks:
                    pass
        except Exception as error:
            await self._bus.publish(PartFailed("door", False, f"{type(error).__name__}: {error}"))

    async def _decide(self, organs: Sequence[Thinking | Speaking | Acting | Timers]) -> tuple[int, CallEnded]:
        """The mind's loop: one event at a time, its commands logged and handed out before the next."""
        while True:
            entry = await self._bus.next()
            for command in self.mind.receive(entry):
                order = self._bus.order(command, entry.seq)
                if isinstance(command, do.HangUp):
                    return order.seq, CallEnded(command.reason, self._sample())  # type: ignore[arg-type]
                if isinstance(command, (do.SendDigits, do.Transfer)):
                    self._tasks.append(self._group.create_task(self._line_order(order), name=type(command).__name__))
                elif not isinstance(command, do.Decision):
                    for organ in organs:
                        organ.obey(order)

    async def _line_order(self, order: Entry) -> None:
        """Orders that the door carries out by itself."""
        what = order.what
        done: Event
        if isinstance(what, do.SendDigits):
            try:
                await self._door.send_digits(what.digits)
                done = DigitsSent(len(what.digits))
            except Exception as error:
                done = PartFailed("door", True, f"{type(error).__name__}: {error}")
            await self._bus.publish(done, order.seq)
        elif isinstance(what, do.Transfer):
            try:
                ok = await self._door.transfer(what.target)
                done = TransferEnded(ok, "" if ok else "the door refused")
            except Exception as error:
                done = TransferEnded(False, f"{type(error).__name__}: {error}")
            await self._bus.publish(done, order.seq)

    async def _watch_lag(self) -> None:
        """Live calls only: say when the loop was late."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + LAG_CHECK_S
            await asyncio.sleep(LAG_CHECK_S)
            late_ms = (loop.time() - due_s) * 1000
            if late_ms > LAG_LIMIT_MS:
                await self._bus.publish(LoopLagged(round(late_ms, 1)))


def _innermost(error: BaseException) -> BaseException:
    """The first error inside of groups of errors: what a reader of the log wants to know."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
