"""Caller voices: texts to clips with exact word times, by programs that speech recognisers hear well.

festival with its HTS voice (slt) or flite; both are programs of the machine (`make system`), so `available` says why a
voice cannot be used. One process speaks a whole batch. It blocks: render before the call, never during it. Shipped
calls need none of this, their clips are files.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from audio.frame import RATE_HZ

from .clips import Clip, ClipError, Pcm, Word, load_clip, save_clip, speech_bounds

__all__ = ["VOICES", "SynthesisError", "available", "render"]

VOICES = {
    "slt": "festival's cmu_us_slt_arctic_hts",
    "flite-slt": "flite's slt",
    "flite-rms": "flite's rms",
    "flite-awb": "flite's awb",
    "flite-kal16": "flite's kal at 16,000 Hz",
}
"""The voices and where they come from; several, so that no test hangs on one speaker."""

SPEECH_DBFS = -20.0
"""Level of the speech (RMS from its first to its last loud sample), as telephone speech usually stands."""

_FORM = 3
"""Part of the cache key: grows when clips of the same text change."""
_MARGIN_SAMPLES = 160
"""10 ms kept before the first and after the last loud frame, so that soft beginnings survive."""
_BATCH = 200
_TIMEOUT_S = 180

_SAID = re.compile(r"[a-z0-9',.?! -]+", re.IGNORECASE)

_WORDS_OF_OURS = {"mm-hm": ("m m", "hh m m"), "uh-huh": ("ah", "hh ah"), "hm": ("hh m m",)}
"""Sounds that no lexicon has, as syllables of phones; their nasals are doubled, as people draw them out."""


class SynthesisError(ClipError):
    """Speech that could not be made; one line with the way out."""


def available(voice: str = "slt") -> str | None:
    """None when the voice can be used, else one line saying what is missing and the way out."""
    if voice not in VOICES:
        return f"voice {voice!r} is unknown; expected one of {', '.join(VOICES)}"
    program = "festival" if voice == "slt" else "flite"
    if shutil.which(program) is None:
        return f"{program} is not on the PATH; `make system` installs it (root)"
    if voice == "slt" and not any(_hts_folders()):
        return "festival has no voice cmu_us_slt_arctic_hts; install festvox-us-slt-hts (`make system`)"
    return None


def _hts_folders() -> list[Path]:
    roots = (Path("/usr/share/festival/voices"), Path("/usr/local/share/festival/voices"))
    return [folder for root in roots for folder in root.glob("*/cmu_us_slt_arctic_hts")]


def render(texts: Sequence[str], voice: str = "slt", *, cache: Path | None = None) -> list[Clip]:
    """A clip for each text, in order: trimmed, at -20 dBFS, with word times. Raises `SynthesisError`.

    Texts are plain words with ``, . ? !`` for prosody; word texts come back as written, lower case, without signs.
    With `cache`, a folder, clips made before are read from it and new ones are kept there (key: voice and text).
    """
    for text in texts:
        if not _SAID.fullmatch(text) or not re.search("[a-z]", text, re.IGNORECASE):
            raise SynthesisError(f"text {text!r} cannot be spoken; expected words with , . ? ! (figures as words)")
    found: dict[str, Clip] = {}
    wanted = list(dict.fromkeys(texts))
    if cache is not None:
        for text in wanted:
            path = _cached(cache, voice, text)
            if path.exists():
                found[text] = load_clip(path, text)
    missing = [text for text in wanted if text not in found]
    if missing:
        reason = available(voice)
        if reason is not None:
            raise SynthesisError(f"cannot render {len(missing)} texts: {reason}")
    for first in range(0, len(missing), _BATCH):
        batch = missing[first : first + _BATCH]
        spoken = _festival(batch) if voice == "slt" else [_flite(text, voice) for text in batch]
        for text, (pcm, ends) in zip(batch, spoken, strict=True):
            found[text] = _finish(text, pcm, ends)
            if cache is not None:
                _keep(_cached(cache, voice, text), found[text])
    return [found[text] for text in texts]


def _cached(cache: Path, voice: str, text: str) -> Path:
    key = hashlib.blake2b(f"{_FORM}\n{voice}\n{text}".encode(), digest_size=12).hexdigest()
    return cache / f"{key}.wav"


def _keep(path: Path, clip: Clip) -> None:
    """Write so that a reader (another process) sees all or nothing: the WAV, which is looked for, comes last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder) / path.name
        save_clip(made, clip)
        for part in (made.with_suffix(".words.json"), made):
            part.replace(path.parent / part.name)


# --- festival ----------------------------------------------------------------------------------------------------


def _festival(texts: Sequence[str]) -> list[tuple[Pcm, list[tuple[str, float]]]]:
    """(sound, [(word, end in seconds)]) of each text, all by one process."""
    with tempfile.TemporaryDirectory() as folder:
        program = ["(voice_cmu_us_slt_arctic_hts)"]
        for word, syllables in _WORDS_OF_OURS.items():
            shaped = " ".join(f"(({syllable}) {int(n == 0)})" for n, syllable in enumerate(syllables))
            program.append(f'(lex.add.entry \'("{word.replace("-", "")}" n ({shaped})))')
        for number, text in enumerate(texts):
            spelled = " ".join(_respelled(word) for word in text.split())
            program.append(
                f'(let ((u (utt.synth (Utterance Text "{spelled}"))))'
                f' (utt.save.wave u "{folder}/{number}.wav" \'riff)'
                f' (utt.save.words u "{folder}/{number}.words"))'
            )
        script = Path(folder) / "speak.scm"
        script.write_text("\n".join(program) + "\n", encoding="ascii")
        _run(["festival", "-b", str(script)], "festival")
        found = []
        for number, text in enumerate(texts):
            wav, label = Path(folder) / f"{number}.wav", Path(folder) / f"{number}.words"
            if not wav.exists() or not label.exists():
                raise SynthesisError(f"festival made no speech for {text!r}; it may hold a word that it cannot say")
            found.append((_read_wav(wav.read_bytes()), _read_ends(label.read_text(encoding="ascii", errors="replace"))))
        return found


def _respelled(word: str) -> str:
    bare = word.rstrip(",.?!").lower()
    return bare.replace("-", "") + word[len(bare) :] if bare in _WORDS_OF_OURS else word


def _read_ends(xlabel: str) -> list[tuple[str, float]]:
    """(word, end in seconds) of an xlabel file: lines ``end colour word`` after a ``#``. Endings (``'s``) join."""
    ends: list[tuple[str, float]] = []
    for line in xlabel.partition("#\n")[2].splitlines():
        fields = line.split(maxsplit=2)
        if len(fields) != 3:
            continue
        end_s, word = float(fields[0]), fields[2].strip().lower()
        if word.startswith("'") and ends:
            ends[-1] = (ends[-1][0] + word, max(ends[-1][1], end_s))
        else:
            ends.append((word, end_s))
    return ends


# --- flite -------------------------------------------------------------------------------------------------------


def _flite(text: str, voice: str) -> tuple[Pcm, list[tuple[str, float]]]:
    """(sound, [(word, end in seconds)]); flite tells phone times only, so words share them by their letters."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "said.wav"
        sound = _WORDS_OF_OURS.get(text.strip(" ,.?!").lower())
        # flite takes a text with a space for words, one without for a file name
        said = ["-p", f"pau {' '.join(sound)} pau"] if sound else ["-t", f" {text}"]
        listed = _run(["flite", "-voice", voice.removeprefix("flite-"), "-psdur", *said, "-o", str(wav)], "flite")
        pcm = _read_wav(wav.read_bytes())
    phones = [(name, float(end)) for name, _, end in (item.partition(":") for item in listed.split()) if end]
    return pcm, _shared_ends([word.strip(",.?!").lower() for word in text.split()], phones)


def _shared_ends(words: Sequence[str], phones: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    """Word ends by giving each word its share, in letters, of the phones that are no pause: good to about 50 ms."""
    spoken = [end for name, end in phones if name != "pau"]
    if not spoken:
        return []
    total = sum(map(len, words))
    ends: list[tuple[str, float]] = []
    letters = taken = 0
    for word in words:
        letters += len(word)
        taken = min(len(spoken), max(taken + 1, round(letters / total * len(spoken))))
        ends.append((word, spoken[taken - 1]))
    return ends


# --- both --------------------------------------------------------------------------------------------------------


def _run(command: Sequence[str], name: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise SynthesisError(f"{name} did not finish within {_TIMEOUT_S} s; give it fewer texts") from error
    except OSError as error:
        raise SynthesisError(f"{name} cannot be started ({error.strerror}); `make system` installs it") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise SynthesisError(f"{name} ended with status {done.returncode}: {said[-1] if said else 'no message'}")
    return done.stdout.decode(errors="replace")


def _read_wav(data: bytes) -> Pcm:
    """int16[n] at 16,000 Hz of a mono WAV; a higher whole multiple of the rate is filtered and thinned out."""
    with wave.open(io.BytesIO(data), "rb") as audio:
        rate_hz, width, channels = audio.getframerate(), audio.getsampwidth(), audio.getnchannels()
        raw = audio.readframes(audio.getnframes())
    if (width, channels) != (2, 1) or rate_hz % RATE_HZ:
        form = f"{rate_hz} Hz, {channels} channels, {8 * width} bits"
        raise SynthesisError(f"voice gave {form}; expected mono 16-bit at a multiple of 16000 Hz")
    pcm = np.frombuffer(raw, "<i2").astype(np.float64)
    step = rate_hz // RATE_HZ
    if step > 1:
        # windowed-sinc low pass at 0.45 of the new rate; symmetric, so nothing moves in time
        reach = np.arange(-48 * step, 48 * step + 1)
        taps = np.sinc(0.9 * reach / step) * np.hanning(len(reach))
        pcm = np.convolve(pcm, taps / taps.sum(), mode="same")[::step]
    return np.clip(np.round(pcm), -32768, 32767).astype(np.int16)


def _finish(text: str, pcm: Pcm, ends: Sequence[tuple[str, float]]) -> Clip:
    """Trim to the speech, set the level, place the words."""
    if not pcm.any():
        raise SynthesisError(f"voice gave silence for {text!r}; give it words that it knows")
    level = np.sqrt(np.mean(np.square(pcm[_loud_range(pcm)].astype(np.float64))))
    louder = np.clip(np.round(pcm * (32768 * 10 ** (SPEECH_DBFS / 20) / level)), -32768, 32767).astype(np.int16)
    bounds = speech_bounds(louder)
    assert bounds is not None
    first, end = max(0, bounds[0] - _MARGIN_SAMPLES), min(len(louder), bounds[1] + 1 + _MARGIN_SAMPLES)
    trimmed = louder[first:end]
    spelled = [bare for word in text.split() if (bare := word.strip(",.?!").lower())]
    names = spelled if len(spelled) == len(ends) else [word for word, _ in ends]
    words: list[Word] = []
    start = min(bounds[0] - first, len(trimmed))
    for name, (_, end_s) in zip(names, ends, strict=True):
        word_end = max(start, min(len(trimmed), round(end_s * RATE_HZ) - first))
        words.append(Word(name, start, word_end))
        start = word_end
    return Clip.of_pcm(text, trimmed, words)


def _loud_range(pcm: Pcm) -> slice:
    """The stretch between the first and the last sample louder than a tenth of the peak."""
    size = np.abs(pcm.astype(np.int32))
    loud = np.flatnonzero(size > int(size.max()) // 10)
    return slice(int(loud[0]), int(loud[-1]) + 1)
