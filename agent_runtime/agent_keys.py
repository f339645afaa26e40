"""Keys of ``agent.toml``: what each holds, how it is read, and the one line for a slip of the pen.

This file refuses to know which keys there are and what they are for.
"""

from __future__ import annotations

import datetime
import difflib
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .agent import AgentFileError

__all__ = [
    "FILE_NAME", "FLAG", "TABLE", "TEXT", "TEXTS", "TEXT_OR_TEXTS", "Key", "did_you_mean", "number", "one_of",
    "read_date", "read_hours", "read_section", "whole",
]  # fmt: skip

FILE_NAME = "agent.toml"


@dataclass(frozen=True, slots=True)
class Key:
    """One key: what it holds, and a reader that gives its value or raises ValueError."""

    expects: str
    read: Callable[[Any], Any]


def _of_type(*kinds: type) -> Callable[[Any], Any]:
    def read(given: Any) -> Any:
        if type(given) not in kinds:
            raise ValueError
        return given

    return read


def read_number(given: Any) -> float:
    if type(given) not in (int, float) or not math.isfinite(given) or given < 0:
        raise ValueError
    return float(given)


def read_whole(given: Any) -> int:
    if type(given) is not int or given < 0:
        raise ValueError
    return given


def read_texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ValueError
    return tuple(given)


def read_text_or_texts(given: Any) -> str | tuple[str, ...]:
    return given if isinstance(given, str) else read_texts(given)


def read_hours(given: Any) -> tuple[str, str]:
    first, last = read_texts(given)
    return datetime.time.fromisoformat(first).strftime("%H:%M"), datetime.time.fromisoformat(last).strftime("%H:%M")


def read_date(given: Any) -> datetime.date:
    if type(given) is datetime.date:
        return given
    if not isinstance(given, str):
        raise ValueError
    return datetime.date.fromisoformat(given)


def one_of(*values: str) -> Key:
    def read(given: Any) -> str:
        if given not in values:
            raise ValueError
        return str(given)

    return Key(" or ".join(f"'{value}'" for value in values), read)


_UNITS = {"ms": " of milliseconds", "s": " of seconds", "wpm": " of words a minute", "hz": " of hertz"}


def whole(name: str) -> Key:
    return Key(f"a whole number{_UNITS.get(name.rpartition('_')[2], '')}", read_whole)


def number(name: str) -> Key:
    return Key(f"a number{_UNITS.get(name.rpartition('_')[2], '')}", read_number)


TEXT = Key("text in quotes", _of_type(str))
TEXTS = Key("a list of texts", read_texts)
TEXT_OR_TEXTS = Key("text in quotes, or a list of texts", read_text_or_texts)
FLAG = Key("true or false", _of_type(bool))
TABLE = Key("a table", _of_type(dict))


def read_section(where: str, keys: Mapping[str, Key], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of one section, read. Raises `AgentFileError` naming `where` and key."""
    read: dict[str, Any] = {}
    for name, given in values.items():
        if name not in keys:
            hint = did_you_mean(name, keys, "'{}'")
            raise AgentFileError(f"{FILE_NAME}: unknown key '{name}' in {where}{hint}")
        try:
            read[name] = keys[name].read(given)
        except ValueError:
            raise AgentFileError(
                f"{FILE_NAME}: {where} {name} is {shown(given)}; expected {keys[name].expects}"
            ) from None
    return read


def did_you_mean(name: str, known: Iterable[str], form: str) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {form.format(near[0])}?"
    return f"; known are {', '.join(form.format(one) for one in names)}" if names else "; there is none in this version"


def shown(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    text = str(given) if isinstance(given, datetime.date) else repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."
