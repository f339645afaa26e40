"""How long waits take, learned from the waits before: exact, bounded, and the same in the next call."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import PolicyError
from policies.waits import Waits, WaitSettings

DURATIONS = st.lists(st.integers(0, 60_000), min_size=1, max_size=40)


def after(durations: list[int], waits: Waits | None = None, name: str = "engine") -> Waits:
    found = waits or Waits()
    for ms in durations:
        found = found.seen(name, ms)
    return found


def test_nothing_known_is_the_default_and_says_so() -> None:
    assert Waits().predict("tool find_slots") == WaitSettings().unknown_ms
    assert not Waits().known("tool find_slots")
    assert not Waits(durations={"engine": ()}).known("engine")


def test_a_declared_time_is_believed_until_three_waits_say_otherwise() -> None:
    waits = Waits(priors={"tool book": 2000})
    assert waits.known("tool book")
    assert [after([5] * n, waits, "tool book").predict("tool book") for n in range(4)] == [2000, 2000, 2000, 5]


def test_names_do_not_mix_and_seeing_gives_a_new_value() -> None:
    first = Waits().seen("engine", 100)
    second = first.seen("tool book", 2)
    assert (second.predict("engine"), second.predict("tool book")) == (100, 2)
    assert not first.known("tool book")


@given(DURATIONS, st.floats(0.01, 1.0), st.integers(1, 20))
def test_the_quantile_is_one_of_the_last_waits_with_its_share_at_or_below(
    durations: list[int], quantile: float, window: int
) -> None:
    found = after(durations, Waits(settings=WaitSettings(quantile, window))).predict("engine")
    kept = durations[-window:]
    assert found in kept
    assert sum(ms <= found for ms in kept) >= quantile * len(kept) - 1e-9
    assert sum(ms < found for ms in kept) < quantile * len(kept)


@given(DURATIONS, st.integers(0, 5000))
def test_a_slower_wait_never_makes_the_prediction_shorter(durations: list[int], more_ms: int) -> None:
    assert after([ms + more_ms for ms in durations]).predict("engine") == after(durations).predict("engine") + more_ms
    slower = after(durations).seen("engine", max(durations) + more_ms)
    assert slower.predict("engine") >= min(durations)


@given(DURATIONS, st.integers(0, 9000))
def test_enough_equal_waits_make_any_past_forgotten(durations: list[int], ms: int) -> None:
    assert after([*durations, *[ms] * WaitSettings().window]).predict("engine") == ms


@given(DURATIONS, DURATIONS)
def test_values_carry_everything_into_the_next_call(engine: list[int], tool: list[int]) -> None:
    waits = after(tool, after(engine, Waits({"tool book": 900})), "tool book")
    kept = json.loads(json.dumps(waits.values()))
    assert Waits.from_values(kept, priors={"tool book": 900}) == waits
    assert all(len(one) <= WaitSettings().window for one in kept.values())


def test_times_and_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(PolicyError, match="the wait for engine took -1 ms"):
        Waits().seen("engine", -1)
    with pytest.raises(PolicyError, match="the wait for engine took -5 ms"):
        Waits.from_values({"engine": [-5]})
    with pytest.raises(PolicyError, match=r"quantile is 0\.0"):
        WaitSettings(0.0)
    with pytest.raises(PolicyError, match="window is 0"):
        WaitSettings(window=0)
