"""Pace in whole calls with the model in the box: told to speak in one breath, it stops to work a total out."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from agent_runtime.agent import Agent
from agent_runtime.call import run_call
from agent_runtime.doors.typed import TypedDoor
from agent_runtime.events import ThoughtFormed
from agent_runtime.testing.fakes import TimedVoice
from policies.learned.train.counting import GREETING
from policies.pace import PaceSettings

SUMS = {"what is forty seven plus eight": "fifty five", "what is thirty six plus seven": "forty three"}


def asked(words: str, pace: PaceSettings) -> tuple[list[str], str]:
    """The thoughts of the answer, and what was said."""
    agent = Agent(name="counting", persona="helper. speak in one breath", greeting=GREETING)
    lines = iter([words, None])
    thoughts: list[str] = []
    call = run_call(
        replace(agent, pace=pace),
        TypedDoor(lambda: next(lines)),
        today=datetime.date(2026, 11, 24),
        audio=False,
        voice=TimedVoice(first_s=0.0, word_ms=10),
        watchers=[lambda entry: thoughts.append(entry.what.text) if isinstance(entry.what, ThoughtFormed) else None],
    )
    return thoughts, next(text for party, text in call.transcript[2:] if party == "agent")


@pytest.mark.parametrize(("words", "total"), SUMS.items())
def test_a_model_that_wavers_thinks_before_it_says_the_total(words: str, total: str) -> None:
    thoughts, said = asked(words, PaceSettings())
    assert said.endswith(f" is {total}.")
    assert thoughts[-1].endswith(total)
    assert len(thoughts) > 1


@pytest.mark.parametrize("words", SUMS)
def test_without_pace_it_says_what_comes_first(words: str) -> None:
    thoughts, said = asked(words, PaceSettings(on=False))
    assert len(set(thoughts)) == 1
    assert " is " in said


def test_what_it_is_sure_of_it_says_in_one_go() -> None:
    thoughts, said = asked("count to twelve", PaceSettings())
    assert said.endswith("eleven, twelve.")
    assert len(set(thoughts)) == 1
