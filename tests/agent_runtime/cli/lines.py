"""How the tests of the command line run it: in this process where that is enough, else as a program of its own."""

from __future__ import annotations

import os
import shutil
import signal
import struct
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from agent_runtime.boxed import FRONT_DESK
from agent_runtime.cli import main
from audio.frame import Pcm

__all__ = ["ROOT", "Said", "agent_folder", "line", "program", "riff", "start", "tone"]

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True, slots=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line of a refused command; fails where there is more, or where the code is not 2."""
        assert self.code == 2, self
        assert self.err.count("\n") == 1, self.err
        return self.err.rstrip("\n")


def line(capsys: pytest.CaptureFixture[str], *words: str | Path) -> Said:
    """Run a command in this process."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    out, err = capsys.readouterr()
    return Said(code, out, err)


def start(
    *words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None, stdin: int = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start the program in a session of its own, so that a signal may be sent to all of it."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return subprocess.Popen(
        [sys.executable, "-m", "agent_runtime.cli", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path, **(env or {})},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hears_ctrl_c,
    )


def _hears_ctrl_c() -> None:
    """A shell that runs the tests in the background has them ignore Ctrl-C, and a program started by them too."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def program(
    *words: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None, stdin: str | None = None
) -> Said:
    """Run a command as a program to its end."""
    with start(*words, cwd=cwd, env=env, stdin=subprocess.PIPE) as process:
        out, err = process.communicate(stdin, timeout=120)
    return Said(process.returncode, out, err)


def tone(seconds: float, rate_hz: int = 16_000) -> Pcm:
    """A hum nobody takes for speech."""
    return np.asarray(2_000 * np.sin(2 * np.pi * 300 * np.arange(round(seconds * rate_hz)) / rate_hz), np.int16)


def riff(tag: int, bits: int, channels: int, rate_hz: int, data: bytes) -> bytes:
    """A WAV file of any kind, right or wrong. `tag`: 1 PCM, 3 float, 6 A-law, 7 mu-law."""
    block = channels * bits // 8
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate_hz, rate_hz * block, block, bits)
    body = head + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI4s", b"RIFF", len(body) + 4, b"WAVE") + body


def agent_folder(folder: Path, *, toml: Sequence[tuple[str, str]] = (), tools: Sequence[tuple[str, str]] = ()) -> Path:
    """A copy of the front desk with some of its text replaced."""
    folder.mkdir()
    for name, changes in (("agent.toml", toml), ("tools.py", tools), ("phrases.txt", ())):
        shutil.copy(FRONT_DESK / name, folder / name)
        text = (folder / name).read_text("utf-8")
        for old, new in changes:
            assert old in text, f"{name} has no {old!r}"
            text = text.replace(old, new, 1)
        (folder / name).write_text(text, "utf-8")
    return folder
