"""When to think while the caller still speaks: on which words, how far, and whether it still holds at the turn's end.

Triggered by meaning, not by a timer: a pause, words that read as a whole turn, a value that the agent's tools want.
A *peek* writes the note and asks for a read-only tool; a *draft* writes the whole reply. Both are bounded in a turn.
What rests on words that have changed is dropped; a "please" behind them changes nothing. This file refuses to know
engines, tools in progress and the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal

from policies.endpointing import Why, likelihood

__all__ = ["Depth", "Listening", "ThinkingSettings", "decide", "same_wish"]

Depth = Literal["", "peek", "draft"]
"""How far a generation thinks: not at all, to the note and a read-only tool, or to the end of a reply."""


@dataclass(frozen=True, slots=True)
class ThinkingSettings:
    """Which of the agent's ways to use time are on, and their bounds. Each can be turned off by itself."""

    prefill: bool = True
    """The engine reads the caller's words as they come, and the card while the line rings."""
    listen: bool = True
    """Notes are written and read-only tools run before the turn is over."""
    draft: bool = True
    """A whole reply and the audio of its first words are ready at a probable end of turn."""
    predict: bool = True
    """A turn may end before its final text where a draft is ready and the words are whole."""
    speak: bool = True
    """Thinking goes on while the agent speaks: what comes in is folded into the part not yet said."""
    most_peeks: int = 4
    """Peeks in one turn of the caller. A guess: a turn seldom names more values than that."""
    most_drafts: int = 5
    """Drafts in one turn of the caller. A guess: one for each place where it might have ended."""
    most_guesses: int = 2
    """Drafts besides, while the caller still speaks and the words only might be a whole sentence: so a reply is ready
    before a last "please". Each costs what a model writes until the next word. A guess."""
    guess_words: int = 4
    """So many words lie before each of them, so that they are spread over a long turn. A guess."""
    keep_ms: int = 20_000
    """How long the result of a tool that ran early stays good. A guess: as long as a caller may take over one turn."""
    whole_at: float = 0.9
    """Likelihood, by the words alone, from which they read as a whole turn while the caller still speaks: days and
    plain answers pass, bare times ("ten" may go on with "thirty") and names wait for a pause."""


@dataclass(frozen=True, slots=True)
class Listening:
    """The caller's open turn at this moment."""

    words: tuple[str, ...]
    """All words so far, those that may still change included."""
    stable: int
    """How many of them will hardly change."""
    paused: bool
    """The caller is silent just now."""
    thought_at: int = 0
    """How many of the first words the last peek or draft of this turn rested on; all: there is nothing new."""
    peeks: int = 0
    drafts: int = 0
    guesses: int = 0
    """Drafts for words that only might have been a whole sentence."""
    expects: str = ""
    """What the agent expects next, words of its EXPECT block."""


def decide(heard: Listening, values: AbstractSet[str], settings: ThinkingSettings) -> Depth | Literal["guess"]:
    """How far to think now; a guess is a draft for words that might be whole.

    `values`: words that fill a slot of one of the agent's read-only tools.
    """
    if not heard.words or len(heard.words) == heard.thought_at:
        return ""
    chance, reason = likelihood(heard.words, heard.expects)
    whole = reason is not Why.UNFINISHED and (heard.paused or chance >= settings.whole_at)
    if settings.draft and whole and heard.drafts < settings.most_drafts:
        return "draft"
    sentence = reason is Why.COMPLETE and len(heard.words) >= settings.guess_words * (heard.guesses + 1)
    if settings.draft and sentence and heard.guesses < settings.most_guesses:
        return "guess"
    if not settings.listen or heard.peeks >= settings.most_peeks:
        return ""
    if heard.paused and not settings.draft:
        return "peek"
    fresh = heard.words[min(heard.thought_at, heard.stable) : heard.stable]
    return "peek" if values & set(fresh) else ""


_EMPTY = frozenset("please thanks thank you um uh er erm hm mm well so okay ok then now just".split())
"""Words behind a wish that leave it as it was."""


def same_wish(drafted: Sequence[str], heard: Sequence[str]) -> bool:
    """Whether a draft made for the words `drafted` answers `heard` too: they differ by nothing but empty words behind.

    Not where the draft answered nothing but such words ("okay", "thank you"): there they are the wish itself.
    """
    shorter, longer = sorted((list(drafted), list(heard)), key=len)
    if longer[: len(shorter)] != shorter:
        return False
    rest = longer[len(shorter) :]
    return not rest or (bool(set(shorter) - _EMPTY) and set(rest) <= _EMPTY)
