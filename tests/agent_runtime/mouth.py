"""A mouth on the bench: orders at stated moments, a line that counts frames and words, and what came of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from agent_runtime import commands as do
from agent_runtime.bus import Bus
from agent_runtime.clock import run_virtual
from agent_runtime.commands import Command
from agent_runtime.events import Event
from agent_runtime.log import MemoryLog
from agent_runtime.ports import NextWord
from agent_runtime.speaking import Speaking
from agent_runtime.testing.fakes import TimedVoice

__all__ = ["FIRST", "WORD", "Line", "Mouth", "Step", "ToneVoice", "at", "block_the_loop", "both_modes", "played", "say"]


WORD = 350 * 16
"""Samples of a word of the timed voice."""
FIRST = 80 * 16
"""Samples until its first sound."""


@dataclass
class Line:
    """A door that keeps every frame: (sample the frame is due at, loop time it came at, loudest value).

    Without audio it keeps what it is told of words: (millisecond, utterance, characters heard, words ahead).
    """

    frames: list[tuple[int, float, int]] = field(default_factory=list)
    sound: dict[int, Any] = field(default_factory=dict)
    told: list[tuple[int, int, int, str]] = field(default_factory=list)
    ahead: list[NextWord] = field(default_factory=list)

    def play(self, pcm: Any, first_sample: int) -> None:
        self.frames.append((first_sample, asyncio.get_running_loop().time(), int(np.abs(pcm).max())))
        self.sound[first_sample] = pcm.copy()

    def play_words(self, utterance: int, heard: int, ahead: Sequence[NextWord]) -> None:
        at_ms = round(asyncio.get_running_loop().time() * 1000)
        self.told.append((at_ms, utterance, heard, " ".join(word.text for word in ahead)))
        self.ahead = list(ahead) or self.ahead

    def audible(self, first: int, end: int) -> bool:
        """Anything louder than -46 dB of the voice between two samples."""
        return any(
            np.abs(pcm[max(0, first - at) : max(0, end - at)]).max(initial=0) > 50 for at, pcm in self.sound.items()
        )


@dataclass(frozen=True)
class ToneVoice(TimedVoice):
    """The timed voice with a constant sound in it, in chunks."""

    chunk_words: int = 2

    async def speak(self, text: str) -> AsyncIterator[Any]:
        if "broken" in text:
            raise RuntimeError("helper died")
        words = text.split()
        async for whole in super().speak(text):
            whole.pcm[:] = 10_000
            for first in range(0, len(words), self.chunk_words):
                last = min(first + self.chunk_words, len(words))
                marks = whole.words[first:last]
                yield type(whole)(whole.pcm[first * WORD : last * WORD], marks)


class Mouth:
    """A `Speaking` on a bus, ordered by a script."""

    def __init__(self, *, audible: bool, voice: Any | None = None) -> None:
        self.log = MemoryLog()
        self.line = Line()
        self.bus = Bus(self.log)
        self.speaking = Speaking(self.bus, self.line, voice or ToneVoice(), audible=audible)  # type: ignore[arg-type]

    def order(self, command: Command) -> int:
        """Give an order now."""
        entry = self.bus.order(command, 0)
        self.speaking.obey(entry)
        return entry.seq

    def say(self, utterance: int, text: str, *, last: bool = True) -> int:
        """Order a clause."""
        return self.order(do.Say(utterance, "answer", last, text))

    @property
    def events(self) -> list[Event]:
        """What was published, in order."""
        return [entry.what for entry in self.log.entries if isinstance(entry.what, Event)]

    def of(self, kind: type) -> list[Any]:
        """Published events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


Step = tuple[float, Callable[[Mouth], Any]]


def played(*steps: Step, audible: bool = True, until_s: float = 20.0, voice: Any | None = None) -> Mouth:
    """Give each order at its time (seconds of the line) and stop the call at `until_s`."""

    async def main() -> Mouth:
        mouth = Mouth(audible=audible, voice=voice)
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(mouth.speaking.voice_run()),
                group.create_task(mouth.speaking.playout_run(loop.time())),
            ]
            for at_s, step in steps:
                await asyncio.sleep(at_s - loop.time())
                step(mouth)
            await asyncio.sleep(until_s - loop.time())
            for task in tasks:
                task.cancel()
        mouth.speaking.close()
        return mouth

    return run_virtual(main())


def at(at_s: float, command: Command) -> Step:
    """An order at its time."""
    return at_s, lambda mouth: mouth.order(command)


def say(at_s: float, utterance: int, text: str, *, last: bool = True) -> Step:
    """A clause at its time."""
    return at_s, lambda mouth: mouth.say(utterance, text, last=last)


def block_the_loop(for_s: float) -> None:
    """As a callback that does not return for a while: nothing else runs, and time has passed."""
    loop: Any = asyncio.get_running_loop()
    loop._now += for_s


both_modes = pytest.mark.parametrize("audible", [True, False], ids=["with audio", "without audio"])
