"""The front desk example: its calendar keeps its promises, and its phrases cover the scenario."""

from __future__ import annotations

import asyncio
import datetime
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent_runtime.agent import Agent
from agent_runtime.clock import run_virtual
from agent_runtime.phrases import expand_phrases
from agent_runtime.tools import ToolContext, parse_spoken_call
from examples.front_desk import tools
from policies.spoken import find_times, say_value

FOLDER = Path(tools.__file__).parent
MONDAY = datetime.date(2026, 11, 23)


@pytest.fixture(scope="module")
def agent() -> Agent:
    return Agent.load(FOLDER)


@pytest.fixture
def context(tmp_path: Path) -> ToolContext:
    return ToolContext(MONDAY, "call-1", tmp_path / "data")


def call(agent: Agent, context: ToolContext, spoken: str) -> Any:
    """The result of a call as the model writes it, in virtual time."""
    found, arguments = parse_spoken_call(agent.tools, spoken)
    return run_virtual(found.run(arguments, context))


def test_the_agent_is_the_one_the_model_was_trained_for(agent: Agent) -> None:
    assert agent.today == MONDAY
    assert MONDAY.weekday() == 0
    assert agent.card(MONDAY).text == "front desk of riverside clinic. today is monday. open eight to six."
    assert [(note.name, note.kind, note.values) for note in agent.notes] == [
        ("intent", "choice", ("none", "book", "cancel", "hours", "other")),
        ("day", "choice", ("monday", "tuesday", "wednesday", "thursday", "friday")),
        ("part", "choice", ("morning", "afternoon")),
        ("time", "time", ()),
        ("name", "heard", ()),
        ("answer", "choice", ("yes", "no", "unclear")),
    ]
    shapes = {tool.name: tool.shape for tool in agent.tools}
    assert {name: (shape.effect, shape.confirm) for name, shape in shapes.items()} == {
        "find_slots": ("read", False),
        "book": ("write", True),
        "cancel_booking": ("write", True),
    }
    assert [(p.name, p.kind, p.required) for p in shapes["find_slots"].parameters] == [
        ("day", "choice", True),
        ("part", "choice", False),
    ]
    kinds = {name: [(p.name, p.kind) for p in shape.parameters] for name, shape in shapes.items()}
    assert kinds["book"] == [("day", "choice"), ("time", "time"), ("name", "heard")]
    assert kinds["cancel_booking"] == [("day", "choice"), ("name", "heard")]


def test_a_lookup_offers_up_to_three_times_after_a_second_and_a_half(agent: Agent, context: ToolContext) -> None:
    async def timed() -> tuple[Any, float]:
        result = await agent.tool("find_slots").run({"day": "wednesday"}, context)
        return result, asyncio.get_running_loop().time()

    assert run_virtual(timed()) == (["08:00", "11:00", "17:00"], 1.5)
    assert call(agent, context, "find_slots day wednesday part afternoon") == ["14:00", "14:30", "17:00"]
    assert call(agent, context, "find_slots day tuesday part morning") == ["08:30", "10:00", "11:30"]
    assert call(agent, context, "find_slots day monday part morning") == []
    assert call(agent, context, "find_slots day thursday") == []
    assert agent.tool("find_slots").slow_s == 1.5


@pytest.mark.parametrize("day", list(tools.Day))
def test_offered_times_read_back_from_their_words(agent: Agent, context: ToolContext, day: str) -> None:
    offered = call(agent, context, f"find_slots day {day}")
    assert find_times(say_value(offered)) == tuple(say_value(time) for time in offered)


def test_a_slot_is_given_away_once(agent: Agent, context: ToolContext) -> None:
    assert call(agent, context, "book day wednesday time ten thirty name Van  Miller") == "ok"
    assert call(agent, context, "book day wednesday time ten thirty name smith") == "taken"
    taken = [row for row in tools.calendar(context.folder) if row.name == "van miller"]
    assert taken == [tools.Row("wednesday", "2026-11-25", "10:30", "van miller")]
    assert "10:30" not in call(agent, context, "find_slots day wednesday part morning")


def test_times_that_are_not_free_at_first(agent: Agent, context: ToolContext) -> None:
    assert call(agent, context, "book day thursday time ten name miller") == "taken"
    assert call(agent, context, "book day wednesday time ten fifteen name miller") == "taken"
    assert call(agent, context, "book day wednesday time six thirty name miller") == "taken"


def test_two_calls_at_once_cannot_both_have_it(agent: Agent, context: ToolContext) -> None:
    async def race() -> list[Any]:
        book = agent.tool("book")
        names = ("miller", "smith", "jones", "brown")
        return await asyncio.gather(
            *(book.run({"day": "friday", "time": "11:00", "name": name}, context) for name in names)
        )

    assert sorted(asyncio.run(race())) == ["ok", "taken", "taken", "taken"]


def test_a_booking_is_given_back_by_day_and_name(agent: Agent, context: ToolContext) -> None:
    before = tools.first_calendar(MONDAY)
    assert call(agent, context, "cancel_booking day wednesday name miller") == "not found"
    call(agent, context, "book day wednesday time nine thirty name miller")
    assert call(agent, context, "cancel_booking day friday name miller") == "not found"
    assert call(agent, context, "cancel_booking day wednesday name miller") == "ok"
    assert tools.calendar(context.folder) == before
    assert call(agent, context, "cancel_booking day thursday name adams") == "ok"
    assert call(agent, context, "find_slots day thursday") == ["08:00"]


def test_the_first_calendar_is_always_the_same_week() -> None:
    rows = tools.first_calendar(MONDAY)
    assert rows == tools.first_calendar(MONDAY)
    assert len(rows) == 5 * 20
    assert {row.time for row in rows} == {f"{hour:02d}:{minute:02d}" for hour in range(8, 18) for minute in (0, 30)}
    assert {row.day: row.date for row in rows} == {
        "tuesday": "2026-11-24",
        "wednesday": "2026-11-25",
        "thursday": "2026-11-26",
        "friday": "2026-11-27",
        "monday": "2026-11-30",
    }
    assert sum(row.name is None for row in rows) == 20
    assert all(datetime.date.fromisoformat(row.date).strftime("%A").lower() == row.day for row in rows)
    sunday = tools.first_calendar(datetime.date(2026, 11, 22))
    assert min(row.date for row in sunday) == "2026-11-23"


def test_no_call_no_calendar_and_a_failed_call_changes_nothing(agent: Agent, context: ToolContext) -> None:
    assert tools.calendar(context.folder) == []
    call(agent, context, "find_slots day friday")
    before = tools.calendar(context.folder)
    with pytest.raises(sqlite3.OperationalError, match="syntax error"):
        tools._change(context, "DELETE FROM slots RETURNING day day day", ())
    with pytest.raises(sqlite3.IntegrityError):
        tools._change(context, "UPDATE slots SET date = '', time = ''", ())
    assert tools.calendar(context.folder) == before == tools.first_calendar(MONDAY)


def test_the_phrases_cover_every_value_and_stay_small(agent: Agent) -> None:
    sentences = agent.sentences()
    words = {word for sentence in sentences for word in sentence.split()}
    values = {"monday", "friday", "morning", "afternoon", "thirty", "eight", "miller", "o'clock", "um", "uh"}
    assert values <= words
    assert 2_000 < len(set(sentences)) < 20_000
    assert (FOLDER / "phrases.txt").stat().st_size < 16_000


def test_the_recogniser_knows_every_word_of_the_phrases(agent: Agent) -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx", reason="the recogniser is not installed")
    dictionary = Path(pocketsphinx.__file__).parent / "model" / "en-us" / "cmudict-en-us.dict"
    known = {line.split(" ", 1)[0] for line in dictionary.read_text("utf-8").splitlines() if line}
    assert {word for sentence in agent.sentences() for word in sentence.split()} - known == set()


def wordings_of(lines: Iterable[str]) -> set[str]:
    """Every wording of four words or more, once, with its slots left open."""
    slots = {name: (f"{name}-value",) for name in "day part time name old ordinal first hour hum".split()}
    return {one for one in expand_phrases(lines, slots, weight=1) if len(one.split()) >= 4}


def test_the_phrases_are_not_the_training_wordings() -> None:
    wordings = pytest.importorskip("policies.learned.train.wordings", reason="the training data is not installed")
    trained = [piece for pieces in wordings.TRAINED.pieces.values() for piece in pieces]
    ours = wordings_of(line for line in (FOLDER / "phrases.txt").read_text("utf-8").splitlines() if line[:1] != "@")
    theirs = wordings_of(piece.replace("*", "").replace("!", "") for piece in trained)
    assert len(ours) > 1_000
    assert len(ours & theirs) < len(ours) / 10


def test_notes_and_tools_are_those_the_model_was_trained_with(agent: Agent) -> None:
    evaluate = pytest.importorskip("policies.learned.train.evaluate", reason="the training code is not installed")
    # how a field is asked for is the agent's; the model has seen names, kinds and values
    assert tuple(replace(note, ask="") for note in agent.notes) == evaluate.NOTE_FIELDS
    trained = {shape.name: (shape.parameters, shape.effect, shape.confirm) for shape in evaluate.TOOLS}
    shapes = [tool.shape for tool in agent.tools]
    assert {shape.name: (shape.parameters, shape.effect, shape.confirm) for shape in shapes} == trained


def test_the_demo_caller_can_have_what_it_asks_for(agent: Agent, context: ToolContext) -> None:
    assert call(agent, context, "find_slots day wednesday part morning") == ["08:00", "10:30", "11:00"]
