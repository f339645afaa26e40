"""The organ that thinks: orders one after the other, tokens into events, and a cancel that takes effect at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.bus import Bus
from agent_runtime.clock import run_virtual
from agent_runtime.commands import Command
from agent_runtime.events import Event
from agent_runtime.log import MemoryLog
from agent_runtime.ports import Extent
from agent_runtime.testing.fakes import EngineCost, FakeEngine, FakeSession, WordLanguage
from agent_runtime.thinking import Thinking, TurnReader
from policies.trajectory import Role, Segment, Trajectory
from tests.agent_runtime.scenes import find_slots

COST = EngineCost(request_s=0.030, prefill_token_s=0.001, decode_token_s=0.010)
STREAM = Trajectory.of([Segment(Role.CARD, "desk."), Segment(Role.HEARD, "wednesday please"), Segment(Role.TURN)])
REPLY = "<think> book wednesday <expect> slots <say> ten thirty, or two at most. which one? <end>"

Scene = Callable[["Brain"], Awaitable[None]]


class Brain:
    """A `Thinking` on a bus, ordered by a script. `fault`: raised by the engine's next works."""

    def __init__(self, reply: str, *, faults: int = 0, p_over: float = 0.8) -> None:
        self.log = MemoryLog()
        self.bus = Bus(self.log)
        self.language = WordLanguage((find_slots,))
        self.engine = FakeEngine(self.language, lambda text: reply, COST, lambda text: p_over)
        self.session = Faulty(self.engine, faults)
        self.thinking = Thinking(self.bus, self.session, self.language)

    def order(self, command: Command) -> int:
        """Give an order now."""
        entry = self.bus.order(command, 0)
        self.thinking.obey(entry)
        return entry.seq

    @property
    def events(self) -> list[tuple[int, Event]]:
        """(milliseconds, event) of what was published."""
        return [(round(e.at_us / 1000), e.what) for e in self.log.entries if isinstance(e.what, Event)]


class Faulty(FakeSession):
    """A session whose first works fail."""

    def __init__(self, engine: FakeEngine, faults: int) -> None:
        super().__init__(engine, [])
        self.faults = faults

    async def sync(
        self, tokens: Sequence[int], *, stable: int | None = None, deadline_s: float | None = None, ahead: bool = True
    ) -> Extent:
        self.faults -= 1
        if self.faults >= 0:
            raise ConnectionError("engine is gone")
        return await super().sync(tokens, ahead=ahead)


def thought(scene: Scene, reply: str = REPLY, **made: Any) -> Brain:
    """Play a scene and the ten seconds after it."""

    async def main() -> Brain:
        brain = Brain(reply, **made)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(brain.thinking.run())
            await scene(brain)
            await asyncio.sleep(10)
            running.cancel()
        return brain

    return run_virtual(main())


def generate(number: int = 1, stream: Trajectory = STREAM) -> do.Generate:
    """The order to write a reply."""
    return do.Generate(number, stream.digest, False, (), "", stream)


# --- a reply -----------------------------------------------------------------------------------------------------


def test_a_reply_becomes_note_expectation_clauses_and_an_end_each_when_it_is_written() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(generate())

    prefill_ms = 30 + 6
    brain = thought(scene)
    assert brain.events == [
        (0, ev.PromptSynced(STREAM.digest, 6, 0, 6, 0)),
        (prefill_ms + 40, ev.ThoughtFormed(1, "book wednesday")),
        (prefill_ms + 60, ev.ExpectationFormed(1, "slots")),
        (prefill_ms + 90, ev.ClauseGenerated(1, 0, "ten thirty,")),
        (prefill_ms + 130, ev.ClauseGenerated(1, 1, "or two at most.")),
        (prefill_ms + 150, ev.ClauseGenerated(1, 2, "which one?")),
        (prefill_ms + 150, ev.GenerationEnded(1, "said", 15)),
    ]
    assert all(entry.cause == 1 for entry in brain.log.entries[1:])


def read(reply: str) -> tuple[list[Event], str]:
    """The events of a reply given as text, and its outcome."""
    language = WordLanguage((find_slots,))
    reader = TurnReader(language, 4)
    events = [event for word in reply.split() for event in reader.feed(language.id_of(word))]
    return events + reader.end(), reader.outcome


def test_each_way_a_turn_can_end_has_its_outcome() -> None:
    assert read("<think> none <expect> more <silence>") == (
        [ev.ThoughtFormed(4, "none"), ev.ExpectationFormed(4, "more")],
        "silent",
    )
    assert read("<expect> bye <say> goodbye. <bye>") == (
        [ev.ExpectationFormed(4, "bye"), ev.ClauseGenerated(4, 0, "goodbye.")],
        "said_goodbye",
    )
    assert read("<expect> slots <call> find_slots day wednesday <end>") == (
        [
            ev.ExpectationFormed(4, "slots"),
            ev.ToolRequested(4, "find_slots", "find_slots day wednesday", {"day": "wednesday"}, {"day": "wednesday"}),
        ],
        "called",
    )
    assert read("<say> so we have") == ([ev.ClauseGenerated(4, 0, "so we have")], "cut_short")
    assert read("<think> none <expect> more") == ([ev.ThoughtFormed(4, "none")], "cut_short")
    assert read("") == ([], "cut_short")
    assert read("<say> <end>") == ([], "said")


def test_bits_of_speech_come_out_clause_by_clause_with_the_thoughts_between_them() -> None:
    events, outcome = read(
        "<think> up to nine. one to five <expect> bye <say> one, two, three, four, five, <more> "
        "<think> six to nine <say> six, seven, eight, nine. <end>"
    )
    assert events == [
        ev.ThoughtFormed(4, "up to nine. one to five"),
        ev.ExpectationFormed(4, "bye"),
        ev.ClauseGenerated(4, 0, "one, two,"),
        ev.ClauseGenerated(4, 1, "three, four, five,"),
        ev.ThoughtFormed(4, "six to nine"),
        ev.ClauseGenerated(4, 2, "six, seven, eight, nine."),
    ]
    assert outcome == "said"
    events, outcome = read("<think> up <expect> bye <say> one, <more> <think> two")
    assert events[-1] == ev.ClauseGenerated(4, 0, "one,")
    assert outcome == "cut_short"


def test_a_reply_that_never_ends_is_cut_short() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(generate())

    brain = thought(scene, "<say> " + "la " * 1000)
    assert brain.events[-1][1] == ev.GenerationEnded(1, "cut_short", WordLanguage.turn_tokens)


def test_a_call_of_no_known_tool_is_a_failed_generation() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(generate())

    brain = thought(scene, "<expect> ok <call> fly to the moon <end>")
    *_, failed, ended = (what for _, what in brain.events)
    assert isinstance(failed, ev.PartFailed)
    assert failed.detail == "ToolArgumentError: 'fly to the moon' calls no known tool; there is find_slots"
    assert ended == ev.GenerationEnded(1, "failed", 8)


# --- the cache ---------------------------------------------------------------------------------------------------


def test_a_prefill_tells_what_was_kept_and_what_was_dropped() -> None:
    heard = [Trajectory.of([Segment(Role.CARD, "desk."), Segment(Role.HEARD, text)]) for text in ("one", "two three")]

    async def scene(brain: Brain) -> None:
        for stream in heard:
            brain.order(do.Prefill(stream.digest, stream))
            await asyncio.sleep(1)

    assert thought(scene).events == [
        (34, ev.PromptSynced(heard[0].digest, 4, 0, 4, 0)),
        (1032, ev.PromptSynced(heard[1].digest, 5, 3, 2, 1)),
    ]


def test_a_prefill_that_waits_gives_way_to_a_newer_one() -> None:
    streams = [Trajectory.of([Segment(Role.HEARD, "w " * count)]) for count in (1, 2, 3, 4)]

    async def scene(brain: Brain) -> None:
        for stream in streams:
            brain.order(do.Prefill(stream.digest, stream))

    synced = [what for _, what in thought(scene).events]
    assert [what.prefix for what in synced if isinstance(what, ev.PromptSynced)] == [streams[3].digest]


def test_of_what_waits_to_be_read_the_latest_wins_and_scores_keep_their_place() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(do.Prefill(STREAM.digest, STREAM))
        brain.order(do.ScoreTurn(7, STREAM.digest, STREAM))
        brain.order(do.Prefill("later", STREAM))
        brain.order(do.Prefill("latest", STREAM))

    found = [what for _, what in thought(scene).events]
    assert [type(what).__name__ for what in found] == ["TurnScored", "PromptSynced"]
    assert found[1].prefix == "latest"  # type: ignore[attr-defined]


def test_the_end_of_a_turn_is_scored_against_its_going_on() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(do.ScoreTurn(7, STREAM.digest, STREAM))

    assert thought(scene, p_over=0.8).events == [(36, ev.TurnScored(7, 0.8, STREAM.digest))]


# --- cancelling --------------------------------------------------------------------------------------------------


def test_a_cancelled_reply_stops_at_once_and_the_next_order_runs() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(generate(1))
        await asyncio.sleep(0.099)
        brain.order(do.CancelGeneration(1))
        brain.order(generate(2))

    brain = thought(scene)
    ended = [(ms, what) for ms, what in brain.events if isinstance(what, ev.GenerationEnded)]
    assert ended[0] == (99, ev.GenerationEnded(1, "cancelled", 6))
    assert ended[1][1].generation == 2
    assert not [what for ms, what in brain.events if ms > 99 and getattr(what, "generation", 2) == 1]


def test_a_reply_that_waits_can_be_cancelled_before_it_begins() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(generate(1))
        brain.order(generate(2))
        await asyncio.sleep(0.010)
        brain.order(do.CancelGeneration(2))
        brain.order(do.CancelGeneration(2))
        brain.order(do.CancelGeneration(9))

    brain = thought(scene)
    assert brain.events[1] == (10, ev.GenerationEnded(2, "cancelled", 0))
    assert [what.generation for _, what in brain.events if isinstance(what, ev.GenerationEnded)] == [2, 1]


def test_a_cancel_during_the_prefill_leaves_a_cache_that_can_be_used() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(generate(1))
        await asyncio.sleep(0.020)
        brain.order(do.CancelGeneration(1))
        brain.order(do.Prefill(STREAM.digest, STREAM))

    brain = thought(scene)
    assert brain.events[1] == (20, ev.GenerationEnded(1, "cancelled", 0))
    assert brain.events[2][1] == ev.PromptSynced(STREAM.digest, 6, 0, 6, 0)


def test_what_waits_to_be_read_or_scored_does_not_hold_up_a_reply() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(do.Prefill(STREAM.digest, STREAM))
        await asyncio.sleep(0.001)
        brain.order(do.ScoreTurn(1, STREAM.digest, STREAM))
        brain.order(do.Prefill(STREAM.digest, STREAM))
        brain.order(generate(1))

    first = next(at for at, what in thought(scene).events if isinstance(what, ev.ThoughtFormed))
    assert first == 36 + 30 + 40, "one prefill that ran, one request, four tokens"


def test_the_end_of_the_call_is_no_news() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(generate(1))
        await asyncio.sleep(0.050)
        brain.bus.closed = True
        brain.order(do.CancelGeneration(1))

    assert not [what for _, what in thought(scene).events if isinstance(what, ev.GenerationEnded)]


# --- faults ------------------------------------------------------------------------------------------------------


def test_an_engine_that_fails_is_told_for_each_kind_of_order_and_goes_on() -> None:
    async def scene(brain: Brain) -> None:
        brain.order(do.Prefill(STREAM.digest, STREAM))
        await asyncio.sleep(0)
        brain.order(do.ScoreTurn(1, STREAM.digest, STREAM))
        await asyncio.sleep(0)
        brain.order(generate(1))
        brain.order(generate(2))

    brain = thought(scene, faults=3)
    gone = ev.PartFailed("engine", True, "ConnectionError: engine is gone")
    assert [what for _, what in brain.events[:4]] == [gone, gone, gone, ev.GenerationEnded(1, "failed", 0)]
    assert brain.events[-1][1] == ev.GenerationEnded(2, "said", 15)


def test_a_stream_is_closed_when_its_reply_is_cancelled() -> None:
    closed: list[bool] = []

    class Watched(FakeSession):
        async def stream(
            self, suffix: Sequence[int] = (), *, max_tokens: int, stop_ids: Iterable[int] = (), grammar: Any = None,
            keep: bool = False,
        ) -> AsyncIterator[Sequence[int]]:  # fmt: skip
            try:
                async for tokens in super().stream(suffix, max_tokens=max_tokens, keep=keep):
                    yield tokens
            finally:
                closed.append(True)

    async def scene(brain: Brain) -> None:
        brain.thinking._session = Watched(brain.engine, [])
        brain.order(generate(1))
        await asyncio.sleep(0.099)
        brain.order(do.CancelGeneration(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert closed == [True]

    thought(scene)
