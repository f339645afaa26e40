"""A Whisper with random weights, made on the spot: numpy into CTranslate2's own description of the model.

No hub, no torch: what comes out has the real file formats, the real vocabulary layout (51,865 entries, so that it
counts as multilingual) and the real path through faster-whisper. Its text means nothing and never ends by itself;
cap its tokens. Sizes are Whisper's own, or `MADE`, which takes 3 MB and 0.05 s a decoding.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["BASE", "MADE", "TINY", "Shape", "make_whisper"]

N_TEXT, N_TIMES, MELS, FRAMES, POSITIONS = 50_257, 1_501, 80, 1_500, 448

LANGUAGES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt la mi ml "
    "cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc ka be tg sd gu am "
    "yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
).split()


@dataclass(frozen=True, slots=True)
class Shape:
    """Width of the model, heads and layers of each half."""

    width: int
    heads: int
    layers: int


MADE = Shape(16, 1, 1)
TINY = Shape(384, 6, 4)
BASE = Shape(512, 8, 6)


def make_whisper(folder: Path, shape: Shape = MADE, seed: int = 1) -> Path:
    """A model folder as faster-whisper loads it."""
    from ctranslate2.specs.whisper_spec import WhisperSpec

    spec = WhisperSpec(shape.layers, shape.heads, shape.layers, shape.heads)
    weights = _Weights(shape.width, np.random.default_rng(seed))
    weights.encoder(spec.encoder)
    weights.decoder(spec.decoder)
    spec.config.suppress_ids = []
    spec.config.suppress_ids_begin = [N_TEXT]
    spec.config.lang_ids = [N_TEXT + 2 + n for n in range(len(LANGUAGES))]
    spec.config.alignment_heads = [[shape.layers - 1, 0]]
    text, special = _text(), _special()
    spec.register_vocabulary([*text, *special, *(f"<|{n * 0.02:.2f}|>" for n in range(N_TIMES))])
    spec.validate()
    spec.optimize(quantization="float16")
    folder.mkdir(parents=True, exist_ok=True)
    spec.save(str(folder))
    (folder / "tokenizer.json").write_text(json.dumps(_tokenizer(text, special)), "utf-8")
    return folder


class _Weights:
    """Fills the parts of a description in place."""

    def __init__(self, width: int, rng: np.random.Generator) -> None:
        self._width, self._rng = width, rng

    def encoder(self, encoder: Any) -> None:
        d = self._width
        encoder.conv1.weight, encoder.conv1.bias = self._random(d, MELS, 3), self._zeros(d)
        encoder.conv2.weight, encoder.conv2.bias = self._random(d, d, 3), self._zeros(d)
        encoder.position_encodings.encodings = self._random(FRAMES, d)
        self._norm(encoder.layer_norm)
        for layer in encoder.layer:
            self._attention(layer.self_attention, (3 * d, d))
            self._feed_forward(layer.ffn)

    def decoder(self, decoder: Any) -> None:
        d = self._width
        decoder.embeddings.weight = self._random(N_TEXT + 107 + N_TIMES, d)
        decoder.position_encodings.encodings = self._random(POSITIONS, d)
        decoder.projection.weight = decoder.embeddings.weight
        self._norm(decoder.layer_norm)
        for layer in decoder.layer:
            self._attention(layer.self_attention, (3 * d, d))
            self._attention(layer.attention, (d, 2 * d, d))
            self._feed_forward(layer.ffn)

    def _attention(self, attention: Any, rows: tuple[int, ...]) -> None:
        self._norm(attention.layer_norm)
        for linear, n_rows in zip(attention.linear, rows, strict=True):
            self._linear(linear, n_rows, self._width)

    def _feed_forward(self, ffn: Any) -> None:
        self._norm(ffn.layer_norm)
        self._linear(ffn.linear_0, 4 * self._width, self._width)
        self._linear(ffn.linear_1, self._width, 4 * self._width)

    def _linear(self, linear: Any, rows: int, columns: int) -> None:
        linear.weight, linear.bias = self._random(rows, columns), self._zeros(rows)

    def _norm(self, norm: Any) -> None:
        norm.gamma, norm.beta = np.ones(self._width, np.float32), self._zeros(self._width)

    def _random(self, *shape: int) -> Any:
        # Of the size that keeps a row's products near one, so that the sound does reach the text.
        return (self._rng.standard_normal(shape) / np.sqrt(shape[-1])).astype(np.float32)

    @staticmethod
    def _zeros(n: int) -> Any:
        return np.zeros(n, np.float32)


def _bytes() -> list[str]:
    """The 256 letters by which byte-level BPE writes bytes (GPT-2's table)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters, more = {}, 0
    for byte in range(256):
        letters[byte] = chr(byte) if byte in shown else chr(256 + more)
        more += byte not in shown
    return [letters[byte] for byte in range(256)]


def _text() -> list[str]:
    """Text tokens: bytes, then made-up words with a space (written Ġ) before them, some of which end a sentence."""
    syllables = ["".join(pair) for pair in product("bdfgklmnprstvz", "aeiou")]
    words = (
        "".join(pair)
        for pair in product(syllables, syllables, ["", "n", "s", "lt", "r", "m", "x", "k", "p", "t.", "d?"])
    )
    words = ("Ġ" + word for word in words)
    return [*_bytes(), *(word for _, word in zip(range(N_TEXT - 256), words, strict=False))]


def _special() -> list[str]:
    """The 107 special tokens in Whisper's order."""
    head = ["endoftext", "startoftranscript", *LANGUAGES]
    tail = ["translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps"]
    return [f"<|{name}|>" for name in [*head, *tail]]


def _tokenizer(text: list[str], special: list[str]) -> dict[str, Any]:
    """tokenizer.json of a byte-level BPE without merges: it reads bytes and writes words."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": N_TEXT + n, "content": token, **flags} for n, token in enumerate(special)],
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "vocab": {token: n for n, token in enumerate(text)},
            "merges": [],
        },
    }
