"""Options of the commands: a parser whose complaints are one line, and the values it reads.

It refuses to know what a command does with them.
"""

from __future__ import annotations

import argparse
import datetime
import difflib
import sys
from collections.abc import Iterable
from typing import NoReturn

__all__ = ["Parser", "cores", "count", "iso_date", "near"]

MOST_CORES = 1024


class Parser(argparse.ArgumentParser):
    """An `ArgumentParser` that names what is wrong in one line and leaves with code 2."""

    def __init__(self, prog: str, description: str) -> None:
        super().__init__(
            prog=prog,
            description=description,
            allow_abbrev=False,
            formatter_class=lambda prog: argparse.RawDescriptionHelpFormatter(prog, max_help_position=26),
        )

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the command line."""
        print(f"{self.prog}: {self._plain(message)} ({self.prog} --help explains)", file=sys.stderr)
        raise SystemExit(2)

    def _plain(self, message: str) -> str:
        """argparse's words, in ours where they speak of arguments."""
        missing = "the following arguments are required: "
        unknown = "unrecognized arguments: "
        if message.startswith(missing):
            return f"{message.removeprefix(missing)} is missing"
        if message.startswith(unknown):
            word = message.removeprefix(unknown).split()[0].split("=")[0]
            if not word.startswith("-"):
                return f"{word!r} is one word too many; put names with spaces in quotes"
            hint = near(word, self._option_string_actions)
            return f"no option {word}" + (f"; {hint}" if hint else "")
        return message.removeprefix("argument ")


def near(word: str, known: Iterable[str]) -> str:
    """``did you mean 'replay'?`` for a word that is close to a known one, else nothing."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]!r}?" if found else ""


def iso_date(text: str) -> datetime.date:
    """A date as people who work with computers write it."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it like 2026-11-23") from None


def count(text: str) -> int:
    """A whole number of things to do, 1 or more."""
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no count; expected a whole number from 1 on")
    return int(text)


def cores(text: str) -> int:
    """A number of virtual cores."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MOST_CORES:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of cores; expected 1 to {MOST_CORES}")
    return int(text)
