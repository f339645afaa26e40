"""One causal language model of the ``transformers`` library: token ids in, logits out, caches that roll back exactly.

Runs in the engine's worker thread and nowhere else. This file knows tensors; it refuses to know sessions and the loop.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForCausalLM, DynamicCache

__all__ = ["TorchModel", "TorchModelError"]

Floats = NDArray[np.float32]


class TorchModelError(ValueError):
    """A model whose cache cannot be rolled back exactly, or input that it cannot take."""


class TorchModel:
    """The model, and caches that are values: extending and cropping give a new one and leave the old one as it was.

    That costs nothing, because the library's full-attention layers put new tensors in the place of old ones, and it
    makes a fork the cache itself and a cancelled step harmless: who abandons it goes on with the cache from before.
    """

    def __init__(self, model: Any) -> None:
        self._model = model.eval()
        self._config = model.config
        self.device = next(model.parameters()).device
        # the library renamed the argument within version 5 and warns of the old name
        self._cache_word = "cache" if "cache" in signature(model.forward).parameters else "past_key_values"
        # a layer that forgets (sliding window, recurrent state) cannot give back what it dropped
        if not all(getattr(layer, "is_croppable", False) for layer in self.new_cache().layers):
            raise TorchModelError(
                f"{type(model).__name__} has layers whose cache cannot be cropped; take a model with full attention"
            )

    @classmethod
    def load(cls, folder: Path | str, *, device: str | None = None) -> TorchModel:
        """Read a folder as ``from_pretrained`` does, from this machine only. Raises `OSError` when there is none.

        `device` is a torch device, by default the GPU where there is one. On a CPU the model runs in single precision,
        in which logits after a rollback are those of a fresh cache to 1e-4; on a GPU in the precision of its files.
        """
        where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        precision = torch.float32 if where.type == "cpu" else "auto"
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=precision, local_files_only=True)
        return cls(model.to(where))

    def new_cache(self) -> DynamicCache:
        """An empty cache for one call."""
        return DynamicCache(config=self._config)

    def crop(self, cache: DynamicCache, length: int) -> DynamicCache:
        """The cache of the first `length` positions. Raises `TorchModelError` when there are fewer."""
        drop = cache.get_seq_length() - length
        if drop < 0 or length < 0:
            raise TorchModelError(
                f"cannot crop to {length}: the cache holds {length + drop} positions; extend it first"
            )
        if length == 0:
            return self.new_cache()
        shorter = _twin(cache)
        if drop:
            shorter.crop(-drop)  # how many to remove: lengths to keep raise since transformers 5.18
        return shorter

    def extend(self, cache: DynamicCache, ids: Sequence[int], *, every: bool = False) -> tuple[DynamicCache, Floats]:
        """The cache with `ids` appended, and the logits after the last, float32[vocab]; with `every` after each,
        float32[n, vocab]. Raises `TorchModelError` for no ids, ids out of range, or more positions than it has."""
        limit, vocabulary = self._config.max_position_embeddings, self._config.vocab_size
        held = cache.get_seq_length()
        if not ids or held + len(ids) > limit:
            raise TorchModelError(f"{held} + {len(ids)} positions: give at least one id, and at most {limit} in all")
        if min(ids) < 0 or max(ids) >= vocabulary:
            raise TorchModelError(f"ids run from {min(ids)} to {max(ids)}; the vocabulary is 0..{vocabulary - 1}")
        longer = _twin(cache)
        with torch.inference_mode():
            found = self._model(
                input_ids=torch.tensor([list(ids)], device=self.device),
                use_cache=True,
                logits_to_keep=0 if every else 1,
                **{self._cache_word: longer},
            )
            logits: Floats = found.logits[0].float().cpu().numpy()
        return longer, logits if every else logits[-1]


def _twin(cache: DynamicCache) -> DynamicCache:
    """A cache with layers of its own over the same tensors."""
    twin = copy(cache)
    twin.layers = [copy(layer) for layer in cache.layers]
    return twin
