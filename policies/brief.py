"""The brief for a slower mind: what is asked, what is known, and the limits of the answer; never what the caller said.

A talker may ask a stronger engine or a sub-agent. That one gets no transcript: it gets a task in a few words, the
fields of the note, what tools returned in this call, and what its answer must keep to. A run of the caller's own words
in the task is left out (`QUOTE_WORDS`), unless it is a noted value; digits that look like secrets are masked. The
brief has a bounded length whatever goes in. This file refuses to know engines, agents and files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memory.secrets import mask
from policies.notes import UNKNOWN, facts_of
from policies.numerals import plain_words
from policies.shapes import NoteField
from policies.trajectory import Role, Trajectory

__all__ = ["LEFT_OUT", "MOST_WORDS", "QUOTE_WORDS", "Brief", "BriefLimits", "brief_of"]

QUOTE_WORDS = 4
"""So many words in a row of the caller's are a sentence and no topic. A guess: topics have one to three words."""
LEFT_OUT = "..."
"""Stands where a quote was left out, so that the words around it make no new one."""
MOST_WORDS = 200
"""Words of task and facts together. A guess: about 300 tokens, read by any engine in a fraction of a second."""
_MOST_TASK = 40
_MOST_VALUE = 30
"""Words of one fact. A guess: a list of slots or a short answer fits."""
_NOTHING = frozenset({"", UNKNOWN, "none", "failed", "started"})
"""Values and results that say nothing."""
_NO_TASK = "help with what is known"


@dataclass(frozen=True, slots=True)
class BriefLimits:
    """What the answer must keep to."""

    most_words: int = 40
    """Length of the answer. 40 words are 14 s of speech at 170 words a minute; longer nobody listens to. A guess."""
    never: tuple[str, ...] = ()
    """What must not be promised, a few words each: ``a price``."""


@dataclass(frozen=True, slots=True)
class Brief:
    """What the other mind gets. Equal calls give equal briefs."""

    task: str
    facts: tuple[tuple[str, str], ...] = ()
    """(name, words): fields of the note, then results of tools by the tool's name, oldest first."""
    limits: BriefLimits = field(default_factory=BriefLimits)

    def text(self) -> str:
        """The brief as a few short lines, for an engine to read."""
        lines = [f"task: {self.task}"]
        lines += [f"known: {name}: {words}" for name, words in self.facts]
        lines.append(f"limit: answer in at most {self.limits.most_words} words that can be spoken")
        lines += [f"limit: promise no {what}" for what in self.limits.never]
        return "\n".join(lines)

    def words(self) -> str:
        """The same in words of the stream, for an engine that knows nothing else: task and facts, no limits."""
        facts = (f"{name.replace('_', ' ')} {words}" for name, words in self.facts)
        return " ".join(plain_words(" ".join([self.task, *facts])))

    def plain(self) -> dict[str, Any]:
        """As JSON values; `read` is the inverse."""
        limits = {"most_words": self.limits.most_words, "never": list(self.limits.never)}
        return {"task": self.task, "facts": [list(fact) for fact in self.facts], "limits": limits}

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Brief:
        """The brief of what `plain` gave."""
        limits = BriefLimits(values["limits"]["most_words"], tuple(values["limits"]["never"]))
        return cls(values["task"], tuple((name, words) for name, words in values["facts"]), limits)


def brief_of(task: str, stream: Trajectory, notes: Sequence[NoteField], limits: BriefLimits | None = None) -> Brief:
    """The brief for `task`, words of the talker, at the end of `stream`, an agent with these `notes`.

    Free thoughts, the caller's words and the agent's own stay out. Of many results the newest are kept.
    """
    found = facts_of(stream, notes)
    said = plain_words(" ".join(segment.text for segment in stream.segments if segment.role is Role.HEARD))
    values = [found.known.get(note.name, UNKNOWN) for note in notes if note.kind != "text"]
    noted = [value for value in map(plain_words, values) if value]
    facts = []
    for note in notes:
        value = found.known.get(note.name, UNKNOWN)
        if value not in _NOTHING:
            free = note.kind == "text"
            facts.append((note.name, " ".join(_unquoted(plain_words(value), said, noted)) if free else value))
    asked = " ".join(_unquoted(plain_words(task)[:_MOST_TASK], said, noted))
    if not asked.replace(LEFT_OUT, "").strip():
        asked = _NO_TASK
    hidden = mask(asked).text
    room = MOST_WORDS - len(hidden.split())
    known = _fitting([_fact(name, words) for name, words in facts], room)
    returned = [_fact(tool, words) for tool, words in found.returned if tool and words not in _NOTHING]
    return Brief(hidden, (*known, *_newest(returned, room - _count(known))), limits or BriefLimits())


def _fact(name: str, words: str) -> tuple[str, str]:
    """A fact on one line, cut to its length. The name counts: three digits are a secret behind ``code``."""
    short = " ".join(words.replace("<", " ").replace(">", " ").split()[:_MOST_VALUE])
    line = mask(f"{name.replace('_', ' ')}: {short}").text
    return name, line.partition(": ")[2]


def _count(facts: Sequence[tuple[str, str]]) -> int:
    return sum(1 + len(words.split()) for _, words in facts)


def _fitting(facts: Sequence[tuple[str, str]], room: int) -> tuple[tuple[str, str], ...]:
    """The first facts that fit into so many words."""
    kept: list[tuple[str, str]] = []
    for fact in facts:
        if _count([*kept, fact]) > room:
            break
        kept.append(fact)
    return tuple(kept)


def _newest(facts: Sequence[tuple[str, str]], room: int) -> tuple[tuple[str, str], ...]:
    """The last facts that fit, in their order."""
    return _fitting(facts[::-1], room)[::-1]


def _unquoted(words: Sequence[str], said: Sequence[str], noted: Sequence[Sequence[str]]) -> list[str]:
    """The words without runs of `QUOTE_WORDS` or more that stand in `said`; a noted value may stay whole."""
    runs = {tuple(said[at : at + QUOTE_WORDS]) for at in range(len(said) - QUOTE_WORDS + 1)}
    quoted = [False] * len(words)
    for at in range(len(words) - QUOTE_WORDS + 1):
        if tuple(words[at : at + QUOTE_WORDS]) in runs and not _within(words, at, noted):
            quoted[at : at + QUOTE_WORDS] = [True] * QUOTE_WORDS
    kept: list[str] = []
    for word, drop in zip(words, quoted, strict=True):
        if not drop:
            kept.append(word)
        elif kept[-1:] != [LEFT_OUT]:
            kept.append(LEFT_OUT)
    return kept


def _within(words: Sequence[str], at: int, noted: Sequence[Sequence[str]]) -> bool:
    """Whether the run that begins at `at` is part of a noted value."""
    for value in noted:
        for first in range(max(0, at + QUOTE_WORDS - len(value)), at + 1):
            if tuple(words[first : first + len(value)]) == tuple(value):
                return True
    return False
