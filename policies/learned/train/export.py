"""Write a trained model as a folder that numpy, transformers and vLLM load alike, and read it back for more training.

Matrices fused for training are split into the names of the Qwen3 layout and stored in half precision; all figures of
the evaluation are of the stored files. It knows names and files, nothing of training.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file, save_file

from policies.learned.train.model_torch import CoreShape, TorchCore
from policies.trajectory import ROLE_TOKENS, Role

__all__ = ["export", "restore", "tensors_of"]


def tensors_of(model: TorchCore) -> dict[str, np.ndarray]:
    """All tensors by their Hugging Face names, float32."""
    shape = model.shape
    heads = shape.num_attention_heads * shape.head_dim
    groups = shape.num_key_value_heads * shape.head_dim
    state = {name: tensor.detach().cpu().numpy() for name, tensor in model.state_dict().items()}
    out = {"model.embed_tokens.weight": state["embedding.weight"], "model.norm.weight": state["last_norm.weight"]}
    for index in range(shape.num_hidden_layers):
        old, new = f"layers.{index}.", f"model.layers.{index}."
        qkv, gate_up = state[old + "qkv.weight"], state[old + "gate_up.weight"]
        out |= {
            new + "input_layernorm.weight": state[old + "before_attention.weight"],
            new + "self_attn.q_proj.weight": qkv[:heads],
            new + "self_attn.k_proj.weight": qkv[heads : heads + groups],
            new + "self_attn.v_proj.weight": qkv[heads + groups :],
            new + "self_attn.q_norm.weight": state[old + "q_norm.weight"],
            new + "self_attn.k_norm.weight": state[old + "k_norm.weight"],
            new + "self_attn.o_proj.weight": state[old + "out.weight"],
            new + "post_attention_layernorm.weight": state[old + "before_mlp.weight"],
            new + "mlp.gate_proj.weight": gate_up[: shape.intermediate_size],
            new + "mlp.up_proj.weight": gate_up[shape.intermediate_size :],
            new + "mlp.down_proj.weight": state[old + "down.weight"],
        }
    return {name: np.ascontiguousarray(array) for name, array in out.items()}


def export(model: TorchCore, folder: Path) -> None:
    """Write weights and configuration into `folder`; ``tokenizer.json`` is put there by the recipe."""
    folder.mkdir(parents=True, exist_ok=True)
    halves = {name: array.astype(np.float16) for name, array in tensors_of(model).items()}
    save_file(halves, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)
    _write(folder / "config.json", _config(model.shape))
    end, pad = ROLE_TOKENS.index(Role.END), ROLE_TOKENS.index(Role.PAD)
    _write(folder / "generation_config.json", {"do_sample": False, "eos_token_id": end, "pad_token_id": pad})
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": model.shape.max_position_embeddings,
            "pad_token": str(Role.PAD),
            "eos_token": str(Role.END),
            "clean_up_tokenization_spaces": False,
        },
    )


def restore(folder: Path) -> TorchCore:
    """The model of a folder that `export` wrote, as far as half precision kept it. Raises `OSError`, `KeyError`."""
    config = json.loads((folder / "config.json").read_text("utf-8"))
    shape = CoreShape(**{name: config[name] for name in CoreShape.__dataclass_fields__})
    stored = {
        name: torch.from_numpy(array.astype(np.float32))
        for name, array in load_file(folder / "model.safetensors").items()
    }
    state = {"embedding.weight": stored["model.embed_tokens.weight"], "last_norm.weight": stored["model.norm.weight"]}
    for index in range(shape.num_hidden_layers):
        new, old = f"layers.{index}.", f"model.layers.{index}."
        projections = [stored[f"{old}self_attn.{name}_proj.weight"] for name in "qkv"]
        state |= {
            new + "before_attention.weight": stored[old + "input_layernorm.weight"],
            new + "qkv.weight": torch.cat(projections),
            new + "q_norm.weight": stored[old + "self_attn.q_norm.weight"],
            new + "k_norm.weight": stored[old + "self_attn.k_norm.weight"],
            new + "out.weight": stored[old + "self_attn.o_proj.weight"],
            new + "before_mlp.weight": stored[old + "post_attention_layernorm.weight"],
            new + "gate_up.weight": torch.cat([stored[f"{old}mlp.{name}_proj.weight"] for name in ("gate", "up")]),
            new + "down.weight": stored[old + "mlp.down_proj.weight"],
        }
    model = TorchCore(shape)
    model.load_state_dict(state)
    return model


def _config(shape: CoreShape) -> dict[str, object]:
    end, pad = ROLE_TOKENS.index(Role.END), ROLE_TOKENS.index(Role.PAD)
    return asdict(shape) | {
        "architectures": ["Qwen3ForCausalLM"],
        "model_type": "qwen3",
        "hidden_act": "silu",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "bos_token_id": None,
        "eos_token_id": end,
        "pad_token_id": pad,
        "initializer_range": 0.02,
        "use_cache": True,
        "torch_dtype": "float16",
    }


def _write(path: Path, value: dict[str, object]) -> None:
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", "utf-8")
