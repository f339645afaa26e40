"""Whole calls in virtual time with tools of different speed: what the caller hears while it waits."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import pairwise
from typing import Any

from agent_runtime import events as ev
from agent_runtime.commands import Cancel, Say
from agent_runtime.latency import agent_speech, measure
from agent_runtime.mind import Mind
from agent_runtime.testing.fakes import EngineCost
from agent_runtime.tools import Tool, tool
from tests.agent_runtime.scenes import NOTHING_AHEAD
from tests.agent_runtime.sessions import WISH, KeptEngine, Scene, line

AGAIN = line("again", "and what about wednesday afternoon", 2.0)
BYE = line("bye", "that is all thanks bye", 2.0)
"""Later than any pause between fillers, which are no turns that a caller would answer."""


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
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans)), spans


def test_a_tool_of_2_s_on_the_first_turn_with_nothing_declared() -> None:
    """The turn is over 231 ms after the last word, the model asks for the tool 140 ms later, the voice takes 80 ms:
    what is left of the 521 ms is the grace, which a tool that ran early has behind it."""
    scene = Scene(WISH, BYE, thinking=NOTHING_AHEAD, tools=[lookup(2.0)]).plays()
    assert fillers(scene) == [["let me look.", "i am still looking."]]
    assert heard(scene) == (521.0, 2851.0, 580.0), "580 ms between the two fillers; bounds of the issue: 400, -, 1200"
    never_two_voices(scene)


def test_a_tool_of_2_s_that_was_declared() -> None:
    scene = Scene(WISH, BYE, thinking=NOTHING_AHEAD, tools=[lookup(2.0, slow_s=2.0)]).plays()
    assert fillers(scene) == [["let me look."]]
    assert heard(scene) == (461.0, 2589.0, 1078.0)
    never_two_voices(scene)


def test_a_tool_of_300_ms_is_talked_over_once_and_then_known() -> None:
    scene = Scene(WISH, AGAIN, BYE, thinking=NOTHING_AHEAD, tools=[lookup(0.3, 0.3)]).plays()
    assert fillers(scene) == [["let me look."], []]
    assert heard(scene) == (521.0, 889.0, 521.0), "the filler ended with its first word"
    assert [one for one in scene.said if "let" in one] == ["let"]
    assert heard(scene, 1) == (884.0, 884.0, 884.0)
    assert len([e for e in scene.of(Cancel) if e.how == "word"]) == 1
    never_two_voices(scene)


def test_a_tool_of_5_ms_is_never_talked_over() -> None:
    scene = Scene(WISH, AGAIN, BYE, thinking=NOTHING_AHEAD, tools=[lookup(0.005, 0.005)]).plays()
    assert fillers(scene) == [[], []]
    assert heard(scene) == heard(scene, 1) == (589.0, 589.0, 589.0)


def test_a_tool_of_9_s_is_never_silent_for_long_and_says_nothing_twice() -> None:
    scene = Scene(WISH, AGAIN, BYE, thinking=NOTHING_AHEAD, tools=[lookup(9.0, 9.0)]).plays()
    assert fillers(scene) == [
        [
            "let me look.",
            "i am still looking.",
            "it is taking a moment, i am still looking.",
            "just a little longer, please.",
        ],
        ["one moment.", "thank you for waiting, i am still on it.", "just a second, i am checking.", "let me see."],
    ]
    assert heard(scene) == (521.0, 9613.0, 580.0)
    assert heard(scene, 1) == (461.0, 9612.0, 580.0), "known by now: the filler comes without the grace"
    never_two_voices(scene)


def test_what_is_being_done_is_said_with_the_callers_words() -> None:
    texts = ("let me look at {day}.", "let me look.")
    scene = Scene(WISH, BYE, thinking=NOTHING_AHEAD, tools=[lookup(2.0, slow_s=2.0, filler=texts)]).plays()
    assert fillers(scene)[0][0] == "let me look at wednesday."


def test_a_slow_reply_is_covered_from_the_second_time_on_at_once() -> None:
    slow = partial(KeptEngine, cost=EngineCost(request_s=0.5))
    again = line("again", "and your opening hours on sunday", 2.0)
    scene = Scene(line("asks", "what are your opening hours"), again, BYE, engine=slow, thinking=NOTHING_AHEAD).plays()
    said = [e.text for e in scene.of(Say) if e.kind == "filler"]
    assert said == ["one moment.", "let me think.", "just a second."], "one for each reply"
    assert heard(scene) == (1080.0, 1430.0, 1080.0), "only when it was late"
    assert heard(scene, 1) == (330.0, 1380.0, 330.0)
    never_two_voices(scene)


def test_how_long_waits_took_goes_with_the_next_call() -> None:
    first = Scene(WISH, BYE, thinking=NOTHING_AHEAD, tools=[lookup(0.3)])
    minds: list[Mind] = []
    first.spoil = lambda session: minds.append(session.mind)
    first.plays()
    assert minds[0].answering.waiting.waits.values() == {"engine": [128, 111], "tool find_slots": [300]}
