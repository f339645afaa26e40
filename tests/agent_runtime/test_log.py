"""The log as a file: written once, read back in order, and refused with one line where it is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_runtime import events as ev
from agent_runtime.commands import CancelTimer
from agent_runtime.log import FLUSH_EVERY, FileLog, MemoryLog, read_log
from agent_runtime.record import Entry, LogFormatError, encode

STARTED = Entry(1, 0, 0, ev.CallStarted("c", "inbound", "s", "desk", "2026-11-23", 1, "", "x"))


def entries(count: int) -> list[Entry]:
    """A log of so many entries."""
    return [STARTED, *(Entry(seq, seq * 1000, 1, CancelTimer("idle")) for seq in range(2, count + 1))]


def written(path: Path, *lines: str, end: str = "\n") -> Path:
    """A log file of these lines."""
    path.write_text("\n".join(lines) + end, "utf-8")
    return path


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    log = FileLog(tmp_path / "events.jsonl")
    for entry in entries(200):
        log.append(entry)
    log.close()
    log.close()
    assert list(read_log(tmp_path / "events.jsonl")) == entries(200)


def test_a_log_is_never_written_over(tmp_path: Path) -> None:
    written(tmp_path / "events.jsonl", "old")
    with pytest.raises(FileExistsError):
        FileLog(tmp_path / "events.jsonl")
    assert (tmp_path / "events.jsonl").read_text() == "old\n"


def test_a_crash_loses_at_most_the_lines_since_the_last_flush(tmp_path: Path) -> None:
    log = FileLog(tmp_path / "events.jsonl")
    for entry in entries(FLUSH_EVERY + 3):
        log.append(entry)
    assert len(list(read_log(tmp_path / "events.jsonl"))) == FLUSH_EVERY
    log.close()


def test_a_line_cut_off_by_a_crash_is_left_out(tmp_path: Path) -> None:
    lines = [encode(entry) for entry in entries(3)]
    path = written(tmp_path / "events.jsonl", *lines[:2], lines[2][:20], end="")
    assert list(read_log(path)) == entries(2)
    whole_but_unended = written(tmp_path / "other.jsonl", *lines, end="")
    assert list(read_log(whole_but_unended)) == entries(2), "without its newline it may be cut off too"


def test_an_empty_log_has_no_entries(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("")
    assert list(read_log(tmp_path / "events.jsonl")) == []


def test_a_gap_is_an_error(tmp_path: Path) -> None:
    one, two, three = (encode(entry) for entry in entries(3))
    path = written(tmp_path / "events.jsonl", one, three, two)
    with pytest.raises(LogFormatError) as raised:
        list(read_log(path))
    assert str(raised.value) == "events.jsonl line 2: seq is 3, expected 2; the log has a gap"


def test_a_log_begins_with_the_start_of_its_call(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", encode(Entry(1, 0, 0, ev.CallAnswered(0))))
    with pytest.raises(LogFormatError) as raised:
        list(read_log(path))
    assert str(raised.value) == "events.jsonl line 1 is CallAnswered; a log begins with CallStarted"


def test_a_log_of_another_schema_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", encode(STARTED).replace('"schema":1', '"schema":7'))
    with pytest.raises(LogFormatError) as raised:
        list(read_log(path))
    assert str(raised.value) == (
        "events.jsonl has schema 7, this version reads 1; read it with the version that wrote it"
    )


def test_a_line_that_cannot_be_read_is_named_by_file_and_number(tmp_path: Path) -> None:
    path = written(tmp_path / "events.jsonl", encode(STARTED), "{broken}")
    reader = read_log(path)
    assert next(reader) == STARTED
    with pytest.raises(LogFormatError) as raised:
        next(reader)
    assert str(raised.value) == (
        "events.jsonl line 2: log line is not JSON "
        "(Expecting property name enclosed in double quotes at column 2): '{broken}'"
    )


def test_bytes_that_are_no_text_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(encode(STARTED).encode() + b"\n\xff\xfe\x00rest\n")
    with pytest.raises(LogFormatError) as raised:
        list(read_log(path))
    assert str(raised.value) == "events.jsonl line 2 is no UTF-8 text; a log is JSON lines"


def test_a_log_in_memory_keeps_entries() -> None:
    log = MemoryLog()
    for entry in entries(3):
        log.append(entry)
    log.close()
    assert log.entries == entries(3)
