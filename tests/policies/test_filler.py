"""Which filler is said when, and never the same twice."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.filler import Filler, FillerSettings, Wait, choose

TEXTS = FillerSettings().texts


def test_a_slow_tool_gets_its_filler_at_once_and_a_quick_one_none() -> None:
    assert choose(Wait(0, predicted_ms=2000)) == Filler(TEXTS[0])
    assert choose(Wait(0, predicted_ms=800)) == Filler(None, 800)
    assert choose(Wait(300)) == Filler(None, 500)


def test_a_tool_that_proves_slow_gets_one_then() -> None:
    assert choose(Wait(800)) == Filler(TEXTS[0])
    assert choose(Wait(900, predicted_ms=200)) == Filler(TEXTS[0])


def test_nothing_is_said_over_speech() -> None:
    assert choose(Wait(2000, floor_open=False)) == Filler(None)
    assert choose(Wait(300, floor_open=False)) == Filler(None, 500)


def test_a_long_wait_gets_another_and_then_no_more() -> None:
    wait = Wait(3000, said_in_wait=1, since_filler_ms=2000, said_in_call=1, last_text=TEXTS[0])
    assert choose(wait) == Filler(None, 3000)
    assert choose(replace(wait, since_filler_ms=5000)) == Filler(TEXTS[1])
    assert choose(replace(wait, since_filler_ms=9000, said_in_wait=3)) == Filler(None)


def test_a_tool_brings_its_own_words_for_the_first_filler_of_a_wait() -> None:
    wait = Wait(900, own_text="i am asking the kitchen.")
    assert choose(wait) == Filler("i am asking the kitchen.")
    assert choose(replace(wait, waited_ms=100)) == Filler(None, 700), "it comes no sooner"
    assert choose(replace(wait, said_in_wait=1, since_filler_ms=5000, said_in_call=1)) == Filler(TEXTS[1])
    assert choose(replace(wait, last_text=wait.own_text)) == Filler(TEXTS[0]), "not twice in a row"
    assert choose(wait, FillerSettings(())) == Filler("i am asking the kitchen.")


@pytest.mark.parametrize("texts", [(), ("one moment.",)])
def test_rather_nothing_than_the_same_again(texts: tuple[str, ...]) -> None:
    assert choose(Wait(900, last_text="one moment."), FillerSettings(texts)) == Filler(None)


@given(st.lists(st.sampled_from(["a.", "b.", "c."]), min_size=1, max_size=5).map(tuple), st.integers(1, 20))
def test_the_rotation_never_says_the_same_twice_in_a_row(texts: tuple[str, ...], count: int) -> None:
    settings = FillerSettings(texts)
    last = ""
    for place in range(count):
        text = choose(Wait(900, said_in_call=place, last_text=last), settings).text
        assert text != last
        assert text is not None or set(texts) == {last}
        last = text or last
