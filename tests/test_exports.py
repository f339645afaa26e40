"""The public names: all there, all real, cheap to import, and enough for an agent that is written in Python alone."""

from __future__ import annotations

import datetime
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

import agent_runtime
import agent_runtime.testing
from agent_runtime import Agent, AgentError, CallError, ToolContext, run_call, tool
from agent_runtime.boxed import FRONT_DESK
from agent_runtime.testing import (
    Clip,
    Goal,
    GoalCaller,
    Line,
    ScriptedCaller,
    Segment,
    after_turn,
    load_script,
)
from policies.shapes import NoteField

ROOT = Path(__file__).resolve().parent.parent
TODAY = datetime.date(2026, 11, 23)
Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


@pytest.mark.parametrize("module", ["agent_runtime", "agent_runtime.testing"])
def test_every_public_name_exists_and_is_listed_once(module: str) -> None:
    room = importlib.import_module(module)
    assert sorted(room.__all__) == sorted(set(room.__all__))
    for name in room.__all__:
        value = getattr(room, name)
        assert value.__module__.split(".")[0] == "agent_runtime", name
        assert value.__doc__, f"{name} explains itself"
    assert set(room.__all__) <= set(dir(room))


def test_the_names_of_the_readme_are_public() -> None:
    assert {"Agent", "Call", "Tool", "ToolContext", "run_call", "tool"} <= set(agent_runtime.__all__)
    kit = {"GoalCaller", "Goal", "generate_caller", "load_script", "Line", "says"}
    assert kit <= set(agent_runtime.testing.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = agent_runtime.nonsense


def test_importing_brings_in_no_engine() -> None:
    heavy = ("av", "onnxruntime", "pocketsphinx", "pydub", "aiortc", "torch", "transformers", "websockets")
    code = (
        "import sys, agent_runtime; light = 'numpy' not in sys.modules;"
        "from agent_runtime import Agent, run_call, tool; from agent_runtime.testing import load_script;"
        f"print(light, [name for name in {heavy} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.strip() == "True []", run.stderr


written: list[tuple[str, str]] = []


@tool(effect="read", slow_s=0.5)
async def find_slots(day: Day) -> list[str]:
    """Free times on a day."""
    return ["09:30", "11:00"]


@tool(confirm=True)
async def book(context: ToolContext, day: Day, time: datetime.time) -> Literal["ok"]:
    """Book a time."""
    written.append((day, f"{time:%H:%M}"))
    return "ok"


BARBER = Agent(
    name="barber",
    persona="front desk of a barber",
    greeting="hello, this is the barber. how can i help?",
    tools=[find_slots, book],
    notes=[
        NoteField("intent", "choice", ("none", "book", "cancel", "hours", "other")),
        NoteField("day", "choice", DAYS),
        NoteField("time", "time"),
        NoteField("answer", "choice", ("yes", "no", "unclear")),
    ],
    time_limit_s=20.0,
)
"""An agent without a folder. The model in the box was trained for another one: only that the call is whole counts."""


def test_an_agent_in_python_alone_talks_by_words() -> None:
    caller = GoalCaller(Goal("book", "tuesday", "miller"), seed=1)
    call = run_call(BARBER, caller, audio=False, today=TODAY)
    assert call.transcript[0] == ("agent", "hello, this is the barber. how can i help?")
    assert [party for party, _ in call.transcript].count("caller") >= 1
    assert call.ended.reason in ("caller_hung_up", "agent_hung_up", "time_limit")
    assert call.folder is None
    assert caller.labels().turns


def test_an_agent_in_python_alone_talks_by_voice(tmp_path: Path) -> None:
    caller = load_script(FRONT_DESK / "calls" / "demo")
    agent = Agent(name="short", persona="somebody who has no time", greeting="hello.", time_limit_s=6.0)
    call = run_call(agent, caller, today=TODAY, out=tmp_path / "new" / "call", cost="measured")
    assert call.ended.reason == "time_limit"
    assert call.transcript[0] == ("agent", "hello.")
    assert any(party == "caller" for party, _ in call.transcript)
    assert call.folder == tmp_path / "new" / "call"
    names = {path.name for path in call.folder.iterdir()}
    assert names == {"call.wav", "events.jsonl", "labels.json", "report.html"}


def test_what_cannot_be_played_is_one_line(tmp_path: Path) -> None:
    caller = ScriptedCaller.of_lines(Line("hi", after_turn(0.5), (Segment(Clip.estimated("hello")),)))
    with pytest.raises(CallError, match="no date for today: give today="):
        run_call(BARBER, caller, audio=False)
    with pytest.raises(CallError, match="exists; name a new one"):
        run_call(BARBER, caller, audio=False, today=TODAY, out=tmp_path)
    with pytest.raises(AgentError, match="greeting is empty"):
        Agent(name="a", persona="b")
    assert list(tmp_path.iterdir()) == []
