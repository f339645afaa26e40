"""The calls desk example: what it tells and what it never tells, and that its phrases cover the scenario."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.agent import Agent
from agent_runtime.clock import run_virtual
from agent_runtime.phrases import expand_phrases
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn, at, says
from agent_runtime.testing.script import Trigger
from agent_runtime.tools import ToolArgumentError, ToolContext, parse_spoken_call, spoken_call
from examples.companies import tools
from policies.spoken import say_value
from tests.agent_runtime.scenes import clip, play

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


def test_the_agent_has_the_agreed_form(agent: Agent) -> None:
    assert (agent.direction, agent.greeting) == ("outbound", "")
    assert agent.card(MONDAY).text == (
        "calls desk for anna miller. calling brightline energy. task: cancel the contract. on file: customer number, "
        "postcode, date of birth. may accept: ten percent for one year. today is monday."
    )
    items = (
        "customer number", "postcode", "date of birth", "last four digits", "email", "phone number", "new address",
    )  # fmt: skip
    assert [(note.name, note.kind, note.values) for note in agent.notes] == [
        ("task", "choice", ("cancel", "discount", "move")),
        ("asked", "choice", (*items, "password", "pin", "card number")),
        ("offer", "choice", ("five percent", "ten percent", "fifteen percent", "twenty percent", "thirty percent")),
        ("term", "choice", ("one year", "two years")),
        ("answer", "choice", ("yes", "no", "unclear")),
    ]
    shapes = {tool.name: tool.shape for tool in agent.tools}
    assert {name: (shape.effect, shape.confirm) for name, shape in shapes.items()} == {
        "look_up": ("read", False),
        "report": ("write", False),
    }
    assert [(p.name, p.values, p.required) for p in shapes["look_up"].parameters] == [("item", items, True)]
    assert [(p.name, p.values, p.required) for p in shapes["report"].parameters] == [
        ("outcome", ("done", "agreed", "refused", "call back"), True),
        ("offer", agent.notes[2].values, False),
        ("term", agent.notes[3].values, False),
    ]


def test_notes_and_tools_are_those_the_model_was_trained_with(agent: Agent) -> None:
    evaluate = pytest.importorskip(
        "policies.learned.train.companies.evaluate", reason="the training code is not installed"
    )
    assert agent.notes == tuple(evaluate.NOTE_FIELDS)
    trained = {shape.name: (shape.parameters, shape.effect, shape.confirm) for shape in evaluate.TOOLS}
    shapes = [tool.shape for tool in agent.tools]
    assert {shape.name: (shape.parameters, shape.effect, shape.confirm) for shape in shapes} == trained


def test_the_calls_read_as_agreed(agent: Agent) -> None:
    def spoken(name: str, **arguments: str) -> str:
        return spoken_call(agent.tool(name), arguments)

    assert spoken("look_up", item="last four digits") == "look_up item last four digits"
    assert spoken("report", outcome="agreed", offer="ten percent", term="one year") == (
        "report outcome agreed offer ten percent term one year"
    )


def test_a_look_up_gives_spoken_words_after_two_seconds(agent: Agent, context: ToolContext) -> None:
    async def timed() -> tuple[Any, float]:
        result = await agent.tool("look_up").run({"item": "customer number"}, context)
        return result, asyncio.get_running_loop().time()

    assert run_virtual(timed()) == ("four four seven one", 2.0)
    assert agent.tool("look_up").slow_s == 2.0
    assert call(agent, context, "look_up item postcode") == "s w one two a b"
    assert call(agent, context, "look_up item email") == "not on file"
    for value in tools.ON_FILE.values():
        assert say_value(value) == value, "what is on file stands in the stream as it is written"


def test_the_persona_names_what_is_on_file(agent: Agent) -> None:
    listed = agent.persona.partition("on file: ")[2].partition(".")[0].split(", ")
    assert listed == list(tools.ON_FILE)


@pytest.mark.parametrize("item", sorted(tools.FORBIDDEN))
def test_what_is_never_told_is_refused_even_where_it_is_on_file(agent: Agent, context: ToolContext, item: str) -> None:
    call(agent, context, "look_up item postcode")
    with contextlib.closing(sqlite3.connect(context.folder / tools.FILE_NAME)) as database, database:
        database.execute("INSERT INTO items VALUES (?, ?)", (item, "one two three four"))
    with pytest.raises(ToolArgumentError, match="is no call of tool look_up"):
        call(agent, context, f"look_up item {item}")
    with pytest.raises(ToolArgumentError, match=f"item of tool look_up is '{item}'"):
        run_virtual(agent.tool("look_up").run({"item": item}, context))
    with pytest.raises(PermissionError, match="is never looked up"):
        run_virtual(tools.look_up(context, item))


def test_only_known_items_are_told(context: ToolContext) -> None:
    with pytest.raises(PermissionError, match="'mother' is never looked up; only customer number, postcode"):
        run_virtual(tools.look_up(context, "mother"))


def test_the_last_report_of_a_call_stands(agent: Agent, context: ToolContext) -> None:
    assert tools.reports(context.folder) == []
    assert call(agent, context, "report outcome call back") == "ok"
    assert call(agent, context, "report outcome agreed offer ten percent term one year") == "ok"
    other = ToolContext(MONDAY, "call-2", context.folder)
    assert call(agent, other, "report outcome refused offer five percent") == "ok"
    assert tools.reports(context.folder) == [
        tools.Report("call-1", "agreed", "ten percent", "one year"),
        tools.Report("call-2", "refused", "five percent", None),
    ]
    assert call(agent, context, "look_up item postcode") == "s w one two a b"


def test_a_failed_write_changes_nothing(agent: Agent, context: ToolContext) -> None:
    call(agent, context, "report outcome done")
    before = tools.reports(context.folder)

    def break_off() -> None:
        with tools._opened(context) as database:
            database.execute("DELETE FROM reports")
            database.execute("DELETE FROM missing")

    with pytest.raises(sqlite3.OperationalError, match="no such table: missing"):
        break_off()
    assert tools.reports(context.folder) == before


REPLIES = {
    "how can i help": "<think> cancel - - - - <expect> customer number <say> i am calling for anna miller. <end>",
    "customer number": "<think> cancel customer number - - - <expect> value <call> look_up item customer number <end>",
    "four four seven one": "<expect> done <say> the customer number is four four seven one. <end>",
    "cancelled": "<think> cancel - - - yes <expect> ok <call> report outcome done <end>",
    "<result> ok": "<expect> bye <say> thank you. goodbye. <bye>",
}


def rep(*lines: tuple[str, Trigger]) -> ScriptedCaller:
    """A representative who says each text when it is due."""
    return ScriptedCaller.of_lines(*(Line(text, due, (Segment(clip(text)),)) for text, due in lines))


def test_a_call_waits_for_the_other_side_looks_up_what_is_asked_and_reports(agent: Agent) -> None:
    def reply(text: str) -> str:
        tail = text[max(text.rfind("<heard>"), text.rfind("<result>")) :]
        return next(answer for key, answer in REPLIES.items() if key in tail)

    door = rep(
        ("brightline energy how can i help", at(0.2)),
        ("i need the customer number", after_turn(0.6)),
        ("okay the contract is cancelled", after_turn(0.6, when=says("four four seven one"))),
    )
    played = play(agent, door, reply)
    assert played.transcript == (
        ("caller", "brightline energy how can i help"),
        ("agent", "i am calling for anna miller."),
        ("caller", "i need the customer number"),
        ("agent", "let me look."),
        ("agent", "the customer number is four four seven one."),
        ("caller", "okay the contract is cancelled"),
        ("agent", "thank you. goodbye."),
    )
    assert played.tool_results == (("look_up", "four four seven one"), ("report", "ok"))
    assert played.ended.reason == "agent_hung_up"
    started = played.entries[0].what
    assert isinstance(started, ev.CallStarted)
    first = next(entry.what for entry in played.entries if isinstance(entry.what, do.Decision) and entry.seq > 4)
    assert (first.action, first.reason) == ("wait", "the other side speaks first")


def test_the_phrases_cover_every_value_and_stay_small(agent: Agent) -> None:
    sentences = agent.sentences()
    words = {word for sentence in sentences for word in sentence.split()}
    values = {word for note in agent.notes for value in note.values for word in value.split()}
    assert values - {"discount", "unclear"} <= words
    assert {"moment", "password", "goodbye", "cancelled", "um", "mhm"} <= words
    assert 2_000 < len(set(sentences)) < 20_000
    assert (FOLDER / "phrases.txt").stat().st_size < 16_000


def test_the_recogniser_knows_the_words_of_the_phrases_but_two(agent: Agent) -> None:
    pocketsphinx = pytest.importorskip("pocketsphinx", reason="the recogniser is not installed")
    dictionary = Path(pocketsphinx.__file__).parent / "model" / "en-us" / "cmudict-en-us.dict"
    known = {line.split(" ", 1)[0] for line in dictionary.read_text("utf-8").splitlines() if line}
    # both are put together from words that it knows, and sounded out rightly (audio/language/pronunciation.py)
    assert {word for sentence in agent.sentences() for word in sentence.split()} - known == {"postcode", "brightline"}


def wordings_of(lines: Iterable[str]) -> set[str]:
    """Every wording of four words or more, once, with its slots left open."""
    templates = list(lines)
    slots = {name: (f"{name}-value",) for line in templates for name in re.findall(r"\{([a-z_]+)\}", line)}
    return {one for one in expand_phrases(templates, slots, weight=1) if len(one.split()) >= 4}


def test_the_phrases_are_not_the_training_wordings() -> None:
    wordings = pytest.importorskip(
        "policies.learned.train.companies.wordings", reason="the training data is not installed"
    )
    trained = [piece for pieces in wordings.TRAINED.pieces.values() for piece in pieces]
    ours = wordings_of(line for line in (FOLDER / "phrases.txt").read_text("utf-8").splitlines() if line[:1] != "@")
    theirs = wordings_of(piece.replace("*", "").replace("!", "") for piece in trained)
    assert len(ours) > 1_000
    assert len(ours & theirs) < len(ours) / 10
