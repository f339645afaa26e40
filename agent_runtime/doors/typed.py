"""The door of a typed call: a person writes the caller's words, a line a turn.

Each line is spoken at once in the call's virtual time, which stands still while the person thinks. The door asks for
the next line when the agent has nothing under way. It refuses to know terminals: `read_line` blocks in a thread.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from ..commands import SetTimer
from ..record import Entry
from .words import SpokenWords

__all__ = ["TypedDoor"]

WORD_SAMPLES = 800
"""A typed word is "spoken" in 50 ms: short, because nobody waits for it, yet long enough to stand in an order."""


class TypedDoor:
    """A caller who types. `read_line` gives the next line, or None when the person has hung up."""

    ahead = False

    def __init__(self, read_line: Callable[[], str | None]) -> None:
        self._read_line = read_line
        self._ready = asyncio.Event()
        self._closed = False

    @property
    def facts(self) -> Mapping[str, Any]:
        return {"counterparty": "keyboard", "direction": "inbound"}

    def watch(self, entry: Entry) -> None:
        """The mind waits for the caller exactly when it sets its idle timer."""
        if isinstance(entry.what, SetTimer) and entry.what.timer == "idle":
            self._ready.set()

    async def listen_words(self) -> AsyncIterator[SpokenWords]:
        """The typed lines as spoken words."""
        loop = asyncio.get_running_loop()
        origin_s = loop.time()
        while not self._closed:
            await self._ready.wait()
            self._ready.clear()
            line = await asyncio.to_thread(self._read_line)
            if line is None:
                return
            words = re.findall(r"[a-z0-9:']+", line.lower())
            if not words:
                self._ready.set()
                continue
            first = round((loop.time() - origin_s) * 16_000)
            placed = tuple(
                (word, first + at * WORD_SAMPLES, first + (at + 1) * WORD_SAMPLES) for at, word in enumerate(words)
            )
            yield SpokenWords(first, len(words) * WORD_SAMPLES, placed)

    async def send_digits(self, digits: str) -> None:
        """A keyboard shows no keys."""

    async def transfer(self, target: str) -> bool:
        """A keyboard cannot be put through."""
        return False

    async def close(self) -> None:
        """The agent hung up."""
        self._closed = True
