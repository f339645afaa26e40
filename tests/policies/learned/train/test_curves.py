"""Curves of several ways to train: what is read off them, kept in a file and drawn."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from policies.learned.train import curves
from policies.learned.train.curves import Curve

SLOW, FAST = "plain", "quick"
FOUND = [
    Curve(SLOW, 0.01, 1, (4.0, 3.0, 2.5, 2.0)),
    Curve(SLOW, 0.02, 1, (4.0, 3.9, 3.8, 3.7)),
    Curve(SLOW, 0.01, 2, (4.0, 3.0, 2.6, 2.2)),
    Curve(FAST, 0.04, 1, (4.0, 2.0, 1.5, 1.0)),
    Curve(FAST, 0.04, 2, (4.0, 2.2, 1.5, 1.2)),
]


def test_each_arm_is_judged_at_its_best_rate() -> None:
    assert curves.best_of(FOUND, SLOW) == [FOUND[0], FOUND[2]]
    rows = {row.arm: row for row in curves.table(FOUND)}
    assert rows[SLOW].target == rows[FAST].target == 2.1
    assert rows[FAST].reached == (2, 3)
    assert rows[SLOW].reached == (4, 4)
    assert rows[FAST].mean_steps == 2.5
    assert curves.steps_to(FOUND[1], 2.1) is None


def test_shorter_runs_tell_how_long_one_must_be() -> None:
    shorter = [Curve(FAST, 0.04, seed, (4.0, final)) for seed, final in ((1, 2.9), (2, 3.1))]
    shorter += [Curve(FAST, 0.04, seed, (4.0, 2.5, 2.0)) for seed in (1, 2)]
    found = [*FOUND, *shorter, Curve(FAST, 0.01, 1, (0.5,))]  # another rate than the best
    assert curves.table(found) == curves.table(FOUND)
    assert curves.budget(found, FAST, 2.5) == 2.5
    assert curves.budget(found, FAST, 2.0) == 3
    assert curves.budget(found, FAST, 3.5) == 2, "the shortest was good enough"
    assert curves.budget(found, FAST, 0.9) is None


def test_the_picture_is_well_formed_and_holds_a_line_for_every_curve_at_the_best_rates() -> None:
    root = ElementTree.fromstring(curves.picture(FOUND, {SLOW: "#000000", FAST: "#ff0000"}))
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 4


def test_curves_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    assert curves.read_curves(tmp_path / "none.json") == []
    curves.write_curves(FOUND, tmp_path / "some.json")
    assert curves.read_curves(tmp_path / "some.json") == FOUND
