"""Recordings: every common kind reads the same, every bad file is one clear error, a call is written whole or not."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import tracemalloc
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audio.frame import RATE_HZ, FrameError, Pcm, silence
from audio.recordings import (
    CallWriter,
    Party,
    RecordingError,
    open_call,
    open_recording,
    write_wav,
)


def chirp(rate_hz: int, duration_s: float, low_hz: float = 200, high_hz: float = 2_000) -> Pcm:
    t = np.arange(int(rate_hz * duration_s)) / rate_hz
    phase = 2 * np.pi * (low_hz * t + (high_hz - low_hz) * t**2 / (2 * duration_s))
    return np.asarray(12_000 * np.sin(phase), np.int16)


def encode(path: Path, codec: str, rate_hz: int, channels: list[Pcm], sample_format: str = "s16") -> Path:
    """A file made by PyAV: `channels` int16 each, in the sample format that the codec wants."""
    layout = {1: "mono", 2: "stereo", 3: "2.1"}[len(channels)]
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=rate_hz)
        assert isinstance(stream, av.AudioStream)
        stream.layout = layout
        packed = np.stack(channels, axis=1).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate, frame.pts = rate_hz, 0
        resampler = av.AudioResampler(format=sample_format, layout=layout, rate=rate_hz)
        fifo = av.AudioFifo()
        for converted in [*resampler.resample(frame), *resampler.resample(None)]:
            fifo.write(converted)
        size = stream.codec_context.frame_size or 4_096
        while (piece := fifo.read(size, partial=True)) is not None:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))
    return path


def read(path: Path, channel: int = 0) -> Pcm:
    return np.concatenate([silence(0), *open_recording(path).blocks(channel)])


def riff(tag: int, bits: int, channels: int, rate_hz: int, data: bytes, declared: int | None = None) -> bytes:
    block = channels * bits // 8
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate_hz, rate_hz * block, block, bits)
    body = fmt + struct.pack("<4sI", b"data", len(data) if declared is None else declared) + data
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WAVE") + body


LOSSLESS = [
    ("pcm_u8", "wav", "u8", 8_000, 300),
    ("pcm_s16le", "wav", "s16", 8_000, 3),
    ("pcm_s16le", "wav", "s16", 16_000, 0),
    ("pcm_s24le", "wav", "s32", 22_050, 3),
    ("pcm_s32le", "wav", "s32", 44_100, 3),
    ("pcm_f32le", "wav", "flt", 24_000, 3),
    ("pcm_f64le", "wav", "dbl", 48_000, 3),
    ("pcm_mulaw", "wav", "s16", 8_000, 600),
    ("pcm_alaw", "wav", "s16", 8_000, 600),
    ("flac", "flac", "s16", 16_000, 0),
    ("flac", "flac", "s16", 11_025, 3),
]


@pytest.mark.parametrize(("codec", "suffix", "sample_format", "rate_hz", "most_error"), LOSSLESS)
@pytest.mark.parametrize("n_channels", [1, 2])
def test_lossless_kinds_read_sample_for_sample(
    tmp_path: Path, codec: str, suffix: str, sample_format: str, rate_hz: int, most_error: int, n_channels: int
) -> None:
    channels = [chirp(rate_hz, 0.5), chirp(rate_hz, 0.5, 1_500, 300)][:n_channels]
    path = encode(tmp_path / f"a.{suffix}", codec, rate_hz, channels, sample_format)
    recording = open_recording(path)
    assert (recording.channels, recording.rate_hz, recording.codec) == (n_channels, rate_hz, codec)
    assert recording.duration_s == pytest.approx(len(channels[0]) / rate_hz)
    for channel, low_hz, high_hz in ((0, 200, 2_000), (1, 1_500, 300))[:n_channels]:
        got = read(path, channel)
        assert len(got) == -(-len(channels[0]) * RATE_HZ // rate_hz)
        t = np.arange(len(got)) / RATE_HZ
        expected = 12_000 * np.sin(2 * np.pi * (low_hz * t + (high_hz - low_hz) * t**2))
        middle = slice(200, -200)
        limit = most_error if rate_hz == RATE_HZ and not most_error else most_error + 40
        assert np.abs(got[middle] - expected[middle]).max() <= limit + 1


@pytest.mark.parametrize(
    ("codec", "suffix", "sample_format", "rate_hz"),
    [("libmp3lame", "mp3", "s16p", 44_100), ("libopus", "ogg", "s16", 48_000), ("libopus", "opus", "s16", 16_000)],
)
def test_lossy_kinds_are_in_place_and_alike(
    tmp_path: Path, codec: str, suffix: str, sample_format: str, rate_hz: int
) -> None:
    path = encode(tmp_path / f"a.{suffix}", codec, rate_hz, [chirp(rate_hz, 1.0)], sample_format)
    got, expected = read(path).astype(float), chirp(RATE_HZ, 1.0).astype(float)
    assert abs(len(got) - RATE_HZ) < 0.1 * RATE_HZ
    lags = range(-400, 401, 4)
    alike = [float(np.dot(got[2_000 + lag : 14_000 + lag], expected[2_000:14_000])) for lag in lags]
    best = int(np.argmax(alike))
    assert abs(lags[best]) <= 320, "encoder delay is cut off to within a frame"
    norm = np.linalg.norm(got[2_000:14_000]) * np.linalg.norm(expected[2_000:14_000])
    assert alike[best] / norm > 0.9


def test_bad_files_are_one_line_each(tmp_path: Path) -> None:
    whole = encode(tmp_path / "whole.wav", "pcm_s16le", 8_000, [chirp(8_000, 1.0)]).read_bytes()
    ogg = encode(tmp_path / "whole.ogg", "libopus", 48_000, [chirp(48_000, 2.0)]).read_bytes()
    encode(tmp_path / "three.wav", "pcm_s16le", 8_000, [chirp(8_000, 0.1)] * 3)
    cases = {
        "empty.wav": b"",
        "text.wav": b"this is a letter, not a sound\n" * 50,
        "playlist.m3u8": b"#EXTM3U\n#EXTINF:1,\nwhole.wav\n#EXT-X-ENDLIST\n",
        "headless.wav": whole[:36],
        "short.wav": whole[:-6_000],
        "short.ogg": ogg[: len(ogg) - 700],
        "nothing.wav": riff(1, 16, 1, 8_000, b""),
        "slow.wav": riff(1, 16, 1, 1_000, bytes(4_000)),
    }
    messages = {
        "empty.wav": "is empty, 0 bytes",
        "text.wav": "not readable as audio",
        "playlist.m3u8": "not readable as audio",
        "headless.wav": "cut short, 36 bytes without a data chunk",
        "short.wav": "cut short, 10000 of 16000 bytes of sound",
        "short.ogg": "cut short, .* bytes of its last page",
        "nothing.wav": "holds no sound, 0 samples",
        "slow.wav": "rate is 1000 Hz; expected 4000 to 192000",
        "three.wav": "has 3 channels; limit 2",
        "missing.wav": "no such file",
        "": "is a folder",
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
    for name, message in messages.items():
        with pytest.raises(RecordingError, match=message) as caught:
            open_recording(tmp_path / name)
        assert str(tmp_path) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_float_that_is_no_number_is_found_where_it_lies(tmp_path: Path, bad: float) -> None:
    sound = np.zeros(16_000, np.float32)
    sound[12_000] = bad
    (tmp_path / "bad.wav").write_bytes(riff(3, 32, 1, 8_000, sound.tobytes()))
    with pytest.raises(RecordingError, match=rf"sample at 1\.500 s is {bad}; expected numbers"):
        read(tmp_path / "bad.wav")


def test_a_flac_that_breaks_off_says_where(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    loud = np.asarray(rng.integers(-20_000, 20_000, 32_000), np.int16)
    path = encode(tmp_path / "a.flac", "flac", 16_000, [loud])
    path.write_bytes(path.read_bytes()[:30_000])
    with pytest.raises(RecordingError, match=r"breaks off at|not readable"):
        read(path)


def test_an_mp3_that_breaks_off_says_where(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mp3", "libmp3lame", 44_100, [chirp(44_100, 4.0)], "s16p")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RecordingError, match=r"breaks off at (1\.9|2\.0)\d s of 4\.\d\d s"):
        read(path)


def test_a_change_of_rate_in_the_middle_is_refused(tmp_path: Path) -> None:
    parts = [
        encode(tmp_path / f"{rate_hz}.mp3", "libmp3lame", rate_hz, [chirp(rate_hz, 1.0)], "s16p").read_bytes()
        for rate_hz in (44_100, 32_000)
    ]
    (tmp_path / "both.mp3").write_bytes(b"".join(parts))
    with pytest.raises(RecordingError, match=r"is 1 x (44100|32000) Hz from \d.* s on; expected 1 x"):
        read(tmp_path / "both.mp3")


def test_a_film_without_sound_has_no_audio_track(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "a.mkv"), "w") as out:
        stream = out.add_stream("mpeg4", rate=5)
        assert isinstance(stream, av.VideoStream)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        out.mux(stream.encode(frame.reformat(format="yuv420p")))
        out.mux(stream.encode(None))
    with pytest.raises(RecordingError, match="holds no audio track"):
        open_recording(tmp_path / "a.mkv")


def test_a_container_that_declares_no_duration_is_read_to_its_end(tmp_path: Path) -> None:
    path = encode(tmp_path / "a.mka", "pcm_s16le", 16_000, [chirp(16_000, 0.5)])
    assert open_recording(path).duration_s is None
    assert np.array_equal(read(path), chirp(16_000, 0.5))
    assert open_call(path).duration_s is None


@pytest.mark.parametrize("declared", [0, 0xFFFFFFFF])
def test_a_wav_from_a_pipe_has_no_size_and_reads_on_to_its_end(tmp_path: Path, declared: int) -> None:
    sound = chirp(16_000, 0.5)
    (tmp_path / "a.wav").write_bytes(riff(1, 16, 1, 16_000, sound.tobytes(), declared))
    assert np.array_equal(read(tmp_path / "a.wav"), sound)


def test_a_name_with_a_colon_is_a_name(tmp_path: Path) -> None:
    write_wav(tmp_path / "concat:call.wav", chirp(16_000, 0.1))
    assert len(read(tmp_path / "concat:call.wav")) == 1_600


def test_channels_are_counted_from_0(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", silence(100))
    with pytest.raises(RecordingError, match="no channel 1; it has 1"):
        next(open_recording(tmp_path / "a.wav").blocks(1))


def test_long_files_do_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.wav"
    n_samples = 16_000 * 600
    with path.open("wb") as file:
        file.write(riff(1, 16, 2, 16_000, b"", n_samples * 4))
        file.truncate(44 + n_samples * 4)
    tracemalloc.start()
    total = sum(len(block) for block in open_recording(path).blocks(1))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert total == n_samples
    assert peak < 1_000_000


def test_a_call_is_a_folder_a_stereo_file_or_a_mono_file(tmp_path: Path) -> None:
    left, right = chirp(8_000, 0.5), chirp(8_000, 0.7)
    (tmp_path / "folder").mkdir()
    write_wav(tmp_path / "folder" / "caller.wav", left, 8_000)
    call = open_call(tmp_path / "folder")
    assert call.agent is None
    assert call.duration_s == 0.5
    encode(tmp_path / "folder" / "agent.flac", "flac", 8_000, [right])
    call = open_call(str(tmp_path / "folder"))
    assert call.agent is not None
    assert call.duration_s == pytest.approx(0.7)
    assert sum(map(len, call.agent.blocks())) == 11_200
    both = encode(tmp_path / "both.wav", "pcm_s16le", 16_000, [left, np.ascontiguousarray(right[: len(left)])])
    call = open_call(both)
    assert call.agent is not None
    assert np.array_equal(np.concatenate(list(call.caller.blocks())), left)
    assert np.array_equal(np.concatenate(list(call.agent.blocks())), right[: len(left)])
    assert open_call(tmp_path / "folder" / "caller.wav").agent is None
    (tmp_path / "bare").mkdir()
    with pytest.raises(RecordingError, match=r"holds no caller\.wav"):
        open_call(tmp_path / "bare")
    both.rename(tmp_path / "bare" / "caller.wav")
    with pytest.raises(RecordingError, match="each file is one party"):
        open_call(tmp_path / "bare")


def test_importing_is_light() -> None:
    script = "import sys, audio.recordings; sys.exit('av' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False, cwd=os.getcwd()).returncode == 0


# -- writing --------------------------------------------------------------------------------------------------------


def stereo(path: Path) -> np.ndarray[tuple[int, int], np.dtype[np.int16]]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, RATE_HZ)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)


@settings(deadline=None, max_examples=40)
@given(data=st.data())
def test_blocks_in_any_order_within_the_window_lie_where_they_were_put(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("calls") / "call.wav"
    window = 1_000
    expected = np.zeros((12_000, 2), np.int16)
    end = 0
    parties: tuple[Party, Party] = ("caller", "agent")
    with CallWriter(path, window_s=window / RATE_HZ) as writer:
        for value in range(1, data.draw(st.integers(1, 25))):
            side = data.draw(st.integers(0, 1))
            first = data.draw(st.integers(max(0, end - window), end + 300))
            size = data.draw(st.integers(0, min(900, 12_000 - first)))
            if first + size > end + window * 2:
                continue
            writer.write(parties[side], first, np.full(size, value, np.int16))
            expected[first : first + size, side] = value
            end = max(end, first + size if size else 0)
            assert writer.end_sample == end
    assert np.array_equal(stereo(path), expected[:end])
    assert [p.name for p in path.parent.iterdir()] == ["call.wav"]


def test_the_header_is_valid_at_every_moment(tmp_path: Path) -> None:
    writer = CallWriter(tmp_path / "call.wav", window_s=0.1)
    partial = tmp_path / "call.wav.partial"
    assert len(stereo(partial)) == 0
    for i in range(100):
        writer.write("caller", i * 320, np.full(320, i + 1, np.int16))
        writer.write("agent", i * 320, np.full(320, -i, np.int16))
        so_far = stereo(partial)
        assert len(so_far) >= i * 320 - 3_200
        assert np.array_equal(so_far[::320, 0], np.arange(1, len(so_far[::320]) + 1))
        assert not (tmp_path / "call.wav").exists()
    writer.close()
    assert len(stereo(tmp_path / "call.wav")) == 32_000
    assert not partial.exists()
    writer.close()
    with pytest.raises(RecordingError, match="block of the agent came after the end"):
        writer.write("agent", 0, silence(1))


def test_long_blocks_and_long_gaps_are_fine(tmp_path: Path) -> None:
    with CallWriter(tmp_path / "call.wav", window_s=0.01) as writer:
        writer.write("caller", 0, chirp(16_000, 1.0))
        writer.write("agent", 64_000, np.full(10, 7, np.int16))
    got = stereo(tmp_path / "call.wav")
    assert np.array_equal(got[:16_000, 0], chirp(16_000, 1.0))
    assert not got[16_000:64_000].any()
    assert np.array_equal(got[64_000:], [[0, 7]] * 10)


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"cannot be written, No such file or directory"):
        CallWriter(tmp_path / "no" / "call.wav")
    with pytest.raises(RecordingError, match="cannot be written"):
        write_wav(tmp_path / "no" / "clip.wav", silence(1))
    with pytest.raises(RecordingError, match=r"window is 0\.0 s"):
        CallWriter(tmp_path / "call.wav", window_s=0.0)
    writer = CallWriter(tmp_path / "call.wav", window_s=0.01)
    writer.write("caller", 0, silence(1_000))
    with pytest.raises(RecordingError, match=r"at sample 0, before 840 which is written; .* 160 samples out of order"):
        writer.write("agent", 0, silence(10))
    with pytest.raises(RecordingError, match=r"limit 1073741812 \(18\.6 h"):
        writer.write("agent", 1_073_741_812, silence(1))
    with pytest.raises(FrameError, match="block of the agent has dtype"):
        writer.write("agent", 900, np.zeros(10))  # type: ignore[arg-type]
    writer.discard()
    writer.discard()
    assert list(tmp_path.iterdir()) == []


def test_an_exception_discards_and_keeps_what_stood_there(tmp_path: Path) -> None:
    write_wav(tmp_path / "call.wav", chirp(16_000, 0.1))

    def broken_call() -> None:
        with CallWriter(tmp_path / "call.wav") as writer:
            writer.write("caller", 0, silence(100))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken_call()
    assert len(read(tmp_path / "call.wav")) == 1_600
    assert [p.name for p in tmp_path.iterdir()] == ["call.wav"]


def test_real_recordings_read_to_their_length() -> None:
    folder = Path(os.environ.get("DUOLOGUE_CALLS", ""))
    if not (folder / "jfk.flac").is_file():
        pytest.skip("set DUOLOGUE_CALLS to a folder that holds jfk.flac")
    assert sum(map(len, open_recording(folder / "jfk.flac").blocks(1))) == 176_000
    mulaw = open_recording(folder / "azure" / "whatstheweatherlike-mulaw.wav")
    assert (mulaw.codec, mulaw.rate_hz, sum(map(len, mulaw.blocks()))) == ("pcm_mulaw", 16_000, 32_480)
    call = open_call(folder / "call40")
    assert call.duration_s == pytest.approx(245.38)
    assert call.agent is not None
