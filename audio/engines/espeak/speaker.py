"""The parent's side of the espeak-ng program: starting it, asking it, and asking again after it died.

The program answers for several utterances through one pipe; each answer is put with its utterance here, whoever reads
it. All methods block and belong to the one thread of `thread`. This file refuses to know the event loop, and knows
espeak-ng by its messages only.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audio.engines.child import Child, ChildGone
from audio.engines.espeak.utterance import SpokenChunk, Utterance, VoiceError
from audio.frame import RATE_HZ
from audio.outcome import Outcome

__all__ = ["HELPER", "PATIENCE_S", "Speaker"]

HELPER = Path(__file__).with_name("helper.py")

PATIENCE_S = 5.0
"""How long the program may be silent while an utterance is unfinished. It makes 10 s of speech in 10 ms; a guess that
leaves room for a busy machine."""

START_PATIENCE_S = 30.0
"""The same for its start, which takes 0.2 s on an idle core."""


class Speaker:
    """The program and the thread that talks to it; started at the first need, restarted when it dies."""

    def __init__(self, library: Path | None, data: Path | None, patience_s: float) -> None:
        self.thread = ThreadPoolExecutor(1, "espeak")
        self.closed = False
        self.version = ""
        # -P: the program's folder must not shadow modules of the standard library.
        self._arguments = ["-P", str(HELPER)]
        self._arguments += ["--library", str(library)] if library else []
        self._arguments += ["--data", str(data)] if data else []
        self._patience_s = patience_s
        self._child: Child | None = None
        self._generation = 0
        self._rate_hz = 0
        self._speaking: dict[int, Utterance] = {}

    @property
    def pid(self) -> int | None:
        """The number of the running program, if there is one."""
        child = self._child
        return child.pid if child else None

    def warm(self) -> Outcome[None]:
        """Start the program unless it runs. Raises VoiceError with the reason when it cannot start."""
        try:
            self._running()
        except ChildGone as error:
            self._drop()
            raise VoiceError(f"the voice does not start: {error}") from error
        return Outcome(None, 0.0, 0.0)

    def take(self, utterance: Utterance, at_least_s: float) -> Outcome[SpokenChunk]:
        """The next sound of an utterance, `at_least_s` of it unless it ends before. Raises VoiceError."""
        before_s = utterance.cpu_s
        while not utterance.ended and utterance.failure is None and utterance.waiting_s < at_least_s:
            try:
                self._advance(utterance)
            except ChildGone as error:
                self._drop()
                utterance.lose(str(error))
        if utterance.ended or utterance.failure:
            self._speaking.pop(utterance.number, None)
        if utterance.failure:
            raise VoiceError(f"the voice failed: {utterance.failure}")
        chunk = utterance.take()
        return Outcome(chunk, utterance.cpu_s - before_s, len(chunk.pcm) / RATE_HZ)

    def stop(self, utterance: Utterance) -> None:
        """Say no more of an utterance; what still arrives of it is thrown away."""
        if self._speaking.pop(utterance.number, None) is None or self._child is None:
            return
        try:
            self._child.send({"stop": utterance.number}, patience_s=self._patience_s)
        except ChildGone:
            self._drop()

    def end(self) -> None:
        """From the event loop: no more restarts, and whoever waits for the program is woken."""
        self.closed = True
        child = self._child
        if child is not None:
            child.end()

    def close(self) -> Outcome[None]:
        """In the thread, after `end`: reap the program."""
        self._drop()
        return Outcome(None, 0.0, 0.0)

    def _advance(self, utterance: Utterance) -> None:
        """Ask for the utterance if this program was not asked yet, and put one answer with the utterance it is of."""
        child = self._running()
        if utterance.generation != self._generation:
            settings = utterance.settings
            utterance.begin(self._generation, self._rate_hz)
            self._speaking[utterance.number] = utterance
            request = {"say": utterance.number, "text": utterance.text, "voice": settings.voice}
            request |= {"rate_wpm": settings.rate_wpm, "pitch": settings.pitch}
            child.send(request, patience_s=self._patience_s)
        header, pcm = child.receive(patience_s=self._patience_s)
        of = self._speaking.get(header["id"])
        if of is not None and of.generation == self._generation:
            of.add(header, pcm)

    def _running(self) -> Child:
        if self.closed:
            raise VoiceError("the voice was closed (open a new one)")
        if self._child is None:
            child = Child("voice", self._arguments)
            self._child = child
            hello, _ = child.receive(patience_s=START_PATIENCE_S)
            if "error" in hello:
                self._drop()
                raise VoiceError(f"the voice does not start: {hello['error']}")
            self._generation += 1
            self.version, self._rate_hz = f"espeak-ng {hello['ready']}", int(hello["rate_hz"])
        return self._child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None
