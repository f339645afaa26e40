"""Turns that the front desk cannot serve, written by hand, and the judge of what it answered to them.

A caller who asks for a pizza, speaks Turkish or drops the telephone should hear that it was not understood or cannot be
done; any other answer makes something up. The judge reads the reply alone and knows the agent's few set sentences; it
refuses to know what was asked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources

from policies.learned.train.handwritten_entries import Hand

__all__ = ["is_clarifying", "load_asides"]

_FILES: Mapping[Hand, str] = {"first": "handwritten_asides.toml", "second": "handwritten_asides_second.toml"}

_NOT_HEARD = (
    "i did not catch that",
    "i did not get that",
    "let us take it slowly",
    "please say just",
    "is it? please",
    "are you still there",
    "are you there",
)
_CAN_DO = ("i can only book or cancel", "to book or cancel a visit")


def is_clarifying(text: str) -> bool:
    """Whether a reply says that the turn was not understood, what the desk can do, or that it cannot do this.

    The same question again without a word about the turn does not count, nor do the opening hours: the caller cannot
    tell either from having been understood. "of course" before the question promises what is not done.
    """
    return any(phrase in text for phrase in (*_NOT_HEARD, *_CAN_DO))


def load_asides(hand: Hand) -> dict[str, tuple[str, ...]]:
    """The turns that `hand` wrote, by kind: scope, foreign, garbled."""
    text = resources.files(__package__).joinpath(_FILES[hand]).read_text("utf-8")
    return {kind: tuple(texts) for kind, texts in tomllib.loads(text).items()}
