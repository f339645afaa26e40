"""A real two-party telephone call replayed: how fast, and our turn ends beside what the recorded agent did.

The recorded agent is no truth and has no target: it may answer late, talk over the caller or wait for something we do
not know. Its speech shows where a person took the floor.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..agent import Agent
from ..boxed import FRONT_DESK
from ..call import run_call
from ..clock import stopwatch
from ..commands import Decision
from ..doors.recording import RecordingDoor
from ..record import Entry
from .figure import Figure, percentile

__all__ = ["commits", "compare", "recorded_call"]

EARLY_S = 1.0
"""A turn taken up to this long after the recorded agent began counts as the same change of the floor."""
LATE_S = 3.0
"""A turn taken this long before the recorded agent began, or not followed by it at all, counts as ours alone."""

Spans = Sequence[tuple[float, float]]


def recorded_call(repeats: int = 3) -> Iterator[Figure]:
    """Speed of the replay with real parts, audio written; then how our commits stand to the recorded agent's turns."""
    calls = os.environ.get("DUOLOGUE_CALLS")
    source = Path(calls) / "call40" if calls else None
    if source is None or not source.is_dir():
        why = "set DUOLOGUE_CALLS to the folder that holds call40"
        for key in ("replay_call_speed", "commits_with_recorded_agent", "commits_alone"):
            yield Figure(key, None, "", reason=why)
        return
    agent = Agent.load(FRONT_DESK)
    speeds: list[float] = []
    entries: Sequence[Entry] = ()
    for number in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            took_s = stopwatch()
            call = run_call(agent, RecordingDoor(source), out=Path(folder) / f"call-{number}", cost="model")
            speeds.append(call.entries[-1].at_s / took_s())
            entries = call.entries
    yield Figure("replay_call_speed", round(percentile(speeds, 50), 1), "x real time", repeats, round(min(speeds), 1))
    segments = json.loads((source / "segments.json").read_text("utf-8"))
    ours = commits(entries)
    shared, turns = compare(ours, segments["caller"], segments["agent"])
    yield Figure("commits_with_recorded_agent", round(shared / max(1, turns), 3), "share of its turns", turns)
    yield Figure("commits_alone", len(ours) - shared, "of our commits", len(ours))


def commits(entries: Sequence[Entry]) -> list[float]:
    """Seconds at which the caller's turn was taken as over."""
    return [
        entry.at_s
        for entry in entries
        if isinstance(entry.what, Decision) and entry.what.reason.startswith("turn over")
    ]


def compare(ours: Sequence[float], caller: Spans, agent: Spans) -> tuple[int, int]:
    """(changes of the floor that we took too, all changes from caller to agent in the recording); times in seconds.

    A change is an agent segment that begins after the caller spoke since the agent's last one.
    """
    shared = turns = 0
    before = 0.0
    left = sorted(ours)
    for begun, ended in agent:
        spoken = [end for start, end in caller if before <= start < begun]
        before = ended
        if not spoken:
            continue
        turns += 1
        near = [at for at in left if max(min(spoken), begun - LATE_S) <= at <= begun + EARLY_S]
        if near:
            shared += 1
            left.remove(near[-1])
    return shared, turns
