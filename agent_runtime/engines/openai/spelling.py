"""The model's vocabulary on our side of the line: needed where a server takes token ids but answers in text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.learned.core.tokenizer import Tokenizer

__all__ = ["TokenizerSpelling"]

_ROLE = re.compile(r"(<[a-z0-9]+>)")


class TokenizerSpelling:
    """Encodes what a server wrote, where ``<say>`` is a role token and not five characters."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def encode(self, text: str) -> list[int]:
        """The ids of text written by the model."""
        return self._tokenizer.encode_parts(_ROLE.split(text))

    def decode(self, ids: Sequence[int]) -> str:
        """The text of ids."""
        return self._tokenizer.decode(ids)
