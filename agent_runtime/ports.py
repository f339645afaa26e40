"""Ports: what the runtime asks of detectors, recognisers, voices, engines and doors.

Adapters fit by shape and never import this file; `tests/test_ports.py` assigns each adapter to its port so that the
type checker proves the fit. This file refuses to know any adapter.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "AdapterRef",
    "CallerAudio",
    "Caps",
    "Detector",
    "DetectorStream",
    "Door",
    "Engine",
    "EngineSession",
    "Extent",
    "Grammar",
    "HeardWord",
    "Hypothesis",
    "NextWord",
    "Pcm",
    "PlayWords",
    "Recogniser",
    "RecogniserStream",
    "SpokenChunk",
    "Voice",
    "WordMark",
]

Pcm = NDArray[np.int16]
"""Mono int16 samples at 16,000 Hz."""


# --- hearing -----------------------------------------------------------------------------------------------------


class DetectorStream(Protocol):
    """Speech probabilities of one call's audio, in order."""

    async def probabilities(self, pcm: Pcm, *, due_s: float | None = None) -> NDArray[np.float32]:
        """One probability for each 512-sample window of `pcm` (a multiple of 512 samples)."""
        ...


class Detector(Protocol):
    """A voice activity detector shared by many calls."""

    def open(self) -> DetectorStream:
        """A new stream with its own state."""
        ...


class HeardWord(Protocol):
    """A recognised word; samples count from the start of its speech segment."""

    @property
    def text(self) -> str: ...
    @property
    def start_sample(self) -> int: ...
    @property
    def end_sample(self) -> int: ...


class Hypothesis(Protocol):
    """What the recogniser believes after `at_sample` samples of the segment."""

    @property
    def words(self) -> Sequence[HeardWord]: ...
    @property
    def at_sample(self) -> int: ...


class RecogniserStream(Protocol):
    """One call's recogniser: fed segment by segment; the first `feed` after `finish` opens the next segment."""

    async def feed(self, pcm: Pcm, *, due_s: float | None = None) -> Sequence[Hypothesis]:
        """The changed hypotheses within this audio, oldest first; the same whatever the block size."""
        ...

    async def finish(self) -> Hypothesis:
        """The final text of the segment."""
        ...

    async def close(self) -> None:
        """Give the stream's memory back."""
        ...


class Recogniser(Protocol):
    """A speech recogniser shared by many calls."""

    async def open(self) -> RecogniserStream:
        """A stream for one call."""
        ...


# --- speaking ----------------------------------------------------------------------------------------------------


class WordMark(Protocol):
    """Where a word of the given text begins in the audio; `first_sample` counts from the start of the utterance."""

    @property
    def start_char(self) -> int: ...
    @property
    def end_char(self) -> int: ...
    @property
    def first_sample(self) -> int: ...


class SpokenChunk(Protocol):
    """A piece of synthesised speech."""

    @property
    def pcm(self) -> Pcm: ...
    @property
    def words(self) -> Sequence[WordMark]: ...


class Voice(Protocol):
    """A synthesiser. Closing the iterator stops the synthesis within a chunk."""

    def speak(self, text: str) -> AsyncIterator[SpokenChunk]:
        """The speech of `text`, chunk by chunk."""
        ...


# --- thinking ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AdapterRef:
    """A published adapter. Immutable: changed weights get a new version and path, because caches are keyed by it."""

    name: str
    version: int
    path: str


@dataclass(frozen=True, slots=True)
class Caps:
    """What an engine can do; the runtime requires none of the optional ones and degrades by them."""

    ids: bool
    """Takes token ids of a model; otherwise text, and tokens are those that its language writes text in."""
    exact_rollback: bool
    fork: bool
    grammar: bool
    logprobs: bool
    block_tokens: int = 1
    """Granularity of cache hits."""


@dataclass(frozen=True, slots=True)
class Extent:
    """The account of one `sync`, in tokens: total = reused + computed; `rolled_back` were dropped first."""

    total: int
    reused: int
    computed: int
    rolled_back: int
    elapsed_s: float


class Grammar(Protocol):
    """Which tokens may come next; advanced by each token that did."""

    @property
    def done(self) -> bool: ...
    def allowed(self) -> NDArray[np.bool_] | None:
        """A mask over the vocabulary, or None when everything may come."""
        ...

    def advance(self, token: int) -> None: ...

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        """What to take in place of `token`, the likeliest that may come; mostly that. Asked by engines that see how
        likely each token is: `entropy` tells in nats how much in doubt the choice is."""
        ...


class EngineSession(Protocol):
    """One call's cache in an engine. `sync` is "make your cache equal to these tokens", never "append"."""

    async def sync(
        self,
        tokens: Sequence[int],
        *,
        stable: int | None = None,
        deadline_s: float | None = None,
        ahead: bool = True,
    ) -> Extent:
        """Keep the longest common prefix, drop the rest, compute the tail. Idempotent; cancellable between slices.

        `ahead=False`: a `stream` or `score` follows at once, so an engine whose requests cost may leave the reading
        to that; `Extent.computed` is then what it has left to read.
        """
        ...

    def stream(
        self,
        suffix: Sequence[int] = (),
        *,
        max_tokens: int,
        stop_ids: Iterable[int] = (),
        grammar: Grammar | None = None,
        keep: bool = False,
    ) -> AsyncIterator[Sequence[int]]:
        """New tokens after the synced ones and `suffix`, in slices; a stop id is yielded last.

        `keep=False` leaves the committed prefix untouched (a thought, a draft). Closing the iterator aborts.
        """
        ...

    async def fork(self) -> EngineSession:
        """A cheap copy with the same prefix. Only with `caps.fork`."""
        ...

    async def score(self, continuations: Sequence[Sequence[int]]) -> Sequence[float]:
        """The log-probability of each continuation after the synced tokens. Only with `caps.logprobs`."""
        ...

    def mark(self) -> int:
        """The current length in tokens."""
        ...

    async def rewind(self, mark: int) -> None:
        """Drop everything after `mark`."""
        ...

    async def close(self) -> None:
        """Free the cache."""
        ...


class Engine(Protocol):
    """A language model that serves many calls."""

    @property
    def caps(self) -> Caps: ...

    async def open(self, session: str, *, adapter: AdapterRef | None = None, priority: int = 0) -> EngineSession: ...
    async def warm(self, tokens: Sequence[int], *, adapter: AdapterRef | None = None) -> Extent:
        """Prepare a shared prefix, so that the next `open` starts with it."""
        ...

    async def load_adapter(self, ref: AdapterRef) -> None: ...
    async def unload_adapter(self, ref: AdapterRef) -> None: ...
    async def close(self) -> None: ...


# --- the line ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallerAudio:
    """Caller audio as it stands on the call's sample line; a hole before `first_sample` is lost audio."""

    pcm: Pcm
    first_sample: int


class Door(Protocol):
    """Where a call comes in: brings the far party's audio and takes ours. One call a door object."""

    @property
    def ahead(self) -> bool:
        """True when `listen` hands out audio before its time (a recording), because it does not depend on us."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the door knows of the far party: ``counterparty``, ``direction``."""
        ...

    def listen(self) -> AsyncIterator[CallerAudio]:
        """The caller's audio in order; ends when the far party hangs up."""
        ...

    def play(self, pcm: Pcm, first_sample: int) -> None:
        """One 20 ms frame of ours, due at `first_sample`; frames not given are silence. Never blocks."""
        ...

    async def send_digits(self, digits: str) -> None: ...
    async def transfer(self, target: str) -> bool: ...
    async def close(self) -> None:
        """Hang up, if the line is still up, and free it."""
        ...


class NextWord(Protocol):
    """A word of an utterance that is not played to its end yet; samples of the call's line, if nothing changes."""

    @property
    def text(self) -> str: ...
    @property
    def end_char(self) -> int: ...
    @property
    def first_sample(self) -> int: ...
    @property
    def end_sample(self) -> int: ...


class PlayWords(Protocol):
    """What a door may have as `play_words`: it takes our words instead of our frames in a call without audio.

    Called whenever our speech begins, stops or turns out otherwise: of the text of `utterance` the first `heard`
    characters were heard until now, and `ahead` follows. Nothing ahead: we are silent from here on. Never blocks.
    """

    def __call__(self, utterance: int, heard: int, ahead: Sequence[NextWord]) -> None: ...
