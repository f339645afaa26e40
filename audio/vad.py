"""From speech probabilities to edges: when a party began to speak, and when it fell silent.

The model that makes the probabilities runs elsewhere (`audio.engines.silero`); what an edge means for the turn is
decided elsewhere too: a stop is not the end of a turn. This file refuses to know both, and time: it counts samples.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from audio.frame import RATE_HZ, AudioError, Pcm, ms_to_samples

__all__ = [
    "HOP_SAMPLES",
    "WINDOW_SAMPLES",
    "Edge",
    "EdgeDetector",
    "EdgeKind",
    "SpeechSettings",
    "VadError",
    "level_db",
    "refine",
    "rise_behind",
]

WINDOW_SAMPLES = 512
"""Samples that one probability judges: 32 ms at 16 kHz, the window of silero-vad 6."""

HOP_SAMPLES = RATE_HZ // 100
"""Samples in one level value of `level_db`: 10 ms."""


class VadError(AudioError, ValueError):
    """A setting, probability or position the detector cannot use."""


class EdgeKind(StrEnum):
    """Which way the speech of a party changed."""

    START = "start"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Edge:
    """A change between silence and speech.

    `sample` is the best estimate of the first speech sample (start), or of the first sample after speech (stop);
    `decided_sample` is the end of the window that settled it, the earliest moment anybody can act on it. Latencies are
    counted from `sample`. `probability` is that of the window that settled it.
    """

    kind: EdgeKind
    sample: int
    decided_sample: int
    probability: float


@dataclass(frozen=True, slots=True)
class SpeechSettings:
    """When probabilities count as speech.

    `start_threshold` (probability, 0..1): silero's own default, 0.5 (silero-vad 6 `VADIterator`).
    `start_windows` (windows of 32 ms in a row): 2, so that a start is known 32-64 ms after its first sample and one
        odd window starts nothing; silero itself keeps clicks of 1-10 ms under 0.1 (tests/audio/test_vad.py).
    `stop_threshold` (probability): below it a window is silent; silero's default, 0.15 under the start.
    `stop_hangover_ms` (ms): silence until a stop is told. 200 is a guess that bridges stop consonants and the short
        gaps inside words; endpointing counts on from there.
    `minimum_speech_ms` (ms): a start is followed by its stop no sooner than this after it, however short the sound was,
        so that edges cannot flutter. 96 = three windows, a guess.
    Raises `VadError`.
    """

    start_threshold: float = 0.5
    start_windows: int = 2
    stop_threshold: float = 0.35
    stop_hangover_ms: int = 200
    minimum_speech_ms: int = 96

    def __post_init__(self) -> None:
        if not 0 < self.stop_threshold <= self.start_threshold <= 1:
            raise VadError(
                f"stop threshold {self.stop_threshold} and start threshold {self.start_threshold}; "
                "expected 0 < stop <= start <= 1"
            )
        if self.start_windows < 1:
            raise VadError(f"start after {self.start_windows} windows; expected 1 or more")
        if self.stop_hangover_ms < 0 or self.minimum_speech_ms < 0:
            raise VadError(
                f"hangover {self.stop_hangover_ms} ms and minimum {self.minimum_speech_ms} ms; expected 0 or more"
            )


class EdgeDetector:
    """Edges from the probabilities of one party, window after window.

    Starts and stops alternate, `decided_sample` grows, and a stop's `sample` never lies before its start's.
    """

    def __init__(self, settings: SpeechSettings | None = None) -> None:
        self.settings = settings or SpeechSettings()
        self._hangover_samples = ms_to_samples(self.settings.stop_hangover_ms)
        self._minimum_samples = ms_to_samples(self.settings.minimum_speech_ms)
        self._end = 0
        self._speaking = False
        self._run = 0
        self._began = 0
        self._silent_from = 0

    @property
    def speaking(self) -> bool:
        """True from a start edge until its stop edge."""
        return self._speaking

    def push(self, probability: float, first_sample: int) -> Edge | None:
        """The edge that this window settles, or None; the caller publishes an edge it gets.

        `first_sample` is where the window begins. Windows come in order; where some are missing (lost audio), what
        was missed counts as silence but proves nothing: a start needs its windows afresh, a stop needs one silent
        window after the gap. Raises `VadError`.
        """
        if not 0 <= probability <= 1:
            raise VadError(f"speech probability is {probability}; expected 0 to 1 (a NaN means broken input audio)")
        if first_sample < self._end:
            raise VadError(f"window starts at sample {first_sample}, before {self._end} where the last one ended")
        gap = first_sample > self._end
        self._end = first_sample + WINDOW_SAMPLES
        if self._speaking:
            return self._push_speaking(probability)
        return self._push_silent(probability, first_sample, gap)

    def finish(self) -> Edge | None:
        """The stop edge of speech that the end of the stream cut off, or None; afterwards the detector is as new,
        except that positions go on."""
        self._run = 0
        if not self._speaking:
            return None
        self._speaking = False
        return Edge(EdgeKind.STOP, self._silent_from, self._end, 0.0)

    def _push_silent(self, probability: float, first_sample: int, gap: bool) -> Edge | None:
        if probability < self.settings.start_threshold:
            self._run = 0
            return None
        if gap or not self._run:
            self._run, self._began = 0, first_sample
        self._run += 1
        if self._run < self.settings.start_windows:
            return None
        self._run = 0
        self._speaking = True
        self._silent_from = self._end
        return Edge(EdgeKind.START, self._began, self._end, probability)

    def _push_speaking(self, probability: float) -> Edge | None:
        if probability >= self.settings.stop_threshold:
            self._silent_from = self._end
            return None
        enough = self._end - self._silent_from >= self._hangover_samples
        if not enough or self._end - self._began < self._minimum_samples:
            return None
        self._speaking = False
        return Edge(EdgeKind.STOP, self._silent_from, self._end, probability)


def level_db(pcm: Pcm) -> NDArray[np.float64]:
    """float64[n // 160]: the level of each 10 ms of `pcm` int16[n], in dB over one quantisation step squared.

    Digital silence is 0 dB, full scale 90; the sample mean is not removed, since telephone audio carries no DC.
    """
    hops = pcm[: len(pcm) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, HOP_SAMPLES).astype(np.float64)
    return np.asarray(10 * np.log10(1 + (hops**2).mean(axis=1)))


def refine(edge: Edge, pcm: Pcm, first_sample: int) -> Edge:
    """`edge` with `sample` moved to the 10 ms hop where the level crosses halfway between the quiet and the loud part.

    `pcm` int16[n] is the sound around the edge, beginning at `first_sample`: one window before it to one window after
    is enough. Where quiet and loud are less than 6 dB apart (speech over noise, or the wrong stretch) the level tells
    nothing and `edge` comes back as it was. Halfway in dB is a guess that tests/audio/test_vad.py holds to 15 ms.
    """
    levels = level_db(pcm)
    if len(levels) < 2 or levels.max() - levels.min() < 6:
        return edge
    loud = np.flatnonzero(levels > (levels.max() + levels.min()) / 2)
    hop = int(loud[0]) if edge.kind is EdgeKind.START else int(loud[-1]) + 1
    return replace(edge, sample=min(first_sample + hop * HOP_SAMPLES, edge.decided_sample))


def rise_behind(pcm: Pcm, *, after_ms: int) -> tuple[int, int] | None:
    """Where the sound of `pcm` int16[n] dies away and where it rises again, in samples from its beginning: the first
    such place whose rise lies at least `after_ms` in; None where there is none.

    Away: 20 ms or more at least 20 dB under the loudest hop before; risen: within 12 dB of it. So the first sound and
    one spoken right behind it are told apart where the detector's hangover joins them. What comes later in `pcm`
    changes no answer. Guesses: synthetic clips fall by 50 dB between two phrases, a stop consonant lasts 50 ms.
    """
    loudest, away = 0.0, 0
    for hop, level in enumerate(level_db(pcm)):
        if level < loudest - 20:
            away += 1
            continue
        if away >= 2 and level >= loudest - 12 and hop * 10 >= after_ms:
            return (hop - away) * HOP_SAMPLES, hop * HOP_SAMPLES
        away = 0 if level >= loudest - 12 else away
        loudest = max(loudest, float(level))
    return None
