"""Whether Kokoro can speak on this machine, and in one line why not.

Only names are looked at: kokoro-onnx is never imported here, and nothing is downloaded. This file refuses to know
processes.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from pathlib import Path

__all__ = ["available", "missing_file", "missing_package"]

_FILES = "kokoro-onnx's page on GitHub has both files, model-files-v1.0"


def available() -> str | None:
    """The version of kokoro-onnx where it is installed, else None."""
    return None if missing_package() else f"kokoro-onnx {importlib.metadata.version('kokoro-onnx')}"


def missing_package() -> str | None:
    """The line that says kokoro-onnx is not installed, or None."""
    if importlib.util.find_spec("kokoro_onnx") is None:
        return "kokoro-onnx is not installed (pip install 'duologue[kokoro]')"
    return None


def missing_file(model: Path, voices: Path) -> str | None:
    """The line that says which file is not here, or None."""
    for what, file in (("model", model), ("voices", voices)):
        if not file.is_file():
            return f"kokoro {what} {file} is not there ({_FILES})"
    return None
