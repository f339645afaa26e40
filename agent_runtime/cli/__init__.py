"""The command line: ``duologue demo | replay | chat | report | refold | doctor | bench``.

Each command is a room of its own, imported when it is asked for, so that ``duologue doctor`` does not wait for a
language model. What a user can do wrong ends in one line on stderr and exit code 2; nothing is left half-written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module

__all__ = ["main"]

COMMANDS = {
    "demo": "play the front-desk call and show what became of it",
    "replay": "play a recorded or scripted call against an agent, in virtual time",
    "chat": "talk to an agent by typing",
    "report": "make the page of a recorded call",
    "refold": "feed a log's events to today's code and compare every decision",
    "doctor": "show which parts are present and what is missing",
    "bench": "measure this code on this machine",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 not as it should be, 2 wrong use or bad input."""
    parser = argparse.ArgumentParser(
        prog="duologue", description="A runtime for voice agents that think while they listen."
    )
    commands = parser.add_subparsers(dest="command", metavar="command", required=True)
    given = list(sys.argv[1:] if argv is None else argv)
    # Only the command that is asked for is imported; the others show their one line of help.
    wanted = next((word for word in given if word in COMMANDS), None)
    for name, text in COMMANDS.items():
        sub = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        if name == wanted:
            room = import_module(f"{__name__}.{name}")
            room.arguments(sub)
            sub.set_defaults(room=room)
    options = parser.parse_args(given)
    try:
        return int(options.room.run(options))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except (ValueError, OSError) as error:
        # Every error that a user can cause is a ValueError or an OSError with one line that says the way out.
        print(f"duologue {options.command}: {_one_line(error)}", file=sys.stderr)
        return 2


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror.lower()}"
    return " ".join(str(error).split()) or type(error).__name__
