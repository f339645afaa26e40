"""JSON schemas as parameters: what can be spoken, how it goes over the wire, and one line for everything else."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

import pytest

from agent_runtime.tool_schemas import MOST_CHOICES, MOST_DESCRIPTION, ListedTool, choose_tools, spoken_name
from agent_runtime.tool_servers import ServedTool, ToolServer, ToolServerError
from agent_runtime.tools import Tool, ToolContext, parse_spoken_call, spoken_call

CONTEXT = ToolContext(today=datetime.date(2026, 11, 23), call_id="c", folder=Path())


async def call(name: str, arguments: dict[str, Any]) -> list[Any]:
    return [name, arguments]


def made(properties: Any, *, required: tuple[str, ...] = (), name: str = "ask", defs: Any = None, **terms: Any) -> Tool:
    """The one tool of a server, with the parameter schemas given."""
    schema = {"type": "object", "properties": properties, "required": list(required), "$defs": defs or {}}
    server = ToolServer(name="desk", command=("desk",), tools={name: ServedTool(**terms)} if terms else {})
    (tool,) = choose_tools(server, [ListedTool(name, "Asks.", schema, True)], call)
    return tool


def sent(tool: Tool, **arguments: Any) -> Any:
    return asyncio.run(tool.run(arguments, CONTEXT))[1]


@pytest.mark.parametrize(
    ("schema", "kind", "given", "on_the_wire"),
    [
        ({"enum": ["Monday", "tue"]}, "choice", "Monday", "Monday"),
        ({"const": "only"}, "choice", "only", "only"),
        ({"anyOf": [{"const": "a"}, {"const": "b"}]}, "choice", "b", "b"),
        ({"$ref": "#/$defs/Day"}, "choice", "friday", "friday"),
        ({"allOf": [{"$ref": "#/$defs/Day"}], "default": "friday"}, "choice", "friday", "friday"),
        ({"type": "boolean"}, "choice", True, True),
        ({"type": "string", "format": "time"}, "time", "10:30", "10:30:00"),
        ({"type": "string", "pattern": r"^([01]\d|2[0-3]):[0-5]\d$"}, "time", "10:30", "10:30"),
        ({"type": "integer", "minimum": 1}, "number", 4, 4),
        ({"type": "string", "minLength": 1, "title": "Name"}, "heard", "miller", "miller"),
    ],
)
def test_what_can_be_spoken(schema: dict[str, Any], kind: str, given: Any, on_the_wire: Any) -> None:
    tool = made({"x": schema}, required=("x",), defs={"Day": {"enum": ["friday"], "type": "string"}})
    (parameter,) = tool.shape.parameters
    assert (parameter.kind, parameter.required) == (kind, True)
    assert sent(tool, x=given) == {"x": on_the_wire}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "array", "items": {"type": "string"}}, "is of type array"),
        ({"type": "object"}, "is of type object"),
        ({"type": "number"}, "is a number with a fraction"),
        ({"type": "string", "format": "date"}, "is a text with format 'date'"),
        ({"type": "string", "pattern": "^A"}, "is a text with pattern '^A'"),
        ({"enum": [1, 2]}, "is a choice of what is no text"),
        ({"enum": [f"v{i}" for i in range(MOST_CHOICES + 1)]}, "is a choice of 101, more than 100,"),
        ({"anyOf": [{"type": "string"}, {"type": "integer"}]}, "is one of several types"),
        ({"type": ["string", "integer"]}, "is of type ['string', 'integer']"),
        ({}, "has no schema that says what it holds,"),
        (True, "has no schema that says what it holds"),
        ({"$ref": "https://elsewhere"}, "refers to 'https://elsewhere', which is not in its schema,"),
        ({"$ref": "#/$defs/Round"}, "refers to itself"),
    ],
)
def test_what_cannot_names_tool_parameter_reason_and_the_ways_out(schema: Any, reason: str) -> None:
    with pytest.raises(ToolServerError) as fault:
        made({"x": schema}, defs={"Round": {"$ref": "#/$defs/Round"}})
    line = str(fault.value)
    assert line.startswith(f"tool server desk, tool ask, parameter x: {reason} and cannot be spoken (")
    assert line.endswith("give it in fixed, name it in leave_out, or leave the tool out of allow")


def test_null_makes_a_parameter_optional_and_is_sent_only_where_it_must_be() -> None:
    nullable = {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    tool = made(
        {"must": nullable, "may": {"type": ["string", "null"]}, "pick": {"enum": ["a", None]}}, required=("must",)
    )
    assert [one.required for one in tool.shape.parameters] == [False, False, False]
    assert sent(tool) == {"must": None}
    assert sent(tool, must=3, may="so", pick="a") == {"must": 3, "may": "so", "pick": "a"}


def test_the_call_is_spoken_and_read_like_any_other() -> None:
    tool = made({"startTime": {"type": "string", "format": "time"}, "day": {"enum": ["monday"]}}, name="find-Slots")
    words = "find_slots start_time ten thirty day monday"
    assert spoken_call(tool, {"start_time": "10:30", "day": "monday"}) == words
    assert parse_spoken_call([tool], words) == (tool, {"start_time": "10:30", "day": "monday"})


def test_terms_fix_leave_out_and_call_a_text_a_time() -> None:
    text = {"type": "string"}
    tool = made(
        {"at": text, "zone": text, "tags": {"type": "array"}},
        required=("at", "zone"),
        fixed={"zone": "utc"}, leave_out=("tags",), times=("at",),
    )  # fmt: skip
    assert [(one.name, one.kind) for one in tool.shape.parameters] == [("at", "time")]
    assert sent(tool, at="09:00") == {"at": "09:00", "zone": "utc"}


def test_a_cheap_look_up_of_a_server_is_prefetched_for_each_value() -> None:
    found = made({"day": {"enum": ["Monday", "tue"]}}, required=("day",), effect="read", prefetch=True)
    assert [dict(one) for one in found.prefetched] == [{"day": "Monday"}, {"day": "tue"}]


@pytest.mark.parametrize(
    ("terms", "line"),
    [
        ({"fixed": {"zone": 1}}, "tool server desk, tool ask: has no parameter 'zone'; it takes at"),
        ({"times": ("zone",)}, "tool server desk, tool ask: has no parameter 'zone'; it takes at"),
        (
            {"leave_out": ("at",)},
            "tool server desk, tool ask, parameter at: is required; give it in fixed, or let it be",
        ),
        ({"effect": "read", "confirm": True}, "tool server desk: tool ask: a read has nothing to confirm"),
        ({"effect": "read", "prefetch": True}, "tool server desk: tool ask: at may be anything, so no call"),
        ({"timeout_s": 0}, "tool server desk: tool ask: timeout_s is 0; expected seconds above 0"),
    ],
)
def test_terms_that_do_not_fit_are_told(terms: dict[str, Any], line: str) -> None:
    with pytest.raises(ToolServerError) as fault:
        made({"at": {"type": "string"}}, required=("at",), **terms)
    assert str(fault.value).startswith(line)


def test_names_that_sound_the_same_or_cannot_be_said_are_told() -> None:
    with pytest.raises(ToolServerError, match="parameter at_time: sounds like atTime; give one of them in fixed"):
        made({"atTime": {"type": "integer"}, "at_time": {"type": "integer"}})
    with pytest.raises(ToolServerError, match="the name cannot be spoken"):
        made({}, name="404")
    with pytest.raises(ToolServerError, match="its arguments are no object of named values"):
        choose_tools(ToolServer(name="desk", command=("d",)), [ListedTool("t", "", {"type": "array"}, False)], call)


def test_only_what_is_allowed_is_taken_in_that_order() -> None:
    listed = [ListedTool(name, " much \n text " * 999, {}, name == "b") for name in ("a", "b", "c")]
    server = ToolServer(name="desk", command=("d",), allow=("c", "b"), trust_hints=True)
    tools = choose_tools(server, listed, call)
    assert [(one.name, one.shape.effect, one.shape.confirm) for one in tools] == [
        ("c", "write", True),
        ("b", "read", False),
    ]
    assert len(tools[0].doc) <= MOST_DESCRIPTION
    assert tools[0].doc.startswith("much text much")


@pytest.mark.parametrize(
    ("wire", "spoken"),
    [("startTime", "start_time"), ("get-weather", "get_weather"), ("repo.list", "repo_list"), ("HTTPGet", "httpget")],
)
def test_names_are_made_sayable(wire: str, spoken: str) -> None:
    assert spoken_name(wire) == spoken
