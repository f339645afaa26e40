"""Entries of a call's log: the stamp around an event or a command, and its one-line JSON form.

A line reads ``{"seq": 7, "at_us": 1250000, "cause": 3, "kind": "event", "type": "SpeechStarted", "data": {...},
"personal": {...}}``. `data` holds what is not personal; `personal` holds what somebody said or gave and belongs to
the log's subject (named once, in `CallStarted`), so that a later part can encrypt it under that subject's key and
forget it by destroying the key. The codec is derived from the dataclasses; no field is written by hand. This file
refuses to know files and time.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from policies.trajectory import Trajectory

from . import commands, events
from .commands import Command
from .events import Event

__all__ = ["SCHEMA", "Entry", "LogFormatError", "decode", "encode", "encode_line"]

SCHEMA = 1
"""Version of the line form. It changes when a field changes meaning or goes; a new field with a default does not."""


class LogFormatError(ValueError):
    """A log line that this version cannot read; the message names the line, what is wrong and the way out."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log. `at_us`: microseconds since the call started, on the call's one clock."""

    seq: int
    at_us: int
    cause: int
    what: Event | Command

    @property
    def at_s(self) -> float:
        """Seconds since the call started."""
        return self.at_us / 1e6


_TYPES: dict[str, type[Event] | type[Command]] = {
    name: getattr(module, name)
    for module in (events, commands)
    for name in module.__all__
    if isinstance(getattr(module, name), type) and name not in ("Event", "Command")
}


_LAYOUTS: dict[type, tuple[tuple[str, bool, Any], ...]] = {}
"""Filled on first use: resolving the type hints of all classes at import would cost every start 5 ms."""


def _layout(kind: type) -> tuple[tuple[str, bool, Any], ...]:
    """(field name, personal, resolved type) of each logged field of an event or command class."""
    found = _LAYOUTS.get(kind)
    if found is None:
        hints = typing.get_type_hints(kind)
        found = _LAYOUTS[kind] = tuple(
            (f.name, bool(f.metadata.get("personal")), hints[f.name])
            for f in dataclasses.fields(kind)
            if not f.metadata.get("unlogged")
        )
    return found


_NAMES: dict[type, tuple[str, tuple[str, ...], tuple[str, ...]]] = {}


def encode(entry: Entry) -> str:
    """The entry as one JSON line without its newline; equal entries give equal lines.

    Raises TypeError for a value that is no JSON.
    """
    return encode_line(entry)[:-1].decode()


def encode_line(entry: Entry) -> bytes:
    """`encode` as a log file holds it: UTF-8 with the newline."""
    what = entry.what
    kind = type(what)
    side, data_names, personal_names = _NAMES.get(kind) or _names(kind)
    line: dict[str, Any] = {
        "seq": entry.seq,
        "at_us": entry.at_us,
        "cause": entry.cause,
        "kind": side,
        "type": kind.__name__,
        "data": {name: getattr(what, name) for name in data_names},
    }
    if personal_names:
        line["personal"] = {name: getattr(what, name) for name in personal_names}
    try:
        return orjson.dumps(line, _plain, orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError as error:
        raise TypeError(str(error.__cause__ or error)) from error


def _names(kind: type) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """ "event" or "command", and the names of a class's plain and of its personal fields."""
    layout = _layout(kind)
    found = _NAMES[kind] = (
        "event" if issubclass(kind, Event) else "command",
        tuple(name for name, is_personal, _ in layout if not is_personal),
        tuple(name for name, is_personal, _ in layout if is_personal),
    )
    return found


def decode(line: str) -> Entry:
    """The entry of a line. Unlogged fields (a trajectory) come back empty. Raises `LogFormatError`."""
    try:
        raw = json.loads(line)
    except json.JSONDecodeError as error:
        raise LogFormatError(f"log line is not JSON ({error.msg} at column {error.colno}): {line[:60]!r}") from error
    if not isinstance(raw, dict):
        raise LogFormatError(f"log line is no JSON object: {line[:60]!r}")
    try:
        kind = _TYPES[raw["type"]]
        found = {**raw["data"], **raw.get("personal", {})}
        values = {name: _restore(hint, found[name]) for name, _, hint in _layout(kind) if name in found}
        for f in dataclasses.fields(kind):
            if f.metadata.get("unlogged"):
                values[f.name] = Trajectory()
        return Entry(raw["seq"], raw["at_us"], raw["cause"], kind(**values))
    except KeyError as error:
        raise LogFormatError(
            f"log line {raw.get('seq', '?')} has unknown or missing {error}; this version reads schema {SCHEMA}"
        ) from error
    except (TypeError, ValueError) as error:
        raise LogFormatError(f"log line does not fit {raw.get('type', '?')}: {error}") from error


def _plain(value: Any) -> Any:
    """What the encoder cannot write itself: mappings that are no dicts."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot stand in a log; give plain JSON values")


def _restore(hint: Any, value: Any) -> Any:
    """JSON values back as the annotated type: lists become tuples where a tuple is annotated."""
    origin = typing.get_origin(hint)
    if origin is tuple and isinstance(value, list):
        inner = typing.get_args(hint)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_restore(inner[0], item) for item in value)
        return tuple(_restore(one, item) for one, item in zip(inner, value, strict=True))
    if origin in (types.UnionType, typing.Union, Literal):
        return value
    return value
