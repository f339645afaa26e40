"""Two ways to ask "what if" of a recorded call: refold (same events, today's decisions) and compare (two logs).

Refold needs no engine and no audio: the mind is pure, so the events of the log must lead to the commands of the log.
The first that do not are named, with both versions. Nothing else is read than logs and an agent.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .agent import Agent
from .commands import Command, Decision
from .events import CallEnded, CallStarted, Event
from .mind import Mind
from .parts import mind_settings
from .record import Entry, encode

__all__ = ["Difference", "compare", "refold"]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first place where two versions of a call part."""

    seq: int
    """Number of the entry in the (first) log; the commands that follow from it, or it itself, differ."""
    recorded: tuple[str, ...]
    """Lines as they stand in the log."""
    found: tuple[str, ...]
    """Lines of the other version."""

    def __str__(self) -> str:
        recorded = "\n".join(f"  - {line}" for line in self.recorded) or "  - (nothing)"
        found = "\n".join(f"  + {line}" for line in self.found) or "  + (nothing)"
        return f"first difference at seq {self.seq}:\n{recorded}\n{found}"


def refold(entries: Sequence[Entry], agent: Agent) -> Difference | None:
    """Feed the events of a log to today's mind; the first event whose commands differ, or None."""
    started = entries[0].what if entries else None
    if not isinstance(started, CallStarted):
        raise ValueError("the log is empty or does not begin with CallStarted; nothing to refold")
    if agent.awaits_tools:
        raise ValueError(
            "some of the agent's tools are known to its servers and thinker only; give with_served_tools(agent)"
        )
    mind = Mind(mind_settings(agent, datetime.date.fromisoformat(started.wall_date)))
    recorded: dict[int, list[Entry]] = {}
    for entry in entries:
        if isinstance(entry.what, Command):
            recorded.setdefault(entry.cause, []).append(entry)
    # The mind sees events in the order of the log; CallEnded comes after it has decided for the last time.
    last_decided = max(recorded, default=0)
    cut_off = not isinstance(entries[-1].what, CallEnded)
    for entry in entries:
        if not isinstance(entry.what, Event) or isinstance(entry.what, CallEnded) or entry.seq > last_decided:
            continue
        then = [_bare(e.what) for e in recorded.get(entry.seq, [])]
        now = [_bare(command) for command in mind.receive(entry)]
        if cut_off and entry.seq == last_decided:
            now = now[: len(then)]  # a crash took the rest of them
        if then != now:
            return Difference(entry.seq, tuple(then), tuple(now))
    return None


def compare(first: Sequence[Entry], second: Sequence[Entry]) -> Difference | None:
    """The first decision (speak, wait, tool...) in which two logs of the same call differ, or None."""
    ours, theirs = list(_decisions(first)), list(_decisions(second))
    for (seq, mine), (_, other) in zip(ours, theirs, strict=False):
        if (mine.action, mine.reason) != (other.action, other.reason):
            return Difference(seq, (_bare(mine),), (_bare(other),))
    if len(ours) != len(theirs):
        at = min(len(ours), len(theirs))
        seq = ours[at][0] if at < len(ours) else ours[-1][0] if ours else 0
        return Difference(
            seq, tuple(_bare(d) for _, d in ours[at : at + 1]), tuple(_bare(d) for _, d in theirs[at : at + 1])
        )
    return None


def _decisions(entries: Sequence[Entry]) -> Iterator[tuple[int, Decision]]:
    for entry in entries:
        if isinstance(entry.what, Decision):
            yield entry.seq, entry.what


def _bare(what: Event | Command) -> str:
    """An entry's content without its stamp."""
    return encode(Entry(0, 0, 0, what))
