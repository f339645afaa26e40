"""The parent's side of one recogniser process: what is said to it, and what is said again after it died.

Everything a segment needs to be decoded anew lies here: its sound since the last cut (30 s at most, see `worker`), the
words settled before, what was learnt of the channel. So a killed or hung worker costs time and no words. All methods
block and belong to the one thread of `thread`. This file refuses to know the event loop.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from audio.engines.child import Child, ChildGone
from audio.engines.sphinx.channel import UNHEARD, Channel
from audio.engines.sphinx.hypothesis import Hypothesis, Word
from audio.engines.wire import Header
from audio.frame import RATE_HZ, AudioError
from audio.language.files import LanguageFiles
from audio.outcome import Outcome

__all__ = ["PATIENCE_S", "Segment", "SphinxError", "StreamState", "Worker"]

PATIENCE_S = 5.0
"""How long a worker may be silent beyond the length of the sound it was given, before it counts as hung. A guess: far
above the 0.04 s per second of sound that decoding takes, and short enough that the caller may still be there."""

START_PATIENCE_S = 30.0
"""The same for its start, which takes 0.2 s on an idle core."""

_PACKAGE_ROOT = Path(__file__).resolve().parents[3]


class SphinxError(AudioError):
    """The recogniser cannot go on: it is closed, was given too much, or failed twice on the same sound."""


@dataclass(slots=True)
class Segment:
    """The sound of one segment that may still be needed, as int16 bytes from sample `base` on."""

    pcm: bytearray = field(default_factory=bytearray)
    base: int = 0
    decoded: int = 0
    """Samples that a worker has acknowledged."""
    total: int = 0
    """Samples that were fed; those after `decoded` wait for their job."""
    kept: list[object] = field(default_factory=list)

    def between(self, first: int, end: int) -> bytes:
        """The sound from sample `first` up to `end`."""
        return bytes(self.pcm[2 * (first - self.base) : 2 * (end - self.base)])

    def cut(self, base: int, kept: list[object]) -> None:
        """Forget the sound before `base`, whose words are settled."""
        del self.pcm[: 2 * (base - self.base)]
        self.base, self.kept = base, kept


@dataclass(slots=True)
class StreamState:
    """A stream as its worker must know it: its number, the channel, and the process that knows it."""

    number: int
    channel: Channel = UNHEARD
    generation: int = -1


class Worker:
    """One recogniser process and the thread that talks to it; started at the first need, restarted when it dies."""

    def __init__(self, language: LanguageFiles, passes: int, patience_s: float) -> None:
        self.thread = ThreadPoolExecutor(1, "sphinx")
        self.streams = 0
        self._arguments = [
            *("-m", "audio.engines.sphinx.worker"),
            *(str(language.lm_path), str(language.dict_path), str(passes)),
        ]
        self._patience_s = patience_s
        self._child: Child | None = None
        self._generation = 0
        self.closed = False

    @property
    def pid(self) -> int | None:
        """The number of the running process, if there is one."""
        child = self._child
        return child.pid if child else None

    def warm(self) -> Outcome[None]:
        """Start the process unless it runs. Raises SphinxError with the reason when it cannot start."""
        try:
            self._running()
        except ChildGone as error:
            self._drop()
            raise SphinxError(f"the recogniser does not start: {error}") from error
        return Outcome(None, 0.0, 0.0)

    def open(self, state: StreamState) -> Outcome[None]:
        """Make a decoder for a new stream."""
        reply = self._ask("open", state, Segment(), b"")
        return Outcome(None, float(reply["cpu_s"]), 0.0)

    def feed(self, state: StreamState, segment: Segment, end: int) -> Outcome[list[Hypothesis]]:
        """Decode the segment's sound up to sample `end`; nothing is done where a later job already went further."""
        pcm = segment.between(segment.decoded, max(end, segment.decoded))
        if not pcm:
            return Outcome([], 0.0, 0.0)
        reply = self._ask("audio", state, segment, pcm)
        self._learn(state, segment, reply, len(pcm))
        changed = [_hypothesis(at, rows, final=False) for at, rows in reply["changed"]]
        return Outcome(changed, float(reply["cpu_s"]), len(pcm) / 2 / RATE_HZ)

    def finish(self, state: StreamState, segment: Segment) -> Outcome[Hypothesis]:
        """Decode the rest and give the final words. Segments without sound have none."""
        if not segment.total:
            return Outcome(Hypothesis((), 0, True), 0.0, 0.0)
        pcm = segment.between(segment.decoded, segment.total)
        reply = self._ask("finish", state, segment, pcm)
        state.channel = _channel(reply)
        return Outcome(_hypothesis(*reply["final"], final=True), float(reply["cpu_s"]), len(pcm) / 2 / RATE_HZ)

    def forget(self, state: StreamState) -> Outcome[None]:
        """Give the stream's decoder back; a worker that has died since has nothing to give."""
        if self._child is None or state.generation != self._generation:
            return Outcome(None, 0.0, 0.0)
        try:
            reply = self._talk(self._child, {"ask": "close", "stream": state.number}, b"")
        except ChildGone:
            # The next request of another stream starts a new process, which never knew this one.
            self._drop()
            return Outcome(None, 0.0, 0.0)
        return Outcome(None, float(reply["cpu_s"]), 0.0)

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

    def _ask(self, what: str, state: StreamState, segment: Segment, pcm: bytes) -> Header:
        """One request, once more in a new process if the first one dies over it. CPU seconds include restoring."""
        for attempt in (1, 2):
            try:
                child = self._running()
                restored_s = 0.0
                if what != "open" and state.generation != self._generation:
                    restored_s = self._restore(child, state, segment)
                reply = self._talk(child, {"ask": what, "stream": state.number}, pcm)
            except ChildGone as error:
                self._drop()
                if attempt == 2 or self.closed:
                    raise SphinxError(
                        f"the recogniser was lost {attempt} time(s) over the same {len(pcm) // 2} samples: {error} "
                        "(close this stream and open another)"
                    ) from error
                continue
            state.generation = self._generation
            reply["cpu_s"] += restored_s
            return reply
        raise AssertionError("the second attempt returns or raises")

    def _restore(self, child: Child, state: StreamState, segment: Segment) -> float:
        """Tell a new process where the stream stands; the CPU seconds that took."""
        header = {"ask": "restore", "stream": state.number, "base": segment.base, "kept": segment.kept}
        reply = self._talk(
            child,
            header | {"channel": (state.channel.mean, state.channel.frames)},
            segment.between(segment.base, segment.decoded),
        )
        return float(reply["cpu_s"])

    def _learn(self, state: StreamState, segment: Segment, reply: Header, n_bytes: int) -> None:
        segment.decoded += n_bytes // 2
        if "base" in reply:
            state.channel = _channel(reply)
            segment.cut(reply["base"], reply["kept"])

    def _running(self) -> Child:
        if self.closed:
            raise SphinxError("the recogniser was closed (open a new pool)")
        if self._child is None:
            child = Child("recogniser", self._arguments, module_root=_PACKAGE_ROOT)
            self._child = child
            hello, _ = child.receive(patience_s=START_PATIENCE_S)
            if "error" in hello:
                self._drop()
                raise SphinxError(f"the recogniser does not start: {hello['error']}")
            self._generation += 1
        return self._child

    def _talk(self, child: Child, header: Header, pcm: bytes) -> Header:
        patience_s = self._patience_s + len(pcm) / 2 / RATE_HZ
        child.send(header, pcm, patience_s=patience_s)
        reply, _ = child.receive(patience_s=patience_s)
        if "error" in reply:
            raise SphinxError(f"the recogniser refused {header['ask']!r}: {reply['error']}")
        return reply

    def _drop(self) -> None:
        if self._child is not None:
            self._child.close()
            self._child = None


def _channel(reply: Header) -> Channel:
    mean, frames = reply["channel"]
    return Channel(tuple(mean), frames)


def _hypothesis(at: int, rows: list[tuple[str, int, int, float | None]], *, final: bool) -> Hypothesis:
    return Hypothesis(tuple(Word(text, start, end, sure) for text, start, end, sure in rows), at, final)
