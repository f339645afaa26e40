"""How a model reads a call in evaluation: its cache kept equal to the stream, and a turn with nothing held back.

Shared by the agents of both scenarios, which differ in what guards them. It knows ids and roles, no scenario.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np

from policies.learned.core.model import Cache, CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.expert import Action
from policies.trajectory import Role, Segment
from policies.window import KEPT_READ, MOST_READ, window

__all__ = ["Reader"]

MOST_TOKENS = 120
"""Of a turn with nothing held back; the longest trained turn has 100."""


@dataclass(slots=True)
class Reader:
    """One call's cache. `sync` before each turn; what is decoded after it stays in the cache until the next."""

    model: CoreModel
    tokenizer: Tokenizer
    cache: Cache = field(init=False)
    _ids: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.cache = self.model.new_cache()

    def sync(self, segments: Sequence[Segment]) -> np.ndarray:
        """Make the cache equal to what is read of the stream; the logits after it, float32[vocab]."""
        ids = [self.tokenizer.encode_parts(segment.parts()) for segment in segments]
        start = window(segments, list(map(len, ids)), MOST_READ, KEPT_READ)
        wanted = [id_ for part in (*ids[:1], *ids[start:]) for id_ in part]
        same = 0
        for left, right in zip(self._ids, wanted, strict=False):
            if left != right:
                break
            same += 1
        same = min(same, len(wanted) - 1, self.cache.length)
        self.cache.truncate(same)
        self._ids = wanted
        return self.model.extend(self.cache, wanted[same:])

    def free_turn(self, *, after_result: bool, tools: Collection[str], keys: Collection[str]) -> Action:
        """The turn that greedy decoding gives. `tools`, `keys`: names of tools and of their parameters."""
        special = self.tokenizer.special
        ends = {special[str(role)] for role in (Role.END, Role.BYE, Role.SILENCE)}
        token = special[str(Role.EXPECT if after_result else Role.THINK)]
        ids = [token]
        while token not in ends and len(ids) < MOST_TOKENS:
            token = int(self.model.extend(self.cache, [token]).argmax())
            ids.append(token)
        parts: dict[str, str] = {}
        for piece in self.tokenizer.decode(ids).replace("<", "\n<").split("\n"):
            role, _, words = piece.partition(">")
            parts[role + ">"] = words.strip()
        note = None if after_result else parts.get("<think>", "")
        expect = parts.get("<expect>", "") or "other"
        called = parts.get("<call>", "").split()
        if called and called[0] in tools:
            return Action("call", note=note, tool=called[0], arguments=_arguments(called[1:], keys), expect=expect)
        if "<silence>" in parts:
            return Action("silence", note=note, expect=expect)
        return Action("say", parts.get("<say>", ""), note, bye="<bye>" in parts, expect=expect)


def _arguments(words: list[str], keys: Collection[str]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    key = ""
    for word in words:
        if word in keys and word not in found:
            key = word
            found[key] = []
        elif key:
            found[key].append(word)
    return {key: " ".join(value) for key, value in found.items()}
