"""The organ that listens: caller audio in; edges, partials, finals and gaps out.

Audio flows door -> detector -> recogniser. A speech segment reaches from a start edge (with a little audio before it,
so that no onset is lost) to its stop edge; the recogniser hears segments, never silence. Windows that an echo guard
explains by our own voice count as silence to the edges. Blocks may come 20 ms at a
time (live) or a second ahead of time (a recording): the results are the same, and `Timeline` publishes them when they
are due.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from audio.echo import NEEDS_SAMPLES, EchoGuard
from audio.transcript import TranscriptTracker
from audio.vad import Edge, EdgeDetector, EdgeKind, SpeechSettings, refine, rise_behind
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
    held: float = 0.45
    """What looks this much like a backchannel is held against yielding (`policies.barge_in`): while we speak, speech
    right behind it begins a segment of its own, to be judged by itself."""
    hum_ms: int = 300
    """What dies away and rises before that is the inside of a backchannel (``hm`` lasts 200 to 260 ms, the closure of
    one ``okay`` of three ends after 290 ms, in synthetic voices)."""
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
        self,
        door: Door,
        detector: Detector,
        recogniser: Recogniser,
        timeline: Timeline,
        settings: ListeningSettings,
        guard: EchoGuard | None = None,
    ) -> None:
        self._door, self._recogniser, self._timeline, self._settings = door, recogniser, timeline, settings
        self._guard = guard
        self._probabilities = detector.open()
        self._edges = EdgeDetector(settings.speech)
        self._onset = settings.onset_ms * RATE_HZ // 1000
        self._look = LOOK_MS * RATE_HZ // 1000
        self._look_back = settings.look_back_ms * RATE_HZ // 1000
        self._spoken_to = 0  # the segment before ended here: nothing of it belongs to the next
        self._unsure: Edge | None = None
        self._hum_first: int | None = None  # where the open segment's hum began, while speech may follow right behind
        self._feed_limit: int | None = None  # from here on it may be that speech, which is not the hum's
        self._audio: Pcm = np.zeros(0, np.int16)  # recent audio: what is unjudged, and the onset before it
        self._audio_first = 0
        self._probability = 0.0  # of the window judged last
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
        await self._look_behind(self._audio_first + len(self._audio))

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
            speech = 0.0 if self._is_echo(float(probability)) else float(probability)
            self._probability = speech
            edge = self._edges.push(speech, self._judged)
            self._judged += WINDOW
            await self._look_again(self._judged)
            if edge is None:
                continue
            if edge.kind is EdgeKind.START:
                await self._start(edge)
            else:
                await self._stop(edge)
        if self._open and self._unsure is None:  # no words of a segment before its start is told
            await self._feed_to(self._judged if self._feed_limit is None else min(self._judged, self._feed_limit))
        self._forget()

    def _is_echo(self, probability: float) -> bool:
        """The next window sounds like speech and is our own voice."""
        end = self._judged + WINDOW
        if self._guard is None or not self._guard.possible(end):
            return False
        if probability < self._settings.speech.stop_threshold:
            self._guard.quiet()
            return False
        return self._guard.explains(self._between(end - NEEDS_SAMPLES, end), end)

    def _between(self, first: int, end: int) -> Pcm:
        return self._audio[max(0, first - self._audio_first) : max(0, end - self._audio_first)]

    async def _start(self, edge: Edge) -> None:
        around_first = max(self._audio_first, self._spoken_to, edge.sample - self._look_back)
        await self._begin(refine(edge, self._between(around_first, edge.decided_sample), around_first))

    async def _begin(self, edge: Edge) -> None:
        """Open the segment that begins with `edge`, and tell of it if its sound is clear."""
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
        self._hum_first = edge.sample if self._guard is not None and no_floor >= self._settings.held else None
        await self._put(
            SpeechStarted(edge.sample, known, round(edge.probability, 3), no_floor, self._segment),
            known,
            segment=self._segment,
        )

    async def _look_behind(self, end: int) -> None:
        """While we speak over a hum: tell of speech that begins right behind it, as soon as it can be judged."""
        if self._hum_first is None or self._guard is None:
            return
        if not self._guard.sounds(end) or end - self._hum_first > RATE_HZ:
            self._hum_first = self._feed_limit = None
            return
        found = rise_behind(self._between(self._hum_first, end), after_ms=self._settings.hum_ms)
        if found is None:
            return
        away, first = (self._hum_first + place for place in found)
        self._feed_limit = away
        for look, limit in ((self._look // 2, self._settings.doubt), (self._look, self._settings.held)):
            if end < first + look:
                return
            if asks_no_floor(self._between(first, first + look)) < limit:
                await self._close(Edge(EdgeKind.STOP, away, end, 0.0), away)
                await self._begin(Edge(EdgeKind.START, first, end, self._probability))
                self._segment_first = self._fed = away  # the hum before it was heard already
                return
        self._hum_first, self._feed_limit = first, None  # a hum behind a hum

    async def _stop(self, edge: Edge) -> None:
        if self._unsure is not None:
            await self._say_started(self._unsure, self._judged)
        around = self._between(edge.sample - 2 * WINDOW, edge.sample + WINDOW)
        refined = refine(edge, around, max(self._audio_first, edge.sample - 2 * WINDOW))
        await self._close(refined, edge.decided_sample)

    async def _close(self, edge: Edge, heard_to: int) -> None:
        """End the open segment; the recogniser hears of it what lies before sample `heard_to`."""
        await self._feed_to(heard_to)
        self._hum_first = self._feed_limit = None
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
        keep_from = self._judged - max(self._onset, NEEDS_SAMPLES) - 2 * WINDOW
        if self._hum_first is not None:
            keep_from = min(keep_from, self._hum_first)
        if keep_from - self._audio_first > 4 * self._onset:
            self._audio = self._audio[keep_from - self._audio_first :].copy()
            self._audio_first = keep_from
