"""The forward pass of the core model in numpy: exact key/value cache, rollback, fork, and calls that share matmuls.

At 1.3 M parameters numpy keeps up with onnxruntime (BENCHMARKS.md) and gives rollback and fork for nothing: rollback
sets a length, fork copies the used part. The folder is the Qwen3 layout, so the same files load in transformers and
vLLM. This file knows ids and logits; it refuses to know what an id means.

Set ``OPENBLAS_NUM_THREADS=1`` before numpy is imported: threads only slow down matrices of this size.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from policies.learned.core.cache import Cache, CachePool, CoreModelError, Slab

__all__ = ["Cache", "CoreConfig", "CoreModel", "CoreModelError"]

Floats = NDArray[np.float32]

_PREFILL_POSITIONS = 128
"""Longer inputs run in slices of this size, which bounds the square of scores."""
_ROWS = 4
"""Rows of a matmul are filled up to a multiple of this: OpenBLAS (Haswell kernel) takes 0.56 ms for the matrices of
1.3 M parameters at 5 rows, 0.45 ms at 8, 0.60 at 3, 0.35 at 4."""
_AHEAD: Floats = np.triu(np.full((_PREFILL_POSITIONS, _PREFILL_POSITIONS), -np.inf, np.float32), 1)
"""Added to the scores of new positions among themselves: none sees a later one."""


@dataclass(frozen=True, slots=True)
class CoreConfig:
    """Sizes by the names of the Qwen3 ``config.json``."""

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    intermediate_size: int
    rope_theta: float
    rms_norm_eps: float
    max_position_embeddings: int

    @classmethod
    def read(cls, file: Path) -> CoreConfig:
        """Read ``config.json``. Raises `CoreModelError` when it describes another architecture."""
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        for key, wanted in (("model_type", "qwen3"), ("hidden_act", "silu"), ("tie_word_embeddings", True)):
            if data.get(key) != wanted:
                raise CoreModelError(f"{file}: {key} is {data.get(key)!r}; this forward pass runs {wanted!r} only")
        # transformers 5 writes the base of the rotation into a table of its own
        theta = data.get("rope_theta") or (data.get("rope_parameters") or {}).get("rope_theta", 10000.0)
        names = [name for name in cls.__dataclass_fields__ if name != "rope_theta"]
        return cls(rope_theta=float(theta), **{name: data[name] for name in names})


@dataclass(frozen=True, slots=True)
class _Layer:
    """Matrices as (in, out). Norm weights are multiplied into the matrix that follows; only the one between the
    projection and the rotation stands alone."""

    qkv: Floats
    qk_norm: Floats
    out: Floats
    gate_up: Floats
    down: Floats


class CoreModel:
    """The model. Not thread-safe per cache; several caches may be used from several threads.

    `extend` appends ids to a cache and gives the logits float32[vocab] after the last of them; `extend_all` gives
    float32[n, vocab]; `step` extends several caches in one pass. Empty `ids` and ids outside of the vocabulary raise
    `CoreModelError`, as does growing past `config.max_position_embeddings`; the cache is unchanged then.
    """

    def __init__(self, config: CoreConfig, tensors: dict[str, Floats]) -> None:
        self.config = config
        self.pool = CachePool(config.num_hidden_layers, config.num_key_value_heads, config.head_dim)
        self._embedding = tensors["model.embed_tokens.weight"]
        self._head: Floats = np.ascontiguousarray((self._embedding * tensors["model.norm.weight"]).T)
        self._layers = [_layer(tensors, f"model.layers.{index}.", config) for index in range(config.num_hidden_layers)]
        half = np.arange(0, config.head_dim, 2, dtype=np.float64) / config.head_dim
        angles = np.outer(np.arange(config.max_position_embeddings + _ROWS), config.rope_theta**-half)
        self._rotation = np.exp(1j * angles).astype(np.complex64)[:, None]

    @classmethod
    def load(cls, folder: Path | str) -> CoreModel:
        """Read ``config.json`` and ``model.safetensors`` of `folder`; half precision on disk, single in memory."""
        folder = Path(folder)
        if not (folder / "model.safetensors").exists():
            raise CoreModelError(f"no model.safetensors in {folder}; expected a folder written by the recipe's export")
        config = CoreConfig.read(folder / "config.json")
        tensors = {name: array.astype(np.float32) for name, array in load_file(folder / "model.safetensors").items()}
        return cls(config, tensors)

    def new_cache(self) -> Cache:
        """An empty cache for one call."""
        return Cache(self.pool)

    def extend(self, cache: Cache, ids: Sequence[int]) -> Floats:
        """Append `ids`; the logits after the last, float32[vocab]."""
        self._check(cache, ids)
        hidden = self._run(cache, ids)
        logits: Floats = self._logits(hidden[-1:])[0]
        return logits

    def extend_all(self, cache: Cache, ids: Sequence[int]) -> Floats:
        """Append `ids`; the logits after each of them, float32[n, vocab]."""
        self._check(cache, ids)
        return self._logits(self._run(cache, ids))

    def step(self, calls: Sequence[tuple[Cache, Sequence[int]]]) -> list[Floats]:
        """Append to several caches in one pass; the logits after the last id of each.

        Matrices are read once for all calls; attention runs per call, or where each brings one id, over all neighbours
        in a slab at once. The same cache must not stand in it twice.
        """
        for cache, ids in calls:
            self._check(cache, ids)
        if len({id(cache) for cache, _ in calls}) != len(calls):
            raise CoreModelError("one cache stands twice in a step; join its ids or make two steps")
        if not calls:
            return []
        if max(len(ids) for _, ids in calls) > _PREFILL_POSITIONS:
            return [self.extend(cache, ids) for cache, ids in calls]
        for cache, ids in calls:
            cache.reserve(len(ids))
        # neighbours in a slab stand side by side in the step
        places = [(id(cache.row.slab), cache.row.index) for cache, _ in calls]
        order = sorted(range(len(calls)), key=places.__getitem__)
        hidden = self._forward([calls[at] for at in order])
        last = np.cumsum([len(calls[at][1]) for at in order]) - 1
        logits = self._logits(hidden[last])
        return [logits[at] for at in np.argsort(order)]

    def _check(self, cache: Cache, ids: Sequence[int]) -> None:
        if len(ids) == 0:
            raise CoreModelError("nothing to extend by: ids are empty; give at least one id")
        if min(ids) < 0 or max(ids) >= self.config.vocab_size:
            raise CoreModelError(
                f"ids run from {min(ids)} to {max(ids)}; the vocabulary is 0..{self.config.vocab_size - 1}"
            )
        if cache.length + len(ids) > self.config.max_position_embeddings:
            raise CoreModelError(
                f"{cache.length} + {len(ids)} positions pass the limit of {self.config.max_position_embeddings}; "
                "truncate the cache or begin a new one"
            )

    def _run(self, cache: Cache, ids: Sequence[int]) -> Floats:
        if len(ids) <= _PREFILL_POSITIONS:
            return self._forward([(cache, ids)])
        slices = range(0, len(ids), _PREFILL_POSITIONS)
        return np.concatenate([self._forward([(cache, ids[at : at + _PREFILL_POSITIONS])]) for at in slices])

    def _logits(self, hidden: Floats) -> Floats:
        logits: Floats = _normed(hidden, self.config.rms_norm_eps) @ self._head
        return logits

    def _forward(self, calls: Sequence[tuple[Cache, Sequence[int]]]) -> Floats:
        """Hidden states before the last norm, float32[sum of ids, width]."""
        config = self.config
        heads, groups, dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim
        eps, inner = config.rms_norm_eps, config.intermediate_size
        rows: list[tuple[Cache, int, int, int]] = []
        first = 0
        for cache, ids in calls:
            rows.append((cache, cache.grow(len(ids)), first, first + len(ids)))
            first += len(ids)
        flat = [id_ for _, ids in calls for id_ in ids]
        count = first if first == 1 else -(-first // _ROWS) * _ROWS
        flat += [0] * (count - first)
        if len(rows) == 1:
            start = rows[0][1]
            rotation = self._rotation[start : start + count]
        else:
            positions = [at for _, start, begin, end in rows for at in range(start, start + end - begin)]
            rotation = self._rotation[positions + [0] * (count - first)]
        x: Floats = self._embedding[flat]
        mixed: Floats = np.zeros((count, heads * dim), np.float32)
        scratch: Floats = np.empty((count, inner), np.float32)
        abreast = _abreast(rows, mixed, (groups, heads // groups, dim)) if first == len(rows) else []
        for index, layer in enumerate(self._layers):
            qkv = (_normed(x, eps) @ layer.qkv).reshape(count, heads + 2 * groups, dim)
            qk = _normed(qkv[:, : heads + groups], eps)
            qk *= layer.qk_norm
            pairs = qk.view(np.complex64)
            pairs *= rotation
            if abreast:
                for part, neighbours in abreast:
                    neighbours.attend(index, qk[part, :heads], qk[part, heads:], qkv[part, heads + groups :])
            else:
                for cache, start, begin, end in rows:
                    stop = start + end - begin
                    keys, values = cache.row.data[index]
                    keys[:, start:stop] = qk[begin:end, heads:].swapaxes(0, 1)
                    values[:, start:stop] = qkv[begin:end, heads + groups :].swapaxes(0, 1)
                    _attend(qk[begin:end, :heads], keys[:, :stop], values[:, :stop], mixed[begin:end])
            x += mixed @ layer.out
            gate_up = _normed(x, eps) @ layer.gate_up
            gate = gate_up[:, :inner]
            # silu by tanh cannot overflow; `gate` is halved already, see `_layer`
            np.tanh(gate, out=scratch)
            scratch += 1.0
            scratch *= gate
            scratch *= gate_up[:, inner:]
            x += scratch @ layer.down
        return x[:first]


class _Neighbours:
    """Attention of calls in adjacent rows of one slab that bring one position each, the way of decoding.

    One numpy call makes the matrix-vector products of every row and query head: BLAS reads keys and values where they
    lie, where a matrix product with all heads of a group would copy them first (22 against 30 us for 8 rows of 200
    positions). All rows run as far as the longest; what lies beyond a shorter one's end weighs nothing.
    """

    def __init__(self, slab: Slab, first_row: int, starts: Sequence[int], out: Floats) -> None:
        count, groups, ratio, _ = out.shape
        width = max(starts) + 1
        self._slab, self._rows, self._out = slab, slice(first_row, first_row + count), out
        self._new = np.arange(count), slice(None), np.array(starts)
        self._width = width
        self._scores: Floats = np.empty((count, groups, ratio, width), np.float32)
        short = min(starts) + 1 < width
        self._beyond = np.arange(width) > np.array(starts)[:, None, None, None] if short else None

    def attend(self, layer: int, queries: Floats, new_keys: Floats, new_values: Floats) -> None:
        """Keep the new keys and values [rows, groups, dim]; write what `queries` [rows, heads, dim] find into `out`."""
        keys, values = self._slab.data[layer, :, self._rows]
        keys[self._new], values[self._new] = new_keys, new_values
        scores, out, width = self._scores, self._out, self._width
        np.matmul(keys[:, :, None, :width], queries.reshape(out.shape)[..., None], out=scores[..., None])
        if self._beyond is not None:
            np.copyto(scores, -np.inf, where=self._beyond)
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        np.matmul(scores[..., None, :], values[:, :, None, :width], out=out[..., None, :])
        out /= scores.sum(-1, keepdims=True)


def _abreast(
    rows: Sequence[tuple[Cache, int, int, int]], mixed: Floats, shape: tuple[int, int, int]
) -> list[tuple[slice, _Neighbours]]:
    """Calls of one new position each, in the order of their places, cut where the next row is no neighbour.

    `shape`: groups, query heads of a group, head_dim.
    """
    found: list[tuple[slice, _Neighbours]] = []
    begin = 0
    for end in range(1, len(rows) + 1):
        first = rows[begin][0].row
        if end < len(rows):
            row = rows[end][0].row
            if row.slab is first.slab and row.index == first.index + end - begin:
                continue
        part = slice(begin, end)
        starts = [start for _, start, _, _ in rows[part]]
        out = mixed[part].reshape(end - begin, *shape)
        found.append((part, _Neighbours(first.slab, first.index, starts, out)))
        begin = end
    return found


def _attend(queries: Floats, keys: Floats, values: Floats, out: Floats) -> None:
    """Causal attention of the last n positions: queries [n, heads, dim], keys and values [groups, length, dim];
    writes [n, heads * dim]. Query heads of a group are stacked, so that each group is one matmul."""
    count, heads, dim = queries.shape
    groups, length, _ = keys.shape
    ratio = heads // groups
    stacked = queries.swapaxes(0, 1).reshape(groups, ratio * count, dim)
    split = out.reshape(count, groups, ratio, dim)
    for group in range(groups):
        scores = stacked[group] @ keys[group].T
        if count > 1:
            # only the last columns can lie ahead of a query
            ahead = scores.reshape(ratio, count, length)[..., length - count :]
            ahead += _AHEAD[:count, :count]
        scores -= scores.max(-1, keepdims=True)
        np.exp(scores, out=scores)
        weighted = scores @ values[group]
        weighted /= scores.sum(-1, keepdims=True)
        split[:, group] = weighted.reshape(ratio, count, dim).swapaxes(0, 1)


def _normed(x: Floats, eps: float) -> Floats:
    """Root-mean-square norm over the last axis, without its weight."""
    if x.size == x.shape[-1]:
        # one position, the way of every decoded token: a number is cheaper than an array of one
        single: Floats = x * (float(np.vdot(x, x)) / x.size + eps) ** -0.5
        return single
    square = np.vecdot(x, x)
    square *= 1.0 / x.shape[-1]
    square += eps
    np.sqrt(square, out=square)
    normed: Floats = x / square[..., None]
    return normed


def _layer(tensors: dict[str, Floats], prefix: str, config: CoreConfig) -> _Layer:
    """One layer's matrices, contiguous and fused. The scale of the scores goes into the query norm, the halves of
    silu's tanh form into the gate: with g = gate / 2, silu(gate) * up = g * (1 + tanh(g)) * up."""

    def matrix(*names: str, norm: str = "") -> Floats:
        fused = np.concatenate([tensors[prefix + name + ".weight"] for name in names])
        return np.ascontiguousarray((fused * tensors[prefix + norm + ".weight"] if norm else fused).T)

    heads, groups, dim = config.num_attention_heads, config.num_key_value_heads, config.head_dim
    # the two halves that are rotated against each other become neighbours: a pair is one complex number
    order = np.arange(dim).reshape(2, dim // 2).T.ravel()
    q_norm = tensors[prefix + "self_attn.q_norm.weight"][order] * np.float32(dim**-0.5)
    k_norm = tensors[prefix + "self_attn.k_norm.weight"][order]
    norms = [q_norm] * heads + [k_norm] * groups
    rows = np.arange((heads + 2 * groups) * dim).reshape(-1, dim)
    rows[: heads + groups] = rows[: heads + groups, order]
    qkv = matrix("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", norm="input_layernorm")
    gate_up = matrix("mlp.gate_proj", "mlp.up_proj", norm="post_attention_layernorm")
    gate_up[:, : config.intermediate_size] *= 0.5
    return _Layer(
        np.ascontiguousarray(qkv[:, rows.ravel()]),
        np.ascontiguousarray(np.stack(norms)),
        matrix("self_attn.o_proj"),
        gate_up,
        matrix("mlp.down_proj"),
    )
