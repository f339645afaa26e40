"""The stream of a call as tokens where the server knows none: a token a character, and one a role.

Thinking asks every language for tokens. These can be read back into segments, so that the stream may be rendered as
messages behind the engine port and nothing above it differs. `Extent` and marks then count characters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.trajectory import Role, Segment, Trajectory

from ...tools import Tool, parse_spoken_call, spoken_slots

__all__ = ["TextLanguage", "TextTurn", "role_token", "segments_of", "text_tokens"]

_ROLES = tuple(Role)
_FIRST_CHARACTER = 32
"""Token of the character 0; below it stand the roles and room for later ones."""
_CLOSING = frozenset({Role.END, Role.CUT, Role.BYE, Role.MORE})
_TURN_CHARACTERS = 1_600
"""The longest turn: 107 s of speech at 15 characters a second. A longer one is a fault, not an answer. A guess."""


def role_token(role: Role) -> int:
    """The token of a role."""
    return _ROLES.index(role)


def text_tokens(text: str) -> list[int]:
    """The tokens of words."""
    return [_FIRST_CHARACTER + ord(character) for character in text]


def segments_of(tokens: Iterable[int]) -> list[Segment]:
    """The segments that a token stream stands for; words without a role before them count as heard."""
    found: list[Segment] = []
    role: Role | None = None
    words: list[str] = []

    def close(by: Role | None) -> None:
        nonlocal role
        if role is not None or words:
            found.append(Segment(role or Role.HEARD, "".join(words).strip(), by))
        role = None
        words.clear()

    for token in tokens:
        if token >= _FIRST_CHARACTER:
            words.append(chr(token - _FIRST_CHARACTER))
        elif _ROLES[token] in _CLOSING:
            close(_ROLES[token])
        else:
            close(None)
            role = _ROLES[token]
    close(None)
    return found


@dataclass(frozen=True, slots=True)
class TextTurn:
    """What a turn may do at a server that takes no grammar: which tools it is offered. Any words may come."""

    blocked: tuple[str, ...] = ()
    due: str = ""
    done: bool = False

    def allowed(self) -> NDArray[np.bool_] | None:
        """Everything."""
        return None

    def advance(self, token: int) -> None:
        """Nothing to follow."""

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        """Never in doubt."""
        return token


class TextLanguage:
    """The language of an agent's calls for thinking; see the module."""

    turn_tokens = _TURN_CHARACTERS

    def __init__(self, tools: Sequence[Tool]) -> None:
        self._tools = tuple(tools)

    def encode(self, trajectory: Trajectory) -> list[int]:
        """The tokens of the whole stream."""
        tokens: list[int] = []
        for segment in trajectory.segments:
            tokens.append(role_token(segment.role))
            tokens += text_tokens(f" {segment.text}" if segment.text else "")
            tokens += [role_token(segment.close)] if segment.close is not None else []
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, roles by name."""
        return "".join(
            chr(token - _FIRST_CHARACTER) if token >= _FIRST_CHARACTER else str(_ROLES[token]) for token in tokens
        )

    def role(self, role: Role) -> int:
        """The token of a role."""
        return role_token(role)

    def role_of(self, token: int) -> Role | None:
        """The role a token stands for, None for words."""
        return _ROLES[token] if token < len(_ROLES) else None

    def grammar(self, trajectory: Trajectory, *, after_result: bool, blocked: Sequence[str], due: str) -> TextTurn:
        """Which tools the turn after `trajectory` may call."""
        return TextTurn(tuple(blocked), due)

    def call(self, spoken: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """(tool, argument -> spoken words, arguments) of a spoken call. Raises `ToolArgumentError`."""
        tool, arguments = parse_spoken_call(self._tools, spoken)
        return tool.name, spoken_slots(tool, arguments), arguments
