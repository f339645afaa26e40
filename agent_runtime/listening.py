"""The organ that listens: caller audio in; edges, partials, finals and gaps out.

Audio flows door -> detector -> recogniser. A speech segment reaches from a start edge (with a little audio before it,
so that no onset is lost) to its stop edge; the recogniser hears segments, never silence. Blocks may come 20 ms at a
time (live) or a second ahead of time (a recording): the results are the same, and `Timeline` publishes them when they
are due.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from audio.transcript import TranscriptTracker
from audio.vad import Edge, EdgeDetector, EdgeKind, SpeechSettings, refine
from policies.onset import LOOK_MS, asks_no_floor

from .events import AudioLost, Event, FinalTranscript, PartialTranscript, SpeechStarted, SpeechStopped
from .ports import CallerAudio, Detector, Door, Hypothesis, Pcm, Recogniser
from .timeline import Timeline

__all__ = ["Listening", "ListeningSettings"]

WINDOW: Final = 512
RATE_HZ: Final = 16_000


@dataclass(frozen=True, slots=True)
class ListeningSettings:
    """How the caller is heard."""

    speech: SpeechSettings = field(default_factory=lambda: SpeechSettings(stop_hangover_ms=128))
    """Four windows of silence end a segment: what a pause means is for the endpointing policy, which must hear of it
    early (BENCHMARKS.md compares 200 ms)."""
    onset_ms: int = 250
    """Audio before the detected start that the recogniser also hears: the detector needs about 64 ms, and soft onsets
    (h, f, s) stand before that. A guess."""
    doubt: float = 0.15
    """What looks at least this much like a backchannel when the start is known (66 to 96 ms of it) is told only when
    `policies.onset.LOOK_MS` were heard and can be judged better; others are told at once."""
    look_back_ms: int = 160
    """The detector may take this long to believe a soft beginning; the level says where it really was. Measured on
    489 onsets of a synthetic voice: 95 % of starts are placed within 20 ms, with one window (32 ms) within 77 ms."""
    ahead_lag_ms: int = 4
    """A recording read ahead of time: a partial counts as known this long after its audio, about what one 32 ms feed
    and the hop to the worker cost live (BENCHMARKS.md). Live and scripted calls are charged what they really took."""
    longest_gap_s: int = 2
    """A longer hole in the audio is closed up rather than filled with silence."""


class Listening:
    """One call's ears. `run` ends when the door's audio ends."""

    def __init__(
        self, door: Door, detector: Detector, recogniser: Recogniser, timeline: Timeline, settings: ListeningSettings
    ) -> None:
        self._door, self._recogniser, self._timeline, self._settings = door, recogniser, timeline, settings
        self._probabilities = detector.open()
        self._edges = EdgeDetector(settings.speech)
        self._onset = settings.onset_ms * RATE_HZ // 1000
        self._look = LOOK_MS * RATE_HZ // 1000
        self._look_back = settings.look_back_ms * RATE_HZ // 1000
        self._spoken_to = 0  # the segment before ended here: nothing of it belongs to the next
        self._unsure: Edge | None = None
        self._audio: Pcm = np.zeros(0, np.int16)  # recent audio: what is unjudged, and the onset before it
        self._audio_first = 0
        self._judged = 0  # audio up to here has a probability
        self._fed = 0  # and up to here was heard by the recogniser, while a segment is open
        self._segment = 0
        self._segment_first = 0
        self._started_at = 0  # when the start of the segment was known: nothing of it is told before
        self._open = False
        self._revision = 0
        self._tracker = TranscriptTracker()
        self._shown = ("", "")

    async def run(self, line_origin_s: float) -> int:
        """Hear the call to its end; returns the sample after the last one."""
        self._line_origin_s = line_origin_s
        self._stream = await self._recogniser.open()
        try:
            async for block in self._door.listen():
                await self._hear(block)
            await self._finish()
        finally:
            await self._stream.close()
        end = self._audio_first + len(self._audio)
        return end

    async def _hear(self, block: CallerAudio) -> None:
        end = self._audio_first + len(self._audio)
        if block.first_sample > end:
            await self._lost(end, block.first_sample - end)
        self._audio = np.concatenate((self._audio, block.pcm))
        windows = (self._audio_first + len(self._audio) - self._judged) // WINDOW
        if windows:
            await self._judge(windows, block.first_sample)
        await self._look_again(self._audio_first + len(self._audio))

    async def _lost(self, first: int, n_samples: int) -> None:
        """Say what is missing and keep the sample line by silence in its place."""
        await self._put(AudioLost(first, n_samples, "the door delivered no audio for this stretch"), first)
        if n_samples > self._settings.longest_gap_s * RATE_HZ:
            n_windows = (n_samples - RATE_HZ) // WINDOW
            await self._feed_to(first)
            self._audio = np.zeros(0, np.int16)
            self._audio_first = self._judged = first + n_windows * WINDOW
            self._fed = self._audio_first
            n_samples -= n_windows * WINDOW
        self._audio = np.concatenate((self._audio, np.zeros(n_samples, np.int16)))

    async def _judge(self, windows: int, block_first: int) -> None:
        """Detect and recognise the next `windows` windows."""
        start = self._judged - self._audio_first
        due_s = self._line_origin_s + block_first / RATE_HZ if self._door.ahead else None
        pcm = self._audio[start : start + windows * WINDOW]
        probabilities = await self._probabilities.probabilities(pcm, due_s=due_s)
        for probability in probabilities:
            edge = self._edges.push(float(probability), self._judged)
            self._judged += WINDOW
            await self._look_again(self._judged)
            if edge is None:
                continue
            if edge.kind is EdgeKind.START:
                await self._start(edge)
            else:
                await self._stop(edge)
        if self._open and self._unsure is None:  # no words of a segment before its start is told
            await self._feed_to(self._judged)
        self._forget()

    def _between(self, first: int, end: int) -> Pcm:
        return self._audio[max(0, first - self._audio_first) : max(0, end - self._audio_first)]

    async def _start(self, edge: Edge) -> None:
        around_first = max(self._audio_first, self._spoken_to, edge.sample - self._look_back)
        edge = refine(edge, self._between(around_first, edge.decided_sample), around_first)
        self._segment += 1
        self._open = True
        self._tracker = TranscriptTracker()
        self._shown = ("", "")
        self._segment_first = self._fed = max(self._audio_first, edge.sample - self._onset)
        if asks_no_floor(self._between(edge.sample, edge.decided_sample)) < self._settings.doubt:
            await self._say_started(edge, edge.decided_sample)
        else:
            self._unsure = edge

    async def _look_again(self, end: int) -> None:
        """Tell of a start that was unsure, once the audio up to `end` holds enough of it."""
        if self._unsure is not None and end >= self._unsure.sample + self._look:
            await self._say_started(self._unsure, self._unsure.sample + self._look)

    async def _say_started(self, edge: Edge, known: int) -> None:
        """Publish the start of the open segment with what its sound up to sample `known` is like."""
        self._unsure = None
        known = max(known, edge.decided_sample)
        self._started_at = known
        no_floor = round(asks_no_floor(self._between(edge.sample, known)), 3)
        await self._put(
            SpeechStarted(edge.sample, known, round(edge.probability, 3), no_floor, self._segment),
            known,
            segment=self._segment,
        )

    async def _stop(self, edge: Edge) -> None:
        if self._unsure is not None:
            await self._say_started(self._unsure, self._judged)
        await self._feed_to(edge.decided_sample)
        around = self._between(edge.sample - 2 * WINDOW, edge.sample + WINDOW)
        edge = refine(edge, around, max(self._audio_first, edge.sample - 2 * WINDOW))
        self._spoken_to = edge.sample
        segment = self._segment
        await self._put(SpeechStopped(edge.sample, edge.decided_sample), edge.decided_sample, segment=segment)
        final = await self._stream.finish()
        self._open = False
        self._revision += 1
        first = self._segment_first
        words = tuple((word.text, first + word.start_sample, first + word.end_sample) for word in final.words)
        text = " ".join(word for word, _, _ in words)
        await self._put(
            FinalTranscript(segment, self._revision, edge.decided_sample, text, words),
            edge.decided_sample,
            segment=segment,
        )

    async def _feed_to(self, end: int) -> None:
        """Give the recogniser the open segment's audio up to `end`, and publish what it makes of it."""
        if not self._open or end <= self._fed:
            return
        pcm = self._between(self._fed, end)
        due_s = self._line_origin_s + self._fed / RATE_HZ if self._door.ahead else None
        self._fed = end
        for hypothesis in await self._stream.feed(pcm, due_s=due_s):
            await self._partial(hypothesis)

    async def _partial(self, hypothesis: Hypothesis) -> None:
        now = max(self._segment_first + hypothesis.at_sample, self._started_at)
        split = self._tracker.update([word.text for word in hypothesis.words], now)
        shown = (" ".join(split.stable), " ".join(split.tail))
        if shown == self._shown:
            return
        self._shown = shown
        self._revision += 1
        await self._put(PartialTranscript(self._segment, self._revision, now, *shown), now, segment=self._segment)

    async def _finish(self) -> None:
        """The audio ended: close what is still open."""
        if self._open and (edge := self._edges.finish()) is not None:
            await self._stop(edge)

    async def _put(self, event: Event, sample: int, *, segment: int = 0) -> None:
        lag_s = self._settings.ahead_lag_ms / 1000 if self._door.ahead else 0.0
        await self._timeline.put(event, sample=sample, segment=segment, lag_s=lag_s)

    def _forget(self) -> None:
        """Keep the unjudged audio and the onset before it."""
        keep_from = self._judged - self._onset - 2 * WINDOW
        if keep_from - self._audio_first > 4 * self._onset:
            self._audio = self._audio[keep_from - self._audio_first :].copy()
            self._audio_first = keep_from
