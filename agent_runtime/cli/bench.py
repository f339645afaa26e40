"""``duologue bench``: the figures of a part of the program, each with its command, machine and date; and curves."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from ..bench import Figure, machine
from ..bench.suites import SUITES, Group, Suite
from ..clock import today
from .options import count

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.description = """\
Measure this code on this machine; each figure comes with its unit, sample
size and spread."""
    groups = "\n\n".join(_listed(part, suite) for part, suite in SUITES.items())
    parser.epilog = f"""\
groups, in the order in which they run (cheap ones first):

{groups}

endpointing, what quick turn ends cost: three curves over simulated pauses and,
where DUOLOGUE_CALLS is set, over those of a recorded caller

examples:
  duologue bench core --only start event model
  duologue bench core --json > figures.json
  duologue bench model --only batch8_speedup
  duologue bench thinking --only waterfall --picture thinking.svg
  duologue bench endpointing --picture turn-ends.svg"""
    parts = (*SUITES, "endpointing")
    parser.add_argument("part", metavar="PART", choices=parts, help=f"whose figures: {', '.join(parts)}")
    parser.add_argument("--only", nargs="+", metavar="GROUP", help="measure only these groups (see below)")
    parser.add_argument(
        "--calls",
        type=count,
        metavar="N",
        help="calls of a group (default: core 50, words 510, voice 300, waterfall and boxed 12, writes 10000, "
        "endpointing 60); of load the most at once",
    )
    parser.add_argument("--runs", type=count, default=20, metavar="N", help="runs of the demo call (default 20)")
    parser.add_argument(
        "--picture", type=Path, metavar="FILE", help="thinking, waterfall and endpointing: draw it there, as SVG"
    )
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object, key -> figure; what was not measured is null"
    )


def _listed(part: str, suite: Suite) -> str:
    """A suite's groups for the help text, one a line."""
    width = max(map(len, suite.groups)) + 2
    return "\n".join([f"{part}, {suite.says}:", *(f"  {name:<{width}}{g.says}" for name, g in suite.groups.items())])


def run(options: Namespace) -> int:
    """Measure and print. Raises `ValueError` for a group that the part has not."""
    if options.part == "endpointing":
        return _curves(options)
    groups = SUITES[options.part].groups
    for name in options.only or ():
        if name not in groups:
            raise ValueError(f"--only: invalid choice: {name!r} (choose from {', '.join(groups)})")
    where, day = machine(), today().isoformat()
    found: dict[str, Figure] = {}
    for name, group in groups.items():
        if options.only and name not in options.only:
            figures: Sequence[Figure] = [Figure(key, None, "", reason="not asked for (--only)") for key in group.keys]
        else:
            figures = _measured(group, options)
        for figure in figures:
            found[figure.key] = replace(
                figure, command=_command(options.part, name, group, options), machine=where, date=day
            )
            if not options.only or name in options.only:
                print(_line(figure), file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        print(json.dumps({key: figure.as_json() for key, figure in found.items()}, indent=2))
    else:
        print(f"\n{where}, {day}")
    return 0


def _curves(options: Namespace) -> int:
    """Print the curves of turn ends, and draw those over simulated pauses or, if there are any, over recorded ones."""
    from ..bench.endpointing import curves, picture, simulated_callers
    from ..bench.recorded_pauses import recorded

    calls = options.calls or 60
    found = {f"{calls} simulated callers": curves(simulated_callers(calls))}
    places, why = recorded()
    if places:
        found["the recorded caller"] = curves(places)
    else:
        print(f"no recorded caller: {why}", file=sys.stderr)
    if options.json:
        print(json.dumps({source: [asdict(curve) for curve in ways] for source, ways in found.items()}, indent=2))
    for source, ways in found.items() if not options.json else ():
        for curve in ways:
            print(f"\n{source}, {curve.way}: {curve.ends} turn ends, {curve.pauses} pauses inside turns")
            print("    knob  gap p50  gap p95  cut-ins")
            for at in curve.points:
                print(f"{at.knob:8g} {at.gap_p50_ms:6.0f} ms {at.gap_p95_ms:5.0f} ms {100 * at.cut_in_share:7.1f} %")
    if not options.json:
        print(f"\n{machine()}, {today().isoformat()}")
    if options.picture is not None:
        source, ways = list(found.items())[-1]
        title = f"pauses inside turns taken for ends, {source}"
        options.picture.write_text(picture(ways, title), "utf-8")
    return 0


def _measured(group: Group, options: Namespace) -> list[Figure]:
    """The figures of a group; what cannot be measured here is null and says why, and the others go on."""
    if group.measure is None:
        return [Figure(key, None, "", reason="not measured by this version") for key in group.keys]
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


def _command(part: str, name: str, group: Group, options: Namespace) -> str:
    """The command that measures this group again, and nothing else."""
    given = [(option, getattr(options, option)) for option in group.options]
    values = "".join(f" --{option} {value}" for option, value in given if value is not None)
    return f"duologue bench {part} --only {name}{values}"


def _line(figure: Figure) -> str:
    if figure.value is None:
        return f"{figure.key:<24} -         {figure.reason}"
    p95 = f"  p95 {figure.p95:g}" if figure.p95 is not None else ""
    return f"{figure.key:<24} {figure.value:<9g} {figure.unit}  n={figure.n}{p95}"
