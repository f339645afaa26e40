"""The mean of the weights of several runs that began with the same ones: often better than each.

    python -m policies.learned.train.average runs/one runs/two --out runs/mean

Runs that go on from one set of weights end in one valley of the loss, and its middle lies lower than its sides
(Izmailov et al. 2018, stochastic weight averaging; Wortsman et al. 2022, model soups). Runs that began apart have
nothing to average. It needs no torch.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

__all__ = ["average", "main"]

_WEIGHTS = "model.safetensors"


def average(folders: Sequence[Path], out: Path) -> None:
    """Write into `out` what `folders` hold, with the mean of their weights. Raises `ValueError` where they differ."""
    first, *others = [load_file(folder / _WEIGHTS) for folder in folders]
    for folder, tensors in zip(folders[1:], others, strict=True):
        if {name: one.shape for name, one in tensors.items()} != {name: one.shape for name, one in first.items()}:
            raise ValueError(f"{folder} holds a model of another shape than {folders[0]}; average runs of one model")
        if (folder / "tokenizer.json").read_bytes() != (folders[0] / "tokenizer.json").read_bytes():
            raise ValueError(f"{folder} has another vocabulary than {folders[0]}; average runs of one vocabulary")
    out.mkdir(parents=True, exist_ok=True)
    for file in folders[0].iterdir():
        if file.suffix in (".json", ".txt"):
            shutil.copyfile(file, out / file.name)
    means = {name: np.mean([one[name].astype(np.float32) for one in (first, *others)], 0) for name in first}
    save_file({name: one.astype(np.float16) for name, one in means.items()}, out / _WEIGHTS, metadata={"format": "pt"})
    (out / _WEIGHTS).chmod(0o644)


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.average", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folders", nargs="+", type=Path, help="folders that the recipe's export wrote")
    parser.add_argument("--out", required=True, type=Path, help="folder for the mean")
    options = parser.parse_args(arguments)
    average(options.folders, options.out)


if __name__ == "__main__":
    main()
