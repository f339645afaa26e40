"""One call from ringing to its end: the bus, the mind and the organs, and who owns their tasks.

Shutdown is a numbered sequence, the same however the call ends: 1 the mind has ordered the end, or a fault forces it;
2 listening, thinking and acting are cancelled; 3 what is still playing is dropped and its ledger closed; 4 `CallEnded`
is logged; 5 the door is closed. Nothing is logged after `CallEnded`.
"""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from memory.subjects import subject_of

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
    LoopLagged,
    PartFailed,
    TransferEnded,
)
from .listening import Listening, ListeningSettings
from .listening_words import CannedHearing, WordListening
from .log import Log
from .mind import Mind
from .mind_settings import MindSettings
from .ports import Detector, Engine, Recogniser, Voice
from .record import SCHEMA, Entry
from .speaking import Speaking
from .thinking import Language, Thinking
from .timeline import Timeline
from .timers import Timers
from .tools import ToolContext

__all__ = ["CallFacts", "Ears", "Session"]

LAG_CHECK_S = 0.25
LAG_LIMIT_MS = 10.0


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What is known of a call before it starts; all of it stands in `CallStarted`."""

    call_id: str
    today: datetime.date
    folder: Path
    """Where the call's files and its tools' files lie."""
    counterparty: str = "unknown"
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

    @property
    def by_words(self) -> bool:
        """The call has no audio."""
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

    async def run(self) -> CallEnded:
        """Play the call. Faults of parts are events; only a fault of the mind or the bus ends the call as failed."""
        self._bus = Bus(self._log, self._watchers)
        self._timers = Timers(self._bus)
        ended = CallEnded("failed", 0, "the call did not start")
        cause = 0
        try:
            await self._bus.publish(self._call_started())
            try:
                cause, ended = await self._live_through()
            except* InboxFull as group:
                ended = CallEnded("failed", self._sample(), str(group.exceptions[0]))
        except asyncio.CancelledError:
            ended = CallEnded("cancelled", self._sample(), "the program ended the call")
            raise
        except Exception as error:
            ended = CallEnded("failed", self._sample(), f"{type(error).__name__}: {error}")
            raise
        finally:
            self._timers.close()
            self._bus.post(ended, cause)
            self._bus.closed = True
            self._log.close()
            await self._door.close()
        return ended

    def _call_started(self) -> CallStarted:
        facts = self._facts
        return CallStarted(
            facts.call_id,
            facts.direction,
            subject_of(facts.counterparty, facts.subject_salt),
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

    async def _live_through(self) -> tuple[int, CallEnded]:
        """Open the organs, answer, and let the mind decide until it hangs up."""
        engine_session = await self._engine.open(self._facts.call_id)
        self._thinking = Thinking(self._bus, engine_session, self._language)
        self._speaking = Speaking(self._bus, self._door, self._voice, audible=not self._ears.by_words)
        origin_s = self._line_origin_s = asyncio.get_running_loop().time()
        timeline = Timeline(self._bus, origin_s)
        listening = self._make_ears(timeline)
        await self._bus.publish(CallAnswered(0))
        async with asyncio.TaskGroup() as group:
            context = ToolContext(today=self._facts.today, call_id=self._facts.call_id, folder=self._facts.folder)
            self._acting = Acting(self._bus, group, {tool.name: tool for tool in self._agent.tools}, context)
            self._group = group
            tasks = [
                group.create_task(self._listen(listening, timeline, origin_s), name="listening"),
                group.create_task(timeline.run(), name="timeline"),
                group.create_task(self._thinking.run(), name="thinking"),
                group.create_task(self._speaking.voice_run(), name="voice"),
                group.create_task(self._speaking.playout_run(origin_s), name="playout"),
            ]
            if self._live:
                tasks.append(group.create_task(self._watch_lag(), name="loop lag"))
            cause, ended = await self._decide()
            self._bus.closed = True
            for task in tasks:
                task.cancel()
            self._acting.close()
        await self._speaking.close()
        self._bus.closed = False
        return cause, ended

    def _make_ears(self, timeline: Timeline) -> Listening | WordListening:
        ears = self._ears
        if ears.detector is None or ears.recogniser is None:
            return WordListening(self._door, timeline, ears.canned)
        return Listening(self._door, ears.detector, ears.recogniser, timeline, ears.listening)

    async def _listen(self, listening: Listening | WordListening, timeline: Timeline, origin_s: float) -> None:
        """Hear the call; a failing part ends the hearing, and with it the call, with a stated reason."""
        try:
            end = await listening.run(origin_s)
        except Exception as error:
            await self._bus.publish(PartFailed("door", False, f"{type(error).__name__}: {error}"))
            return
        await timeline.put(CallerHungUp(end), sample=end)
        timeline.end()

    async def _decide(self) -> tuple[int, CallEnded]:
        """The mind's loop: one event at a time, its commands logged and handed out before the next."""
        organs = (self._thinking, self._speaking, self._acting, self._timers)
        while True:
            entry = await self._bus.next()
            for command in self.mind.receive(entry):
                order = self._bus.order(command, entry.seq)
                if isinstance(command, do.HangUp):
                    return order.seq, CallEnded(command.reason, self._sample())  # type: ignore[arg-type]
                if isinstance(command, (do.SendDigits, do.Transfer)):
                    self._group.create_task(self._line_order(order), name=type(command).__name__)
                elif not isinstance(command, do.Decision):
                    for organ in organs:
                        organ.obey(order)

    async def _line_order(self, order: Entry) -> None:
        """Orders that the door carries out by itself."""
        what = order.what
        if isinstance(what, do.SendDigits):
            await self._door.send_digits(what.digits)
            await self._bus.publish(DigitsSent(len(what.digits)), order.seq)
        elif isinstance(what, do.Transfer):
            ok = await self._door.transfer(what.target)
            await self._bus.publish(TransferEnded(ok, "" if ok else "the door refused"), order.seq)

    async def _watch_lag(self) -> None:
        """Live calls only: say when the loop was late."""
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + LAG_CHECK_S
            await asyncio.sleep(LAG_CHECK_S)
            late_ms = (loop.time() - due_s) * 1000
            if late_ms > LAG_LIMIT_MS:
                await self._bus.publish(LoopLagged(round(late_ms, 1)))
