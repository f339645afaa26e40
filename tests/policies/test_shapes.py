"""Shapes are values: they compare, hash and never change, and a tool that says nothing is a write."""

from __future__ import annotations

import dataclasses
import typing

import pytest

from policies.shapes import Kind, NoteField, Parameter, ToolShape

DAY = Parameter("day", "choice", ("monday", "tuesday"))


def test_a_tool_is_a_write_unless_it_says_otherwise() -> None:
    """Forgetting to declare must be harmless: a write waits for the turn, a read does not."""
    shape = ToolShape("find_slots", (DAY,))
    assert (shape.effect, shape.confirm, shape.timeout_s) == ("write", False, 10.0)
    assert DAY.required


def test_shapes_are_values() -> None:
    assert ToolShape("find_slots", (DAY,)) == ToolShape(
        "find_slots", (Parameter("day", "choice", ("monday", "tuesday")),)
    )
    assert len({NoteField("day", "choice", ("monday",)), NoteField("day", "choice", ("monday",))}) == 1
    assert ToolShape("a", ()) != ToolShape("a", (), effect="read")
    for shape, name in ((DAY, "kind"), (NoteField("a", "text"), "name"), (ToolShape("a", ()), "effect")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(shape, name, "x")


def test_the_kinds_of_values_are_these() -> None:
    assert typing.get_args(Kind) == ("choice", "time", "heard", "number", "text")
