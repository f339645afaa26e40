"""Whisper for many calls at once, spread over a few worker processes.

This is the async face of the recogniser: it opens a stream for each call and shares the processes among them. It
refuses to know when to decode and what of a hypothesis will last (`stream`, `audio.agreement`).
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from audio.engines.whisper.link import PATIENCE_S, WhisperError, Worker
from audio.engines.whisper.stream import WhisperSettings, WhisperStream
from audio.engines.whisper.turns import Turns
from audio.outcome import Runner

__all__ = ["MAX_STREAMS", "WhisperPool"]

MAX_STREAMS = 16
"""Streams per worker process, and so the most decodings that can wait for it: a final each, or a partial. A guess:
eight times what a core can follow with the tiny model while all talk at once; beyond that partials only come late."""


class WhisperPool:
    """Whisper processes with one model. Use as an async context, or `close` it.

    `workers` processes are started by `warm` or at the first need; each holds the model and uses one core. A process
    that is silent over one stretch of sound for `patience_s` is replaced.
    """

    def __init__(
        self,
        run: Runner,
        settings: WhisperSettings | None = None,
        workers: int = 1,
        *,
        patience_s: float = PATIENCE_S,
    ) -> None:
        if workers < 1:
            raise WhisperError(f"workers is {workers}; at least 1 process must listen")
        self.settings = settings or WhisperSettings()
        self._run = run
        model, language, compute = self.settings.model, self.settings.language, self.settings.compute
        self._workers = [(Worker(model, language, compute, patience_s), Turns()) for _ in range(workers)]
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
        return [worker.pid for worker, _ in self._workers if worker.pid is not None]

    async def warm(self) -> None:
        """Start all processes and wait until each can listen. Raises WhisperError with the reason where one cannot."""
        for worker, _ in self._workers:
            await self._run("whisper", worker.thread, worker.warm)

    async def open(self) -> WhisperStream:
        """A stream for one call, on the process with the fewest. Raises WhisperError when all are full."""
        if self._closed:
            raise WhisperError("the recogniser was closed (open a new pool)")
        worker, turns = min(self._workers, key=lambda each: each[0].streams)
        if worker.streams >= MAX_STREAMS:
            raise WhisperError(
                f"{MAX_STREAMS} streams are open on each of {len(self._workers)} workers (close some, or add workers)"
            )
        stream = WhisperStream(self._run, worker, turns, self.settings)
        worker.streams += 1
        await stream.open()
        return stream

    async def close(self) -> None:
        """End all processes; requests still waiting raise. May be called twice."""
        if self._closed:
            return
        self._closed = True
        for worker, _ in self._workers:
            worker.stop()
        for worker, _ in self._workers:
            try:
                await self._run("whisper", worker.thread, worker.close)
            finally:
                worker.thread.shutdown(wait=False)
