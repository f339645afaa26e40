"""The numpy forward pass: increments, rollback, forks and shared steps give what one pass gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from policies.learned.core.cache import CachePool
from policies.learned.core.model import Cache, CoreConfig, CoreModel, CoreModelError

SMALL = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "intermediate_size": 40,
    "rms_norm_eps": 1e-6,
    "max_position_embeddings": 700,
}
TOLERANCE = 1e-4
"""Largest difference of logits that reordered single-precision sums may make."""


def small_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    width, inner, dim = SMALL["hidden_size"], SMALL["intermediate_size"], SMALL["head_dim"]
    q, kv = SMALL["num_attention_heads"] * dim, SMALL["num_key_value_heads"] * dim
    shapes: dict[str, tuple[int | float, ...]] = {
        "model.embed_tokens": (SMALL["vocab_size"], width),
        "model.norm": (width,),
    }
    for index in range(int(SMALL["num_hidden_layers"])):
        shapes |= {
            f"model.layers.{index}.{name}": shape
            for name, shape in {
                "input_layernorm": (width,),
                "self_attn.q_proj": (q, width),
                "self_attn.k_proj": (kv, width),
                "self_attn.v_proj": (kv, width),
                "self_attn.q_norm": (dim,),
                "self_attn.k_norm": (dim,),
                "self_attn.o_proj": (width, q),
                "post_attention_layernorm": (width,),
                "mlp.gate_proj": (inner, width),
                "mlp.up_proj": (inner, width),
                "mlp.down_proj": (width, inner),
            }.items()
        }
    return {
        f"{name}.weight": (rng.normal(0, 0.3, [int(n) for n in shape]) + (len(shape) == 1)).astype(np.float32)
        for name, shape in shapes.items()
    }


def small_model() -> CoreModel:
    config = CoreConfig(rope_theta=10000.0, **SMALL)  # type: ignore[arg-type]
    return CoreModel(config, small_tensors())


MODEL = small_model()


def ids_of(seed: int, count: int) -> list[int]:
    return [int(id_) for id_ in np.random.default_rng(seed).integers(0, MODEL.config.vocab_size, count)]


class KeepsTooMuch(Cache):
    """A cache whose rollback forgets nothing."""

    def truncate(self, length: int) -> None:
        super().truncate(self.length)


class OneShort(Cache):
    """A cache whose rollback stops one position early."""

    def truncate(self, length: int) -> None:
        super().truncate(min(self.length, length + 1))


def survives_revisions(make: Callable[[CachePool], Cache]) -> bool:
    """Whether a stream with injected revisions ends in the logits of the same stream computed at once."""
    rng = np.random.default_rng(3)
    cache, stream = make(MODEL.pool), [1]
    MODEL.extend(cache, stream)
    for _ in range(12):
        keep = int(rng.integers(1, len(stream) + 1))
        cache.truncate(keep)
        more = rng.integers(0, MODEL.config.vocab_size, int(rng.integers(1, 9))).tolist()
        stream = stream[:keep] + more
        last = MODEL.extend(cache, more)
    whole = MODEL.extend(MODEL.new_cache(), stream)
    return bool(np.abs(last - whole).max() <= TOLERANCE)


@pytest.mark.parametrize(("make", "right"), [(Cache, True), (KeepsTooMuch, False), (OneShort, False)])
def test_a_revised_stream_equals_one_computed_at_once_and_a_broken_rollback_is_seen(
    make: Callable[[CachePool], Cache], right: bool
) -> None:
    assert survives_revisions(make) is right


@settings(max_examples=12, deadline=None)
@given(cuts=st.lists(st.integers(1, 24), min_size=1, max_size=6), seed=st.integers(0, 99))
def test_any_increments_equal_one_pass(cuts: list[int], seed: int) -> None:
    ids = ids_of(seed, sum(cuts))
    cache, rows, at = MODEL.new_cache(), [], 0
    for cut in cuts:
        rows.append(MODEL.extend_all(cache, ids[at : at + cut]))
        at += cut
    whole = MODEL.extend_all(MODEL.new_cache(), ids)
    assert np.concatenate(rows) == pytest.approx(whole, abs=TOLERANCE)
    assert cache.length == len(ids)


def test_extend_gives_the_last_row_of_extend_all_over_long_input() -> None:
    ids = ids_of(1, 600)  # several prefill slices and cache blocks
    last = MODEL.extend(MODEL.new_cache(), ids)
    assert last == pytest.approx(MODEL.extend_all(MODEL.new_cache(), ids)[-1], abs=TOLERANCE)
    assert last.dtype == np.float32
    assert last.shape == (50,)


@pytest.mark.parametrize("lengths", [(1, 1, 1), (5, 1, 30, 2), (200, 3)])
def test_a_step_over_several_calls_equals_each_alone(lengths: tuple[int, ...]) -> None:
    shared, alone = [], []
    for number, length in enumerate(lengths):
        cache = MODEL.new_cache()
        MODEL.extend(cache, ids_of(number, 7 + 13 * number))
        more = ids_of(100 + number, length)
        alone.append(MODEL.extend(cache.fork(), more))
        shared.append((cache, more))
    together = MODEL.step(shared)
    assert [list(row) for row in together] == [pytest.approx(list(row), abs=TOLERANCE) for row in alone]
    assert MODEL.step([]) == []


def test_a_fork_goes_its_own_way() -> None:
    cache = MODEL.new_cache()
    MODEL.extend(cache, ids_of(1, 300))
    fork = cache.fork()
    MODEL.extend(fork, ids_of(2, 20))
    assert (cache.length, fork.length) == (300, 320)
    left = MODEL.extend(cache, [4, 5])
    assert left == pytest.approx(MODEL.extend(MODEL.new_cache(), [*ids_of(1, 300), 4, 5]), abs=TOLERANCE)
    fork.truncate(300)
    assert MODEL.extend(fork, [4, 5]) == pytest.approx(left, abs=TOLERANCE)


def test_a_cache_grows_by_blocks_and_an_empty_one_forks() -> None:
    cache = MODEL.new_cache()
    small = cache.nbytes
    MODEL.extend(cache, ids_of(1, 256))
    assert cache.nbytes == small
    MODEL.extend(cache, [1])
    assert cache.nbytes == 2 * small
    assert MODEL.new_cache().fork().length == 0


@pytest.mark.parametrize(
    ("ids", "said"), [([], "empty"), ([50], "vocabulary"), ([-1], "vocabulary"), ([0] * 701, "limit of 700")]
)
def test_bad_ids_are_refused_and_leave_the_cache_as_it_was(ids: list[int], said: str) -> None:
    cache = MODEL.new_cache()
    MODEL.extend(cache, [1, 2])
    for call in (MODEL.extend, MODEL.extend_all):
        with pytest.raises(CoreModelError, match=said):
            call(cache, ids)
    with pytest.raises(CoreModelError, match=said):
        MODEL.step([(MODEL.new_cache(), [1]), (cache, ids)])
    assert cache.length == 2


def test_one_cache_may_not_stand_twice_in_a_step() -> None:
    cache = MODEL.new_cache()
    with pytest.raises(CoreModelError, match="twice"):
        MODEL.step([(cache, [1]), (cache, [2])])


@pytest.mark.parametrize("length", [-1, 3])
def test_truncating_beyond_what_is_held_is_refused(length: int) -> None:
    cache = MODEL.new_cache()
    MODEL.extend(cache, [1, 2])
    with pytest.raises(CoreModelError, match="holds 2 positions"):
        cache.truncate(length)


def write_folder(folder: Path, **changes: object) -> Path:
    config = SMALL | {"model_type": "qwen3", "hidden_act": "silu", "tie_word_embeddings": True, "rope_theta": 10000.0}
    (folder / "config.json").write_text(json.dumps(config | changes))
    save_file({name: array.astype(np.float16) for name, array in small_tensors().items()}, folder / "model.safetensors")
    return folder


def test_a_stored_model_runs_in_single_precision(tmp_path: Path) -> None:
    model = CoreModel.load(write_folder(tmp_path))
    logits = model.extend(model.new_cache(), [1, 2, 3])
    assert logits.dtype == np.float32
    # half precision keeps three digits of the weights
    assert logits == pytest.approx(MODEL.extend(MODEL.new_cache(), [1, 2, 3]), abs=0.1)


def test_the_base_of_the_rotation_is_read_from_its_newer_place_too(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, rope_theta=None, rope_parameters={"rope_theta": 5e5})
    assert CoreModel.load(folder).config.rope_theta == 5e5


@pytest.mark.parametrize(
    ("change", "said"), [({"model_type": "llama"}, "llama"), ({"tie_word_embeddings": False}, "tie_word_embeddings")]
)
def test_another_architecture_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    with pytest.raises(CoreModelError, match=said):
        CoreModel.load(write_folder(tmp_path, **change))


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(CoreModelError, match=r"no model\.safetensors"):
        CoreModel.load(tmp_path)
