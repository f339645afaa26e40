"""``duologue replay``: a recording, a transcript or a script against an agent, in virtual time.

A fixed recording cannot answer, so it shows how the agent hears, decides and how fast; a script (a folder with
``script.toml``) plays a caller who reacts.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from ..doors.recording import RecordingDoor
from ..doors.words import WordsDoor
from ..testing.script_file import load_script
from .playing import finish, load_agent, play

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument(
        "call", metavar="CALL", help="an audio file, a folder with caller.wav and agent.wav, or a script folder"
    )
    parser.add_argument("--out", metavar="DIR", help="folder to write the call to; it must not exist yet")
    parser.add_argument("--agent", metavar="DIR", help="folder with agent.toml (default: the front desk)")
    parser.add_argument("--transcript", metavar="WORDS.JSON", help="word-timed text to hear instead of the audio")
    parser.add_argument(
        "--cost", choices=("model", "measured"), default="model", help="what work costs in virtual time"
    )
    parser.add_argument("--cores", type=int, default=2, help="virtual cores for --cost measured (default 2)")
    parser.add_argument("--realtime", action="store_true", help="play it in real time")
    parser.add_argument("--why", action="store_true", help="show every decision with its reason")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of the conversation")
    parser.add_argument("--call-id", default="replay", help="name of the call in its log")


def run(options: Namespace) -> int:
    """Play the call."""
    agent = load_agent(options.agent)
    source = Path(options.call)
    out = Path(options.out) if options.out else None
    door: Any
    if options.transcript:
        door = WordsDoor(options.transcript)
    elif (source / "script.toml").exists():
        door = load_script(source)
    else:
        door = RecordingDoor(source, realtime=options.realtime)
    call, took_s = play(agent, door, options, out=out, audio=not options.transcript)
    labels = door.labels() if hasattr(door, "labels") else None
    finish(call, labels, took_s, options, extra={})
    return 0
