"""A tool as a server lists it, made into a `Tool`: its JSON schema becomes the type hints one would have written.

    JSON schema                                    hint             the server gets
    ``enum`` or ``const`` of texts                 ``Literal[...]`` the text
    ``boolean``                                    ``bool``         ``true``
    ``string`` with ``format: time``               ``time``         ``"10:30:00"``
    ``string`` with a pattern of HH:MM             ``time``         ``"10:30"``
    ``string`` that the terms call a time          ``time``         ``"10:30"``
    ``integer``                                    ``int``          ``4``
    ``string``                                     ``str``          the caller's own words, copied

``null`` beside one of these, a default, or not being required makes it optional. Everything else cannot be spoken and
is refused with one line that names tool and parameter: a parameter that is dropped in silence is a wrong call later.
What the model is told (names, choices) comes from the server and is said as words only; what may run and when never
does. This file refuses to know the protocol and how a call is carried out.
"""

from __future__ import annotations

import datetime
import inspect
import re
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from .parameters import ToolDefinitionError
from .tool_servers import ServedTool, ToolServer, ToolServerError
from .tools import Tool, tool

__all__ = ["ListedTool", "choose_tools", "spoken_name"]

MOST_CHOICES = 100
"""Values of one choice; a guess: the recogniser's language model grows with each."""
MOST_DESCRIPTION = 1000
"""Characters of a description that are kept; a guess, and a bound on what a server can put before a model."""
_MOST_REFS = 8
"""References followed from one parameter; a schema that refers to itself ends here."""

_ANY_TEXT = {"$comment", "default", "deprecated", "description", "examples", "maxLength", "minLength", "title", "type"}
"""Keys beside which a string still is any words; with another one (``format``, ``pattern``) it is not."""
_TIME_PATTERNS = {r"^([01][0-9]|2[0-3]):[0-5][0-9]$", r"^([01]\d|2[0-3]):[0-5]\d$"}
"""How a schema says HH:MM: ours, and the same in short."""

Call = Callable[[str, dict[str, Any]], Coroutine[Any, Any, Any]]
"""(the server's name of the tool, arguments as JSON) -> the result as a JSON value."""


@dataclass(frozen=True, slots=True)
class ListedTool:
    """A tool as a server lists it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    """The JSON schema of its arguments, an object."""
    read_only: bool
    """What the server claims."""


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument that the model is asked for."""

    wire: str
    hint: Any
    required: bool
    time_format: str


def choose_tools(server: ToolServer, listed: list[ListedTool], call: Call) -> tuple[Tool, ...]:
    """The tools of `server` to use, in the order of `allow` or else of its list. Raises `ToolServerError`."""
    by_name = {one.name: one for one in listed}
    for name in (*server.allow, *server.tools):
        if name not in by_name:
            known = ", ".join(by_name) or "none"
            raise ToolServerError(f"tool server {server.name} has no tool {name!r}; it lists {known[:300]}")
    return tuple(_tool_of(server, by_name[name], call) for name in server.allow or by_name)


def spoken_name(name: str) -> str:
    """A name as the stream writes it: ``startTime`` and ``start-time`` are ``start_time``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return re.sub(r"[^a-z0-9]+", "_", parted).strip("_")


def _tool_of(server: ToolServer, listed: ListedTool, call: Call) -> Tool:
    where = f"tool server {server.name}, tool {listed.name}"
    terms = server.tools.get(listed.name, ServedTool())
    arguments = _arguments(where, listed, terms)
    effect = terms.effect or ("read" if server.trust_hints and listed.read_only else "write")
    confirm = effect == "write" if terms.confirm is None else terms.confirm

    async def ask(**values: Any) -> Any:
        given = {arguments[name].wire: _on_the_wire(value, arguments[name]) for name, value in values.items()}
        return await call(listed.name, {**given, **terms.fixed})

    keyword, absent = inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.empty
    ask.__name__ = spoken_name(listed.name)
    ask.__doc__ = " ".join(listed.description.split())[:MOST_DESCRIPTION]
    ask.__annotations__ = {name: one.hint for name, one in arguments.items()}
    parameters = [
        inspect.Parameter(name, keyword, default=absent if one.required else None) for name, one in arguments.items()
    ]
    ask.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    make = tool(
        effect=effect, confirm=confirm, timeout_s=terms.timeout_s, slow_s=terms.slow_s, filler=terms.filler,
        prefetch=terms.prefetch,
    )  # fmt: skip
    try:
        return make(ask)
    except ToolDefinitionError as error:
        raise ToolServerError(f"tool server {server.name}: {error}") from error


def _arguments(where: str, listed: ListedTool, terms: ServedTool) -> dict[str, _Argument]:
    """Spoken name -> argument, of those that the model is asked for."""
    schema = listed.schema
    properties = schema.get("properties") or {}
    if schema.get("type", "object") != "object" or not isinstance(properties, Mapping):
        raise ToolServerError(f"{where}: its arguments are no object of named values; leave the tool out of allow")
    required = set(schema.get("required") or ())
    for name in (*terms.fixed, *terms.leave_out, *terms.times):
        if name not in properties:
            raise ToolServerError(f"{where}: has no parameter {name!r}; it takes {', '.join(properties) or 'none'}")
    for name in terms.leave_out:
        if name in required:
            raise ToolServerError(f"{where}, parameter {name}: is required; give it in fixed, or let it be asked for")
    found: dict[str, _Argument] = {}
    for wire, value_schema in properties.items():
        if wire in terms.fixed or wire in terms.leave_out:
            continue
        place = f"{where}, parameter {wire}"
        spoken = spoken_name(wire)
        if spoken in found:
            raise ToolServerError(f"{place}: sounds like {found[spoken].wire}; give one of them in fixed")
        try:
            hint, time_format = _hint(value_schema, schema, wire in terms.times)
        except ValueError as reason:
            raise ToolServerError(
                f"{place}: {reason} and cannot be spoken (texts to choose from, true or false, times, whole numbers "
                "and the caller's own words can); give it in fixed, name it in leave_out, or leave the tool "
                "out of allow"
            ) from None
        found[spoken] = _Argument(wire, hint, wire in required, time_format)
    return found


def _resolved(schema: Any, root: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with its reference followed and a single ``allOf`` taken in. Raises ValueError saying what it is."""
    for _ in range(_MOST_REFS):
        if not isinstance(schema, Mapping):
            raise ValueError("has no schema that says what it holds")
        inner = schema.get("allOf")
        if "$ref" in schema:
            place = re.fullmatch(r"#/(\$defs|definitions)/([^/]+)", str(schema["$ref"]))
            target = (root.get(place[1]) or {}).get(place[2]) if place else None
        elif isinstance(inner, list) and len(inner) == 1:
            target = inner[0]
        else:
            return dict(schema)
        if not isinstance(target, Mapping):
            raise ValueError(f"refers to {str(schema.get('$ref'))[:60]!r}, which is not in its schema,")
        schema = {**{key: value for key, value in schema.items() if key not in ("$ref", "allOf")}, **target}
    raise ValueError("refers to itself")


def _hint(schema: Any, root: Mapping[str, Any], is_time: bool) -> tuple[Any, str]:
    """(type hint, how a time is written for the server). Raises ValueError saying what the schema is instead."""
    plain = _resolved(schema, root)
    either = plain.get("anyOf") or plain.get("oneOf")
    if isinstance(either, list):
        ways = [_resolved(one, root) for one in either]
        values = [one for one in ways if one.get("type") != "null"]
        nullable = len(values) < len(ways)
        if len(values) > 1 and all("const" in one for one in values):
            values = [{"enum": [one["const"] for one in values]}]
        if len(values) != 1:
            raise ValueError("is one of several types")
        hint, time_format = _plain_hint(values[0], is_time)
    else:
        kinds = plain.get("type")
        nullable = isinstance(kinds, list) and "null" in kinds
        if isinstance(kinds, list):
            rest = [kind for kind in kinds if kind != "null"]
            plain["type"] = rest[0] if len(rest) == 1 else rest
        hint, time_format = _plain_hint(plain, is_time)
    return (hint | None if nullable else hint), time_format


def _plain_hint(schema: Mapping[str, Any], is_time: bool) -> tuple[Any, str]:
    choices = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(choices, list):
        texts = [one for one in choices if one is not None]
        if not texts or not all(isinstance(one, str) for one in texts):
            raise ValueError("is a choice of what is no text")
        if len(texts) > MOST_CHOICES:
            raise ValueError(f"is a choice of {len(texts)}, more than {MOST_CHOICES},")
        return (Literal[tuple(texts)] | None if len(texts) < len(choices) else Literal[tuple(texts)]), ""
    match schema.get("type"):
        case "boolean":
            return bool, ""
        case "integer":
            return int, ""
        case "string" if is_time or schema.get("pattern") in _TIME_PATTERNS:
            return datetime.time, "%H:%M"
        case "string" if schema.get("format") == "time":
            return datetime.time, "%H:%M:%S"
        case "string":
            narrow = sorted(set(schema) - _ANY_TEXT)
            if narrow:
                raise ValueError(f"is a text with {narrow[0]} {str(schema[narrow[0]])[:60]!r}")
            return str, ""
        case "number":
            raise ValueError("is a number with a fraction")
        case kind:
            raise ValueError(f"is of type {str(kind)[:60]}" if kind else "has no schema that says what it holds,")


def _on_the_wire(value: Any, argument: _Argument) -> Any:
    return value.strftime(argument.time_format) if isinstance(value, datetime.time) else value
