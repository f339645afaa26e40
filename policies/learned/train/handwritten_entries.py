"""Callers written by hand: one person's sentences for each question the front desk can put, read from a file.

Simulated callers share a stock of wordings, so a model may know the stock. Each of these is one person who never
speaks in another's words. This file checks that a caller is complete and tells which words of a sentence carry a
value; it refuses to know who answers, and nobody's training data may be made from it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import resources
from typing import Literal

from policies.learned.train.simulator import Goal
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, WEEK, Word

__all__ = [
    "ORDINALS",
    "Entry",
    "Hand",
    "load_entries",
    "parse_entries",
    "placeholders",
    "tagged",
    "without_possessives",
]

Hand = Literal["first", "second"]
"""Who wrote a test. The author of the first one has seen training wordings since, so only the second one is blind."""
_FILES: Mapping[Hand, str] = {"first": "handwritten.toml", "second": "handwritten_second.toml"}

_ALWAYS = frozenset("intent day name readback_right readback_wrong change anything clarify hours".split())
_BY_KIND = {"book": _ALWAYS | {"offer", "single", "full"}, "cancel": _ALWAYS | {"missing"}}
_OPTIONAL = frozenset({"refuse", "second_thoughts", "aside"})
_SLOTS = {"book": ("day", "time", "name"), "cancel": ("day", "name")}
_TEXT = re.compile(r"(?:[a-z']+|\{(?:day|time|part|name|wrong)\})(?: (?:[a-z']+|\{(?:day|time|part|name|wrong)\}))*")

ORDINALS = {"first": 0, "earliest": 0, "second": 1, "last": -1, "latest": -1}
"""Words that choose among offered times by place, as `spoken_caller` reads them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One caller: `who` in a few words, the goal, and `says`, sentences by the agent's question.

    `time` and `part` are wishes: the caller takes the nearest time that was offered, and refuses the other part.
    `today` is the weekday of the call where the caller says "today" or "tomorrow", else None.
    """

    who: str
    goal: Goal
    today: str | None
    says: Mapping[str, tuple[str, ...]]


def load_entries(hand: Hand) -> tuple[Entry, ...]:
    """The callers that `hand` wrote."""
    name = _FILES[hand]
    return parse_entries(resources.files(__package__).joinpath(name).read_text("utf-8"), name)


def parse_entries(text: str, source: str) -> tuple[Entry, ...]:
    """The callers of `text` (TOML). Raises `ValueError` on the first caller that could not get through a call; it names
    `source`, the caller's place in it and what is missing."""
    rows = tomllib.loads(text)["caller"]
    return tuple(_entry(row, f"{source}, caller {place}") for place, row in enumerate(rows, 1))


def _entry(row: dict[str, object], place: str) -> Entry:
    who, goal, today = row.pop("who", None), row.pop("goal", None), row.pop("today", None)
    if not isinstance(who, str) or not isinstance(goal, dict) or not (today is None or today in WEEK):
        raise ValueError(f"{place}: who {who!r}, goal {goal!r}, today {today!r}; text, table, weekday expected")
    if missing := {"kind", "day", "name"} - goal.keys():
        raise ValueError(f"{place}, {who!r}: the goal lacks {sorted(missing)}")
    wanted = Goal(goal["kind"], goal["day"], goal.get("part"), goal.get("time"), goal["name"])
    says = {key: tuple(value) for key, value in row.items() if isinstance(value, list)}
    entry = Entry(who, wanted, None if today is None else str(today), says)
    for fault in _faults(entry):
        raise ValueError(f"{place}, {who!r}: {fault}")
    return entry


def _faults(entry: Entry) -> Iterator[str]:
    goal, says = entry.goal, entry.says
    if goal.kind not in _BY_KIND or goal.day not in DAYS or goal.part not in (None, *PARTS):
        yield f"goal {goal} is not one of the front desk's"
        return
    if goal.time not in (None, *TIMES):
        yield f"time {goal.time!r} is none of {TIMES}"
    wanted = _BY_KIND[goal.kind] | ({"refuse"} if goal.part else set())
    if wanted - says.keys() or says.keys() - wanted - _OPTIONAL:
        yield f"lacks {sorted(wanted - says.keys())}, has {sorted(says.keys() - wanted - _OPTIONAL)} for no question"
        return
    for text in (text for texts in says.values() for text in texts):
        if not _TEXT.fullmatch(text):
            yield f"{text!r} holds more than lower-case words and placeholders"
    if not all(1 <= len(says[key]) <= 3 for key in wanted):
        yield "one to three sentences are expected for each question"
    for slot in _SLOTS[goal.kind]:
        if not any(placeholders(text) - {"wrong"} == {slot} for text in says["readback_wrong"]):
            yield f"no sentence of readback_wrong corrects {slot} alone"
    needs = {"full": {"day"}, "missing": {"day"}, "second_thoughts": {"day"}}
    for key, slots in needs.items():
        if not all(slots <= placeholders(text) for text in says.get(key, ())):
            yield f"{key} names no {slots}"
    if goal.part and not any("part" in placeholders(text) for text in says["refuse"]):
        yield "a wish for a part needs a refuse with {part}"
    for text in says.get("offer", ()):
        if "time" not in placeholders(text) and not ORDINALS.keys() & set(text.split()):
            yield f"offer {text!r} chooses none of the times"
    if "offer" in wanted and not any("time" in placeholders(text) for text in says["offer"]):
        yield "no offer holds {time}, so a time in the middle could not be chosen"
    for key in ("day", "name"):
        for text in says[key]:
            if not any(word.tag == key for word in tagged(text, entry, goal)):
                yield f"{key} {text!r} does not say it"


def placeholders(text: str) -> set[str]:
    """The names in braces: ``not {wrong} {day}`` gives wrong and day."""
    return set(re.findall(r"\{(\w+)\}", text))


def tagged(text: str, entry: Entry, goal: Goal, *, act: str = "", wrong: str = "", question: str = "") -> list[Word]:
    """`text` as words with their meaning, as a simulated caller gives them.

    Placeholders and the entry's own values become those of `goal`, which may have moved on since the file was written.
    `wrong`: what the agent said in place of the right value. `act` goes to the first word that carries no value. Of
    `question` depends whether a bare number is a time (it is not in "one of my boys") and "first" a choice.
    """
    rest, words = text.split(), list[Word]()
    while rest:
        group = len(words) + 1
        token = rest[0]
        if token == "{wrong}":
            words += [Word(word, "old", group) for word in (wrong or "that").split()]
            del rest[0]
            continue
        if token[0] == "{":
            slot, size = token[1:-1], 1
        else:
            slot, size = _literal(rest, words, entry, question)
        if not slot:
            words.append(Word(token))
        elif slot == "ordinal":
            words.append(Word(token, slot, group))
        else:
            same = token[0] != "{" and getattr(goal, slot) == getattr(entry.goal, slot)
            value = rest[:size] if same else (getattr(goal, slot) or "any").split()
            if not same and token.endswith("'s"):
                value[-1] += "'s"
            words += [Word(word, slot, group) for word in value]
        del rest[: max(1, size)]
    first = next((index for index, word in enumerate(words) if not word.tag), None)
    if act and first is not None:
        words[first] = Word(words[first].text, act)
    return words


def _literal(rest: list[str], before: list[Word], entry: Entry, question: str) -> tuple[str, int]:
    """Which value of the entry stands at the start of `rest`, and in how many words; empty when none does."""
    goal = entry.goal
    forms = [("name", goal.name.split()), ("day", [goal.day])]
    if entry.today:
        ahead = (WEEK.index(goal.day) - WEEK.index(entry.today)) % len(WEEK)
        forms.append(("day", [{0: "today", 1: "tomorrow"}.get(ahead, goal.day)]))
    if goal.part and not (before and before[-1].text in {"good", "this"}):
        forms.append(("part", [goal.part]))
    if goal.time and question in {"intent", "day"}:
        hour, _, half = goal.time.partition(" ")
        forms += [("time", goal.time.split())] + ([("time", ["half", "past", hour])] if half else [])
    if question == "offer":
        forms += [("ordinal", [word]) for word in ORDINALS]
    bare = [word.removesuffix("'s") for word in rest]
    return next(((slot, len(form)) for slot, form in forms if form in (rest[: len(form)], bare[: len(form)])), ("", 0))


def without_possessives(segments: list[list[Word]]) -> list[list[Word]]:
    """``monday's`` as ``monday`` where it is a value: the expert reads values by their exact words."""
    return [
        [replace(word, text=word.text.removesuffix("'s")) if word.is_value else word for word in words]
        for words in segments
    ]
