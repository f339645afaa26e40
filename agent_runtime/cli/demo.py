"""``duologue demo``: a caller books a visit by voice, on this machine, with no key and no network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..agent_module import load_module
from ..testing.script_file import load_script
from .playing import FRONT_DESK, finish, free_folder, load_agent, play

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--out", metavar="DIR", help="folder to write the call to (default: the next calls/demo-N)")
    parser.add_argument(
        "--cost", choices=("model", "measured"), default="measured", help="what work costs in virtual time"
    )
    parser.add_argument("--cores", type=int, default=2, help="virtual cores for --cost measured (default 2)")
    parser.add_argument("--realtime", action="store_true", help="play it in real time")
    parser.add_argument("--why", action="store_true", help="show every decision with its reason")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the conversation")
    parser.add_argument("--call-id", default="demo", help="name of the call in its log")


def run(options: Namespace) -> int:
    """Play the demo call."""
    agent = load_agent(None)
    caller = load_script(FRONT_DESK / "calls" / "demo")
    out = Path(options.out) if options.out else free_folder(Path("calls"), "demo")
    if not options.json:
        print("A caller rings the front desk of a clinic. Everything runs here: ears, model, voice.\n")
    call, took_s = play(agent, caller, options, out=out)
    calendar = load_module(FRONT_DESK / "tools.py").calendar(out)
    booked = [row for row in calendar if row.name == "miller"]
    rows = [{"day": row.day, "time": row.time, "name": row.name} for row in booked]
    finish(call, caller.labels(), took_s, options, extra={"calendar": rows})
    if not options.json:
        for row in booked:
            print(f"in the calendar: {row.day} {row.time} {row.name}")
        if not booked:
            print("in the calendar: nothing for miller; the agent did not understand the caller this time")
        print(f"look at it: {out / 'report.html'}")
    return 0 if booked else 1
