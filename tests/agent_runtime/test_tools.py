"""Tools: made from functions, checked before they run, and said in words and back."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime.tools import (
    FreeText,
    Tool,
    ToolArgumentError,
    ToolContext,
    ToolDefinitionError,
    ToolResultError,
    parse_spoken_call,
    spoken_call,
    spoken_slots,
    tool,
)
from policies.brief import Brief
from policies.shapes import Parameter, ToolShape

CONTEXT = ToolContext(datetime.date(2026, 11, 23), "call-1", Path("nowhere"))
DAYS = ("monday", "tuesday", "wednesday")


@tool(effect="write", confirm=True, timeout_s=5)
async def book(day: Literal["monday", "tuesday", "wednesday"], time: datetime.time, name: str) -> list[str]:
    """Book a visit."""
    return [day, time.isoformat(), name]


@tool(effect="read", slow_s=1.5, filler="let me look.")
async def find(day: Literal["monday", "tuesday"], context: ToolContext, people: int | None, part: str = "any") -> Any:
    """Find a slot."""
    return {"day": day, "people": people, "part": part, "today": context.today.isoformat()}


@tool
async def remark(text: Annotated[str, FreeText], urgent: bool = False) -> None:
    return None


def test_a_tool_shows_what_the_function_says() -> None:
    assert (book.name, book.doc, book.timeout_s, book.slow_s, book.filler) == ("book", "Book a visit.", 5.0, None, None)
    assert book.shape == ToolShape(
        "book",
        (Parameter("day", "choice", DAYS), Parameter("time", "time"), Parameter("name", "heard")),
        effect="write",
        confirm=True,
        timeout_s=5.0,
        doc="Book a visit.",
    )
    assert repr(book) == "<tool book(day, time, name), write, confirmed>"
    assert repr(find) == "<tool find(day, people=..., part=...), read>"
    assert (find.slow_s, find.filler, dict(find.lent)) == (1.5, "let me look.", {"context": "context"})


def test_forgetting_the_effect_is_harmless() -> None:
    assert (remark.shape.effect, remark.shape.confirm) == ("write", False)


def test_the_schema_is_what_chat_servers_take() -> None:
    assert book.schema == {
        "type": "object",
        "properties": {
            "day": {"type": "string", "enum": list(DAYS)},
            "time": {
                "type": "string",
                "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
                "description": "time of day as HH:MM",
            },
            "name": {"type": "string", "description": "the caller's own words"},
        },
        "required": ["day", "time", "name"],
        "additionalProperties": False,
    }
    assert find.schema["required"] == ["day"]
    book.schema["properties"].clear()
    assert book.schema["properties"], "a caller's change must not reach the tool"


def test_the_function_stays_callable() -> None:
    assert asyncio.run(book("monday", datetime.time(10), "miller")) == ["monday", "10:00:00", "miller"]


def test_running_checks_converts_and_lends_the_context() -> None:
    assert asyncio.run(book.run({"day": "monday", "time": "10:30", "name": " miller "}, CONTEXT)) == [
        "monday",
        "10:30:00",
        "miller",
    ]
    found = {"day": "monday", "people": None, "part": "any", "today": "2026-11-23"}
    assert asyncio.run(find.run({"day": "monday"}, CONTEXT)) == found
    assert asyncio.run(find.run({"day": "monday", "people": None, "part": None}, CONTEXT)) == found
    assert asyncio.run(find.run({"day": "monday", "people": 2, "part": "morning"}, CONTEXT)) == {
        **found,
        "people": 2,
        "part": "morning",
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "tool book needs the argument 'day'; expected one of monday, tuesday, wednesday"),
        ({"day": "monday", "time": None}, "tool book needs the argument 'time'; expected a time as HH:MM"),
        ({"day": "friday"}, "day of tool book is 'friday'; expected one of monday, tuesday, wednesday"),
        ({"day": "monday", "time": "soon"}, "time of tool book is 'soon'; expected a time as HH:MM, 00:00 to 23:59"),
        ({"dya": "monday"}, "tool book has no argument 'dya'; it takes day, time, name"),
        ({"context": 1}, "tool book has no argument 'context'"),
    ],
)
def test_wrong_arguments_stop_the_call_before_it_starts(arguments: dict[str, Any], message: str) -> None:
    ran = []

    async def watched(day: str, time: str, name: str) -> None:
        ran.append(name)

    spied = Tool(watched, book.shape, None, None, book.slots, {})
    with pytest.raises(ToolArgumentError, match=message) as caught:
        asyncio.run(spied.run(arguments, CONTEXT))
    assert "\n" not in str(caught.value)
    assert not ran


@pytest.mark.parametrize("result", [datetime.date(2026, 11, 23), {1, 2}, float("nan"), [b"bytes"], object()])
def test_a_result_that_is_no_json_is_an_error(result: object) -> None:
    @tool
    async def odd() -> object:
        return result

    with pytest.raises(ToolResultError, match=r"tool odd returned .* which is no JSON value .*; return text, numbers"):
        asyncio.run(odd.run({}, CONTEXT))


def test_a_result_is_plain_json() -> None:
    @tool
    async def pair() -> object:
        return ("10:30", {"a": (1, 2)})

    assert asyncio.run(pair.run({}, CONTEXT)) == ["10:30", {"a": [1, 2]}]


def test_what_the_function_raises_passes_through() -> None:
    @tool
    async def broken() -> None:
        raise ZeroDivisionError("no calendar")

    with pytest.raises(ZeroDivisionError, match="no calendar"):
        asyncio.run(broken.run({}, CONTEXT))


def test_a_prefetch_makes_one_call_for_each_value_that_must_be_named() -> None:
    async def free(
        day: Literal["monday", "tuesday"], inside: bool, part: Literal["morning", "evening"] | None = None
    ) -> str:
        return ""

    async def named(name: str) -> str:
        return ""

    async def hour(hour: Literal["1", "2", "3"], minute: Literal["0", "15", "30"]) -> str:
        return ""

    async def hours() -> str:
        return ""

    made = tool(effect="read", prefetch=True)(free)
    assert [dict(one) for one in made.prefetched] == [
        {"day": day, "inside": inside} for day in ("monday", "tuesday") for inside in (True, False)
    ]
    assert [made.check(one) for one in made.prefetched], "they fit the tool"
    assert tool(effect="read", prefetch=True)(hours).prefetched == ({},)
    assert tool(effect="read")(free).prefetched == ()
    with pytest.raises(ToolDefinitionError, match="tool named: name may be anything, so no call can be prefetched"):
        tool(effect="read", prefetch=True)(named)
    with pytest.raises(ToolDefinitionError, match="tool hour: its choices make 9 calls, and at most 8 are prefetched"):
        tool(effect="read", prefetch=True)(hour)
    with pytest.raises(ToolDefinitionError, match="only a read that holds the turn"):
        tool(effect="read", prefetch=True, background=True)(hours)

    async def told(brief: Brief) -> str:
        return ""

    with pytest.raises(ToolDefinitionError, match=r"tool told: .* takes no brief"):
        tool(effect="read", prefetch=True)(told)


def test_functions_that_are_no_tools() -> None:
    def plain() -> None: ...
    async def fine() -> None: ...
    async def Loud() -> None: ...  # noqa: N802

    with pytest.raises(ToolDefinitionError, match="tool plain: is no async function; write 'async def'"):
        tool(plain)  # type: ignore[arg-type]
    with pytest.raises(ToolDefinitionError, match="tool Loud: the name cannot be spoken"):
        tool(Loud)
    with pytest.raises(ToolDefinitionError, match="tool fine: effect is 'maybe'; expected 'read' or 'write'"):
        tool(effect="maybe")(fine)  # type: ignore[call-overload]
    with pytest.raises(ToolDefinitionError, match="tool fine: a read has nothing to confirm"):
        tool(effect="read", confirm=True)(fine)
    for timeout_s in (0, -1, float("nan"), float("inf")):
        with pytest.raises(ToolDefinitionError, match=r"tool fine: timeout_s is .*; expected seconds above 0"):
            tool(timeout_s=timeout_s)(fine)
    with pytest.raises(ToolDefinitionError, match=r"tool fine: slow_s is 11; expected 0 to its timeout_s 10\.0"):
        tool(slow_s=11)(fine)
    with pytest.raises(ToolDefinitionError, match=r"tool fine: filler has the slot \{day\}; its parameters are none"):
        tool(filler=["one moment.", "let me look at {day}."])(fine)
    with pytest.raises(ToolDefinitionError, match="tool fine: only a read that holds the turn"):
        tool(prefetch=True)(fine)
    assert tool(filler="let me look.")(fine).fillers == ("let me look.",)
    assert tool(filler=["hm.", "one moment."])(fine).fillers == ("hm.", "one moment.")
    assert tool(fine).fillers == ()


# --- spoken calls ------------------------------------------------------------------------------------------------


def test_a_call_is_said_in_the_order_of_the_parameters() -> None:
    arguments = {"name": "Miller", "time": "10:30", "day": "wednesday"}
    assert spoken_call(book, arguments) == "book day wednesday time ten thirty name miller"
    assert spoken_call(find, {"day": "monday", "people": None}) == "find day monday"
    assert spoken_call(remark, {"text": "call back", "urgent": True}) == "remark text call back urgent yes"
    with pytest.raises(ToolArgumentError, match="needs the argument 'time'"):
        spoken_call(book, {"day": "monday"})


def test_the_words_of_each_argument() -> None:
    arguments = {"day": "monday", "people": None, "part": "Any time"}
    assert spoken_slots(find, arguments) == {"day": "monday", "part": "any time"}


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("book day wednesday time ten thirty name miller", {"day": "wednesday", "time": "10:30", "name": "miller"}),
        ("book name van berg time half past two day monday", {"day": "monday", "time": "14:30", "name": "van berg"}),
        ("book day monday time ten name day", {"day": "monday", "time": "10:00", "name": "day"}),
        ("book name time day day monday time ten", {"day": "monday", "time": "10:00", "name": "time day"}),
    ],
)
def test_a_spoken_call_is_read(text: str, arguments: dict[str, Any]) -> None:
    assert parse_spoken_call([find, book], text) == (book, arguments)


def test_an_unknown_optional_argument_is_not_given() -> None:
    assert parse_spoken_call([find], "find day monday people - part morning") == (
        find,
        {"day": "monday", "part": "morning"},
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' calls no known tool; there is find, book"),
        ("cancel day monday", "'cancel day monday' calls no known tool; there is find, book"),
        ("book", "'book' is no call of tool book; expected 'book day <one of monday, tuesday, wednesday> time <a time"),
        ("book day - time ten name miller", "is no call of tool book"),
        ("book day monday time ten name", "is no call of tool book"),
        ("book day monday time ten name miller day tuesday", None),
        ("find monday", r"expected 'find day <one of monday, tuesday> \[people <a whole number>\]"),
        ("find day monday people many", "is no call of tool find"),
    ],
)
def test_what_is_no_call(text: str, message: str | None) -> None:
    if message is None:  # the second "day" can only be part of the name
        assert parse_spoken_call([find, book], text)[1]["name"] == "miller day tuesday"
        return
    with pytest.raises(ToolArgumentError, match=message) as caught:
        parse_spoken_call([find, book], text)
    assert "\n" not in str(caught.value)


KEYS = {"day", "time", "name", "people", "part"}
WORD = st.text("abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=8).filter(lambda word: word not in KEYS)
WORDS = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
TIMES = st.times().map(lambda at: f"{at:%H:%M}")


@given(st.sampled_from(DAYS), TIMES, WORDS)
def test_reading_undoes_saying(day: str, time: str, name: str) -> None:
    arguments = {"day": day, "time": time, "name": name}
    assert parse_spoken_call([find, book, remark], spoken_call(book, arguments)) == (book, arguments)


@given(
    st.fixed_dictionaries({"day": st.sampled_from(DAYS[:2])}, optional={"people": st.integers(0, 9999), "part": WORDS})
)
def test_reading_undoes_saying_with_optional_arguments(arguments: dict[str, Any]) -> None:
    assert parse_spoken_call([find, book, remark], spoken_call(find, arguments)) == (find, arguments)


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        found, arguments = parse_spoken_call([find, book, remark], text)
    except ToolArgumentError:
        return
    found.check(arguments)
