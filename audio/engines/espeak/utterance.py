"""One text on its way to sound: what the espeak-ng program said of it so far, as 16 kHz sound and word marks.

A text always gives the same sound, so after a crash it is spoken again from the start and what was given out already
is left away: nobody hears a seam. This file refuses to know processes, threads and the event loop.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from audio.engines.espeak.marks import WordFinder
from audio.engines.spoken import SpokenChunk, VoiceError, sayable
from audio.engines.wire import Header
from audio.frame import RATE_HZ, silence
from audio.heard import WordMark
from audio.resample import Resampler

__all__ = ["SpokenChunk", "Utterance", "VoiceError", "VoiceSettings"]

_AUDIBLE = 64
"""Peak below which the start of an utterance is silence: 54 dB below full scale."""

_ATTACK_S = 0.005
"""Silence left in front of the first audible sample, so that no onset is cut."""


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How espeak-ng speaks. Raises VoiceError for values outside its limits (speak_lib.h)."""

    voice: str = "en-us"
    rate_wpm: int = 175
    """Words per minute, 80 to 450; 175 is the library's own choice."""
    pitch: int = 50
    """Base pitch, 0 to 100."""

    def __post_init__(self) -> None:
        if not 80 <= self.rate_wpm <= 450:
            raise VoiceError(f"rate_wpm is {self.rate_wpm}; espeak-ng speaks 80 to 450 words a minute")
        if not 0 <= self.pitch <= 100:
            raise VoiceError(f"pitch is {self.pitch}; espeak-ng takes 0 to 100")


class Utterance:
    """One text on its way to sound, as far as the program has spoken it."""

    def __init__(self, text: str, settings: VoiceSettings) -> None:
        self.text = sayable(text)
        self.settings = settings
        self.asked = False
        self.ended = False
        self.failure: str | None = None
        self.cpu_s = 0.0
        self._deaths = 0
        self._spent_s = 0.0
        self._finder = WordFinder(self.text)
        self._resampler: Resampler | None = None
        self._rate_hz = RATE_HZ
        self._pcm = bytearray()
        self._received = 0
        self._skip = 0
        self._events = 0
        self._skip_events = 0
        self._lead: int | None = None
        self._leading = 0
        self._marks: list[WordMark] = []

    @property
    def waiting_s(self) -> float:
        """Seconds of sound that can be taken; silence at the start does not count."""
        return 0.0 if self._lead is None else len(self._pcm) / 2 / self._rate_hz

    def begin(self, rate_hz: int) -> None:
        """The program is asked to speak the text, from the start, perhaps once more."""
        if self._resampler is None or self._rate_hz != rate_hz:
            self._resampler, self._rate_hz = Resampler(rate_hz, aligned=True), rate_hz
        self.asked = True
        self._spent_s = self.cpu_s
        self._skip, self._skip_events = self._received, self._events

    def add(self, header: Header, pcm: bytes) -> None:
        """Take what the program said about this utterance: sound, its end, or why there is none."""
        if "error" in header:
            self.failure = header["error"]
            return
        self.cpu_s = self._spent_s + float(header["cpu_s"])
        if "end" in header:
            self.ended = True
            self._marks += self._finder.end(self._received)
            if self._lead is None:
                self._pcm.clear()
            return
        for first_char, sample in header["words"]:
            if self._skip_events:
                self._skip_events -= 1
                continue
            self._events += 1
            self._marks += self._finder.at(first_char, sample)
        skipped = min(self._skip, len(pcm) // 2)
        self._skip -= skipped
        self._received += len(pcm) // 2 - skipped
        self._pcm += pcm[2 * skipped :]
        if self._lead is None:
            self._drop_silence()

    def lose(self, why: str) -> None:
        """The process died that spoke it: to be asked again, once."""
        self.asked = False
        self._deaths += 1
        if self._deaths > 1:
            self.failure = f"lost twice over the same text of {len(self.text)} characters ({why})"

    def take(self) -> SpokenChunk:
        """Everything that waits, resampled."""
        if self._resampler is None:
            return SpokenChunk(silence(0), (), self.ended)
        pcm = self._resampler.push(np.frombuffer(bytes(self._pcm), np.int16))
        self._pcm.clear()
        if self.ended and self._lead is not None:
            pcm = np.concatenate((pcm, self._resampler.flush()))
        lead = self._lead or 0
        words = tuple(
            WordMark(mark.start_char, mark.end_char, max(0, mark.first_sample - lead) * RATE_HZ // self._rate_hz)
            for mark in self._marks
        )
        self._marks.clear()
        return SpokenChunk(pcm, words, self.ended)

    def _drop_silence(self) -> None:
        """Leave away the 12-39 ms of near silence that espeak-ng puts in front: the first sound counts."""
        loud = np.flatnonzero(np.abs(np.frombuffer(bytes(self._pcm), np.int16).astype(np.int32)) >= _AUDIBLE)
        attack = int(_ATTACK_S * self._rate_hz)
        quiet = max(0, (int(loud[0]) if len(loud) else len(self._pcm) // 2) - attack)
        del self._pcm[: 2 * quiet]
        self._leading += quiet
        if len(loud):
            self._lead = self._leading
