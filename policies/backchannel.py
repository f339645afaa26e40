"""When the agent says ``mm-hm`` to a caller who speaks long: that it listens, without wanting the floor.

Off unless a setting turns it on: said at the wrong place it is worse than none. People place them at short pauses
after a clause, where pitch and syntax fall (N. Ward and W. Tsukahara, J. Pragmatics 32, 2000: after 700 ms of speech,
at most once in 800 ms, 700 ms behind the cue); here the pause and the words stand for both. This file refuses to know
the endpointing policy's verdict beyond that the turn goes on, the voice and the clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.barge_in import is_backchannel
from policies.endpointing import Why, likelihood
from policies.numerals import plain_words

__all__ = ["Backchannel", "BackchannelSettings", "LongTurn", "choose"]


@dataclass(frozen=True, slots=True)
class BackchannelSettings:
    """Times in milliseconds. All guesses: no caller has judged them."""

    on: bool = False
    """Say them at all."""
    texts: tuple[str, ...] = ("mm-hm.", "uh-huh.", "okay.")
    """In order of use."""
    after_ms: int = 4_000
    """Speech of one turn before the first: who speaks shorter needs no sign."""
    apart_ms: int = 5_000
    """From one to the next."""
    from_ms: int = 130
    """Silence that makes a pause: about when the detector tells it (`SpeechStopped` after 128 ms)."""
    until_ms: int = 400
    """In a longer pause the floor may be ours: whoever hums then hums over the answer."""
    likely_over: float = 0.5
    """Where the turn is over with this probability, by words and model, the agent answers and does not hum."""


@dataclass(frozen=True, slots=True)
class LongTurn:
    """A caller's turn, as it stands in a pause of it."""

    words: tuple[str, ...]
    """All words of the turn so far."""
    speech_ms: int
    """How much the caller has spoken in this turn."""
    silence_ms: int
    """Since the last speech sample."""
    since_last_ms: int | None = None
    """Since our last backchannel; None: there was none."""
    owed: bool = False
    """The agent owes an answer, or one of its utterances is under way."""
    p_over: float | None = None
    """The model's probability that the turn is over, None where it was not asked."""
    expects: str = ""
    """What the agent expects next (`policies.endpointing.Pause`)."""
    said_in_call: int = 0
    """Backchannels said so far: the place in the rotation."""


@dataclass(frozen=True, slots=True)
class Backchannel:
    """Say `text` now; empty: say nothing, for `reason`."""

    text: str
    reason: str


_ASKING = frozenset(plain_words("what when where which who how why can could would will do does did is are may"))
"""A clause that begins with one of these asks, whatever follows."""
_TAGS = frozenset({("right",), ("isn't", "it"), ("is", "that", "right"), ("you", "know"), ("okay",), ("hello",)})
"""Ends that ask for a reply."""
_LINKS = frozenset(plain_words("and so but because then well um uh er"))
"""What may stand in front of a question: ``so what about friday``."""

_CLAUSE_WORDS = 8
"""A recogniser gives no signs: so many last words are searched for a beginning that asks."""
_SENTENCE_AT_MOST = 0.7
"""Without a model: plain sentences (0.6 by their words) may go on, answers and slots (0.85 and more) are over."""


def choose(now: LongTurn, settings: BackchannelSettings | None = None) -> Backchannel:
    """The backchannel to say in this pause, if any; asked once a pause, when its words are known."""
    settings = settings or BackchannelSettings()
    if not settings.on or not settings.texts:
        return Backchannel("", "off")
    if now.owed:
        return Backchannel("", "an answer is owed")
    if not settings.from_ms <= now.silence_ms < settings.until_ms:
        return Backchannel("", "no short pause")
    if now.speech_ms < settings.after_ms:
        return Backchannel("", "not long yet")
    if now.since_last_ms is not None and now.since_last_ms < settings.apart_ms:
        return Backchannel("", "said a moment ago")
    if not now.words or is_backchannel(now.words):
        return Backchannel("", "nothing was said")
    if _asks(now.words):
        return Backchannel("", "a question")
    likely, why = likelihood(now.words, now.expects)
    if why in (Why.UNFINISHED, Why.SPELLING):
        return Backchannel("", "in the middle of a clause")
    if now.p_over is not None and now.p_over >= settings.likely_over:
        return Backchannel("", "the turn may be over")
    if now.p_over is None and likely > _SENTENCE_AT_MOST:
        return Backchannel("", "the turn may be over")
    return Backchannel(settings.texts[now.said_in_call % len(settings.texts)], "a long turn goes on")


def _asks(words: Sequence[str]) -> bool:
    """The last clause looks like a question: its first words ask, or it ends in a tag."""
    if any(tuple(words[-len(tag) :]) == tag for tag in _TAGS):
        return True
    clause = list(words[-_CLAUSE_WORDS:])
    starts = [0, *(at + 1 for at, word in enumerate(clause) if word in _LINKS)]
    return any(at < len(clause) and clause[at] in _ASKING for at in starts)
