"""Clips, word files and voices: exact places, one clear line for each way to be wrong."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agent_runtime.testing.clips import (
    Clip,
    ClipError,
    Word,
    load_clip,
    read_words,
    save_clip,
    speech_bounds,
    write_words,
)
from agent_runtime.testing.synthesis import VOICES, SynthesisError, available, render


def test_speech_bounds_are_those_of_the_sound() -> None:
    pcm = np.zeros(16_000, np.int16)
    pcm[1600:8000] = 4000
    assert speech_bounds(pcm) == (1600, 7999)
    assert speech_bounds(np.zeros(100, np.int16)) is None


def test_a_clip_comes_back_from_its_file(tmp_path: Path) -> None:
    pcm = np.arange(-800, 800, dtype=np.int16)
    clip = Clip.of_pcm("hello there", pcm, [Word("hello", 0, 700), Word("there", 800, 1600)])
    save_clip(tmp_path / "a.wav", clip)
    back = load_clip(tmp_path / "a.wav")
    assert back.pcm is not None
    assert np.array_equal(back.pcm, pcm)
    assert (back.text, back.words) == ("hello there", clip.words)


def test_other_forms_are_read_through_the_recordings(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "a.wav"), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(np.full(800, 900, np.int16).tobytes())
    assert load_clip(tmp_path / "a.wav", "x").n_samples == 1600


def test_estimated_words_follow_each_other() -> None:
    clip = Clip.estimated("Hello, I'm here.")
    assert [word.text for word in clip.words] == ["hello", "i'm", "here"]
    assert clip.words[0].start_sample == 0
    assert clip.n_samples == clip.words[-1].end_sample
    assert clip.speech == (0, clip.n_samples - 1)


def test_words_in_seconds_and_at_other_rates(tmp_path: Path) -> None:
    path = tmp_path / "words.json"
    path.write_text('{"rate_hz": 8000, "words": [{"text": "a", "start_sample": 80, "end_s": 0.5}]}')
    assert read_words(path) == (Word("a", 160, 8000),)
    write_words(path, read_words(path))
    assert read_words(path) == (Word("a", 160, 8000),)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("{", "not JSON"),
        ("[]", "no list 'words'"),
        ({"rate_hz": 0, "words": []}, "rate_hz is 0"),
        ({"words": [{"start_s": 0, "end_s": 1}]}, "word 1 has no text"),
        ({"words": [{"text": "a", "end_s": 1}]}, "neither start_sample nor start_s"),
        ({"words": [{"text": "a", "start_s": -1, "end_s": 1}]}, "start_s = -1"),
        ({"words": [{"text": "a", "start_sample": 0.5, "end_sample": 1}]}, "start_sample = 0.5"),
        ({"words": [{"text": "a", "start_s": 2, "end_s": 1}]}, r"word 1 \('a'\) spans samples 32000 to 16000"),
        (
            {"words": [{"text": "a", "start_s": 0, "end_s": 2}, {"text": "b", "start_s": 1, "end_s": 3}]},
            "the word before ends at 32000",
        ),
    ],
)
def test_bad_word_files_get_one_line(tmp_path: Path, raw: object, message: str) -> None:
    path = tmp_path / "words.json"
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw))
    with pytest.raises(ClipError, match=message) as caught:
        read_words(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match=r"none\.json: no such file"):
        read_words(tmp_path / "none.json")
    with pytest.raises(ClipError, match=r"none\.wav: no such file"):
        load_clip(tmp_path / "none.wav")


def test_impossible_clips_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ClipError, match="expected int16"):
        Clip("a", (), 2, np.zeros(2, np.float32))
    with pytest.raises(ClipError, match="its last word at 9"):
        Clip.of_pcm("a", np.zeros(5, np.int16), [Word("a", 0, 9)])
    with pytest.raises(ClipError, match="no words"):
        Clip.estimated(" ")
    with pytest.raises(ClipError, match="has no audio to write"):
        save_clip(tmp_path / "a.wav", Clip.estimated("hello"))


@pytest.mark.parametrize("voice", VOICES)
def test_a_voice_speaks_with_exact_bounds_and_is_cached(tmp_path: Path, voice: str) -> None:
    reason = available(voice)
    if reason is not None:
        pytest.skip(reason)
    texts = ["my name is miller", "mm-hm", "my name is miller"]
    clips = render(texts, voice, cache=tmp_path)
    assert [clip.text for clip in clips] == texts
    first = clips[0]
    assert first.pcm is not None
    assert [word.text for word in first.words] == texts[0].split()
    assert all(word.end_sample > word.start_sample for word in first.words)
    start, last = first.speech
    assert start <= 320
    assert first.n_samples - last <= 321
    level = 20 * np.log10(np.sqrt(np.mean(np.square(first.pcm.astype(np.float64)))) / 32768)
    assert -23 < level < -18
    again = render(texts[:1], voice, cache=tmp_path)[0]
    assert again.pcm is not None
    assert np.array_equal(again.pcm, first.pcm)
    assert len(list(tmp_path.glob("*.wav"))) == 2


def test_words_of_festival_stand_where_they_sound() -> None:
    """The pause that a comma makes lies in no word's sound: each word is louder than the gap around it."""
    reason = available("slt")
    if reason is not None:
        pytest.skip(reason)
    clip = render(["wednesday. ten"], "slt")[0]
    assert clip.pcm is not None
    wednesday, ten = clip.words
    assert 0.4 < (wednesday.end_sample - wednesday.start_sample) / 16_000 < 0.9
    tail = clip.pcm[ten.end_sample - 3200 : ten.end_sample].astype(np.float64)
    assert np.sqrt(np.mean(tail**2)) > 500


@pytest.mark.parametrize("text", ["", "10:30", 'say "hello"', "..."])
def test_what_cannot_be_spoken_is_refused(text: str) -> None:
    with pytest.raises(SynthesisError, match="cannot be spoken"):
        render([text])


def test_an_unknown_voice_says_which_there_are() -> None:
    assert "expected one of slt" in (available("bob") or "")
    with pytest.raises(SynthesisError, match="voice 'bob' is unknown"):
        render(["hello"], "bob")
