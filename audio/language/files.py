"""The two files a recogniser opens, built once for a scenario and kept under the digest of what went into them.

This is the one file of the package that writes. It refuses to know what the words mean and who will be listening.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from audio.language.dictionary import (
    common_words,
    find_pronunciations,
    read_pronunciations,
    small_dictionary,
)
from audio.language.ngram import LanguageError, arpa_model, spoken_words

__all__ = ["LanguageFiles", "build_language"]

_FORM = 1
"""Raised whenever the same inputs give other files, so that old caches are left behind."""

_FLAT_RANKS = 20.0
"""Weights of common words fall as 1 / (rank + 20): Zipf's law with Mandelbrot's flat head (a guess, not tuned)."""

_COMMON_SHARE = 1.0
"""Weight of all common words together, in units of the scenario's own words together (see tests for the effect)."""


@dataclass(frozen=True, slots=True)
class LanguageFiles:
    """A language model (ARPA text) and its dictionary on disk; `guessed` words have phones by rule, not from a list."""

    lm_path: Path
    dict_path: Path
    digest: str
    guessed: tuple[str, ...] = ()


def build_language(
    sentences: Callable[[], Iterable[str]] | Iterable[str],
    extra_words: Iterable[str],
    cache_dir: Path,
    *,
    off_script: bool = True,
    made_from: str = "",
) -> LanguageFiles:
    """The language of a scenario: `sentences` as callers may say them, `extra_words` that may stand anywhere.

    With `off_script` 1,500 common English words may stand anywhere too, at about twice the decoding cost. The files
    lie in `cache_dir` under a digest of all inputs and are reused when present. `made_from`, a digest of what the
    sentences are made of, stands for them in it: a language that was kept is then found without making one of them
    (`sentences` as a function), which saves 0.1 s of CPU at 8,000 sentences. Raises LanguageError.
    """

    def said() -> list[tuple[str, ...]]:
        return sorted(spoken_words(sentence) for sentence in (sentences() if callable(sentences) else sentences))

    spoken = [] if made_from else said()
    extra = sorted({word for entry in extra_words for word in spoken_words(entry)})
    common = common_words() if off_script else ()
    source = find_pronunciations()
    digest = _digest(made_from or spoken, extra, common, source)

    folder = cache_dir / digest
    files = LanguageFiles(folder / "model.arpa", folder / "words.dict", digest)
    guessed_path = folder / "guessed.json"
    if not guessed_path.is_file():
        spoken = spoken or said()
        weights = _weights(spoken, extra, common)
        model = arpa_model(spoken, weights)
        dictionary = small_dictionary(weights, read_pronunciations(source))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _write(files.lm_path, model)
            _write(files.dict_path, dictionary.text)
            # Written last: its presence says that the other two are whole.
            _write(guessed_path, json.dumps(dictionary.guessed))
        except OSError as error:
            raise LanguageError(
                f"cannot keep the language in {folder}: {error} (give a cache folder one may write)"
            ) from error
    guessed = tuple(json.loads(guessed_path.read_text(encoding="utf-8")))
    return LanguageFiles(files.lm_path, files.dict_path, digest, guessed)


def _weights(spoken: Iterable[tuple[str, ...]], extra: Iterable[str], common: tuple[str, ...]) -> dict[str, float]:
    """How likely each word is at a place where the sentences say nothing."""
    own = {word for sentence in spoken for word in sentence} | set(extra)
    weights = {word: 1.0 / len(own) for word in own}
    ranks = {word: 1.0 / (rank + _FLAT_RANKS) for rank, word in enumerate(common)}
    scale = _COMMON_SHARE / sum(ranks.values()) if ranks else 0.0
    for word, weight in ranks.items():
        weights[word] = weights.get(word, 0.0) + scale * weight
    return weights


def _digest(spoken: str | list[tuple[str, ...]], extra: list[str], common: tuple[str, ...], source: Path) -> str:
    # Name and size stand for the 3 MB of the dictionary: it changes only with the wheel.
    inputs = [_FORM, _FLAT_RANKS, _COMMON_SHARE, spoken, extra, common, source.name, source.stat().st_size]
    return hashlib.sha256(json.dumps(inputs).encode()).hexdigest()[:24]


def _write(path: Path, text: str) -> None:
    """Write whole or not at all: two processes may build the same language at once."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
