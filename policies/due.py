"""Which agreed write is due: the other side of the write gate.

The gate keeps a write from running before the caller agreed; this keeps an agreed one from being forgotten. A small
model sometimes says "done" without doing it, so where the gate would let a confirmed tool run with what the note says,
the next thing the agent does is that call. It refuses to know the model and the tools' code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies import tool_gate
from policies.notes import UNKNOWN
from policies.shapes import ToolShape

__all__ = ["due_tool"]


def due_tool(
    tools: Sequence[ToolShape],
    note: Mapping[str, str],
    *,
    asked: Sequence[tool_gate.Heard],
    answer: str,
    refused: Sequence[str] = (),
) -> str:
    """The confirmed tool that was read back and agreed to just now, empty where there is none.

    `note`: the last note before the answer, field -> words. `asked`, `answer`, `refused`: as for `tool_gate.decide`.
    """
    for tool in tools:
        if tool.effect != "write" or not tool.confirm:
            continue
        known = {one.name: note[one.name] for one in tool.parameters if note.get(one.name, UNKNOWN) != UNKNOWN}
        gate = tool_gate.decide(tool, known, committed=True, asked=asked, answer=answer, others=tools, refused=refused)
        if gate.allowed:
            return tool.name
    return ""
