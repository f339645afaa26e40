"""The ``[voice]`` and ``[recogniser]`` sections of ``agent.toml``, read into settings.

This file refuses to look for programs, models and servers, and to read the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .agent import RECOGNISERS, VOICES, AgentFileError, RecogniserSettings, VoiceSettings
from .agent_keys import FILE_NAME, TEXT, Key, number, one_of, whole
from .speech_settings import RECOGNISER_FIELDS, VOICE_FIELDS

__all__ = ["RECOGNISER_KEYS", "VOICE_KEYS", "read_recogniser", "read_voice"]

_SERVER_KEYS = {"base_url": TEXT, "api_key_env": TEXT, "timeout_s": number("timeout_s")}

VOICE_KEYS: dict[str, Key] = {
    "name": TEXT,
    "rate_wpm": whole("rate_wpm"),
    "pitch": whole("pitch"),
    "kind": one_of(*VOICES),
    **dict.fromkeys(("model", "voices", "program", "language"), TEXT),
    "speed": number("speed"),
    **_SERVER_KEYS,
}
RECOGNISER_KEYS: dict[str, Key] = {
    "kind": one_of(*RECOGNISERS),
    **dict.fromkeys(("phrases", "model", "language", "compute"), TEXT),
    "step_ms": whole("step_ms"),
    **_SERVER_KEYS,
}


def read_voice(folder: Path, section: Mapping[str, Any]) -> VoiceSettings:
    """Files are found from the agent's `folder`, a program by its path or on the PATH."""
    values = dict(section)
    kind = values.get("kind", "espeak")
    _check_used("voice", kind, values, VOICE_FIELDS)
    if kind != "openai":
        for name in ("model", "voices"):
            if values.get(name):
                values[name] = str(folder / values[name])
    if "/" in values.get("program", ""):
        values["program"] = str(folder / values["program"])
    return VoiceSettings(**values)


def read_recogniser(folder: Path, section: Mapping[str, Any]) -> RecogniserSettings:
    """A whisper model that is a folder is found from the agent's; any other text is taken for a name."""
    values = {name: value for name, value in section.items() if name != "phrases"}
    kind = values.get("kind", "pocketsphinx")
    _check_used("recogniser", kind, values, RECOGNISER_FIELDS)
    if kind == "whisper" and values.get("model") and (folder / values["model"]).is_dir():
        values["model"] = str(folder / values["model"])
    return RecogniserSettings(**values)


def _check_used(part: str, kind: str, values: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]]) -> None:
    """Also a key that holds its default is refused where the kind does not use it."""
    for name in sorted(values.keys() - {"kind", *fields[kind]}):
        users = [one for one, used in fields.items() if name in used]
        way_out = f'add kind = "{users[0]}"' if len(users) == 1 else "drop it, or set the kind"
        raise AgentFileError(f"{FILE_NAME}: [{part}] {name} is for {' and '.join(users)}; {way_out}")
