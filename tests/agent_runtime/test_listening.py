"""The ears of a call: edges, partials, finals and gaps out of audio, the same however it is cut into blocks.

Detector and recogniser are exact ones: a window is speech if it is loud, and a loud stretch of 100 ms is one word.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from agent_runtime import events as ev
from agent_runtime.bus import Bus
from agent_runtime.clock import run_virtual
from agent_runtime.listening import Listening, ListeningSettings
from agent_runtime.log import MemoryLog
from agent_runtime.ports import CallerAudio
from agent_runtime.record import Entry
from agent_runtime.timeline import Timeline
from audio.vad import SpeechSettings
from policies.onset import LOOK_MS, asks_no_floor

RATE_HZ = 16_000
WORD = 1600


@dataclass(frozen=True)
class Word:
    """A recognised word, counted from the start of its segment."""

    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True)
class Hypothesis:
    """Words known after so many samples of the segment."""

    words: Sequence[Word]
    at_sample: int


class LoudnessDetector:
    """A window is speech if it is loud on average."""

    def open(self) -> LoudnessDetector:
        return self

    async def probabilities(self, pcm: Any, *, due_s: float | None = None) -> Any:
        windows = np.abs(pcm.reshape(-1, 512).astype(np.float32)).mean(axis=1)
        return np.where(windows > 500, 0.9, 0.05).astype(np.float32)


class CountingRecogniser:
    """Hears "w1", "w2", ... for each 100 ms of loud sound, checked every 40 ms of the segment."""

    def __init__(self) -> None:
        self.segments: list[int] = []
        """Samples fed for each segment."""
        self.closed = 0
        self._pcm = np.zeros(0, np.int16)
        self._seen = 0
        self._told: tuple[Word, ...] = ()

    async def open(self) -> CountingRecogniser:
        return self

    async def close(self) -> None:
        self.closed += 1

    def _words(self, end: int) -> tuple[Word, ...]:
        loud = np.flatnonzero(np.abs(self._pcm[:end]) > 500)
        if not len(loud):
            return ()
        count = len(loud) // WORD
        return tuple(Word(f"w{n + 1}", int(loud[n * WORD]), int(loud[(n + 1) * WORD - 1]) + 1) for n in range(count))

    async def feed(self, pcm: Any, *, due_s: float | None = None) -> list[Hypothesis]:
        self._pcm = np.concatenate((self._pcm, pcm))
        found = []
        while self._seen + 640 <= len(self._pcm):
            self._seen += 640
            words = self._words(self._seen)
            if words != self._told:
                self._told = words
                found.append(Hypothesis(words, self._seen))
        return found

    async def finish(self, *, due_s: float | None = None) -> Hypothesis:
        self.segments.append(len(self._pcm))
        final = Hypothesis(self._words(len(self._pcm)), len(self._pcm))
        self._pcm, self._seen, self._told = np.zeros(0, np.int16), 0, ()
        return final


class Line:
    """A door that brings a recording, `block` samples at a time; `missing`: (first, end) that never arrives."""

    facts: dict[str, Any] = {}  # noqa: RUF012 - a test door

    def __init__(self, pcm: Any, block: int, *, ahead: bool, missing: tuple[int, int] = (0, 0)) -> None:
        self.pcm, self.block, self.ahead, self.missing = pcm, block, ahead, missing

    async def listen(self) -> AsyncIterator[CallerAudio]:
        loop = asyncio.get_running_loop()
        for first in range(0, len(self.pcm), self.block):
            piece = self.pcm[first : first + self.block]
            if self.missing[0] <= first < self.missing[1]:
                continue
            if not self.ahead:
                await asyncio.sleep((first + len(piece)) / RATE_HZ - loop.time())
            yield CallerAudio(piece, first)


def sound(*stretches: tuple[float, float], seconds: float, tone_hz: float = 1000.0) -> Any:
    """Silence with tones from .. to (seconds)."""
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    pcm = np.zeros(len(time), np.int16)
    for begin_s, end_s in stretches:
        inside = (time >= begin_s) & (time < end_s)
        pcm[inside] = np.where(np.sin(2 * np.pi * tone_hz * time[inside]) >= 0, 8000, -8000)
    return pcm


def heard(
    line: Line, settings: ListeningSettings | None = None, detector: LoudnessDetector | None = None
) -> tuple[list[Entry], int, CountingRecogniser]:
    """The entries that hearing this line leads to, where it ended, and the recogniser."""
    log, recogniser = MemoryLog(), CountingRecogniser()

    async def main() -> int:
        bus = Bus(log, size=10_000)
        timeline = Timeline(bus, 0.0)
        loud = detector or LoudnessDetector()
        ears = Listening(line, loud, recogniser, timeline, settings or ListeningSettings())  # type: ignore[arg-type]
        async with asyncio.TaskGroup() as group:
            running = group.create_task(timeline.run())
            end = await ears.run(0.0)
            timeline.end()
            await running
        return end

    end = run_virtual(main())
    return log.entries, end, recogniser


def of(entries: list[Entry], kind: type) -> list[Any]:
    """Events of a kind."""
    return [entry.what for entry in entries if isinstance(entry.what, kind)]


SPOKEN = sound((1.0, 1.5), (3.0, 3.4), seconds=6.0)


def test_speech_has_an_edge_words_a_stop_and_a_final_text() -> None:
    entries, end, recogniser = heard(Line(SPOKEN, 320, ahead=False))
    assert end == len(SPOKEN)
    starts, stops, finals = (of(entries, kind) for kind in (ev.SpeechStarted, ev.SpeechStopped, ev.FinalTranscript))
    assert [start.segment for start in starts] == [1, 2]
    for start, stop, (begin_s, end_s) in zip(starts, stops, [(1.0, 1.5), (3.0, 3.4)], strict=True):
        assert abs(start.sample - begin_s * RATE_HZ) <= 160, "the edge is found to 10 ms"
        assert abs(stop.sample - end_s * RATE_HZ) <= 160
        assert start.known_sample - start.sample <= 96 * 16
        assert stop.known_sample - stop.sample <= 264 * 16
    assert [final.text for final in finals] == ["w1 w2 w3 w4 w5", "w1 w2 w3 w4"]
    first = finals[0].words[0]
    assert abs(first[1] - 16_000) <= 1, "word times stand on the line"
    assert recogniser.closed == 1


def test_events_come_when_they_are_known_and_name_the_start_of_their_segment() -> None:
    entries, _, _ = heard(Line(SPOKEN, 320, ahead=False))
    starts = {e.what.segment: e.seq for e in entries if isinstance(e.what, ev.SpeechStarted)}
    for entry in entries:
        what = entry.what
        if isinstance(what, ev.SpeechStarted):
            assert what.known_sample / RATE_HZ <= entry.at_s <= what.known_sample / RATE_HZ + 0.020
        if isinstance(what, (ev.PartialTranscript, ev.FinalTranscript)):
            assert entry.cause == starts[what.segment]
    revisions = [e.what.revision for e in entries if isinstance(e.what, (ev.PartialTranscript, ev.FinalTranscript))]
    assert revisions == list(range(1, len(revisions) + 1))
    assert [entry.at_us for entry in entries] == sorted(entry.at_us for entry in entries)


@pytest.mark.parametrize("block", [320, 512, 1000, 16_000, 96_000])
def test_the_size_of_the_blocks_changes_nothing(block: int) -> None:
    def whats(line: Line) -> list[Any]:
        return [entry.what for entry in heard(line)[0]]

    assert whats(Line(SPOKEN, block, ahead=True)) == whats(Line(SPOKEN, 160, ahead=True))


def test_read_ahead_of_time_it_is_still_told_in_time() -> None:
    ahead, _, _ = heard(Line(SPOKEN, 16_000, ahead=True))
    live, _, _ = heard(Line(SPOKEN, 320, ahead=False))
    assert [entry.what for entry in ahead] == [entry.what for entry in live]
    for early, late in zip(ahead, live, strict=True):
        assert -4_000 <= late.at_us - early.at_us <= 52_000, "a window of the detector and a frame, which live costs"


def test_the_recogniser_hears_segments_with_a_little_before_them_and_no_silence() -> None:
    _, _, recogniser = heard(Line(SPOKEN, 320, ahead=False))
    for samples, spoken_s in zip(recogniser.segments, (0.5, 0.4), strict=True):
        assert (0.25 + spoken_s) * RATE_HZ <= samples <= (0.25 + spoken_s + 0.3) * RATE_HZ


def test_a_partial_that_says_the_same_again_is_not_told() -> None:
    entries, _, _ = heard(Line(SPOKEN, 320, ahead=False))
    shown = [(p.segment, p.stable, p.tail) for p in of(entries, ev.PartialTranscript)]
    assert len(shown) == len(set(shown))
    assert shown[-1][0] == 2


def test_what_is_open_at_the_end_is_closed() -> None:
    entries, end, _ = heard(Line(sound((1.0, 2.0), seconds=2.0), 320, ahead=False))
    assert end == 32_000
    assert [type(entry.what).__name__ for entry in entries[-2:]] == ["SpeechStopped", "FinalTranscript"]


def test_silence_is_no_event() -> None:
    entries, end, recogniser = heard(Line(sound(seconds=3.0), 320, ahead=False))
    assert (entries, end, recogniser.segments) == ([], 48_000, [])


def test_missing_audio_is_told_and_the_line_keeps_its_count() -> None:
    pcm = sound((1.0, 1.5), (3.0, 3.5), seconds=5.0)
    entries, end, _ = heard(Line(pcm, 320, ahead=False, missing=(32_000, 40_000)))
    assert of(entries, ev.AudioLost) == [ev.AudioLost(32_000, 8_000, "the door delivered no audio for this stretch")]
    assert end == len(pcm)
    assert abs(of(entries, ev.SpeechStarted)[1].sample - 48_000) <= 160


def test_a_long_hole_is_closed_up_and_what_follows_stands_where_it_was_said() -> None:
    pcm = sound((1.0, 1.5), (19.0, 19.5), seconds=21.0)
    entries, end, _ = heard(Line(pcm, 320, ahead=False, missing=(32_000, 288_000)))
    assert of(entries, ev.AudioLost)[0].n_samples == 256_000
    assert end == len(pcm)
    assert abs(of(entries, ev.SpeechStarted)[1].sample - 19 * RATE_HZ) <= 160


def test_speech_that_a_long_hole_cuts_off_is_closed() -> None:
    pcm = sound((1.0, 12.0), seconds=14.0)
    entries, _, recogniser = heard(Line(pcm, 320, ahead=False, missing=(32_000, 160_000)))
    assert len(of(entries, ev.SpeechStarted)) == len(of(entries, ev.SpeechStopped)) == len(recogniser.segments)
    assert max(recogniser.segments) < 5 * RATE_HZ, "ten seconds of nothing are not fed to the recogniser"


HUM = ListeningSettings(doubt=0.0)
"""Whatever is heard first is looked at again."""


def test_what_begins_like_a_backchannel_is_told_a_moment_later_with_a_better_judgement() -> None:
    line = sound((1.0, 1.6), seconds=3.0, tone_hz=150.0)
    at_once, again = (
        of(heard(Line(line, 320, ahead=False), settings)[0], ev.SpeechStarted)[0]
        for settings in (ListeningSettings(doubt=1.1), HUM)
    )
    assert again.sample == at_once.sample
    assert at_once.known_sample - at_once.sample < again.known_sample - again.sample == LOOK_MS * 16
    onset = line[again.sample :]
    assert again.no_floor == round(asks_no_floor(onset), 3)
    assert at_once.no_floor == round(asks_no_floor(onset[: at_once.known_sample - at_once.sample]), 3)


@pytest.mark.parametrize("block", [320, 512, 1000, 16_000, 48_000])
def test_the_second_look_does_not_depend_on_the_size_of_the_blocks(block: int) -> None:
    line = sound((1.0, 1.6), (2.0, 2.04), seconds=3.0)
    assert [e.what for e in heard(Line(line, block, ahead=True), HUM)[0]] == [
        e.what for e in heard(Line(line, 160, ahead=True), HUM)[0]
    ]


def test_a_sound_shorter_than_the_second_look_is_told_with_its_stop() -> None:
    quick = ListeningSettings(speech=SpeechSettings(stop_hangover_ms=0, minimum_speech_ms=0), doubt=0.0)
    entries, _, _ = heard(Line(sound((1.0, 1.07), seconds=2.0), 320, ahead=False), quick)
    (start,) = of(entries, ev.SpeechStarted)
    assert start.known_sample - start.sample < LOOK_MS * 16
    assert [type(entry.what).__name__ for entry in entries] == ["SpeechStarted", "SpeechStopped", "FinalTranscript"]


class LateDetector(LoudnessDetector):
    """Believes what it hears two windows late, as real ones do with soft beginnings."""

    def __init__(self) -> None:
        self._loud = 0

    async def probabilities(self, pcm: Any, *, due_s: float | None = None) -> Any:
        found = await super().probabilities(pcm)
        for n, probability in enumerate(found):
            self._loud = self._loud + 1 if probability > 0.5 else 0
            found[n] = probability if self._loud > 2 else 0.05
        return found


def test_a_beginning_that_the_detector_believes_late_is_placed_where_it_was() -> None:
    line = Line(sound((1.0, 1.6), (1.68, 2.2), seconds=3.0), 320, ahead=False)
    entries, _, _ = heard(line, detector=LateDetector())
    first, second = of(entries, ev.SpeechStarted)
    assert abs(first.sample - 16_000) <= 160
    assert abs(second.sample - 26_880) <= 160, "and not where the segment before it ended"


def test_memory_stays_small_through_an_hour_of_silence() -> None:
    held: list[int] = []

    class Watched(Line):
        async def listen(self) -> AsyncIterator[CallerAudio]:
            for number in range(600):
                yield CallerAudio(np.zeros(RATE_HZ, np.int16), number * RATE_HZ)
                held.append(len(ears._audio))

    log = MemoryLog()
    ears: Any = None

    async def main() -> None:
        nonlocal ears
        timeline = Timeline(Bus(log), 0.0)
        line = Watched(np.zeros(0, np.int16), 1, ahead=True)
        ears = Listening(line, LoudnessDetector(), CountingRecogniser(), timeline, ListeningSettings())  # type: ignore[arg-type]
        await ears.run(0.0)

    run_virtual(main())
    assert max(held) < 3 * RATE_HZ
