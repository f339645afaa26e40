"""Text to speech by Kokoro, sentence by sentence, from a process of its own.

What spells the words is GPL-3.0-or-later and the model would hold up the loop, so it lives in a separate program
(`worker.py`), spoken to through pipes. A killed or hung one costs the time of asking again. This file refuses to import
kokoro-onnx.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audio.engines.child import Child, ChildGone
from audio.engines.kokoro.models import missing_file, missing_package
from audio.engines.sentences import Made, SentenceVoice
from audio.engines.spoken import VoiceError
from audio.outcome import Outcome, Runner

__all__ = ["PATIENCE_S", "WORKER", "KokoroSettings", "KokoroVoice"]

WORKER = Path(__file__).with_name("worker.py")

PATIENCE_S = 30.0
"""How long the program may be silent over a sentence. A guess: the real model was not at
hand to be measured."""

START_PATIENCE_S = 60.0
"""The same for its start, before which it loads a model of 80 to 300 MB (kokoro-onnx's README)."""


@dataclass(frozen=True, slots=True)
class KokoroSettings:
    """Which voice speaks, and how. Raises VoiceError."""

    model: Path
    """The ``.onnx`` file."""
    voices: Path
    """The file of style vectors, one for each voice."""
    voice: str
    """One of them: ``af_heart``."""
    language: str = "en-us"
    """As espeak-ng names it; it spells the words."""
    speed: float = 1.0
    """0.5 to 2 times the voice's own pace (kokoro-onnx's limits)."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.speed <= 2:
            raise VoiceError(f"speed is {self.speed}; kokoro speaks 0.5 to 2 times as fast")


class KokoroVoice(SentenceVoice):
    """One Kokoro program with one voice, for any number of calls. Use as an async context, or `close` it."""

    def __init__(self, run: Runner, settings: KokoroSettings, *, patience_s: float = PATIENCE_S) -> None:
        self._kokoro = _Kokoro(settings, patience_s)
        super().__init__(run, self._kokoro)

    @property
    def pid(self) -> int | None:
        """The program's process, if it runs."""
        return self._kokoro.pid


class _Kokoro:
    """The program and the thread that talks to it; started at the first need, restarted when it dies."""

    def __init__(self, settings: KokoroSettings, patience_s: float) -> None:
        self.thread = ThreadPoolExecutor(1, "kokoro")
        self.closed = False
        self._settings, self._patience_s = settings, patience_s
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running process, if there is one."""
        child = self._child
        return child.pid if child else None

    def make(self, sentence: str) -> Outcome[Made]:
        """The sound of a sentence; asked once more of a new process if the first dies over it. Raises VoiceError."""
        for attempt in (1, 2):
            try:
                child = self._running()
                child.send({"text": sentence}, patience_s=self._patience_s)
                reply, pcm = child.receive(patience_s=self._patience_s)
            except ChildGone as error:
                self._drop()
                if attempt == 2 or self.closed:
                    raise VoiceError(f"kokoro was lost {attempt} time(s) over the same sentence: {error}") from error
                continue
            if "error" in reply:
                raise VoiceError(f"kokoro refused a sentence of {len(sentence)} characters: {reply['error']}")
            made = Made(np.frombuffer(pcm, "<i2").astype(np.int16), int(reply["rate_hz"]))
            return Outcome(made, float(reply["cpu_s"]), len(made.pcm) / made.rate_hz)
        raise AssertionError("the second attempt returns or raises")

    def stop(self) -> None:
        """From the event loop: no more restarts, and whoever waits for the process is woken."""
        self.closed = True
        child = self._child
        if child is not None:
            child.end()

    def close(self) -> Outcome[None]:
        """In the thread, after `stop`: reap the process."""
        self._drop()
        return Outcome(None, 0.0, 0.0)

    def _running(self) -> Child:
        if self.closed:
            raise VoiceError("the voice was closed (open a new one)")
        if self._child is None:
            asked = self._settings
            lacks = [line for line in (missing_package(), missing_file(asked.model, asked.voices)) if line]
            if lacks:
                raise VoiceError(f"the voice 'kokoro' cannot start: {'; '.join(lacks)}")
            # -P: the program's folder must not shadow modules of the standard library.
            files = [str(asked.model), str(asked.voices)]
            arguments = ["-P", str(WORKER), *files, asked.voice, asked.language, str(asked.speed)]
            self._child = Child("kokoro", arguments)
            hello, _ = self._child.receive(patience_s=START_PATIENCE_S)
            if "error" in hello:
                self._drop()
                raise VoiceError(f"the voice 'kokoro' does not start: {hello['error']}")
        return self._child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None
