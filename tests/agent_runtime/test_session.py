"""A session from ringing to its end: however a call ends, it ends in the same order and leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.bus import InboxFull
from agent_runtime.call import play_call
from agent_runtime.clock import run_virtual
from agent_runtime.commands import Command, Decision
from agent_runtime.log import FileLog, MemoryLog
from agent_runtime.mind import Mind
from agent_runtime.parts import Parts, mind_settings
from agent_runtime.ports import Extent
from agent_runtime.record import Entry, encode
from agent_runtime.session import CallFacts, Ears, Session
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn, hang_up, into_turn
from agent_runtime.testing.fakes import EngineCost, FakeEngine, FakeSession, TimedVoice, WordLanguage, replies
from agent_runtime.tools import Tool, tool
from tests.agent_runtime.scenes import TODAY, clip, desk, find_slots, parts, play

SAYS = {
    "ten thirty": "<expect> yes <say> i have ten thirty or two. which one? <end>",
    "wednesday": "<think> book <expect> slots <call> find_slots day wednesday <end>",
    "monday": "<think> none <expect> more <say> we are closed on monday, i am sorry to say. <end>",
    "bye": "<think> none <expect> bye <say> goodbye. <bye>",
    "failed": "<expect> more <say> it did not work. <end>",
}


def says(name: str, text: str, after_s: float = 0.6) -> Line:
    """The caller says a line after the agent's turn."""
    return Line(name, after_turn(after_s), (Segment(clip(text)),))


def chat(*more: Line) -> ScriptedCaller:
    """A caller with a wish and a goodbye."""
    return ScriptedCaller.of_lines(says("wish", "i would like wednesday"), says("bye", "that is all thanks bye"), *more)


class Scene:
    """One session with everything it touches, so that a test can look at what is left of it."""

    def __init__(self, door: Any | None = None, *tools: Tool, mind: Callable[[Mind], None] | None = None, **made: Any) -> None:
        self.door = door or chat()
        self.agent = desk(*tools)
        self.made = made
        self.spoil = mind
        self.log = ClosingLog()
        self.error: BaseException | None = None
        self.ended: ev.CallEnded | None = None
        self.left: list[str] = []
        self.took_s = 0.0
        self.engine_sessions: list[FakeSession] = []

    async def run(self, before: Callable[[asyncio.Task[Any]], Any] | None = None) -> None:
        """Play the call; what was raised is kept, not raised."""
        with tempfile.TemporaryDirectory() as folder:
            given: Parts = parts(self.agent, SAYS, **self.made)
            engine = given.engine
            opened = engine.open

            async def open_and_keep(*args: Any, **named: Any) -> Any:
                session = await opened(*args, **named)
                self.engine_sessions.append(session)
                return session

            object.__setattr__(engine, "open", open_and_keep) if not hasattr(type(engine), "__slots__") else None
            facts = CallFacts("call", TODAY, Path(folder))
            session = Session(
                self.agent, mind_settings(self.agent, TODAY), facts, door=self.door, ears=given.ears,
                engine=engine, language=given.language, voice=given.voice, log=self.log,
                watchers=[self.door.watch] if hasattr(self.door, "watch") else [],
            )  # fmt: skip
            if self.spoil is not None:
                self.spoil(session.mind)
            loop = asyncio.get_running_loop()
            begin_s = loop.time()
            try:
                async with asyncio.timeout(600), asyncio.TaskGroup() as group:
                    playing = group.create_task(session.run())
                    if before is not None:
                        group.create_task(before(playing))
                self.ended = playing.result()
            except BaseException as error:
                self.error = error
            self.took_s = loop.time() - begin_s
            own = asyncio.current_task()
            self.left = [task.get_name() for task in asyncio.all_tasks() if task is not own]

    def plays(self, before: Callable[[asyncio.Task[Any]], Any] | None = None) -> Scene:
        """Play it in virtual time and check what holds for every end."""
        run_virtual(self.run(before))
        entries = self.log.entries
        assert isinstance(entries[0].what, ev.CallStarted)
        assert isinstance(entries[-1].what, ev.CallEnded), "the last entry is the end"
        assert sum(isinstance(entry.what, ev.CallEnded) for entry in entries) == 1
        assert [entry.seq for entry in entries] == list(range(1, len(entries) + 1))
        assert self.log.closed == 1, "the log is closed once"
        assert self.left == [], "no task is left"
        started = {e.what.utterance for e in entries if isinstance(e.what, ev.UtteranceStarted)}
        over = {e.what.utterance for e in entries if isinstance(e.what, ev.UtteranceEnded)}
        assert started <= over, "what began to sound has an end in the ledger"
        return self

    @property
    def end(self) -> ev.CallEnded:
        """The last entry."""
        what = self.log.entries[-1].what
        assert isinstance(what, ev.CallEnded)
        return what

    def of(self, kind: type) -> list[Any]:
        """Entries of a kind."""
        return [entry.what for entry in self.log.entries if isinstance(entry.what, kind)]


class ClosingLog(MemoryLog):
    """Counts how often it is closed and refuses entries after that."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = 0

    def append(self, entry: Entry) -> None:
        assert not self.closed, f"{entry} after the log was closed"
        super().append(entry)

    def close(self) -> None:
        self.closed += 1
