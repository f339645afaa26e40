"""What the agent has under way: utterances, the generation and the tool call in progress, and their numbers.

Part of the mind and as pure: bookkeeping without decisions. An utterance lives here from its first `Say` to its end, a
generation until it ends or is given up, a tool call until its result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from policies.filler import MS_PER_CHARACTER
from policies.trajectory import Trajectory

from .floor import AgentSpeech

__all__ = ["Generation", "Kind", "Plans", "ToolCall", "Utterance"]

Kind = Literal["answer", "filler", "backchannel", "greeting"]


@dataclass(slots=True)
class Utterance:
    """One planned utterance of ours, from the first `Say` to its end."""

    number: int
    kind: Kind
    started: bool = False
    started_us: int = 0
    held: bool = False
    """Yielded: inaudible, its place kept."""
    cancelled: bool = False
    """Given up; it stays here until its end has said what was heard of it."""
    closed: bool = False
    """All of its text is known."""
    trimmed: bool = False
    """It ends with the clause that is being said; the rest is written anew."""
    goodbye: bool = False
    again: bool = False
    """It asks for the caller's last words again: what was asked before it stays asked."""
    heard: str = ""
    complete: bool = False
    text: str = ""
    over: frozenset[int] = frozenset()
    """Speech segments of the caller's open turn that had begun before this did: they cannot answer it."""
    doubts: int = 0
    """`Conversation.doubts` when it began."""
    taken: bool = False
    """A filler that stands in the stream already (`Plans.take_filler`)."""
    ending: bool = False
    """Given up, but the word that sounds is still said."""
    thoughts: list[tuple[int, str]] = field(default_factory=list)
    """(characters of `text` before it, words) of each thought that was formed between two bits of this utterance."""


@dataclass(frozen=True, slots=True)
class Generation:
    """A reply being written."""

    number: int
    base: Trajectory
    """The stream it was asked on; a refused tool call goes back to here."""
    after_result: bool
    blocked: tuple[str, ...] = ()
    """Tools it was told not to ask for."""


@dataclass(slots=True)
class ToolCall:
    """A tool call in progress."""

    number: int
    tool: str
    asked_us: int
    """Since when the answer waits for it: one that ran early was asked for when the turn was over."""
    began_us: int = -1
    """When it began to run; left out: when it was asked for."""
    slots: Mapping[str, str] = field(default_factory=dict)
    """Its arguments as spoken words."""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """The same as JSON values."""

    def __post_init__(self) -> None:
        if self.began_us < 0:
            self.began_us = self.asked_us


class Plans:
    """Everything the agent owes or gives at this moment."""

    def __init__(self) -> None:
        self.utterances: dict[int, Utterance] = {}
        self.now_us = 0
        """The present: the stamp of the event that the mind is looking at."""
        self.sounded_us = 0
        """When the last utterance of ours ended."""
        self.generation: Generation | None = None
        self.reply: Utterance | None = None
        """The utterance that the present generation is speaking."""
        self.call: ToolCall | None = None
        self._numbers = {"generation": 0, "utterance": 0, "call": 0}

    @property
    def any(self) -> bool:
        """A generation, a tool call or an utterance that was not given up is under way."""
        return self.generation is not None or self.call is not None or any(self.speaking)

    @property
    def speaking(self) -> Iterator[Utterance]:
        """The utterances that were not given up, in order; a backchannel holds no floor and answers nothing."""
        return (one for one in self.utterances.values() if not one.cancelled and one.kind != "backchannel")

    @property
    def settling(self) -> bool:
        """An utterance was given up and it is not yet known what was heard of it."""
        return any(utterance.cancelled for utterance in self.utterances.values())

    def number(self, what: Literal["generation", "utterance", "call"]) -> int:
        """The next number of its kind."""
        self._numbers[what] += 1
        return self._numbers[what]

    def utterance(self, kind: Kind) -> Utterance:
        """A new utterance."""
        new = Utterance(self.number("utterance"), kind)
        self.utterances[new.number] = new
        return new

    def adopt(self, number: int) -> Utterance:
        """An utterance whose audio was prepared under this number."""
        new = self.utterances[number] = Utterance(number, "answer")
        return new

    def take_filler(self) -> str:
        """The text of a filler that is still playing, once: it stands in the stream before the result it covers for."""
        for utterance in self.speaking:
            if utterance.kind == "filler" and utterance.started and not utterance.taken:
                utterance.taken = True
                return utterance.text
        return ""

    def current(self, generation: int) -> Generation | None:
        """The generation in progress if it has this number: results of others are dropped."""
        return self.generation if self.generation is not None and self.generation.number == generation else None

    def left_ms(self, utterance: Utterance, now_us: int) -> int:
        """Playing time left of an utterance, estimated from the length of its text."""
        played_ms = (now_us - utterance.started_us) // 1000 if utterance.started else 0
        return max(0, len(utterance.text) * MS_PER_CHARACTER - played_ms)

    def speech(self, now_us: int) -> AgentSpeech:
        """What is left of our speech, estimated from the length of its text."""
        left_ms = 0
        asks = False
        if self.generation is not None or self.call is not None:
            return AgentSpeech(None, False)  # more is to come, even if nothing was said yet
        for utterance in self.speaking:
            if not utterance.closed:
                return AgentSpeech(None, False)
            left_ms += self.left_ms(utterance, now_us)
            asks = utterance.text.endswith("?")
        return AgentSpeech(left_ms, asks)
