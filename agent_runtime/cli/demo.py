"""``duologue demo``: a caller books a visit by voice, on this machine, with no key and no network."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..agent_module import load_module
from ..boxed import FRONT_DESK
from ..testing.script_file import load_script
from .playing import calling_options, finish, free_folder, load_agent, new_folder, play

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.description = """\
A caller rings the front desk of a clinic and books a visit. The caller is a
script with recorded clips that reacts to what the agent does; detector,
recogniser, language model and voice are real and run here, in virtual time."""
    parser.epilog = """\
Exit code 1: the visit did not come to stand in the calendar.

examples:
  duologue demo                        play it, keep it in calls/demo-1
  duologue demo --why                  with every decision and its reason
  duologue demo --realtime             take the time that a call takes
  duologue demo --cost model --out a   the log is the same each time"""
    parser.add_argument("--out", metavar="DIR", help="new folder to write the call to (default: the next calls/demo-N)")
    calling_options(parser, cost="measured", call_id="demo")


def run(options: Namespace) -> int:
    """Play the demo call."""
    agent = load_agent(None)
    caller = load_script(FRONT_DESK / "calls" / "demo")
    out = new_folder(options.out) or free_folder(Path("calls"), "demo")
    if not options.json:
        print("A caller rings the front desk of a clinic. Everything runs here: ears, model, voice.\n", flush=True)
    call, took_s = play(agent, caller, options, out=out)
    calendar = load_module(FRONT_DESK / "tools.py").calendar(out)
    booked = [row for row in calendar if row.name == "miller"]
    rows = [{"day": row.day, "time": row.time, "name": row.name} for row in booked]
    code = finish(call, caller.labels(), took_s, options, extra={"calendar": rows})
    if not options.json:
        for row in booked:
            print(f"in the calendar: {row.day} {row.time} {row.name}")
        if not booked:
            print("in the calendar: nothing for miller; the agent did not understand the caller this time")
        print(f"look at it: {out / 'report.html'}")
    return code if booked else 1
