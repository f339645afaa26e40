"""duologue: voice agents that think while they listen and while they speak, and that learn from each call.

    from agent_runtime import Agent, run_call, tool

The names below are imported when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .foreign import check

if TYPE_CHECKING:
    from .agent import Agent, AgentError, VoiceSettings
    from .call import Call, CallError, play_call, run_call
    from .tools import FreeText, Tool, ToolContext, tool

__all__ = [
    "Agent",
    "AgentError",
    "Call",
    "CallError",
    "FreeText",
    "Tool",
    "ToolContext",
    "VoiceSettings",
    "play_call",
    "run_call",
    "tool",
]

__version__ = "0.1.0"

_ROOMS = {
    "agent": ("Agent", "AgentError", "VoiceSettings"),
    "call": ("Call", "CallError", "play_call", "run_call"),
    "tools": ("FreeText", "Tool", "ToolContext", "tool"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

check()


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    room = _ROOM_OF.get(name)
    if room is None:
        raise AttributeError(f"module 'agent_runtime' has no attribute {name!r}")
    return getattr(import_module(f".{room}", __name__), name)
