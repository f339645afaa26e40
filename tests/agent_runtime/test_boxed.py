"""`DUOLOGUE_MODEL`: other weights in place of the ones in the box, for every command; read once, so a process each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from agent_runtime.boxed import BOXED_MODEL

MAIN = "import sys; from agent_runtime.cli import main; sys.exit(main(sys.argv[1:]))"


def duologue(model: Path, *arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """A command of the program with the weights in `model`."""
    return subprocess.run(
        [sys.executable, "-c", MAIN, *arguments],
        env={**os.environ, "DUOLOGUE_MODEL": str(model)},
        input=said,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_a_call_runs_on_the_weights_that_are_named(tmp_path: Path) -> None:
    shutil.copytree(BOXED_MODEL, tmp_path / "mine")
    talk = duologue(tmp_path / "mine", "chat", said="hello\n")
    assert (talk.returncode, "agent" in talk.stdout) == (0, True), talk.stderr
    (tmp_path / "mine" / "model.safetensors").write_bytes(b"tiny")
    assert duologue(tmp_path / "mine", "chat", said="hello\n").returncode != 0, "so it was that one which spoke"


def test_a_folder_that_is_none_is_named_with_the_way_out(tmp_path: Path) -> None:
    talk = duologue(tmp_path / "none", "chat", said="hello\n")
    assert talk.returncode != 0
    assert f"'{tmp_path / 'none'}' is no folder of weights" in talk.stderr
    assert "DUOLOGUE_MODEL" in talk.stderr
    doctor = duologue(tmp_path / "none", "doctor")
    assert "unset DUOLOGUE_MODEL" in doctor.stdout
