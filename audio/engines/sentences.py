"""A voice that speaks whole sentences in a program of its own: what Piper and Kokoro have in common.

Such models give a sentence at once, so the first sound comes when the first sentence is made; the next one is made when
it is asked for, and at a barge-in no more is wasted than the one in progress. Word marks are estimated from the letters
(`audio.engines.estimate`). Sentences of several calls take turns in the one thread of `maker.thread`. This file refuses
to know which program speaks.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Protocol, Self

import numpy as np

from audio.engines.estimate import estimate
from audio.engines.spoken import SpokenChunk, VoiceError, check_length, sayable
from audio.frame import RATE_HZ, Pcm, ms_to_samples, silence
from audio.outcome import Outcome, Runner
from audio.resample import resample

__all__ = ["Made", "Maker", "SentenceVoice", "ends", "sentences"]

_AUDIBLE = 64
"""Peak below which an end of a sentence is silence: 54 dB below full scale."""
ATTACK = ms_to_samples(5)
"""Silence left in front of the first audible sample, so that no onset is cut."""
PAUSE = ms_to_samples(250)
"""Silence behind a sentence that another one follows; kokoro-onnx's value. The model's own is replaced by it."""
TAIL = ms_to_samples(120)
"""The same behind the last one: the next clause of an utterance is put right behind it, and a turn must end soon. A
guess."""

_SENTENCE = re.compile(
    r".+?(?:[.!?…]+(?<!\b(?:mr|ms|dr|st|no)\.)(?<!\bmrs\.)[\"'”’)]*(?=\s|$)|$)", re.DOTALL | re.IGNORECASE
)
"""A full stop behind one of these few words ends no sentence."""


@dataclass(frozen=True, slots=True)
class Made:
    """The sound of a sentence, int16[n] at `rate_hz`."""

    pcm: Pcm
    rate_hz: int


class Maker(Protocol):
    """A program that makes sentences and the one thread that talks to it; the other methods block and belong there."""

    @property
    def thread(self) -> ThreadPoolExecutor: ...
    @property
    def closed(self) -> bool: ...

    def make(self, sentence: str) -> Outcome[Made]:
        """The sound of a sentence; asked once more of a new program if the first dies over it. Raises VoiceError."""
        ...

    def stop(self) -> None:
        """From the event loop: no more restarts, and whoever waits for the program is woken."""
        ...

    def close(self) -> Outcome[None]:
        """In the thread, after `stop`: reap the program."""
        ...


class SentenceVoice:
    """One speaking program, for any number of calls. Use as an async context, or `close` it."""

    def __init__(self, run: Runner, maker: Maker) -> None:
        self._run, self._maker = run, maker

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def warm(self) -> None:
        """Start the program and have a word spoken, so that a missing program or model is told before the first call.
        Raises VoiceError."""
        async for _ in self.speak("Hello."):
            pass

    async def speak(self, text: str) -> AsyncGenerator[SpokenChunk]:
        """The sound of `text`, a chunk for each sentence; the last one says so.

        Word marks are estimates and come with the chunk in which the word begins. Close the generator to stop: it waits
        for nothing; a sentence in progress is made to its end and dropped. Raises VoiceError.
        """
        check_length(text)
        text = sayable(text)
        parts = sentences(text)
        if not parts:
            yield SpokenChunk(silence(0), (), True)
            return
        given = 0
        for number, (first_char, sentence) in enumerate(parts, 1):
            last = number == len(parts)
            made = await self._made(sentence)
            first, end = ends(made)
            words = estimate(sentence, first_char, given, end - first)
            pcm = np.concatenate((made[max(0, first - ATTACK) : end], silence(TAIL if last else PAUSE)))
            given += len(pcm)
            yield SpokenChunk(pcm, tuple(words), last)

    async def close(self) -> None:
        """End the program; whoever still waits for sound gets VoiceError. May be called twice."""
        if self._maker.closed:
            return
        self._maker.stop()
        try:
            await self._run("tts", self._maker.thread, self._maker.close)
        finally:
            self._maker.thread.shutdown(wait=False)

    async def _made(self, sentence: str) -> Pcm:
        """The sound of a sentence at our rate."""
        if self._maker.closed:
            raise VoiceError("the voice was closed (open a new one)")
        return await self._run("tts", self._maker.thread, partial(_resampled, self._maker, sentence))


def sentences(text: str) -> list[tuple[int, str]]:
    """The sentences of `text` that can be spoken, and where each begins.

    A full stop inside a number or a name ends none, since no space follows it.

    >>> sentences("Hi, Dr. Lee. It is 12.50! Ok")
    [(0, 'Hi, Dr. Lee.'), (13, 'It is 12.50!'), (26, 'Ok')]
    """
    found = []
    for match in _SENTENCE.finditer(text):
        sentence = match.group().strip()
        if any(map(str.isalnum, sentence)):
            found.append((match.start() + match.group().index(sentence), sentence))
    return found


def ends(pcm: Pcm) -> tuple[int, int]:
    """The first audible sample and the one after the last; the whole where nothing is audible."""
    loud = np.flatnonzero(np.abs(pcm.astype(np.int32)) >= _AUDIBLE)
    return (int(loud[0]), int(loud[-1]) + 1) if len(loud) else (0, len(pcm))


def _resampled(maker: Maker, sentence: str) -> Outcome[Pcm]:
    """In the maker's thread."""
    made = maker.make(sentence)
    pcm = resample(made.value.pcm, made.value.rate_hz)
    if not len(pcm):
        raise VoiceError(f"the voice made no sound of {len(sentence)} characters (is its model for this language?)")
    return Outcome(pcm, made.cpu_s, len(pcm) / RATE_HZ)
