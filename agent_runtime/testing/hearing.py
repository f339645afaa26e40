"""What our recogniser makes of simulated callers: their words spoken by several voices and heard again.

    python -m agent_runtime.testing.hearing --calls 250 --seed 0 --out hearings-0.jsonl

The training simulator invents the callers and the expert answers them without any noise, so that the words are those
that training sees; each caller keeps one voice, one band and one stream of the recogniser for the whole call, as on a
line. One line of JSON per stretch of speech comes out, which `policies.learned.train.confusions` counts. It needs
flite, festival's HTS voice and espeak-ng (`make system`), and it refuses to know what an error is.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np

from audio.engines.espeak.utterance import VoiceSettings
from audio.engines.espeak.voice import EspeakVoice
from audio.engines.sphinx.pool import SphinxPool, SphinxStream
from audio.frame import RATE_HZ, Pcm
from audio.g711 import decode_mulaw, encode_mulaw
from audio.language.files import build_language
from audio.resample import resample
from policies.learned.train.dialogue import Line, converse, new_call
from policies.learned.train.expert import Action, Expert
from policies.learned.train.spoken_caller import Word, text_of

from ..agent import Agent
from ..boxed import FRONT_DESK, cache_folder
from ..clock import run_live, run_outside, stopwatch
from .synthesis import SPEECH_DBFS, render

__all__ = ["BANDS", "VOICES", "Hearing", "SpokenCall", "on_the_line", "spoken_call"]

VOICES = (
    "slt", "flite-slt", "flite-slt", "flite-rms", "flite-rms", "flite-awb", "flite-awb", "flite-kal16", "flite-kal16",
    "espeak en-us 165 50", "espeak en-us 190 65", "espeak en-gb 170 40", "espeak en-gb-x-rp 175 60",
    "espeak en-gb-scotland 165 50", "espeak en-us-nyc 180 45", "espeak en-029 165 55",
)  # fmt: skip
"""Who may speak, some twice as often: voices of `synthesis`, and espeak-ng's by name, words a minute and pitch."""

BANDS = ("wide", "telephone")
"""16,000 Hz as it is, and 8,000 Hz through mu-law and back."""

_NOISE_DBFS = (-65.0, -40.0)
"""White noise under the speech, a level of each call between these: 20 to 45 dB below the speech (a guess)."""
_LEAD_S, _TAIL_S = 0.2, 0.3
"""Line noise heard before and after the words: the onset that `listening` keeps, and a detector's wait (a guess)."""
_RESTLESS = 1.8
"""As the recipe has it: rare turns come more often than in a test."""
_PATIENCE_S = 600.0
"""A recogniser that shares its core with much else is slow, not lost."""
_CHUNK_CALLS = 25
"""Calls whose texts go to a voice together, because festival loads its lexicon each time (1.5 s)."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """One stretch of speech: its words with their tags, and the recogniser's final words."""

    call: int
    voice: str
    band: str
    spoken: tuple[tuple[str, str], ...]
    heard: str

    def line(self) -> str:
        """As one line of JSON."""
        return json.dumps([self.call, self.voice, self.band, self.spoken, self.heard], separators=(",", ":"))


@dataclass(slots=True)
class _Overhearing(Expert):
    """The expert, keeping what it was told."""

    overheard: list[list[Word]] = field(default_factory=list)

    def hear(self, segments: list[list[Word]]) -> Action:
        self.overheard += segments
        return Expert.hear(self, segments)


@dataclass(frozen=True, slots=True)
class SpokenCall:
    """A caller's stretches of speech in one call, and how they reach us."""

    number: int
    voice: str
    band: str
    noise_dbfs: float
    stretches: tuple[tuple[Word, ...], ...]


def spoken_call(number: int) -> SpokenCall:
    """The call of a number, always the same: about ten stretches of speech."""
    rng = Random(number)
    voice, band, noise_dbfs = rng.choice(VOICES), rng.choice(BANDS), rng.uniform(*_NOISE_DBFS)
    call = new_call(rng, restless=_RESTLESS)
    expert = _Overhearing(call.situation, rng)
    converse(call, expert, Line(thoughts=0.0), rng)
    return SpokenCall(number, voice, band, noise_dbfs, tuple(tuple(words) for words in expert.overheard if words))


def on_the_line(pcm: Pcm, band: str, noise_dbfs: float, rng: np.random.Generator) -> Pcm:
    """`pcm` int16[n] at 16,000 Hz and -20 dBFS as a recogniser gets it: with silence around, noise, and its band."""
    padded = np.zeros(len(pcm) + round((_LEAD_S + _TAIL_S) * RATE_HZ))
    first = round(_LEAD_S * RATE_HZ)
    padded[first : first + len(pcm)] = pcm
    padded += rng.normal(0.0, 32768 * 10 ** (noise_dbfs / 20), len(padded))
    sound = np.clip(np.round(padded), -32768, 32767).astype(np.int16)
    if band == "wide":
        return sound
    narrow = resample(sound, RATE_HZ, 8_000)
    return resample(decode_mulaw(encode_mulaw(narrow)), 8_000, RATE_HZ)


def _levelled(pcm: Pcm) -> Pcm:
    """The same at the level at which `synthesis` gives its clips."""
    loud = np.abs(pcm.astype(np.float64))
    level = np.sqrt(np.mean(np.square(loud[loud > loud.max() / 10])))
    scaled = pcm * (32768 * 10 ** (SPEECH_DBFS / 20) / level)
    levelled: Pcm = np.clip(np.round(scaled), -32768, 32767).astype(np.int16)
    return levelled


async def _speak(texts: Sequence[str], voice: str, espeak: EspeakVoice) -> list[Pcm]:
    if not voice.startswith("espeak "):
        return [clip.pcm for clip in render(texts, voice) if clip.pcm is not None]
    _, name, rate_wpm, pitch = voice.split()
    settings = VoiceSettings(name, int(rate_wpm), int(pitch))
    spoken = []
    for text in texts:
        async with aclosing(espeak.speak(text, settings)) as chunks:
            spoken.append(_levelled(np.concatenate([chunk.pcm async for chunk in chunks])))
    return spoken


async def _heard_call(call: SpokenCall, spoken: Sequence[Pcm], stream: SphinxStream) -> list[Hearing]:
    noise = np.random.default_rng(call.number)
    found = []
    for words, pcm in zip(call.stretches, spoken, strict=True):
        await stream.feed(on_the_line(pcm, call.band, call.noise_dbfs, noise))
        heard = (await stream.finish()).text
        found.append(Hearing(call.number, call.voice, call.band, tuple((word.text, word.tag) for word in words), heard))
    return found


def _chunks(first: int, count: int) -> Iterator[list[SpokenCall]]:
    for start in range(first, first + count, _CHUNK_CALLS):
        yield [spoken_call(number) for number in range(start, min(start + _CHUNK_CALLS, first + count))]


async def _hear(first: int, count: int, out: Path) -> None:
    took_s = stopwatch()
    total = 0
    language = build_language(Agent.load(FRONT_DESK).sentences(), (), cache_folder() / "language")
    async with EspeakVoice(run_outside) as espeak, SphinxPool(run_outside, language, patience_s=_PATIENCE_S) as pool:
        with out.open("w", encoding="utf-8") as file:
            for calls in _chunks(first, count):
                said: dict[tuple[str, str], Pcm] = {}
                for voice in sorted({call.voice for call in calls}):
                    texts = sorted({text_of(one) for call in calls if call.voice == voice for one in call.stretches})
                    for text, pcm in zip(texts, await _speak(texts, voice, espeak), strict=True):
                        said[voice, text] = pcm
                for call in calls:
                    stream = await pool.open()
                    spoken = [said[call.voice, text_of(words)] for words in call.stretches]
                    for hearing in await _heard_call(call, spoken, stream):
                        file.write(hearing.line() + "\n")
                        total += 1
                    await stream.close()
                file.flush()
                print(f"{calls[-1].number - first + 1} calls, {total} stretches, {took_s():.0f} s", file=sys.stderr)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m agent_runtime.testing.hearing", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--calls", type=int, default=250)
    parser.add_argument("--seed", type=int, default=0, help="number of the first call; each call has its own")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines: call, voice, band, spoken words, heard")
    options = parser.parse_args()
    run_live(_hear(options.seed, options.calls, options.out))


if __name__ == "__main__":
    main()
