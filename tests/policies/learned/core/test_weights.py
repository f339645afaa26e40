"""The shipped weights: small enough to be committed, and each folder brings callers it never met to their goal."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.learned.core import model as core_module
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.dialogue import Line
from policies.learned.train.evaluate import play
from policies.learned.train.heldout import HELDOUT

WEIGHTS = Path(core_module.__file__).parent / "weights"
FOLDERS = sorted(folder for folder in WEIGHTS.iterdir() if folder.is_dir())


def test_all_weights_together_stay_below_what_may_be_committed() -> None:
    assert [folder.name for folder in FOLDERS] == ["boxed", "large"]
    assert sum(file.stat().st_size for file in WEIGHTS.rglob("*.safetensors")) <= 20_000_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_callers_with_unseen_wordings_reach_their_goal(folder: Path) -> None:
    model, tokenizer = CoreModel.load(folder), Tokenizer.load(folder)
    lexicon = Lexicon(tokenizer, (folder / "lexicon.txt").read_text("utf-8").split())
    outcome = play(model, tokenizer, HELDOUT, Line(), guarded=True, lexicon=lexicon, calls=4, seed=5)
    assert (outcome.calls, outcome.early_writes) == (4, 0)
    assert outcome.successes >= 3
    assert (folder / "README.md").read_text("utf-8").startswith("# Model card")
