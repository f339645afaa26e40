"""An agent checks that its pieces fit each other, and says in one line which do not."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import Any, Literal

import pytest

from agent_runtime.agent import (
    Agent,
    AgentError,
    EngineSettings,
    RecogniserSettings,
    ServerSettings,
    VLLMSettings,
    VoiceSettings,
)
from agent_runtime.tools import tool
from agent_runtime.wording import Wording
from policies.endpointing import EndpointSettings
from policies.filler import FillerSettings
from policies.repair import RepairSettings
from policies.shapes import NoteField
from policies.trajectory import Role

DAY = NoteField("day", "choice", ("monday", "tuesday"))


@tool(effect="read")
async def find_slots(day: Literal["monday", "tuesday"], people: int = 1) -> list[str]:
    """Free times."""
    return []


def make(**changes: Any) -> Agent:
    pieces: dict[str, Any] = {
        "name": "front desk",
        "persona": "front desk of riverside clinic",
        "greeting": "hello.",
        "tools": [find_slots],
        "notes": [DAY, NoteField("time", "time"), NoteField("name", "heard")],
    }
    return Agent(**{**pieces, **changes})


def test_an_agent_reads_well() -> None:
    assert repr(make()) == "<Agent 'front desk', tools: find_slots, notes: day time name>"
    today = datetime.date(2026, 11, 23)
    assert repr(make(tools=[], notes=[], today=today)) == "<Agent 'front desk', today 2026-11-23>"


def test_lists_are_kept_as_tuples() -> None:
    agent = make(hints=["be brief"])
    assert (agent.tools, agent.hints) == ((find_slots,), ("be brief",))


def test_a_tool_is_found_by_name() -> None:
    assert make().tool("find_slots") is find_slots
    with pytest.raises(KeyError, match="has no tool 'book'; it has find_slots"):
        make().tool("book")


def test_the_card_says_who_when_and_how() -> None:
    agent = make(hours=("09:00", "17:00"), hints=["ask the name first"])
    card = agent.card(datetime.date(2026, 11, 23))
    assert card.role is Role.CARD
    assert card.text == (
        "front desk of riverside clinic. today is monday. open nine to five. hint: ask the name first."
    )


def dotless(day: str) -> str:
    return day


@tool
async def other_time(time: int) -> None: ...


@tool
async def sundays(day: Literal["monday", "sunday"]) -> None: ...


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": " "}, "name is empty; say in a few words what to call the agent"),
        ({"persona": ""}, "persona is empty; say in a few words who the agent is"),
        ({"persona": "word " * 500}, "card has .* words; at most"),
        ({"greeting": ""}, "greeting is empty; an inbound call is answered with some words"),
        ({"direction": "sideways"}, "direction is 'sideways'; expected 'inbound' or 'outbound'"),
        ({"time_limit_s": 0}, "time_limit_s is 0; expected seconds above 0, at most a day"),
        ({"time_limit_s": float("nan")}, "time_limit_s is nan"),
        ({"hours": ("9", "17:00")}, "'9'"),
        ({"hints": "be brief"}, "hints is 'be brief'; expected a list"),
        ({"engine": "abacus"}, "engine is 'abacus'; expected one of embedded, openai, vllm"),
        ({"engine": "openai"}, "engine 'openai' has no server; give base_url and model"),
        ({"server": ServerSettings("http://x", "m")}, "engine 'embedded' takes no server; drop base_url"),
        ({"vllm": VLLMSettings()}, "engine 'embedded' takes no settings of vLLM; drop them"),
        ({"tools": [find_slots, find_slots]}, "two tools are called 'find_slots'; rename one"),
        ({"tools": [dotless]}, r"tools\[0\] is dotless, no tool; put @tool above its async def"),
        ({"notes": [DAY, DAY]}, "two notes are called 'day'; rename one"),
        ({"notes": ["day"]}, r"notes\[0\] is 'day'; expected a NoteField"),
        ({"notes": [NoteField("the day", "time")]}, "note 'the day' cannot be named so"),
        ({"notes": [NoteField("day", "date")]}, "kind of note day is 'date'; expected one of choice, time, heard"),  # type: ignore[arg-type]
        ({"notes": [NoteField("day", "choice")]}, "choice note day has no values; list them"),
        ({"notes": [NoteField("name", "heard", ("a",))]}, "heard note name has values; only a choice has"),
        ({"notes": [NoteField("day", "choice", ("a", "a"))]}, "note day lists a value twice: a, a"),
        ({"tools": [other_time]}, "tool other_time do not fit: the note is a time, the parameter a number"),
        ({"tools": [sundays]}, "note day and the parameter of tool sundays do not fit: the note cannot hold sunday"),
        ({"phrases": ["on {dya}"]}, r"phrases:1: the slot \{dya\} has no values"),
    ],
)
def test_pieces_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentError, match=message) as caught:
        make(**changes)
    assert "\n" not in str(caught.value)


def test_an_outbound_agent_may_wait_for_the_other_side() -> None:
    assert make(direction="outbound", greeting="").greeting == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "voice name is empty"),
        ({"rate_wpm": 79}, "voice rate_wpm is 79; expected 80 to 450 words a minute"),
        ({"rate_wpm": 451}, "voice rate_wpm is 451"),
        ({"pitch": 100}, "voice pitch is 100; expected 0 to 99"),
        ({"pitch": -1}, "voice pitch is -1"),
    ],
)
def test_a_voice_has_limits(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentError, match=message):
        VoiceSettings(**changes)
    assert VoiceSettings(rate_wpm=80, pitch=99)


def test_without_phrases_the_recogniser_learns_the_notes_and_tools() -> None:
    sentences = set(make().sentences())
    assert {"monday", "on tuesday", "ten thirty", "yes please", "no", "twelve", "at monday"} <= sentences
    assert not any("{" in one for one in sentences)


def test_phrases_take_their_slots_from_notes_and_tools() -> None:
    agent = make(phrases=["on {day} for {people}", "i'm {who}", "@who = miller"])
    assert {"i'm miller"} == {one for one in agent.sentences() if one.startswith("i'm")}
    assert {one.split()[1] for one in agent.sentences() if one.startswith("on")} == {"monday", "tuesday"}
    assert len({one.split(" for ")[1] for one in agent.sentences() if one.startswith("on")}) == 20


def test_the_sentences_digest_follows_what_they_are_made_of() -> None:
    base = make()
    assert make(greeting="hi.", tools=[find_slots]).sentences_digest() == base.sentences_digest()
    more = NoteField("part", "choice", ("morning",))
    different = [make(phrases=["yes"]), make(notes=[*base.notes, more]), make(phrases=["on {day}"])]
    assert len({one.sentences_digest() for one in (base, *different)}) == 4


def test_choices_that_nobody_says_are_no_slot_values() -> None:
    agent = make(tools=[], notes=[NoteField("answer", "choice", ("yes", "no", "unclear"))], phrases=["{answer}"])
    assert set(agent.sentences()) == {"yes", "no"}


def test_the_digest_follows_what_may_change_a_decision() -> None:
    @tool(effect="read", slow_s=2.0)
    async def find_slots(day: Literal["monday", "tuesday"], people: int = 1) -> list[str]:
        """Free times."""
        return []

    base = make()
    digest = base.settings_digest()
    assert len(bytes.fromhex(digest)) == 8
    assert make().settings_digest() == digest
    same: list[dict[str, Any]] = [{"folder": Path("elsewhere")}, {"today": datetime.date(2026, 11, 23)}]
    for changes in same:
        assert make(**changes).settings_digest() == digest
    different: list[dict[str, Any]] = [
        {"greeting": "hi."},
        {"tools": [find_slots]},
        {"notes": [DAY]},
        {"hours": ("09:00", "17:00")},
        {"voice": VoiceSettings(pitch=40)},
        {"endpointing": EndpointSettings(noise_ms=500)},
        {"filler": FillerSettings(texts=("hm.",))},
        {"phrases": ["yes"]},
        {"model": Path("weights/new")},
        {"voice": VoiceSettings(kind="piper", model="v/a.onnx")},
        {"voice": VoiceSettings(kind="piper", model="v/b.onnx")},
        {"voice": VoiceSettings("alloy", kind="openai", model="m", base_url="http://x/v1")},
        {"recogniser": RecogniserSettings("openai", "m", base_url="http://x/v1")},
        {"recogniser": RecogniserSettings("whisper", "tiny")},
        {"recogniser": RecogniserSettings("whisper", "tiny", step_ms=500)},
        {"engine": "vllm"},
        {"engine": "vllm", "vllm": VLLMSettings(dtype="float32")},
        {"stand_ins": [EngineSettings("vllm")]},
        {"stand_ins": [EngineSettings("vllm")], "stall_s": 1.0},
    ]
    assert len({make(**changes).settings_digest() for changes in different} | {digest}) == len(different) + 1
    here, there = (make(recogniser=RecogniserSettings("whisper", f"{at}/tiny")) for at in ("here", "there"))
    assert here.settings_digest() == there.settings_digest()
    here, there = (make(voice=VoiceSettings(kind="piper", model=f"{at}/a.onnx")) for at in ("here", "there"))
    assert here.settings_digest() == there.settings_digest()
    assert make(model=Path("here/new")).settings_digest() == make(model=Path("there/new")).settings_digest()


def test_a_copy_with_changes_is_checked_again() -> None:
    assert dataclasses.replace(make(), today=datetime.date(2026, 1, 1)).today == datetime.date(2026, 1, 1)
    with pytest.raises(AgentError, match="persona is empty"):
        dataclasses.replace(make(), persona="")


def test_the_fixed_sentences_are_words_and_a_failure_ends_with_a_question() -> None:
    assert Wording().tool_failed.endswith("?")
    with pytest.raises(AgentError, match="wording apology is empty; write a sentence"):
        make(wording=Wording(apology=" "))
    with pytest.raises(AgentError, match="repair after is 0; expected 1 or more"):
        make(repair=RepairSettings(after=0))
    assert make(wording=Wording(apology="pardon?")).settings_digest() != make().settings_digest()
