"""Generated calls by voice against the front desk: how quick the turns are, and whether the calendar is right.

The caller is closed-loop and speaks with a festival or flite voice; detector, recogniser, model and voice are the real
ones; time is virtual with measured cost, so machine load changes latencies little and outcomes not at all. Turns are
measured from the caller's labels, never from our own detector.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..agent import Agent
from ..agent_module import load_module
from ..boxed import FRONT_DESK, cache_folder
from ..call import play_call
from ..clock import MeasuredCost, run_virtual
from ..events import ToolReturned
from ..latency import CallLatency, measure, summary
from ..log import FileLog
from ..parts import Parts, open_parts
from ..testing import synthesis
from ..testing.generate import GoalCaller, generate_caller
from ..testing.goal import calendar_as_wished
from ..testing.script_file import load_script
from .figure import Figure

__all__ = ["Played", "figures", "play_generated"]

FIRST_SEED = 10_000
"""Seeds of the figures; development uses others, so these calls are new to every setting that was tuned."""


@dataclass
class Played:
    """What became of a series of calls."""

    latencies: list[CallLatency] = field(default_factory=list)
    right: list[int] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    unasked_writes: list[int] = field(default_factory=list)
    """Calls that changed the calendar in a way nobody wished: the worst that can happen."""


def play_generated(
    count: int,
    *,
    first_seed: int = FIRST_SEED,
    keep: Path | None = None,
    shipped: bool = True,
    cores: int = 2,
    voice: str = "slt",
) -> Played:
    """Play the shipped call and `count` generated ones. `keep`: folder for their logs; `voice`: of the generated
    callers. Raises `SynthesisError`."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    return run_virtual(_play(count, first_seed, keep, shipped, voice), MeasuredCost(cores))


async def _play(count: int, first_seed: int, keep: Path | None, shipped: bool, voice: str) -> Played:
    agent = Agent.load(FRONT_DESK)
    desk = load_module(FRONT_DESK / "tools.py")
    assert agent.today is not None, "the front desk pins its date"
    before = [tuple(row) for row in desk.first_calendar(agent.today)]
    booked = [(day, name) for day, _, _, name in before if name is not None]
    played = Played()
    async with open_parts(agent) as parts:
        if shipped:
            caller = load_script(FRONT_DESK / "calls" / "demo")
            with tempfile.TemporaryDirectory() as folder:
                call = await play_call(agent, caller, parts, folder=Path(folder), today=agent.today)
            played.latencies.append(measure(call.entries, caller.labels()))
        for seed in range(first_seed, first_seed + count):
            goal_caller = generate_caller(
                seed, voice=voice, cache=cache_folder() / "clips", booked=booked, noise_dbfs=-72.0
            )
            await _play_one(agent, goal_caller, parts, seed, before, played, desk, keep)
    return played


async def _play_one(
    agent: Agent,
    caller: GoalCaller,
    parts: Parts,
    seed: int,
    before: list[tuple[str, str, str, str | None]],
    played: Played,
    desk: object,
    keep: Path | None,
) -> None:
    assert agent.today is not None
    with tempfile.TemporaryDirectory() as folder:
        log = FileLog(keep / f"{seed}.jsonl") if keep is not None else None
        call = await play_call(
            agent, caller, parts, folder=Path(folder), today=agent.today, call_id=f"seed-{seed}", log=log
        )
        after = [tuple(row) for row in desk.calendar(Path(folder))] or before  # type: ignore[attr-defined]
    played.latencies.append(measure(call.entries, caller.labels()))
    good = caller.wish.complete and after == calendar_as_wished(before, caller.wish)
    (played.right if good else played.wrong).append(seed)
    wrote = any(isinstance(e.what, ToolReturned) and e.what.result == "ok" for e in call.entries)
    if wrote and not good:
        played.unasked_writes.append(seed)


def figures(count: int = 50) -> Iterator[Figure]:
    """First sound, cut-ins, yield, backchannels and right calendars."""
    keys = ("first_sound_p50_ms", "cut_in_share", "yield_p95_ms", "backchannel_cut_share", "calendar_right")
    if (why := synthesis.available()) is not None:
        for key in keys:
            yield Figure(key, None, "", reason=f"no caller voice: {why}")
        return
    played = play_generated(count)
    table = {figure.key: figure for figure in summary(played.latencies)}
    sound, yielded = table["first_sound"], table["yield"]
    yield Figure(keys[0], sound.value, "ms", sound.n, sound.p95)
    yield Figure(keys[1], table["cut_ins"].value, "share of turns", table["cut_ins"].n)
    yield Figure(keys[2], yielded.p95, "ms", yielded.n, yielded.p95)
    hums = table["backchannels_cut"]
    yield Figure(keys[3], hums.value, "share of backchannels", hums.n)
    yield Figure(keys[4], len(played.right) / max(1, count), "share of calls", count)
