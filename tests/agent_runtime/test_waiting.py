"""Whole calls in virtual time with tools of different speed: what the caller hears while it waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from agent_runtime import events as ev
from agent_runtime.commands import Say
from agent_runtime.latency import agent_speech, measure
from agent_runtime.testing import Line, Segment, at
from agent_runtime.testing.fakes import EngineCost, FakeEngine
from agent_runtime.tools import Tool, tool
from tests.agent_runtime.scenes import clip
from tests.agent_runtime.sessions import ASKS, BYE, SAYS, WISH, KeptEngine, Scene, line

AGAIN = line("again", "and what about wednesday afternoon")


def lookup(*takes_s: float, **declared: Any) -> Tool:
    """A look-up that takes these times, one after the other; a newcomer declares no more than that it reads."""
    left = list(takes_s)

    @tool(effect="read", timeout_s=20.0, **declared)
    async def find_slots(day: str) -> str:
        """Free slots of a day."""
        await asyncio.sleep(left.pop(0))
        return "ten thirty"

    return find_slots


def fillers(scene: Scene) -> list[list[str]]:
    """What was ordered as fillers, turn by turn of the caller's look-ups."""
    found: list[list[str]] = []
    for entry in scene.kept:
        if isinstance(entry.what, ev.ToolRequested):
            found.append([])
        elif isinstance(entry.what, Say) and entry.what.kind == "filler":
            found[-1].append(entry.what.text)
    return found


def heard(scene: Scene, turn: int = 0) -> tuple[float, float, float]:
    """First sound, first answer and longest silence of a turn, in milliseconds after the caller's last sample."""
    found = [one for one in measure(scene.kept).turns if one.text][turn]
    assert found.first_sound_ms is not None
    assert found.first_answer is not None
    assert found.first_answer_ms is not None
    silent_from, longest = found.last_sample, 0
    for spoken in agent_speech(scene.kept):
        for begin, end in spoken.audible:
            if found.last_sample <= begin <= found.first_answer:
                longest = max(longest, begin - silent_from)
                silent_from = end
    return found.first_sound_ms, found.first_answer_ms, longest / 16


def never_two_voices(scene: Scene) -> None:
    """No utterance begins before the one in front of it has ended."""
    spans = [span for spoken in agent_speech(scene.kept) for span in spoken.audible]
    assert all(end <= begin for (_, end), (begin, _) in zip(spans, spans[1:], strict=False)), spans


def test_a_tool_of_2_s_on_the_first_turn_with_nothing_declared() -> None:
    scene = Scene(WISH, BYE, tools=[lookup(2.0)]).plays()
    sound_ms, answer_ms, silent_ms = heard(scene)
    print(fillers(scene), sound_ms, answer_ms, silent_ms)
    never_two_voices(scene)


def test_a_tool_of_300_ms() -> None:
    scene = Scene(WISH, AGAIN, BYE, tools=[lookup(0.3, 0.3)]).plays()
    print(fillers(scene), heard(scene), heard(scene, 1))
    never_two_voices(scene)


def test_a_tool_of_5_ms() -> None:
    scene = Scene(WISH, AGAIN, BYE, tools=[lookup(0.005, 0.005)]).plays()
    print(fillers(scene), heard(scene), heard(scene, 1))
    never_two_voices(scene)


def test_a_tool_of_9_s() -> None:
    scene = Scene(WISH, AGAIN, BYE, tools=[lookup(9.0, 9.0)]).plays()
    print(fillers(scene), heard(scene), heard(scene, 1))
    never_two_voices(scene)
