"""Text to speech by Piper, sentence by sentence, from a program beside ours.

Piper is GPL-3.0-or-later: it is spoken to over pipes and never imported. This file refuses to know how (`program`).
"""

from __future__ import annotations

from pathlib import Path

from audio.engines.piper.program import PATIENCE_S, Piper
from audio.engines.sentences import SentenceVoice
from audio.engines.spoken import VoiceError
from audio.outcome import Runner

__all__ = ["PiperVoice"]


class PiperVoice(SentenceVoice):
    """One Piper program with one voice, for any number of calls. Use as an async context, or `close` it.

    `model` is the voice's ``.onnx`` file, with its ``.onnx.json`` beside it. `program` is a path or a name on the PATH;
    empty: ``piper``, or the module of this environment. `speed` 2 is twice as fast as the voice's own pace.
    """

    def __init__(
        self, run: Runner, model: Path, *, program: str = "", speed: float = 1.0, patience_s: float = PATIENCE_S
    ) -> None:
        if not 0.25 <= speed <= 4:
            raise VoiceError(f"speed is {speed}; expected 0.25 to 4")
        self._piper = Piper(model, program, speed, patience_s)
        super().__init__(run, self._piper)

    @property
    def pid(self) -> int | None:
        """The program's process, if it runs."""
        return self._piper.pid
