"""The measure of end-of-turn scores: ranking and reliability on points with known answers."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from policies.learned.core import model as core_module
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.dialogue import expert_call
from policies.learned.train.turn_ends import TurnPoint, ranking, reliability, turn_points
from policies.trajectory import Role


def points(*pairs: tuple[float, bool]) -> list[TurnPoint]:
    return [TurnPoint(score, ended, True) for score, ended in pairs]


@pytest.mark.parametrize(
    ("given", "area"),
    [
        (points((0.9, True), (0.1, False), (0.8, True)), 1.0),
        (points((0.1, True), (0.9, False)), 0.0),
        (points((0.5, True), (0.5, False)), 0.5),
        (points((0.5, True), (0.4, False), (0.6, False)), 0.5),
    ],
)
def test_ranking_is_the_area_under_the_curve(given: list[TurnPoint], area: float) -> None:
    assert ranking(given) == pytest.approx(area)


def test_ranking_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="all ends"):
        ranking(points((0.5, True)))
    with pytest.raises(ValueError, match="all no ends"):
        ranking(points((0.5, False)))


def test_reliability_compares_what_was_said_with_what_was_true() -> None:
    rows = reliability(points((0.1, False), (0.1, True), (0.95, True), (1.0, True)))
    assert [said for said, _, _ in rows] == pytest.approx([0.1, 0.975])
    assert [(true, count) for _, true, count in rows] == [(0.5, 2), (1.0, 2)]


def test_each_heard_word_is_one_point_and_each_turn_one_end() -> None:
    folder = Path(core_module.__file__).parent / "weights" / "boxed"
    model, tokenizer = CoreModel.load(folder), Tokenizer.load(folder)
    call = expert_call(Random(3))
    found = list(turn_points(model, tokenizer, call))
    heard = [segment for segment in call.segments if segment.role is Role.HEARD]
    assert len(found) == sum(len(segment.text.split()) for segment in heard)
    assert sum(point.paused for point in found) == len(heard)
    assert 0 < sum(point.ended for point in found) <= sum(segment.role is Role.TURN for segment in call.segments)
    assert all(0 <= point.score <= 1 for point in found)
