"""Edges from probabilities: when they come, where they lie, and what the real model makes of clicks and recordings."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.engines.silero.worker import Job, Model, State
from audio.frame import RATE_HZ, Pcm, ms_to_samples, silence
from audio.recordings import open_recording
from audio.vad import (
    HOP_SAMPLES,
    WINDOW_SAMPLES,
    Edge,
    EdgeDetector,
    EdgeKind,
    SpeechSettings,
    VadError,
    level_db,
    refine,
    rise_behind,
)

MODEL = Model()


def edges_of(probabilities: list[float], settings: SpeechSettings | None = None) -> list[Edge]:
    detector = EdgeDetector(settings)
    found = [detector.push(p, i * WINDOW_SAMPLES) for i, p in enumerate(probabilities)]
    return [edge for edge in found if edge is not None]


def test_a_start_is_known_after_two_windows_and_a_stop_after_the_hangover() -> None:
    detector = EdgeDetector()
    settled = [detector.push(p, i * 512) for i, p in enumerate([0.1, 0.6, 0.9, 0.9, 0.4] + [0.1] * 7)]
    assert settled[2] == Edge(EdgeKind.START, 512, 3 * 512, 0.9)
    # 200 ms after window 4 ended: the seventh silent window passes it.
    assert settled[11] == Edge(EdgeKind.STOP, 5 * 512, 12 * 512, 0.1)
    assert [e for i, e in enumerate(settled) if i not in (2, 11)] == [None] * 10
    assert not detector.speaking


def test_one_odd_window_starts_nothing() -> None:
    assert edges_of([0.0, 0.99, 0.0, 0.99, 0.2, 0.99, 0.0]) == []


def test_a_short_gap_does_not_stop_and_the_last_speech_counts() -> None:
    edges = edges_of([0.9, 0.9, 0.1, 0.1, 0.1, 0.9] + [0.1] * 7)
    assert [e.kind for e in edges] == [EdgeKind.START, EdgeKind.STOP]
    assert edges[1].sample == 6 * 512


def test_minimum_speech_holds_a_stop_back() -> None:
    settings = SpeechSettings(stop_hangover_ms=0, minimum_speech_ms=160)
    (start, stop) = edges_of([0.9, 0.9, 0.0, 0.0, 0.0, 0.0], settings)
    assert stop.sample == 2 * 512
    assert stop.decided_sample - start.sample == ms_to_samples(160)


def test_missing_windows_prove_nothing() -> None:
    detector = EdgeDetector()
    assert detector.push(0.9, 0) is None
    assert detector.push(0.9, 2_000) is None, "a run of windows has no hole"
    assert detector.push(0.9, 2_512) == Edge(EdgeKind.START, 2_000, 3_024, 0.9)
    assert detector.push(0.9, 20_000) is None, "speech on both sides of a hole is one speech"
    assert detector.push(0.1, 40_000) == Edge(EdgeKind.STOP, 20_512, 40_512, 0.1)


def test_finish_closes_what_is_open() -> None:
    detector = EdgeDetector()
    assert detector.finish() is None
    detector.push(0.9, 0)
    detector.push(0.9, 512)
    detector.push(0.2, 1024)
    assert detector.speaking
    assert detector.finish() == Edge(EdgeKind.STOP, 1024, 1536, 0.0)
    assert detector.finish() is None
    with pytest.raises(VadError, match="starts at sample 0, before 1536"):
        detector.push(0.1, 0)


@pytest.mark.parametrize("probability", [float("nan"), -0.1, 1.1])
def test_a_probability_out_of_range_is_refused(probability: float) -> None:
    with pytest.raises(VadError, match="expected 0 to 1"):
        EdgeDetector().push(probability, 0)


def test_settings_are_checked() -> None:
    with pytest.raises(VadError, match=r"stop threshold 0\.6 and start threshold 0\.5"):
        SpeechSettings(stop_threshold=0.6)
    with pytest.raises(VadError, match="start after 0 windows"):
        SpeechSettings(start_windows=0)
    with pytest.raises(VadError, match="hangover -1 ms"):
        SpeechSettings(stop_hangover_ms=-1)


@given(st.lists(st.tuples(st.floats(0, 1), st.sampled_from((0, 0, 0, 700))), max_size=60))
def test_edges_alternate_and_never_go_back(steps: list[tuple[float, int]]) -> None:
    detector, at, edges = EdgeDetector(), 0, list[Edge]()
    for probability, hole in steps:
        edge = detector.push(probability, at + hole)
        at += hole + WINDOW_SAMPLES
        if edge:
            assert edge.decided_sample == at
            assert 0 <= edge.sample < edge.decided_sample or edge.kind is EdgeKind.STOP
            edges.append(edge)
        assert detector.speaking is bool(edges and edges[-1].kind is EdgeKind.START)
    last = detector.finish()
    edges += [last] if last else []
    assert [e.kind for e in edges] == [EdgeKind.START, EdgeKind.STOP] * (len(edges) // 2)
    for before, after in itertools.pairwise(edges):
        assert before.sample <= after.sample
        assert before.decided_sample <= after.decided_sample


def tone(n_samples: int, peak: int) -> Pcm:
    return np.asarray(np.sin(np.arange(n_samples) * 2 * np.pi * 200 / RATE_HZ) * peak, np.int16)


def test_level_is_per_10_ms_and_silence_is_0_db() -> None:
    levels = level_db(np.concatenate((silence(HOP_SAMPLES), tone(HOP_SAMPLES, 10_000), silence(3))))
    assert levels.shape == (2,)
    assert levels[0] == 0
    assert levels[1] == pytest.approx(77, abs=0.1)


@given(st.integers(320, 1_600), st.integers(0, 100))
def test_refine_finds_the_first_and_last_speech_to_15_ms(onset: int, noise: int) -> None:
    rng = np.random.default_rng(onset)
    room = np.asarray(rng.integers(-noise, noise + 1, 2_048), np.int16)
    start = Edge(EdgeKind.START, 512, 2_048, 0.9)
    sound = room.copy()
    sound[onset:] += tone(2_048 - onset, 4_000)
    found = refine(start, sound, 10_000 - 2_048)
    assert (found.kind, found.decided_sample, found.probability) == (
        start.kind,
        start.decided_sample,
        start.probability,
    )
    assert refine(start, sound, 0).sample == pytest.approx(onset, abs=240)
    backwards = room.copy()
    backwards[: 2_048 - onset] += tone(2_048 - onset, 4_000)
    stop = Edge(EdgeKind.STOP, 512, 2_048, 0.1)
    assert refine(stop, backwards, 0).sample == pytest.approx(2_048 - onset, abs=240)


def test_refine_leaves_an_edge_alone_where_the_level_tells_nothing() -> None:
    edge = Edge(EdgeKind.START, 512, 1_024, 0.9)
    assert refine(edge, silence(0), 0) is edge
    assert refine(edge, tone(1_600, 3_000), 0) is edge
    quiet_then_loud = np.concatenate((silence(1_600), tone(1_600, 3_000)))
    assert refine(edge, quiet_then_loud, 0).sample == 1_024, "never after the decision"


def probabilities_of(pcm: Pcm) -> list[float]:
    whole = pcm[: len(pcm) // WINDOW_SAMPLES * WINDOW_SAMPLES]
    (answer,) = MODEL.run([Job(whole, State.fresh())]).value
    return [float(p) for p in answer.probabilities]


@pytest.mark.parametrize("click_ms", [1, 3, 10, 30])
def test_the_real_model_and_the_detector_ignore_clicks(click_ms: int) -> None:
    rng = np.random.default_rng(click_ms)
    sound = rng.normal(0, 40, RATE_HZ)
    for at in (5_000, 9_000, 9_700):
        n = ms_to_samples(click_ms)
        sound[at : at + n] += rng.normal(0, 9_000, n)
    assert edges_of(probabilities_of(np.asarray(np.clip(sound, -32768, 32767), np.int16))) == []


def test_three_bursts_with_pauses_are_three_segments() -> None:
    folder = Path(os.environ.get("DUOLOGUE_CALLS", ""))
    if not (folder / "digits_vosk.wav").is_file():
        pytest.skip("set DUOLOGUE_CALLS to a folder that holds digits_vosk.wav")
    pcm = np.concatenate(list(open_recording(folder / "digits_vosk.wav").blocks(0)))
    edges = edges_of(probabilities_of(pcm))
    assert [e.kind for e in edges] == [EdgeKind.START, EdgeKind.STOP] * 3
    for edge in edges:
        assert 0 < edge.decided_sample - edge.sample <= ms_to_samples(64 if edge.kind is EdgeKind.START else 256)


def hops(*levels_db: float) -> Pcm:
    """int16[n]: 10 ms of noise at each of these levels (dB over one quantisation step)."""
    random = np.random.default_rng(3)
    return np.concatenate([random.standard_normal(160) * 10 ** (level / 20) for level in levels_db]).astype(np.int16)


def test_a_rise_behind_a_sound_that_died_away_is_found_with_the_quietest_place_before_it() -> None:
    sound = hops(*[75] * 30, 40, 25, 30, *[72] * 10)
    assert rise_behind(sound, after_ms=300) == (31 * 160, 33 * 160)
    assert rise_behind(sound[: 34 * 160], after_ms=300) == (31 * 160, 33 * 160), "what comes later changes nothing"
    assert rise_behind(sound[: 33 * 160], after_ms=300) is None


def test_what_is_too_early_too_short_or_too_shallow_is_no_rise() -> None:
    assert rise_behind(hops(*[75] * 20, 30, 30, *[75] * 9), after_ms=300) is None
    assert rise_behind(hops(*[75] * 30, 30, *[75] * 10), after_ms=300) is None
    assert rise_behind(hops(*[75] * 30, 60, 60, 60, *[75] * 10), after_ms=300) is None
    assert rise_behind(hops(*[75] * 30, 40, 40, 60, 60), after_ms=300) is None, "it stays quiet"
