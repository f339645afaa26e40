"""Byte-level BPE in plain Python, reading the ``tokenizer.json`` of the Hugging Face ``tokenizers`` library.

The base install must not depend on a compiled tokenizer for a thousand entries and a few words a second; most words
come out of the cache. This file knows strings and ids. Which string is a role is said by `encode_parts`: words that a
caller or a tool spoke are never read as special tokens, whatever they contain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path

from policies.trajectory import ROLE_TOKENS

__all__ = ["WORD_PATTERN", "Tokenizer", "TokenizerError"]

WORD_PATTERN = r" ?[a-z'_]+| ?[0-9]| ?[^ a-z0-9'_]+| +"
"""How text is cut before merging, with one leading space per word; the same pattern stands in ``tokenizer.json``."""

_CACHED_WORDS = 20_000


class TokenizerError(ValueError):
    """A ``tokenizer.json`` that this encoder cannot read, or ids outside of it."""


def _byte_letters() -> dict[int, str]:
    """The printable stand-in for each byte, as byte-level BPE files write it (GPT-2's table)."""
    shown = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {byte: chr(byte) for byte in shown}
    spare = 256
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(spare)
            spare += 1
    return letters


class Tokenizer:
    """Encoder and decoder. `special` maps special tokens to ids; `size` is the number of ids."""

    def __init__(self, vocabulary: dict[str, int], merges: Sequence[tuple[str, str]], special: dict[str, int]) -> None:
        self.special = dict(special)
        self.size = max([*vocabulary.values(), *special.values()]) + 1
        self._ids = vocabulary
        self._ranks = {pair: rank for rank, pair in enumerate(merges)}
        self._letters = _byte_letters()
        self._split = re.compile(WORD_PATTERN)
        self._cache: dict[str, tuple[int, ...]] = {}
        bytes_of = {letter: byte for byte, letter in self._letters.items()}
        self._bytes: dict[int, bytes] = {id_: text.encode() for text, id_ in special.items()}
        for text, id_ in vocabulary.items():
            if id_ not in self._bytes:
                self._bytes[id_] = bytes(bytes_of[letter] for letter in text)

    @cached_property
    def begins_word(self) -> tuple[bool, ...]:
        """For each id whether a new word begins with it."""
        return tuple(self._bytes.get(id_, b"").startswith(b" ") for id_ in range(self.size))

    @classmethod
    def load(cls, path: Path | str) -> Tokenizer:
        """Read a ``tokenizer.json`` or a folder that holds one. Raises `TokenizerError` on another kind of model."""
        file = Path(path)
        if file.is_dir():
            file = file / "tokenizer.json"
        data = json.loads(file.read_text("utf-8"))
        model = data["model"]
        if model.get("type") != "BPE":
            raise TokenizerError(f"{file} holds a {model.get('type')!r} tokenizer; expected 'BPE' (byte level)")
        patterns = _patterns(data.get("pre_tokenizer"))
        if patterns != [WORD_PATTERN]:
            raise TokenizerError(
                f"{file} cuts words by {patterns}; expected [{WORD_PATTERN!r}]: train it with this project"
            )
        merges = [_pair(merge) for merge in model["merges"]]
        special = {token["content"]: token["id"] for token in data.get("added_tokens", ()) if token.get("special")}
        vocabulary = dict(model["vocab"])
        if sorted(special.values())[: len(ROLE_TOKENS)] == list(range(len(ROLE_TOKENS))):
            # A file made before a role was added names its id <reservedN>: the id counts, whatever the file calls it.
            for name in [name for name, id_ in special.items() if id_ < len(ROLE_TOKENS)]:
                special.pop(name)
                vocabulary.pop(name, None)
            special |= {token: id_ for id_, token in enumerate(ROLE_TOKENS)}
        return cls(vocabulary, merges, special)

    def encode(self, text: str) -> list[int]:
        """Ids of plain text. A special token's name inside it is spelled out like any other text."""
        ids: list[int] = []
        for word in self._split.findall(text):
            known = self._cache.get(word)
            if known is None:
                known = self._merge(word)
                if len(self._cache) >= _CACHED_WORDS:
                    self._cache.clear()
                self._cache[word] = known
            ids.extend(known)
        return ids

    def encode_parts(self, parts: Iterable[str]) -> list[int]:
        """Ids of a stream as `Trajectory.parts` gives it: a part that is a special token becomes its one id."""
        ids: list[int] = []
        for part in parts:
            id_ = self.special.get(part)
            if id_ is None:
                ids.extend(self.encode(part))
            else:
                ids.append(id_)
        return ids

    def decode(self, ids: Iterable[int]) -> str:
        """Text of `ids`, special tokens by name; bytes that are no UTF-8 become U+FFFD."""
        try:
            return b"".join(self._bytes[int(id_)] for id_ in ids).decode("utf-8", "replace")
        except KeyError as error:
            raise TokenizerError(f"token id {error.args[0]} is not among the {self.size} known ones") from None

    def _merge(self, word: str) -> tuple[int, ...]:
        """Merge the letters of one word, always the pair with the lowest rank, leftmost first."""
        pieces = [self._letters[byte] for byte in word.encode()]
        while len(pieces) > 1:
            rank, at = min(
                (self._ranks.get((left, right), 1 << 30), index) for index, (left, right) in enumerate(pairwise(pieces))
            )
            if rank == 1 << 30:
                break
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        return tuple(self._ids[piece] for piece in pieces)


def _pair(merge: str | list[str]) -> tuple[str, str]:
    """A merge, written as two strings or, in older files, as one with a space."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _patterns(node: object) -> list[str]:
    """The split patterns of a pre-tokenizer, in their order."""
    if not isinstance(node, dict):
        return []
    if node.get("type") == "Sequence":
        return [pattern for child in node["pretokenizers"] for pattern in _patterns(child)]
    if node.get("type") == "Split":
        return [node["pattern"]["Regex"]]
    return [] if node.get("use_regex") is False else ["(the default of " + str(node.get("type")) + ")"]
