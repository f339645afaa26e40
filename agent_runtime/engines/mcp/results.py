"""What an MCP server answered, as the JSON value that the agent is told.

Structured content comes before text. Text that is JSON is read, so that ``["10:30"]`` is said "ten thirty". Pictures
and sound have no words. A result is never refused for its size: a write that was carried out must not read as one that
failed; it is cut instead. This file refuses to know connections.
"""

from __future__ import annotations

import json
from typing import Any

from mcp import types

__all__ = ["MOST_CHARACTERS", "MOST_ERROR", "error_text", "value_of"]

MOST_CHARACTERS = 2000
"""Characters of a result; about two minutes of speech, far above what a caller listens to. A guess."""
MOST_ERROR = 200
"""Characters of a server's own words in an error."""


def value_of(result: types.CallToolResult) -> Any:
    """The JSON value of a successful result, None where it holds nothing that can be said."""
    structured = result.structured_content
    if structured is not None:
        # servers wrap what is no object in one, because the protocol wants an object
        value = structured["result"] if isinstance(structured, dict) and set(structured) == {"result"} else structured
    else:
        text = _text(result)
        try:
            value = json.loads(text)
        except ValueError:
            value = text or None
    written = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(written) <= MOST_CHARACTERS:
        return value
    return written[:MOST_CHARACTERS].rpartition(" ")[0] or written[:MOST_CHARACTERS]


def error_text(result: types.CallToolResult) -> str:
    """What went wrong, in one line."""
    return " ".join(_text(result).split()) or "no reason given"


def _text(result: types.CallToolResult) -> str:
    return "\n".join(part.text for part in result.content if isinstance(part, types.TextContent)).strip()
