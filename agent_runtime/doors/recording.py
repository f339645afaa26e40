"""The door of a recorded call: the caller's channel of a file is heard, what the agent says goes nowhere.

A fixed recording cannot answer, so a call through this door shows how the agent hears and decides, never how a
conversation would have gone. It refuses to know file formats (`audio.recordings` reads) and the agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np

from audio.frame import AudioError
from audio.recordings import CallRecording, open_call

from ..ports import CallerAudio, Pcm

__all__ = ["RecordingDoor", "RecordingDoorError"]

RATE_HZ = 16_000
FRAME = 320
BLOCK = RATE_HZ
"""At most 1 s a block: detection of a block is released at its beginning, so longer ones would know the future."""


class RecordingDoorError(ValueError):
    """A recording that cannot be played as asked; one line with the way out."""


class RecordingDoor:
    """A call whose far party is a recording; its end is the caller hanging up.

    `source`: a path (an audio file, or a folder with ``caller.wav`` and ``agent.wav``) or an open recording. `caller`:
    the caller's channel where there are two. `realtime`: 20 ms blocks, each when it is complete; else blocks of up to
    1 s, as fast as they are taken. Raises `RecordingDoorError`, and `audio.recordings.RecordingError` for the file.
    """

    def __init__(
        self,
        source: Path | str | CallRecording,
        *,
        realtime: bool = False,
        caller: Literal["left", "right"] = "left",
        counterparty: str = "recording",
    ) -> None:
        recording = source if isinstance(source, CallRecording) else open_call(source)
        if caller not in ("left", "right"):
            raise RecordingDoorError(f"caller channel is {caller!r}; expected left or right")
        track = recording.caller if caller == "left" else recording.agent
        if track is None:
            raise RecordingDoorError(f"{recording.path}: has one channel; the caller cannot be on the right one")
        self.duration_s = recording.duration_s
        """Seconds the recording lasts, as its file declares; None where it does not."""
        self.fault: AudioError | None = None
        """What is wrong with the file, where that showed only while it was read."""
        self._track = track
        self._realtime = realtime
        self._facts = {"counterparty": counterparty, "direction": "inbound"}
        self._closed = False

    @property
    def ahead(self) -> bool:
        return not self._realtime

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._facts

    async def listen(self) -> AsyncIterator[CallerAudio]:
        """The caller's channel at 16,000 Hz, gapless, from sample 0."""
        loop = asyncio.get_running_loop()
        origin_s = loop.time()
        size = FRAME if self._realtime else BLOCK
        blocks = self._track.blocks()
        first = 0
        # decoding is slow for the loop; one thread of our own, because the default executor belongs to guests
        with ThreadPoolExecutor(1, thread_name_prefix="recording") as pool:
            held: Pcm = np.zeros(0, np.int16)
            ended = False
            while not self._closed and not (ended and not len(held)):
                while len(held) < size and not ended:
                    try:
                        more = await loop.run_in_executor(pool, next, blocks, None)
                    except AudioError as error:
                        self.fault = error
                        raise
                    ended = more is None
                    held = held if more is None else np.concatenate((held, more))
                pcm, held = held[:size], held[size:]
                if not len(pcm):
                    break
                if self._realtime:
                    await asyncio.sleep(max(0.0, origin_s + (first + len(pcm)) / RATE_HZ - loop.time()))
                yield CallerAudio(pcm, first)
                first += len(pcm)

    def play(self, pcm: Pcm, first_sample: int) -> None:
        """The recorded caller does not hear us."""

    async def send_digits(self, digits: str) -> None:
        """Nobody is there to take them."""

    async def transfer(self, target: str) -> bool:
        """A recording cannot be put through."""
        return False

    async def close(self) -> None:
        """We hung up: no more is read."""
        self._closed = True
