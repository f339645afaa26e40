"""Which filler covers a wait, and when: by the silence that is still to come, not by a fixed delay.

A filler commits to nothing and shortens only the time to first sound, never to the answer. It is said when the silence
so far and the predicted rest of the wait together exceed what a caller bears, at once where that is known from the
start, and only where the answer would not be ready long before the filler is over. A wait that turns out long gets
another, longer one, before the silence between them is too long. A tool nobody knows is given a short grace: one that
has not come back by then does I/O, and is more likely slow than not. Of the two errors, a filler before a look-up of
300 ms costs the caller at most `finish_ms` once (the next call knows better); no filler before one of 2 s costs dead
air on the first turn of a call. Texts are chosen in a fixed order, so that a replay chooses the same.

This file refuses to know tools, engines, voices and the clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

__all__ = [
    "MS_PER_CHARACTER",
    "Filler",
    "FillerSettings",
    "Wait",
    "choose",
    "filled",
    "finishes",
    "playing_ms",
    "slots_in",
]

MS_PER_CHARACTER = 65
"""Playing time of speech, about 15 characters a second at 170 words a minute."""

_SLOT = re.compile(r"\{(\w*)\}")
_NOT_GIVEN = frozenset({"", "-"})


@dataclass(frozen=True, slots=True)
class FillerSettings:
    """What is said, and from which silence on; milliseconds."""

    texts: tuple[str, ...] = ("let me look.", "one moment.", "just a second, i am checking.", "let me see.")
    """First fillers of a wait for a tool without words of its own; `agent.toml` can replace them. Lower case with
    stops, as all said words."""
    longer: tuple[str, ...] = (
        "it is taking a moment, i am still looking.",
        "i am still looking.",
        "just a little longer, please.",
        "thank you for waiting, i am still on it.",
    )
    """Later fillers of the same wait: they say that it goes on."""
    thinking: tuple[str, ...] = ("one moment.", "let me think.", "just a second.", "let me see.")
    """First fillers where the agent waits for its own reply, not for a tool: nothing is being looked up. None: such a
    wait is left silent."""
    limit_ms: int = 700
    """Longest silence that is left alone. Callers talk again after about 800 ms (peers' posts)."""
    grace_ms: int = 100
    """A tool nobody knows is taken for a slow one after this long. A local one (a file, SQLite) is back in 2 to 20 ms,
    measured on the front desk; with the voice's 80 ms, what comes back within 180 ms is not talked over either."""
    again_ms: int = 500
    """Least silence after a filler, or after words of the caller in the wait, before the next: none without a break."""
    most_ms: int = 1_000
    """Silence after which something is said where the wait is late; with the voice's own time it stays below 1.2 s."""
    trust_ms: int = 150
    """A prediction is believed until the wait is so much late. A guess."""
    late_ms: int = 100
    """A filler may be predicted to end so much after the answer is ready; a wait too short for a text stays silent."""
    finish_ms: int = 400
    """A filler with no more than this left is heard out though the answer is ready; others are cut at a word."""
    most: int = 6
    """Fillers in one wait. A guess: six cover the 10 s after which a tool is given up."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait for an answer, at this moment. Milliseconds."""

    predicted_ms: int
    """How long what is waited for takes, from its start."""
    waited_ms: int = 0
    """Since that start, which may lie before the caller's last word."""
    known: bool = True
    """False: the prediction is no more than a default."""
    after_ms: int = 0
    """What comes after it for certain before the answer sounds: the reply's first clause, the voice."""
    silent_ms: int = 0
    """Since either party was last heard."""
    floor_open: bool = True
    """Neither party is speaking."""
    broken: bool = False
    """Somebody was heard in this wait already: a filler, or the caller."""
    said_in_wait: int = 0
    """Fillers already said in this wait."""
    said: tuple[str, ...] = ()
    """All fillers of the call so far, the newest last."""
    own: tuple[str, ...] = ()
    """What the tool's author wants said while it runs, slots filled: comes before the texts that fit every wait."""
    thinking: bool = False
    """The agent waits for its own reply, not for a tool."""


@dataclass(frozen=True, slots=True)
class Filler:
    """Say `text` now, or, where it is None, ask again in `wait_ms`; 0 with no text: not unless something changes."""

    text: str | None
    wait_ms: int = 0
    reason: str = ""


def choose(wait: Wait, settings: FillerSettings | None = None) -> Filler:
    """The filler to say now, if any: never the same twice in a row or while there are others, never over speech."""
    settings = settings or FillerSettings()
    texts = _texts(wait, settings)
    if not texts or wait.said_in_wait >= settings.most or not wait.floor_open:
        # asked again when the floor opens; the wait itself ends nothing
        return Filler(None)
    grace_ms = settings.grace_ms - wait.waited_ms if not wait.known else 0
    gap_ms = settings.again_ms - wait.silent_ms if wait.broken else 0
    still_ms = max(grace_ms, gap_ms)
    if still_ms > 0:
        return Filler(None, still_ms)
    left_ms = _left_ms(wait)
    least_ms = min(map(playing_ms, texts)) - settings.late_ms
    doubt_ms = max(settings.most_ms - wait.silent_ms, wait.predicted_ms + settings.trust_ms - wait.waited_ms)
    if doubt_ms <= 0:
        return Filler(_fitting(texts, wait, settings), reason=f"{wait.silent_ms} ms of silence")
    if wait.silent_ms + left_ms > settings.limit_ms and left_ms >= least_ms:
        return Filler(_fitting(texts, wait, settings), reason=f"{left_ms} ms to come")
    late_ms = wait.predicted_ms + least_ms - wait.after_ms - wait.waited_ms
    return Filler(None, min(doubt_ms, late_ms) if late_ms > 0 else doubt_ms)


def _left_ms(wait: Wait) -> int:
    """Predicted silence still to come. One that is late by some time is expected to take that time again; of one that
    nothing is known of, as long as it took already: the longer it took, the longer it takes."""
    late_ms = wait.waited_ms - wait.predicted_ms
    rest_ms = abs(late_ms) if wait.known else max(-late_ms, wait.waited_ms)
    return rest_ms + wait.after_ms


def _texts(wait: Wait, settings: FillerSettings) -> tuple[str, ...]:
    """What may be said, in order of preference: not yet said in this call, else the one said longest ago."""
    first = settings.thinking if wait.thinking else (*wait.own, *settings.texts)
    later = settings.longer if wait.said_in_wait and not wait.thinking else ()
    listed = dict.fromkeys((*later, *first))
    fresh = tuple(text for text in listed if text not in wait.said)
    if fresh:
        return fresh
    ago = {text: place for place, text in enumerate(wait.said)}
    return tuple(sorted((text for text in listed if text != wait.said[-1]), key=ago.__getitem__))


def _fitting(texts: Sequence[str], wait: Wait, settings: FillerSettings) -> str:
    """The first text that is over when the answer is ready; the shortest where none is. Own words come whatever they
    take: they can be cut, and they say what is being done."""
    room_ms = _left_ms(wait) + settings.late_ms
    fits = (text for text in texts if text in wait.own or playing_ms(text) <= room_ms)
    return next(fits, min(texts, key=playing_ms))


def playing_ms(text: str) -> int:
    """How long a text takes to say, about."""
    return len(text) * MS_PER_CHARACTER


def finishes(left_ms: int, settings: FillerSettings | None = None) -> bool:
    """The answer is ready while a filler plays, with `left_ms` of it left: heard out, or cut at a word."""
    return left_ms <= (settings or FillerSettings()).finish_ms


def slots_in(text: str) -> tuple[str, ...]:
    """The slots of a text in their order: ``day`` of ``let me look at {day}.``"""
    return tuple(_SLOT.findall(text))


def filled(texts: Iterable[str], slots: Mapping[str, str]) -> tuple[str, ...]:
    """The texts with their slots filled by spoken words; one with a slot that was not given is left out."""
    given = {name: words.strip() for name, words in slots.items() if words.strip() not in _NOT_GIVEN}
    return tuple(
        _SLOT.sub(lambda match: given[match[1]], text) for text in texts if all(s in given for s in slots_in(text))
    )
