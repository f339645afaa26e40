"""The parent's side of one Whisper process: a stretch of sound in, words out, and again after it died.

The process keeps nothing between two stretches, so nothing has to be restored: a killed or hung one costs the time of
asking again. All methods block and belong to the one thread of `thread`. This file refuses to know the event loop.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from audio.engines.child import Child, ChildGone
from audio.engines.whisper import models
from audio.engines.whisper.words import Row
from audio.frame import RATE_HZ, AudioError
from audio.outcome import Outcome

__all__ = ["PATIENCE_S", "Stretch", "WhisperError", "Worker"]

PATIENCE_S = 30.0
"""How long a worker may be silent over one stretch before it counts as hung. A guess: decoding with the base model
takes 2.4 s of a core (BENCHMARKS.md), and a machine with many calls may give it a tenth of one."""

START_PATIENCE_S = 60.0
"""The same for its start from a folder: about 2 s on an idle core, most of it for imports."""

DOWNLOAD_PATIENCE_S = 1800.0
"""The same for a start that may have to fetch the model from the hub first."""

_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


class WhisperError(AudioError):
    """The recogniser cannot go on: it or its model is missing, it is closed, was given too much, or failed twice."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Sound to decode: int16 bytes of at most 30 s, the text before it, and how hard to try."""

    pcm: bytes
    prompt: str
    beam: int
    most_tokens: int


class Worker:
    """One Whisper process and the thread that talks to it; started at the first need, restarted when it dies."""

    def __init__(self, model: str, language: str, compute: str, patience_s: float) -> None:
        self.thread = ThreadPoolExecutor(1, "whisper")
        self.streams = 0
        self.closed = False
        self._model, self._language, self._compute = model, language, compute
        self._patience_s = patience_s
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running process, if there is one."""
        child = self._child
        return child.pid if child else None

    def warm(self) -> Outcome[None]:
        """Start the process unless it runs. Raises WhisperError with the reason when it cannot start."""
        try:
            self._running()
        except ChildGone as error:
            self._drop()
            raise WhisperError(f"whisper does not start: {error}") from error
        return Outcome(None, 0.0, 0.0)

    def decode(self, stretch: Stretch) -> Outcome[list[Row]]:
        """The words of `stretch`; asked once more of a new process if the first one dies over it."""
        header = {"ask": "decode", "prompt": stretch.prompt, "beam": stretch.beam, "most": stretch.most_tokens}
        for attempt in (1, 2):
            try:
                child = self._running()
                child.send(header, stretch.pcm, patience_s=self._patience_s)
                reply, _ = child.receive(patience_s=self._patience_s)
            except ChildGone as error:
                self._drop()
                if attempt == 2 or self.closed:
                    raise WhisperError(
                        f"whisper was lost {attempt} time(s) over the same {len(stretch.pcm) // 2} samples: {error} "
                        "(close this stream and open another)"
                    ) from error
                continue
            if "error" in reply:
                raise WhisperError(f"whisper refused {len(stretch.pcm) // 2} samples: {reply['error']}")
            return Outcome(reply["words"], float(reply["cpu_s"]), len(stretch.pcm) / 2 / RATE_HZ)
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
            raise WhisperError("the recogniser was closed (open a new pool)")
        if self._child is None:
            if (line := models.missing(self._model)) is not None:
                raise WhisperError(line)
            folder = models.resolve(self._model)
            model = str(folder or self._model)
            arguments = ["-m", "audio.engines.whisper.worker", model, self._language, self._compute]
            self._child = Child("whisper", arguments, module_root=_PACKAGE_ROOT)
            hello, _ = self._child.receive(patience_s=START_PATIENCE_S if folder else DOWNLOAD_PATIENCE_S)
            if "error" in hello:
                self._drop()
                raise WhisperError(f"whisper does not start with model {self._model!r}: {hello['error']}")
        return self._child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None
