"""The command line itself: what it shows, and how it refuses what it does not know."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent_runtime import __version__
from agent_runtime.cli import COMMANDS, main
from agent_runtime.cli.options import near
from audio.frame import AudioError
from tests.agent_runtime.cli.lines import ROOT, line, program

Capsys = pytest.CaptureFixture[str]


def test_without_a_word_it_shows_the_commands(capsys: Capsys) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        said = line(capsys, *words)
        assert said.code == 0
        assert said.err == ""
        for name, text in COMMANDS.items():
            assert f"  {name}" in said.out
            assert text in said.out
        assert 'Begin with "duologue demo"' in said.out


def test_the_version(capsys: Capsys) -> None:
    assert line(capsys, "--version").out == f"duologue {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_explains_itself_within_80_columns(capsys: Capsys, name: str) -> None:
    said = line(capsys, name, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"usage: duologue {name} ")
    assert "--" in said.out
    assert [text for text in said.out.splitlines() if len(text) > 80] == []


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["repla"], "duologue: no command 'repla'; did you mean 'replay'?"),
        (["xyzzy"], "duologue: no command 'xyzzy'; there are demo, replay, chat, report, refold, doctor, bench"),
        (["--out", "x"], "duologue: no command '--out'"),
        (["replay"], "duologue replay: CALL is missing (duologue replay --help explains)"),
        (["replay", "a", "--outt", "b"], "no option --outt; did you mean '--out'?"),
        (["replay", "a", "--xyzzy=1"], "no option --xyzzy (duologue replay --help explains)"),
        (["replay", "my", "call.wav"], "'call.wav' is one word too many; put names with spaces in quotes"),
        (["replay", "a", "--cost", "free"], "--cost: invalid choice: 'free' (choose from"),
        (["replay", "a", "--cores", "0"], "--cores: '0' is no number of cores; expected 1 to 1024"),
        (["replay", "a", "--cores", "two"], "--cores: 'two' is no number of cores"),
        (["replay", "a", "--today", "2026-13-01"], "--today: '2026-13-01' is no date; write it like 2026-11-23"),
        (["replay", "a", "--out"], "--out: expected one argument"),
        (["replay", "a", "--js"], "no option --js"),
        (["chat", "--today", "tomorrow"], "--today: 'tomorrow' is no date"),
        (["bench", "core", "--runs", "-1"], "--runs: '-1' is no count"),
        (["bench", "core", "--only", "speed"], "--only: invalid choice: 'speed'"),
        (["bench"], "PART is missing"),
        (["bench", "calls"], "PART: invalid choice: 'calls'"),
    ],
)
def test_wrong_words_are_one_line(capsys: Capsys, words: list[str], complaint: str) -> None:
    assert complaint in line(capsys, *words).complaint


def test_near_names_only_what_is_near() -> None:
    assert near("agnt", ["agent", "out"]) == "did you mean 'agent'?"
    assert near("zzz", ["agent", "out"]) == ""


def test_help_waits_for_no_engine() -> None:
    said = program("--help")
    assert said.code == 0
    code = (
        "import sys; from agent_runtime.cli import main; main([]); main(['report', '--help']);"
        "print([name for name in ('av', 'onnxruntime', 'pocketsphinx') if name in sys.modules], file=sys.stderr)"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stderr.strip() == "[]"


class _Room:
    """A command that ends in an error of the test's choice."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def arguments(self, parser: object) -> None:
        """No options."""

    def run(self, options: object) -> int:
        raise self._error


@pytest.mark.parametrize(
    ("error", "complaint"),
    [
        (ValueError("x is 3;\n  expected 4"), "duologue doctor: x is 3; expected 4"),
        (AudioError("a.wav: is empty"), "duologue doctor: a.wav: is empty"),
        (PermissionError(13, "Permission denied", "/a/b"), "/a/b: permission denied (choose a place you may use)"),
        (OSError(28, "No space left on device"), "no space left on device (make room, or choose another disk)"),
        (OSError("odd"), "duologue doctor: odd"),
        (ValueError(), "duologue doctor: ValueError"),
        (ModuleNotFoundError("No module named 'av'", name="av"), "No module named 'av' (duologue doctor shows"),
        (ExceptionGroup("tasks", [ExceptionGroup("more", [AudioError("the voice failed")])]), "the voice failed"),
    ],
)
def test_what_a_user_can_cause_is_one_line(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch, error: Exception, complaint: str
) -> None:
    monkeypatch.setitem(sys.modules, "agent_runtime.cli.doctor", _Room(error))
    assert complaint in line(capsys, "doctor").complaint


@pytest.mark.parametrize(
    "error", [RuntimeError("a fault of ours"), ExceptionGroup("both", [ValueError("x"), KeyError("y")])]
)
def test_a_fault_of_ours_keeps_its_trace(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setitem(sys.modules, "agent_runtime.cli.doctor", _Room(error))
    with pytest.raises(type(error)):
        main(["doctor"])


def test_stopping_is_said_in_one_line(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "agent_runtime.cli.doctor", _Room(KeyboardInterrupt()))
    said = line(capsys, "doctor")
    assert (said.code, said.err) == (130, "duologue doctor: stopped; nothing was kept\n")


def test_signals_are_as_they_were_afterwards(capsys: Capsys) -> None:
    before = signal.getsignal(signal.SIGTERM)
    line(capsys, "doctor", "--json")
    assert signal.getsignal(signal.SIGTERM) is before


def test_it_runs_beside_the_main_thread(capsys: Capsys) -> None:
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(main(["--version"])))
    thread.start()
    thread.join()
    assert codes == [0]


def test_a_closed_output_is_no_error(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    run = subprocess.run(
        [sys.executable, "-m", "agent_runtime.cli", "--help"], cwd=ROOT, stdout=write, stderr=subprocess.PIPE, text=True
    )
    os.close(write)
    assert (run.returncode, run.stderr) == (141, "")
    closed = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m agent_runtime.cli --help >&-"], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )
    assert (closed.returncode, closed.stderr) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        run = subprocess.run(
            [sys.executable, "-m", "agent_runtime.cli", "--help"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        )
    assert run.returncode == 2
    assert run.stderr == "duologue: no space left on device (make room, or choose another disk)\n"
