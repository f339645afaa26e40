"""Which question an agent puts, by its key words: all that a simulated caller knows of an agent."""

from __future__ import annotations

__all__ = ["SETTLED", "question_in"]

SETTLED = ("done.", "all set.", "all right. your")
"""Openings of the agent's sentence that says what was done."""
_QUESTIONS = (
    ("is now full", "full"),
    ("is that right", "readback"),
    ("what should i change", "change"),
    ("i find no visit", "missing"),
    ("is full", "full"),
    ("was just taken", "offer"),
    ("does that suit you", "single"),
    ("which one", "offer"),
    ("which day", "day"),
    ("which other day", "day"),
    ("name", "name"),
    ("anything else", "anything"),
    ("goodbye", "bye"),
    ("book or cancel", "intent"),
    ("help", "intent"),
    ("still there", "there"),
)
"""Key words of the agent's questions, the telling ones first."""


def question_in(text: str) -> str:
    """Which question an agent utterance puts, by its key words; empty when it puts none."""
    return next((kind for key, kind in _QUESTIONS if key in text), "")
