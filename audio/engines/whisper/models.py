"""Where a Whisper model lies on this machine, and in one line why it cannot be used.

A model is a folder as faster-whisper converts it, or a name ("tiny", "base.en", "Systran/faster-whisper-small") that is
looked up in the cache of the Hugging Face hub. Only file names are looked at; neither faster-whisper nor the hub's
library is imported and nothing is downloaded. This file refuses to know processes.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
from collections.abc import Mapping
from pathlib import Path

__all__ = ["available", "cached", "hub_folder", "is_offline", "missing", "missing_package", "resolve"]

NEEDED = ("model.bin", "config.json", "tokenizer.json")
"""Without tokenizer.json faster-whisper asks the hub for one, whatever the model."""

VOCABULARIES = ("vocabulary.json", "vocabulary.txt")

NAMES = (
    *(f"{size}{only}" for size in ("tiny", "base", "small", "medium") for only in ("", ".en")),
    *("large-v1", "large-v2", "large-v3", "large", "large-v3-turbo", "turbo"),
    *("distil-small.en", "distil-medium.en", "distil-large-v2", "distil-large-v3", "distil-large-v3.5"),
)
"""Names that faster-whisper 1.2 knows (`faster_whisper.available_models()`)."""

_REPOSITORIES = {
    "large": "Systran/faster-whisper-large-v3",
    "large-v3-turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "turbo": "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
    "distil-large-v3.5": "distil-whisper/distil-large-v3.5-ct2",
    **{
        f"distil-{size}": f"Systran/faster-distil-whisper-{size}"
        for size in ("small.en", "medium.en", "large-v2", "large-v3")
    },
}
"""Repositories that are not called Systran/faster-whisper-NAME."""


def available() -> str | None:
    """The version of faster-whisper where it is installed, else None."""
    return None if missing_package() else f"faster-whisper {importlib.metadata.version('faster-whisper')}"


def missing_package() -> str | None:
    """The line that says faster-whisper is not installed, or None."""
    if importlib.util.find_spec("faster_whisper") is None:
        return "faster-whisper is not installed (pip install 'duologue[whisper]')"
    return None


def missing(model: str) -> str | None:
    """Why `model` cannot be used here, in one line with the way out, or None. A name that is not in the cache is no
    fault while the hub may be asked: the worker's first start then downloads it."""
    if (line := missing_package()) is not None:
        return line
    folder = resolve(model)
    if folder is not None:
        lacks = [name for name in NEEDED if not (folder / name).is_file()]
        if not any((folder / name).is_file() for name in VOCABULARIES):
            lacks.append(VOCABULARIES[0])
        if lacks:
            return f"whisper model {folder} lacks {', '.join(lacks)} (convert it with ct2-transformers-converter)"
        return None
    if not model or (model not in NAMES and model.count("/") != 1) or model.startswith((".", "/", "~")):
        return f"whisper model {model!r} is no folder and no model's name; known names are {', '.join(NAMES)}"
    if is_offline():
        return (
            f"whisper model {model!r} is not in {hub_folder()} and HF_HUB_OFFLINE is set "
            "(give a folder, or start once without HF_HUB_OFFLINE)"
        )
    return None


def resolve(model: str, environment: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of `model`: itself, or its newest snapshot in the hub's cache; None where it is in neither."""
    if model and Path(model).is_dir():
        return Path(model)
    return _snapshot(hub_folder(environment) / f"models--{_repository(model).replace('/', '--')}")


def cached(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The known names whose models lie in the hub's cache."""
    hub = hub_folder(environment)
    return [name for name in NAMES if _snapshot(hub / f"models--{_repository(name).replace('/', '--')}")]


def hub_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the Hugging Face hub keeps its files (its own rule)."""
    if "HF_HUB_CACHE" in environment:
        return Path(environment["HF_HUB_CACHE"]).expanduser()
    if "HF_HOME" in environment:
        return Path(environment["HF_HOME"]).expanduser() / "hub"
    return Path(environment.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "huggingface" / "hub"


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether HF_HUB_OFFLINE forbids asking the hub (its own rule)."""
    return environment.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _repository(model: str) -> str:
    return model if "/" in model else _REPOSITORIES.get(model, f"Systran/faster-whisper-{model}")


def _snapshot(repository: Path) -> Path | None:
    try:
        commit = (repository / "refs" / "main").read_text("utf-8").strip()
    except OSError:
        return None
    folder = repository / "snapshots" / commit
    return folder if commit and (folder / "model.bin").is_file() else None
