"""``duologue doctor``: which parts are present, and what to do about those that are missing."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace

from ..doctor import as_json, examine, print_table

__all__ = ["arguments", "run"]


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--json", action="store_true", help="print a JSON list")


def run(options: Namespace) -> int:
    """Examine; exit code 1 where a part of the embedded default is missing."""
    parts = examine()
    if options.json:
        print(json.dumps(as_json(parts), indent=2))
    else:
        print_table(parts, sys.stdout)
    return 1 if any(part.state == "missing" for part in parts) else 0
