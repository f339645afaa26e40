"""The card: the first segment of every call, who the agent is and what holds today.

The stream is append-only and its prefix is cached, so the card goes from what never changes (persona) to what changes
with the day and with memory (hints). The wording is what the core model was trained on. This file refuses to know
memory, tools and the calendar beyond the date it is handed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from policies import PolicyError
from policies.spoken import WEEKDAYS, say_time
from policies.trajectory import Role, Segment

__all__ = ["CARD_MOST_WORDS", "Hours", "card"]

Hours = tuple[str, str]
"""Opening and closing time, ``HH:MM`` each."""

CARD_MOST_WORDS = 400
"""Words a card may hold. A guess: about 550 tokens, a quarter of the smallest context in use."""

_ROLE_MARK = re.compile(r"[<>]")


def card(persona: str, *, today: date, hours: Hours | None = None, hints: Sequence[str] = ()) -> Segment:
    """``front desk of riverside clinic. today is monday. open nine to five. hint: callers are asked their name first.``

    `persona`: any text, put into lower case on one line. `hours`: None leaves them out. `hints`: one sentence each, in
    the order given. Angle brackets are dropped, so that no text can look like a role. Raises `PolicyError` for an
    empty persona, a bad time, or a card of more than 400 words.
    """
    sentences = [_sentence(persona), f"today is {WEEKDAYS[today.weekday()]}."]
    if not sentences[0]:
        raise PolicyError("persona is empty; expected words such as 'front desk of riverside clinic'")
    if hours is not None:
        sentences.append(f"open {say_time(hours[0])} to {say_time(hours[1])}.")
    sentences.extend(f"hint: {hint}" for hint in map(_sentence, hints) if hint)
    text = " ".join(sentences)
    count = len(text.split())
    if count > CARD_MOST_WORDS:
        raise PolicyError(f"card has {count} words; at most {CARD_MOST_WORDS} (shorten the persona, give fewer hints)")
    return Segment(Role.CARD, text)


def _sentence(text: str) -> str:
    """One line, lower case, ending in a stop; empty where there are no words."""
    line = " ".join(_ROLE_MARK.sub(" ", text.lower()).split()).rstrip(" .")
    if not line:
        return ""
    return line if line[-1] in "?!" else line + "."
