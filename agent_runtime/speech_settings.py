"""What an agent asks of its voice and its recogniser, as values that check themselves.

Each kind of part uses some of the fields and has limits of its own; a field that a kind does not use is an error, so
that nobody turns a knob that moves nothing. This file refuses to know calls, engines and files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engine_settings import AgentError, check_server

__all__ = [
    "RECOGNISERS",
    "RECOGNISER_FIELDS",
    "VOICES",
    "VOICE_FIELDS",
    "RecogniserSettings",
    "VoiceSettings",
]

_AT_SERVER = ("model", "base_url", "api_key_env", "timeout_s")

VOICE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "espeak": ("name", "rate_wpm", "pitch"),
    "piper": ("model", "program", "speed"),
    "kokoro": ("name", "model", "voices", "language", "speed"),
    "openai": ("name", "speed", *_AT_SERVER),
}
"""Kind of voice -> the fields it uses."""

RECOGNISER_FIELDS: Mapping[str, tuple[str, ...]] = {
    "pocketsphinx": (),
    "whisper": ("model", "language", "compute", "step_ms"),
    "openai": ("language", *_AT_SERVER),
}
"""Kind of recogniser -> the fields it uses."""

VOICES = tuple(VOICE_FIELDS)
"""Kinds of voice an agent may ask for."""

RECOGNISERS = tuple(RECOGNISER_FIELDS)
"""Kinds of recogniser an agent may ask for."""

_SERVER_NEEDED = {"base_url": "an address such as 'http://127.0.0.1:8000/v1'", "model": "its name at the server"}
_VOICE_NEEDED: Mapping[str, Mapping[str, str]] = {
    "piper": {"model": "the .onnx file of a voice"},
    "kokoro": {"model": "its .onnx file", "voices": "the file of its voices", "name": "one of them, like 'af_heart'"},
    "openai": {**_SERVER_NEEDED, "name": "a voice of the server, like 'alloy'"},
}
_RECOGNISER_NEEDED: Mapping[str, Mapping[str, str]] = {"openai": _SERVER_NEEDED}
"""Kind -> fields whose default is none for it, and what to give."""

_SPEEDS = {"piper": (0.25, 4.0), "kokoro": (0.5, 2.0), "openai": (0.25, 4.0)}
"""The protocol's, and kokoro-onnx's, limits; Piper has none, so the widest of the others."""

_PATHS = ("model", "voices", "program")


@dataclass(frozen=True, slots=True)
class VoiceSettings:
    """How the agent sounds. `VOICE_FIELDS` says which fields a kind uses."""

    name: str = "en-us"
    """A voice of the synthesiser; for espeak-ng a language or voice name."""
    rate_wpm: int = 170
    """Words a minute, 80..450 (the limits of espeak-ng). 170 is a calm telephone pace; a guess."""
    pitch: int = 50
    """0..99; 50 is the voice's own."""
    kind: str = "espeak"
    model: str = ""
    """Piper, Kokoro: the ``.onnx`` file of the voice. openai: the model's name at the server."""
    voices: str = ""
    """Kokoro: the file that holds its voices."""
    program: str = ""
    """Piper: the program, a path or a name on the PATH; empty: ``piper``, or ``python -m piper``."""
    language: str = "en-us"
    """Kokoro: whose sounds a text is read in, as espeak-ng names languages."""
    speed: float = 1.0
    """All but espeak: 1 is the voice's own pace, 2 twice as fast."""
    base_url: str = ""
    """openai: as the server's own guide gives it."""
    api_key_env: str = ""
    """openai: name of the environment variable that holds the key; empty: no key is sent."""
    timeout_s: float = 10.0
    """openai: a request that brings nothing for so long is given up. A guess, as the engine's."""

    def __post_init__(self) -> None:
        _check_kind("voice", self, VOICE_FIELDS, _VOICE_NEEDED)
        if self.kind == "espeak":
            if not self.name.strip():
                raise AgentError("voice name is empty; name a voice such as 'en-us'")
            if not 80 <= self.rate_wpm <= 450:
                raise AgentError(f"voice rate_wpm is {self.rate_wpm}; expected 80 to 450 words a minute")
            if not 0 <= self.pitch <= 99:
                raise AgentError(f"voice pitch is {self.pitch}; expected 0 to 99")
            return
        least, most = _SPEEDS[self.kind]
        if not least <= self.speed <= most:
            raise AgentError(f"voice speed is {self.speed}; {self.kind} speaks {least:g} to {most:g} times as fast")
        if not self.language.strip():
            raise AgentError("voice language is empty; leave it out for 'en-us'")
        if self.kind == "openai":
            check_server("voice", self.base_url, self.api_key_env, self.timeout_s)

    def digested(self) -> dict[str, Any]:
        """What of it changes how calls go, the same on every machine."""
        kind = {} if self.kind == "espeak" else {"kind": self.kind}  # logs from before there was a choice
        return {**kind, **_used(self, VOICE_FIELDS)}


@dataclass(frozen=True, slots=True)
class RecogniserSettings:
    """How callers' words are recognised. `RECOGNISER_FIELDS` says which fields a kind uses; pocketsphinx learns the
    agent's phrases."""

    kind: str = "pocketsphinx"
    model: str = "base"
    """Whisper: a folder, or a name that faster-whisper knows. openai: the model's name at the server."""
    language: str = "en"
    """Two letters, as Whisper names its languages."""
    compute: str = "int8"
    """CTranslate2's compute type."""
    step_ms: int = 1000
    """New sound after which the caller's speech is decoded again."""
    base_url: str = ""
    """openai: as the server's own guide gives it."""
    api_key_env: str = ""
    """openai: name of the environment variable that holds the key; empty: no key is sent."""
    timeout_s: float = 10.0
    """openai: a request that brings nothing for so long is given up. A guess, as the engine's."""

    def __post_init__(self) -> None:
        _check_kind("recogniser", self, RECOGNISER_FIELDS, _RECOGNISER_NEEDED)
        for name in ("model", "language", "compute"):
            if not getattr(self, name).strip():
                raise AgentError(f"recogniser {name} is empty; leave it out for {_defaults(self)[name]!r}")
        if not 100 <= self.step_ms <= 10_000:
            raise AgentError(f"recogniser step_ms is {self.step_ms}; expected 100 to 10000 milliseconds")
        if self.kind == "openai":
            check_server("recogniser", self.base_url, self.api_key_env, self.timeout_s)

    def digested(self) -> dict[str, Any]:
        """What of it changes how calls go, the same on every machine."""
        return {"kind": self.kind, **_used(self, RECOGNISER_FIELDS)}


def _check_kind(
    part: str, settings: Any, fields: Mapping[str, tuple[str, ...]], needed: Mapping[str, Mapping[str, str]]
) -> None:
    """The kind is known, has what it needs, and no field is set that it does not use."""
    kind = settings.kind
    if kind not in fields:
        raise AgentError(f"{part} kind is {kind!r}; expected one of {', '.join(fields)}")
    for name, default in _defaults(settings).items():
        value = getattr(settings, name)
        if name != "kind" and name not in fields[kind] and value != default:
            users = " and ".join(one for one, used in fields.items() if name in used)
            raise AgentError(f"{part} {name} is for {users}; drop it, or set the kind")
    for name, what in needed.get(kind, {}).items():
        if getattr(settings, name).strip() in ("", _defaults(settings)[name]):
            raise AgentError(f"{part} kind {kind!r} has no {name}; give {what}")


def _defaults(settings: Any) -> dict[str, Any]:
    return {f.name: f.default for f in dataclasses.fields(settings)}


def _used(settings: Any, fields: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """The fields that its kind uses; of files only their names, of a server nothing but what it does."""
    apart = ("api_key_env", "timeout_s", "program")
    values = {name: getattr(settings, name) for name in fields[settings.kind] if name not in apart}
    if "base_url" not in values:
        values |= {name: Path(values[name]).name for name in _PATHS if name in values}
    return values
