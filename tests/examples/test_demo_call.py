"""The demo call by voice, as a newcomer types it: the visit is booked, and the log is the same byte for byte."""

from __future__ import annotations

import json
import sqlite3
import wave
from pathlib import Path
from typing import Any

import pytest

from agent_runtime.commands import Adopt, CallTool, Decision
from agent_runtime.events import CallEnded, UtterancePaused
from agent_runtime.log import read_log
from agent_runtime.testing import read_labels
from tests.agent_runtime.cli.lines import Said, program


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Said]]:
    """A folder with two runs of the demo, ``one`` and ``two``, each in a process of its own; and what they printed."""
    folder = tmp_path_factory.mktemp("demo")
    said = [
        program("demo", "--cost", "model", "--out", "one", "--json", cwd=folder),
        program("demo", "--cost", "model", "--out", "two", cwd=folder),
    ]
    return folder, said


@pytest.fixture
def one(two: tuple[Path, list[Said]]) -> Path:
    return two[0] / "one"


@pytest.fixture
def told(two: tuple[Path, list[Said]]) -> dict[str, Any]:
    """The object that ``--json`` printed."""
    found: dict[str, Any] = json.loads(two[1][0].out)
    return found


def test_both_runs_book_the_visit(two: tuple[Path, list[Said]], told: dict[str, Any]) -> None:
    for said in two[1]:
        assert (said.code, said.err) == (0, ""), said
    assert told["calendar"] == [{"day": "wednesday", "time": "10:30", "name": "miller"}]
    assert "in the calendar: wednesday 10:30 miller" in two[1][1].out
    assert "look at it: two/report.html" in two[1][1].out


def test_the_calendar_holds_it_and_nothing_else_changed(one: Path) -> None:
    with sqlite3.connect(one / "calendar.sqlite") as database:
        rows = database.execute("SELECT day, time FROM slots WHERE name = 'miller'").fetchall()
        others = database.execute("SELECT count(*) FROM slots WHERE name IS NULL").fetchone()
    assert rows == [("wednesday", "10:30")]
    assert others == (19,), "of the twenty half hours that were free"


def test_the_log_is_the_same_to_the_byte(two: tuple[Path, list[Said]]) -> None:
    logs = [(two[0] / name / "events.jsonl").read_bytes() for name in ("one", "two")]
    assert len(logs[0]) > 10_000
    assert logs[0] == logs[1]
    labels = [(two[0] / name / "labels.json").read_bytes() for name in ("one", "two")]
    assert labels[0] == labels[1]
    with wave.open(str(two[0] / "one" / "call.wav")) as first, wave.open(str(two[0] / "two" / "call.wav")) as second:
        assert first.readframes(first.getnframes()) == second.readframes(second.getnframes())


def test_the_folder_is_whole(two: tuple[Path, list[Said]], one: Path) -> None:
    names = {"calendar.sqlite", "call.wav", "events.jsonl", "labels.json", "report.html"}
    assert {path.name for path in one.iterdir()} == names
    assert sorted(path.name for path in two[0].iterdir()) == ["one", "two"]
    page = (one / "report.html").read_text("utf-8")
    assert 'src="call.wav"' in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    with wave.open(str(one / "call.wav")) as sound:
        assert (sound.getnchannels(), sound.getframerate(), sound.getsampwidth()) == (2, 16_000, 2)


def test_what_the_caller_does_in_it_happens(one: Path, told: dict[str, Any]) -> None:
    """Hesitation, correction, backchannel, barge-in, a yes, a goodbye: the things that the demo is there to show."""
    kinds = [turn.kind for turn in read_labels(one / "labels.json").turns]
    assert {"turn", "backchannel", "barge_in"} <= set(kinds)
    entries = [entry.what for entry in read_log(one / "events.jsonl")]
    assert isinstance(entries[-1], CallEnded)
    assert any(isinstance(what, UtterancePaused) for what in entries), "the agent gave way to the barge-in"
    asked = [what for what in entries if isinstance(what, CallTool)]
    assert [what.tool for what in asked if not what.early] == ["book"], "what writes waits, and runs once"
    adopted = [what.call for what in entries if isinstance(what, Adopt) and what.call]
    assert [what.arguments["day"] for what in asked if what.call in adopted] == ["wednesday"], (
        "looked up while he spoke"
    )
    assert any(isinstance(what, Decision) and what.action == "filler" for what in entries)
    assert told["ended"] in ("agent_hung_up", "caller_hung_up")
    assert told["latency"]["first_sound"]["n"] >= 4
    assert not told["latency"]["first_sound"]["estimated"]


def test_todays_code_decides_as_the_log_says(one: Path) -> None:
    said = program("refold", one)
    assert (said.code, said.err) == (0, "")
    assert "no decision differs" in said.out
