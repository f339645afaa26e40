"""Clips: in and out in every kind, trimmed and made as loud as asked."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from audio.clips import MOST_S, ClipError, export_clip, import_clip
from audio.frame import RATE_HZ, FrameError, Pcm, silence
from audio.recordings import CallWriter, RecordingError, write_wav
from audio.recordings.encoding import write_encoded


def tone(n_samples: int, peak: int = 8_000) -> Pcm:
    return np.asarray(np.sin(np.arange(n_samples) * 2 * np.pi * 300 / RATE_HZ) * peak, np.int16)


def level_dbfs(pcm: Pcm) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(pcm.astype(float) ** 2)) / 32_768))


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".WAV"])
def test_lossless_clips_come_back_as_they_went(tmp_path: Path, suffix: str) -> None:
    sound = tone(12_345)
    export_clip(tmp_path / f"clip{suffix}", sound)
    assert np.array_equal(import_clip(tmp_path / f"clip{suffix}"), sound)
    assert [p.name for p in tmp_path.iterdir()] == [f"clip{suffix}"]


@pytest.mark.parametrize("suffix", [".mp3", ".ogg", ".opus"])
def test_lossy_clips_come_back_alike(tmp_path: Path, suffix: str) -> None:
    sound = tone(RATE_HZ)
    export_clip(tmp_path / f"clip{suffix}", sound)
    back = import_clip(tmp_path / f"clip{suffix}")
    assert abs(len(back) - RATE_HZ) < 2_500
    assert level_dbfs(back[3_000:12_000]) == pytest.approx(level_dbfs(sound), abs=1)
    spectrum = np.abs(np.fft.rfft(back[4_000:12_000]))
    assert int(np.argmax(spectrum)) == 150, "300 Hz in steps of 2"
    assert (tmp_path / f"clip{suffix}").stat().st_size < 8_000


def test_two_channels_are_mixed(tmp_path: Path) -> None:
    with CallWriter(tmp_path / "two.wav") as writer:
        writer.write("caller", 0, np.full(100, 1_000, np.int16))
        writer.write("agent", 0, np.full(100, 501, np.int16))
    assert list(import_clip(tmp_path / "two.wav")) == [750] * 100


def test_trimming_leaves_the_sound_and_20_ms(tmp_path: Path) -> None:
    write_wav(tmp_path / "clip.wav", np.concatenate((silence(8_000), tone(4_800), silence(16_000))))
    trimmed = import_clip(tmp_path / "clip.wav", trim=True)
    assert len(trimmed) == pytest.approx(4_800 + 640, abs=320)
    assert np.abs(trimmed[:300]).max() == 0
    assert np.abs(trimmed[400:4_000]).max() == 8_000 or np.abs(trimmed[400:4_000]).max() == 7_999


def test_level_is_reached_unless_peaks_would_clip(tmp_path: Path) -> None:
    write_wav(tmp_path / "quiet.wav", tone(8_000, 500))
    assert level_dbfs(import_clip(tmp_path / "quiet.wav", level_dbfs=-20)) == pytest.approx(-20, abs=0.1)
    spiky = tone(8_000, 500)
    spiky[100] = 30_000
    write_wav(tmp_path / "spiky.wav", spiky)
    loud = import_clip(tmp_path / "spiky.wav", level_dbfs=-6)
    assert 32_500 <= loud.max() <= 32_767
    assert loud.min() > -2_000


def test_what_cannot_be_done_is_named(tmp_path: Path) -> None:
    write_wav(tmp_path / "silent.wav", silence(8_000))
    with pytest.raises(ClipError, match="nothing above -50 dBFS"):
        import_clip(tmp_path / "silent.wav", trim=True)
    with pytest.raises(ClipError, match="silent throughout"):
        import_clip(tmp_path / "silent.wav", level_dbfs=-20)
    with pytest.raises(ClipError, match=r"level is 3 dBFS"):
        import_clip(tmp_path / "silent.wav", level_dbfs=3)
    with pytest.raises(ClipError, match="no such file"):
        import_clip(tmp_path / "missing.wav")
    with pytest.raises(ClipError, match=r"ends in '\.txt'; expected \.wav or \.flac"):
        export_clip(tmp_path / "clip.txt", silence(1))
    for name in ("clip.wav", "clip.mp3"):
        with pytest.raises(ClipError, match="cannot be written"):
            export_clip(tmp_path / "nowhere" / name, silence(1))
    with pytest.raises(RecordingError, match=r"ends in 'nothing'|ends in nothing"):
        write_encoded(tmp_path / "clip", silence(1))
    with pytest.raises(FrameError, match="dtype float64"):
        export_clip(tmp_path / "clip.wav", np.zeros(3))  # type: ignore[arg-type]
    long = tmp_path / "long.wav"
    write_wav(long, silence(int((MOST_S + 1) * RATE_HZ)))
    with pytest.raises(ClipError, match="longer than 120 s; cut it"):
        import_clip(long)


def test_importing_is_light() -> None:
    script = "import sys, audio.clips; sys.exit('pydub' in sys.modules or 'av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=os.getcwd()).returncode == 0
