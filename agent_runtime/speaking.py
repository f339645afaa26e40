"""The organ that speaks: clauses in; voice, paced playout and extents out.

Clauses are synthesised in the order of their `Say`, well ahead of playing. Playout hands the door one 20 ms frame at
a time, each at its own moment on the sample line, so that silence after a barge-in needs nobody's help; while nothing
is to be said no frame is made. What was really heard comes from the ledger (`audio.playout`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import Literal

from audio.echo import FarEnd
from audio.playout import Ended, Paused, Playout, Resumed, Started, WordMark

from .bus import Bus
from .commands import Cancel, Resume, Say, Trim, Yield
from .events import (
    Event,
    PartFailed,
    UtteranceEnded,
    UtteranceHeard,
    UtterancePaused,
    UtteranceResumed,
    UtteranceStarted,
)
from .ports import Door, NextWord, PlayWords, Voice
from .record import Entry

__all__ = ["Speaking"]

RATE_HZ = 16_000
FRAME = 320
DUCK_DB = -26.0
AHEAD_SAMPLES = 20 * RATE_HZ
"""Synthesis waits when this much of an utterance is not yet played: bounds what a barge-in throws away."""
LATE_LIMIT_S = 0.06
"""Later than three frames, the line is moved instead of sending a burst that the far end would have to queue."""

_Fate = Literal["played", "cancelled", "failed"]


class Speaking:
    """One call's mouth: `voice_run` synthesises, `playout_run` paces; both live in the session's group.

    With `audible=False` the call has no audio: the ledger then moves from event to event instead of frame by frame,
    and a door that has `play_words` (see `ports.PlayWords`) is told the words in place of the frames. `far` is told
    what the door is handed.
    """

    def __init__(self, bus: Bus, door: Door, voice: Voice, *, audible: bool = True, far: FarEnd | None = None) -> None:
        self._bus, self._door, self._voice, self._audible = bus, door, voice, audible
        self._far = far
        self._playout = Playout()
        self._loop = asyncio.get_running_loop()
        self._line_origin_s: float | None = None
        self._clauses: deque[tuple[Say, int]] = deque()
        self._arrived = asyncio.Event()
        self._changed = asyncio.Event()
        self._cause: dict[int, int] = {}  # utterance -> seq of the latest order for it
        self._added: dict[int, int] = {}  # utterance -> samples synthesised
        self._dropped: dict[int, _Fate] = {}  # utterance -> why it will not be played out
        self._borders: dict[
            int, list[tuple[int, int]]
        ] = {}  # utterance -> (sample, character) where each clause begins
        self._trimmed: dict[int, bool] = {}  # utterance that ends with its present clause -> nothing was dropped
        self._known: set[int] = set()  # utterances whose last clause was ordered
        self._newest = 0
        self._voicing: tuple[int, asyncio.Task[None]] | None = None
        self._play_words: PlayWords | None = None if audible else getattr(door, "play_words", None)
        self._told: int | None = None  # the utterance whose words the door knows of
        self._span: tuple[float, int, int] | None = None  # without frames: (began at, samples planned, counted)

    def obey(self, order: Entry) -> None:
        """Take an order; never waits."""
        what = order.what
        if isinstance(what, Say):
            if what.utterance not in self._cause:
                if what.utterance <= self._newest:
                    return  # it ended while this clause was on its way
                self._newest = what.utterance
                self._playout.begin(str(what.utterance))
                self._added[what.utterance] = 0
                self._borders[what.utterance] = []
            if what.last:
                self._known.add(what.utterance)
            if what.utterance in self._trimmed:
                self._trimmed[what.utterance] &= not what.text
                return
            self._cause[what.utterance] = order.seq
            self._clauses.append((what, order.seq))
            self._arrived.set()
            return
        if not isinstance(what, (Yield, Resume, Cancel, Trim)) or what.utterance not in self._cause:
            return  # not ours, or of an utterance that has ended meanwhile
        self._move_line()
        if isinstance(what, Yield):
            if what.how == "duck":
                self._playout.duck(DUCK_DB)
            else:
                self._playout.pause(str(what.utterance))
        elif isinstance(what, Resume):
            self._playout.unduck()
            self._playout.resume(str(what.utterance))
        elif isinstance(what, Trim):
            self._trim(what.utterance)
        else:
            self._drop(what.utterance, "cancelled", at_word=what.how == "word")
        self._cause[what.utterance] = order.seq
        self._changed.set()

    def _drop(self, utterance: int, why: _Fate, *, at_word: bool = False) -> None:
        """Nothing more of an utterance is synthesised or played."""
        self._dropped.setdefault(utterance, why)
        self._clauses = deque((say, seq) for say, seq in self._clauses if say.utterance != utterance)
        if self._voicing is not None and self._voicing[0] == utterance:
            self._voicing[1].cancel()
        if at_word:
            self._playout.cancel_at_word(str(utterance))
        else:
            self._playout.cancel(str(utterance))

    def _trim(self, utterance: int) -> None:
        """The clause that has begun is said to its end; nothing behind it is synthesised or played."""
        name, voicing = str(utterance), self._voicing if self._voicing and self._voicing[0] == utterance else None
        place = self._added[utterance] - self._playout.queued_samples(name)
        if not place:
            self._drop(utterance, "cancelled")
            return
        waiting = [say for say, _ in self._clauses if say.utterance == utterance]
        self._clauses = deque((say, seq) for say, seq in self._clauses if say.utterance != utterance)
        behind = next((border for border in self._borders[utterance] if border[0] >= place), None)
        whole = behind is None and utterance in self._known and not any(say.text for say in waiting)
        self._trimmed.setdefault(utterance, whole)
        if behind is not None:
            if voicing is not None:
                voicing[1].cancel()
            self._playout.trim(name, *behind)
        elif voicing is None:
            self._playout.finish(name)

    def close(self) -> None:
        """Drop all that is not heard and count what was; the voice and playout tasks must have ended."""
        self._move_line()
        for utterance in list(self._cause):
            self._dropped.setdefault(utterance, "cancelled")
            self._playout.cancel(str(utterance))
        while self._playout.current is not None:
            self._playout.take(FRAME)
        self._tell_words(())
        for event, cause in self._extents():
            self._bus.post(event, cause)

    # --- synthesis -----------------------------------------------------------------------------------------------

    async def voice_run(self) -> None:
        """Synthesise clauses until cancelled."""
        while True:
            while not self._clauses:
                self._arrived.clear()
                await self._arrived.wait()
            say, seq = self._clauses.popleft()
            async with asyncio.TaskGroup() as group:
                task = group.create_task(self._voice_clause(say, seq), name=f"voice {say.utterance}")
                self._voicing = (say.utterance, task)
            self._voicing = None

    async def _voice_clause(self, say: Say, seq: int) -> None:
        if say.text:
            try:
                await self._synthesise(say.utterance, say.text)
            except Exception as error:
                self._voicing = None
                self._drop(say.utterance, "failed")
                await self._bus.publish(PartFailed("voice", True, f"{type(error).__name__}: {error}"), seq)
        if say.last or say.utterance in self._trimmed:
            self._playout.finish(str(say.utterance))
        self._changed.set()

    async def _synthesise(self, utterance: int, text: str) -> None:
        name, base_sample = str(utterance), self._added[utterance]
        space = " " if base_sample else ""
        base_char = self._playout.extend(name, space + text) + len(space)
        self._borders[utterance].append((base_sample, base_char - len(space)))
        async with aclosing(self._voice.speak(text)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                marks = [
                    WordMark(base_char + mark.start_char, base_char + mark.end_char, base_sample + mark.first_sample)
                    for mark in chunk.words
                ]
                self._playout.add(name, chunk.pcm, marks)
                self._added[utterance] += len(chunk.pcm)
                self._changed.set()
                ahead = self._playout.queued_samples(name) - AHEAD_SAMPLES
                if ahead > 0:
                    await asyncio.sleep(ahead / RATE_HZ)

    # --- playout -------------------------------------------------------------------------------------------------

    async def playout_run(self, line_origin_s: float) -> None:
        """Pace frames until cancelled."""
        loop = self._loop
        self._line_origin_s = line_origin_s
        next_s = loop.time()
        while True:
            await self._publish()
            if not self._sounding():
                self._tell_words(())
                self._changed.clear()
                await self._changed.wait()
                next_s = max(next_s, loop.time())
                continue
            if next_s > loop.time():
                await asyncio.sleep(next_s - loop.time())
            if loop.time() - next_s > LATE_LIMIT_S:
                next_s = loop.time()
            sample = round((next_s - line_origin_s) * RATE_HZ)
            self._playout.sample = sample
            if self._audible:
                pcm = self._playout.take(FRAME)
                next_s += FRAME / RATE_HZ
                if pcm.any():
                    self._door.play(pcm, sample)
                    if self._far is not None:
                        self._far.add(pcm, sample)
            else:
                next_s += await self._take_at_once() / RATE_HZ

    def _now_sample(self) -> int:
        """Where the sample line stands; never before what was played."""
        if self._line_origin_s is None:
            return 0
        return max(self._playout.sample, round((self._loop.time() - self._line_origin_s) * RATE_HZ))

    def _sounding(self) -> bool:
        """There is something to send: speech, or the fade after it."""
        if self._playout.audible:
            return True
        current = self._playout.current
        return self._playout.speaking and current is not None and self._playout.queued_samples(current) > 0

    async def _take_at_once(self) -> int:
        """Let the current utterance play until it ends or something changes; returns the samples that took."""
        current = self._playout.current
        if not self._playout.speaking or (current is not None and int(current) in self._dropped):
            self._playout.take(FRAME)  # a fade to silence is under way, and over within a frame
            return FRAME
        planned = self._playout.queued_samples(current) if current is not None else 0
        self._playout.take(1)  # the first sample leaves now: the utterance has started
        await self._publish()
        self._tell_words(self._playout.ahead())
        self._span = (asyncio.get_running_loop().time(), planned, 1)
        self._changed.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(planned / RATE_HZ):
                await self._changed.wait()
        self._catch_up()
        taken = self._span[2]
        self._span = None
        return taken

    def _tell_words(self, ahead: Sequence[NextWord]) -> None:
        """Tell a door that takes words which were heard, and which of the current utterance come next."""
        if self._play_words is None:
            return
        current = self._playout.current
        if self._told is not None and current != str(self._told):
            self._play_words(self._told, len(self._playout.heard(str(self._told)).text), ())
            self._told = None
        if current is not None and (heard := self._playout.heard(current)).n_samples:
            self._told = int(current)
            self._play_words(self._told, len(heard.text), ahead)

    def _move_line(self) -> None:
        """Bring the ledger to the present before something changes it."""
        self._catch_up()
        if not self._sounding():
            self._playout.sample = self._now_sample()  # no frame was made meanwhile, so the ledger did not move

    def _catch_up(self) -> None:
        """Without frames the ledger lags behind the clock: count what has sounded before an order changes it."""
        if self._span is None:
            return
        begin_s, planned, taken = self._span
        passed = min(planned, round((asyncio.get_running_loop().time() - begin_s) * RATE_HZ))
        if passed > taken:
            self._playout.take(passed - taken)
            self._span = (begin_s, planned, passed)

    async def _publish(self) -> None:
        """Say what the ledger counted since the last time."""
        for event, cause in self._extents():
            await self._bus.publish(event, cause)

    def _extents(self) -> Iterator[tuple[Event, int]]:
        """(event, cause) of what the ledger counted since the last time."""
        for extent in self._playout.drain():
            utterance = int(extent.utterance)
            cause = self._cause[utterance]
            if isinstance(extent, Started):
                yield UtteranceStarted(utterance, extent.sample), cause
            elif isinstance(extent, Paused):
                yield self._heard(utterance), cause
                yield UtterancePaused(utterance, extent.sample), cause
            elif isinstance(extent, Resumed):
                yield UtteranceResumed(utterance, extent.sample), cause
            elif isinstance(extent, Ended):
                reason: _Fate = self._dropped.pop(utterance, "played")
                del self._cause[utterance], self._added[utterance], self._borders[utterance]
                yield self._heard(utterance), cause
                self._trimmed.pop(utterance, None)
                self._known.discard(utterance)
                yield UtteranceEnded(utterance, extent.sample, reason), cause

    def _heard(self, utterance: int) -> UtteranceHeard:
        heard = self._playout.heard(str(utterance))
        complete = heard.complete and self._trimmed.get(utterance, True)
        return UtteranceHeard(utterance, heard.n_samples, complete, heard.text)
