"""``duologue bench core``: the figures of the call core, each with its command, machine and date."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from ..bench import Figure, machine
from ..clock import today
from .options import count

__all__ = ["GROUPS", "Group", "arguments", "run"]


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that are measured together. `options`: those of the command that change them."""

    keys: tuple[str, ...]
    says: str
    measure: Callable[[Namespace], Iterable[Figure]]
    options: tuple[str, ...] = ()


def _start(options: Namespace) -> list[Figure]:
    from ..bench.engine import start

    return [start()]


def _event(options: Namespace) -> list[Figure]:
    from ..bench.engine import event_cost

    return [event_cost()]


def _model(options: Namespace) -> Iterable[Figure]:
    from ..bench.engine import model_speed

    return model_speed()


def _scripted(options: Namespace) -> list[Figure]:
    from ..bench.replays import scripted_call

    return [scripted_call()]


def _recorded(options: Namespace) -> Iterable[Figure]:
    from ..bench.recorded import recorded_call

    return recorded_call()


def _identical(options: Namespace) -> list[Figure]:
    from ..bench.replays import identical_logs

    return [identical_logs(options.runs)]


def _calls(options: Namespace) -> Iterable[Figure]:
    from ..bench.calls import figures

    return figures(options.calls)


GROUPS: dict[str, Group] = {
    "start": Group(("start_s",), "from nothing to the first ready call, a new process each time", _start),
    "event": Group(("event_cost_us",), "what an event costs: bus, log and mind", _event),
    "model": Group(("extend5_ms", "decode_tok_s"), "the language model in the box on one thread", _model),
    "scripted": Group(("replay_scripted_speed",), "a 600 s call of words, no audio", _scripted),
    "recorded": Group(
        ("replay_call_speed", "commits_with_recorded_agent", "commits_alone"),
        "a recorded call through everything (DUOLOGUE_CALLS)",
        _recorded,
    ),
    "identical": Group(("identical_logs",), "the demo call again and again, byte by byte", _identical, ("runs",)),
    "calls": Group(
        ("first_sound_p50_ms", "cut_in_share", "yield_p95_ms", "backchannel_cut_share", "calendar_right"),
        "generated calls by voice: turns and calendars (flite, festival)",
        _calls,
        ("calls",),
    ),
}


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.description = """\
Measure this code on this machine; each figure comes with its unit, sample
size and spread."""
    groups = "\n".join(f"  {name:<11}{group.says}" for name, group in GROUPS.items())
    parser.epilog = f"""\
groups, in the order in which they run (cheap ones first):
{groups}

examples:
  duologue bench core --only start event model
  duologue bench core --json > figures.json"""
    parser.add_argument("part", metavar="core", choices=("core",), help="the call core: the one part with figures")
    parser.add_argument(
        "--only", nargs="+", choices=tuple(GROUPS), metavar="GROUP", help="measure only these groups (see below)"
    )
    parser.add_argument("--calls", type=count, default=50, metavar="N", help="generated calls (default 50)")
    parser.add_argument("--runs", type=count, default=20, metavar="N", help="runs of the demo call (default 20)")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, key -> figure; what was not measured is null"
    )


def run(options: Namespace) -> int:
    """Measure and print."""
    where, day = machine(), today().isoformat()
    found: dict[str, Figure] = {}
    for name, group in GROUPS.items():
        if options.only and name not in options.only:
            figures: Sequence[Figure] = [Figure(key, None, "", reason="not asked for (--only)") for key in group.keys]
        else:
            figures = _measured(group, options)
        for figure in figures:
            found[figure.key] = replace(figure, command=_command(name, group, options), machine=where, date=day)
            if not options.only or name in options.only:
                print(_line(figure), file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        print(json.dumps({key: figure.as_json() for key, figure in found.items()}, indent=2))
    else:
        print(f"\n{where}, {day}")
    return 0


def _measured(group: Group, options: Namespace) -> list[Figure]:
    """The figures of a group; what cannot be measured here is null and says why, and the others go on."""
    found: list[Figure] = []
    reason = ""
    try:
        found.extend(group.measure(options))
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
    known = {figure.key for figure in found}
    return found + [
        Figure(key, None, "", reason=reason or "nothing was measured") for key in group.keys if key not in known
    ]


def _command(name: str, group: Group, options: Namespace) -> str:
    """The command that measures this group again, and nothing else."""
    values = "".join(f" --{option} {getattr(options, option)}" for option in group.options)
    return f"duologue bench core --only {name}{values}"


def _line(figure: Figure) -> str:
    if figure.value is None:
        return f"{figure.key:<24} -         {figure.reason}"
    p95 = f"  p95 {figure.p95:g}" if figure.p95 is not None else ""
    return f"{figure.key:<24} {figure.value:<9g} {figure.unit}  n={figure.n}{p95}"
