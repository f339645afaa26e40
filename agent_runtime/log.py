"""The log of a call: append-only, one entry a line, and the readers of it.

The log is the call: reports, replays, tests and the learner read it and keep no private truth. Lines are kept
and written every `FLUSH_EVERY` entries and at the end, so an append costs no system call; a call cut off by a crash
loses at most those lines, and a half-written last line is skipped by the reader with a note, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from .events import CallStarted
from .record import SCHEMA, Entry, LogFormatError, decode, encode_line

__all__ = ["FileLog", "Log", "MemoryLog", "read_log"]

FLUSH_EVERY = 64


class Log(Protocol):
    """Where entries go, in order."""

    def append(self, entry: Entry) -> None: ...
    def close(self) -> None: ...


class MemoryLog:
    """A log kept as entries, for tests and for callers of the Python API."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def append(self, entry: Entry) -> None:
        """Keep the entry."""
        self.entries.append(entry)

    def close(self) -> None:
        """Nothing to free."""


class FileLog:
    """A log written as JSON lines to a new file. Raises `FileExistsError`: a log is never written over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines: list[bytes] = []
        self._file: BinaryIO = path.open("xb")

    def append(self, entry: Entry) -> None:
        """Write one line. Raises TypeError for a value that is no JSON."""
        self._lines.append(encode_line(entry))
        if len(self._lines) >= FLUSH_EVERY:
            self._write()

    def close(self) -> None:
        """Write what is left and close; closing twice is no error."""
        try:
            if not self._file.closed:
                self._write()
        finally:
            self._file.close()

    def _write(self) -> None:
        lines, self._lines = self._lines, []  # a full disk must not write them twice
        self._file.write(b"".join(lines))
        self._file.flush()


def read_log(path: Path) -> Iterator[Entry]:
    """The entries of a log file, in order.

    Raises `LogFormatError` naming the line: no `CallStarted` first, another schema, a gap in `seq`, a line that cannot
    be read. A last line without its newline was cut off by a crash and is left out.
    """
    with path.open("rb") as file:
        expected = 1
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                return
            try:
                entry = decode(line[:-1].decode("utf-8"))
            except UnicodeDecodeError as error:
                raise LogFormatError(f"{path.name} line {number} is no UTF-8 text; a log is JSON lines") from error
            except LogFormatError as error:
                raise LogFormatError(f"{path.name} line {number}: {error}") from error
            if entry.seq != expected:
                raise LogFormatError(
                    f"{path.name} line {number}: seq is {entry.seq}, expected {expected}; the log has a gap"
                )
            if number == 1:
                started = entry.what
                if not isinstance(started, CallStarted):
                    raise LogFormatError(
                        f"{path.name} line 1 is {type(started).__name__}; a log begins with CallStarted"
                    )
                if started.schema != SCHEMA:
                    raise LogFormatError(
                        f"{path.name} has schema {started.schema}, this version reads {SCHEMA}; "
                        "read it with the version that wrote it"
                    )
            expected += 1
            yield entry
