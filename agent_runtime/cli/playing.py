"""What `demo` and `replay` share: their options, a call played with its conversation on the screen, and its figures."""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from ..account import account, line
from ..agent import Agent
from ..boxed import FRONT_DESK
from ..bus import Watcher
from ..call import Call, CallError, run_call
from ..clock import stopwatch
from ..labels import Labels
from ..latency import Figure, ImpossibleOrder, as_json, measure, summary
from ..narration import Narrator
from .options import cores, iso_date

__all__ = ["calling_options", "finish", "free_folder", "load_agent", "new_folder", "play"]


def load_agent(folder: str | None) -> Agent:
    """The agent of a folder, or the front desk."""
    return Agent.load(FRONT_DESK if folder is None else folder)


def free_folder(parent: Path, name: str) -> Path:
    """The first of ``name-1``, ``name-2``... in `parent` that does not exist."""
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def new_folder(name: str | None) -> Path | None:
    """Where ``--out`` wants the call; None where it was not given. Raises `CallError` for what cannot be made."""
    if name is None:
        return None
    if not name.strip():
        raise CallError("--out is empty; name a new folder")
    if os.path.lexists(name):
        raise CallError(f"--out {name} exists; name a new folder, or remove it first")
    return Path(name)


def calling_options(parser: ArgumentParser, *, cost: str, call_id: str) -> None:
    """The options that say how a call is played and shown."""
    parser.add_argument(
        "--cost",
        choices=("model", "measured"),
        default=cost,
        help=f"what work costs in virtual time: stated figures, the log then is always the same; or the CPU seconds it "
        f"took, latencies then are true (default {cost})",
    )
    parser.add_argument(
        "--cores", type=cores, default=2, metavar="N", help="virtual cores for --cost measured (default 2)"
    )
    parser.add_argument("--realtime", action="store_true", help="play it as it would be live, a second a second")
    parser.add_argument("--why", action="store_true", help="show every decision with its reason")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the conversation")
    parser.add_argument(
        "--today", type=iso_date, metavar="DATE", help="the agent's today, like 2026-11-23 (default: the agent's own)"
    )
    parser.add_argument(
        "--call-id", default=call_id, metavar="NAME", help=f"name of the call in its log (default {call_id})"
    )


def play(agent: Agent, door: Any, options: Namespace, *, out: Path | None) -> tuple[Call, float]:
    """Play a call, telling it as it goes unless ``--json``; returns the call and the real seconds it took."""
    day = options.today or agent.today
    if day is None:
        raise CallError(f"agent {agent.name!r} has no date; give --today, or set today in [agent] of its agent.toml")
    took_s = stopwatch()
    narrator = Narrator(sys.stdout, why=options.why, length_s=getattr(door, "duration_s", None), stopwatch=took_s)
    watchers: list[Watcher] = [] if options.json else [narrator.entry]
    try:
        call = run_call(
            agent,
            door,
            out=out,
            cost="live" if options.realtime else options.cost,
            cores=options.cores,
            today=day,
            call_id=options.call_id,
            watchers=watchers,
        )
    finally:
        narrator.close()
    return call, took_s()


def finish(
    call: Call, labels: Labels | None, took_s: float, options: Namespace, *, extra: dict[str, Any] | None = None
) -> int:
    """Print what there is to know of a call; the exit code: 1 where it failed."""
    try:
        latency, trouble = [measure(call.entries, labels)], ""
    except ImpossibleOrder as error:
        latency, trouble = [], f"not measured: {error}"
    length_s = call.entries[-1].at_s
    code = 1 if call.ended.reason == "failed" else 0
    if options.json:
        print(json.dumps(_summary(call, took_s, length_s) | {"latency": as_json(latency)} | (extra or {}), indent=2))
        return code
    if labels is None:
        trouble = trouble or "estimates: no labels say when the caller really spoke"
    _print_figures(sys.stdout, summary(latency), trouble)
    if ahead := line([account(call.entries)]):
        print(f"\n  {ahead}")
    ended = call.ended
    print(f"\nended: {ended.reason.replace('_', ' ')}{f' ({ended.detail})' if ended.detail else ''}")
    print(f"{length_s:.1f} s of call in {took_s:.1f} s ({length_s / max(took_s, 1e-9):.1f}x real time)")
    if call.folder is not None:
        print(f"written to {call.folder}: " + ", ".join(sorted(path.name for path in call.folder.iterdir())))
    return code


def _summary(call: Call, took_s: float, length_s: float) -> dict[str, Any]:
    return {
        "ended": call.ended.reason,
        "detail": call.ended.detail,
        "length_s": round(length_s, 3),
        "took_s": round(took_s, 3),
        "folder": str(call.folder) if call.folder else None,
        "conversation": [{"party": party, "words": words} for party, words in call.transcript],
        "tools": [{"tool": tool, "result": result} for tool, result in call.tool_results],
    }


def _print_figures(stream: TextIO, figures: Sequence[Figure], note: str) -> None:
    known = [figure for figure in figures if figure.value is not None]
    if known or note:
        stream.write("\n" + (f"  ({note})\n" if note else ""))
    for figure in known:
        assert figure.value is not None
        share = figure.unit == "share"
        value = f"{100 * figure.value:>8.0f} %   " if share else f"{figure.value:>8.0f} {figure.unit:<4}"
        p95 = f"   p95 {figure.p95:.0f}" if figure.p95 is not None else ""
        stream.write(f"  {figure.name:<44} {value} n={figure.n}{p95}\n")
