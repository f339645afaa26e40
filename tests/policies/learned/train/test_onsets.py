"""The trainer of the ear for backchannels: what it hears, that it learns, and that it writes what it learned."""

from __future__ import annotations

import runpy
import shutil
import wave
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from audio.engines.silero.worker import Model
from policies import onset
from policies.learned.train import onset_speech
from policies.learned.train.onset_speech import LEAD_SAMPLES, Clip, is_core, is_held, make, undecided
from policies.learned.train.onsets import Heard, hear, rates, train, write

DEMO = Path(__file__).resolve().parents[4] / "examples" / "front_desk" / "calls" / "demo"


def toy(n_each: int, rng: np.random.Generator) -> Heard:
    """Low tones are backchannels, high ones are not."""
    heads, clips = [], []
    for number in range(2 * n_each):
        low = number % 2 == 0
        hz = rng.uniform(150, 400) if low else rng.uniform(1500, 3000)
        tone = 4000 * np.sin(2 * np.pi * hz * np.arange(onset.LOOK_MS * 16) / 16_000) + rng.normal(0, 50, 2080)
        heads.append(tone.astype(np.int16))
        clips.append(Clip("hm" if low else "wait", "toy", low, heads[-1]))
    return Heard(np.array(heads), np.array([float(clip.backchannel) for clip in clips]), tuple(clips))


def test_it_learns_what_can_be_learned_and_writes_what_it_learned(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    net = train(toy(60, rng), rng, nets=2, steps=80)
    new = toy(40, rng)
    assert rates(net, new)[0.01][0] == 1.0
    assert rates(net, new, length_ms=50)[0.01][0] == 1.0, "short beginnings are learned too"
    write(net, tmp_path / "weights.py")
    numbers = runpy.run_path(str(tmp_path / "weights.py"))
    for name, part in zip(("MEAN", "SCALE", "INNER", "INNER_BIAS", "OUTER"), net[:5], strict=True):
        assert np.allclose(np.array(numbers[name].split(), float), np.ravel(part), rtol=1e-3)
    assert numbers["OUTER_BIAS"] == pytest.approx(net[5], rel=1e-3)


def test_clips_are_heard_from_where_the_real_detector_says_they_begin() -> None:
    with wave.open(str(DEMO / "day-1.wav")) as sound:
        spoken = np.frombuffer(sound.readframes(9_600), "<i2")
    clip = Clip("on wednesday please", "demo", False, np.concatenate((np.zeros(LEAD_SAMPLES, np.int16), spoken)))
    silent = Clip("hm", "nobody", True, np.zeros(LEAD_SAMPLES + 9_600, np.int16))
    heard = hear([clip, silent], np.random.default_rng(1), Model(), times=3)
    assert heard.heads.shape == (6, onset.LOOK_MS * 16), (
        "three times and a copy beside each; what is missed is left out"
    )
    assert {found.voice for found in heard.clips} == {"demo"}
    loud = np.abs(heard.heads.astype(np.int32))
    assert (loud[:, -800:].mean(axis=1) > loud[:, :80].mean(axis=1)).all()


def test_phrases_are_told_apart() -> None:
    assert is_core("uh-huh")
    assert not is_core("right")
    assert [p for p in ("okay but can i come earlier", "um, could i come later", "uh huh", "okay") if undecided(p)] == [
        "okay but can i come earlier",
        "um, could i come later",
    ]
    assert is_held("in the morning please")
    assert not is_held("in april please")


def test_a_series_is_the_same_each_time() -> None:
    if shutil.which("flite") is None or shutil.which("espeak-ng") is None:
        pytest.skip("flite or espeak-ng is missing; `make system` installs them")
    first, again = (list(islice(make(1, 14, 4, 1_434), 3)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert (one.phrase, one.voice) == (other.phrase, other.voice)
        assert np.array_equal(one.pcm, other.pcm)
        assert one.voice.startswith("flite-") or one.voice in onset_speech._ESPEAK
    assert len({clip.phrase for clip in first}) > 1
