"""The comparison of optimisers: what is read off the curves, and that every arm really trains as it is named."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `learn`")

from policies.learned.core import model as core_module  # noqa: E402
from policies.learned.core.tokenizer import Tokenizer  # noqa: E402
from policies.learned.train import compare  # noqa: E402
from policies.learned.train.compare import ARMS, Curve  # noqa: E402
from policies.learned.train.model_torch import CoreShape  # noqa: E402

WEIGHTS = Path(core_module.__file__).parent / "weights" / "front_desk"
SLOW, _, FAST = (arm.name for arm in ARMS)
FOUND = [
    Curve(SLOW, 0.01, 1, (4.0, 3.0, 2.5, 2.0)),
    Curve(SLOW, 0.02, 1, (4.0, 3.9, 3.8, 3.7)),
    Curve(SLOW, 0.01, 2, (4.0, 3.0, 2.6, 2.2)),
    Curve(FAST, 0.04, 1, (4.0, 2.0, 1.5, 1.0)),
    Curve(FAST, 0.04, 2, (4.0, 2.2, 1.5, 1.2)),
]


def test_each_arm_is_judged_at_its_best_rate() -> None:
    assert compare.best_of(FOUND, SLOW) == [FOUND[0], FOUND[2]]
    rows = {row["arm"]: row for row in compare.table(FOUND)}
    assert rows[SLOW]["target"] == rows[FAST]["target"] == 2.1
    assert rows[FAST]["steps_to_target"] == [2, 3]
    assert rows[SLOW]["steps_to_target"] == [4, 4]
    assert compare.steps_to(FOUND[1], 2.1) is None


def test_the_picture_is_well_formed_and_holds_a_line_for_every_curve_at_the_best_rates() -> None:
    root = ElementTree.fromstring(compare.picture(FOUND))
    assert len(root.findall("{http://www.w3.org/2000/svg}polyline")) == 4


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_learns(arm: compare.Arm) -> None:
    shape = CoreShape(num_hidden_layers=1, hidden_size=32, intermediate_size=32, head_dim=16)
    curve = compare.run(arm, arm.rates[1], 1, 6, shape, Tokenizer.load(WEIGHTS), 600)
    assert curve.final < curve.losses[0]
