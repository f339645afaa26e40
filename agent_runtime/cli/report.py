"""``duologue report``: the page (or the picture) of a call from its log."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..call import CallError
from ..report import write_picture, write_report
from ..testing.label_file import read_labels
from .logs import read_whole

__all__ = ["arguments", "run"]

KINDS = (".html", ".htm", ".svg")


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.description = """\
Make report.html, one page that shows a call: both voices, what was heard,
thought, done and said on one time axis, every decision with its reason, the
latencies and the log. call.wav and labels.json beside the log are used."""
    parser.epilog = """\
examples:
  duologue report calls/demo-1
  duologue report calls/demo-1 --out call.svg     a picture for a document"""
    parser.add_argument("log", metavar="LOG", help="a call's folder, or its events.jsonl")
    parser.add_argument(
        "--out", metavar="FILE", help="where to write, .html or .svg (default: report.html beside the log)"
    )


def run(options: Namespace) -> int:
    """Write the page or the picture."""
    log, entries = read_whole(options.log)
    out = log.with_name("report.html") if options.out is None else Path(options.out)
    if out.suffix.lower() not in KINDS:
        raise CallError(f"{out}: ends in {out.suffix or 'nothing'}; expected .html for the page, .svg for the picture")
    if out.is_dir():
        raise CallError(f"{out}: is a folder; name a file")
    if not out.parent.is_dir():
        raise CallError(f"{out}: there is no folder {out.parent}; make it first")
    labels_path = log.with_name("labels.json")
    labels = read_labels(labels_path) if labels_path.exists() else None
    sound = log.with_name("call.wav")
    write = write_picture if out.suffix.lower() == ".svg" else write_report
    write(entries, out, sound if sound.exists() else None, labels)
    print(out)
    return 0
