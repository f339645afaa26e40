"""The comparison of optimisers: every arm really trains."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra `learn`")

from policies.learned.core import model as core_module  # noqa: E402
from policies.learned.core.tokenizer import Tokenizer  # noqa: E402
from policies.learned.train import compare  # noqa: E402
from policies.learned.train.compare import ARMS  # noqa: E402
from policies.learned.train.model_torch import CoreShape  # noqa: E402

WEIGHTS = Path(core_module.__file__).parent / "weights" / "boxed"


@pytest.mark.parametrize("arm", ARMS, ids=lambda arm: arm.name)
def test_every_arm_learns(arm: compare.Arm) -> None:
    tokenizer = Tokenizer.load(WEIGHTS)
    shape = CoreShape(vocab_size=tokenizer.size, num_hidden_layers=1, hidden_size=32, intermediate_size=32, head_dim=16)
    curve = compare.run(arm, arm.rates[1], 1, 6, shape, tokenizer, 600)
    assert curve.final < curve.losses[0]
