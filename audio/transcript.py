"""Which words of a growing transcript will stay: a stable prefix and a tail that may still change.

A recogniser rewrites its last words as it hears more. Thinking may start on the tail, acting may not. This file
refuses to know which recogniser speaks and what the words mean; it counts samples and compares words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from audio.frame import AudioError, ms_to_samples

__all__ = ["Split", "StabilitySettings", "TranscriptError", "TranscriptTracker"]


class TranscriptError(AudioError, ValueError):
    """A setting out of range, hypotheses out of order, or words after the final text."""


@dataclass(frozen=True, slots=True)
class StabilitySettings:
    """When a word counts as stable: it and all words before it must satisfy one of two rules.

    `unchanged_ms` (ms of audio): it stood unchanged at its place for this long. 200 from measured pocketsphinx partials
        (words already shown are rewritten within about 200 ms or at the end).
    `agreeing` (hypotheses): so many hypotheses in a row agreed on it, as in the LocalAgreement rule of Liu et al. 2020
        (there 2 hypotheses a second apart). 4 is a guess: a frame-wise recogniser tells a changed hypothesis every
        40 ms at most, so two in a row say little.
    Raises `TranscriptError`.
    """

    unchanged_ms: int = 200
    agreeing: int = 4

    def __post_init__(self) -> None:
        if self.unchanged_ms < 0 or self.agreeing < 2:
            raise TranscriptError(
                f"stable after {self.unchanged_ms} ms or {self.agreeing} hypotheses; expected 0 ms or more, 2 or more"
            )


@dataclass(frozen=True, slots=True)
class Split:
    """A transcript in two parts. `revision` grows with every change of either part; `revised` says that words which
    were called stable have been replaced, which only a final text does."""

    stable: tuple[str, ...]
    tail: tuple[str, ...]
    revision: int
    revised: bool = False

    @property
    def words(self) -> tuple[str, ...]:
        """Both parts."""
        return self.stable + self.tail


class TranscriptTracker:
    """Stability of one segment's transcript, hypothesis after hypothesis."""

    def __init__(self, settings: StabilitySettings | None = None) -> None:
        self.settings = settings or StabilitySettings()
        self._unchanged_samples = ms_to_samples(self.settings.unchanged_ms)
        self._split = Split((), (), 0)
        self._words: tuple[str, ...] = ()
        self._since: list[int] = []  # per word: sample at which it took its present form
        self._seen: list[int] = []  # per word: hypotheses in a row that agree on it
        self._now = 0
        self._final = False

    @property
    def split(self) -> Split:
        """The latest split."""
        return self._split

    def update(self, words: Sequence[str], now_sample: int) -> Split:
        """The split after the hypothesis `words`, known at `now_sample`.

        Stable words stay even where the hypothesis contradicts them: the words from their end on are the tail. The
        caller passes on a split whose `revision` is new. Raises `TranscriptError`.
        """
        self._step(now_sample)
        new = tuple(words)
        kept = 0
        while kept < min(len(new), len(self._words)) and new[kept] == self._words[kept]:
            kept += 1
        # A changed word unsettles all after it: they were heard in another context.
        self._since[kept:] = [now_sample] * (len(new) - kept)
        self._seen = [n + 1 for n in self._seen[:kept]] + [1] * (len(new) - kept)
        self._words = new
        return self._resplit(now_sample)

    def settle(self, now_sample: int) -> Split:
        """The split after silence from the recogniser: time alone makes unchanged words stable."""
        self._step(now_sample)
        return self._resplit(now_sample)

    def finish(self, words: Sequence[str], now_sample: int) -> Split:
        """The split for the final text `words`, which is stable whatever was stable before."""
        self._step(now_sample)
        self._final = True
        new = tuple(words)
        before = self._split
        revised = new[: len(before.stable)] != before.stable
        changed = (new, ()) != (before.stable, before.tail)
        self._split = Split(new, (), before.revision + changed, revised)
        return self._split

    def _step(self, now_sample: int) -> None:
        if self._final:
            raise TranscriptError("the text of this segment is final; start a new tracker for the next one")
        if now_sample < self._now:
            raise TranscriptError(f"hypothesis at sample {now_sample}, after one at {self._now}; they come in order")
        self._now = now_sample

    def _resplit(self, now_sample: int) -> Split:
        stable = self._split.stable
        # Where the hypothesis left the stable words it proves nothing new until it comes back to them.
        if self._words[: len(stable)] == stable:
            end = len(stable)
            while end < len(self._words) and (
                now_sample - self._since[end] >= self._unchanged_samples or self._seen[end] >= self.settings.agreeing
            ):
                end += 1
            stable = self._words[:end]
        tail = self._words[len(stable) :]
        if (stable, tail) != (self._split.stable, self._split.tail):
            self._split = Split(stable, tail, self._split.revision + 1)
        return self._split
