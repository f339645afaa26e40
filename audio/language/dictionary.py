"""The small pronouncing dictionary: only the words of a scenario, because the size is what a decoder pays at start.

The 130,000 words that ship with the recogniser cost 3 s and 42 MB per decoder; a few hundred cost 10 ms and 4 MB.
The phones come from the CMU dictionary inside the pocketsphinx wheel, found by the package's place without importing
it. This file refuses to know word sequences and decoders.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from audio.language.ngram import LanguageError
from audio.language.pronunciation import guess_phones

__all__ = ["Dictionary", "common_words", "find_pronunciations", "read_pronunciations", "small_dictionary"]

Phones = tuple[str, ...]
Pronunciations = dict[str, tuple[Phones, ...]]


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Dictionary text, one ``word PH ON ES`` a line, and which of its words were guessed from their letters."""

    text: str
    guessed: tuple[str, ...]


def find_pronunciations() -> Path:
    """Where the CMU dictionary of the pocketsphinx wheel lies. Raises LanguageError where the wheel is missing."""
    spec = importlib.util.find_spec("pocketsphinx")
    if spec is None or not spec.submodule_search_locations:
        raise LanguageError("pocketsphinx is not installed, and its dictionary with it (pip install 'pocketsphinx<6')")
    path = Path(spec.submodule_search_locations[0]) / "model" / "en-us" / "cmudict-en-us.dict"
    if not path.is_file():
        raise LanguageError(f"{path} is missing: this pocketsphinx has another layout (expected 5.0.4 to 5.1)")
    return path


def read_pronunciations(path: Path) -> Pronunciations:
    """Every word of a CMU-style dictionary with its pronunciations in file order: 0.3 s and 70 MB, so not kept."""
    words: Pronunciations = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, *phones = line.split()
        if word.endswith(")"):
            word = word[: word.index("(")]
        words[word] = (*words.get(word, ()), tuple(phones))
    return words


@cache
def common_words() -> tuple[str, ...]:
    """1,500 words of spoken English, most frequent first, so that a caller may leave the script.

    Chosen by hand; the order is that of their probability in the general model that ships with pocketsphinx 5.1.
    """
    path = Path(__file__).with_name("common_words.txt")
    return tuple(path.read_text(encoding="utf-8").split())


def small_dictionary(words: Iterable[str], pronunciations: Pronunciations) -> Dictionary:
    """The dictionary of `words` (lower case) with every pronunciation known, others guessed by rule."""
    lines: list[str] = []
    guessed: list[str] = []

    def first(word: str) -> Phones | None:
        known = pronunciations.get(word)
        return known[0] if known else None

    for word in sorted(set(words)):
        known = pronunciations.get(word)
        if known is None:
            known = (guess_phones(word, first),)
            guessed.append(word)
        for number, phones in enumerate(known, 1):
            lines.append(f"{word}{f'({number})' if number > 1 else ''} {' '.join(phones)}")
    return Dictionary("\n".join(lines) + "\n", tuple(guessed))
