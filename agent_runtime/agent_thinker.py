"""The ``[thinker]`` section of ``agent.toml``, read into a `Thinker`.

This file refuses to open engines and to read the environment.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .agent import AgentError, AgentFileError, ServerSettings
from .agent_keys import FILE_NAME, TEXT, TEXTS, Key, did_you_mean, number, one_of, whole
from .agent_module import loaded_module
from .thinkers import THINKERS, Thinker, ThinkerError

__all__ = ["THINKER_KEYS", "read_thinker"]

THINKER_KEYS: Mapping[str, Key] = {
    "kind": one_of(*THINKERS),
    **dict.fromkeys(("name", "knows", "model", "base_url", "api_key_env", "tool", "filler"), TEXT),
    **dict.fromkeys(("topics", "limits"), TEXTS),
    **{name: number(name) for name in ("timeout_s", "slow_s")},
    "words": whole("words"),
}
_OF_SERVER = ("base_url", "api_key_env")


def read_thinker(folder: Path, section: Mapping[str, Any], module: str | None) -> Thinker | None:
    """The agent's second mind, None where there is none. Raises `AgentFileError` with one line."""
    if not section:
        return None
    values = dict(section)
    for needed in ("kind", "name"):
        if needed not in values:
            raise AgentFileError(f'{FILE_NAME}: [thinker] has no {needed}; add {needed} = "..."')
    kind = values["kind"]
    for key in section:
        if (key in _OF_SERVER and kind != "openai") or (key == "tool" and kind != "tool"):
            raise AgentFileError(f"{FILE_NAME}: [thinker] {key} is not for kind {kind!r}; drop it or set the kind")
    server = {name: values.pop(name) for name in _OF_SERVER if name in values}
    try:
        if kind == "openai":
            for needed in ("base_url", "model"):
                if needed not in section:
                    raise AgentFileError(
                        f"{FILE_NAME}: [thinker] kind 'openai' has no {needed}; add {needed} = \"...\""
                    )
            # the same limit ends the tool call and a server that falls silent
            limit_s = values.setdefault("timeout_s", 20.0)
            values["server"] = ServerSettings(**server, model=values.pop("model"), timeout_s=limit_s)
        elif "model" in values:
            values["model"] = _folder(folder, values["model"])
        if "tool" in values:
            values["function"] = _function(folder, module, values.pop("tool"))
        return Thinker(**values)
    except AgentFileError:
        raise
    except (AgentError, ThinkerError) as error:
        raise AgentFileError(f"{FILE_NAME}: [thinker] {str(error).removeprefix('thinker ')}") from error


def _folder(folder: Path, model: str) -> Path:
    if not (folder / model).is_dir():
        raise AgentFileError(f"{FILE_NAME}: [thinker] model is {model!r}, but {folder / model} is no folder of weights")
    return folder / model


def _function(folder: Path, module: str | None, name: str) -> Any:
    """The async function `name` of the tools module, one without @tool: the brief is all that it takes."""
    if module is None:
        wrong = f"[thinker] tool is {name!r}, but [tools] has no module"
        raise AgentFileError(f'{FILE_NAME}: {wrong}; add module = "tools.py"')
    functions = vars(loaded_module(folder / module)).items()
    found = {key: value for key, value in functions if inspect.iscoroutinefunction(value)}
    if name not in found:
        hint = did_you_mean(name, found, "'{}'")
        raise AgentFileError(f"{FILE_NAME}: [thinker] tool is {name!r}, no async function of {module}{hint}")
    return found[name]
