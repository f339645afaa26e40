"""``duologue refold``: did a change of the code change a decision?

The events of a log go through today's mind; its commands are compared with those in the log. With a second log the two
are compared with each other instead (the same call replayed with other engines or settings: a rerun).
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from ..clock import run_live
from ..parts import with_served_tools
from ..replay import compare, refold
from .logs import read_whole
from .playing import load_agent

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.description = """\
Feed the events of a log to today's code and compare each decision with the
one in the log. With --against, compare two logs of the same call instead
(made with other engines, settings or code)."""
    parser.epilog = """\
Exit code 0: no decision differs; 1: the first that does is shown.

examples:
  duologue refold calls/demo-1
  duologue refold before --against after"""
    parser.add_argument("log", metavar="LOG", help="a call's folder, or its events.jsonl")
    parser.add_argument("--agent", metavar="DIR", help="the agent of the call (default: the front desk)")
    parser.add_argument("--against", metavar="LOG2", help="compare with this log instead of with today's code")


def run(options: Namespace) -> int:
    """Compare; exit code 1 where a decision differs."""
    _, entries = read_whole(options.log)
    if options.against is not None:
        found = compare(entries, read_whole(options.against)[1])
    else:
        found = refold(entries, run_live(with_served_tools(load_agent(options.agent))))
    print(found if found is not None else f"{len(entries)} entries, no decision differs")
    return 0 if found is None else 1
