"""``duologue refold``: did a change of the code change a decision?

The events of a log go through today's mind; its commands are compared with those in the log. With a second log the two
are compared with each other instead (the same call replayed with other engines or settings: a rerun).
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..log import read_log
from ..replay import compare, refold
from .playing import load_agent

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("log", metavar="LOG", help="a call's folder, or its events.jsonl")
    parser.add_argument("--agent", metavar="DIR", help="folder with agent.toml (default: the front desk)")
    parser.add_argument("--against", metavar="LOG2", help="compare with this log instead of with today's code")


def run(options: Namespace) -> int:
    """Compare; exit code 1 where a decision differs."""
    entries = list(read_log(_log(options.log)))
    if options.against:
        found = compare(entries, list(read_log(_log(options.against))))
    else:
        found = refold(entries, load_agent(options.agent))
    print(found if found is not None else f"{len(entries)} entries, no decision differs")
    return 0 if found is None else 1


def _log(name: str) -> Path:
    path = Path(name)
    return path / "events.jsonl" if path.is_dir() else path
