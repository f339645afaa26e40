"""Recognition at a server: each segment of speech is sent when it is over, and its text comes back.

The protocol takes whole files. Its streamed answers begin when the file has arrived, so there are no partials while the
caller speaks: a call that listens this way thinks only after each stretch of speech, and judges interruptions without
words. Word times come from servers that give them (``verbose_json``, Whisper); for others the words are spread over the
segment by their letters. This file refuses to know when a segment is over.
"""

from __future__ import annotations

import io
import wave
from collections.abc import AsyncGenerator, Sequence
from functools import partial
from types import TracebackType
from typing import Any, Self

import numpy as np

from audio.engines.estimate import estimate
from audio.engines.openai_audio.faults import SpeechServerError
from audio.engines.openai_server.faults import Server
from audio.engines.openai_server.line import Line
from audio.engines.whisper.words import Hypothesis, Row, words_of
from audio.frame import RATE_HZ, AudioError, Pcm, check_pcm, ms_to_samples, silence
from audio.outcome import Outcome, Runner

__all__ = ["MAX_SEGMENT_S", "OpenAIRecogniser", "OpenAIStream", "RecogniserClosed"]

MAX_SEGMENT_S = 600
"""Length of a segment: nobody speaks for ten minutes without a pause, so a longer one is an error of the detector. As
a file it is 19 MB, and the protocol takes 25."""

SHORTEST = ms_to_samples(200)
"""Shorter sound is filled up with silence: OpenAI refuses files under 0.1 s, and a cough is no error."""


class RecogniserClosed(AudioError):
    """The recogniser or the stream was closed, or was given too much."""


class OpenAIRecogniser:
    """One model at one server, for any number of calls. Use as an async context, or `close` it.

    `language`: two letters (ISO 639-1), empty where the server shall find out.
    """

    def __init__(self, run: Runner, server: Server, language: str = "en") -> None:
        self._run, self._server, self._language = run, server, language
        self._line = Line(server, SpeechServerError)
        self._timed: bool | None = None
        """Whether the server gives word times; None until it was asked."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def warm(self) -> None:
        """Have half a second of silence recognised, so that a wrong key or model is told before the first call, and
        whether the server gives word times is known. Raises SpeechServerError."""
        await self.recognise(silence(RATE_HZ // 2))

    async def open(self) -> OpenAIStream:
        """A stream for one call."""
        self.check_open()
        return OpenAIStream(self)

    async def close(self) -> None:
        """Hang up; whoever still waits for words gets RecogniserClosed. May be called twice."""
        self._line.close()

    def check_open(self) -> None:
        """Raises RecogniserClosed after `close`."""
        if self._line.closed:
            raise RecogniserClosed("the recogniser was closed (open a new one)")

    async def recognise(self, pcm: Pcm) -> list[Row]:
        """The words of `pcm` int16[n], with places in seconds. Asked once more where that may help. Raises
        SpeechServerError."""
        file = _wav(pcm)
        retried = False
        while True:
            timed = self._timed is not False
            try:
                rows = await self._ask(file, len(pcm), timed)
            except SpeechServerError as error:
                if timed and self._timed is not True and error.status in (400, 422):
                    self._timed = False  # most likely it has no verbose_json; if not, it says so again
                elif error.at_once and not retried:
                    retried = True
                else:
                    raise
            else:
                self._timed = timed
                return rows

    async def _ask(self, file: bytes, n_samples: int, timed: bool) -> list[Row]:
        self.check_open()
        reply = self._line.ask(partial(_asked, self._server, self._language, file, timed))

        def job() -> Outcome[list[Row]]:
            rows, waited_s = reply.take()
            return Outcome(_placed(rows or [], n_samples), waited_s, n_samples / RATE_HZ)

        try:
            rows = await self._run("asr", self._line.pool, job)
        finally:
            reply.abort()
        self.check_open()  # closing ends what comes in: it was not the end of the text
        return rows


class OpenAIStream:
    """The sound of one call, segment by segment. Made by `OpenAIRecogniser.open`."""

    def __init__(self, recogniser: OpenAIRecogniser) -> None:
        self._recogniser = recogniser
        self._pcm = bytearray()
        self._closed = False

    async def feed(self, pcm: Pcm, *, due_s: float | None = None) -> Sequence[Hypothesis]:
        """Keep the sound of the segment; never knows a word before its end. Raises RecogniserClosed."""
        self._check_open()
        check_pcm(pcm, "sound to recognise")
        if len(self._pcm) // 2 + len(pcm) > MAX_SEGMENT_S * RATE_HZ:
            raise RecogniserClosed(f"the segment is longer than {MAX_SEGMENT_S} s (finish it in a pause)")
        self._pcm += pcm.tobytes()
        return []

    async def finish(self) -> Hypothesis:
        """Send the segment and wait for its words; the next `feed` begins another one. Raises SpeechServerError."""
        self._check_open()
        pcm, self._pcm = bytes(self._pcm), bytearray()
        n_samples = len(pcm) // 2
        if not n_samples:
            return Hypothesis((), 0, final=True)
        rows = await self._recogniser.recognise(np.frombuffer(pcm, np.int16))
        return Hypothesis(words_of(rows, 0, n_samples), n_samples, final=True)

    async def close(self) -> None:
        """Forget the sound. May be called twice."""
        self._closed = True
        self._pcm.clear()

    def _check_open(self) -> None:
        if self._closed:
            raise RecogniserClosed("the stream was closed (open another one)")
        self._recogniser.check_open()


def _wav(pcm: Pcm) -> bytes:
    """The sound as a WAV file, filled up to `SHORTEST`."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((1, 2, RATE_HZ, 0, "NONE", ""))
        writer.writeframes(pcm.astype("<i2").tobytes() + bytes(2 * max(0, SHORTEST - len(pcm))))
    return file.getvalue()


async def _asked(
    server: Server, language: str, file: bytes, timed: bool, client: Any
) -> AsyncGenerator[list[Row] | str]:
    """Ask for the words of a WAV file: rows with times, or only the text."""
    more: dict[str, Any] = {"language": language} if language else {}
    if timed:
        more |= {"response_format": "verbose_json", "timestamp_granularities": ["word"]}
    else:
        more["response_format"] = "json"
    answer = await client.audio.transcriptions.create(
        model=server.model, file=("speech.wav", file, "audio/wav"), **more
    )
    words = getattr(answer, "words", None) if timed else None
    if words is None:
        yield str(answer.text)
    else:
        yield [[word.word, word.start, word.end, 1.0] for word in words]


def _placed(said: Sequence[Row] | str, n_samples: int) -> list[Row]:
    """Rows of a server that has times; else its words spread over the segment."""
    if not isinstance(said, str):
        return list(said)
    marks = estimate(said, 0, 0, n_samples)
    ends = [*(mark.first_sample for mark in marks[1:]), n_samples]
    return [
        [said[mark.start_char : mark.end_char], mark.first_sample / RATE_HZ, end / RATE_HZ, 1.0]
        for mark, end in zip(marks, ends, strict=True)
    ]
