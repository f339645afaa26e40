"""The closed-loop caller: a door behind which a script (or any other driver) plays the far party.

It brings its driver's speech onto the line at the exact sample, tells the driver what the agent is heard doing, and
writes down what it really said. Time is the event loop's, live or virtual; the driver never sees a clock. With
`listen` the call has audio (20 ms blocks); with `listen_words` it has words only and nothing ticks between them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from ..events import UtteranceEnded, UtteranceHeard, UtterancePaused, UtteranceResumed, UtteranceStarted
from ..labels import LabelledTurn, LabelledWord, Labels
from ..ports import CallerAudio, Pcm
from ..record import Entry
from .clips import Clip
from .script import RATE_HZ, Action, CallerScript, HangUp, Line, ScriptError, Speak

__all__ = ["CallerDriver", "ScriptedCaller", "SpokenClip"]

FRAME = 320

_AUDIBLE_DBFS = -50.0
"""A frame of ours louder than this is heard by the caller; a voice at -20 dBFS ends its words well above it."""
_AUDIBLE_POWER = (32768 * 10 ** (_AUDIBLE_DBFS / 20)) ** 2

_NOISE_SECONDS = 4


class CallerDriver(Protocol):
    """What decides for the far party: `CallerScript`, or `GoalTalk`. Pure; see `CallerScript` for the meaning."""

    @property
    def over(self) -> bool: ...
    def on_agent_audio(self, first_sample: int, n_samples: int, audible: bool) -> None: ...
    def on_agent_edge(self, sample: int, audible: bool) -> None: ...
    def on_agent_utterance(self, utterance: int) -> None: ...
    def on_agent_text(self, text: str, utterance: int | None = None) -> None: ...
    def due(self, sample: int) -> list[Action]: ...
    def next_due(self, sample: int) -> int | None: ...


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """A clip as it begins, for calls without audio. `words`: (text, first sample, end sample) on the call's line."""

    first_sample: int
    n_samples: int
    words: tuple[tuple[str, int, int], ...]


class ScriptedCaller:
    """A door with a caller behind it; one call an object.

    `noise_dbfs`: level of a seeded noise floor, None for digital silence. `watch` must be given the log's entries as
    they are made (the session does it) for conditions on the agent's words; without it sound alone counts.
    """

    def __init__(
        self,
        driver: CallerDriver,
        *,
        noise_dbfs: float | None = None,
        seed: int = 0,
        counterparty: str = "+15550100",
        direction: Literal["inbound", "outbound"] = "inbound",
    ) -> None:
        if noise_dbfs is not None and not -120 <= noise_dbfs <= -20:
            raise ScriptError(f"noise floor is {noise_dbfs} dBFS; expected -120 to -20, or None for digital silence")
        self._driver = driver
        self._noise = _noise(noise_dbfs, seed)
        self._facts = {"counterparty": counterparty, "direction": direction}
        self._origin_s: float | None = None
        self._by_words = False
        self._closed = False
        self._hung_up_at: int | None = None
        self._sounding: set[int] = set()
        self._quiet: set[int] = set()
        self._news = asyncio.Event()
        self._said: list[Speak] = []
        self.digits: list[str] = []
        """DTMF keys that the agent sent."""
        self.transfers: list[str] = []
        """Targets the agent asked to be put through to; the caller goes along with each."""

    @classmethod
    def of_lines(cls, *lines: Line, hello: Line | None = None, **settings: Any) -> ScriptedCaller:
        """A caller with a script of these lines."""
        return cls(CallerScript(lines, hello=hello), **settings)

    # --- the door ------------------------------------------------------------------------------------------------

    @property
    def ahead(self) -> bool:
        return False

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def listen(self) -> AsyncIterator[CallerAudio]:
        """20 ms blocks, each at the moment it is complete; ends when the caller hangs up or the door is closed."""
        origin_s = self._begin()
        loop = asyncio.get_running_loop()
        first = 0
        playing: list[tuple[int, Pcm]] = []
        while True:
            if self._closed:
                return
            for action in self._driver.due(first):
                if isinstance(action, HangUp):
                    self._hung_up_at = action.sample
                    return
                self._said.append(action)
                playing += [(place, _audio(clip)) for place, clip in _clips(action)]
            block = self._floor(first)
            for place, pcm in playing:
                _lay(block, first, pcm, place)
            playing = [(place, pcm) for place, pcm in playing if place + len(pcm) > first + FRAME]
            wait_s = origin_s + (first + FRAME) / RATE_HZ - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            yield CallerAudio(block, first)
            first += FRAME

    async def listen_words(self) -> AsyncIterator[SpokenClip]:
        """Each clip at the moment it begins, words instead of audio; ends as `listen` does."""
        self._begin()
        self._by_words = True
        while True:
            now = self._now()
            if self._closed:
                return
            actions = self._driver.due(now)
            if not actions:
                await self._until(self._driver.next_due(now))
                continue
            for action in actions:
                if isinstance(action, HangUp):
                    self._hung_up_at = action.sample
                    return
                self._said.append(action)
                for place, clip in _clips(action):
                    while not self._closed and self._now() < place:
                        await self._until(place)
                    if not self._closed:
                        yield SpokenClip(place, clip.n_samples, _placed_words(clip, place))

    def play(self, pcm: Pcm, first_sample: int) -> None:
        """A frame of the agent; it is audible by its level, unless the log said that the agent is ducked."""
        if self._by_words:
            return
        floats = pcm.astype(np.float32)
        loud = len(pcm) > 0 and float(np.dot(floats, floats)) / len(pcm) > _AUDIBLE_POWER
        self._driver.on_agent_audio(first_sample, len(pcm), loud and not self._quiet)

    async def send_digits(self, digits: str) -> None:
        """The caller takes note of the keys."""
        self.digits.extend(digits)

    async def transfer(self, target: str) -> bool:
        """The caller is put through: from here on the far party is somebody else."""
        self.transfers.append(target)
        return True

    async def close(self) -> None:
        """The agent hung up."""
        if self._origin_s is not None and self._hung_up_at is None:
            self._hung_up_at = self._now()
        self._closed = True
        self._news.set()

    # --- what the caller hears by other ways than sound -----------------------------------------------------------

    def watch(self, entry: Entry) -> None:
        """Take an entry of the call's log: the agent's words as heard, and, without audio, when it was audible."""
        what = entry.what
        if isinstance(what, UtteranceHeard):
            self._driver.on_agent_text(what.text, what.utterance)
        elif isinstance(what, UtteranceStarted | UtteranceResumed):
            self._quiet.discard(what.utterance)
            self._driver.on_agent_utterance(what.utterance)
            self._edge(what.utterance, what.sample, True)
        elif isinstance(what, UtterancePaused | UtteranceEnded):
            if isinstance(what, UtterancePaused):
                self._quiet.add(what.utterance)
            else:
                self._quiet.discard(what.utterance)
            self._edge(what.utterance, what.sample, False)
        else:
            return
        self._news.set()

    def _edge(self, utterance: int, sample: int, audible: bool) -> None:
        if not self._by_words:
            return
        was = bool(self._sounding)
        (self._sounding.add if audible else self._sounding.discard)(utterance)
        if bool(self._sounding) != was:
            self._driver.on_agent_edge(sample, bool(self._sounding))

    # --- what was said -------------------------------------------------------------------------------------------

    def labels(self) -> Labels:
        """What has been said so far, as played; speech that the end of the call cut off is left out."""
        turns: list[LabelledTurn] = []
        for action in self._said:
            turn = _label(len(turns) + 1, action, self._hung_up_at)
            if turn is not None:
                turns.append(turn)
        return Labels(tuple(turns))

    @property
    def said(self) -> tuple[tuple[str, int], ...]:
        """(name of the line, first sample) of each line so far."""
        return tuple((action.line.name, action.first_sample) for action in self._said)

    # --- time and sound ------------------------------------------------------------------------------------------

    def _begin(self) -> float:
        if self._origin_s is not None:
            raise ScriptError("this caller has already been on a call; make a new one for each call")
        self._origin_s = asyncio.get_running_loop().time()
        return self._origin_s

    def _now(self) -> int:
        assert self._origin_s is not None
        return round((asyncio.get_running_loop().time() - self._origin_s) * RATE_HZ)

    async def _until(self, sample: int | None) -> None:
        """Wait for news, but not beyond `sample`."""
        self._news.clear()
        assert self._origin_s is not None
        try:
            async with asyncio.timeout_at(None if sample is None else self._origin_s + sample / RATE_HZ):
                await self._news.wait()
        except TimeoutError:
            return

    def _floor(self, first: int) -> Pcm:
        if self._noise is None:
            return np.zeros(FRAME, np.int16)
        start = first % (len(self._noise) - FRAME)
        return self._noise[start : start + FRAME].copy()


def _clips(action: Speak) -> list[tuple[int, Clip]]:
    """(first sample, clip) of each piece of a line."""
    found: list[tuple[int, Clip]] = []
    for place, segment in action.line.places(action.first_sample):
        if not isinstance(segment.speech, Clip):
            raise ScriptError(
                f"line {action.line.name!r} says {segment.speech!r}; a door needs a testing.clips.Clip (load one)"
            )
        found.append((place, segment.speech))
    return found


def _label(number: int, action: Speak, end: int | None) -> LabelledTurn | None:
    """The label of a line of which nothing is played from sample `end` on; None where nothing of it was heard."""
    segments: list[tuple[int, int]] = []
    words: list[LabelledWord] = []
    clips = _clips(action)
    for place, clip in clips:
        first, last = (place + edge for edge in clip.speech)
        if end is None or first < end:
            segments.append((first, last + 1 if end is None else min(last + 1, end)))
            words += [LabelledWord(*word) for word in _placed_words(clip, place) if end is None or word[2] <= end]
    if not segments or segments[-1][1] - segments[0][0] < 2:
        return None
    whole = len(segments) == len(clips) and segments[-1][1] > clips[-1][0] + clips[-1][1].speech[1]
    text = action.line.text if whole else " ".join(word.text for word in words)
    return LabelledTurn(
        number, action.line.kind, text, segments[0][0], segments[-1][1] - 1, tuple(segments), tuple(words)
    )


def _audio(clip: Clip) -> Pcm:
    if clip.pcm is None:
        raise ScriptError(f"clip {clip.text!r} has no audio; render it, or play the call by words (listen_words)")
    return clip.pcm


def _placed_words(clip: Clip, place: int) -> tuple[tuple[str, int, int], ...]:
    return tuple((word.text, place + word.start_sample, place + word.end_sample) for word in clip.words)


def _lay(block: Pcm, first: int, pcm: Pcm, place: int) -> None:
    """Add the part of `pcm` (which begins at `place`) that falls into `block` (which begins at `first`)."""
    start, end = max(first, place), min(first + len(block), place + len(pcm))
    if start < end:
        mixed = block[start - first : end - first].astype(np.int32) + pcm[start - place : end - place]
        block[start - first : end - first] = np.clip(mixed, -32768, 32767).astype(np.int16)


def _noise(level_dbfs: float | None, seed: int) -> Pcm | None:
    """A few seconds of white noise, repeated for ever; int16[n]."""
    if level_dbfs is None:
        return None
    random = np.random.Generator(np.random.PCG64(seed))
    spread = 32768 * 10 ** (level_dbfs / 20)
    return np.round(random.normal(0.0, spread, _NOISE_SECONDS * RATE_HZ + 17)).clip(-32768, 32767).astype(np.int16)
