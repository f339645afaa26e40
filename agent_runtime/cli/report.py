"""``duologue report``: the page (or the picture) of a call from its log."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from ..log import read_log
from ..report import write_picture, write_report
from ..testing.label_file import read_labels

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("log", metavar="LOG", help="a call's folder, or its events.jsonl")
    parser.add_argument(
        "--out", metavar="FILE", help="where to write (default: report.html beside the log); .svg makes a picture"
    )


def run(options: Namespace) -> int:
    """Write the page or the picture."""
    log = Path(options.log)
    log = log / "events.jsonl" if log.is_dir() else log
    entries = list(read_log(log))
    out = Path(options.out) if options.out else log.with_name("report.html")
    labels_path = log.with_name("labels.json")
    labels = read_labels(labels_path) if labels_path.exists() else None
    sound = log.with_name("call.wav")
    if out.suffix == ".svg":
        write_picture(entries, out, sound if sound.exists() else None, labels)
    else:
        write_report(entries, out, sound if sound.exists() else None, labels)
    print(out)
    return 0
