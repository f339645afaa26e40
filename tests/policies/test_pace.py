"""Pace: a thought where the next word is in doubt, never inside a number, never without end."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from policies.numerals import say_number
from policies.pace import Pace, PaceSettings

SURE, UNSURE = 0.01, math.log(3)


def test_one_who_is_sure_speaks_on() -> None:
    assert not Pace(PaceSettings()).stops("one, two,", SURE)
    assert Pace(PaceSettings()).stops("one, two,", UNSURE)


def test_nothing_is_thought_over_before_the_first_word() -> None:
    assert not Pace(PaceSettings()).stops("", UNSURE)
    assert not Pace(PaceSettings()).stops(",", UNSURE)


@given(st.integers(0, 9_999))
def test_a_number_is_said_whole(number: int) -> None:
    words = say_number(number).split()
    for end in range(1, len(words) + 1):
        assert not Pace(PaceSettings()).stops("that is " + " ".join(words[:end]), UNSURE)
    assert Pace(PaceSettings()).stops("that is " + " ".join(words) + ",", UNSURE)
    assert Pace(PaceSettings()).stops(" ".join(words) + " plus", UNSURE)


@given(st.integers(0, 12), st.lists(st.floats(0, 5), max_size=40))
def test_a_turn_holds_at_most_so_many(most: int, doubts: list[float]) -> None:
    settings = PaceSettings(most=most, nats=1.0)
    pace = Pace(settings)
    stops = [pace.stops("so it is,", doubt) for doubt in doubts]
    assert sum(stops) == pace.put_in == min(most, sum(doubt >= 1.0 for doubt in doubts))
