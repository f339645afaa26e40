"""Parameters of a tool: type hints read once into shapes, schemas, and values that translate both ways.

`slots_of` reads a function's hints; each `Slot` then knows its `Parameter` (for grammar and write gate), its JSON
schema (for chat servers) and how a value reads as JSON, as words of the stream, and as what the function gets. This
file refuses to know what the function does and when it runs.
"""

from __future__ import annotations

import datetime
import enum
import inspect
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from policies import PolicyError
from policies.brief import Brief
from policies.shapes import Kind, Parameter
from policies.spoken import UNKNOWN, read_value, say_value

__all__ = ["FreeText", "Slot", "ToolContext", "ToolDefinitionError", "ToolError", "slots_of"]

_ALLOWED = (
    "Literal[...] of texts, StrEnum, bool, datetime.time, int, str, Annotated[str, FreeText] "
    "(each also with '| None'), ToolContext or Brief"
)
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)


class ToolError(Exception):
    """Root of what can be wrong with a tool; each message is one line."""


class ToolDefinitionError(ToolError, TypeError):
    """The decorated function cannot be a tool; raised at import, with the way out."""


class FreeText:
    """Mark of a `str` parameter that takes any words, not only the caller's: ``Annotated[str, FreeText]``."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a call lends its tools. A parameter with this hint is filled in by the runtime, never by the model."""

    today: datetime.date
    """The date the call takes for today: given to the call, never read from a clock."""
    call_id: str
    folder: Path
    """A folder that outlives the call, where a tool may keep its data."""


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """One parameter: its public shape, its JSON schema, and its value in three forms (JSON, words, Python)."""

    shape: Parameter
    schema: Mapping[str, Any]
    expects: str
    """What a value must be, for error lines."""
    spoken_choices: Mapping[str, Any]
    """Words -> JSON value of a choice; empty for the other kinds."""
    members: Mapping[Any, Any]
    """JSON value -> what the function gets, for a choice."""
    none_if_absent: bool
    """True when the function must be given None for "not given" (``X | None`` without a default)."""

    def value(self, given: Any) -> Any:
        """What the function gets for a JSON value. Raises ValueError; the caller of this knows the tool's name."""
        match self.shape.kind:
            case "choice":
                # a type check first: 1 == True would pass as a boolean
                if type(given) is type(next(iter(self.members))) and given in self.members:
                    return self.members[given]
            case "number":
                if type(given) is int:
                    return given
            case "time":
                if isinstance(given, str) and _CLOCK.fullmatch(given):
                    return datetime.time.fromisoformat(given)
            case "heard" | "text":
                if isinstance(given, str) and given.strip():
                    return given.strip()
        raise ValueError(f"{given!r} is not {self.expects}")

    def words(self, given: Any) -> str:
        """The words of a JSON value that `value` accepts."""
        if self.shape.kind == "choice":
            return next(words for words, value in self.spoken_choices.items() if value == given)
        if self.shape.kind in ("heard", "text"):
            return " ".join(str(given).lower().split())
        return say_value(given)

    def heard(self, words: str) -> Any:
        """The JSON value of spoken words, None for the unknown ``-``. Raises ValueError where they are no value."""
        if words == UNKNOWN:
            return None
        if self.shape.kind == "choice":
            if words not in self.spoken_choices:
                raise ValueError(f"{words!r} is not {self.expects}")
            return self.spoken_choices[words]
        if self.shape.kind in ("heard", "text"):
            return words
        try:
            return read_value(words, self.shape.kind)
        except PolicyError as error:
            raise ValueError(f"{words!r} is not {self.expects}") from error


_LENT: Mapping[type, str] = {ToolContext: "context", Brief: "brief"}
"""Hints of parameters that the runtime fills in, and what each takes."""


def slots_of(tool_name: str, function: Callable[..., Any]) -> tuple[tuple[Slot, ...], dict[str, str]]:
    """The parameters the model fills in, in order, and those the runtime fills in: what is lent -> parameter name.

    Raises `ToolDefinitionError` naming the parameter, its type and the allowed ones.
    """
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:
        raise ToolDefinitionError(
            f"tool {tool_name}: its type hints cannot be read ({error}); import what they name outside TYPE_CHECKING"
        ) from error
    slots: list[Slot] = []
    lent: dict[str, str] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        where = f"tool {tool_name}, parameter {name}"
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise ToolDefinitionError(f"{where}: cannot be given by name; use no *{name}, **{name} or '/'")
        if name not in hints:
            raise ToolDefinitionError(f"{where}: has no type hint; allowed are {_ALLOWED}")
        if isinstance(hints[name], type) and (what := _LENT.get(hints[name])):
            if what in lent:
                raise ToolDefinitionError(f"{where}: {lent[what]} takes the {what} already; drop one")
            lent[what] = name
        elif not _NAME.fullmatch(name):
            raise ToolDefinitionError(f"{where}: the name cannot be spoken; use lower-case letters, digits and _")
        else:
            slots.append(_slot(where, name, hints[name], parameter.default is not parameter.empty))
    return tuple(slots), lent


def _slot(where: str, name: str, hint: Any, has_default: bool) -> Slot:
    plain, nullable = _without_none(hint)
    free = False
    if typing.get_origin(plain) is Annotated:
        plain, *marks = typing.get_args(plain)
        free = any(mark is FreeText or isinstance(mark, FreeText) for mark in marks)
        plain, also_nullable = _without_none(plain)
        nullable = nullable or also_nullable
    if free and plain is not str:
        raise ToolDefinitionError(f"{where}: is FreeText but {_named(plain)}; write Annotated[str, FreeText]")

    def slot(kind: Kind, expects: str, schema: Mapping[str, Any], members: Mapping[Any, Any] | None = None) -> Slot:
        spoken = {_choice_words(where, value): value for value in members or {}}
        if len(spoken) < len(members or {}):
            raise ToolDefinitionError(
                f"{where}: choices {', '.join(map(repr, members or {}))} sound the same; name them apart"
            )
        shape = Parameter(name, kind, tuple(spoken), required=not (has_default or nullable))
        return Slot(shape, schema, expects, spoken, members or {}, nullable and not has_default)

    members = _members(plain)
    if members:
        texts = list(members)
        return slot("choice", f"one of {', '.join(texts)}", {"type": "string", "enum": texts}, members)
    if plain is bool:
        return slot("choice", "true or false", {"type": "boolean"}, {True: True, False: False})
    if plain is int:
        return slot("number", "a whole number", {"type": "integer"})
    if plain is datetime.time:
        schema = {"type": "string", "pattern": f"^{_CLOCK.pattern}$", "description": "time of day as HH:MM"}
        return slot("time", "a time as HH:MM, 00:00 to 23:59", schema)
    if plain is str and free:
        return slot("text", "words", {"type": "string"})
    if plain is str:
        return slot("heard", "the caller's own words", {"type": "string", "description": "the caller's own words"})
    raise ToolDefinitionError(f"{where}: has the type {_named(hint)}; allowed are {_ALLOWED}")


def _members(plain: Any) -> dict[str, Any]:
    """JSON value -> Python value of a choice type; empty for every other type."""
    values: dict[Any, Any] = {}
    if typing.get_origin(plain) is Literal:
        values = {value: value for value in typing.get_args(plain)}
    elif isinstance(plain, type) and issubclass(plain, enum.StrEnum):
        values = {member.value: member for member in plain}
    return values if all(isinstance(value, str) for value in values) else {}


def _choice_words(where: str, value: Any) -> str:
    words = say_value(value)
    if isinstance(value, str) and (not value.strip() or not re.search(r"\w", value)):
        raise ToolDefinitionError(f"{where}: the choice {value!r} has no words to say; give it some")
    return words


def _without_none(hint: Any) -> tuple[Any, bool]:
    """The hint without ``| None``, and whether it had one; other unions stay as they are."""
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        rest = [one for one in typing.get_args(hint) if one is not types.NoneType]
        if len(rest) == 1:
            return rest[0], True
    return hint, False


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
