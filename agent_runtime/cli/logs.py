"""Logs as a person names them: a call's folder or its ``events.jsonl``; what is wrong with one is said in one line."""

from __future__ import annotations

from pathlib import Path

from ..call import CallError
from ..log import read_log
from ..record import Entry

__all__ = ["read_whole"]


def read_whole(name: str) -> tuple[Path, list[Entry]]:
    """The path of a log and its entries. Raises `CallError` and `LogFormatError`."""
    path = Path(name)
    if not path.exists():
        raise CallError(f"{path}: no such file or folder (give the folder of a call, or its events.jsonl)")
    if path.is_dir():
        path = path / "events.jsonl"
        if not path.is_file():
            raise CallError(f"{path.parent}: holds no events.jsonl (give the folder of a call, or its log)")
    entries = list(read_log(path))
    if not entries:
        raise CallError(f"{path}: holds no whole line (the call was cut off before its log was written)")
    return path, entries
