"""What is learnt of a channel, against the decoder's own arithmetic written out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.engines.sphinx.channel import UNHEARD, Channel


def reported(start: Channel, heard: float, n_frames: int) -> str:
    """The mean that the decoder tells after `n_frames` of features that are all `heard` (cmn_live.c)."""
    sums, count = [value * 500 for value in start.mean], 500
    for _ in range(n_frames):
        sums, count = [value + heard for value in sums], count + 1
        if count == 800:
            sums, count = [value / 800 * 500 for value in sums], 500
    return ",".join(f"{value / count:.6g}" for value in sums)


@given(st.floats(-40, 90), st.integers(1, 3000))
def test_what_was_heard_is_found_behind_the_decoders_start(heard: float, n_frames: int) -> None:
    learnt = UNHEARD.learn(UNHEARD, reported(UNHEARD, heard, n_frames), n_frames)
    expected = (25 * 40 + n_frames * heard) / (25 + n_frames)
    # The decoder tells six digits, of which a short stretch is a small share.
    assert learnt.mean[0] == pytest.approx(expected, abs=0.02)
    assert learnt.frames == min(500, 25 + n_frames)


def test_nothing_heard_teaches_nothing() -> None:
    assert UNHEARD.learn(UNHEARD, UNHEARD.text, 0) is UNHEARD


def test_the_mean_travels_as_text() -> None:
    assert UNHEARD.text == "40,3,-1," + ",".join(["0"] * 10)


def times_listened(channel: Channel, n_frames: int) -> list[int]:
    """Frames after which a segment that goes on is listened to again."""
    again, used = [], channel
    for frame in range(0, n_frames, 4):
        if channel.worth_relistening(used, frame, ended=False):
            again.append(frame)
            used = Channel(used.mean, channel.frames + frame)
    return again


def test_a_first_segment_is_listened_to_again_and_a_known_channel_never() -> None:
    assert times_listened(UNHEARD, 2000) == [40, 80, 144, 248]
    assert times_listened(Channel(UNHEARD.mean, 200.0), 2000) == []


def test_the_end_of_a_short_first_segment_is_worth_it() -> None:
    assert UNHEARD.worth_relistening(UNHEARD, 30, ended=True)
    assert not UNHEARD.worth_relistening(UNHEARD, 30, ended=False)
    assert not Channel(UNHEARD.mean, 160.0).worth_relistening(Channel(UNHEARD.mean, 160.0), 300, ended=True)
