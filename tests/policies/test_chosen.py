"""A time is noted only where the caller's words chose one."""

from __future__ import annotations

import pytest

from policies.chosen import chose

OFFERED = ("eight", "eleven", "five")


@pytest.mark.parametrize(
    "heard",
    [
        "eleven please",
        "the first one",
        "half past ten",
        "i don't mind",
        "whichever suits you",
        "the last",
        "any of them",
    ],
)
def test_words_that_choose(heard: str) -> None:
    assert chose(heard, OFFERED)


@pytest.mark.parametrize(
    "heard", ["", "mhm", "uh huh", "hm", "yes", "my name is lewis", "the afternoon would be better"]
)
def test_words_that_choose_nothing(heard: str) -> None:
    assert not chose(heard, OFFERED)


def test_a_single_time_is_chosen_by_agreeing() -> None:
    assert chose("yes please", OFFERED[:1])
    assert not chose("no", OFFERED[:1])
    assert not chose("", OFFERED[:1])
