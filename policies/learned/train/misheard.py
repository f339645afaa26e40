"""What our recogniser made of simulated callers, counted word by word into ``confusions.txt``.

    python -m policies.learned.train.misheard hearings-0.jsonl hearings-1.jsonl --table confusions.txt

reads what `agent_runtime.testing.hearing` wrote, makes the table and prints a report. Spoken and heard words are laid
beside each other by their phones, so that "kowalski" meets "call all ski". One voice and a tenth of the calls stay
out of the table; the report holds their errors against it. This file refuses to know what the errors are used for.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path

from audio.language.dictionary import find_pronunciations, read_pronunciations
from audio.language.pronunciation import guess_phones
from policies.learned.train.spoken_caller import DAYS, PARTS

__all__ = ["Counts", "align", "main", "phones_of", "word_errors"]

HELD_OUT_VOICE = "slt"
"""Festival's HTS voice: its calls never reach the table."""
HELD_OUT_CALLS = 10
"""Every tenth call of the other voices stays out too."""

_SALAD, _SALAD_WORDS = 0.5, 4
"""Stretches of this many words or more with a larger share of errors stay out of the table too: it is drawn from at
rates of 0 to 0.2, where words are taken for words that sound alike. Short ones stay, a lost "yes" is one."""

_LONGEST = 3
"""Heard words that one spoken word may have become."""
_SPLIT = 0.3
"""What each heard word beyond the first costs, in phones: where both fit alike, a word came in between."""
_VOWELS = frozenset("AEIOU")

Phones = tuple[str, ...]
Pair = tuple[str, str]
"""A spoken word with its tag."""


# --- side by side ------------------------------------------------------------------------------------------------


@cache
def phones_of(word: str) -> Phones:
    """The phones of a lower-case word, from the recogniser's dictionary or by rule."""
    known = _dictionary().get(word)
    return known[0] if known else guess_phones(word, lambda part: next(iter(_dictionary().get(part, ())), None))


@cache
def _dictionary() -> dict[str, tuple[Phones, ...]]:
    return read_pronunciations(find_pronunciations())


@lru_cache(maxsize=200_000)
def _distance(left: Phones, right: Phones) -> float:
    """Edits between phones; a vowel for a vowel, or a consonant for a consonant, counts 0.7."""
    row = [float(at) for at in range(len(right) + 1)]
    for count, phone in enumerate(left, 1):
        before, row[0] = row[0], float(count)
        for at, other in enumerate(right, 1):
            swap = 0.0 if phone == other else 0.7 if (phone[0] in _VOWELS) == (other[0] in _VOWELS) else 1.4
            before, row[at] = row[at], min(before + swap, row[at] + 1, row[at - 1] + 1)
    return row[-1]


def align(
    spoken: Sequence[str], heard: Sequence[str], phones: Callable[[str], Phones] = phones_of
) -> tuple[list[tuple[str, ...]], list[str]]:
    """(for each spoken word the 0 to 3 heard words it became, heard words that came from none): fewest phone edits."""
    said, got = [phones(word) for word in spoken], [phones(word) for word in heard]
    best: list[list[tuple[float, int]]] = [[(0.0, -1)] * (len(got) + 1) for _ in range(len(said) + 1)]
    for i in range(len(said) + 1):
        for j in range(len(got) + 1):
            options = [(best[i][j - 1][0] + len(got[j - 1]), -1)] if j else [] if i else [(0.0, -1)]
            for taken in range(min(_LONGEST, j) + 1) if i else ():
                same = taken == 1 and spoken[i - 1] == heard[j - 1]
                parts = tuple(phone for part in got[j - taken : j] for phone in part)
                cost = 0.0 if same else _distance(said[i - 1], parts) + 0.01 + _SPLIT * max(0, taken - 1)
                options.append((best[i - 1][j - taken][0] + cost, taken))
            best[i][j] = min(options)
    became: list[tuple[str, ...]] = []
    came_in: list[str] = []
    i, j = len(said), len(got)
    while i or j:
        taken = best[i][j][1]
        if taken < 0:
            j -= 1
            came_in.append(heard[j])
        else:
            became.append(tuple(heard[j - taken : j]))
            i, j = i - 1, j - taken
    return became[::-1], came_in[::-1]


def word_errors(spoken: Sequence[str], heard: Sequence[str]) -> int:
    """Words replaced, lost and added, as few as possible: what a word error rate counts."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(spoken, 1):
        before, row[0] = row[0], count
        for at, other in enumerate(heard, 1):
            before, row[at] = row[at], min(before + (word != other), row[at] + 1, row[at - 1] + 1)
    return row[-1]


# --- counted -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Counts:
    """What spoken words became. `times` counts a word however it was heard; `errors` holds its other readings, where
    an empty text is a lost word. Names are kept apart: what is a name may also be a word."""

    times: Counter[str] = field(default_factory=Counter)
    errors: dict[str, Counter[str]] = field(default_factory=dict)
    name_times: Counter[str] = field(default_factory=Counter)
    name_errors: dict[str, Counter[str]] = field(default_factory=dict)
    came_in: Counter[str] = field(default_factory=Counter)

    def add(self, spoken: Sequence[Pair], heard: Sequence[str]) -> list[tuple[str, ...]]:
        """Count one stretch of speech; what each word of it became."""
        became, came_in = align([word for word, _ in spoken], heard)
        self.came_in.update(came_in)
        for (word, tag), got in zip(spoken, became, strict=True):
            name = tag == "name"
            (self.name_times if name else self.times)[word] += 1
            if got != (word,):
                (self.name_errors if name else self.errors).setdefault(word, Counter())[" ".join(got)] += 1
        return became

    def text(self, made_by: str) -> str:
        """The table as lines: kind, word, times spoken, and ``reading:count`` with ``|`` between, all by tabs."""
        lines = [f"# {made_by}", f"came in\t\t{sum(self.times.values())}\t{_shown(self.came_in)}"]
        for kind, times, errors in (
            ("word", self.times, self.errors),
            ("name", self.name_times, self.name_errors),
        ):
            lines += [f"{kind}\t{word}\t{times[word]}\t{_shown(errors[word])}" for word in sorted(errors)]
        return "\n".join(lines) + "\n"


def _shown(readings: Counter[str]) -> str:
    return "|".join(f"{text}:{count}" for text, count in sorted(readings.items(), key=lambda item: (-item[1], item[0])))


# --- the command -------------------------------------------------------------------------------------------------

Hearing = tuple[int, str, str, list[Pair], list[str]]
"""Call, voice, band, spoken words with tags, heard words."""


def _read(paths: Iterable[Path]) -> Iterator[Hearing]:
    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            call, voice, band, spoken, heard = json.loads(line)
            yield call, voice, band, [(word, tag) for word, tag in spoken], heard.split()


def _held_out(call: int, voice: str) -> bool:
    return voice == HELD_OUT_VOICE or call % HELD_OUT_CALLS == 0


def _salad(spoken: Sequence[Pair], heard: Sequence[str]) -> bool:
    """Whether so much went wrong that single words no longer meet."""
    return len(spoken) >= _SALAD_WORDS and word_errors([word for word, _ in spoken], heard) > _SALAD * len(spoken)


@dataclass(slots=True)
class _Rate:
    """Errors and words of one voice or band."""

    words: int = 0
    errors: int = 0

    def __str__(self) -> str:
        return f"{100 * self.errors / max(1, self.words):5.1f} % of {self.words} words"


def _slot_of(word: str, tag: str) -> str | None:
    """What a spoken word is counted as in the report of what survives."""
    if tag == "day" and word in DAYS:
        return "days"
    if tag == "part" and word in PARTS:
        return "parts"
    if tag == "time":
        return "words of times"
    if tag == "name":
        return "names"
    return {"yes": "yes", "no": "no", "book": "book", "cancel": "cancel"}.get(tag)


def _ranked(counts: Counts) -> Counter[Pair]:
    return Counter(
        {(word, reading): count for word, found in counts.errors.items() for reading, count in found.items()}
    )


def _report(hearings: Sequence[Hearing], kept: Counts, out: Counts) -> Iterator[str]:
    rates: dict[str, _Rate] = {}
    for _, voice, band, spoken, heard in hearings:
        errors = word_errors([word for word, _ in spoken], heard)
        for key in ("all", f"band {band}", f"voice {voice}, {band}"):
            rate = rates.setdefault(key, _Rate())
            rate.words, rate.errors = rate.words + len(spoken), rate.errors + errors
    yield f"{len(hearings)} stretches of speech; word error rate:"
    yield from (f"  {key:42} {rates[key]}" for key in sorted(rates))
    survived: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for _, _, band, spoken, heard in hearings:
        became, _ = align([word for word, _ in spoken], heard)
        for (word, tag), got in zip(spoken, became, strict=True):
            slot = _slot_of(word, tag)
            if slot is not None:
                total[f"{slot}, {band}"] += 1
                survived[f"{slot}, {band}"] += got == (word,)
    salad = sum(_salad(spoken, heard) for *_, spoken, heard in hearings)
    yield f"{salad} stretches went wrong beyond reading and are in no count below but the next one"
    yield "words that survived as they were:"
    yield from (f"  {key:28} {100 * survived[key] / total[key]:5.1f} % of {total[key]}" for key in sorted(total))
    yield "most frequent confusions in the table (spoken -> heard):"
    ranked = _ranked(kept)
    yield from (f"  {word} -> {reading or '(lost)'}  {count}" for (word, reading), count in ranked.most_common(30))
    yield f"came in from nowhere: {_shown(Counter(dict(kept.came_in.most_common(15))))}"
    names: Counter[str] = Counter()
    for found in kept.name_errors.values():
        names.update(found)
    yield f"names become: {_shown(Counter(dict(names.most_common(30))))}"
    yield from _against(ranked, _ranked(out), kept)


def _against(ranked: Counter[Pair], others: Counter[Pair], kept: Counts) -> Iterator[str]:
    """How far the table knows the errors of voices and calls that it never heard."""
    top = [pair for pair, _ in others.most_common(30)]
    best = {pair for pair, _ in ranked.most_common(100)}
    yield f"held out, {sum(others.values())} errors: the table has {sum(pair in ranked for pair in top)} of their 30"
    yield f"  most frequent confusions, {sum(pair in best for pair in top)} of them among its own first 100;"
    known = sum(count for (word, _), count in others.items() if word in kept.errors)
    same = sum(count for pair, count in others.items() if pair in ranked)
    yield f"  {100 * known / max(1, sum(others.values())):.0f} % of all are of words that it knows,"
    yield f"  {100 * same / max(1, sum(others.values())):.0f} % are readings that it has too"


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.misheard", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("hearings", type=Path, nargs="+", help="files of agent_runtime.testing.hearing")
    parser.add_argument("--table", type=Path, help="write the table here")
    options = parser.parse_args(arguments)
    hearings = list(_read(options.hearings))
    kept, out = Counts(), Counts()
    for call, voice, _, spoken, heard in hearings:
        if not _salad(spoken, heard):
            (out if _held_out(call, voice) else kept).add(spoken, heard)
    if options.table:
        calls = sorted({call for call, *_ in hearings})
        options.table.write_text(
            kept.text(
                "made by python -m agent_runtime.testing.hearing (calls "
                f"{_spans(calls)}) and then python -m policies.learned.train.misheard; {len(hearings)} stretches of "
                f"speech, without the voice {HELD_OUT_VOICE}, each tenth call, and what went wrong beyond reading"
            ),
            "utf-8",
        )
    print("\n".join(_report(hearings, kept, out)))


def _spans(numbers: Sequence[int]) -> str:
    """Whole numbers as spans: ``0-99, 1000-1099``."""
    spans: list[list[int]] = []
    for number in numbers:
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(f"{first}-{last}" for first, last in spans)


if __name__ == "__main__":
    main()
