"""Calls that a person stops, and readers that go away: no trace, nothing half-written, nobody left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from agent_runtime.boxed import cache_folder
from agent_runtime.log import read_log
from audio.recordings import write_wav
from tests.agent_runtime.cli.lines import start, tone

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")


def alive(session: int) -> list[str]:
    """The command lines of the processes of a session that still run; what only waits for its parent does not."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            if int(fields[3]) == session and fields[0] not in "ZX":
                found.append((folder / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def until(process: subprocess.Popen[str], words: str) -> str:
    """Read a program's output until a line holds `words`."""
    assert process.stdout is not None
    said = ""
    for text in process.stdout:
        said += text
        if words in text:
            return said
    raise AssertionError(f"the program ended after {said!r}")


@pytest.mark.parametrize(("asked", "by_terminal"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_a_call_that_is_stopped_leaves_nothing(tmp_path: Path, asked: signal.Signals, by_terminal: bool) -> None:
    temporary, home = tmp_path / "temporary", tmp_path / "home"
    temporary.mkdir()
    home.mkdir()
    env = {"TMPDIR": str(temporary), "HOME": str(home), "XDG_CACHE_HOME": "", "DUOLOGUE_CACHE": str(cache_folder())}
    process = start("demo", "--realtime", "--out", "new/deep/call", cwd=tmp_path, env=env)
    with process:
        until(process, "answered")
        assert len(alive(process.pid)) > 1, "recogniser and voice run beside it"
        if by_terminal:
            os.killpg(process.pid, asked)  # Ctrl-C reaches the workers too
        else:
            process.send_signal(asked)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "duologue demo: stopped; nothing was kept\n")
    assert "the call was cancelled" in out
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "temporary"]
    # Guests did leave things: onnxruntime its reports to its maker, Debian's espeak-ng folders of a sound server.
    assert [*temporary.iterdir(), *home.iterdir()] == []
    assert alive(process.pid) == []


def test_a_reader_that_leaves_stops_the_words_and_not_the_call(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", tone(2.0))
    with start("replay", "a.wav", "--out", "call", cwd=tmp_path) as process:
        until(process, "answered")
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 141
    assert list(read_log(tmp_path / "call" / "events.jsonl"))[-1].what.__class__.__name__ == "CallEnded"
    assert (tmp_path / "call" / "report.html").exists()
    assert alive(process.pid) == []
