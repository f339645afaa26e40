"""What a front desk says, as far as a simulated caller needs it: the question, the times, the day, the sentence. Pure.

It reads the agent's own words, not a recogniser's, so plain patterns do.
"""

from __future__ import annotations

import re

from policies.spoken import find_times, read_time

from .ear import plain
from .goal import DAYS

__all__ = ["named_day", "offered_times", "open_offers", "question_of", "sentence_with"]

_QUESTIONS: tuple[tuple[str, str], ...] = (
    ("bye", r"\b(good)?bye\b|have a (nice|good) day"),
    ("readback", r"is that (right|correct|ok|okay)|\bcorrect\?|shall i (book|cancel|do)|do you confirm"),
    ("change", r"what should i change|what (is|was) wrong"),
    ("single", r"(does|would) that (suit|work|be)|only have [^?]*\?"),
    ("other_day", r"(which|what|an)other day|(which|what) other|different day"),
    ("offer", r"which (one|time)|what time|when would"),
    ("day", r"(which|what) day|on which"),
    ("part", r"morning or (in the )?afternoon"),
    ("name", r"\bname\b"),
    ("anything", r"(anything|something) else"),
    ("intent", r"book or cancel|(how|what) (can|may|could) i (help|do)"),
    ("here", r"(are you|you) (still )?there"),
    ("pardon", r"(not|didn't) (catch|get|understand|hear)|say that again|repeat that|\bpardon"),
)
_WEAK = frozenset({"pardon", "here"})
"""Asked besides another question, these are only its introduction."""


def question_of(text: str) -> str | None:
    """What the agent asks: the last question in its words, by kind; None where there is none."""
    lowered = text.lower()
    found: dict[str, int] = {}
    for kind, pattern in _QUESTIONS:
        ends = [match.end() for match in re.finditer(pattern, lowered)]
        if ends:
            found[kind] = ends[-1]
    strong = {kind: end for kind, end in found.items() if kind not in _WEAK} or found
    return max(strong, key=lambda kind: strong[kind]) if strong else None


def open_offers(text: str) -> list[str]:
    """The times that the agent offers: those it names without saying that they are gone."""
    sentences = re.split(r"(?<=[.?!])\s+", text.lower())
    return offered_times(" ".join(piece for piece in sentences if not _GONE.search(piece)))


_GONE = re.compile(r"\btaken\b|\bnot (free|available)\b|\bno longer\b|\bgone\b")


def offered_times(text: str) -> list[str]:
    """The times in the agent's words, as ``HH:MM``, in order."""
    found: list[str] = []
    for piece in re.split(r"[,.?!;]|\b(?:or|and|have|only|still)\b", text.lower()):
        for words in find_times(plain(piece)):
            clock = read_time(words)
            if clock not in found:
                found.append(clock)
    return found


def sentence_with(text: str, question: str) -> str:
    """The sentences up to the last one that asks `question`, from the one before it on."""
    sentences = [piece for piece in re.split(r"(?<=[.?!])\s+", text) if piece.strip()]
    asking = [number for number, piece in enumerate(sentences) if question_of(piece) == question]
    if not asking:
        return text
    before = sentences[asking[-1] - 1 : asking[-1]] if asking[-1] and not offered_times(sentences[asking[-1]]) else []
    return " ".join([*before, sentences[asking[-1]]])


def named_day(text: str) -> str | None:
    """The last weekday in the agent's words."""
    days = [word for word in plain(text).split() if word in DAYS]
    return days[-1] if days else None
