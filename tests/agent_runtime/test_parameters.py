"""Type hints become parameters: which are allowed, which are not, and what each error says."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal

import pytest

from agent_runtime.parameters import FreeText, Slot, ToolContext, ToolDefinitionError, slots_of
from policies.shapes import Parameter

if TYPE_CHECKING:
    from decimal import Decimal


class Colour(StrEnum):
    RED = "red"
    DARK_BLUE = "dark blue"


class Level(IntEnum):
    LOW = 1


def slot(function: Callable[..., Any]) -> Slot:
    slots, _ = slots_of("paint", function)
    assert len(slots) == 1
    return slots[0]


def test_each_hint_gives_its_kind_and_schema() -> None:
    def paint(
        shade: Literal["light", "dark"],
        colour: Colour,
        again: bool,
        at: datetime.time,
        coats: int,
        who: str,
        remark: Annotated[str, FreeText],
        context: ToolContext,
    ) -> None: ...

    slots, lent = slots_of("paint", paint)
    assert lent == {"context": "context"}
    assert [one.shape for one in slots] == [
        Parameter("shade", "choice", ("light", "dark")),
        Parameter("colour", "choice", ("red", "dark blue")),
        Parameter("again", "choice", ("yes", "no")),
        Parameter("at", "time"),
        Parameter("coats", "number"),
        Parameter("who", "heard"),
        Parameter("remark", "text"),
    ]
    assert " ".join(one.schema["type"] for one in slots) == "string string boolean string integer string string"
    assert slots[1].schema["enum"] == ["red", "dark blue"]


@pytest.mark.parametrize(
    "hint", ["Colour | None", "Annotated[str | None, FreeText]", "Annotated[str, FreeText()] | None"]
)
def test_none_makes_a_parameter_optional(hint: str) -> None:
    def paint(what: Any) -> None: ...

    paint.__annotations__["what"] = hint
    assert slot(paint).shape.required is False
    assert slot(paint).none_if_absent is True


def test_a_default_makes_a_parameter_optional() -> None:
    def paint(coats: int = 2) -> None: ...

    assert slot(paint).shape.required is False
    assert slot(paint).none_if_absent is False


def test_values_read_three_ways() -> None:
    def colour(what: Colour) -> None: ...
    def again(what: bool) -> None: ...
    def at(what: datetime.time) -> None: ...
    def coats(what: int) -> None: ...
    def who(what: str) -> None: ...

    cases: list[tuple[Callable[..., Any], Any, str, Any]] = [
        (colour, "dark blue", "dark blue", Colour.DARK_BLUE),
        (again, False, "no", False),
        (at, "14:30", "two thirty", datetime.time(14, 30)),
        (at, "20:00", "eight p m", datetime.time(20)),
        (coats, 12, "twelve", 12),
        (who, "van berg", "van berg", "van berg"),
    ]
    for function, given, words, value in cases:
        one = slot(function)
        assert (one.words(given), one.heard(words), one.value(given)) == (words, given, value)
        assert type(one.value(given)) is type(value)


@pytest.mark.parametrize(
    ("hint", "wrong"),
    [
        (Colour, ["green", "RED", "", 1, True, None]),
        (bool, [1, 0, "yes", None]),
        (datetime.time, ["9:30", "25:00", "10:60", "10:30:00", "ten thirty", 1030, "١٠:٣٠"]),
        (int, [True, 1.0, "1", None]),
        (str, ["", "  ", 4, None, ["miller"]]),
    ],
)
def test_other_values_are_refused(hint: Any, wrong: list[Any]) -> None:
    def paint(what: Any) -> None: ...

    paint.__annotations__["what"] = hint
    for given in wrong:
        with pytest.raises(ValueError, match="is not"):
            slot(paint).value(given)


def test_unknown_and_wrong_words() -> None:
    def colour(what: Colour) -> None: ...
    def at(what: datetime.time) -> None: ...

    assert slot(colour).heard("-") is None
    with pytest.raises(ValueError, match="'green' is not one of red, dark blue"):
        slot(colour).heard("green")
    with pytest.raises(ValueError, match="'soon' is not a time as HH:MM"):
        slot(at).heard("soon")


@pytest.mark.parametrize(
    ("hint", "named"),
    [
        (float, "float"),
        (list[str], "list[str]"),
        (datetime.date, "date"),
        (Level, "Level"),
        (Literal[1, 2], "Literal[1, 2]"),
        (str | int, "str | int"),
        (Any, "Any"),
    ],
)
def test_other_types_name_the_parameter_the_type_and_the_allowed_ones(hint: Any, named: str) -> None:
    def paint(what: Any) -> None: ...

    paint.__annotations__["what"] = hint
    with pytest.raises(ToolDefinitionError) as caught:
        slot(paint)
    message = str(caught.value)
    assert message.startswith("tool paint, parameter what: has the type ")
    assert named in message
    assert "allowed are Literal[...] of texts, StrEnum, bool, datetime.time, int, str" in message


def test_functions_that_cannot_be_called_by_name() -> None:
    def positional(what: str, /) -> None: ...
    def many(*what: str) -> None: ...
    def keywords(**what: str) -> None: ...
    def loud(What: str) -> None: ...  # noqa: N803
    def bare(what) -> None: ...  # type: ignore[no-untyped-def]
    def twice(one: ToolContext, two: ToolContext) -> None: ...
    def hidden(what: Decimal) -> None: ...
    def mislabelled(what: Annotated[int, FreeText]) -> None: ...

    expected: list[tuple[Callable[..., Any], str]] = [
        (positional, "parameter what: cannot be given by name"),
        (many, "parameter what: cannot be given by name"),
        (keywords, "parameter what: cannot be given by name"),
        (loud, "parameter What: the name cannot be spoken"),
        (bare, "parameter what: has no type hint; allowed are"),
        (twice, "parameter two: one takes the context already"),
        (hidden, "type hints cannot be read .*Decimal.*outside TYPE_CHECKING"),
        (mislabelled, r"parameter what: is FreeText but int; write Annotated\[str, FreeText\]"),
    ]
    for function, message in expected:
        with pytest.raises(ToolDefinitionError, match=message):
            slots_of("paint", function)


def test_choices_must_differ_when_spoken() -> None:
    def alike(what: Literal["Red", "red"]) -> None: ...
    def silent(what: Literal["red", " ", "-"]) -> None: ...

    with pytest.raises(ToolDefinitionError, match="choices 'Red', 'red' sound the same"):
        slots_of("paint", alike)
    with pytest.raises(ToolDefinitionError, match="the choice ' ' has no words to say"):
        slots_of("paint", silent)
