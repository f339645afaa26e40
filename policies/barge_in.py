"""The caller speaks while the agent does: keep talking, fall silent, drop the rest, or go on?

Two moments, as people have them: the agent falls silent at once (**yield**), and only then finds out whether the
caller wants the floor (**cancel**) or said ``mm-hm`` (**resume**). Asked at each edge, each partial transcript and
whenever a wait that it named has passed. This file refuses to know playout, clocks and the speech detector.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from policies.numerals import plain_words

__all__ = ["Action", "BargeIn", "BargeInSettings", "Cause", "Overlap", "decide", "is_backchannel"]

Action = Literal["keep", "yield", "cancel", "resume"]


class Cause(StrEnum):
    """The reason of a decision, as it stands in the log."""

    ONSET = "speech onset"
    SOUND = "sounds like a backchannel"
    BACKCHANNEL = "backchannel"
    NEARLY_DONE = "agent nearly done"
    STOP_WORD = "stop word"
    CONTENT = "content words"
    LONG = "long overlap"
    AWAITING_WORDS = "awaiting words"
    NOTHING_SAID = "nothing said"
    EARLY_ANSWER = "early answer"


@dataclass(frozen=True, slots=True)
class BargeInSettings:
    """All times in milliseconds."""

    no_floor_threshold: float = 0.45
    """An onset that scores this much (`policies.onset`) is taken for a backchannel's: it holds the yield until words
    tell. BENCHMARKS.md has what that costs other speech."""
    hold_ms: int = 800
    """The longest that it may delay the yield after the onset: a backchannel's length and the detector's hangover. At
    700 a long ``okay`` of a synthetic voice silenced the agent for 15 ms: its end is known after 715 ms."""
    short_ms: int = 450
    """No longer than this, it asked for nothing, whatever the recogniser made of it (it reads a bare ``hm`` as
    ``can``). Measured on seven synthetic backchannels: ``mm-hm`` lasts 402 ms, ``yeah`` 302 ms, ``hm`` 259 ms. No real
    ones were measured."""
    nearly_done_ms: int = 300
    """With less than this left the agent finishes: stopping would sound more abrupt than ending. A guess."""
    answer_ms: int = 1200
    """An agreeing word this close to the end of a question answers it early. A guess: about `is that right?`."""
    long_ms: int = 1200
    """Speech of this length without readable words asks for the floor. A guess: backchannels last under a second."""
    settle_ms: int = 400
    """Silence after the overlap in which words may still come, while the recogniser is not settled: p95 of its
    partials is 110-440 ms, measured for the embedded recogniser. LiveKit waits 2,000 ms."""
    sure_below: float = 0.3
    """Where the first sound looks less like a backchannel's than this, words count at once; otherwise only when they
    last, since an early hypothesis of "mm-hm" may read "no". A guess."""
    many_words: int = 3
    """This many words are no backchannel, whatever they are, unless the whole phrase is a known one. As Vocode."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """What is known about speech that began while the agent was speaking."""

    overlap_ms: int
    """Since the caller's first speech sample, to now or to the last speech sample if the caller stopped."""
    speaking: bool
    """The caller is still speaking, by the speech detector."""
    words: tuple[str, ...] = ()
    """Words recognised since that onset, stable and tail."""
    settled: bool = False
    """The recogniser will not change the words any more."""
    silence_ms: int = 0
    """Since the caller's last speech sample; 0 while speaking."""
    yielded: bool = False
    """The agent has fallen silent for this overlap already."""
    agent_left_ms: int | None = None
    """Playing time left of the utterance, None where it is still being written."""
    agent_asks: bool = False
    """The utterance is a yes/no question or ends in one."""
    no_floor: float | None = None
    """How much its first sound is like a backchannel's, 0..1 (`policies.onset`); None where not computed."""


@dataclass(frozen=True, slots=True)
class BargeIn:
    """What to do now. `wait_ms` > 0: ask again after that time even if nothing else happens."""

    action: Action
    reason: Cause
    wait_ms: int = 0


_BACKCHANNELS = frozenset(
    plain_words(
        "mm mhm mmhm mmhmm hm hmm mmm uh huh aha ah oh yeah yes yep yup ok okay right sure good great fine nice "
        "alright really perfect cool lovely wow exactly indeed"
    )
)
_BACKCHANNEL_PHRASES = frozenset(
    {
        ("i", "see"), ("got", "it"), ("go", "on"), ("all", "right"), ("of", "course"), ("i", "know"), ("mm", "hm"),
        ("makes", "sense"), ("that's", "right"), ("that's", "fine"), ("thank", "you"), ("sounds", "good"),
        ("that's", "good"), ("uh", "huh"),
    }
)  # fmt: skip
_STOP_WORDS = frozenset(
    plain_words("no nope stop wait hold hang sorry excuse pardon but actually what hello listen don't not never wrong")
)
"""One of these takes the floor at once."""
_FILLED = frozenset(plain_words("um uh er erm"))
"""Says nothing yet, neither way."""
_AGREEING = frozenset(plain_words("yes yeah yep yup ok okay right sure correct exactly perfect fine good great"))


def is_backchannel(words: Sequence[str], many_words: int = 3) -> bool:
    """True where the words only show attention: ``mm hm``, ``yeah ok``, ``i see``; False for no words at all.

    Fewer than `many_words` of them: who says ``yeah yeah yeah ok`` wants to speak.
    """
    at = units = 0
    while at < len(words):
        pair = tuple(words[at : at + 2])
        if pair in _BACKCHANNEL_PHRASES:
            at += 2
        elif words[at] in _BACKCHANNELS:
            at += 1
        else:
            return False
        units += 1
    return 0 < units < many_words


_PHRASE_STARTS = frozenset(first for first, _ in _BACKCHANNEL_PHRASES)


def _may_become_one(words: Sequence[str], many_words: int) -> bool:
    """Nothing but a backchannel so far, and then the first word of such a phrase: ``i`` may go on with ``see``."""
    before = words[:-1]
    starts = bool(words) and words[-1] in _PHRASE_STARTS
    return starts and (not before or is_backchannel(before, many_words))


def decide(overlap: Overlap, settings: BargeInSettings | None = None) -> BargeIn:
    """What the agent does about the overlap now; ``keep`` leaves it as it is, speaking or silent.

    Words decide before edges do. ``resume`` comes only after a yield, ``cancel`` at any time.
    """
    settings = settings or BargeInSettings()
    words = tuple(word for word in overlap.words if word not in _FILLED)
    backchannel = is_backchannel(words, settings.many_words)
    if any(word in _STOP_WORDS for word in words):
        return BargeIn("cancel", Cause.STOP_WORD)
    if _was_nothing(overlap, settings):
        return BargeIn("resume" if overlap.yielded else "keep", Cause.SOUND)
    if _answers_early(overlap, words, settings):
        return BargeIn("resume" if overlap.yielded else "keep", Cause.EARLY_ANSWER)
    undecided = not overlap.settled and _may_become_one(words, settings.many_words)
    if words and not backchannel and not undecided:
        return BargeIn("cancel", Cause.CONTENT)
    if overlap.speaking:
        return _while_speaking(overlap, backchannel, settings)
    return _after_speech(overlap, backchannel, settings)


def _sounds_like_nothing(overlap: Overlap, settings: BargeInSettings) -> bool:
    return overlap.no_floor is not None and overlap.no_floor >= settings.no_floor_threshold


def _was_nothing(overlap: Overlap, settings: BargeInSettings) -> bool:
    """A short sound like a backchannel, over by now, and no answer to a question."""
    short = not overlap.speaking and overlap.overlap_ms <= settings.short_ms
    return short and _sounds_like_nothing(overlap, settings) and not overlap.agent_asks


def _answers_early(overlap: Overlap, words: Sequence[str], settings: BargeInSettings) -> bool:
    """Plain agreement over the last words of a question: the question is heard out, the words are its answer."""
    left = overlap.agent_left_ms
    near = left is not None and left <= settings.answer_ms
    return near and overlap.agent_asks and bool(words) and all(word in _AGREEING for word in words)


def _while_speaking(overlap: Overlap, backchannel: bool, settings: BargeInSettings) -> BargeIn:
    if overlap.overlap_ms >= settings.long_ms:
        return BargeIn("cancel", Cause.LONG)
    until_long = settings.long_ms - overlap.overlap_ms
    if overlap.yielded:
        return BargeIn("keep", Cause.BACKCHANNEL if backchannel else Cause.AWAITING_WORDS, until_long)
    if backchannel:
        return BargeIn("keep", Cause.BACKCHANNEL, until_long)
    left = overlap.agent_left_ms
    if left is not None and left <= settings.nearly_done_ms:
        return BargeIn("keep", Cause.NEARLY_DONE, until_long)
    hold = settings.hold_ms - overlap.overlap_ms
    if _sounds_like_nothing(overlap, settings) and hold > 0:
        return BargeIn("keep", Cause.SOUND, hold)
    return BargeIn("yield", Cause.ONSET, until_long)


def _after_speech(overlap: Overlap, backchannel: bool, settings: BargeInSettings) -> BargeIn:
    go_on: Action = "resume" if overlap.yielded else "keep"
    if backchannel:
        return BargeIn(go_on, Cause.BACKCHANNEL)
    left = settings.settle_ms - overlap.silence_ms
    if not overlap.settled and left > 0:
        return BargeIn("keep", Cause.AWAITING_WORDS, left)
    if overlap.overlap_ms >= settings.long_ms:
        return BargeIn("cancel", Cause.LONG)
    return BargeIn(go_on, Cause.NOTHING_SAID)
