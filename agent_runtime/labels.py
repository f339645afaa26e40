"""Who really spoke when: the truth that a scripted caller emits as it plays, and a guess at it where there is none.

Labels are positions on the call's sample line at 16,000 Hz, written by the one who played the clips. Without them
`estimated` groups the detector's own edges into turns; figures made from those must be called estimates. This file
refuses to know files; `Labels.parse` takes what `json.loads` gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from .events import FinalTranscript, SpeechStarted, SpeechStopped
from .record import Entry

__all__ = ["RATE_HZ", "LabelError", "LabelledTurn", "LabelledWord", "Labels", "Span", "estimated"]

RATE_HZ = 16_000

Span = tuple[int, int]
"""First sample and end sample (exclusive)."""

Kind = Literal["turn", "backchannel", "barge_in"]


class LabelError(ValueError):
    """Labels that cannot be read; the message names the turn, the value and what was expected."""


@dataclass(frozen=True, slots=True)
class LabelledWord:
    """A word and where it was spoken."""

    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """One turn, backchannel or barge-in of the caller; `segments` are its stretches of speech between pauses."""

    turn: int
    kind: Kind
    text: str
    first_sample: int
    last_sample: int
    segments: tuple[Span, ...] = ()
    words: tuple[LabelledWord, ...] = ()

    def __post_init__(self) -> None:
        """Raises `LabelError`."""
        if self.kind not in ("turn", "backchannel", "barge_in"):
            raise LabelError(f"turn {self.turn} has kind {self.kind!r}; expected turn, backchannel or barge_in")
        if not 0 <= self.first_sample < self.last_sample:
            raise LabelError(
                f"turn {self.turn} runs from sample {self.first_sample} to {self.last_sample}; the last must be later"
            )
        if not self.segments:
            object.__setattr__(self, "segments", (self.span,))
        for first, end in self.segments:
            if not self.first_sample <= first < end <= self.last_sample + 1:
                raise LabelError(f"turn {self.turn} has a segment {first}..{end} outside of its own samples")

    @property
    def span(self) -> Span:
        """Where the turn begins and ends."""
        return self.first_sample, self.last_sample


@dataclass(frozen=True, slots=True)
class Labels:
    """The caller's side of a call, in order of its turns' first samples."""

    turns: tuple[LabelledTurn, ...]

    def __post_init__(self) -> None:
        """Raises `LabelError` when turns are out of order or overlap."""
        for one, later in zip(self.turns, self.turns[1:], strict=False):
            if later.first_sample < one.last_sample:
                raise LabelError(
                    f"turn {later.turn} begins at sample {later.first_sample}, before turn {one.turn} ends at "
                    f"{one.last_sample}; the caller has one mouth"
                )

    @classmethod
    def parse(cls, raw: Mapping[str, Any]) -> Labels:
        """Labels of the JSON form ``{"rate_hz": 16000, "turns": [{"turn", "kind", "text", "first_sample", ...}]}``."""
        rate_hz = raw.get("rate_hz")
        if rate_hz != RATE_HZ:
            raise LabelError(f"labels have rate_hz {rate_hz!r}; expected {RATE_HZ} (multiply the sample positions)")
        turns = raw.get("turns")
        if not isinstance(turns, list):
            raise LabelError(f"labels have turns {turns!r}; expected a list")
        return cls(tuple(_turn(number, one) for number, one in enumerate(turns, 1)))


def _turn(number: int, raw: Any) -> LabelledTurn:
    try:
        return LabelledTurn(
            turn=int(raw.get("turn", number)),
            kind=raw.get("kind", "turn"),
            text=str(raw.get("text", "")),
            first_sample=int(raw["first_sample"]),
            last_sample=int(raw["last_sample"]),
            segments=tuple((int(first), int(end)) for first, end in raw.get("segments", ())),
            words=tuple(
                LabelledWord(str(word["text"]), int(word["start_sample"]), int(word["end_sample"]))
                for word in raw.get("words", ())
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise LabelError(f"label {number} cannot be read ({type(error).__name__}: {error}): {str(raw)[:80]}") from error


def estimated(
    entries: Sequence[Entry], answers: Sequence[int], finished: Sequence[Span], dropped: Sequence[Span]
) -> Labels:
    """Turns as the detector saw them: segments of speech, joined until the agent next answers.

    `answers`: samples at which the agent began to speak or chose silence. `finished` and `dropped`: where utterances
    lay that were played to their end, or given up. Speech inside a finished one is taken for a backchannel, speech
    that begins inside a dropped one for a barge-in.
    """
    finals: dict[int, FinalTranscript] = {}
    begun: dict[int, tuple[int, int]] = {}
    heard: list[tuple[Span, int]] = []
    for entry in entries:
        what = entry.what
        if isinstance(what, SpeechStarted):
            begun[entry.seq] = (what.sample, len(begun) + len(heard) + 1)
        elif isinstance(what, SpeechStopped) and entry.cause in begun:
            first, segment = begun.pop(entry.cause)
            heard.append(((first, max(first + 1, what.sample)), segment))
        elif isinstance(what, FinalTranscript):
            finals[what.segment] = what

    groups: list[tuple[Kind, list[tuple[Span, int]]]] = []
    for span, segment in sorted(heard):
        before = groups[-1][1][-1][0][1] if groups else 0
        if span[0] < before:
            continue  # the detector's edges overlap; the first one stands
        kind: Kind = "turn"
        if any(first < span[0] and span[1] < end for first, end in finished):
            kind = "backchannel"
        elif any(first < span[0] < end for first, end in dropped):
            kind = "barge_in"
        apart = not groups or kind != "turn" or groups[-1][0] == "backchannel"
        if apart or any(before <= answer < span[0] for answer in answers):
            groups.append((kind, []))
        groups[-1][1].append((span, segment))

    turns = []
    for number, (kind, parts) in enumerate(groups, 1):
        known = [finals[segment] for _, segment in parts if segment in finals]
        turns.append(
            LabelledTurn(
                number,
                kind,
                " ".join(final.text for final in known if final.text),
                parts[0][0][0],
                parts[-1][0][1],
                tuple(span for span, _ in parts),
                tuple(LabelledWord(*word) for final in known for word in final.words),
            )
        )
    return Labels(tuple(turns))
