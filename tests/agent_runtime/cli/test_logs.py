"""``duologue report`` and ``duologue refold``: whole logs, cut-off logs, and things that are no logs."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest

from agent_runtime import Agent, run_call
from agent_runtime.boxed import FRONT_DESK
from agent_runtime.testing import generate_caller
from tests.agent_runtime.cli.lines import agent_folder, line

Capsys = pytest.CaptureFixture[str]
DESK = dataclasses.replace(Agent.load(FRONT_DESK), time_limit_s=15.0)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a call of words with the front desk."""
    out = tmp_path_factory.mktemp("calls") / "played"
    run_call(DESK, generate_caller(3), audio=False, out=out)
    return out


@pytest.fixture
def call(played: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may harm."""
    return Path(shutil.copytree(played, tmp_path / "a call"))


def test_a_page_is_made_beside_the_log_or_where_it_is_wanted(capsys: Capsys, call: Path, tmp_path: Path) -> None:
    (call / "report.html").unlink()
    said = line(capsys, "report", call)
    assert (said.code, said.out, said.err) == (0, f"{call / 'report.html'}\n", "")
    assert "<html" in (call / "report.html").read_text("utf-8")
    assert line(capsys, "report", call / "events.jsonl", "--out", tmp_path / "p.svg").code == 0
    assert (tmp_path / "p.svg").read_text("utf-8").lstrip().startswith(("<svg", "<?xml"))


def test_a_log_that_was_cut_off_still_makes_a_page(capsys: Capsys, call: Path) -> None:
    log = call / "events.jsonl"
    text = log.read_text("utf-8")
    log.write_text(text[: len(text) * 2 // 3], "utf-8")
    assert line(capsys, "report", call).code == 0


def test_the_report_writes_over_nothing_but_pages(capsys: Capsys, call: Path) -> None:
    before = (call / "events.jsonl").read_bytes()
    for name, message in {
        call / "events.jsonl": "ends in .jsonl; expected .html for the page, .svg for the picture",
        call / "page": "ends in nothing; expected .html",
        call / "no" / "such" / "p.html": "there is no folder",
    }.items():
        assert message in line(capsys, "report", call, "--out", name).complaint
    (call / "folder.html").mkdir()
    assert "is a folder; name a file" in line(capsys, "report", call, "--out", call / "folder.html").complaint
    assert (call / "events.jsonl").read_bytes() == before


@pytest.mark.parametrize("command", ["report", "refold"])
def test_what_is_no_log_is_one_line(capsys: Capsys, command: str, call: Path, tmp_path: Path) -> None:
    lines = (call / "events.jsonl").read_text("utf-8").splitlines(keepends=True)
    newer = json.loads(lines[0])
    newer["data"]["schema"] = 99
    bad = {
        "empty.jsonl": ("", "holds no whole line"),
        "half.jsonl": (lines[0][:40], "holds no whole line"),
        "text.jsonl": ("hello\n", "text.jsonl line 1: log line is not JSON"),
        "list.jsonl": ("[1]\n", "list.jsonl line 1"),
        "gap.jsonl": ("".join(lines[:3] + lines[4:]), "gap.jsonl line 4: seq is 5, expected 4; the log has a gap"),
        "headless.jsonl": ("".join(lines[1:]), "headless.jsonl line 1"),
        "newer.jsonl": (json.dumps(newer) + "\n", "has schema 99, this version reads"),
        "missing.jsonl": (None, "no such file or folder"),
    }
    for name, (text, message) in bad.items():
        if text is not None:
            (tmp_path / name).write_text(text, "utf-8")
        complaint = line(capsys, command, tmp_path / name).complaint
        assert message in complaint, complaint
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\n\x00")
    assert "binary.jsonl line 1 is no UTF-8" in line(capsys, command, tmp_path / "binary.jsonl").complaint
    assert "holds no events.jsonl" in line(capsys, command, tmp_path).complaint


def test_broken_labels_are_named(capsys: Capsys, call: Path) -> None:
    (call / "labels.json").write_text("[]", "utf-8")
    assert "labels.json: holds a list" in line(capsys, "report", call).complaint


def test_refold_says_whether_todays_code_decides_the_same(capsys: Capsys, call: Path, tmp_path: Path) -> None:
    same = agent_folder(tmp_path / "same", toml=[("time_limit_s = 900", "time_limit_s = 15")])
    said = line(capsys, "refold", call, "--agent", same)
    assert (said.code, said.err) == (0, "")
    assert said.out.endswith("entries, no decision differs\n")
    longer = line(capsys, "refold", call, "--agent", FRONT_DESK)
    assert (longer.code, '"after_ms":900000' in longer.out) == (1, True), "it had no such short time limit"
    limit = ("time_limit_s = 900", "time_limit_s = 15")
    other = agent_folder(tmp_path / "other", toml=[limit, ("good morning, riverside", "hello, riverside")])
    differs = line(capsys, "refold", call, "--agent", other)
    assert differs.code == 1
    assert differs.out.startswith("first difference at seq ")
    assert "good morning, riverside" in differs.out
    assert "hello, riverside" in differs.out


def test_two_logs_are_compared(capsys: Capsys, call: Path, tmp_path: Path) -> None:
    assert line(capsys, "refold", call, "--against", call / "events.jsonl").code == 0
    run_call(DESK, generate_caller(4), audio=False, out=tmp_path / "another")
    differs = line(capsys, "refold", call, "--against", tmp_path / "another")
    assert (differs.code, differs.out.startswith("first difference at seq ")) == (1, True)
    assert "no such file or folder" in line(capsys, "refold", call, "--against", tmp_path / "none").complaint
