"""Tiny Piper and Kokoro models, made on the spot: every phoneme a tone of its own, all lengths as the real ones have.

They are ONNX files with the inputs and outputs of the real models, so that Piper and kokoro-onnx load and run them as
they do those; what they say is no speech. ONNX is a protobuf format (onnx.proto); the few fields that are needed are
written here, since the package onnx is otherwise of no use to us.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

FLOAT, INT64 = 1, 7
"""TensorProto.DataType."""
PHONE_SAMPLES = 1_024
"""Samples of a phoneme at the model's own pace: 46 ms at 22,050 Hz."""

_TYPES = {np.dtype(np.float32): FLOAT, np.dtype(np.int64): INT64}


# --- protobuf ------------------------------------------------------------------------------------------------------


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, value: NDArray[np.generic]) -> bytes:
    dims = b"".join(_field(1, size) for size in value.shape)
    return dims + _field(2, _TYPES[value.dtype]) + _field(8, name) + _field(9, value.tobytes())


def _info(name: str, kind: int, shape: Sequence[int | str]) -> bytes:
    dims = b"".join(_field(1, _field(1, size) if isinstance(size, int) else _field(2, size)) for size in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, dims)))


def _node(kind: str, inputs: str, output: str, **numbers: int) -> bytes:
    wires = b"".join(_field(1, name) for name in inputs.split()) + _field(2, output)
    attributes = b"".join(
        _field(5, _field(1, name) + _field(3, number) + _field(20, 2)) for name, number in numbers.items()
    )
    return wires + _field(4, kind) + attributes


def _model(nodes: Sequence[bytes], constants: dict[str, NDArray[np.generic]], inputs: list[bytes], out: bytes) -> bytes:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "tones")
    graph += b"".join(_field(5, _tensor(name, value)) for name, value in constants.items())
    graph += b"".join(_field(11, one) for one in inputs) + _field(12, out)
    return _field(1, 8) + _field(8, _field(1, "") + _field(2, 17)) + _field(7, graph)


def _tones(ids: str, length: str, shape: list[int]) -> tuple[list[bytes], dict[str, NDArray[np.generic]]]:
    """Nodes from phoneme ids [1, L] and their length (float, samples [1]) to ``output``: L tones one after another."""
    nodes = [
        _node("Cast", ids, "f", to=FLOAT),
        _node("Cast", length, "n", to=INT64),
        _node("Reshape", "f column", "ft"),
        _node("Concat", "c1 n", "tiles", axis=0),
        _node("Tile", "ft tiles", "t"),
        _node("Reshape", "t flat", "wide"),
        _node("Size", "wide", "total"),
        _node("Range", "zero total one", "at"),
        _node("Cast", "at", "time", to=FLOAT),
        _node("Mul", "wide step", "hz"),
        _node("Add", "hz base", "pitch"),
        _node("Mul", "pitch time", "phase"),
        _node("Sin", "phase", "tone"),
        _node("Mul", "tone gain", "loud"),
        _node("Reshape", "loud shape", "output"),
    ]
    constants: dict[str, NDArray[np.generic]] = {
        "column": np.array([-1, 1]),
        "c1": np.array([1]),
        "flat": np.array([-1]),
        "zero": np.array(0),
        "one": np.array(1),
        "step": np.array(0.002, np.float32),
        "base": np.array(0.03, np.float32),
        "gain": np.array(0.4, np.float32),
        "shape": np.array(shape),
        "samples": np.array([PHONE_SAMPLES], np.float32),
    }
    return nodes, constants


# --- models --------------------------------------------------------------------------------------------------------


def make_piper(folder: Path) -> Path:
    """A voice as Piper loads it: ``piper.onnx`` with its config beside it."""
    nodes, constants = _tones("input", "length", [1, 1, 1, -1])
    nodes = [_node("Gather", "scales second", "scale", axis=0), _node("Mul", "scale samples", "length"), *nodes]
    inputs = [_info("input", INT64, [1, "L"]), _info("input_lengths", INT64, [1]), _info("scales", FLOAT, [3])]
    model = _model(nodes, {**constants, "second": np.array([1])}, inputs, _info("output", FLOAT, [1, 1, 1, "n"]))
    letters = " !'(),-.:;?abcdefghijklmnopqrstuvwxyzæðŋɐɑɒɔəɚɛɜɡɪɫɹɾʃʊʌʒˈˌːθᵻ"
    phones = {"_": [0], "^": [1], "$": [2], **{letter: [3 + at] for at, letter in enumerate(letters)}}
    config = {
        "audio": {"sample_rate": 22_050},
        "espeak": {"voice": "en-us"},
        "phoneme_type": "espeak",
        "num_symbols": 256,
        "num_speakers": 1,
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_id_map": phones,
    }
    file = folder / "piper.onnx"
    file.write_bytes(model)
    Path(f"{file}.json").write_text(json.dumps(config), "utf-8")
    return file


def make_kokoro(folder: Path) -> tuple[Path, Path]:
    """A model and its voices as kokoro-onnx loads them; the voices are af_low and af_high."""
    nodes, constants = _tones("tokens", "length", [-1])
    # the style is read too, as an unused input would not prove that it arrives: its first number moves all tones
    nodes = [
        _node("Div", "samples speed", "length"),
        *nodes[:10],
        _node("Gather", "style zero", "row", axis=0),
        _node("Gather", "row zero", "shift", axis=0),
        _node("Add", "hz shift", "moved"),
        _node("Add", "moved base", "pitch"),
        *nodes[11:],
    ]
    inputs = [_info("tokens", INT64, [1, "L"]), _info("style", FLOAT, [1, 256]), _info("speed", FLOAT, [1])]
    model, voices = folder / "kokoro.onnx", folder / "voices.bin"
    model.write_bytes(_model(nodes, constants, inputs, _info("output", FLOAT, ["n"])))
    with voices.open("wb") as file:
        np.savez(file, af_low=np.zeros((510, 1, 256), np.float32), af_high=np.full((510, 1, 256), 0.1, np.float32))
    return model, voices
