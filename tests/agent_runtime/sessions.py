"""One session and everything it touches, so that a test can look at how it ended and what is left of it.

`Scene.plays` checks what holds for every end of a call: one `CallEnded`, last; log, line and engine closed; no task
left.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent_runtime import events as ev
from agent_runtime.clock import run_virtual
from agent_runtime.log import MemoryLog
from agent_runtime.parts import mind_settings
from agent_runtime.record import Entry
from agent_runtime.session import CallFacts, Ears, Session
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn
from agent_runtime.testing.fakes import FakeEngine, FakeSession, TimedVoice, WordLanguage, replies
from agent_runtime.tools import Tool
from policies.speculation import ThinkingSettings
from tests.agent_runtime.scenes import TODAY, clip, desk

SAYS = {
    "ten thirty": "<expect> yes <say> i have ten thirty or two. which one? <end>",
    "wednesday": "<think> book <expect> slots <call> find_slots day wednesday <end>",
    "opening": "<think> none <expect> more <say> we are open from nine to five on every day but sunday. <end>",
    "bye": "<think> none <expect> bye <say> goodbye. <bye>",
    "failed": "<expect> more <say> it did not work. <end>",
}


def line(name: str, text: str, after_s: float = 0.6) -> Line:
    """The caller says this after the agent's turn."""
    return Line(name, after_turn(after_s), (Segment(clip(text)),))


WISH = line("wish", "i would like wednesday")
ASKS = line("asks", "what are your opening hours")
BYE = line("bye", "that is all thanks bye")


class CountedCaller(ScriptedCaller):
    """A caller whose line counts how often it is put down."""

    closed_at: list[int]

    async def close(self) -> None:
        self.closed_at = [*getattr(self, "closed_at", []), 1]
        await super().close()


class CountedLog(MemoryLog):
    """Counts how often it is closed and refuses entries after that."""

    closed = 0

    def append(self, entry: Entry) -> None:
        assert not self.closed, f"{entry} after the log was closed"
        super().append(entry)

    def close(self) -> None:
        self.closed += 1


class KeptSession(FakeSession):
    """A session that knows whether it was closed."""

    closed = False

    async def close(self) -> None:
        await super().close()
        self.closed = True


@dataclass
class KeptEngine(FakeEngine):
    """An engine that keeps its sessions for the test to look at."""

    opened: list[KeptSession] = field(default_factory=list)
    session_type: type[KeptSession] = KeptSession

    async def open(self, session: str, *, adapter: Any = None, priority: int = 0) -> FakeSession:
        self.opened.append(self.session_type(self, list(self.warmed)))
        return self.opened[-1]


class Loud(TimedVoice):
    """A voice with sound in it."""

    async def speak(self, text: str) -> AsyncIterator[Any]:
        async for chunk in super().speak(text):
            chunk.pcm[:] = 1000
            yield chunk


class Scene:
    """One session and everything it touches, so that a test can look at what is left of it."""

    def __init__(self, *lines: Line, tools: Sequence[Tool] = (), **made: Any) -> None:
        self.agent = desk(*tools, thinking=made.pop("thinking", ThinkingSettings()))
        self.door: Any = made.pop("door", None) or CountedCaller.of_lines(*(lines or (WISH, BYE)))
        self.log = made.pop("log", None) or CountedLog()
        self.kept: list[Entry] = []
        language = WordLanguage(self.agent.tools)
        otherwise = "<think> none <expect> more <say> sorry? <end>"
        self.engine = made.pop("engine", KeptEngine)(language, replies(SAYS, otherwise))
        self.voice = made.pop("voice", TimedVoice())
        self.ears = made.pop("ears", Ears())
        self.live = made.pop("live", False)
        self.spoil: Callable[[Session], None] = made.pop("spoil", lambda session: None)
        self.error: BaseException | None = None
        self.left: list[str] = []
        self.took_s = 0.0

    async def _run(self, meanwhile: Callable[[asyncio.Task[Any]], Awaitable[None]] | None) -> None:
        loop = asyncio.get_running_loop()
        with tempfile.TemporaryDirectory() as folder:
            session = Session(
                self.agent,
                mind_settings(self.agent, TODAY),
                CallFacts("call", TODAY, Path(folder)),
                door=self.door,
                ears=self.ears,
                engine=self.engine,
                language=self.engine.language,
                voice=self.voice,
                log=self.log,
                watchers=[self.kept.append, self.door.watch],
                live=self.live,
            )
            self.spoil(session)
            begin_s = loop.time()
            try:
                async with asyncio.timeout(10_000), asyncio.TaskGroup() as group:
                    playing = group.create_task(session.run())
                    if meanwhile is not None:
                        await meanwhile(playing)
            except (Exception, asyncio.CancelledError) as error:
                self.error = innermost(error)
            self.took_s = loop.time() - begin_s
            self.left = sorted(t.get_name() for t in asyncio.all_tasks() if t is not asyncio.current_task())

    def plays(self, meanwhile: Callable[[asyncio.Task[Any]], Awaitable[None]] | None = None) -> Scene:
        """Play it in virtual time, and check what holds for every end."""
        run_virtual(self._run(meanwhile))
        assert isinstance(self.kept[0].what, ev.CallStarted)
        assert [entry.seq for entry in self.kept] == list(range(1, len(self.kept) + 1))
        assert [e.seq for e in self.kept if isinstance(e.what, ev.CallEnded)] == [len(self.kept)], (
            "the end is last, once"
        )
        assert self.log.closed == 1, "the log is closed, once"
        assert self.door.closed_at == [1], "the line is put down, once"
        assert self.left == [], "no task is left"
        assert all(session.closed for session in self.engine.opened), "the engine's sessions are closed"
        begun = {e.what.utterance for e in self.kept if isinstance(e.what, ev.UtteranceStarted)}
        assert begun <= {e.what.utterance for e in self.kept if isinstance(e.what, ev.UtteranceEnded)}
        return self

    @property
    def ended(self) -> tuple[str, str]:
        """Reason and detail of the end."""
        what = self.kept[-1].what
        assert isinstance(what, ev.CallEnded)
        return what.reason, what.detail

    def of(self, kind: type) -> list[Any]:
        """What of a kind stands in the log, in order."""
        return [entry.what for entry in self.kept if isinstance(entry.what, kind)]

    @property
    def said(self) -> list[str]:
        """What was heard of the agent, utterance by utterance."""
        return [what.text for what in self.of(ev.UtteranceHeard) if what.text]


def innermost(error: BaseException) -> BaseException:
    """The first error inside of groups of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
