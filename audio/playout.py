"""The ledger of what was really heard: utterances go in as sound, frames come out, and each sample is accounted for.

History keeps only what the far party heard, so the one place that hands out samples also says which words they
were. This file refuses to know time, sockets and why anything is paused: it is told, and it counts.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from audio.frame import FRAME_SAMPLES, RATE_HZ, AudioError, Pcm, check_pcm, ms_to_samples, silence
from audio.heard import Heard, NextWord, WordMark, bounds, cut
from audio.ramp import Ramp

__all__ = [
    "FADE_SAMPLES",
    "Ended",
    "Extent",
    "Heard",
    "Paused",
    "Playout",
    "PlayoutError",
    "Resumed",
    "Started",
    "WordMark",
]

FADE_SAMPLES = ms_to_samples(5)
"""5 ms: long enough that a cut in full speech makes no click, short enough to be no delay (a common choice)."""

INAUDIBLE_GAIN = 0.1
"""20 dB down: from here on the agent counts as inaudible (the yield of a barge-in, STYLE section 4)."""

MOST_SAMPLES = RATE_HZ * 600
"""Most sound one utterance may hold: 10 minutes, 19 MB."""

MOST_QUEUED = 64
"""Most utterances that may wait at once; far more than any plan, few enough to notice a loop that only adds."""

KEPT_ENDED = 256
"""Ended utterances whose `heard` can still be asked for."""


class PlayoutError(AudioError, ValueError):
    """An order that makes no sense: an unknown utterance, a name used twice, marks out of order, too much sound."""


@dataclass(frozen=True, slots=True)
class Started:
    """The first sample of an utterance left at output position `sample`."""

    utterance: str
    sample: int


@dataclass(frozen=True, slots=True)
class Paused:
    """From output position `sample` on the utterance is silent; its place is kept."""

    utterance: str
    sample: int


@dataclass(frozen=True, slots=True)
class Resumed:
    """From output position `sample` on a paused utterance may sound again."""

    utterance: str
    sample: int


@dataclass(frozen=True, slots=True)
class Ended:
    """No sample from output position `sample` on belongs to the utterance; `heard` is final."""

    utterance: str
    sample: int
    heard: Heard


Extent = Started | Paused | Resumed | Ended


class _Utterance:
    """One utterance: its sound so far, how far it was played, and what it fades towards."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.marks: list[WordMark] = []
        self.starts: list[int] = []
        self.sound = silence(0)
        self.added = 0
        self.place = 0
        self.furthest = 0
        self.stop: int | None = None  # where it ends, if before its sound does
        self.finished = False
        self.cancelled = False
        self.paused = False
        self.silent = False  # paused, and the fade is over
        self.starved = False  # silence was taken because its sound was late
        self.ramp = Ramp()

    @property
    def left(self) -> int:
        return (self.added if self.stop is None else self.stop) - self.place

    @property
    def sounding(self) -> bool:
        """Whether stopping it short would click."""
        return self.furthest > 0 and self.left > 0 and not self.silent and not self.starved

    @property
    def hushed(self) -> bool:
        """Whether a fade to silence is over, or has nothing left to fade."""
        return self.ramp.goal == 0 and (self.ramp.left == 0 or self.left == 0)

    def add(self, pcm: Pcm, words: Sequence[WordMark]) -> None:
        total = self.added + len(pcm)
        if total > MOST_SAMPLES:
            raise PlayoutError(
                f"utterance {self.name!r} holds {total} samples; limit {MOST_SAMPLES} (split it into utterances)"
            )
        last = self.marks[-1] if self.marks else WordMark(0, 0, 0)
        for mark in words:
            if not 0 <= mark.start_char <= mark.end_char or mark.first_sample < last.first_sample:
                raise PlayoutError(f"{mark} of utterance {self.name!r} does not follow {last}; marks come in order")
            last = mark
        if total > len(self.sound):
            grown = silence(max(total, 2 * len(self.sound), RATE_HZ))
            grown[: self.added] = self.sound[: self.added]
            self.sound = grown
        self.sound[self.added : total] = pcm
        self.added = total
        self.marks += words
        self.starts += [mark.first_sample for mark in words]

    def play(self, room: int) -> Pcm:
        """The next samples, `room` at most, fading included; none while silent or starved."""
        n = 0 if self.silent else min(self.left, room)
        if self.ramp.goal == 0:
            n = min(n, self.ramp.left)
        if not n:
            return silence(0)
        if self.starved:
            self.starved = False
            self.ramp.gain = 0.0
            self.ramp.to(self.ramp.goal, FADE_SAMPLES)
        sound = self.sound[self.place : self.place + n]
        late = n < room and not self.finished and self.ramp.goal > 0
        late |= self.stop is not None and n == self.left
        if late or not self.ramp.flat:
            gains = self.ramp.take(n)
            if late:  # what comes next is not here, or is dropped: end softly
                fade = min(n, FADE_SAMPLES)
                gains[n - fade :] *= np.arange(fade - 1, -1, -1) / fade
            sound = _scaled(sound, gains)
        self.place += n
        self.furthest = max(self.furthest, self.place)
        return sound

    def trim(self, place: int, end_char: int) -> None:
        self.added = max(self.place, min(place, self.added))
        self.text = self.text[:end_char]
        self.marks = [mark for mark in self.marks if mark.first_sample < self.added and mark.start_char < end_char]
        self.starts = [mark.first_sample for mark in self.marks]
        self.finished = True

    def heard(self) -> Heard:
        return cut(self.text, self.marks, self.furthest, self.added, finished=self.finished and not self.cancelled)


def _scaled(pcm: Pcm, gains: NDArray[np.float64]) -> Pcm:
    return np.rint(pcm * gains).astype(np.int16)


class Playout:
    """Utterances in the order in which they were begun, one after the other, as one stream of samples.

    `take` is the only place where sound leaves. Orders to utterances that have ended are late, not wrong: they
    change nothing and return False.
    """

    def __init__(self) -> None:
        self._queue: deque[_Utterance] = deque()
        self._ended: dict[str, Heard] = {}
        self._events: list[Extent] = []
        self._duck = Ramp()
        self._audible = False
        self.sample = 0
        """Output position: samples taken so far, silence included."""
        self.starved_samples = 0
        """Silence taken in the middle of utterances because the voice was late."""

    # -- what to play -------------------------------------------------------------------------------------------

    def begin(self, utterance: str, text: str = "") -> None:
        """Puts a new utterance at the end of the queue. `text` is what its word marks point into."""
        if utterance in self._ended or any(u.name == utterance for u in self._queue):
            raise PlayoutError(f"utterance {utterance!r} was begun before; each needs a name of its own")
        if len(self._queue) >= MOST_QUEUED:
            raise PlayoutError(f"{len(self._queue)} utterances wait already; limit {MOST_QUEUED} (cancel some first)")
        self._queue.append(_Utterance(utterance, text))

    def extend(self, utterance: str, text: str) -> int:
        """Adds to the text of an utterance; returns the character at which the addition begins, which the caller
        adds to the marks of its sound."""
        found = self._known(utterance)
        if found is None:
            return 0
        found.text += text
        return len(found.text) - len(text)

    def add(self, utterance: str, pcm: Pcm, words: Sequence[WordMark] = ()) -> bool:
        """Adds sound int16[n] and the marks of its words (positions from the utterance's start, in order)."""
        check_pcm(pcm, f"sound of utterance {utterance!r}")
        found = self._known(utterance)
        if found is None or found.cancelled or found.stop is not None:
            return False
        if found.finished:
            raise PlayoutError(f"utterance {utterance!r} is finished; nothing can be added to it")
        found.add(pcm, words)
        return True

    def finish(self, utterance: str) -> bool:
        """Says that no more sound comes; the utterance ends when what it holds is played."""
        found = self._known(utterance)
        if found is None:
            return False
        found.finished = True
        self._settle(found)
        return True

    # -- how to play it -----------------------------------------------------------------------------------------

    def pause(self, utterance: str, fade_samples: int = FADE_SAMPLES) -> bool:
        """Falls silent over `fade_samples` and keeps the place; utterances behind it wait as well.

        Samples of the fade count as played. An utterance that has not begun to sound is held back at once.
        """
        found = self._known(utterance)
        if found is None or found.cancelled or found.paused:
            return False
        found.paused = True
        found.ramp.to(0.0, fade_samples if found.sounding else 0)
        self._settle(found)
        return True

    def resume(self, utterance: str, *, rewind: bool = False) -> bool:
        """Goes on where it was paused; with `rewind` from the start of the word it stopped in (or the last before)."""
        found = self._known(utterance)
        if found is None or not found.paused:
            return False
        if found.silent:
            self._events.append(Resumed(utterance, self.sample))
            if rewind and found.starts:
                word = bisect_right(found.starts, found.place) - 1
                found.place = found.starts[word] if word >= 0 else 0
        found.paused = found.silent = False
        found.ramp.to(1.0, FADE_SAMPLES if found.furthest else 0)
        return True

    def cancel(self, utterance: str) -> bool:
        """Drops the rest after a fade of 5 ms; what was synthesised and not played never sounds."""
        found = self._known(utterance)
        if found is None or found.cancelled:
            return False
        found.cancelled = True
        if not found.paused:
            found.ramp.to(0.0, FADE_SAMPLES if found.sounding else 0)
        self._settle(found)
        return True

    def trim(self, utterance: str, place: int, end_char: int) -> bool:
        """Ends it at sample `place` of its sound (or here, where that was played) and `end_char` of its text; the rest
        never sounds. Use a border of clauses: nothing fades."""
        found = self._known(utterance)
        if found is None or found.cancelled:
            return False
        found.trim(place, end_char)
        self._settle(found)
        return True

    def cancel_at_word(self, utterance: str) -> bool:
        """Drops what comes after the word that sounds now, which is played to its end; all of it if none does."""
        found = self._known(utterance)
        if found is None or found.cancelled:
            return False
        if not found.sounding or found.paused:
            return self.cancel(utterance)
        ends = (end for _, end in bounds(found.text, found.marks, found.added, finished=found.finished))
        found.stop = min(found.added, next((end for end in ends if end > found.place), found.added))
        self._settle(found)
        return True

    def duck(self, gain_db: float) -> None:
        """Turns all speech down to `gain_db` (0 or less) within 5 ms; ducked words still count as played."""
        if not gain_db <= 0:
            raise PlayoutError(f"duck to {gain_db} dB; expected 0 or less (use unduck to come back)")
        self._duck.to(10.0 ** (gain_db / 20), FADE_SAMPLES)

    def unduck(self) -> None:
        """Turns speech up again within 5 ms."""
        self._duck.to(1.0, FADE_SAMPLES)

    # -- what happens -------------------------------------------------------------------------------------------

    def take(self, n_samples: int = FRAME_SAMPLES) -> Pcm:
        """The next int16[n] of output: zeros where nothing sounds. The caller sends it and calls `drain`."""
        out = silence(n_samples)
        filled = 0
        self._audible = False
        while filled < n_samples and self._queue:
            head = self._queue[0]
            filled += self._play(head, out[filled:])
            if not self._settle(head):
                if filled < n_samples and head.furthest and not head.paused:
                    head.starved = True
                    self.starved_samples += n_samples - filled
                break
        if filled < n_samples:
            self._duck.arrive()  # silence hides the rest of the ramp
        self.sample += n_samples - filled
        return out

    def drain(self) -> list[Extent]:
        """What happened since the last drain, in order of output position."""
        events, self._events = self._events, []
        return events

    @property
    def speaking(self) -> bool:
        """An utterance is on and not paused, whether or not its sound has come."""
        return bool(self._queue) and not self._queue[0].paused

    @property
    def audible(self) -> bool:
        """The last frame taken ended with speech less than 20 dB down."""
        return self._audible

    @property
    def current(self) -> str | None:
        """The utterance at the head of the queue, paused or not."""
        return self._queue[0].name if self._queue else None

    def queued_samples(self, utterance: str) -> int:
        """Samples of it still to be played; 0 once it has ended. A voice that is far ahead may wait."""
        found = self._known(utterance)
        return found.left if found else 0

    def heard(self, utterance: str) -> Heard:
        """What the far party has heard of it until now; final once it has ended. Raises `PlayoutError`."""
        found = self._known(utterance)
        return found.heard() if found else self._ended[utterance]

    def ahead(self) -> tuple[NextWord, ...]:
        """The words of the current utterance that are not played to their end; one under way began in the past.

        None while it is paused or cancelled.
        """
        head = self._queue[0] if self._queue else None
        if head is None or head.paused or head.cancelled:
            return ()
        shift = self.sample - head.place
        return tuple(
            NextWord(head.text[mark.start_char : mark.end_char], mark.end_char, mark.first_sample + shift, end + shift)
            for mark, end in bounds(head.text, head.marks, head.added, finished=head.finished)
            if mark.first_sample < head.place + head.left and end > head.place
        )

    # -- inside -------------------------------------------------------------------------------------------------

    def _play(self, head: _Utterance, room: Pcm) -> int:
        """Fills the front of `room` with what `head` has; returns how much that was."""
        begins = not head.furthest
        sound = head.play(len(room))
        if not len(sound):
            return 0
        if begins:
            self._events.append(Started(head.name, self.sample))
        if not self._duck.flat:
            sound = _scaled(sound, self._duck.take(len(sound)))
        self._audible = head.ramp.gain * self._duck.gain > INAUDIBLE_GAIN
        room[: len(sound)] = sound
        self.sample += len(sound)
        return len(sound)

    def _settle(self, utterance: _Utterance) -> bool:
        """Draws the conclusions of a change to `utterance`: it falls silent, or ends (True) with all behind it that
        had nothing to say."""
        if utterance.cancelled:
            ends = utterance.hushed or not utterance.sounding
        else:
            whole = utterance.finished or utterance.stop is not None
            ends = utterance is self._queue[0] and whole and not utterance.left
        if not ends:
            if utterance.paused and utterance.hushed and not utterance.silent:
                utterance.silent = True
                self._events.append(Paused(utterance.name, self.sample))
            return False
        self._queue.remove(utterance)
        heard = utterance.heard()
        self._ended[utterance.name] = heard
        if len(self._ended) > KEPT_ENDED:
            del self._ended[next(iter(self._ended))]
        self._events.append(Ended(utterance.name, self.sample, heard))
        if self._queue:
            self._settle(self._queue[0])
        return True

    def _known(self, name: str) -> _Utterance | None:
        """The utterance, or None where it has ended; raises `PlayoutError` where it never began."""
        for utterance in self._queue:
            if utterance.name == name:
                return utterance
        if name in self._ended:
            return None
        raise PlayoutError(f"utterance {name!r} was never begun, or ended more than {KEPT_ENDED} utterances ago")
