"""A call whose engine dies or falls silent goes on with the next: nothing is said twice, and what was begun is done."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.agent import Agent, EngineSettings, ServerSettings
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.bus import Bus
from agent_runtime.call import Call, run_call
from agent_runtime.clock import run_virtual
from agent_runtime.doors.typed import TypedDoor
from agent_runtime.engines.fallback import FallbackEngine, Seat, Stalled
from agent_runtime.log import MemoryLog
from agent_runtime.ports import Engine
from agent_runtime.testing.fakes import EngineCost, FakeEngine, TimedVoice, WordLanguage
from agent_runtime.thinking import Language, Thinking
from policies.trajectory import Role, Segment, Trajectory
from tests.agent_runtime.engines.core_chat import CoreChat
from tests.agent_runtime.engines.core_server import MODEL_NAME, CoreServer, HungUp
from tests.agent_runtime.engines.openai_servers import NEEDS_CLIENT, boxed_model, front_desk
from tests.agent_runtime.engines.test_openai_calls import LINES, talk
from tests.agent_runtime.scenes import find_slots

# --- whole calls -------------------------------------------------------------------------------------------------

WITH_A_SERVER = [
    NEEDS_CLIENT,
    pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box"),
]


class MortalServer(CoreServer):
    """Writes so many tokens of replies, then it hangs up on everybody, or falls silent in the middle."""

    def __init__(self, lives: int, end: Literal["dead", "silent"] = "dead") -> None:
        super().__init__(boxed_model(), chat=CoreChat.load(BOXED_MODEL, front_desk()))
        self.lives, self.end = lives, end

    def __enter__(self) -> MortalServer:
        super().__enter__()
        return self

    async def _written(self, *given: Any, **more: Any) -> AsyncIterator[int]:
        limit, line = given[3], given[5]
        async for token in super()._written(*given, **more):
            if limit > 1:
                if self.lives <= 0:
                    if self.end == "silent":
                        await line.reader.read()
                    raise HungUp
                self.lives -= 1
            yield token

    async def _answer(self, *given: Any, **more: Any) -> None:
        if self.lives <= 0 and self.end == "dead":
            raise HungUp
        await super()._answer(*given, **more)


def served(server: CoreServer, *, tokens: bool = True, timeout_s: float = 10.0) -> Agent:
    """The front desk with its model at a server, and the one in the program standing in."""
    where = ServerSettings(server.url, MODEL_NAME, tokens=tokens, timeout_s=timeout_s)
    return dataclasses.replace(front_desk(), engine="openai", server=where, stand_ins=[EngineSettings("embedded")])


def told(call: Call) -> list[ev.PartFailed]:
    """What was logged of parts that failed."""
    return [entry.what for entry in call.entries if isinstance(entry.what, ev.PartFailed)]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def books_as_alone(server: CoreServer, agent: Agent) -> Call:
    """The call is word for word the one that the model in the program has alone."""
    alone = talk(front_desk(), *LINES)
    call = talk(agent, *LINES)
    assert [name for name, _ in call.tool_results] == ["find_slots", "book"]
    assert call.transcript == alone.transcript
    assert call.tool_results == alone.tool_results
    (failed,) = told(call)
    assert failed.recovered
    assert failed.detail.startswith(f"openai (core at {server.url}) failed (ServerFault: server {server.url} ")
    assert failed.detail.endswith("; embedded (the model in the box) stands in")
    return call


class TestWholeCalls:
    pytestmark = WITH_A_SERVER

    @pytest.mark.parametrize("lives", [0, 12, 25, 31, 48])
    def test_a_server_that_dies_at_any_token_leaves_no_trace_in_the_call(self, lives: int) -> None:
        """Before its first word, in a note, before the words of a reply, within them (31), before the last reply."""
        with MortalServer(lives) as server:
            books_as_alone(server, served(server))
            assert server.lives == 0

    def test_a_server_that_falls_silent_in_a_reply_is_left(self) -> None:
        with MortalServer(24, "silent") as server:
            books_as_alone(server, served(server, timeout_s=0.5))

    def test_a_server_that_is_not_there_when_the_runtime_starts_is_passed_over_and_told(self) -> None:
        with CoreServer(boxed_model()) as server:
            agent = served(server)
        call = books_as_alone(server, agent)
        assert "cannot be reached" in told(call)[0].detail

    def test_a_chat_server_gives_way_to_token_ids_between_two_turns(self) -> None:
        with MortalServer(2**30) as server:

            def lines() -> Iterator[str]:
                yield from LINES[:2]
                server.lives = 0
                yield from LINES[2:]

            said = lines()
            door = TypedDoor(lambda: next(said, None))
            voice = TimedVoice(first_s=0.0, word_ms=10)
            call = run_call(served(server, tokens=False), door, audio=False, voice=voice)
        assert [name for name, _ in call.tool_results] == ["find_slots", "book"]
        assert [failed.recovered for failed in told(call)] == [True]
        spoke = [isinstance(one.what, ev.ClauseGenerated) for one in call.entries]
        failed_at = next(at for at, one in enumerate(call.entries) if isinstance(one.what, ev.PartFailed))
        assert any(spoke[:failed_at]), "the chat server answered first"
        assert any(spoke[failed_at:]), "then the model in the program"


# --- thinking, to the millisecond ---------------------------------------------------------------------------------

STREAM = Trajectory.of([Segment(Role.CARD, "desk."), Segment(Role.HEARD, "wednesday please"), Segment(Role.TURN)])
REPLY = "<think> book wednesday <expect> slots <say> ten thirty, or two at most. which one? <end>"
QUICK = EngineCost(request_s=0.030, prefill_token_s=0.001, decode_token_s=0.010)


class Silent(FakeEngine):
    """Sleeps for an hour before each token."""

    def __init__(self, language: WordLanguage) -> None:
        super().__init__(language, lambda text: REPLY, dataclasses.replace(QUICK, decode_token_s=3600.0))


def entered(engine: Engine) -> Any:
    """An engine as parts hand it over."""

    @asynccontextmanager
    async def made() -> AsyncIterator[Engine]:
        yield engine

    return made()


def quick(language: WordLanguage) -> FakeEngine:
    """An engine that answers."""
    return FakeEngine(language, lambda text: REPLY, QUICK)


def thought(
    makes: list[Callable[[WordLanguage], Engine]], scene: Callable[[Thinking, Bus], Awaitable[None]]
) -> list[tuple[int, ev.Event]]:
    """(milliseconds, event) of a scene over these engines, each with ids of its own; what was read is left out."""

    async def main() -> MemoryLog:
        log = MemoryLog()
        bus = Bus(log)
        languages = [WordLanguage((find_slots,)) for _ in makes]
        for number, language in enumerate(languages):
            for word in ["padding"] * number:
                language.id_of(f"{word}{number}")
        seats: list[Seat[Language]] = [
            Seat(f"engine {number}", entered(make(language)), language)
            for number, (make, language) in enumerate(zip(makes, languages, strict=True))
        ]
        async with FallbackEngine(seats) as engine:
            session = await engine.open("c")
            thinking = Thinking(bus, session, languages[0], stand_in=session.stand_in)
            async with asyncio.TaskGroup() as group:
                running = group.create_task(thinking.run())
                await scene(thinking, bus)
                await asyncio.sleep(10)
                running.cancel()
        return log

    entries = run_virtual(main()).entries
    told = [(round(e.at_us / 1000), e.what) for e in entries if isinstance(e.what, ev.Event)]
    return [one for one in told if not isinstance(one[1], ev.PromptSynced)]


async def generate(thinking: Thinking, bus: Bus) -> None:
    """Order a reply."""
    order = do.Generate(1, STREAM.digest, False, (), "", STREAM)
    thinking.obey(bus.order(order, 0))


def test_two_silent_seconds_are_a_failure_and_the_reply_comes_from_the_next() -> None:
    events = thought([Silent, quick], generate)
    assert events[0] == (
        2000,
        ev.PartFailed("engine", True, "engine 0 failed (Stalled: nothing came for 2 s); engine 1 stands in"),
    )
    assert [event.text for _, event in events if isinstance(event, ev.ClauseGenerated)] == [
        "ten thirty,", "or two at most.", "which one?",
    ]  # fmt: skip
    assert events[-1][1] == ev.GenerationEnded(1, "said", 15)


def test_where_nobody_is_left_the_work_has_failed() -> None:
    events = thought([Silent, Silent], generate)
    assert [event for _, event in events] == [
        ev.PartFailed("engine", True, "engine 0 failed (Stalled: nothing came for 2 s); engine 1 stands in"),
        ev.PartFailed("engine", True, "Stalled: nothing came for 2 s"),
        ev.GenerationEnded(1, "failed", 0),
    ]


def test_a_call_the_model_words_wrongly_is_no_fault_of_the_engine() -> None:
    def wrong(language: WordLanguage) -> Engine:
        return FakeEngine(language, lambda text: "<think> x <call> no_such_tool <end>", QUICK)

    events = thought([wrong, quick], generate)
    failed = [event for _, event in events if isinstance(event, ev.PartFailed)]
    assert len(failed) == 1
    assert "stands in" not in failed[0].detail
    assert isinstance(events[-1][1], ev.GenerationEnded)
    assert events[-1][1].outcome == "failed"


def test_a_fork_falls_back_on_its_own_and_marks_belong_to_the_engine() -> None:
    async def main() -> None:
        language = WordLanguage()
        seats = [
            Seat("silent", entered(Silent(language)), language, 0.5),
            Seat("quick", entered(quick(language)), language),
        ]
        async with FallbackEngine(seats) as engine:
            assert engine.caps.ids
            session = await engine.open("c")
            assert session.mark() == 0
            await session.sync([1, 2, 3])
            twin = await session.fork()
            with pytest.raises(Stalled, match=r"nothing came for 0\.5 s") as caught:
                await anext(twin.stream(max_tokens=3))
            assert await session.stand_in(caught.value) is None, "it is another session's fault"
            found = await twin.stand_in(caught.value)
            assert found is not None
            assert found[1:] == (language, True)
            assert (twin.mark(), session.mark()) == (0, 3), "the next engine has read nothing yet"
            await twin.sync([1, 2])
            await twin.rewind(1)
            assert twin.mark() == 1
            await twin.close()
            await session.close()

    run_virtual(main())


class Broken:
    """An engine that cannot be entered."""

    def __init__(self, why: str) -> None:
        self.why = why

    async def __aenter__(self) -> Engine:
        raise ConnectionError(self.why)

    async def __aexit__(self, *details: object) -> None:
        """It was never entered."""


def test_engines_that_cannot_be_entered_raise_the_first_fault() -> None:
    async def main() -> None:
        async with FallbackEngine([Seat("a", Broken("first"), None), Seat("b", Broken("second"), None)]):
            pass

    with pytest.raises(ConnectionError, match="first"):
        run_virtual(main())
    with pytest.raises(ValueError, match="no engine was given"):
        FallbackEngine([])
