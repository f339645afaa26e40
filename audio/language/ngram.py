"""A 3-gram language model as ARPA text, made from a list of sentences.

The embedded recogniser needs a model of what callers say, small enough to decode many calls on one core, and no
tool in its wheel smooths one well. The smoothing is interpolated Witten-Bell (Witten and Bell 1991; Chen and Goodman
1998, section 2.4): a history that was followed by many different words gives much weight to the shorter history.
This file refuses to know files, pronunciations and recognisers.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from audio.frame import AudioError

__all__ = ["ORDER", "LanguageError", "arpa_model", "spoken_words"]

ORDER = 3
START, END = "<s>", "</s>"

_WORD = re.compile(r"[a-z][a-z']*|'[a-z]+")
_SPLIT = re.compile(r"[^a-z0-9']+")
_NEVER = -99.0
"""ARPA's way of writing probability zero: nothing is ever followed by a sentence start."""

Gram = tuple[str, ...]


class LanguageError(AudioError, ValueError):
    """A sentence, word or folder from which no language model can be built."""


def spoken_words(sentence: str) -> tuple[str, ...]:
    """The words of a sentence as they are said: lower case, punctuation gone, apostrophes kept.

    Raises LanguageError for digits, since ``10:30`` has several spoken forms and the caller of this function knows
    which one is meant.
    """
    words = []
    for piece in _SPLIT.split(sentence.lower().replace("\u2019", "'")):
        word = piece.strip("'") if not piece.startswith("'") or piece.endswith("'") else piece
        if not word:
            continue
        if not _WORD.fullmatch(word):
            raise LanguageError(
                f"{piece!r} in {sentence!r} is not a spoken word: only letters and apostrophes can be heard "
                "(spell numbers as words first)"
            )
        words.append(word)
    return tuple(words)


def arpa_model(sentences: Iterable[Sequence[str]], weights: Mapping[str, float] | None = None) -> str:
    """The ARPA text of an interpolated Witten-Bell 3-gram over `sentences`, each a sequence of spoken words.

    `weights` are words that may be said at any place with their relative frequency (any positive scale); words of
    the sentences that are missing there take the mean weight. The result depends on the inputs alone, not on their
    order of insertion. Raises LanguageError when there is not one word to model.
    """
    counts = _count(sentences)
    words = {gram[0] for gram in counts[1]} - {START, END}
    prior = _prior(words, dict(weights or {}))
    if len(prior) < 2:
        raise LanguageError("no words: a language model needs one sentence or one extra word at least")

    followers = _followers(counts)
    probabilities: list[dict[Gram, float]] = [{}]
    probabilities.append(_unigrams(counts[1], prior))
    for order in range(2, ORDER + 1):
        probabilities.append(_interpolate(counts[order], followers, probabilities[order - 1]))
    return _write(probabilities, followers)


def _count(sentences: Iterable[Sequence[str]]) -> list[Counter[Gram]]:
    """How often each n-gram of order 1..ORDER stands in the sentences; the sentence start is never counted alone."""
    counts: list[Counter[Gram]] = [Counter() for _ in range(ORDER + 1)]
    for sentence in sentences:
        if not sentence:
            continue
        padded = (START, *sentence, END)
        for order in range(1, ORDER + 1):
            for end in range(order, len(padded) + 1):
                gram = padded[end - order : end]
                if gram != (START,):
                    counts[order][gram] += 1
    return counts


def _prior(words: set[str], weights: dict[str, float]) -> dict[str, float]:
    """The distribution over single words before any sentence was seen; sums to one."""
    for word, weight in weights.items():
        if not weight > 0 or not math.isfinite(weight):
            raise LanguageError(f"weight {weight} of {word!r} is not a positive number")
    mean = sum(weights.values()) / len(weights) if weights else 1.0
    raw = {word: weights.get(word, mean) for word in words | set(weights)}
    raw[END] = mean
    total = sum(raw.values())
    return {word: weight / total for word, weight in raw.items()}


def _followers(counts: list[Counter[Gram]]) -> dict[Gram, tuple[int, int]]:
    """For each history: how many words followed it, and how many different ones."""
    total: defaultdict[Gram, int] = defaultdict(int)
    kinds: defaultdict[Gram, int] = defaultdict(int)
    for order in range(2, ORDER + 1):
        for gram, count in counts[order].items():
            total[gram[:-1]] += count
            kinds[gram[:-1]] += 1
    return {history: (total[history], kinds[history]) for history in total}


def _unigrams(counts: Counter[Gram], prior: dict[str, float]) -> dict[Gram, float]:
    total, kinds = sum(counts.values()), len(counts)
    # With no sentences at all there is nothing but the prior.
    new = kinds / (total + kinds) if total else 1.0
    seen = 1.0 / (total + kinds) if total else 0.0
    return {(word,): seen * counts[word,] + new * weight for word, weight in prior.items()}


def _interpolate(
    counts: Counter[Gram], followers: dict[Gram, tuple[int, int]], shorter: dict[Gram, float]
) -> dict[Gram, float]:
    result = {}
    for gram, count in counts.items():
        total, kinds = followers[gram[:-1]]
        result[gram] = (count + kinds * shorter[gram[1:]]) / (total + kinds)
    return result


def _write(probabilities: list[dict[Gram, float]], followers: dict[Gram, tuple[int, int]]) -> str:
    lines = ["\\data\\"]
    # The sentence start has a back-off weight but no probability of its own.
    lines += [f"ngram {order}={len(probabilities[order]) + (order == 1)}" for order in range(1, ORDER + 1)]
    for order in range(1, ORDER + 1):
        rows = {gram: math.log10(probability) for gram, probability in probabilities[order].items()}
        if order == 1:
            rows[START,] = _NEVER
        lines += ["", f"\\{order}-grams:"]
        for gram in sorted(rows):
            row = f"{rows[gram]:.5f}\t{' '.join(gram)}"
            if order < ORDER and gram in followers:
                total, kinds = followers[gram]
                row += f"\t{math.log10(kinds / (total + kinds)):.5f}"
            elif order < ORDER:
                row += "\t0.00000"
            lines.append(row)
    lines += ["", "\\end\\", ""]
    return "\n".join(lines)
