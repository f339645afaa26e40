"""``duologue replay``: a recording, a transcript or a script against an agent, in virtual time.

A fixed recording cannot answer, so it shows how the agent hears, decides and how fast; a script (a folder with
``script.toml``) plays a caller who reacts.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from audio.frame import RATE_HZ
from audio.recordings import open_call

from ..call import CallError
from ..doors.recording import RecordingDoor
from ..doors.words import TranscribedDoor
from ..testing.script_file import load_script
from .playing import calling_options, finish, load_agent, new_folder, play

__all__ = ["arguments", "run"]

LOOKED_THROUGH_S = 120
"""So much of a recording is read before the call begins, at a few hundred times real time: what is wrong with a file is
then said before anything else. What lies behind shows when it is reached, and ends the call in the same way."""


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.description = """\
Play a call against an agent. CALL is an audio file (WAV, FLAC, MP3, OGG or
Opus; in two channels the caller is the left one), a folder with caller.wav
and agent.wav, or the folder of a scripted caller (script.toml and its clips).

A recording is heard to its end and cannot react to what the agent says: it
shows what the agent hears and decides, and how fast. A script reacts."""
    parser.epilog = """\
With --out the new folder holds call.wav (left caller, right agent),
events.jsonl (the log), report.html, and labels.json for a script.

examples:
  duologue replay call.wav --out heard
  duologue replay call.wav --agent my_agent --why
  duologue replay call.wav --transcript words.json
  duologue replay call.wav --json | jq .conversation

words.json: {"rate_hz": 16000, "words": [{"text": "hello", "start_sample": 320,
"end_sample": 4800}, ...]}; start_s and end_s may stand for the samples."""
    parser.add_argument("call", metavar="CALL", help="audio file, call folder or script folder")
    parser.add_argument("--out", metavar="DIR", help="new folder to write the call to")
    parser.add_argument("--agent", metavar="DIR", help="folder with agent.toml (default: the front desk)")
    parser.add_argument("--transcript", metavar="JSON", help="hear these word-timed texts instead of the audio")
    calling_options(parser, cost="model", call_id="replay")


def run(options: Namespace) -> int:
    """Play the call."""
    agent = load_agent(options.agent)
    source, out = Path(options.call), new_folder(options.out)
    door: Any
    if not options.call.strip():
        raise CallError("the name of the call is empty; name an audio file or a folder")
    if (source / "script.toml").exists():
        if options.transcript is not None:
            raise CallError(f"{source} is a script, which says its own words; leave --transcript out")
        door = load_script(source)
    elif options.transcript is not None:
        door = TranscribedDoor(source, options.transcript)
    else:
        door = RecordingDoor(source, realtime=options.realtime)
    if isinstance(door, RecordingDoor):
        _look_through(source)
    call, took_s = play(agent, door, options, out=out)
    labels = door.labels() if hasattr(door, "labels") else None
    return finish(call, labels, took_s, options)


def _look_through(source: Path) -> None:
    """Raises `RecordingError` for a sound that cannot be played to its end, as far as one look tells."""
    done = 0
    for block in open_call(source).caller.blocks():
        done += len(block)
        if done > LOOKED_THROUGH_S * RATE_HZ:
            return
