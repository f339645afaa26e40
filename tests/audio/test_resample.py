"""The resampler: exact whatever the blocks, quiet where it must be, late by no more than it says."""

from __future__ import annotations

from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.frame import RATE_HZ, Pcm, silence
from audio.resample import DELAY_MS, STOP_DB, ResampleError, Resampler, resample

RATES = (8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000)
PAIRS = [(rate, RATE_HZ) for rate in RATES] + [(RATE_HZ, rate) for rate in RATES]


def tone(hz: float, rate_hz: int, n_samples: int, peak: float = 16_000) -> Pcm:
    return np.asarray(np.rint(peak * np.sin(2 * np.pi * hz / rate_hz * np.arange(n_samples))), np.int16)


def noise(n_samples: int, seed: int = 0) -> Pcm:
    return np.asarray(np.random.default_rng(seed).integers(-20_000, 20_000, n_samples), np.int16)


def rms(pcm: Pcm) -> float:
    return float(np.sqrt(np.mean(pcm.astype(np.float64) ** 2)))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(PAIRS), st.booleans(), st.lists(st.one_of(st.integers(0, 7), st.integers(0, 700)), max_size=8))
def test_blocks_make_no_difference(pair: tuple[int, int], aligned: bool, sizes: list[int]) -> None:
    sound = noise(sum(sizes), seed=len(sizes))
    whole = Resampler(*pair, aligned=aligned)
    expected = np.concatenate((whole.push(sound), whole.flush()))
    cut = Resampler(*pair, aligned=aligned)
    parts, start = [silence(0)], 0
    for size in sizes:
        parts.append(cut.push(sound[start : start + size]))
        start += size
    assert np.array_equal(np.concatenate((*parts, cut.flush())), expected)
    n_aligned = ceil(len(sound) * pair[1] / pair[0])
    assert len(expected) == n_aligned + whole.delay_samples


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_passband_is_flat_and_stopband_is_down(from_hz: int, to_hz: int) -> None:
    edge_hz = min(from_hz, to_hz) / 2
    worst_pass, worst_stop = 0.0, -200.0
    for hz in (100.0, 1_000.0, 2_500.0, edge_hz - 800):
        out = resample(tone(hz, from_hz, from_hz // 2), from_hz, to_hz)[1_000:-1_000]
        worst_pass = max(worst_pass, abs(20 * np.log10(rms(out) * np.sqrt(2) / 16_000)))
    assert worst_pass < 0.1
    # What lies above the edge must not fold into the output; what lies there as an image must not come out of it.
    for hz in (edge_hz + 100, edge_hz + 1_000, from_hz / 2 - 50):
        if edge_hz < hz < from_hz / 2:
            out = resample(tone(hz, from_hz, from_hz // 2), from_hz, to_hz)[1_000:-1_000]
            worst_stop = max(worst_stop, 20 * np.log10(max(rms(out), 0.3) * np.sqrt(2) / 16_000))
    if from_hz < to_hz:
        hz = edge_hz - 400
        out = resample(tone(hz, from_hz, from_hz // 2), from_hz, to_hz)[1_000:-1_000].astype(np.float64)
        power = np.abs(np.fft.rfft(out * np.blackman(len(out)))) ** 2
        at = np.fft.rfftfreq(len(out), 1 / to_hz)
        worst_stop = max(worst_stop, 10 * np.log10(power[at > edge_hz + 60].max() / power.max()))
    assert worst_stop < -STOP_DB + 1


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_delay_is_what_it_says(from_hz: int, to_hz: int) -> None:
    live = Resampler(from_hz, to_hz)
    assert 0 < live.delay_samples <= DELAY_MS * to_hz / 1000
    click = silence(from_hz // 10)
    click[from_hz // 100] = 20_000
    at = to_hz // 100
    late = int(np.argmax(np.abs(live.push(click))))
    assert late == pytest.approx(at + live.delay_samples, abs=1)
    aligned = Resampler(from_hz, to_hz, aligned=True)
    assert aligned.delay_samples == 0
    assert int(np.argmax(np.abs(aligned.push(click)))) == pytest.approx(at, abs=1)


@pytest.mark.parametrize("rate", [8_000, 24_000, 48_000])
def test_a_frame_stays_a_frame(rate: int) -> None:
    down, up = Resampler(rate), Resampler(RATE_HZ, rate)
    for _ in range(5):
        assert len(down.push(noise(rate // 50))) == 320
        assert len(up.push(noise(320))) == rate // 50


@pytest.mark.parametrize(("from_hz", "to_hz"), PAIRS)
def test_a_constant_stays_constant(from_hz: int, to_hz: int) -> None:
    out = resample(np.full(from_hz // 5, 12_345, np.int16), from_hz, to_hz)
    middle = out[to_hz // 50 : -to_hz // 50]
    assert np.all(middle == 12_345)


def test_there_and_back_again_is_the_same_speech_band() -> None:
    sound = np.asarray(tone(440, 8_000, 8_000, 6_000) + tone(2_900, 8_000, 8_000, 6_000), np.int16)
    back = resample(resample(sound, 8_000), RATE_HZ, 8_000)
    error = back[200:-200].astype(int) - sound[200:-200]
    assert np.abs(error).max() < 6_000 * 0.003


def test_peaks_are_cut_off_and_do_not_wrap() -> None:
    square = np.where(np.arange(800) // 20 % 2, 32_767, -32_768).astype(np.int16)
    out = resample(square, 8_000)
    assert out.max() == 32_767
    assert out.min() == -32_768
    assert np.sign(out[30]) == np.sign(square[15])


def test_equal_rates_pass_through_and_flush_starts_afresh() -> None:
    same = Resampler(RATE_HZ)
    sound = noise(100)
    passed = same.push(sound)
    assert np.array_equal(passed, sound)
    assert passed is not sound
    assert len(same.flush()) == 0
    assert same.delay_samples == 0
    twice = Resampler(8_000)
    first = np.concatenate((twice.push(sound), twice.flush()))
    assert np.array_equal(np.concatenate((twice.push(sound), twice.flush())), first)


@pytest.mark.parametrize("rate", [0, 3_999, 192_001])
def test_rates_out_of_range_are_refused(rate: int) -> None:
    with pytest.raises(ResampleError, match=f"rate is {rate} Hz; expected 4000 to 192000"):
        Resampler(rate)


def test_libsamplerate_at_its_best_agrees_in_the_speech_band() -> None:
    samplerate = pytest.importorskip("samplerate")
    kernel = np.hanning(41)
    sound = np.asarray(np.convolve(noise(8_000), kernel / kernel.sum(), "same"), np.int16)
    theirs = samplerate.resample(sound.astype(np.float32), 2.0, "sinc_best")
    ours = resample(sound, 8_000).astype(np.float64)
    n = min(len(ours), len(theirs)) - 400
    error = ours[400:n] - theirs[400:n]
    assert np.sqrt(np.mean(error**2)) < 0.01 * np.sqrt(np.mean(ours**2))
