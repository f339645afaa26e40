"""When to think while the caller speaks: on pauses, whole turns and wanted values; bounded; what still holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.speculation import Listening, ThinkingSettings, decide, same_wish

VALUES = frozenset({"wednesday", "ten"})
ON = ThinkingSettings()


def heard(text: str, *, stable: int | None = None, paused: bool = False, **more: Any) -> Listening:
    words = tuple(text.split())
    return Listening(words, len(words) if stable is None else stable, paused, **more)


@pytest.mark.parametrize(
    ("turn", "depth"),
    [
        (heard("i would like to see the"), ""),
        (heard("i would like to see the", paused=True), ""),
        (heard("i would like to come on wednesday"), "draft"),
        (heard("i would like to come on wednesday at"), "peek"),
        (heard("i would like to come on wednesday at", stable=5), ""),
        (heard("i would like to come on wednesday at", thought_at=7), ""),
        (heard("i need an appointment", paused=True), "draft"),
        (heard("i need an appointment"), "guess"),
        (heard("an appointment"), ""),
        (heard("i need an appointment soon", guesses=1), ""),
    ],
)
def test_what_the_words_ask_for(turn: Listening, depth: str) -> None:
    assert decide(turn, VALUES, ON) == depth


def test_the_same_words_are_thought_about_once() -> None:
    assert decide(heard("on wednesday", paused=True, thought_at=2), VALUES, ON) == ""


def test_each_way_can_be_turned_off() -> None:
    whole, slot = heard("i would like to come on wednesday", paused=True), heard("come on wednesday at")
    assert decide(whole, VALUES, replace(ON, draft=False)) == "peek"
    assert decide(slot, VALUES, replace(ON, listen=False)) == ""
    assert decide(whole, VALUES, replace(ON, draft=False, listen=False)) == ""


def test_both_are_bounded_in_a_turn() -> None:
    assert decide(heard("on wednesday", paused=True, drafts=ON.most_drafts), VALUES, ON) == "peek"
    assert decide(heard("come on wednesday at", peeks=ON.most_peeks), VALUES, ON) == ""


@pytest.mark.parametrize(
    ("drafted", "said", "holds"),
    [
        ("on wednesday", "on wednesday please", True),
        ("on wednesday please", "on wednesday", True),
        ("on wednesday", "on wednesday at ten", False),
        ("on wednesday", "no on wednesday", False),
        ("on wednesday", "on thursday", False),
        ("okay", "okay thanks", False),
        ("", "please", False),
        ("yes", "yes please", True),
    ],
)
def test_a_draft_holds_where_only_empty_words_were_added(drafted: str, said: str, holds: bool) -> None:
    assert same_wish(drafted.split(), said.split()) is holds


@given(st.lists(st.sampled_from("on wednesday please thanks no ten um".split()), max_size=6))
def test_the_same_words_are_the_same_wish(words: list[str]) -> None:
    assert same_wish(words, words)
