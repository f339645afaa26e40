"""What a silence of both asks for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.idle import Idle, IdleSettings, Quiet, decide, holds

S = IdleSettings()


def test_a_question_expects_an_answer_sooner_than_a_statement() -> None:
    asked = Quiet(last_said="which day would suit you?")
    assert decide(asked) == Idle("wait", "a question was asked", S.asked_ms)
    assert decide(replace(asked, silent_ms=S.asked_ms - 1)).wait_ms == 1
    assert decide(replace(asked, silent_ms=S.asked_ms)).action == "ask"
    told = Quiet(S.asked_ms, "we are open from nine to five.")
    assert decide(told) == Idle("wait", "nothing was asked", S.told_ms - S.asked_ms)
    assert decide(replace(told, silent_ms=S.told_ms)).action == "ask"


def test_a_caller_who_asked_to_wait_is_waited_for() -> None:
    held = Quiet(S.told_ms, "which day?", "hold on a moment please")
    assert decide(held) == Idle("wait", "the caller asked to wait", S.hold_ms - S.told_ms)
    assert decide(replace(held, silent_ms=S.hold_ms)).action == "ask", "but not for ever"


def test_asked_twice_in_vain_it_says_goodbye() -> None:
    quiet = Quiet(S.again_ms - 1, "are you still there?", "hang on", asked=1)
    assert decide(quiet) == Idle("wait", "nobody answers", 1)
    assert decide(replace(quiet, silent_ms=S.again_ms)).action == "ask"
    assert decide(replace(quiet, silent_ms=S.again_ms, asked=2)).action == "goodbye"
    assert decide(replace(quiet, silent_ms=S.again_ms, asked=1), replace(S, most=1)).action == "goodbye"


@pytest.mark.parametrize(
    "turn",
    ["hold on", "hang on please", "one moment, i will get my card", "just a second", "wait", "let me check my diary",
     "bear with me", "give me a minute"],
)  # fmt: skip
def test_these_turns_ask_to_wait(turn: str) -> None:
    assert holds(turn)


@pytest.mark.parametrize(
    "turn",
    ["", "yes please", "i am waiting", "wednesday", "hold it", "how long do i have to wait until somebody sees me"],
)  # fmt: skip
def test_these_do_not(turn: str) -> None:
    assert not holds(turn)


@given(
    st.integers(0, 200_000), st.sampled_from(["", "which day?", "nine to five."]),
    st.sampled_from(["", "hold on", "yes"]), st.integers(0, 4),
)  # fmt: skip
def test_a_wait_ends_when_it_says_and_a_goodbye_comes_only_after_questions(
    silent_ms: int, said: str, heard: str, asked: int
) -> None:
    quiet = Quiet(silent_ms, said, heard, asked)
    found = decide(quiet)
    assert (found.action == "wait") == (found.wait_ms > 0)
    if found.action == "wait":
        assert decide(replace(quiet, silent_ms=silent_ms + found.wait_ms)).action != "wait"
    if found.action == "goodbye":
        assert asked >= S.most
