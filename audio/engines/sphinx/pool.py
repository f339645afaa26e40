"""Streams of recognised words for many calls at once, spread over a few recogniser processes.

This is the async face of the recogniser: it takes blocks of sound of any size, hands the work to a process by way of
the `Runner` it was given, and gives back hypotheses with the place in the sound at which each was known. It refuses
to know when speech starts and ends, and what of a hypothesis will last.
"""

from __future__ import annotations

from functools import partial
from types import TracebackType
from typing import Self

from audio.engines.sphinx.hypothesis import Hypothesis
from audio.engines.sphinx.link import PATIENCE_S, Segment, SphinxError, StreamState, Worker
from audio.frame import RATE_HZ, Pcm, check_pcm
from audio.language.dictionary import find_pronunciations
from audio.language.files import LanguageFiles
from audio.language.ngram import LanguageError
from audio.outcome import Runner

__all__ = ["SphinxPool", "SphinxStream", "available", "missing"]

MAX_WAITING_S = 60
"""Sound that one stream may have fed without waiting for the answers."""

MAX_SEGMENT_S = 600
"""Length of a segment: nobody speaks for ten minutes without a pause, so a longer one is an error of the detector."""

MAX_STREAMS = 64
"""Streams per worker process: three times what a core can decode at 0.04 s a second of sound."""


def available() -> str | None:
    """The recogniser's version where it can run, else None; `missing` tells why. Imports nothing."""
    from importlib.metadata import version  # it draws in the mail parser: 30 ms that no call should wait for

    return None if missing() else f"pocketsphinx {version('pocketsphinx')}"


def missing() -> str | None:
    """Why the recogniser cannot run here, or None."""
    try:
        find_pronunciations()
    except LanguageError as error:
        return str(error)
    return None


class SphinxPool:
    """Recogniser processes for one language. Use as an async context, or `close` it.

    `workers` processes are started by `warm` or at the first need. ``passes=2`` adds a second pass at the end: 55 ms of
    CPU more, and no fewer errors over 299 espeak-ng words (5.6 % against 5.2 %). A process that is silent for
    `patience_s` beyond the length of its sound is replaced.
    """

    def __init__(
        self,
        run: Runner,
        language: LanguageFiles,
        workers: int = 1,
        *,
        passes: int = 1,
        patience_s: float = PATIENCE_S,
    ) -> None:
        if workers < 1:
            raise SphinxError(f"workers is {workers}; at least 1 process must listen")
        if passes not in (1, 2):
            raise SphinxError(f"passes is {passes}; the decoder makes 1 or 2")
        self._run = run
        self._workers = [Worker(language, passes, patience_s) for _ in range(workers)]
        self._opened = 0
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pids(self) -> list[int]:
        """The processes that run now."""
        return [worker.pid for worker in self._workers if worker.pid is not None]

    async def warm(self) -> None:
        """Start all processes and wait until each can listen. Raises SphinxError where one cannot."""
        for worker in self._workers:
            await self._run("asr", worker.thread, worker.warm)

    async def open(self) -> SphinxStream:
        """A stream for one call, on the process with the fewest. Raises SphinxError when all are full."""
        if self._closed:
            raise SphinxError("the recogniser was closed (open a new pool)")
        worker = min(self._workers, key=lambda each: each.streams)
        if worker.streams >= MAX_STREAMS:
            raise SphinxError(
                f"{MAX_STREAMS} streams are open on each of {len(self._workers)} workers (close some, or add workers)"
            )
        self._opened += 1
        stream = SphinxStream(self._run, worker, StreamState(self._opened))
        worker.streams += 1
        try:
            await self._run("asr", worker.thread, partial(worker.open, stream._state))
        except BaseException:
            worker.streams -= 1
            raise
        return stream

    async def close(self) -> None:
        """End all processes; requests still waiting raise. May be called twice."""
        if self._closed:
            return
        self._closed = True
        for worker in self._workers:
            worker.stop()
        for worker in self._workers:
            try:
                await self._run("asr", worker.thread, worker.close)
            finally:
                worker.thread.shutdown(wait=False)


class SphinxStream:
    """The sound of one call, segment by segment: `feed` while somebody speaks, `finish` when the segment is over.

    Positions count from the first sample fed after `open` or the last `finish`. What the stream learns about the
    channel stays from segment to segment. A cancelled `feed` loses no sound, only the hypotheses it would have given.
    """

    def __init__(self, run: Runner, worker: Worker, state: StreamState) -> None:
        self._run = run
        self._worker = worker
        self._state = state
        self._segment = Segment()
        self._closed = False

    async def feed(self, pcm: Pcm, *, due_s: float | None = None) -> list[Hypothesis]:
        """Take int16[n] at 16 kHz of any length; every hypothesis that it changed, in order, each with its place.

        Hypotheses depend on the sound alone, not on how it was cut into blocks. `due_s` is the loop time at which the
        last sample will have been heard, for replays that run ahead. Raises SphinxError when the sound cannot be held
        or the recogniser failed twice over it.
        """
        self._check_open()
        check_pcm(pcm, "sound to recognise")
        segment = self._segment
        total = segment.total + len(pcm)
        if total - segment.decoded > MAX_WAITING_S * RATE_HZ:
            raise SphinxError(
                f"{total - segment.decoded} samples wait to be decoded; the limit is {MAX_WAITING_S * RATE_HZ} "
                "(await each feed, in blocks of a few seconds)"
            )
        if total > MAX_SEGMENT_S * RATE_HZ:
            raise SphinxError(f"the segment is longer than {MAX_SEGMENT_S} s (finish it in a pause)")
        segment.pcm += pcm.tobytes()
        segment.total = total
        job = partial(self._worker.feed, self._state, segment, total)
        return await self._run("asr", self._worker.thread, job, due_s=due_s)

    async def finish(self) -> Hypothesis:
        """End the segment: its final words. The next `feed` begins another one. Raises SphinxError."""
        self._check_open()
        segment, self._segment = self._segment, Segment()
        return await self._run("asr", self._worker.thread, partial(self._worker.finish, self._state, segment))

    async def close(self) -> None:
        """Give the decoder back. May be called twice, and after the pool was closed."""
        if self._closed:
            return
        self._closed = True
        self._worker.streams -= 1
        if not self._worker.closed:
            await self._run("asr", self._worker.thread, partial(self._worker.forget, self._state))

    def _check_open(self) -> None:
        if self._closed or self._worker.closed:
            raise SphinxError("the stream was closed (open another one)")
