"""``duologue replay``: recordings of every kind, transcripts, agents; and everything that is wrong with them."""

from __future__ import annotations

import json
import os
import tempfile
import wave
from pathlib import Path

import numpy as np
import pytest

from agent_runtime.boxed import FRONT_DESK, cache_folder
from agent_runtime.log import read_log
from audio.frame import Pcm, silence
from audio.g711 import encode_mulaw
from audio.recordings import CallWriter, write_wav
from audio.recordings.encoding import write_encoded
from tests.agent_runtime.cli.lines import agent_folder, line, riff, tone

Capsys = pytest.CaptureFixture[str]
DEMO = FRONT_DESK / "calls" / "demo"
REAL = Path(os.environ.get("DUOLOGUE_CALLS") or "no such folder") / "goforward.wav"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def everything(folder: Path) -> list[str]:
    """All that lies in a folder, hidden or not."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def spoken(name: str) -> Pcm:
    """A clip of the shipped caller, int16[n]."""
    with wave.open(str(DEMO / f"{name}.wav")) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def words_file(path: Path, *words: tuple[str, float, float]) -> Path:
    rows = [{"text": text, "start_s": start_s, "end_s": end_s} for text, start_s, end_s in words]
    path.write_text(json.dumps({"rate_hz": 16_000, "words": rows}), "utf-8")
    return path


# --- what is wrong with a file -----------------------------------------------------------------------------------


def broken_files(folder: Path) -> dict[str, str]:
    """Bad recordings, each with words of the complaint about it."""
    whole = riff(1, 16, 1, 8_000, tone(1.0, 8_000).tobytes())
    floats = (tone(3.0) / 32_768).astype(np.float32)
    first, late = floats.copy(), floats.copy()
    first[0], late[40_000] = np.nan, np.inf
    write_encoded(folder / "whole.flac", tone(3.0))
    files = {
        "empty.wav": (b"", "is empty, 0 bytes"),
        "text.wav": (b"dear reader,\n" * 50, "is not readable as audio"),
        "short.wav": (whole[:-6_000], "is cut short, 10000 of 16000 bytes of sound"),
        "head.wav": (whole[:30], "is cut short, 30 bytes without a data chunk"),
        "three.wav": (riff(1, 16, 3, 8_000, bytes(4_800)), "has 3 channels; limit 2"),
        "nothing.wav": (riff(1, 16, 1, 8_000, b""), "holds no sound, 0 samples"),
        "slow.wav": (riff(1, 16, 1, 1_000, bytes(4_000)), "rate is 1000 Hz; expected 4000 to 192000"),
        "nan.wav": (riff(3, 32, 1, 16_000, first.tobytes()), "sample at 0.000 s is nan; expected numbers"),
        "late.wav": (riff(3, 32, 1, 16_000, late.tobytes()), "sample at 2.500 s is inf; expected numbers"),
        "broken.flac": ((folder / "whole.flac").read_bytes()[:-9_000], "(copy it again)"),
    }
    for name, (data, _) in files.items():
        (folder / name).write_bytes(data)
    files["broken.flac"] = (b"", "")  # a decoder may stop at the break or complain of it; both name the file
    return {name: message for name, (_, message) in files.items()}


def test_bad_recordings_are_refused_in_one_line_and_nothing_is_left(capsys: Capsys, here: Path) -> None:
    bad = broken_files(here)
    (here / "folder").mkdir()
    (here / "two").mkdir()
    with CallWriter(here / "two" / "caller.wav") as writer:
        writer.write("caller", 0, tone(0.1))
    bad |= {
        "missing.wav": "missing.wav: no such file (check the path)",
        "folder": "folder: holds no caller.wav",
        "two": "has 2 channels; in a call folder each file is one party",
        "/dev/null": "is empty, 0 bytes",
        "": "the name of the call is empty",
    }
    before = everything(here)
    for name, message in bad.items():
        said = line(capsys, "replay", name, "--out", "new/deep/call")
        assert said.complaint.startswith("duologue replay: "), name
        assert name in said.complaint
        assert message in said.complaint, said.complaint
        assert said.out == ""
        assert everything(here) == before, name


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_one_may_not_read_is_named(capsys: Capsys, here: Path) -> None:
    write_wav(here / "mine.wav", tone(0.1))
    (here / "mine.wav").chmod(0)
    assert "mine.wav: permission denied" in line(capsys, "replay", "mine.wav").complaint


def test_what_shows_only_during_the_call_ends_it_without_a_trace(
    capsys: Capsys, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_runtime.cli.replay.LOOKED_THROUGH_S", 0.5)
    broken_files(here)
    before = everything(here)
    said = line(capsys, "replay", "late.wav", "--out", "new/deep/call")
    assert "late.wav: sample at 2.500 s is inf" in said.complaint
    assert "answered" in said.out, "the call had begun"
    assert everything(here) == before


def test_an_output_folder_is_never_written_over(capsys: Capsys, here: Path) -> None:
    write_wav(here / "a.wav", tone(0.2))
    (here / "there").mkdir()
    (here / "dangling").symlink_to("nowhere")
    for name in ("there", "a.wav", "dangling"):
        assert f"--out {name} exists; name a new folder" in line(capsys, "replay", "a.wav", "--out", name).complaint
    assert "--out is empty" in line(capsys, "replay", "a.wav", "--out", "").complaint
    assert "a.wav" in line(capsys, "replay", "a.wav", "--out", "a.wav/call").complaint
    assert everything(here) == ["a.wav", "dangling", "there"]


# --- recordings that are right -----------------------------------------------------------------------------------


def test_common_kinds_are_played_and_written_whole(capsys: Capsys, here: Path) -> None:
    said = np.concatenate([spoken("first-1"), silence(24_000)])[:24_000]
    eight = said[: len(said) // 2 * 2].reshape(-1, 2).mean(1).astype(np.int16)
    (here / "ulaw.wav").write_bytes(riff(7, 8, 1, 8_000, encode_mulaw(eight)))
    stereo = np.stack([said, np.zeros_like(said)], 1).astype(np.float32) / 32_768
    (here / "floats.wav").write_bytes(riff(3, 32, 2, 16_000, stereo.tobytes()))
    (here / "a call").mkdir()
    write_encoded(here / "a call" / "caller.opus", said)
    write_encoded(here / "a call" / "agent.mp3", tone(1.0))
    for name in ("ulaw.wav", "floats.wav", "a call"):
        run = line(capsys, "replay", name, "--out", f"new folder/{name} out", "--json")
        assert (run.code, run.err) == (0, ""), run
        told = json.loads(run.out)
        assert told["ended"] == "caller_hung_up"
        assert told["length_s"] == pytest.approx(1.5, abs=0.1)
        assert told["folder"] == f"new folder/{name} out"
        folder = here / "new folder" / f"{name} out"
        assert everything(folder) == ["call.wav", "events.jsonl", "report.html"]
        with wave.open(str(folder / "call.wav")) as sound:
            assert (sound.getnchannels(), sound.getframerate()) == (2, 16_000)
    assert sorted(path.name for path in (here / "new folder").iterdir() if path.name.startswith(".")) == []


def test_it_tells_the_conversation_and_its_figures(capsys: Capsys, here: Path) -> None:
    write_wav(here / "a.wav", np.concatenate([silence(56_000), spoken("part-1"), silence(16_000)]))
    said = line(capsys, "replay", "a.wav", "--why", "--call-id", "odd one", "--today", "2030-01-02")
    assert (said.code, said.err) == (0, "")
    assert "call odd one: front desk, inbound, 2030-01-02" in said.out
    assert "agent   good morning, riverside clinic. how can i help?" in said.out
    assert "decides speak: greet" in said.out
    assert "(estimates: no labels say when the caller really spoke)" in said.out
    assert "x real time)" in said.out
    assert "━" not in said.out, "no bar where nobody watches"
    assert everything(here) == ["a.wav"], "without --out nothing is written"


def test_an_agent_without_a_day_must_be_given_one(capsys: Capsys, here: Path, tmp_path: Path) -> None:
    write_wav(here / "a.wav", tone(0.2))
    agent = agent_folder(tmp_path / "agent", toml=[("today = 2026-11-23", "")])
    complaint = line(capsys, "replay", "a.wav", "--agent", agent).complaint
    assert "agent 'front desk' has no date; give --today, or set today in [agent]" in complaint


@pytest.mark.skipif(not REAL.is_file(), reason="DUOLOGUE_CALLS names no folder with recordings")
def test_real_speech_is_heard(capsys: Capsys, here: Path) -> None:
    said = line(capsys, "replay", REAL, "--json")
    heard = [row["words"] for row in json.loads(said.out)["conversation"] if row["party"] == "caller"]
    assert "go" in heard[0].split()


# --- transcripts -------------------------------------------------------------------------------------------------


def test_a_transcript_is_heard_in_place_of_the_sound(capsys: Capsys, here: Path) -> None:
    write_wav(here / "a.wav", tone(5.0))
    words_file(here / "words.json", ("i'd", 3.0, 3.2), ("like", 3.2, 3.4), ("wednesday", 3.4, 3.8))
    said = line(capsys, "replay", "a.wav", "--transcript", "words.json", "--out", "out", "--json")
    assert (said.code, said.err) == (0, "")
    told = json.loads(said.out)
    assert {"party": "caller", "words": "i'd like wednesday"} in told["conversation"]
    assert told["length_s"] == pytest.approx(5.0, abs=0.05)
    with wave.open("out/call.wav") as sound:
        both = np.frombuffer(sound.readframes(sound.getnframes()), np.int16).reshape(-1, 2)
    assert np.array_equal(both[: 5 * 16_000, 0], tone(5.0)), "the recording is the left channel all the same"
    assert np.abs(both[:16_000, 1]).max() > 1_000, "and the agent the right one"
    assert next(read_log(Path("out/events.jsonl"))).what.__class__.__name__ == "CallStarted"


def test_bad_transcripts_are_one_line(capsys: Capsys, here: Path) -> None:
    write_wav(here / "a.wav", tone(1.0))
    bad = {
        "missing.json": (None, "no such file"),
        "text.json": ("hello", "not JSON"),
        "list.json": ("[1]", "has no list 'words'"),
        "number.json": ('{"words": [{"text": 5, "start_s": 0, "end_s": 1}]}', "word 1 has no text"),
        "nan.json": ('{"words": [{"text": "a", "start_s": NaN, "end_s": 1}]}', "start_s = nan"),
        "back.json": ('{"words": [{"text": "a", "start_s": 0.9, "end_s": 0.5}]}', "expected words in order"),
        "bare.json": ('{"words": [{"text": "a"}]}', "neither start_sample nor start_s"),
        "long.json": (
            '{"words": [{"text": "a", "start_s": 90, "end_s": 91}]}',
            "its last word ends at 91.0 s, the recording a.wav at 1.0 s; give the transcript of this recording",
        ),
    }
    for name, (text, message) in bad.items():
        if text is not None:
            (here / name).write_text(text)
        complaint = line(capsys, "replay", "a.wav", "--transcript", name, "--out", "out").complaint
        assert name in complaint
        assert message in complaint
    complaint = line(capsys, "replay", DEMO, "--transcript", "nan.json").complaint
    assert "is a script, which says its own words; leave --transcript out" in complaint
    assert "missing.wav: no such file" in line(capsys, "replay", "missing.wav", "--transcript", "nan.json").complaint
    assert not (here / "out").exists()


# --- agents ------------------------------------------------------------------------------------------------------


def test_bad_agents_are_one_line(capsys: Capsys, here: Path, tmp_path: Path) -> None:
    write_wav(here / "a.wav", tone(0.2))
    first = "from __future__ import annotations\n"
    bad = {
        "key": ([("[tools]", "[tools]\ncolour = 1")], [], "agent.toml: unknown key 'colour' in [tools]"),
        "type": ([("= 900", '= "long"')], [], "[agent] time_limit_s is 'long'; expected a number of seconds"),
        "section": ([("[voice]", "[voices]")], [], "unknown section [voices]; did you mean [voice]?"),
        "raises": ([], [(first, first + "raise RuntimeError('no database')\n")], "RuntimeError: no database"),
        "leaves": ([], [(first, first + "raise SystemExit(3)\n")], "SystemExit: 3"),
        "syntax": ([], [(first, first + "def (\n")], "SyntaxError: invalid syntax"),
        "import": ([], [(first, first + "import nosuchthing\n")], "No module named 'nosuchthing'"),
        "voice": ([('name = "en-us"', 'name = "xyzzy"')], [], "espeak-ng has no voice 'xyzzy'"),
    }
    for name, (toml, tools, message) in bad.items():
        agent = agent_folder(tmp_path / name, toml=toml, tools=tools)
        complaint = line(capsys, "replay", "a.wav", "--agent", agent, "--out", "new/out").complaint
        assert message in complaint, complaint
    for name, message in {
        "nowhere": "nowhere: no such folder; give the folder of an agent",
        ".": ". has no agent.toml; give the folder of an agent",
        "a.wav": "a.wav is a file; give the folder that holds agent.toml",
    }.items():
        assert message in line(capsys, "replay", "a.wav", "--agent", name).complaint
    assert everything(here) == ["a.wav"]


# --- where nothing may be kept -----------------------------------------------------------------------------------


def test_a_user_without_a_home_has_a_cache_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("DUOLOGUE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", homeless)
    assert cache_folder().parent == Path(tempfile.gettempdir())


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(
    capsys: Capsys, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_wav(here / "a.wav", tone(0.2))
    (tmp_path / "file").touch()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("DUOLOGUE_CACHE", str(tmp_path / "file" / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    said = line(capsys, "replay", "a.wav")
    assert (said.code, said.err) == (0, "")
    assert everything(tmp_path / "temporary") == []
