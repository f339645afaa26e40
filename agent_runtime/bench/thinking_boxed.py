"""The levels of `bench thinking` with the model in the box: real replies, and what they cost on one core.

The front desk answers callers with a goal, by words; a canned recogniser's delays and a voice of time frame it. Time is
virtual and charged with the CPU seconds that each of the model's jobs took. The prompt is the desk's own card.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from policies.trajectory import Trajectory

from ..agent import Agent
from ..boxed import FRONT_DESK
from ..call import play_call
from ..clock import MeasuredCost, run_virtual
from ..latency import measure
from ..parts import open_parts
from ..testing.fakes import TimedVoice
from ..testing.generate import generate_caller
from .figure import Figure
from .thinking import LEVELS, Level, Run
from .thinking_figures import ratio, spread, waste
from .thinking_suite import BOXED_KEYS
from .thinking_work import Uncached

__all__ = ["CALLS", "figures", "play_levels"]

CALLS = 12
FIRST_SEED = 20_000
"""Seeds that no other figure uses."""


def play_levels(calls: int = CALLS, *, tell: Callable[[Run], None] = lambda run: None) -> list[Run]:
    """The same callers at each level, on one virtual core."""
    runs = []
    for level in LEVELS:
        runs.append(run_virtual(_play(level, calls), MeasuredCost(1)))
        tell(runs[-1])
    return runs


async def _play(level: Level, calls: int) -> Run:
    agent = replace(Agent.load(FRONT_DESK), thinking=level.thinking, filler=level.filler)
    assert agent.today is not None, "the front desk pins its date"
    async with open_parts(agent, words_only=True, voice=TimedVoice()) as parts:
        card = parts.language.encode(Trajectory.of([agent.card(agent.today)]))
        run = Run(level.letter, len(card))
        if not level.cached:
            parts = replace(parts, engine=Uncached(parts.engine))
        for seed in range(FIRST_SEED, FIRST_SEED + calls):
            caller = generate_caller(seed)
            with tempfile.TemporaryDirectory() as folder:
                call = await play_call(
                    agent, caller, parts, folder=Path(folder), today=agent.today, call_id=f"seed-{seed}", audio=False
                )
            run.take(call.entries, measure(call.entries, caller.labels()), {})
    return run


def figures(runs: Sequence[Run]) -> Iterator[Figure]:
    """A median for each level, and what F gains and wastes."""
    for key, run in zip(BOXED_KEYS, runs, strict=False):
        yield spread(key, "ms, front desk by words, CPU time on one core", run.first_answers())
    yield ratio(BOXED_KEYS[-3], runs, "B")
    last = runs[-1]
    yield Figure(BOXED_KEYS[-2], last.cut_in_share, "share of turns", len(last.turns))
    yield waste(BOXED_KEYS[-1], last)
