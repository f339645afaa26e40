"""The engines that the contract is held against, each over something small: random weights, or a function of words.

The embedded engine, the torch engine and vLLM run the same weights, so one forward pass of numpy is the truth for all.
Heads have 32 dimensions, the fewest that vLLM knows on a CPU.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from agent_runtime.clock import run_outside
from agent_runtime.engines.embedded import EmbeddedEngine
from agent_runtime.ports import Engine
from agent_runtime.testing.fakes import FakeEngine, WordLanguage
from policies.learned.core.model import CoreConfig, CoreModel

VOCABULARY = 96
TINY = CoreConfig(
    vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
    head_dim=32, intermediate_size=48, rope_theta=10_000.0, rms_norm_eps=1e-6, max_position_embeddings=1024,
)  # fmt: skip


def tiny_tensors(seed: int = 3) -> dict[str, Any]:
    """Random weights in the shape of the real ones; logits far enough apart to tell every context from another."""
    random = np.random.default_rng(seed)

    def matrix(*shape: int) -> Any:
        return (random.normal(0, 0.3, shape)).astype(np.float32)

    tensors = {"model.embed_tokens.weight": matrix(VOCABULARY, 32), "model.norm.weight": np.ones(32, np.float32)}
    for layer in range(TINY.num_hidden_layers):
        prefix = f"model.layers.{layer}."
        for name, out, into in (
            ("self_attn.q_proj", 64, 32), ("self_attn.k_proj", 32, 32), ("self_attn.v_proj", 32, 32),
            ("self_attn.o_proj", 32, 64), ("mlp.gate_proj", 48, 32), ("mlp.up_proj", 48, 32), ("mlp.down_proj", 32, 48),
        ):  # fmt: skip
            tensors[f"{prefix}{name}.weight"] = matrix(out, into)
        for name, size in (
            ("input_layernorm", 32), ("post_attention_layernorm", 32),
            ("self_attn.q_norm", 32), ("self_attn.k_norm", 32),
        ):  # fmt: skip
            tensors[f"{prefix}{name}.weight"] = np.ones(size, np.float32)
    return tensors


def tiny_model(seed: int = 3) -> CoreModel:
    """The tiny weights in numpy."""
    return CoreModel(TINY, tiny_tensors(seed))


MODEL = tiny_model()


def share_of(text: str) -> float:
    """A probability that depends on every word of a text."""
    return (int(hashlib.blake2b(text.encode(), digest_size=4).hexdigest(), 16) + 1) / (2**32 + 2)


def written(text: str) -> str:
    """A reply that depends on every word of a text."""
    number = int(share_of(text) * 1e9)
    return " ".join(f"w{40 + (number >> shift) % 50}" for shift in range(0, 24))


@asynccontextmanager
async def fake_engine() -> AsyncIterator[Engine]:
    """The engine with a cost model; token n is the word "wn"."""
    language = WordLanguage()
    for number in range(VOCABULARY):
        language.id_of(f"w{number}")
    yield FakeEngine(language, written, p_over=share_of)


@asynccontextmanager
async def embedded_engine() -> AsyncIterator[Engine]:
    """The engine in the box with a tiny model of random weights."""
    async with EmbeddedEngine(MODEL, run_outside) as engine:
        yield engine


def write_tiny(folder: Path) -> None:
    """The tiny weights in `folder`, in the form of ``transformers``."""
    names = {name: getattr(TINY, name) for name in TINY.__dataclass_fields__ if name != "rope_theta"}
    rotation = {"rope_type": "default", "rope_theta": TINY.rope_theta}
    config = names | {"model_type": "qwen3", "tie_word_embeddings": True, "rope_parameters": rotation}
    config |= {"architectures": ["Qwen3ForCausalLM"], "hidden_act": "silu", "attention_bias": False}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(tiny_tensors(), folder / "model.safetensors", metadata={"format": "pt"})


@cache
def torch_model() -> Any:
    """The tiny weights as the torch engine reads them from a folder."""
    from agent_runtime.engines.torch.forward import TorchModel

    with TemporaryDirectory() as folder:
        write_tiny(Path(folder))
        return TorchModel.load(folder, device="cpu")


@asynccontextmanager
async def torch_engine() -> AsyncIterator[Engine]:
    """The torch engine over the same weights."""
    from agent_runtime.engines.torch import TorchEngine

    async with TorchEngine(torch_model(), run_outside) as engine:
        yield engine


MISSING = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
NEEDS_TORCH = pytest.mark.skipif(bool(MISSING), reason=f"{' and '.join(MISSING)} not installed (extra learn)")
EMBEDDED = pytest.param(embedded_engine, id="embedded")
TORCH = pytest.param(torch_engine, id="torch", marks=NEEDS_TORCH)
ENGINES = [pytest.param(fake_engine, id="fake"), EMBEDDED, TORCH]
REAL = [EMBEDDED, TORCH]
"""Engines with a model behind them: the fake one has no logits to be true to."""


def log_probabilities(stream: Sequence[int]) -> np.ndarray:
    """What the tiny model gives after each token of a stream that it reads at once: float64[n, vocab]."""
    logits = MODEL.extend_all(MODEL.new_cache(), stream).astype(np.float64)
    shifted: np.ndarray = logits - logits.max(1, keepdims=True)
    scores: np.ndarray = shifted - np.log(np.exp(shifted).sum(1, keepdims=True))
    return scores
