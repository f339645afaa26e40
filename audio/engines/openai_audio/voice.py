"""Text to speech at a server: sound as it comes in over HTTP, with word marks that are estimated.

The server's raw PCM (24,000 Hz, int16, little-endian) is resampled and given out as it arrives. It tells no word times,
so marks go by the voice's pace (`audio.engines.estimate`). This file refuses to know when the sound will be played.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np

from audio.engines.estimate import Pace, RunningMarks
from audio.engines.openai_audio.faults import SpeechServerError
from audio.engines.openai_server.faults import Server
from audio.engines.openai_server.line import Line, Reply
from audio.engines.spoken import SpokenChunk, VoiceError, check_length, sayable
from audio.frame import RATE_HZ, Pcm, silence
from audio.outcome import Outcome, Runner
from audio.resample import Resampler

__all__ = ["SERVER_HZ", "OpenAIVoice", "OpenAIVoiceSettings"]

SERVER_HZ = 24_000
"""Rate of ``response_format="pcm"`` (OpenAI's text-to-speech guide); other servers keep to it."""

MOST_SPEECH_S = 300
"""Sound that one text may bring: over twice what its longest takes at a slow pace; bounds what a mad server costs."""

CHUNK_S = 0.16
"""Sound per job after the first chunk, as espeak-ng's: few changes of thread, and little made in vain at a barge-in."""
FIRST_CHUNK_S = 0.04
"""The same for the first chunk: the first sound counts."""

_AUDIBLE = 64
"""Peak below which the start is silence: 54 dB below full scale."""
_ATTACK = int(0.005 * SERVER_HZ)
"""Silence left in front of the first audible sample, so that no onset is cut."""

_CONTAINERS = ((b"RIFF", "WAV"), (b"ID3", "MP3"), (b"\xff\xf3", "MP3"), (b"\xff\xfb", "MP3"), (b"OggS", "Ogg"))
"""How sound begins that a server packed although raw PCM was asked for; played as PCM it would be noise."""


@dataclass(frozen=True, slots=True)
class OpenAIVoiceSettings:
    """How the server shall speak. Raises VoiceError."""

    voice: str
    """As the server calls it: ``alloy``, ``marin``."""
    speed: float = 1.0
    """Of 1.0, the voice's own; 0.25 to 4 (the protocol's limits)."""

    def __post_init__(self) -> None:
        if not self.voice.strip():
            raise VoiceError("voice is empty; name a voice as the server does, like 'alloy'")
        if not 0.25 <= self.speed <= 4:
            raise VoiceError(f"speed is {self.speed}; the protocol takes 0.25 to 4")


class OpenAIVoice:
    """One voice at one server, for any number of calls. Use as an async context, or `close` it."""

    def __init__(self, run: Runner, server: Server, settings: OpenAIVoiceSettings) -> None:
        self._run, self._server, self._settings = run, server, settings
        self._line = Line(server, SpeechServerError)
        self._pace = Pace()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def warm(self) -> None:
        """Have one word spoken, so that a wrong key, model or voice is told before the first call. Raises
        SpeechServerError."""
        async for _ in self.speak("Hello."):
            pass

    async def speak(self, text: str) -> AsyncGenerator[SpokenChunk]:
        """The sound of `text` as it comes in, 40 ms first, then 160 ms or more at a time; the last one says so.

        A request that fails before its first sound is sent once more where that may help; later there is no second
        try, because a server speaks the same text differently each time. Closing the generator hangs up and waits for
        nothing. Raises VoiceError or SpeechServerError.
        """
        check_length(text)
        text = sayable(text)
        if not any(map(str.isalnum, text)):
            yield SpokenChunk(silence(0), (), True)
            return
        given = False
        for attempt in (1, 2):
            self._check_open()
            utterance = _Incoming(self._line.ask(partial(_asked, self._server, self._settings, text)), text, self._pace)
            try:
                last = False
                while not last:
                    self._check_open()
                    take = partial(utterance.take, CHUNK_S if given else FIRST_CHUNK_S)
                    chunk = await self._run("tts", self._line.pool, take)
                    self._check_open()  # closing ends what comes in: it was not the end of the text
                    given, last = True, chunk.last
                    yield chunk
                return
            except SpeechServerError as error:
                if given or attempt == 2 or not error.at_once:
                    raise
            finally:
                utterance.reply.abort()

    async def close(self) -> None:
        """Hang up; whoever still waits for sound gets VoiceError. May be called twice."""
        self._line.close()

    def _check_open(self) -> None:
        if self._line.closed:
            raise VoiceError("the voice was closed (open a new one)")


async def _asked(server: Server, settings: OpenAIVoiceSettings, text: str, client: Any) -> AsyncGenerator[bytes]:
    """Ask for the sound of `text`; its bytes as they come."""
    more: dict[str, Any] = {} if settings.speed == 1 else {"speed": settings.speed}  # not every server knows it
    request = client.audio.speech.with_streaming_response.create(
        model=server.model, voice=settings.voice, input=text, response_format="pcm", **more
    )
    n_bytes = 0
    async with request as response:
        async for part in response.iter_bytes():
            if not n_bytes:
                _check_raw(server, part)
            n_bytes += len(part)
            if n_bytes > 2 * SERVER_HZ * MOST_SPEECH_S:
                line = f"server {server.url} sent more than {MOST_SPEECH_S} s of sound for {len(text)} characters"
                raise SpeechServerError(f"{line}; use another model", recovered=False)
            yield part
    if not n_bytes:
        raise SpeechServerError(f"server {server.url} sent no sound; look at its log", recovered=True, at_once=True)


def _check_raw(server: Server, start: bytes) -> None:
    for magic, name in _CONTAINERS:
        if start.startswith(magic):
            raise SpeechServerError(
                f"server {server.url} sent {name} where raw PCM was asked for (response_format 'pcm'); "
                "use a server that has it",
                recovered=False,
            )


class _Incoming:
    """One text on its way in: bytes of the server to sound of ours."""

    def __init__(self, reply: Reply[bytes], text: str, pace: Pace) -> None:
        self.reply = reply
        self._marks = RunningMarks(text, pace)
        self._resampler = Resampler(SERVER_HZ, aligned=True)
        self._bytes = bytearray()
        self._audible = False
        self._given = 0

    def take(self, at_least_s: float) -> Outcome[SpokenChunk]:
        """In a job: wait for `at_least_s` of sound, or the end. Raises SpeechServerError."""
        waited_s, last = 0.0, False
        while not last and (not self._audible or len(self._bytes) < 2 * SERVER_HZ * at_least_s):
            part, took_s = self.reply.take()
            waited_s += took_s
            last = part is None
            self._bytes += part or b""
            if not self._audible:
                self._drop_silence()
        chunk = self._chunk(last)
        return Outcome(chunk, waited_s, len(chunk.pcm) / RATE_HZ)

    def _chunk(self, last: bool) -> SpokenChunk:
        whole = len(self._bytes) // 2 * 2  # half a sample waits for its other half
        pcm: Pcm = np.frombuffer(bytes(self._bytes[:whole]), "<i2").astype(np.int16)
        del self._bytes[:whole]
        sound = self._resampler.push(pcm)
        if last:
            sound = np.concatenate((sound, self._resampler.flush()))
        self._given += len(sound)
        words = self._marks.end(self._given) if last else self._marks.upto(self._given)
        return SpokenChunk(sound, tuple(words), last)

    def _drop_silence(self) -> None:
        """Leave away the silence in front: the first sound counts."""
        whole = len(self._bytes) // 2
        loud = np.flatnonzero(np.abs(np.frombuffer(self._bytes, "<i2", whole).astype(np.int32)) >= _AUDIBLE)
        quiet = max(0, (int(loud[0]) if len(loud) else whole) - _ATTACK)
        del self._bytes[: 2 * quiet]
        self._audible = len(loud) > 0
