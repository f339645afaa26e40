"""The ``[engine]`` section of ``agent.toml``, or a list of ``[[engine]]``: what an `Agent` says of its engines.

This file refuses to open engines and to read the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .agent_keys import FILE_NAME, FLAG, TEXT, Key, number, one_of, read_section, whole
from .engine_settings import ENGINES, AgentError, AgentFileError, EngineSettings, ServerSettings, VLLMSettings

__all__ = ["ENGINE_KEYS", "read_engines"]

ENGINE_KEYS: Mapping[str, Key] = {
    "kind": one_of(*ENGINES),
    **dict.fromkeys(("model", "base_url", "api_key_env", "tokenizer", "dtype"), TEXT),
    "tokens": FLAG,
    "timeout_s": number("timeout_s"),
    "max_model_len": whole("max_model_len_tokens"),
    "gpu_memory_utilization": number("gpu_memory_utilization"),
    "stall_s": number("stall_s"),
}
_TAKES = {
    "embedded": ("model",),
    "openai": ("model", "base_url", "api_key_env", "tokens", "tokenizer", "timeout_s"),
    "vllm": ("model", "max_model_len", "gpu_memory_utilization", "dtype"),
}
"""Kind -> its keys; `kind` and `stall_s` are every engine's."""


def read_engines(folder: Path, given: Any) -> dict[str, Any]:
    """The fields of `Agent` that say what thinks for it. Raises `AgentFileError` with one line."""
    listed = isinstance(given, list)
    tables = given if listed else [given]
    if not tables or not all(isinstance(one, dict) for one in tables):
        raise AgentFileError(f"{FILE_NAME}: engine is no section; write [engine] once, or [[engine]] above each")
    engines = [_engine(folder, f"[[engine]] {at}" if listed else "[engine]", one) for at, one in enumerate(tables, 1)]
    if len(engines) == 1 and "stall_s" in tables[0]:
        raise AgentFileError(
            f"{FILE_NAME}: [engine] stall_s is for a list of engines; drop it, or write [[engine]] and a second one"
        )
    first = engines[0]
    found: dict[str, Any] = {"engine": first.kind, "model": first.model, "server": first.server, "vllm": first.vllm}
    return found if len(engines) == 1 else {**found, "stall_s": first.stall_s, "stand_ins": tuple(engines[1:])}


def _engine(folder: Path, where: str, table: Mapping[str, Any]) -> EngineSettings:
    section = read_section(where, ENGINE_KEYS, table)
    kind = section.pop("kind", "embedded")
    for key in section:
        if key not in (*_TAKES[kind], "stall_s"):
            kinds = " or ".join(repr(one) for one, keys in _TAKES.items() if key in keys)
            raise AgentFileError(f"{FILE_NAME}: {where} {key} is for kind {kinds}; drop it or set the kind")
    patience = {"stall_s": section.pop("stall_s")} if "stall_s" in section else {}
    try:
        if kind == "openai":
            for needed in ("base_url", "model"):
                if needed not in section:
                    raise AgentFileError(f"{FILE_NAME}: {where} kind 'openai' has no {needed}; add {needed} = \"...\"")
            tokenizer = _folder(folder, where, "tokenizer", section.pop("tokenizer", None))
            return EngineSettings(kind, tokenizer, ServerSettings(**section), **patience)
        model = _folder(folder, where, "model", section.pop("model", None))
        return EngineSettings(kind, model, vllm=VLLMSettings(**section) if kind == "vllm" else None, **patience)
    except AgentFileError:
        raise
    except AgentError as error:
        at = "" if where == "[engine]" else f"{where}: "
        raise AgentFileError(f"{FILE_NAME}: {at}{error}") from error


def _folder(folder: Path, where: str, key: str, model: str | None) -> Path | None:
    if model is None:
        return None
    if not (folder / model).is_dir():
        raise AgentFileError(f"{FILE_NAME}: {where} {key} is {model!r}, but {folder / model} is no folder of weights")
    return folder / model
