"""What the agent has under way: utterances, the generation and the tool call in progress, and their numbers.

Part of the mind and as pure: bookkeeping without decisions. An utterance lives here from its first `Say` to its end, a
generation until it ends or is given up, a tool call until its result.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from policies import filler
from policies.trajectory import Trajectory

from .floor import AgentSpeech

__all__ = ["Fillers", "Generation", "Kind", "Plans", "ToolCall", "Utterance"]

MS_PER_CHARACTER = 65
"""Playing time of our speech, about 15 characters a second at 170 words a minute; good enough for "nearly done"."""

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
    goodbye: bool = False
    heard: str = ""
    complete: bool = False
    text: str = ""
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
    arguments: Mapping[str, Any] = field(default_factory=dict)
    fillers: int = 0
    filler_ended_us: int = 0


class Fillers:
    """The fillers of one call: which were said, and what covers the present wait."""

    def __init__(self, settings: filler.FillerSettings) -> None:
        self._settings = settings
        self._said = 0
        self._last_text = ""

    def choose(
        self, call: ToolCall, now_us: int, *, usual_ms: int | None, floor_open: bool, own_text: str = ""
    ) -> filler.Filler:
        """The policy's choice for the wait for `call`; a chosen text counts as said. `own_text`: the tool's own."""
        found = filler.choose(
            filler.Wait(
                waited_ms=(now_us - call.asked_us) // 1000,
                predicted_ms=usual_ms,
                floor_open=floor_open,
                said_in_wait=call.fillers,
                since_filler_ms=(now_us - call.filler_ended_us) // 1000,
                said_in_call=self._said,
                last_text=self._last_text,
                own_text=own_text,
            ),
            self._settings,
        )
        if found.text:
            call.fillers += 1
            self._said += 1
            self._last_text = found.text
        return found


class Plans:
    """Everything the agent owes or gives at this moment."""

    def __init__(self) -> None:
        self.utterances: dict[int, Utterance] = {}
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
        """The utterances that were not given up, in order."""
        return (utterance for utterance in self.utterances.values() if not utterance.cancelled)

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
            if utterance.kind == "filler" and utterance.text:
                text, utterance.text = utterance.text, ""
                return text
        return ""

    def current(self, generation: int) -> Generation | None:
        """The generation in progress if it has this number: results of others are dropped."""
        return self.generation if self.generation is not None and self.generation.number == generation else None

    def speech(self, now_us: int) -> AgentSpeech:
        """What is left of our speech, estimated from the length of its text."""
        left_ms = 0
        asks = False
        if self.generation is not None or self.call is not None:
            return AgentSpeech(None, False)  # more is to come, even if nothing was said yet
        for utterance in self.speaking:
            if not utterance.closed:
                return AgentSpeech(None, False)
            played_ms = (now_us - utterance.started_us) // 1000 if utterance.started else 0
            left_ms += max(0, len(utterance.text) * MS_PER_CHARACTER - played_ms)
            asks = utterance.text.endswith("?")
        return AgentSpeech(left_ms, asks)
