"""Settings of tool servers: what does not fit is told in one line, and a secret is never shown."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime.tool_servers import ServedTool, ToolServer, ToolServerError


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"name": ""}, "a tool server: name is ''; use lower-case letters, digits, _ and -"),
        ({}, "tool server desk: has no command and url; give one of the two"),
        ({"command": ("d",), "url": "http://h"}, "tool server desk: has both command and url; give one of the two"),
        ({"url": "ftp://h"}, "tool server desk: url is 'ftp://h'; expected http:// or https:// and a host"),
        ({"url": "http://h", "env": ("A",)}, "tool server desk: env is for a command; a url takes token_env"),
        ({"command": ("d",), "token_env": "A"}, "tool server desk: token_env is for a url; a command takes env"),
        ({"command": ("d",), "start_s": 0}, "tool server desk: start_s is 0; expected seconds above 0, at most 600"),
        (
            {"command": ("d",), "allow": ("a",), "tools": {"b": ServedTool()}},
            "tool server desk: has terms for tool b, which is not in allow; add it or drop them",
        ),
    ],
)
def test_settings_that_do_not_fit_are_told(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(ToolServerError) as fault:
        ToolServer(**{"name": "desk", **settings})
    assert str(fault.value) == line


def test_a_secret_in_place_of_its_name_is_refused_and_not_shown() -> None:
    with pytest.raises(ToolServerError) as fault:
        ToolServer(name="desk", command=("d",), env=("sk-123=very secret",))
    assert str(fault.value) == "tool server desk: an env entry is no name of a variable; give the name, not the value"
