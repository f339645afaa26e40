"""The mean of two runs is a model like them; runs of different models are refused by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from agent_runtime.boxed import BOXED_MODEL
from policies.learned.core.model import CoreModel
from policies.learned.train.average import main


def changed(folder: Path, factor: float) -> Path:
    shutil.copytree(BOXED_MODEL, folder)
    tensors = load_file(folder / "model.safetensors")
    halves = {name: (one.astype(np.float32) * factor).astype(np.float16) for name, one in tensors.items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def test_the_mean_of_two_runs_loads_and_is_their_mean(tmp_path: Path) -> None:
    one, two = changed(tmp_path / "one", 0.5), changed(tmp_path / "two", 1.5)
    main([str(one), str(two), "--out", str(tmp_path / "mean")])
    found, wanted = (load_file(folder / "model.safetensors") for folder in (tmp_path / "mean", BOXED_MODEL))
    for name, tensor in wanted.items():
        assert np.allclose(found[name].astype(np.float32), tensor.astype(np.float32), rtol=2e-3, atol=1e-5), name
    model = CoreModel.load(tmp_path / "mean")
    assert model.extend(model.new_cache(), [40, 41]).shape == (model.config.vocab_size,)
    assert (tmp_path / "mean" / "tokenizer.json").read_bytes() == (BOXED_MODEL / "tokenizer.json").read_bytes()


def test_runs_of_different_models_are_refused(tmp_path: Path) -> None:
    one, two = changed(tmp_path / "one", 1.0), changed(tmp_path / "two", 1.0)
    (two / "tokenizer.json").write_text("{}", "utf-8")
    with pytest.raises(ValueError, match=r"two has another vocabulary than .*one; average runs of one vocabulary"):
        main([str(one), str(two), "--out", str(tmp_path / "mean")])
    save_file({"model.norm.weight": np.zeros(3, np.float16)}, two / "model.safetensors")
    with pytest.raises(ValueError, match=r"two holds a model of another shape than .*one"):
        main([str(one), str(two), "--out", str(tmp_path / "mean")])
