"""Clips: a stretch of recorded or synthesised speech with its text and the exact place of each word.

Also the one reader of ``words.json``, the form in which word-timed text enters the runtime (beside a clip, or as the
transcript track of a recording)::

    {"rate_hz": 16000, "words": [{"text": "hello", "start_sample": 320, "end_sample": 4800}]}

``start_s`` and ``end_s`` may stand for the samples. It refuses to know scripts and calls.
"""

from __future__ import annotations

import json
import math
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Clip", "ClipError", "Pcm", "Word", "load_clip", "read_words", "save_clip", "speech_bounds", "write_words"]

Pcm = NDArray[np.int16]
RATE_HZ = 16_000

_FRAME_SAMPLES = 160
_SPEECH_DBFS = -50.0
"""A 10 ms stretch louder than this is speech in a clean clip; hiss of the voices used lies below -65 dBFS."""

_CHAR_S = 0.065
_WORD_S = 0.06
"""Length of an estimated word: 65 ms a letter and 60 ms besides, about 170 words a minute (a rough fit to slt)."""


class ClipError(ValueError):
    """A clip or word file that cannot be used; one line naming the file, the value and the way out."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its samples: `start_sample` is its first, `end_sample` the first after it."""

    text: str
    start_sample: int
    end_sample: int


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Speech: `pcm` int16[n] at 16,000 Hz, or None where only the words and times are known (calls without audio).

    Word times count from the clip's first sample. `n_samples` is the length either way.
    """

    text: str
    words: tuple[Word, ...]
    n_samples: int
    pcm: Pcm | None = None

    def __post_init__(self) -> None:
        if self.pcm is not None and (self.pcm.dtype != np.int16 or self.pcm.shape != (self.n_samples,)):
            raise ClipError(
                f"clip {self.text!r} has pcm {self.pcm.dtype}{self.pcm.shape}; expected int16[{self.n_samples}]"
            )
        _check_order(self.words, f"clip {self.text!r}")
        if self.words and self.words[-1].end_sample > self.n_samples:
            raise ClipError(
                f"clip {self.text!r} ends at sample {self.n_samples}, "
                f"its last word at {self.words[-1].end_sample}; trim both alike"
            )

    @property
    def speech(self) -> tuple[int, int]:
        """(first, last) speech sample: by energy, or by words where there is no audio."""
        found = speech_bounds(self.pcm) if self.pcm is not None else None
        if found is not None:
            return found
        if self.words:
            return self.words[0].start_sample, self.words[-1].end_sample - 1
        return 0, self.n_samples - 1

    @classmethod
    def of_pcm(cls, text: str, pcm: Pcm, words: Sequence[Word] = ()) -> Clip:
        """A clip with audio."""
        return cls(text, tuple(words), len(pcm), pcm)

    @classmethod
    def estimated(cls, text: str) -> Clip:
        """A clip without audio whose word times are guessed from the spelling. Raises `ClipError` on empty text."""
        words: list[Word] = []
        now = 0
        for word in text.split():
            end = now + round((_WORD_S + _CHAR_S * sum(sign.isalpha() for sign in word)) * RATE_HZ)
            words.append(Word(word.strip(",.?!").lower(), now, end))
            now = end
        if not words:
            raise ClipError("clip has no words; expected at least one (a pause belongs to the line, not to a clip)")
        return cls(text, tuple(words), now)


def speech_bounds(pcm: Pcm, threshold_dbfs: float = _SPEECH_DBFS) -> tuple[int, int] | None:
    """(first, last) sample of the speech in int16[n], found by energy (10 ms frames); None where all is quieter."""
    n_frames = -(-len(pcm) // _FRAME_SAMPLES)
    padded = np.zeros(n_frames * _FRAME_SAMPLES, np.float64)
    padded[: len(pcm)] = pcm
    power = np.mean(np.square(padded.reshape(n_frames, _FRAME_SAMPLES)), axis=1)
    loud = np.flatnonzero(power > (32768 * 10 ** (threshold_dbfs / 20)) ** 2)
    if not len(loud):
        return None
    return int(loud[0]) * _FRAME_SAMPLES, min(len(pcm), (int(loud[-1]) + 1) * _FRAME_SAMPLES) - 1


# --- words.json --------------------------------------------------------------------------------------------------


def read_words(path: Path) -> tuple[Word, ...]:
    """The words of a ``words.json``, times at 16,000 Hz whatever its rate. Raises `ClipError`."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ClipError(f"{path}: no such file; expected word times as JSON") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ClipError(f"{path}: not JSON ({error}); expected {{'rate_hz': 16000, 'words': [...]}}") from error
    except OSError as error:
        raise ClipError(f"{path}: cannot be read ({error.strerror}); expected word times as JSON") from error
    if not isinstance(raw, dict) or not isinstance(raw.get("words"), list):
        raise ClipError(f"{path}: has no list 'words'; expected {{'rate_hz': 16000, 'words': [...]}}")
    rate_hz = raw.get("rate_hz", RATE_HZ)
    if not isinstance(rate_hz, int) or isinstance(rate_hz, bool) or not 1_000 <= rate_hz <= 384_000:
        raise ClipError(f"{path}: rate_hz is {rate_hz!r}; expected a whole number from 1000 to 384000")
    words = tuple(_read_word(path, number, item, rate_hz) for number, item in enumerate(raw["words"], 1))
    _check_order(words, str(path))
    return words


def _read_word(path: Path, number: int, item: Any, rate_hz: int) -> Word:
    where = f"{path}: word {number}"
    if not isinstance(item, dict) or not isinstance(item.get("text"), str) or not item["text"].strip():
        raise ClipError(f"{where} has no text; expected {{'text', 'start_sample', 'end_sample'}}")
    return Word(
        item["text"].strip(), _read_place(where, item, "start", rate_hz), _read_place(where, item, "end", rate_hz)
    )


def _read_place(where: str, item: dict[str, Any], edge: str, rate_hz: int) -> int:
    for key, per_second in ((f"{edge}_sample", rate_hz), (f"{edge}_s", 1)):
        if key not in item:
            continue
        value = item[key]
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < 0 or (per_second != 1 and value != int(value)):
            raise ClipError(f"{where} has {key} = {value!r}; expected a number from 0 on (samples are whole)")
        return round(float(value) * RATE_HZ / per_second)
    raise ClipError(f"{where} ({item['text']!r}) has neither {edge}_sample nor {edge}_s; give one")


def _check_order(words: Sequence[Word], where: str) -> None:
    before = 0
    for number, word in enumerate(words, 1):
        if not before <= word.start_sample <= word.end_sample:
            raise ClipError(
                f"{where}: word {number} ({word.text!r}) spans samples {word.start_sample} to {word.end_sample}, "
                f"the word before ends at {before}; expected words in order that do not overlap"
            )
        before = word.end_sample


def write_words(path: Path, words: Sequence[Word]) -> None:
    """Write a ``words.json`` at 16,000 Hz."""
    items = [{"text": word.text, "start_sample": word.start_sample, "end_sample": word.end_sample} for word in words]
    lines = ",\n ".join(json.dumps(item) for item in items)
    path.write_text(f'{{"rate_hz": {RATE_HZ}, "words": [\n {lines}\n]}}\n', encoding="utf-8")


# --- files -------------------------------------------------------------------------------------------------------


def words_beside(path: Path) -> Path:
    """Where the words of an audio file stand: ``hello.wav`` -> ``hello.words.json``."""
    return path.with_suffix(".words.json")


def save_clip(path: Path, clip: Clip) -> None:
    """Write a clip as 16-bit WAV with its words beside it."""
    if clip.pcm is None:
        raise ClipError(f"clip {clip.text!r} has no audio to write to {path}; render it first")
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE_HZ)
        out.writeframes(clip.pcm.astype("<i2").tobytes())
    write_words(words_beside(path), clip.words)


def load_clip(path: Path, text: str | None = None) -> Clip:
    """Read a clip: 16-bit mono WAV at 16,000 Hz by the standard library, anything else through `audio.recordings`.

    The words come from beside it; where there are none and no `text` is given, it has no text. Raises `ClipError`.
    """
    words = read_words(words_beside(path)) if words_beside(path).exists() else ()
    pcm = _read_plain_wav(path)
    if pcm is None:
        pcm = _read_any(path)
    return Clip.of_pcm(text if text is not None else " ".join(word.text for word in words), pcm, words)


def _read_plain_wav(path: Path) -> Pcm | None:
    try:
        with wave.open(str(path), "rb") as audio:
            if (audio.getnchannels(), audio.getsampwidth(), audio.getframerate()) != (1, 2, RATE_HZ):
                return None
            return np.frombuffer(audio.readframes(audio.getnframes()), "<i2").astype(np.int16)
    except FileNotFoundError as error:
        raise ClipError(f"{path}: no such file; expected the audio of a clip") from error
    except (wave.Error, EOFError):
        return None


def _read_any(path: Path) -> Pcm:
    from audio.recordings import RecordingError, open_recording

    try:
        recording = open_recording(path)
        if recording.channels != 1:
            raise ClipError(f"{path}: has {recording.channels} channels; expected a mono clip")
        return np.concatenate([np.zeros(0, np.int16), *recording.blocks(0)])
    except RecordingError as error:
        raise ClipError(str(error)) from error
