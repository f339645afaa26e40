"""What a caller knows of the agent: when it sounds, when it fell silent, and which words arrived.

Shared by all callers of the test kit. Sound and words come in by different ways (frames or edges; log entries), so
both are kept here and nothing is concluded: what to answer is the business of `script` and `talk`. Pure: no clock, no
file. All positions are samples of the call's line (16,000 Hz).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["STRETCH_GAP_SAMPLES", "AgentEar", "Says", "says"]

STRETCH_GAP_SAMPLES = 8_000
"""0.5 s without sound separates two stretches of agent speech; shorter gaps lie between words or clauses (a guess)."""


@dataclass(frozen=True, slots=True)
class Says:
    """A condition on the agent's words: any of `phrases` occurs, and none of `unless`; whole words, case ignored.

    Without phrases only `unless` counts. A phrase is plain words; figures and punctuation of the agent are ignored.
    """

    phrases: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    def holds(self, text: str) -> bool:
        """True when the condition is met by `text`."""
        padded = f" {plain(text)} "
        if any(f" {plain(phrase)} " in padded for phrase in self.unless):
            return False
        return not self.phrases or any(f" {plain(phrase)} " in padded for phrase in self.phrases)


def says(*phrases: str, unless: Sequence[str] = ()) -> Says:
    """The condition "the agent said one of these since our last turn"."""
    return Says(tuple(phrases), tuple(unless))


def plain(text: str) -> str:
    """Lower-case words with single spaces; apostrophes stay, other signs are gaps."""
    return " ".join(re.findall(r"[a-z0-9']+", text.lower()))


class AgentEar:
    """Listens to the agent for one caller. Feed it sound and words; then ask.

    Sound that stops before our own last turn is over does not count as an answer to it: `spoken_since_turn` and
    `turn_first` look only at what comes after.
    """

    def __init__(self) -> None:
        self._ours_end = 0
        self._sounding = False
        self._stretch_first: int | None = None
        self._last_end: int | None = None
        self._turn_first: int | None = None
        self.stretches = 0
        """Stretches of agent speech so far; the newest may still go on."""
        self._texts: dict[int, str] = {}
        self._loose: list[str] = []
        self._live: set[int] = set()
        self._old: set[int] = set()
        self.hears_words = False
        """True once any word of the agent arrived; before, conditions on words cannot be judged."""

    # --- sound ---------------------------------------------------------------------------------------------------

    def on_audio(self, first_sample: int, n_samples: int, audible: bool) -> None:
        """A frame of the agent; frames never given are silence. Frames must come in order."""
        if audible and n_samples > 0:
            self._sound(first_sample)
            self._last_end = max(self._last_end or 0, first_sample + n_samples)

    def on_edge(self, sample: int, audible: bool) -> None:
        """The agent became audible or inaudible at `sample` (calls without audio)."""
        if audible:
            self._sound(sample)
        elif self._sounding:
            self._last_end = max(self._last_end or 0, sample)
        self._sounding = audible

    def _sound(self, sample: int) -> None:
        if self._stretch_first is None or (
            not self._sounding and self._last_end is not None and sample - self._last_end >= STRETCH_GAP_SAMPLES
        ):
            self.stretches += 1
            self._stretch_first = sample
        self._last_end = max(self._last_end or 0, sample)
        if self._turn_first is None and sample >= self._ours_end:
            self._turn_first = sample

    @property
    def sounding(self) -> bool:
        """An edge said that the agent speaks, and no edge since that it stopped."""
        return self._sounding

    @property
    def last_end(self) -> int | None:
        """End of the last agent sound; None before any."""
        return self._last_end

    @property
    def stretch_first(self) -> int | None:
        """First sample of the newest stretch."""
        return self._stretch_first

    def turn_first(self, sample: int) -> int | None:
        """First agent sound after our last turn, if the agent goes on until `sample` as it does now; None: none."""
        if self._turn_first is not None:
            return self._turn_first
        # the agent began while we spoke and speaks on: its turn begins where ours ended
        over_us = self._last_end is not None and self._last_end > self._ours_end
        return self._ours_end if over_us or (self._sounding and sample >= self._ours_end) else None

    # --- words ---------------------------------------------------------------------------------------------------

    def on_utterance(self, utterance: int) -> None:
        """An utterance of the agent became audible (started or resumed); its words count from now on."""
        self._live.add(utterance)
        self._old.discard(utterance)

    def on_text(self, text: str, utterance: int | None = None) -> None:
        """Words that were really heard: the whole of an utterance so far, or (without a number) simply more words."""
        self.hears_words = self.hears_words or bool(text.strip())
        if utterance is None:
            self._loose.append(text)
        elif utterance not in self._old:
            self._live.add(utterance)
            self._texts[utterance] = text

    @property
    def text(self) -> str:
        """All that the agent said since our last turn began, as far as words are known."""
        return " ".join([*(self._texts[key] for key in sorted(self._texts)), *self._loose])

    # --- our own turns -------------------------------------------------------------------------------------------

    def our_turn(self, end_sample: int) -> None:
        """We begin a turn that lasts until `end_sample`: what was said before it is answered or dropped.

        Words of an utterance that began before count no more, unless the agent resumes it: the report of what was
        heard of a barged-in question comes after the barge-in.
        """
        self._ours_end = end_sample
        self._turn_first = None
        self._old |= self._live
        self._live.clear()
        self._texts.clear()
        self._loose.clear()
