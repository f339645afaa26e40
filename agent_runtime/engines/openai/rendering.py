"""The stream as chat messages and tools, and a chat reply as tokens of the stream. The one file that knows both forms.

card -> system; heard -> user; said (what was heard of it) -> assistant; call and result -> tool call and tool message;
a filler is what the assistant said while calling. Thoughts and expectations stay out: they are another model's words.
Two of our actions have no form in a chat. To hang up is a tool, `HANG_UP`; to stay silent is an empty reply. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from policies.trajectory import Role, Segment

from ...tools import Tool, ToolArgumentError, parse_spoken_call, spoken_call
from .text import role_token, text_tokens

__all__ = ["HANG_UP", "ReplyReader", "messages", "offered", "spoken_request"]

HANG_UP = "hang_up"
MANNERS = (
    "You are on the telephone; what you write is spoken aloud. Use short sentences in plain words, and write numbers "
    "and times as words. No lists, no markup, no emoji. Ask one thing at a time. The caller's words come from a speech "
    f"recogniser and may be misheard. To end the call, say goodbye and call {HANG_UP}."
)
_CONFIRM = "First read every argument back to the caller in one question; call this only after a plain yes."
_ANSWERED = "(the call is answered)"
"""A user's message before a greeting: many chat templates refuse a talk that the assistant opens."""
_PENDING = "no result yet"


def messages(segments: Sequence[Segment], tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """The messages of a stream. Raises `ToolArgumentError` for a call of a tool that is not among `tools`."""
    found: list[dict[str, Any]] = []
    taken: set[int] = set()
    for at, segment in enumerate(segments):
        if at in taken:
            continue
        if segment.role is Role.CARD:
            found.append({"role": "system", "content": f"{segment.text}\n\n{MANNERS}"})
        elif segment.role is Role.HEARD:
            _say(found, "user", segment.text)
        elif segment.role in (Role.SAY, Role.FILLER):
            if not any(one["role"] == "user" for one in found):
                _say(found, "user", _ANSWERED)
            _say(found, "assistant", segment.text)
        elif segment.role is Role.CALL:
            found += _call(segments, at, taken, tools, number=sum("tool_calls" in one for one in found))
    return found


def _say(found: list[dict[str, Any]], role: str, text: str) -> None:
    """Add words; those of one party in a row are one message."""
    if not text:
        return
    if found and found[-1]["role"] == role and "tool_calls" not in found[-1]:
        found[-1]["content"] = f"{found[-1]['content']} {text}"
    else:
        found.append({"role": role, "content": text})


def _call(
    segments: Sequence[Segment], at: int, taken: set[int], tools: Sequence[Tool], *, number: int
) -> list[dict[str, Any]]:
    """A call with its result, which must follow at once; the fillers between them go with the call."""
    tool, arguments = parse_spoken_call(tools, segments[at].text)
    fillers: list[str] = []
    result = _PENDING
    for later in range(at + 1, len(segments)):
        role = segments[later].role
        if role is Role.CALL:
            break
        if role in (Role.FILLER, Role.RESULT):
            taken.add(later)
            if role is Role.RESULT:
                result = segments[later].text
                break
            fillers.append(segments[later].text)
    return [
        tool_call(f"call_{number}", tool.name, json.dumps(arguments), said=" ".join(fillers)),
        {"role": "tool", "tool_call_id": f"call_{number}", "content": result},
    ]


def tool_call(id_: str, name: str, arguments: str, *, said: str = "") -> dict[str, Any]:
    """The assistant's message that calls a tool."""
    call = {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": said or None, "tool_calls": [call]}


def offered(tools: Sequence[Tool], *, blocked: Sequence[str] = (), due: str = "") -> dict[str, Any]:
    """The request's ``tools`` and, where a call is due, its ``tool_choice``."""
    shown = [_function(tool) for tool in tools if tool.name not in blocked]
    hang_up = {"name": HANG_UP, "description": "End the call. Say goodbye in the same reply.", "parameters": _NOTHING}
    if all(tool.name != HANG_UP for tool in tools):
        shown.append({"type": "function", "function": hang_up})
    chosen = {"tool_choice": {"type": "function", "function": {"name": due}}} if due else {}
    return {"tools": shown, **chosen}


_NOTHING: Mapping[str, Any] = {"type": "object", "properties": {}}


def _function(tool: Tool) -> dict[str, Any]:
    description = f"{tool.doc} {_CONFIRM}".strip() if tool.shape.confirm else tool.doc
    return {
        "type": "function",
        "function": {"name": tool.name, "description": description, "parameters": tool.schema},
    }


def spoken_request(tools: Sequence[Tool], name: str, arguments: str) -> str:
    """A tool call of a chat as words of the stream. Raises `ToolArgumentError` for one that does not fit."""
    tool = next((one for one in tools if one.name == name), None)
    if tool is None:
        known = ", ".join(one.name for one in tools) or "none"
        raise ToolArgumentError(f"there is no tool {name!r}; known are {known}")
    try:
        given = json.loads(arguments or "{}")
    except json.JSONDecodeError as error:
        raise ToolArgumentError(f"the arguments of {name} are no JSON ({error}); write one JSON object") from error
    if not isinstance(given, dict):
        raise ToolArgumentError(f"the arguments of {name} are {arguments[:40]!r}; write one JSON object")
    spoken = spoken_call(tool, given)
    parse_spoken_call(tools, spoken)  # what cannot be read back is no call
    return spoken


class ReplyReader:
    """The parts of one chat reply as tokens of the stream, in the order in which they come. Pure."""

    def __init__(self) -> None:
        self._role: Role | None = None
        self._held = ""
        self._tagged = False
        self.spoke = False
        """Something was said."""

    def words(self, text: str) -> list[int]:
        """Tokens of said words. Thoughts that a server leaves in the words, within ``<think>``, become thoughts."""
        self._held += text
        tokens: list[int] = []
        while self._held:
            if self._tagged:
                thought, closed, rest = self._held.partition("</think>")
                if not closed:
                    return tokens
                tokens += text_tokens(" " + thought.strip()) if thought.strip() else []
                self._role, self._tagged, self._held = None, False, rest
            elif not self.spoke and "<think>".startswith(self._held.strip()[:7]):
                if len(self._held.strip()) < 7:
                    return tokens  # white space, or perhaps the beginning of the tag
                self._held = self._held.lstrip()[7:]
                tokens += self._open(Role.THINK)
                self._tagged = True
            else:
                said, self._held = self._held, ""
                tokens += self._add(Role.SAY, said)
                self.spoke = True
        return tokens

    def thought(self, text: str) -> list[int]:
        """Tokens of what the server calls reasoning."""
        return self._add(Role.THINK, text)

    def called(self, spoken: str) -> list[int]:
        """Tokens of a tool call; the turn ends with it."""
        return [*self._open(Role.CALL), *text_tokens(f" {spoken}"), role_token(Role.END)]

    def hung_up(self) -> list[int]:
        """Tokens of a goodbye; one is said where the server wrote none."""
        return [*([] if self.spoke else self.words("goodbye.")), role_token(Role.BYE)]

    def ended(self) -> list[int]:
        """Tokens of the end: of what was said, or silence."""
        rest, self._held = ("" if self._tagged else self._held.strip()), ""
        tokens = self._add(Role.SAY, rest) if rest else []
        return [*tokens, role_token(Role.END if self.spoke or rest else Role.SILENCE)]

    def _open(self, role: Role) -> list[int]:
        if self._role is role:
            return []
        self._role = role
        return [role_token(role)]

    def _add(self, role: Role, text: str) -> list[int]:
        opened = self._open(role)
        return [*opened, *text_tokens(f" {text.lstrip()}" if opened else text)]
