"""Tools: async functions with type hints, turned into what a model may call.

``@tool`` reads the hints once and makes a `Tool`: still callable as the function it was, and beside that a
`ToolShape` for grammar and write gate, a JSON schema for chat servers, and one checked way to run it. The same call
has two forms, JSON arguments (``{"time": "10:30"}``) outside the token stream and spoken words (``time ten thirty``)
inside it; `spoken_call` and `parse_spoken_call` translate.

    parameter hint               kind     JSON                 spoken          the function gets
    ``Literal[...]``, `StrEnum`  choice   ``"monday"``         monday          the literal or the member
    ``bool``                     choice   ``true``             yes             ``True``
    ``datetime.time``            time     ``"10:30"``          ten thirty      ``time(10, 30)``
    ``int``                      number   ``4``                four            ``4``
    ``str``                      heard    ``"miller"``         miller          the caller's own words, copied
    ``Annotated[str, FreeText]`` text     ``"call me back"``   call me back    any words
    `ToolContext`                -        never asked for      -               the call's context
    `policies.brief.Brief`       -        never asked for      -               what is known, for a sub-agent

``| None`` or a default makes a parameter optional. This file refuses to know when a tool may run (the write gate
decides), how long it may take (the acting organ ends it) and what the model is.
"""

from __future__ import annotations

import inspect
import itertools
import json
import math
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, overload

from policies.brief import Brief
from policies.filler import slots_in
from policies.shapes import ToolShape

from .parameters import FreeText, Slot, ToolContext, ToolDefinitionError, ToolError, slots_of

__all__ = [
    "FreeText",
    "Tool",
    "ToolArgumentError",
    "ToolContext",
    "ToolDefinitionError",
    "ToolError",
    "ToolResultError",
    "parse_spoken_call",
    "spoken_call",
    "spoken_slots",
    "tool",
]

_LATER = "Returns 'started' at once; its result comes later by itself. Until then go on with what you can say."
"""What a model is told of a tool in the background, behind its own description."""

MOST_PREFETCHED = 8
"""Calls of one tool that may run for one turn of the caller: a week, a few services. A guess at what a server bears."""

AsyncFunction: TypeAlias = Callable[..., Coroutine[Any, Any, Any]]


class ToolArgumentError(ToolError, ValueError):
    """The arguments of a call do not fit the tool; the function has not run."""


class ToolResultError(ToolError, ValueError):
    """The function has run, but gave something that is no JSON value."""


@dataclass(frozen=True, slots=True, eq=False)
class Tool:
    """An async function that the agent may call. Made by `tool`, never by hand."""

    function: AsyncFunction
    shape: ToolShape
    slow_s: float | None
    """How long the tool usually takes, as declared: decides whether a filler covers the wait."""
    filler: str | tuple[str, ...] | None
    """What to say while this tool runs, before the agent's own fillers; of several the first that can be filled."""
    slots: tuple[Slot, ...]
    lent: Mapping[str, str]
    """Parameters that the runtime fills in: "context" or "brief" -> the parameter's name."""
    background: bool = False
    """The call does not hold the turn: the agent goes on talking, and the result is folded in when it comes."""
    prefetched: tuple[Mapping[str, Any], ...] = ()
    """JSON arguments of the calls that run when the caller begins to speak, one for each value that may be named."""

    def __call__(self, *args: Any, **kwargs: Any) -> Coroutine[Any, Any, Any]:
        """Call the function as if it had no decorator, unchecked: for other tools and for tests."""
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        parameters = ", ".join(p.name + ("" if p.required else "=...") for p in self.shape.parameters)
        return f"<tool {self.name}({parameters}), {self.shape.effect}{', confirmed' if self.shape.confirm else ''}>"

    @property
    def name(self) -> str:
        """The name the model calls it by: the function's."""
        return self.shape.name

    @property
    def fillers(self) -> tuple[str, ...]:
        """`filler` as texts."""
        return (self.filler,) if isinstance(self.filler, str) else self.filler or ()

    @property
    def doc(self) -> str:
        """The description: the function's docstring."""
        return self.shape.doc

    @property
    def timeout_s(self) -> float:
        """After this many seconds the acting organ gives the call up."""
        return self.shape.timeout_s

    @property
    def schema(self) -> dict[str, Any]:
        """The parameters as a JSON schema object, as chat servers take it; a fresh dict each time."""
        return {
            "type": "object",
            "properties": {slot.shape.name: dict(slot.schema) for slot in self.slots},
            "required": [slot.shape.name for slot in self.slots if slot.shape.required],
            "additionalProperties": False,
        }

    def check(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The keyword arguments of the function for JSON `arguments`. Raises `ToolArgumentError`.

        None stands for "not given"; the function then gets its own default, or None where it has none.
        """
        known = {slot.shape.name: slot for slot in self.slots}
        for name in arguments:
            if name not in known:
                raise ToolArgumentError(
                    f"tool {self.name} has no argument {name!r}; it takes {', '.join(known) or 'none'}"
                )
        values: dict[str, Any] = {}
        for name, slot in known.items():
            given = arguments.get(name)
            if given is None and not slot.shape.required:
                if slot.none_if_absent:
                    values[name] = None
                continue
            if given is None:
                raise ToolArgumentError(f"tool {self.name} needs the argument {name!r}; expected {slot.expects}")
            try:
                values[name] = slot.value(given)
            except ValueError:
                raise ToolArgumentError(f"{name} of tool {self.name} is {given!r}; expected {slot.expects}") from None
        return values

    async def run(self, arguments: Mapping[str, Any], context: ToolContext, brief: Brief | None = None) -> Any:
        """Check `arguments`, call the function, give its result as plain JSON values.

        A tool that takes a brief and is given none gets one without a task. Raises `ToolArgumentError` before the
        function runs, `ToolResultError` after it, and what the function raises.
        """
        values = self.check(arguments)
        lent = {"context": context, "brief": brief or Brief("")}
        values.update((name, lent[what]) for what, name in self.lent.items())
        result = await self.function(**values)
        try:
            return json.loads(json.dumps(result, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise ToolResultError(
                f"tool {self.name} returned {_short(result)}, which is no JSON value ({error}); "
                "return text, numbers, true/false, None, or lists and dicts of them"
            ) from error


@overload
def tool(function: AsyncFunction, /) -> Tool: ...


@overload
def tool(
    *,
    effect: Literal["read", "write"] = ...,
    confirm: bool = ...,
    timeout_s: float = ...,
    slow_s: float | None = ...,
    filler: str | Sequence[str] | None = ...,
    background: bool = ...,
    prefetch: bool = ...,
) -> Callable[[AsyncFunction], Tool]: ...


def tool(
    function: AsyncFunction | None = None,
    /,
    *,
    effect: Literal["read", "write"] = "write",
    confirm: bool = False,
    timeout_s: float = 10.0,
    slow_s: float | None = None,
    filler: str | Sequence[str] | None = None,
    background: bool = False,
    prefetch: bool = False,
) -> Tool | Callable[[AsyncFunction], Tool]:
    """Make an async function a tool of the agent; its name, docstring and type hints are what the model sees.

    `effect` ``read`` promises that nothing changes, so the call may be made before the caller has finished; ``write``
    (the default, because forgetting it must be harmless) runs only after the turn is committed. `confirm` lets a write
    run only after its arguments were read back aloud and the caller agreed. `timeout_s`: when the call is given up.
    `slow_s`: how long it usually takes. `filler`: what to say meanwhile, ``let me look at {day}.`` with the
    arguments as the caller said them; several texts for calls that leave some out. `background`: the agent goes on
    talking at once and weaves the result in when it comes. `prefetch`: the tool is cheap, so run it for every value
    its choices may have (8 calls at most) as soon as the caller begins to speak: the result is there when the value
    is named. Raises `ToolDefinitionError`.
    """

    def make(function: AsyncFunction) -> Tool:
        return _tool(function, effect, confirm, timeout_s, slow_s, filler, background, prefetch)

    return make if function is None else make(function)


def spoken_call(tool: Tool, arguments: Mapping[str, Any]) -> str:
    """The call as words of the stream: ``book day wednesday time ten thirty name miller``.

    Arguments come in the order of the parameters; what is not given or None is left out. Raises `ToolArgumentError`
    where `arguments` do not fit the tool.
    """
    tool.check(arguments)
    words = [tool.name]
    for slot in tool.slots:
        given = arguments.get(slot.shape.name)
        if given is not None:
            words += [slot.shape.name, slot.words(given)]
    return " ".join(words)


def parse_spoken_call(tools: Iterable[Tool], text: str) -> tuple[Tool, dict[str, Any]]:
    """The tool and the JSON arguments of a spoken call; the inverse of `spoken_call`. Raises `ToolArgumentError`.

    Keys may come in any order; an optional argument that is ``-`` is not given. A value may contain a word that is
    also a key ("name day"): of the readings in which each value fits and none that is required is missing, the one
    whose values end earliest is taken.
    """
    by_name = {one.name: one for one in tools}
    words = text.lower().split()
    if not words or words[0] not in by_name:
        raise ToolArgumentError(f"{_short(text)} calls no known tool; there is {', '.join(by_name) or 'none'}")
    found = by_name[words[0]]
    slots = {slot.shape.name: slot for slot in found.slots}
    reading = _read(words[1:], slots)
    if reading is None:
        form = " ".join(
            f"{name} <{slot.expects}>" if slot.shape.required else f"[{name} <{slot.expects}>]"
            for name, slot in slots.items()
        )
        raise ToolArgumentError(f"{_short(text)} is no call of tool {found.name}; expected '{found.name} {form}'")
    return found, {name: reading[name] for name in slots if reading.get(name) is not None}


def spoken_slots(tool: Tool, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Argument -> spoken words, of those that are given: what a read-back must have said aloud."""
    given = ((slot, arguments.get(slot.shape.name)) for slot in tool.slots)
    return {slot.shape.name: slot.words(value) for slot, value in given if value is not None}


def _read(words: Sequence[str], slots: Mapping[str, Slot]) -> dict[str, Any] | None:
    """The arguments in `words`, or None; `slots` are those not yet given. Depth is at most the number of slots."""
    if not words:
        return None if any(slot.shape.required for slot in slots.values()) else {}
    slot = slots.get(words[0])
    if slot is None:
        return None
    rest = {name: other for name, other in slots.items() if other is not slot}
    for end in range(2, len(words) + 1):
        if end < len(words) and words[end] not in rest:
            continue
        try:
            given = slot.heard(" ".join(words[1:end]))
        except ValueError:
            continue
        if given is None and slot.shape.required:
            continue
        more = _read(words[end:], rest)
        if more is not None:
            return {slot.shape.name: given, **more}
    return None


def _tool(
    function: AsyncFunction,
    effect: Literal["read", "write"],
    confirm: bool,
    timeout_s: float,
    slow_s: float | None,
    filler: str | Sequence[str] | None,
    background: bool,
    prefetch: bool,
) -> Tool:
    name = getattr(function, "__name__", repr(function))
    if not inspect.iscoroutinefunction(function):
        raise ToolDefinitionError(f"tool {name}: is no async function; write 'async def' and await what is slow")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ToolDefinitionError(f"tool {name}: the name cannot be spoken; use lower-case letters, digits and _")
    if effect not in ("read", "write"):
        raise ToolDefinitionError(f"tool {name}: effect is {effect!r}; expected 'read' or 'write'")
    if confirm and effect == "read":
        raise ToolDefinitionError(f"tool {name}: a read has nothing to confirm; drop confirm or make it a write")
    if not 0 < timeout_s < math.inf:
        raise ToolDefinitionError(f"tool {name}: timeout_s is {timeout_s!r}; expected seconds above 0")
    if slow_s is not None and not 0 <= slow_s <= timeout_s:
        raise ToolDefinitionError(f"tool {name}: slow_s is {slow_s!r}; expected 0 to its timeout_s {timeout_s!r}")
    slots, lent = slots_of(name, function)
    doc = inspect.getdoc(function) or ""
    shape = ToolShape(
        name=name,
        parameters=tuple(slot.shape for slot in slots),
        effect=effect,
        confirm=confirm,
        timeout_s=float(timeout_s),
        doc=f"{doc} {_LATER}".strip() if background else doc,
    )
    texts = filler if isinstance(filler, str) or filler is None else tuple(filler)
    if prefetch and (effect != "read" or background or "brief" in lent):
        raise ToolDefinitionError(
            f"tool {name}: only a read that holds the turn and takes no brief can be prefetched; drop prefetch"
        )
    each = _every_call(name, slots) if prefetch else ()
    made = Tool(function, shape, slow_s, texts, slots, lent, background, each)
    known = [parameter.name for parameter in shape.parameters]
    for slot in (slot for text in made.fillers for slot in slots_in(text)):
        if slot not in known:
            takes = ", ".join(known) or "none"
            raise ToolDefinitionError(f"tool {name}: filler has the slot {{{slot}}}; its parameters are {takes}")
    return made


def _every_call(name: str, slots: Sequence[Slot]) -> tuple[dict[str, Any], ...]:
    """The arguments of each call that a prefetch makes."""
    needed = [slot for slot in slots if slot.shape.required]
    for slot in needed:
        if not slot.spoken_choices:
            raise ToolDefinitionError(
                f"tool {name}: {slot.shape.name} may be anything, so no call can be prefetched; make it a choice "
                "(Literal[...]), or drop prefetch"
            )
    values = [list(dict.fromkeys(slot.spoken_choices.values())) for slot in needed]
    count = math.prod(map(len, values))
    if count > MOST_PREFETCHED:
        raise ToolDefinitionError(
            f"tool {name}: its choices make {count} calls, and at most {MOST_PREFETCHED} are prefetched; drop prefetch"
        )
    names = [slot.shape.name for slot in needed]
    return tuple(dict(zip(names, given, strict=True)) for given in itertools.product(*values))


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
