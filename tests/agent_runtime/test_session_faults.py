"""Whatever breaks in a call, the call ends (or goes on) in order, with the reason in its log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from agent_runtime import events as ev
from agent_runtime.bus import InboxFull
from agent_runtime.clock import run_virtual
from agent_runtime.ports import Extent, Grammar
from agent_runtime.record import Entry
from agent_runtime.session import Ears, Session
from agent_runtime.testing.fakes import FakeSession, TimedVoice, WordLanguage
from agent_runtime.tools import tool
from tests.agent_runtime.scenes import NOTHING_AHEAD
from tests.agent_runtime.sessions import BYE, WISH, CountedCaller, CountedLog, KeptEngine, KeptSession, Loud, Scene

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

        def ears_that_flood(timeline: Any, far: Any) -> Any:
            ears = make(timeline, far)

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
            async for clip in super().listen_words():
                yield clip
                raise OSError("line is dead")

    scene = Scene(door=Broken.of_lines(WISH)).plays()
    assert scene.error is None
    assert scene.of(ev.PartFailed) == [ev.PartFailed("door", False, "OSError: line is dead")]
    assert scene.ended[0] == "failed"
    assert scene.took_s < 5


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

    scene = Scene(WISH, BYE, engine=Engine, thinking=NOTHING_AHEAD).plays()
    assert scene.of(ev.PartFailed) == [ev.PartFailed("engine", True, "RuntimeError: out of memory")]
    assert [g.outcome for g in scene.of(ev.GenerationEnded)] == ["failed", "said_goodbye"]
    assert scene.said[1] == "sorry, could you say that again?"
    assert scene.ended == ("agent_hung_up", "")


def test_an_engine_that_cannot_sync_is_told_and_the_call_goes_on() -> None:
    class Unsynced(KeptSession):
        faults = 3

        async def sync(
            self,
            tokens: Sequence[int],
            *,
            stable: int | None = None,
            deadline_s: float | None = None,
            ahead: bool = True,
        ) -> Extent:
            Unsynced.faults -= 1
            if Unsynced.faults >= 0:
                raise ConnectionError("gone for a moment")
            return await super().sync(tokens, ahead=ahead)

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
    assert scene.said[1] == "sorry, i cannot look that up right now. is there anything else i can do for you?"
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
            nothing: tuple[Any, ...] = ()
            for one in nothing:
                yield one

    scene = Scene(door=Mute.of_lines(WISH), ears=Ears(audible=True), voice=Loud())
    scene.plays()
    assert scene.of(ev.PartFailed) == [ev.PartFailed("door", False, "OSError: nobody takes our sound")]
    assert scene.ended[0] == "failed"
