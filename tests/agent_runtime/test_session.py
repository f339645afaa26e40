"""A session from ringing to its end: however a call ends, it ends in the same order and leaves nothing behind."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import events as ev
from agent_runtime.bus import InboxFull
from agent_runtime.clock import run_virtual
from agent_runtime.commands import HangUp, Say, SendDigits, Transfer
from agent_runtime.log import FileLog, MemoryLog
from agent_runtime.parts import mind_settings
from agent_runtime.ports import Extent, Grammar
from agent_runtime.record import Entry
from agent_runtime.session import CallFacts, Ears, Session
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn, at, hang_up, into_turn
from agent_runtime.testing.fakes import FakeEngine, FakeSession, TimedVoice, WordLanguage, replies
from agent_runtime.tools import Tool, tool
from tests.agent_runtime.scenes import TODAY, clip, desk, play

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
        self.agent = desk(*tools)
        self.door: Any = made.pop("door", None) or CountedCaller.of_lines(*(lines or (WISH, BYE)))
        self.log = made.pop("log", None) or CountedLog()
        self.kept: list[Entry] = []
        language = WordLanguage(self.agent.tools)
        otherwise = "<think> none <expect> more <say> sorry? <end>"
        self.engine = made.pop("engine", KeptEngine)(language, replies(SAYS, otherwise))
        self.voice = made.pop("voice", TimedVoice())
        self.ears = made.pop("ears", Ears())
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
        assert [e.seq for e in self.kept if isinstance(e.what, ev.CallEnded)] == [len(self.kept)], "the end is last, once"
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
        return [what.text for what in self.of(ev.UtteranceHeard)]


def innermost(error: BaseException) -> BaseException:
    """The first error inside of groups of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


# --- ends as they should be --------------------------------------------------------------------------------------


def test_the_agent_says_goodbye_and_hangs_up() -> None:
    scene = Scene(WISH, BYE).plays()
    assert scene.error is None
    assert scene.ended == ("agent_hung_up", "")
    assert scene.said == ["good morning. how can i help?", "let me look.", "i have ten thirty or two. which one?", "goodbye."]
    order = next(entry for entry in scene.kept if isinstance(entry.what, HangUp))
    assert scene.kept[-1].cause == order.seq


def test_the_caller_hangs_up_in_the_middle_of_an_answer_and_what_was_heard_is_kept() -> None:
    scene = Scene(ASKS, hang_up(into_turn(1.4))).plays()
    assert scene.ended == ("caller_hung_up", "")
    assert scene.said[-1] == "we are open from"
    (last,) = [e for e in scene.of(ev.UtteranceEnded) if e.utterance == 2]
    assert last.reason == "cancelled"


def test_the_caller_hangs_up_while_it_still_rings_nothing_is_said() -> None:
    scene = Scene(hang_up(at(0.0))).plays()
    assert scene.ended == ("caller_hung_up", "")
    assert scene.of(ev.UtteranceStarted) == []


def test_a_tool_under_way_is_given_up_when_the_caller_leaves() -> None:
    given_up: list[bool] = []

    @tool(effect="read", timeout_s=500.0)
    async def find_slots(day: str) -> str:
        """Takes its time."""
        try:
            await asyncio.sleep(400)
        finally:
            given_up.append(True)
        return "none"

    scene = Scene(WISH, hang_up(at(9.0)), tools=[find_slots]).plays()
    assert scene.ended == ("caller_hung_up", "")
    assert given_up == [True]
    assert scene.took_s < 15


def test_the_time_limit_ends_the_call() -> None:
    scene = Scene(line("never", "x", 900.0))
    scene.agent = desk(time_limit_s=5.0)
    assert scene.plays().ended == ("time_limit", "")
    assert scene.took_s == 5.0


# --- the program ends the call -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [0.0, 0.5, 3.0, 4.0, 6.0])
def test_a_call_cancelled_from_outside_ends_like_any_other(after_s: float) -> None:
    async def cancel(playing: asyncio.Task[Any]) -> None:
        await asyncio.sleep(after_s)
        playing.cancel()

    scene = Scene(WISH, BYE).plays(cancel)
    assert scene.error is None or isinstance(scene.error, asyncio.CancelledError)
    assert scene.ended == ("cancelled", "the program ended the call")
    assert round(scene.took_s, 9) == after_s


def test_a_call_cancelled_before_it_began_leaves_no_log_and_no_line() -> None:
    scene = Scene(WISH)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(scene._run(None))
            task.cancel()

    run_virtual(main())
    assert scene.kept == []


# --- faults ------------------------------------------------------------------------------------------------------


def test_a_mind_that_raises_ends_the_call_with_its_error() -> None:
    def spoil(session: Session) -> None:
        receive = session.mind.receive

        def raising(entry: Entry) -> Any:
            if isinstance(entry.what, ev.UtteranceStarted):
                raise KeyError("lost its mind")
            return receive(entry)

        session.mind.receive = raising  # type: ignore[method-assign]

    scene = Scene(WISH, spoil=spoil).plays()
    assert isinstance(scene.error, KeyError)
    assert scene.ended == ("failed", "KeyError: 'lost its mind'")
    assert scene.of(ev.UtteranceEnded)[0].reason == "cancelled"


def test_a_mind_that_raises_on_the_first_fact_leaves_nothing_open() -> None:
    def spoil(session: Session) -> None:
        def raising(entry: Entry) -> Any:
            raise ValueError("no mind at all")

        session.mind.receive = raising  # type: ignore[method-assign]

    scene = Scene(WISH, spoil=spoil).plays()
    assert scene.ended == ("failed", "ValueError: no mind at all")


def test_an_organ_that_raises_ends_the_call_with_its_error() -> None:
    class BrokenLanguage(WordLanguage):
        """Cannot say what a role is: a fault of ours, not of an engine."""

        def role_of(self, token: int) -> Any:
            raise RuntimeError("no such role")

    scene = Scene(WISH)
    scene.engine.language = BrokenLanguage(scene.agent.tools)
    scene.plays()
    assert scene.of(ev.PartFailed)[0].detail == "RuntimeError: no such role"


def test_an_inbox_that_stays_full_ends_the_call_with_a_logged_error() -> None:
    def spoil(session: Session) -> None:
        make = session._make_ears

        def ears_that_flood(timeline: Any) -> Any:
            ears = make(timeline)

            async def run(origin_s: float) -> int:
                raise InboxFull("the mind took no event for 2 s with 256 waiting; it is stuck in one event")

            timeline.run = lambda: run(0.0)
            return ears

        session._make_ears = ears_that_flood  # type: ignore[method-assign]

    scene = Scene(WISH, spoil=spoil).plays()
    assert scene.error is None
    assert scene.ended == ("failed", "the mind took no event for 2 s with 256 waiting; it is stuck in one event")


def test_a_door_that_fails_while_listening_ends_the_call_with_a_reason() -> None:
    class Broken(CountedCaller):
        async def listen_words(self) -> AsyncIterator[Any]:
            await asyncio.sleep(1.0)
            raise OSError("line is dead")
            yield

    scene = Scene(door=Broken.of_lines(WISH)).plays()
    assert scene.error is None
    assert scene.of(ev.PartFailed) == [ev.PartFailed("door", False, "OSError: line is dead")]
    assert scene.ended[0] == "failed"
    assert scene.took_s == 1.0


def test_a_door_that_cannot_be_put_down_still_closes_the_log() -> None:
    class Stuck(CountedCaller):
        async def close(self) -> None:
            await super().close()
            raise OSError("cannot hang up")

    scene = Scene(door=Stuck.of_lines(WISH, BYE)).plays()
    assert isinstance(scene.error, OSError)
    assert scene.ended == ("agent_hung_up", "")


def test_a_log_that_cannot_be_written_still_puts_the_line_down() -> None:
    class FullDisk(CountedLog):
        def append(self, entry: Entry) -> None:
            if entry.seq > 20:
                raise OSError("no space left on device")
            super().append(entry)

    scene = Scene(WISH, BYE, log=FullDisk())
    run_virtual(scene._run(None))
    assert isinstance(scene.error, OSError)
    assert scene.log.closed == 1
    assert scene.door.closed_at == [1]
    assert scene.left == []


def test_an_engine_that_cannot_be_opened_ends_the_call_before_it_is_answered() -> None:
    class Shut(KeptEngine):
        async def open(self, session: str, *, adapter: Any = None, priority: int = 0) -> FakeSession:
            raise ConnectionError("no engine there")

    scene = Scene(WISH, engine=Shut).plays()
    assert isinstance(scene.error, ConnectionError)
    assert scene.ended == ("failed", "ConnectionError: no engine there")
    assert scene.of(ev.CallAnswered) == []


def test_an_engine_that_raises_in_the_middle_of_a_reply_is_apologised_for_and_the_call_goes_on() -> None:
    class Breaking(KeptSession):
        broke = False

        async def stream(
            self,
            suffix: Sequence[int] = (),
            *,
            max_tokens: int,
            stop_ids: Iterable[int] = (),
            grammar: Grammar | None = None,
            keep: bool = False,
        ) -> AsyncIterator[Sequence[int]]:
            count = 0
            async for tokens in super().stream(
                suffix, max_tokens=max_tokens, stop_ids=stop_ids, grammar=grammar, keep=keep
            ):
                yield tokens
                count += 1
                if count == 3 and not Breaking.broke:
                    Breaking.broke = True
                    raise RuntimeError("out of memory")

    class Engine(KeptEngine):
        async def open(self, session: str, *, adapter: Any = None, priority: int = 0) -> FakeSession:
            self.session_type = Breaking
            return await super().open(session)

    scene = Scene(WISH, BYE, engine=Engine).plays()
    assert scene.of(ev.PartFailed) == [ev.PartFailed("engine", True, "RuntimeError: out of memory")]
    assert [g.outcome for g in scene.of(ev.GenerationEnded)] == ["failed", "said_goodbye"]
    assert scene.said[1] == "sorry, could you say that again?"
    assert scene.ended == ("agent_hung_up", "")


def test_an_engine_that_cannot_sync_is_told_and_the_call_goes_on() -> None:
    class Unsynced(KeptSession):
        faults = 3

        async def sync(
            self, tokens: Sequence[int], *, stable: int | None = None, deadline_s: float | None = None
        ) -> Extent:
            Unsynced.faults -= 1
            if Unsynced.faults >= 0:
                raise ConnectionError("gone for a moment")
            return await super().sync(tokens)

    class Engine(KeptEngine):
        async def open(self, session: str, *, adapter: Any = None, priority: int = 0) -> FakeSession:
            self.session_type = Unsynced
            return await super().open(session)

    scene = Scene(WISH, BYE, engine=Engine).plays()
    assert len(scene.of(ev.PartFailed)) == 3
    assert scene.ended == ("agent_hung_up", "")


def test_a_voice_that_raises_costs_an_utterance_and_not_the_call() -> None:
    class Hoarse(TimedVoice):
        async def speak(self, text: str) -> AsyncIterator[Any]:
            async for chunk in super().speak(text):
                if "ten thirty" in text:
                    raise RuntimeError("helper died")
                yield chunk

    scene = Scene(WISH, BYE, voice=Hoarse()).plays()
    assert ev.PartFailed("voice", True, "RuntimeError: helper died") in scene.of(ev.PartFailed)
    assert "failed" in [ended.reason for ended in scene.of(ev.UtteranceEnded)]
    assert scene.ended[0] in ("agent_hung_up", "caller_hung_up")


# --- tools -------------------------------------------------------------------------------------------------------


def with_tool(function: Callable[..., Any], **declared: Any) -> Scene:
    """The usual call with another look-up."""
    function.__name__ = "find_slots"
    function.__annotations__ = {"day": str}
    return Scene(WISH, BYE, tools=[tool(effect="read", **declared)(function)]).plays()


def test_a_tool_that_raises_is_told_to_the_caller() -> None:
    async def raises(day: str) -> Any:
        raise LookupError("no calendar")

    scene = with_tool(raises)
    assert scene.of(ev.ToolFailed) == [ev.ToolFailed(1, "find_slots", "raised", "LookupError: no calendar")]
    assert scene.said[1] == "sorry, i cannot look that up right now."
    assert scene.ended == ("agent_hung_up", "")


def test_a_tool_that_never_returns_is_given_up_at_its_time_limit() -> None:
    async def hangs(day: str) -> Any:
        await asyncio.Event().wait()

    scene = with_tool(hangs, timeout_s=3.0)
    (failed,) = scene.of(ev.ToolFailed)
    assert failed.reason == "timed_out"
    assert failed.detail == "find_slots gave no result within its 3 s (raise timeout_s, or make it quicker)"
    called, gave_up = (
        next(entry for entry in scene.kept if type(entry.what).__name__ == name) for name in ("CallTool", "ToolFailed")
    )
    assert gave_up.at_us - called.at_us == 3_000_000


def test_a_tool_that_will_not_be_cancelled_holds_up_neither_the_call_nor_its_end() -> None:
    async def stubborn(day: str) -> Any:
        for _ in range(3):
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                continue
        return "at last"

    scene = with_tool(stubborn, timeout_s=2.0)
    assert [failed.reason for failed in scene.of(ev.ToolFailed)] == ["timed_out"]
    assert scene.ended == ("agent_hung_up", "")
    assert scene.kept[-1].at_s < 30, "the line is put down and the log closed in time"


def test_a_tool_whose_result_is_no_json_failed() -> None:
    async def odd(day: str) -> Any:
        return {1, 2}

    scene = with_tool(odd)
    (failed,) = scene.of(ev.ToolFailed)
    assert (failed.reason, failed.detail.split(":")[0]) == ("raised", "ToolResultError")
    assert scene.ended == ("agent_hung_up", "")


def test_a_door_that_takes_no_sound_ends_the_call() -> None:
    class Mute(CountedCaller):
        def play(self, pcm: Any, first_sample: int) -> None:
            raise OSError("nobody takes our sound")

        async def listen(self) -> AsyncIterator[Any]:
            for nothing in ():
                yield nothing

    scene = Scene(door=Mute.of_lines(WISH), ears=Ears(audible=True), voice=Loud())
    scene.plays()
    assert scene.of(ev.PartFailed) == [ev.PartFailed("door", False, "OSError: nobody takes our sound")]
    assert scene.ended[0] == "failed"


# --- the line's own orders ---------------------------------------------------------------------------------------


def ordering(session: Session, *orders: Any) -> None:
    """Make the mind give these orders when the greeting has ended."""
    receive = session.mind.receive

    def more(entry: Entry) -> Any:
        given = receive(entry)
        if isinstance(entry.what, ev.UtteranceEnded) and entry.what.utterance == 1:
            given = [*orders, *given]
        return given

    session.mind.receive = more  # type: ignore[method-assign]


def test_keys_and_transfers_go_through_the_door() -> None:
    scene = Scene(WISH, BYE, spoil=lambda s: ordering(s, SendDigits("12#"), Transfer("sales"))).plays()
    assert scene.of(ev.DigitsSent) == [ev.DigitsSent(3)]
    assert scene.of(ev.TransferEnded) == [ev.TransferEnded(True, "")]
    assert scene.door.digits == ["1", "2", "#"]
    assert scene.door.transfers == ["sales"]


def test_a_door_that_cannot_send_keys_or_transfer_says_so_and_the_call_goes_on() -> None:
    class Deaf(CountedCaller):
        async def send_digits(self, digits: str) -> None:
            raise OSError("no keys here")

        async def transfer(self, target: str) -> bool:
            raise OSError("no way to sales")

    scene = Scene(
        door=Deaf.of_lines(WISH, BYE), spoil=lambda s: ordering(s, SendDigits("1"), Transfer("sales"))
    ).plays()
    assert scene.of(ev.PartFailed) == [ev.PartFailed("door", True, "OSError: no keys here")]
    assert scene.of(ev.TransferEnded) == [ev.TransferEnded(False, "OSError: no way to sales")]
    assert scene.ended == ("agent_hung_up", "")


# --- same inputs, same log ---------------------------------------------------------------------------------------


def test_the_same_call_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        door = ScriptedCaller.of_lines(
            Line("wish", after_turn(0.6), (Segment(clip("i would like")), Segment(clip("wednesday"), 700))),
            Line("hum", into_turn(0.8), (Segment(clip("yeah ok")),), kind="backchannel"),
            Line("asks", after_turn(1.5), (Segment(clip("what are your opening hours")),)),
            Line("cuts in", into_turn(1.0), (Segment(clip("no wait")),), kind="barge_in"),
            BYE,
        )
        play(desk(), door, SAYS, log=FileLog(tmp_path / name))
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.count(b"\n") > 100
    assert b'"Resume"' in one
    assert b'"Cancel"' in one


def test_causes_point_back_to_what_was_answered() -> None:
    scene = Scene(WISH, BYE).plays()
    by_seq = {entry.seq: entry for entry in scene.kept}
    for entry in scene.kept:
        assert entry.cause < entry.seq
        if isinstance(entry.what, ev.UtteranceStarted):
            order = by_seq[entry.cause].what
            assert isinstance(order, Say)
            assert order.utterance == entry.what.utterance
        if isinstance(entry.what, ev.ToolReturned):
            assert type(by_seq[entry.cause].what).__name__ == "CallTool"
        if isinstance(entry.what, (ev.SpeechStopped, ev.FinalTranscript)):
            assert isinstance(by_seq[entry.cause].what, ev.SpeechStarted)
