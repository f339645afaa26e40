"""The Python file of an agent's folder: run once, in a package of its own, for the tools in it.

An agent's folder is no installed package and must not become one: two agents may both have a ``tools.py``. So the
folder is a package with a private name for as long as the process lives; ``from . import storage`` works in it, and
`sys.path` stays as it is. This file refuses to know ``agent.toml``. It runs the code it is given.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
import traceback
import types
from pathlib import Path

from .agent import AgentFileError
from .tools import Tool

__all__ = ["is_module_file", "load_module", "load_tools", "loaded_module"]


def is_module_file(path: Path) -> bool:
    """True for an existing ``.py`` file whose name can be imported."""
    return path.suffix == ".py" and path.stem.isidentifier() and path.is_file()


def load_tools(path: Path) -> dict[str, Tool]:
    """The tools of the module at `path` by name, in the order of the file; imported ones count too."""
    return {value.name: value for value in vars(load_module(path)).values() if isinstance(value, Tool)}


def load_module(path: Path) -> types.ModuleType:
    """The module at `path`, for what stands in it beside its tools.

    The module is run afresh each time. Raises `AgentFileError` naming file and line when it raises.
    """
    folder = path.resolve().parent
    package_name = _package_of(folder)
    for loaded in [name for name in sys.modules if name == package_name or name.startswith(f"{package_name}.")]:
        del sys.modules[loaded]
    package = types.ModuleType(package_name, "The folder of an agent.")
    package.__path__ = [str(folder)]
    sys.modules[package_name] = package
    importlib.invalidate_caches()
    try:
        return importlib.import_module(f"{package_name}.{path.stem}")
    except (Exception, SystemExit) as error:
        message = " ".join(str(error).split()) or "no message"
        raise AgentFileError(f"{_place(error, folder)}: {type(error).__name__}: {message}") from error


def loaded_module(path: Path) -> types.ModuleType:
    """The module at `path` as it was run last, so that its state is shared; run now if it never was."""
    return sys.modules.get(f"{_package_of(path.resolve().parent)}.{path.stem}") or load_module(path)


def _package_of(folder: Path) -> str:
    return f"_agent_{hashlib.blake2b(str(folder).encode(), digest_size=6).hexdigest()}"


def _place(error: BaseException, folder: Path) -> str:
    """``tools.py:12``: the last line inside the agent's folder on the way to the error."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{Path(error.filename).name}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(folder)]
    return f"{Path(frames[-1].filename).relative_to(folder)}:{frames[-1].lineno}" if frames else str(folder)
