"""Frames: their checks, the reframer and the four conversions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.frame import (
    FRAME_SAMPLES,
    RATE_HZ,
    AudioError,
    Frame,
    FrameError,
    Reframer,
    check_pcm,
    ms_to_samples,
    s_to_samples,
    samples_to_ms,
    samples_to_s,
    silence,
)


def test_conversions_name_their_units() -> None:
    assert samples_to_s(8_000) == 0.5
    assert samples_to_s(8_000, 8_000) == 1.0
    assert samples_to_ms(320) == 20.0
    assert s_to_samples(0.02) == FRAME_SAMPLES
    assert ms_to_samples(20) == FRAME_SAMPLES
    assert ms_to_samples(20, 8_000) == 160
    assert s_to_samples(0.5 / RATE_HZ) == 1, "halves go up"
    assert s_to_samples(1.5 / RATE_HZ) == 2, "and not to the even neighbour"


@given(st.integers(0, 10**9), st.sampled_from((8_000, 16_000, 22_050, 48_000)))
def test_samples_survive_the_way_through_seconds(n_samples: int, rate_hz: int) -> None:
    assert s_to_samples(samples_to_s(n_samples, rate_hz), rate_hz) == n_samples
    assert ms_to_samples(samples_to_ms(n_samples, rate_hz), rate_hz) == n_samples


def test_frame_is_read_only_and_leaves_its_source_writable() -> None:
    source = silence(FRAME_SAMPLES)
    frame = Frame(source, 640)
    assert frame.end_sample == 960
    with pytest.raises(ValueError, match="read-only"):
        frame.pcm[0] = 1
    source[0] = 1
    assert Frame(frame.pcm, 0).pcm is frame.pcm


def test_frame_errors_name_value_limit_and_way_out() -> None:
    with pytest.raises(FrameError, match=r"160 samples at 8000 Hz; expected 320 at 16000 Hz \(resample first\)"):
        Frame(silence(160), 0, 8_000)
    with pytest.raises(FrameError, match=r"160 samples at 16000 Hz; .*\(reframe first\)"):
        Frame(silence(160), 0)
    with pytest.raises(FrameError, match="starts at sample -1"):
        Frame(silence(FRAME_SAMPLES), -1)
    assert issubclass(FrameError, AudioError)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (b"\0\0", "bytes; expected an int16 numpy array"),
        (np.zeros(320, np.float32), "dtype float32; expected int16"),
        (np.zeros((2, 320), np.int16), r"shape \(2, 320\); expected one channel"),
    ],
)
def test_check_pcm_refuses(wrong: object, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        check_pcm(wrong)  # type: ignore[arg-type]


def test_reframer_starts_where_told_and_refuses_negative_places() -> None:
    (frame,) = Reframer(5).push(silence(FRAME_SAMPLES))
    assert frame.first_sample == 5
    with pytest.raises(FrameError, match="starts at sample -5"):
        Reframer(-5)


@given(st.lists(st.integers(0, 1000), max_size=12))
def test_reframer_gives_back_what_it_was_given(sizes: list[int]) -> None:
    sound = np.arange(sum(sizes)).astype(np.int16)
    reframer, frames, start = Reframer(), list[Frame](), 0
    for size in sizes:
        frames += reframer.push(sound[start : start + size])
        start += size
        assert reframer.end_sample == start
        assert start - len(frames) * FRAME_SAMPLES < FRAME_SAMPLES, "nothing whole is held back"
    last = reframer.flush()
    if last is not None:
        frames.append(last)
    assert reframer.flush() is None
    assert [f.first_sample for f in frames] == [i * FRAME_SAMPLES for i in range(len(frames))]
    joined = np.concatenate([f.pcm for f in frames]) if frames else silence(0)
    assert np.array_equal(joined[: len(sound)], sound)
    assert not joined[len(sound) :].any()


def test_reframer_copies_so_that_a_buffer_may_be_reused() -> None:
    buffer = silence(FRAME_SAMPLES)
    (frame,) = Reframer().push(buffer)
    buffer[:] = 7
    assert not frame.pcm.any()
