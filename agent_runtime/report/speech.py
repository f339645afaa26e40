"""The agent's side of the drawing: what it said, what of that was heard, where it had yielded.

The log tells how far each utterance was heard, clause by clause, and which stretches of it were audible; this file
lays the words over those stretches. It refuses to know the other lanes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from agent_runtime.commands import Say
from agent_runtime.events import UtteranceHeard
from agent_runtime.labels import RATE_HZ
from agent_runtime.latency import Spoken
from agent_runtime.record import Entry

from .marks import Line, Mark, Tip

__all__ = ["speech", "split_words"]

CHARS_PER_S = 15.0
"""How long unheard text is drawn: about what espeak-ng speaks at 170 words a minute."""

Span = tuple[float, float]


@dataclass(slots=True)
class _Told:
    """What the log tells of the words of one utterance."""

    seq: int = 0
    planned: list[str] = field(default_factory=list)
    heard: list[tuple[float, str]] = field(default_factory=list)
    """(when, everything heard so far), a step at each clause end."""


def speech(
    entries: Sequence[Entry], spoken: Sequence[Spoken], at: Callable[[Entry], float]
) -> tuple[list[Mark], list[Line]]:
    """The speaking lane, and the agent's lines of the conversation. `at`: where an entry stands, in seconds."""
    told: dict[int, _Told] = {}
    for entry in entries:
        what = entry.what
        if isinstance(what, Say):
            one = told.setdefault(what.utterance, _Told(entry.seq))
            one.planned.append(what.text)
        elif isinstance(what, UtteranceHeard):
            told.setdefault(what.utterance, _Told()).heard.append((at(entry), what.text))
    marks: list[Mark] = []
    lines: list[Line] = []
    for utterance in spoken:
        if not utterance.audible:
            continue
        words = told.get(utterance.utterance, _Told())
        text = " ".join(part for part in words.planned if part)
        heard = words.heard[-1][1] if words.heard else (text if utterance.reason == "open" else "")
        unheard = text[len(heard) :].strip() if text.startswith(heard) else ""
        spans = [(first / RATE_HZ, last / RATE_HZ) for first, last in utterance.audible]
        tip: Tip = (("said", text or "-"), ("heard", heard or "-"))
        if unheard:
            tip = (*tip, ("unheard", unheard))
        tip = (*tip, ("kind", utterance.kind), ("ended", utterance.reason))
        for first_s, last_s, clause in _clauses(words.heard, spans, heard or text):
            for begin_s, end_s, piece in split_words(clause, first_s, last_s, spans):
                marks.append(Mark(f"said {utterance.kind}", begin_s, max(end_s, begin_s + 0.02), piece, tip, words.seq))
        for (_, paused_s), (resumed_s, _) in pairwise(spans):
            away: Tip = (("yielded", f"inaudible for {(resumed_s - paused_s) * 1000:.0f} ms, then went on"),)
            marks.append(Mark("held", paused_s, resumed_s, "", away, words.seq))
        end_s = spans[-1][1]
        if unheard:
            rest_s = min(3.0, max(0.4, len(unheard) / CHARS_PER_S))
            marks.append(Mark("unheard", end_s, end_s + rest_s, unheard, tip, words.seq))
        note = "" if utterance.kind == "answer" else utterance.kind
        lines.append(Line("agent", spans[0][0], end_s, heard, unheard, note))
    return marks, lines


def _clauses(
    steps: Sequence[tuple[float, str]], spans: Sequence[Span], whole: str
) -> Iterator[tuple[float, float, str]]:
    """(start, end, words) of each heard clause; one for the whole utterance where the log has no steps."""
    begun_s, before = spans[0][0], ""
    found: list[tuple[float, float, str]] = []
    for at_s, text in steps:
        clause, until_s = text[len(before) :].strip(), min(at_s, spans[-1][1])
        if clause and until_s > begun_s:
            found.append((begun_s, until_s, clause))
            begun_s, before = until_s, text
    if not found:
        yield spans[0][0], spans[-1][1], whole
        return
    yield from found[:-1]
    yield found[-1][0], max(found[-1][0], spans[-1][1]), found[-1][2]


def split_words(text: str, start_s: float, end_s: float, audible: Sequence[Span]) -> list[tuple[float, float, str]]:
    """The words of a clause laid over the audible stretches within it, by their share of the time.

    The log has no times of the agent's words, so where a pause divides a clause is an estimate.
    """
    pieces = [(max(a, start_s), min(b, end_s)) for a, b in audible if min(b, end_s) > max(a, start_s)]
    if len(pieces) < 2:
        return [(start_s, end_s, text)]
    words, total = text.split(), sum(b - a for a, b in pieces)
    placed, taken, passed = [], 0, 0.0
    for a, b in pieces:
        passed += b - a
        until = round(len(words) * passed / total)
        placed.append((a, b, " ".join(words[taken:until])))
        taken = until
    return placed
