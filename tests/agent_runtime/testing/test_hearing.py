"""Simulated callers on their way to the recogniser: the same call always, in its band, with its noise."""

from __future__ import annotations

import json

import numpy as np
import pytest

from agent_runtime.testing.hearing import BANDS, VOICES, Hearing, on_the_line, spoken_call
from audio.frame import RATE_HZ, Pcm


def tone(hz: float) -> Pcm:
    at = np.arange(RATE_HZ)
    return np.round(3000 * np.sin(2 * np.pi * hz * at / RATE_HZ)).astype(np.int16)


def level_db(pcm: Pcm) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(pcm.astype(np.float64)))) / 32768))


def test_a_number_is_always_the_same_call() -> None:
    calls = [spoken_call(number) for number in range(40)]
    assert calls == [spoken_call(number) for number in range(40)]
    assert {call.band for call in calls} == set(BANDS)
    assert {call.voice for call in calls} <= set(VOICES)
    assert all(words for call in calls for words in call.stretches)
    assert any(word.tag == "name" for call in calls for words in call.stretches for word in words)


@pytest.mark.parametrize(("hz", "heard_in"), [(1_000, {"wide", "telephone"}), (5_500, {"wide"})])
def test_a_telephone_takes_the_high_tones(hz: float, heard_in: set[str]) -> None:
    for band in BANDS:
        sound = on_the_line(tone(hz), band, -60.0, np.random.default_rng(1))
        middle = sound[RATE_HZ // 2 : RATE_HZ]
        assert (level_db(middle) > -30) == (band in heard_in)


def test_noise_stands_around_the_words() -> None:
    sound = on_the_line(tone(1_000), "wide", -50.0, np.random.default_rng(1))
    assert len(sound) == RATE_HZ * 3 // 2
    assert level_db(sound[: RATE_HZ // 5]) == pytest.approx(-50, abs=0.5)
    assert level_db(sound[-RATE_HZ // 4 :]) == pytest.approx(-50, abs=0.5)


def test_a_hearing_is_one_line() -> None:
    line = Hearing(7, "slt", "wide", (("yes", "yes"), ("please", "")), "yes please").line()
    assert "\n" not in line
    assert json.loads(line) == [7, "slt", "wide", [["yes", "yes"], ["please", ""]], "yes please"]
