"""What `demo` and `replay` share: a call played with its conversation on the screen, and its folder completed."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, TextIO

from ..agent import Agent
from ..bus import Watcher
from ..call import Call, run_call
from ..clock import stopwatch
from ..labels import Labels
from ..latency import as_json, measure, summary
from ..narration import Narrator
from ..report import write_report

__all__ = ["FRONT_DESK", "finish", "free_folder", "load_agent", "play"]

_SOURCE = Path(__file__).parent.parent.parent / "examples" / "front_desk"
_SHIPPED = Path(__file__).parent.parent / "examples" / "front_desk"
FRONT_DESK = _SOURCE if _SOURCE.is_dir() else _SHIPPED
"""The example agent: in a checkout, or beside the installed package."""


def load_agent(folder: str | None) -> Agent:
    """The agent of a folder, or the front desk."""
    return Agent.load(folder or FRONT_DESK)


def free_folder(parent: Path, name: str) -> Path:
    """The first of ``name-1``, ``name-2``... in `parent` that does not exist."""
    number = 1
    while (parent / f"{name}-{number}").exists():
        number += 1
    return parent / f"{name}-{number}"


def play(agent: Agent, door: Any, options: Namespace, *, out: Path | None, audio: bool = True) -> tuple[Call, float]:
    """Play a call, telling it as it goes unless ``--json``; returns the call and the real seconds it took."""
    watchers: list[Watcher] = []
    if not options.json:
        watchers.append(Narrator(sys.stdout, why=options.why).entry)
    took_s = stopwatch()
    call = run_call(
        agent,
        door,
        out=out,
        cost="live" if getattr(options, "realtime", False) else options.cost,
        cores=options.cores,
        call_id=options.call_id,
        watchers=watchers,
        audio=audio,
    )
    return call, took_s()


def finish(call: Call, labels: Labels | None, took_s: float, options: Namespace, *, extra: dict[str, Any]) -> None:
    """Write the report beside the call and print what there is to know."""
    latency = measure(call.entries, labels)
    if call.folder is not None:
        sound = call.folder / "call.wav"
        write_report(call.entries, call.folder / "report.html", sound if sound.exists() else None, labels)
    length_s = call.entries[-1].at_s
    if options.json:
        print(json.dumps(_summary(call, took_s, length_s) | {"latency": as_json([latency])} | extra, indent=2))
        return
    _print_figures(sys.stdout, summary([latency]))
    ended = call.ended
    print(f"\nended: {ended.reason.replace('_', ' ')}{f' ({ended.detail})' if ended.detail else ''}")
    print(f"{length_s:.1f} s of call in {took_s:.1f} s ({length_s / max(took_s, 1e-9):.1f}x real time)")
    if call.folder is not None:
        print(f"written to {call.folder}: " + ", ".join(sorted(path.name for path in call.folder.iterdir())))


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


def _print_figures(stream: TextIO, figures: Any) -> None:
    stream.write("\n")
    for figure in figures:
        if figure.value is None:
            continue
        p95 = f"   p95 {figure.p95:.0f}" if figure.p95 is not None else ""
        stream.write(f"  {figure.name:<44} {figure.value:>8.0f} {figure.unit:<4} n={figure.n}{p95}\n")
