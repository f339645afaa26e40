"""Servers whose tools an agent may use, as values: how to reach them, and under which terms each tool runs.

A server is a program that somebody else wrote. What it says of itself (``readOnlyHint``) is a claim, so every tool of
it is a confirmed write until the agent's owner says otherwise. Secrets are named here, never held: `env` and
`token_env` are names of environment variables, and their values go to the server alone. This file refuses to know the
protocol and to open anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .parameters import ToolError

__all__ = ["ServedTool", "ToolServer", "ToolServerError"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ToolServerError(ToolError):
    """A server that cannot be used, or a call that it could not answer; one line naming server, tool and way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedTool:
    """The terms of one tool of a server, set by the owner of the agent."""

    effect: Literal["read", "write"] | None = None
    """None: ``write``, or what the server's hint says where the server's hints are trusted."""
    confirm: bool | None = None
    """None: a write is read back and agreed to first."""
    timeout_s: float = 10.0
    """After this many seconds the call is given up."""
    slow_s: float | None = None
    """How long the tool usually takes: decides whether a filler covers the wait."""
    filler: str | Sequence[str] | None = None
    """What to say while it runs; see `agent_runtime.tools.tool`."""
    prefetch: bool = False
    """Run it for every value of its choices as soon as the caller speaks; see `agent_runtime.tools.tool`."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Arguments that are always the same, by the server's name for them; the model is never asked for them."""
    leave_out: Sequence[str] = ()
    """Optional parameters that are never given."""
    times: Sequence[str] = ()
    """Text parameters that hold a time of day as HH:MM without saying so in their schema."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolServer:
    """One server: a program that talks on its standard streams (`command`) or one that is reached by `url`.

    Raises `ToolServerError` where the values do not fit each other.
    """

    name: str
    command: Sequence[str] = ()
    """The program and its arguments; it runs in the agent's folder."""
    url: str = ""
    env: Sequence[str] = ()
    """Names of environment variables that the program gets beside PATH and the like; all others are kept from it."""
    token_env: str = ""
    """Name of the environment variable whose value is the bearer token for `url`."""
    allow: Sequence[str] = ()
    """The tools to use, by the server's names for them; none named: all that it lists."""
    trust_hints: bool = False
    """True: a tool that the server calls read-only is a read. Trust only a server whose code you would run as yours."""
    start_s: float = 30.0
    """How long the server may take to start and to list its tools."""
    tools: Mapping[str, ServedTool] = field(default_factory=dict)
    """Terms by the server's name of the tool; a tool that is not named has the usual ones."""

    def __post_init__(self) -> None:
        where = f"tool server {self.name}" if self.name else "a tool server"
        if not _NAME.fullmatch(self.name):
            raise ToolServerError(f"{where}: name is {self.name!r}; use lower-case letters, digits, _ and -")
        if bool(self.command) == bool(self.url):
            raise ToolServerError(f"{where}: has {'both' if self.url else 'no'} command and url; give one of the two")
        if self.url and not re.match(r"https?://[^\s/]", self.url):
            raise ToolServerError(f"{where}: url is {self.url!r}; expected http:// or https:// and a host")
        if self.url and self.env:
            raise ToolServerError(f"{where}: env is for a command; a url takes token_env")
        if self.token_env and not self.url:
            raise ToolServerError(f"{where}: token_env is for a url; a command takes env")
        for variable in (*self.env, *filter(None, [self.token_env])):
            if not _VARIABLE.fullmatch(variable):
                # the value is not shown: who writes the secret itself here must not find it in a log
                raise ToolServerError(f"{where}: an env entry is no name of a variable; give the name, not the value")
        if not 0 < self.start_s <= 600:
            raise ToolServerError(f"{where}: start_s is {self.start_s!r}; expected seconds above 0, at most 600")
        for name in self.tools:
            if self.allow and name not in self.allow:
                raise ToolServerError(f"{where}: has terms for tool {name}, which is not in allow; add it or drop them")
