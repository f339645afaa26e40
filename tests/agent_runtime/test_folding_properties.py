"""Any plausible order of events with a look-up in the background: the promises hold, and no result is lost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.commands import Command, Decision
from agent_runtime.folding import STARTED
from agent_runtime.record import Entry
from policies.speculation import ThinkingSettings
from policies.trajectory import Role
from tests.agent_runtime.organs import World
from tests.agent_runtime.scenes import NOTHING_AHEAD
from tests.agent_runtime.test_mind_properties import Pick, play, seeded
from tests.agent_runtime.watch import Watch

SEEDED_CALLS = 120
SLOW = "find_slots"


class FoldingWatch(Watch):
    """The rules of `Watch`, where a call in the background is no call of the turn and a fold-in gives no way."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.background: dict[int, str] = {}
        self._folds = False

    def _before(self, entry: Entry, orders: list[Command]) -> None:
        what = entry.what
        if isinstance(what, (ev.ToolReturned, ev.ToolFailed)) and what.call in self.background:
            assert self.background.pop(what.call) == what.tool, "it ran once"
            return
        super()._before(entry, orders)

    def _order(self, order: Command, entry: Entry) -> None:
        if isinstance(order, do.CallTool) and order.tool == SLOW:
            self._next("call", order.call)
            assert order.tool not in self.background.values(), "the same is not asked twice at a time"
            self.background[order.call] = order.tool
            return
        if isinstance(order, Decision):
            self._folds = order.reason.startswith(("fold in", "write again"))
        if isinstance(order, do.CancelGeneration) and self._folds:
            assert order.generation == self.generating
            self.generating = None
            return
        if isinstance(order, do.Trim):
            assert order.utterance not in self.over, "what is over is not cut"
            assert not self.world.mind.floor.caller_speaking, "an overlap is decided first"
            return
        super()._order(order, entry)

    def _written(self) -> None:
        """What was heard stands in the stream, and every result behind its call, once."""
        segments = self.world.mind.conversation.committed.segments
        stream = iter(segment.text for segment in segments if segment.role is Role.SAY)
        for e in self.world.events:
            if isinstance(e.what, ev.UtteranceEnded) and e.what.utterance in self.world.voice.answers:
                heard = self.world.voice.heard[e.what.utterance]
                assert not heard or heard in stream, "what was heard stands there, in order"
        for before, here in pairwise(segments):
            if here.role is Role.RESULT:
                assert before.role in (Role.CALL, Role.FILLER), "a result stands behind its call"
        returned = sum(isinstance(e.what, ev.ToolReturned) and e.what.tool == SLOW for e in self.world.events)
        failed = sum(isinstance(e.what, ev.ToolFailed) and e.what.tool == SLOW for e in self.world.events)
        results = [
            here.text
            for before, here in pairwise(segments)
            if here.role is Role.RESULT and before.role is Role.CALL and before.text.startswith(SLOW)
        ]
        news = self.world.mind.answering.folding.news
        assert len([text for text in results if text != STARTED]) + len(news) == returned + failed, "none is lost"


def keen(seed: int) -> Pick:
    """Choices of a seed, where the agent likes to look things up and to talk at length."""
    plain, draw = seeded(seed), random.Random(-seed)

    def pick(choices: Sequence[Any]) -> Any:
        wished = [kind for kind in ("find", "long") if kind in choices]
        return draw.choice(wished) if wished and draw.random() < 0.7 else plain(choices)

    return pick


def test_seeded_calls_lose_no_result_and_tell_none_twice() -> None:
    seen: Counter[str] = Counter()
    for seed in range(SEEDED_CALLS):
        ahead = NOTHING_AHEAD if seed % 2 else ThinkingSettings()  # what is ready before is seldom folded in
        watch = FoldingWatch(World(background={SLOW}, thinking=ahead))
        try:
            play(keen(seed), 120, watch)
        except AssertionError as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        for order in watch.world.orders:
            what = order.what
            seen[what.reason.partition(":")[0] if isinstance(what, Decision) else type(what).__name__] += 1
    assert seen["Trim"] >= 5, f"folding was tried: {seen}"
    assert seen["write again"] >= 5, f"writing again was tried: {seen}"
