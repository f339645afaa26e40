"""``duologue chat``: the same runtime with a keyboard for a caller; no audio, no waiting."""

from __future__ import annotations

import datetime
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..call import run_call
from ..doors.typed import TypedDoor
from ..narration import Narrator
from ..testing.fakes import TimedVoice
from .playing import load_agent

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--agent", metavar="DIR", help="folder with agent.toml (default: the front desk)")
    parser.add_argument("--out", metavar="DIR", help="folder to keep the call in; it must not exist yet")
    parser.add_argument(
        "--why", action="store_true", help="show thoughts, expectations, tools and decisions as they come"
    )
    parser.add_argument(
        "--today", type=datetime.date.fromisoformat, metavar="DATE", help="the agent's today (ISO date)"
    )


def run(options: Namespace) -> int:
    """Talk until one side hangs up; an empty end of input hangs up."""
    agent = load_agent(options.agent)
    shown = sys.stdin.isatty()

    def read_line() -> str | None:
        if shown:
            print("you> ", end="", flush=True)
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None

    narrator = Narrator(sys.stdout, why=options.why)
    out = Path(options.out) if options.out else None
    voice = TimedVoice(first_s=0.0, word_ms=10)
    run_call(
        agent,
        TypedDoor(read_line),
        out=out,
        call_id="chat",
        today=options.today,
        watchers=[narrator.entry],
        audio=False,
        voice=voice,
    )
    return 0
