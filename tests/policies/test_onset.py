"""What the first 130 ms of speech tell: hums and their like from the rest, whatever the level, quickly."""

from __future__ import annotations

import os
import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from policies import onset
from policies.barge_in import BargeInSettings
from policies.onset import LOOK_MS, asks_no_floor, band_levels, scores

RATE_HZ = 16_000
HELD = BargeInSettings().no_floor_threshold


def tone(*partials: tuple[float, float], ms: int = LOOK_MS) -> NDArray[np.int16]:
    """A sum of (hertz, amplitude) sines."""
    t = np.arange(ms * 16) / RATE_HZ
    wave_form: NDArray[np.float64] = np.sum([a * np.sin(2 * np.pi * f * t) for f, a in partials], axis=0)
    return wave_form.astype(np.int16)


DEMO = Path(__file__).resolve().parents[2] / "examples" / "front_desk" / "calls" / "demo"


@pytest.mark.parametrize(
    ("clip", "held"),
    [("listening-1", True), ("name-1", False), ("day-1", False), ("part-1", False), ("book-1", False)],
)
def test_a_voice_that_was_not_trained_on_hums_and_barges_in(clip: str, held: bool) -> None:
    """`mm-hm` and `my name is miller`, `on wednesday please`, `in the morning`, `i would like to book`."""
    with wave.open(str(DEMO / f"{clip}.wav")) as sound:
        pcm = np.frombuffer(sound.readframes(sound.getnframes()), "<i2")
    onset_at = int(np.flatnonzero(np.abs(pcm.astype(np.int32)) > 0.1 * np.abs(pcm.astype(np.int32)).max())[0])
    assert (asks_no_floor(pcm[max(0, onset_at - 80) :]) >= HELD) == held


def test_too_little_to_judge_holds_nothing_back() -> None:
    hum = tone((200, 4000), (400, 2000), (600, 500))
    assert asks_no_floor(hum[:799]) == 0.0
    assert asks_no_floor(hum[:800]) > 0.0
    assert asks_no_floor(hum // 100) == 0.0, "under -50 dBFS"
    assert asks_no_floor(np.zeros(0, np.int16)) == 0.0


def test_only_the_first_130_ms_count() -> None:
    hum = tone((200, 4000), (400, 2000))
    assert asks_no_floor(np.concatenate([hum, tone((3000, 8000))])) == asks_no_floor(hum)


def test_the_level_of_the_line_does_not_count() -> None:
    speech = tone((200, 800), (700, 500), (1800, 200))
    assert asks_no_floor(speech) == pytest.approx(asks_no_floor(speech * 8), abs=0.02)


def test_levels_lie_under_the_loudest_band_and_steps_not_heard_are_unknown() -> None:
    whole = band_levels(tone((1000, 4000))[None])[0].reshape(onset.N_STEPS, -1)
    assert whole.max() <= 0
    assert whole.min() >= -3
    assert set(whole.argmax(axis=1)) == {5}, "1,000 Hz lies in the sixth band"
    part = band_levels(tone((1000, 4000), ms=70)[None])[0].reshape(onset.N_STEPS, -1)
    assert np.isfinite(part[:3]).all()
    assert np.isnan(part[3:]).all()
    assert np.allclose(part[:3], whole[:3])


def test_what_is_not_heard_counts_as_average() -> None:
    mean, one = np.full(onset.N_INPUTS, -1.0), np.ones(onset.N_INPUTS)
    net = (mean, one, np.eye(onset.N_INPUTS), np.zeros(onset.N_INPUTS), one, 0.5)
    unknown = np.full((1, onset.N_INPUTS), np.nan)
    assert scores(unknown, *net)[0] == scores(mean[None], *net)[0] == 0.5
    unknown[0, 3] = 0.0
    assert scores(unknown, *net)[0] == pytest.approx(0.5 + np.tanh(1.0))


def test_recorded_words_rarely_pass_for_a_backchannel() -> None:
    """The price of holding: how many of 90 spoken digits would keep the agent talking until words are there."""
    from audio.recordings import open_recording

    folder = Path(os.environ.get("DUOLOGUE_CALLS", "")) / "fsdd"
    clips = sorted(folder.glob("*.wav"))
    if not os.environ.get("DUOLOGUE_CALLS") or not clips:
        pytest.skip("no recordings: set DUOLOGUE_CALLS to a folder that holds fsdd/")
    held = 0
    for clip in clips:
        pcm = np.concatenate(list(open_recording(clip).blocks(0)))
        level = np.sqrt(np.mean(np.square(pcm[: len(pcm) // 160 * 160].reshape(-1, 160), dtype=np.float64), axis=1))
        held += asks_no_floor(pcm[int(np.argmax(level > 0.1 * level.max())) * 160 :]) >= HELD
    assert held <= 0.1 * len(clips)
