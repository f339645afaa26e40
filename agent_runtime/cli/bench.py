"""``duologue bench core``: the figures of the call core, each with its command, machine and date."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable
from dataclasses import replace

from ..bench import Figure, machine
from ..bench.calls import figures as call_figures
from ..bench.engine import event_cost, model_speed, start
from ..bench.replays import identical_logs, recorded_call, scripted_call
from ..clock import today

__all__ = ["arguments", "run"]

GROUPS: dict[str, Callable[[Namespace], Iterable[Figure]]] = {
    "start": lambda options: [start()],
    "event": lambda options: [event_cost()],
    "model": lambda options: model_speed(),
    "scripted": lambda options: [scripted_call()],
    "recorded": lambda options: [recorded_call()],
    "identical": lambda options: [identical_logs(options.runs)],
    "calls": lambda options: call_figures(options.calls),
}


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("what", choices=("core",), help="which part of the runtime")
    parser.add_argument("--only", nargs="+", choices=tuple(GROUPS), help="measure only these groups")
    parser.add_argument("--calls", type=int, default=50, help="generated calls by voice (default 50)")
    parser.add_argument(
        "--runs", type=int, default=20, help="runs of the shipped call compared byte by byte (default 20)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, key -> figure")


def run(options: Namespace) -> int:
    """Measure and print."""
    command = "duologue bench core" + (f" --only {' '.join(options.only)}" if options.only else "")
    where, day = machine(), today().isoformat()
    found: dict[str, Figure] = {}
    for name, measure in GROUPS.items():
        if options.only and name not in options.only:
            continue
        for figure in measure(options):
            done = replace(figure, command=command, machine=where, date=day)
            found[done.key] = done
            if not options.json:
                print(_line(done), flush=True)
            else:
                print(_line(done), file=sys.stderr, flush=True)
    if options.json:
        print(json.dumps({key: figure.as_json() for key, figure in found.items()}, indent=2))
    return 0


def _line(figure: Figure) -> str:
    if figure.value is None:
        return f"{figure.key:<24} -         {figure.reason}"
    p95 = f"  p95 {figure.p95:g}" if figure.p95 is not None else ""
    return f"{figure.key:<24} {figure.value:<9g} {figure.unit}  n={figure.n}{p95}"
