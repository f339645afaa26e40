"""Text to speech by espeak-ng, as an async stream of sound with the places of its words.

The library is GPL-3.0-or-later, so it runs in a separate program (`program.py`), spoken to through a pipe. This is the
async face: every wait goes through the `Runner`. It refuses to know when the sound will be played; synthesis is
hundreds of times faster than speech, so whoever plays it decides how far to read ahead.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from audio.engines.espeak.speaker import PATIENCE_S, PROGRAM, Speaker
from audio.engines.espeak.utterance import SpokenChunk, Utterance, VoiceError, VoiceSettings
from audio.engines.spoken import check_length
from audio.engines.wire import LENGTH
from audio.outcome import Runner

__all__ = ["EspeakVoice", "available", "missing"]

CHUNK_S = 0.16
"""Sound per job after the first chunk: few changes of thread, and little made in vain at a barge-in."""

FIRST_CHUNK_S = 0.02
"""The same for the first chunk: less than the library gives at once (49-60 ms, less the silence cut from its start)."""

_PROBE_LIMIT_S = 20


class EspeakVoice:
    """One espeak-ng program, for any number of calls. Use as an async context, or `close` it.

    `library` and `data` name a certain libespeak-ng and the folder of its voices; else the system's is taken, else
    the one in the espeakng-loader wheel.
    """

    def __init__(
        self,
        run: Runner,
        settings: VoiceSettings | None = None,
        *,
        library: Path | None = None,
        data: Path | None = None,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._run = run
        self._settings = settings or VoiceSettings()
        self._speaker = Speaker(self._settings.voice, library, data, patience_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def pid(self) -> int | None:
        """The program's process, if it runs."""
        return self._speaker.pid

    async def warm(self) -> str:
        """Start the program and wait until it can speak; its version. Raises VoiceError with the reason if not."""
        await self._run("tts", self._speaker.thread, self._speaker.warm)
        return self._speaker.version

    async def speak(self, text: str, settings: VoiceSettings | None = None) -> AsyncGenerator[SpokenChunk]:
        """The sound of `text`: a chunk of about 40 ms, then chunks of 160-220 ms; the last one says so.

        Word marks carry places in `text` and the sample at which each written word begins; a mark comes with the chunk
        in which its word begins, or the one before. The same text and settings give the same chunks always. Close the
        generator (`contextlib.aclosing`) to stop: it waits for nothing. Raises VoiceError.
        """
        check_length(text)
        utterance = Utterance(text, settings or self._settings)
        speaker, at_least_s = self._speaker, FIRST_CHUNK_S
        try:
            while True:
                if speaker.closed:
                    raise VoiceError("the voice was closed (open a new one)")
                chunk = await self._run("tts", speaker.thread, partial(speaker.take, utterance, at_least_s))
                yield chunk
                if chunk.last:
                    return
                at_least_s = CHUNK_S
        finally:
            # Not awaited: who barges in must not wait for a pipe. A closed voice has no thread, and nothing to stop.
            with contextlib.suppress(RuntimeError):
                speaker.thread.submit(speaker.stop, utterance)

    async def close(self) -> None:
        """End the program; whoever still waits for sound gets VoiceError. May be called twice."""
        if self._speaker.closed:
            return
        self._speaker.end()
        try:
            await self._run("tts", self._speaker.thread, self._speaker.close)
        finally:
            self._speaker.thread.shutdown(wait=False)


def available() -> str | None:
    """The version and place of the espeak-ng that would speak, else None; `missing` tells why. Starts the program."""
    answer = _probe()
    return None if "error" in answer else f"espeak-ng {answer['ready']} ({answer['library']})"


def missing() -> str | None:
    """Why there is no voice here, or None. Starts the program."""
    return _probe().get("error")


def _probe() -> dict[str, str]:
    """What the program says of itself: ``ready`` and ``library``, or ``error``."""
    try:
        said = subprocess.run(
            [sys.executable, "-P", str(PROGRAM), "--probe"], capture_output=True, timeout=_PROBE_LIMIT_S, check=False
        )
        answer = json.loads(said.stdout[LENGTH.size :])
    except (OSError, subprocess.TimeoutExpired, ValueError) as error:
        return {"error": f"the espeak-ng program does not run: {error}"}
    return {key: str(value) for key, value in answer.items()}
