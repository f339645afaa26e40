"""Shapes of what the model may write: the fields of its note and the parameters of its tools.

A tool or note is described here as values only, so that the grammar, the write gate and the prompt can be
computed without knowing the Python function behind the tool. `agent_runtime.tools` makes a `ToolShape` from
type hints; `agent.toml` gives the `NoteField`s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Kind", "NoteField", "Parameter", "ToolShape"]

Kind = Literal["choice", "time", "heard", "number", "text"]
"""``choice``: one of `values`. ``time``: a spoken time of day. ``heard``: words the caller said, copied, never
invented. ``number``: a spoken whole number. ``text``: free words."""


@dataclass(frozen=True, slots=True)
class NoteField:
    """One field of the note the model writes before it acts; an unknown field is written ``-``."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    ask: str = field(default="", compare=False)
    """How to ask for it in another way when it was not understood (`policies.repair`); empty: in general words. No part
    of the shape that a model was trained with."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a tool as the model sees it."""

    name: str
    kind: Kind
    values: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class ToolShape:
    """What may be called, and under which conditions.

    `effect` read: may run before the turn is committed. write: never before commit, and with `confirm` only
    after its arguments were read back aloud and the caller agreed. `timeout_s` seconds.
    """

    name: str
    parameters: tuple[Parameter, ...]
    effect: Literal["read", "write"] = "write"
    confirm: bool = False
    timeout_s: float = 10.0
    doc: str = ""
