"""Which filler covers a wait for a tool, and when.

A filler commits to nothing and shortens only the time to first sound, never to the answer. One is said when a tool is
known or seen to take longer than 0.8 s, chosen by rotation so that a replay chooses the same. This file refuses to know
the tool, the voice and the clock.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Filler", "FillerSettings", "Wait", "choose"]


@dataclass(frozen=True, slots=True)
class FillerSettings:
    """What is said, and from which wait on; milliseconds."""

    texts: tuple[str, ...] = ("let me look.", "one moment.", "just a second, i am checking.", "let me see.")
    """In order of use; `agent.toml` can replace them. Lower case with stops, as all said words."""
    slow_ms: int = 800
    """Tools slower than this get a filler: callers talk again after about 800 ms of silence (peers' posts)."""
    again_ms: int = 5000
    """A wait that goes on this long after a filler gets another. A guess."""
    most: int = 3
    """Fillers in one wait. A guess: more of them sound like a machine that is stuck."""


@dataclass(frozen=True, slots=True)
class Wait:
    """A tool call in progress, at this moment."""

    waited_ms: int
    """Since the call began, or since the floor fell silent if that was later."""
    predicted_ms: int | None = None
    """How long the tool is declared or predicted to take from its start, None where unknown."""
    floor_open: bool = True
    """Neither party is speaking."""
    said_in_wait: int = 0
    """Fillers already said in this wait."""
    since_filler_ms: int = 0
    """Since the last filler of this wait ended; only read where there was one."""
    said_in_call: int = 0
    """Fillers said in the whole call so far: the place in the rotation."""
    last_text: str = ""
    """The last filler of the call."""
    own_text: str = ""
    """What the tool's author wants said while it runs: comes before the texts that fit every wait."""


@dataclass(frozen=True, slots=True)
class Filler:
    """Say `text` now, or, where it is None, ask again in `wait_ms`; 0 with no text: not unless the floor opens."""

    text: str | None
    wait_ms: int = 0


def choose(wait: Wait, settings: FillerSettings | None = None) -> Filler:
    """The filler to say now, if any. Never the same text twice in a row, never over speech.

    A tool predicted to be slow gets its filler at once; one predicted to be quick, or unknown, only when it has in
    fact been slow.
    """
    settings = settings or FillerSettings()
    if wait.said_in_wait >= settings.most:
        return Filler(None)
    if wait.said_in_wait:
        due = settings.again_ms - wait.since_filler_ms
    elif wait.predicted_ms is not None and wait.predicted_ms > settings.slow_ms:
        due = 0
    else:
        due = settings.slow_ms - wait.waited_ms
    if due > 0:
        return Filler(None, due)
    if not wait.floor_open:
        # asked again when the floor opens; the wait itself ends nothing
        return Filler(None)
    if wait.own_text and not wait.said_in_wait and wait.own_text != wait.last_text:
        return Filler(wait.own_text)
    count = len(settings.texts)
    turned = (settings.texts[(wait.said_in_call + step) % count] for step in range(count))
    return Filler(next((text for text in turned if text != wait.last_text), None))
