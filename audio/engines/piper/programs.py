"""Where the Piper program and its model lie on this machine, and in one line why they cannot be used.

Only files are looked for: Piper is GPL-3.0-or-later, so it is a program that somebody installed beside us, in this
environment or another one; it is never imported and no extra of ours brings it. This file refuses to run it.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

__all__ = ["command", "missing_model", "missing_program"]

_INSTALL = "pip install piper-tts, in any environment, and put its piper on the PATH or into [voice] program"
_VOICES = "python -m piper.download_voices fetches both"


def command(program: str = "") -> list[str] | None:
    """How to run Piper: `program`, or ``piper`` on the PATH, or the module of this environment; None: not here."""
    if program:
        found = shutil.which(program)
        return [found] if found else None
    if found := shutil.which("piper"):
        return [found]
    if importlib.util.find_spec("piper") is not None:
        return [sys.executable, "-m", "piper"]
    return None


def missing_program(program: str = "") -> str | None:
    """The line that says Piper is not here, or None."""
    if command(program) is not None:
        return None
    what = f"{program!r} is no program" if program else "piper is not on the PATH, nor is there a module piper"
    return f"{what} ({_INSTALL})"


def missing_model(model: Path) -> str | None:
    """The line that says which file of the voice is not here, or None."""
    if model.suffix != ".onnx":
        return f"piper model {model} is no .onnx file (give the file of a voice; {_VOICES})"
    for file in (model, Path(f"{model}.json")):
        if not file.is_file():
            return f"piper model {file} is not there (a voice is NAME.onnx with NAME.onnx.json beside it; {_VOICES})"
    return None
