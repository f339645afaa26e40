"""Synthetic callers who say backchannels and other things over an agent: the clips that `onsets` learns from.

flite and espeak-ng (programs of the machine, `make system`) in many voices, rates and pitches; the voice that the
bench's callers speak with is not among them, neither festival's nor flite's version of it. No real speech is used.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from audio.frame import RATE_HZ

__all__ = ["HELD_VOICES", "LEAD_SAMPLES", "Clip", "is_core", "is_held", "load", "make", "undecided"]

LEAD_SAMPLES = 480
"""30 ms before the onset of each clip."""
LENGTH_SAMPLES = 9_600
"""0.6 s from the onset on."""
SERIES = ((1, 14, 4, 1_434), (2, 20, 7, 900))
"""(seed, clips of a backchannel, of another phrase, how many of the shuffled series are made): 2,329 clips."""

_FLITE = {"kal": 1, "kal16": 2, "rms": 4, "awb": 4}
"""Voice and how often."""
_ESPEAK = tuple(
    f"{accent}+{variant}"
    for accent in ("en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-029")
    for variant in "m1 m2 m3 m4 m5 m6 m7 f1 f2 f3 f4 f5 klatt klatt2 klatt4".split()
)
HELD_VOICES = frozenset(
    {"flite-awb"} | {v for v in _ESPEAK if v.startswith("en-gb-scotland") or v.endswith(("+f2", "+m4", "+klatt2"))}
)
_FLITE_PHONES = {
    "uh-huh": ("ah hh ah", "ah hh ah ah", "ah hh aa"),
    "uh huh": ("ah pau hh ah", "ah ah"),
    "mm-hm": ("m m hh m m", "m hh m", "m m m hh m m"),
    "mhm": ("m hh m m",),
    "hm": ("hh m m", "hh m m m", "m hh m"),
    "mm": ("m m", "m m m"),
    "aha": ("ah hh aa", "aa hh aa"),
}
_ESPEAK_PHONES = {
    "uh-huh": ("VhV", "V hV", "Vh'V"),
    "uh huh": ("V?V", "V_hV"),
    "mm-hm": ("m:hm:", "mmh'mm", "m-_h'm"),
    "mhm": ("mhm", "mhm:"),
    "hm": ("hm:", "hmm"),
    "mm": ("m:", "m:m"),
    "aha": ("Aha:", "aha:"),
}
"""Sounds that no lexicon has, as people make them."""
_CORE = frozenset(
    ("uh-huh", "uh huh", "mm-hm", "mhm", "hm", "mm", "okay", "ok", "yeah", "okay yeah", "yeah okay", "yeah yeah")
)
_OFTEN = _CORE - {"okay yeah", "yeah okay", "yeah yeah", "ok"} | {"right"}


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """`pcm` int16[10,080] at 16,000 Hz and -20 dBFS; speech begins at `LEAD_SAMPLES`."""

    phrase: str
    voice: str
    backchannel: bool
    pcm: NDArray[np.int16]


def is_core(phrase: str) -> bool:
    """A backchannel that sounds like nothing else: a hum, uh-huh, okay, yeah."""
    return phrase in _CORE


def undecided(phrase: str) -> bool:
    """Begins like a backchannel and goes on: its first 130 ms can be called neither."""
    first, _, rest = phrase.replace(",", "").partition(" ")
    return (first in ("uh", "um") and phrase != "uh huh") or rest.startswith("but ")


@lru_cache(maxsize=1)
def _phrases() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in Path(__file__).with_name("onset_phrases.txt").read_text(encoding="ascii").splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = []
        elif not line.startswith("#"):
            list(found.values())[-1].append(line)
    return found


def is_held(phrase: str) -> bool:
    """The phrase is not trained on."""
    return any(f"! {phrase}" in group for group in _phrases().values())


def load(folder: Path) -> list[Clip]:
    """All clips: from `folder`, where there, else made and kept in it."""
    clips: list[Clip] = []
    for seed, backchannels, others, most in SERIES:
        path = folder / f"onsets-{seed}-{backchannels}-{others}-{most}.npz"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            made = list(make(seed, backchannels, others, most))
            names = np.array([(clip.phrase, clip.voice, str(int(clip.backchannel))) for clip in made])
            np.savez(path, names=names, pcm=np.array([clip.pcm for clip in made]))
        with np.load(path) as kept:
            rows = zip(kept["names"].tolist(), kept["pcm"], strict=True)
            clips += [Clip(phrase, voice, flag == "1", pcm) for (phrase, voice, flag), pcm in rows]
    return clips


def make(seed: int, backchannels: int, others: int, most: int) -> Iterator[Clip]:
    """A series of clips, always the same for a seed: each backchannel `backchannels` times (common ones twice that),
    each other phrase `others` times, shuffled, the first `most` of it. What a voice cannot say is left out."""
    chance = Random(seed)
    phrases = {group: [line.removeprefix("! ") for line in lines] for group, lines in _phrases().items()}
    jobs: list[tuple[bool, str]] = []
    for phrase in phrases["backchannels"]:
        jobs += [(True, phrase)] * (backchannels * (2 if phrase in _OFTEN else 1))
    for group, times in (("others", others), ("others twice", 2 * others)):
        jobs += [(False, phrase) for phrase in phrases[group] for _ in range(times)]
    chance.shuffle(jobs)
    for backchannel, phrase in jobs[:most]:
        voice, sound = _said(phrase, chance)
        pcm = _trimmed(sound)
        if pcm is not None:
            yield Clip(phrase, voice, backchannel, pcm)


def _said(phrase: str, chance: Random) -> tuple[str, NDArray[np.float64]]:
    """(voice, sound at 16,000 Hz); played a little faster or slower, a voice becomes another one."""
    if chance.random() < 0.55:
        voice = chance.choices(list(_FLITE), list(_FLITE.values()))[0]
        stretch = chance.uniform(0.75, 1.3)
        rate_hz, sound = _flite(voice, stretch, phrase, chance)
        faster = chance.uniform(0.9, 1.3) if voice != "kal" else chance.uniform(0.85, 1.2)
        return f"flite-{voice}", _played(sound, rate_hz, faster)
    voice = chance.choice(_ESPEAK)
    rate_hz, sound = _espeak(voice, chance.randint(15, 85), chance.randint(130, 220), phrase, chance)
    return voice, _played(sound, rate_hz, chance.uniform(0.92, 1.12))


def _flite(voice: str, stretch: float, phrase: str, chance: Random) -> tuple[int, NDArray[np.float64]]:
    # flite takes a text with a space for words, one without for a file name
    sounds = _FLITE_PHONES.get(phrase)
    said = ["-p", f"pau {chance.choice(sounds)} pau"] if sounds else ["-t", f" {phrase}"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "said.wav"
        options = ["-voice", voice, "--setf", f"duration_stretch={stretch:g}"]
        subprocess.run(["flite", *options, *said, "-o", str(path)], check=True, capture_output=True)
        return _read(path.read_bytes())


def _espeak(voice: str, pitch: int, speed: int, phrase: str, chance: Random) -> tuple[int, NDArray[np.float64]]:
    text = phrase
    if phrase in _ESPEAK_PHONES and chance.random() < 0.8:
        text = f"[[{chance.choice(_ESPEAK_PHONES[phrase])}]]"
    options = ["-v", voice, "-p", str(pitch), "-s", str(speed), "--stdout"]
    return _read(subprocess.run(["espeak-ng", *options, text], check=True, capture_output=True).stdout)


def _read(data: bytes) -> tuple[int, NDArray[np.float64]]:
    with wave.open(io.BytesIO(data)) as audio:
        return audio.getframerate(), np.frombuffer(audio.readframes(audio.getnframes()), "<i2").astype(np.float64)


def _played(sound: NDArray[np.float64], rate_hz: int, faster: float) -> NDArray[np.float64]:
    """`sound` at 16,000 Hz, played `faster` (and so much higher), by cutting or padding its spectrum."""
    n_samples = int(len(sound) / (rate_hz * faster) * RATE_HZ)
    lines = np.fft.rfft(sound)
    fitted = np.zeros(n_samples // 2 + 1, complex)
    shared = min(len(fitted), len(lines))
    fitted[:shared] = lines[:shared]
    return np.fft.irfft(fitted, n_samples) * n_samples / len(sound)


def _trimmed(sound: NDArray[np.float64]) -> NDArray[np.int16] | None:
    """30 ms before the onset (within 32 dB of the loudest 5 ms) and 0.6 s after it, at -20 dBFS; None for silence."""
    power = (sound[: len(sound) // 80 * 80].reshape(-1, 80) ** 2).mean(axis=1)
    loud = np.flatnonzero(power > power.max() * 10**-3.2)
    if not len(loud) or not power.max():
        return None
    first = int(loud[0]) * 80 - LEAD_SAMPLES
    cut = np.concatenate((np.zeros(max(0, -first)), sound[max(0, first) :]))[: LEAD_SAMPLES + LENGTH_SAMPLES]
    level = float(np.sqrt((cut**2).sum() / max(1, len(cut) - LEAD_SAMPLES)))
    if level < 1:
        return None
    padded = np.pad(cut, (0, LEAD_SAMPLES + LENGTH_SAMPLES - len(cut)))
    return np.clip(padded / level * 3_276, -32_768, 32_767).astype(np.int16)
