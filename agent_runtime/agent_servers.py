"""The ``[[tools.mcp]]`` sections of ``agent.toml``, read into `ToolServer`s.

This file refuses to start servers and to read the environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .agent import AgentFileError
from .agent_keys import FILE_NAME, FLAG, TABLE, TEXT, TEXT_OR_TEXTS, TEXTS, Key, number, one_of, read_section
from .tool_servers import ServedTool, ToolServer, ToolServerError

__all__ = ["SERVER_KEYS", "TERMS_KEYS", "read_servers"]

SERVER_KEYS: Mapping[str, Key] = {
    "name": TEXT,
    "command": TEXTS,
    "url": TEXT,
    "env": TEXTS,
    "token_env": TEXT,
    "allow": TEXTS,
    "trust_hints": FLAG,
    "start_s": number("start_s"),
    "tool": TABLE,
}
TERMS_KEYS: Mapping[str, Key] = {
    "effect": one_of("read", "write"),
    "confirm": FLAG,
    "timeout_s": number("timeout_s"),
    "slow_s": number("slow_s"),
    "filler": TEXT_OR_TEXTS,
    "prefetch": FLAG,
    "fixed": TABLE,
    "leave_out": TEXTS,
    "times": TEXTS,
}


def read_servers(tables: Any) -> tuple[ToolServer, ...]:
    """The servers of the agent. Raises `AgentFileError` with one line."""
    if not isinstance(tables, list) or not all(isinstance(one, dict) for one in tables):
        raise AgentFileError(f"{FILE_NAME}: tools.mcp is not a list of sections; write [[tools.mcp]] above each")
    return tuple(_servers(tables))


def _servers(tables: Iterable[Mapping[str, Any]]) -> Iterable[ToolServer]:
    for at, table in enumerate(tables, 1):
        read = read_section(f"[[tools.mcp]] {at}", SERVER_KEYS, table)
        if "name" not in read:
            raise AgentFileError(f'{FILE_NAME}: [[tools.mcp]] {at} has no name; add name = "..."')
        terms = {}
        for tool, values in read.pop("tool", {}).items():
            if not isinstance(values, dict):
                raise AgentFileError(f"{FILE_NAME}: tool {tool} is no section; write [tools.mcp.tool.{tool}]")
            terms[tool] = ServedTool(**read_section(f"[tools.mcp.tool.{tool}]", TERMS_KEYS, values))
        try:
            yield ToolServer(**read, tools=terms)
        except ToolServerError as error:
            raise AgentFileError(f"{FILE_NAME}: {error}") from error
