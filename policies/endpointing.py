"""Is the caller's turn over? Asked at each pause, answered with a verdict or with how long to wait on.

Silence alone cannot tell: people pause for 700 ms in the middle of a sentence and answer a question within 200 ms.
So the words decide how much silence is asked for, the core model's own P(turn over) sharpens that, and the caller's
pause habit stretches it. This file refuses to know the speech detector, the recogniser, the model and the clock: it
is handed how long the silence has lasted.

Theory of operation. `likelihood` of the words, in (0, 1), is joined with the model's probability in log odds; the
joint probability goes through a falling curve to the silence asked for; unfinished words keep a floor under it,
an unsettled transcript another one. The verdict is monotone: a higher probability never asks for more silence.
"""

from __future__ import annotations

import enum
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from policies.numerals import DIGITS, plain_words
from policies.spoken import WEEKDAYS
from policies.spoken_times import locate_times

__all__ = ["Endpoint", "EndpointSettings", "Pause", "PauseHabit", "Why", "decide", "likelihood", "share_of_end"]


class Why(enum.StrEnum):
    """The reason of a verdict, as it stands in the log."""

    COMPLETE = "complete"
    """The words read as a whole answer or sentence."""
    UNFINISHED = "unfinished"
    """They end on a word that leans on a next one, or on a filled pause."""
    UNCERTAIN = "uncertain"
    """They could be either."""
    SPELLING = "spelling"
    """They end inside a run of digits or letters."""
    UNSETTLED = "unsettled"
    """The recogniser may still add or change words."""
    NO_WORDS = "no words"
    """Speech without words yet."""
    NOISE = "noise"
    """Too short for words and none came: no turn at all, `over` is False and there is nothing to wait for."""
    UNINTELLIGIBLE = "unintelligible"
    """Long enough for words, and none came: a turn that needs a ``sorry?``."""


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Numbers of the verdict. Silences are milliseconds since the caller's last speech sample."""

    curve: tuple[tuple[float, int], ...] = (
        (0.0, 1500), (0.05, 1400), (0.2, 1000), (0.35, 700), (0.5, 400), (0.65, 320), (0.75, 260), (0.85, 200),
        (0.92, 160), (1.0, 120),
    )  # fmt: skip
    """Probability that the turn is over -> silence asked for; linear between. Ends: 120-200 ms for a plain answer,
    1,500 ms for an open sentence (peers stand at 300-500 ms fixed, and 2,500-3,000 ms with a model that says no).
    Between the ends a guess."""
    word_weight: float = 0.5
    """Weight of the words in the joint log odds; below 1, since the model has read the same words. A logistic fit on
    simulated pauses gave 0.3-0.4 (early core model, 60 held-out dialogues)."""
    model_weight: float = 1.0
    """Weight of the model in the joint log odds; the same fit gave 0.7-0.9. Larger with some `caution` proved better:
    as quick on ended turns, fewer cut-ins."""
    caution: float = 1.5
    """Log odds taken off where a model was asked: a cut-in costs more than a late answer. Raise it for fewer cut-ins;
    chosen so that the median over ended turns stays under 200 ms."""
    unfinished_cap: float = 0.2
    """Unfinished words keep the probability at or below this, whatever the model says: at least 1,000 ms, so a
    hesitation of 700 ms is sat out. A guess; the price is a slow answer where the recogniser misheard the last word."""
    unsettled_ms: int = 300
    """While the recogniser may still change the words no turn ends before this: 90 % of its partials are in by then
    (p50 50 ms, p95 110-440 ms measured for the embedded recogniser)."""
    noise_ms: int = 600
    """Speech without words is given up after this silence, or at once when the recogniser has settled. A guess."""
    wordless_speech_ms: int = 700
    """Wordless speech of at least this length was meant to say something. A guess: a cough or a door is shorter."""
    habit_typical_ms: float = 350.0
    """A within-turn pause this long adds nothing; it is where `PauseHabit` starts. A guess."""
    habit_most_ms: float = 500.0
    """The most a slow speaker's habit adds at probability 0. A guess."""


@dataclass(frozen=True, slots=True)
class PauseHabit:
    """A running quantile of one caller's pauses inside turns; `seen` gives the next state.

    Follows the quantile by steps up where a pause exceeds it and down where not, so it needs no list of pauses. In the
    one recorded call at hand half of the caller's pauses inside turns longer than 0.4 s were longer than 0.68 s, a
    fifth longer than 0.96 s (n = 26, silero segments): a habit is worth following.
    """

    value_ms: float = 350.0
    quantile: float = 0.8
    """Which quantile is followed. A guess: high, since a cut-in costs more than 100 ms of delay."""
    step_ms: float = 120.0
    """Size of a step; a call has a handful of such pauses, so it must learn fast. A guess."""

    def seen(self, pause_ms: float) -> PauseHabit:
        """The habit after one more pause that turned out to lie inside a turn, in milliseconds."""
        share = self.quantile if pause_ms > self.value_ms else self.quantile - 1.0
        moved = self.value_ms + share * self.step_ms
        # a step never jumps past the pause that caused it
        bounded = min(moved, pause_ms) if share > 0 else max(moved, pause_ms)
        return replace(self, value_ms=bounded)


@dataclass(frozen=True, slots=True)
class Pause:
    """What is known at this moment of a pause in the caller's speech."""

    silence_ms: int
    """Since the last speech sample."""
    words: tuple[str, ...]
    """All words of the turn so far, stable and tail."""
    settled: bool = True
    """The recogniser will not change the words any more."""
    p_over: float | None = None
    """The model's probability that the turn is over, given that the caller paused: `share_of_end`, 0..1, or None where
    it was not asked."""
    expects: str = ""
    """What the agent expects next, words of its EXPECT block: ``yes``, ``day``, ``time``, ``name``."""
    habit: PauseHabit = field(default_factory=PauseHabit)
    speech_ms: int = 0
    """How much the caller has spoken in this turn; only read where there are no words."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The verdict: `over` now, or ask again in `wait_ms` if nothing changed by then."""

    over: bool
    wait_ms: int
    reason: Why
    scores: Mapping[str, float]
    """``words``, ``model`` (where asked), ``joint``: probabilities; ``silence_ms``, ``needed_ms``."""


_FILLED = frozenset(plain_words("um uh er erm ehm hm hmm eh ah oh mm well basically actually"))
_LEANING = frozenset(
    plain_words(
        "a an the my your our his her their its this these those some any every each another at on in of to for from "
        "with by into onto about around between until till before after since during without than as and or but so "
        "because if when while where which whose that i we they he she is am are was were be been do does did "
        "have has had will would can could shall should may might must want need needs wants wanna gonna gotta let "
        "what how why who it's i'm i'd i'll i've we're we'd we'll you're there's that's what's can't don't mr mrs ms "
        "miss dr very really just maybe perhaps either also not looking wondering hoping trying going named say says "
        "mean meant"
    )
)
_HALF_LEANING = frozenset(plain_words("this that these those really"))
"""Leaning words that also close a sentence: ``i want that``."""
_AUXILIARIES = frozenset(plain_words("can could would will do does did are should may is was"))
_SUBJECTS = frozenset(plain_words("you i we they he she it that there"))
"""Behind an auxiliary these open a question: ``could you``, ``what would that``."""
_IS_IT = frozenset({("is", "it"), ("is", "that"), ("was", "it"), ("was", "that"), ("are", "there")})
"""But these may close one: ``what time is it``."""
_WISHES = frozenset(plain_words("would i'd we'd you'd he'd she'd they'd"))
"""Behind these ``like`` is a verb that wants its object."""
_OBJECT_VERBS = frozenset(plain_words("want need mean meant"))
"""Leaning verbs, except where their object stands before them: ``that's what i want``."""
_GREETINGS = frozenset(plain_words("hello hi hiya hey there good morning afternoon evening day"))
"""Nothing but these: who greets goes on, as a rule."""
_OPENINGS = frozenset(plain_words("yes yeah yep right ok okay sure no nope nah alright so please sorry"))
"""One of these alone answers a yes or no question, and opens any other turn."""
_CLOSED_BY_LEANING = frozenset(
    {
        "i think so", "i hope so", "i guess so", "yes i do", "yes i am", "yes it is", "yes i would", "yes i can",
        "yes i have", "yes i did", "yes we do", "yes we are", "yes that is", "no i do", "no i am", "of course i do",
        "hang on", "hold on", "go on", "come on", "i do", "it is", "maybe not", "of course not", "probably not",
        "i am not", "i do not", "certainly not", "no i don't", "i don't", "no i'm not", "i can't", "yes i will",
        "no i can't", "that's it", "that is it", "please do", "what is that", "no that's that", "i would", "i am",
        "before that", "after that", "or so", "what", "sorry what", "pardon", "why", "why not", "how so", "who",
        "not really", "really", "that's right", "and you", "how are you", "see you",
    }
)  # fmt: skip
_ANSWERS = frozenset(
    plain_words(
        "yes yeah yep yup no nope nah correct right ok okay sure perfect great fine exactly absolutely definitely "
        "thanks bye goodbye hello hi please cheers lovely wonderful excellent brilliant alright pardon sorry nothing"
    )
)
"""Words that close what they stand in: as answers, as thanks, as greetings and farewells."""
_QUESTION_WORDS = frozenset(plain_words("what who where when which whom how why"))
_BARE_NO = frozenset({"no", "nope", "nah"})
_PARTICLES = frozenset(plain_words("at on in of to for from with by about until till up out"))
_LINKS = frozenset(plain_words("and or but is was"))
_DAY_PARTS = frozenset(plain_words("morning afternoon evening noon today tomorrow tonight week weekend"))
_DAYS = frozenset(WEEKDAYS) | frozenset(f"{day}s" for day in WEEKDAYS)

_MASKED_END = re.compile(r"\[digits (\d+)\]$")
"""Digits that were masked before they came here (`memory.secrets`): only their count is known."""
_LONG_NUMBER_DIGITS = 10
"""Telephone numbers have 10 or 11, cards 16: fewer digits are likely to go on after a pause."""

_P_UNFINISHED = 0.04
_P_SPELLING = 0.2
_P_GREETING = 0.3
_P_UNCERTAIN = 0.5
_P_SENTENCE = 0.6
_P_NAME = 0.85
_P_SLOT = 0.88
_P_ANSWER = 0.93
_P_EXPECTED = 0.96
"""Likelihoods of the word classes. Guesses with two marks to hit: ``unfinished`` must outlast a 700 ms hesitation and
plain sentences must end within 220 ms without a model; `tests/policies/test_endpointing.py` holds both."""


def likelihood(words: Sequence[str], expects: str = "") -> tuple[float, Why]:
    """How likely it is, by the words alone, that nothing follows; `words` must not be empty.

    Rules in order: spelling, filled pause, closing phrases, leaning words, expected kinds of answer, rest.
    """
    last = words[-1]
    expected = frozenset(expects.split())
    hidden = _MASKED_END.search(" ".join(words[-2:]))
    if hidden is not None:
        return (_P_SPELLING, Why.SPELLING) if int(hidden[1]) < _LONG_NUMBER_DIGITS else (_P_UNCERTAIN, Why.UNCERTAIN)
    if _is_spelling(words, expected):
        return _P_SPELLING, Why.SPELLING
    if last in _FILLED:
        return _P_UNFINISHED, Why.UNFINISHED
    if _closes(words):
        return _P_SLOT, Why.COMPLETE
    asked = words[:-1] if last == "please" else words
    if len(asked) >= 2 and asked[-1] in _SUBJECTS and asked[-2] in _AUXILIARIES:
        closes = (asked[-2], asked[-1]) in _IS_IT and len(asked) > 2
        return (_P_UNCERTAIN, Why.UNCERTAIN) if closes else (_P_UNFINISHED, Why.UNFINISHED)
    if last in _LEANING and not _ends_in_time(words):
        return _leaning_likelihood(words)
    if last == "like" and len(words) > 1 and words[-2] in _WISHES:
        return _P_UNFINISHED, Why.UNFINISHED
    if set(words) <= _GREETINGS and not expected & {"part", "bye"}:
        return _P_GREETING, Why.UNCERTAIN
    if len(words) == 1 and last in _OPENINGS and (not expected & {"yes", "no", "bye", "more"} or last in _BARE_NO):
        # a bare "no" is often the start of "no, wednesday"
        return (_P_ANSWER, Why.COMPLETE) if "bye" in expected else (_P_UNCERTAIN, Why.UNCERTAIN)
    if last in _ANSWERS or tuple(words[-2:]) == ("thank", "you"):
        return (_P_EXPECTED if expected & {"yes", "no", "bye"} else _P_ANSWER), Why.COMPLETE
    return _slot_likelihood(words, expected)


def _leaning_likelihood(words: Sequence[str]) -> tuple[float, Why]:
    """Words that end on a leaning one: most go on, some patterns close a sentence after all."""
    last = words[-1]
    if len(words) >= 3:
        before = words[-2]
        if (before, last) in {("it", "is"), ("will", "do")} or (last in _OBJECT_VERBS and "what" in words[-4:-1]):
            return _P_SENTENCE, Why.COMPLETE
        if last in _HALF_LEANING and before not in (_PARTICLES - {"of"}) | _LINKS:
            return _P_UNCERTAIN, Why.UNCERTAIN
        if len(words) >= 4 and words[0] in _QUESTION_WORDS and last in _PARTICLES:
            return _P_UNCERTAIN, Why.UNCERTAIN
    return _P_UNFINISHED, Why.UNFINISHED


def _ends_in_time(words: Sequence[str]) -> bool:
    times = locate_times(words)
    return bool(times) and times[-1].end == len(words)


def _slot_likelihood(words: Sequence[str], expected: frozenset[str]) -> tuple[float, Why]:
    """Days, times, names and plain sentences."""
    last = words[-1]
    if last in _DAYS or last in _DAY_PARTS:
        return (_P_EXPECTED if expected & {"day", "part"} else _P_ANSWER), Why.COMPLETE
    if _ends_in_time(words):
        # "ten" may go on with "thirty", within a syllable or two
        return (_P_ANSWER if "time" in expected else _P_SLOT), Why.COMPLETE
    if "name" in expected:
        return _P_NAME, Why.COMPLETE
    if len(words) == 1:
        return _P_UNCERTAIN, Why.UNCERTAIN
    return _P_SENTENCE, Why.COMPLETE


def _closes(words: Sequence[str]) -> bool:
    """A closing phrase that happens to end on a leaning word: whole, or after yes or no."""
    whole = " ".join(words[-5:])
    return whole in _CLOSED_BY_LEANING or any(
        " ".join(words[-length:]) in _CLOSED_BY_LEANING and words[-length - 1] in _ANSWERS
        for length in range(1, min(4, len(words) - 1) + 1)
    )


def _is_spelling(words: Sequence[str], expected: frozenset[str]) -> bool:
    """Two or more digits or letters in a row at the end, unless they are a time: ``two oh five``, ``eight p m``."""
    run = 0
    for word in reversed(words):
        is_letter = len(word) == 1 and (word not in {"i", "a"} or run > 0)
        if not (word in DIGITS or is_letter):
            break
        run += 1
    if run < 2:
        return False
    times = locate_times(words)
    if not times or times[-1].end < len(words):
        return True
    return "time" not in expected and times[-1].end - times[-1].first < max(run, 3)


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


def _joint(words: float, model: float | None, settings: EndpointSettings) -> float:
    """The words' likelihood and the model's probability as one; the words alone where there is no model."""
    if model is None:
        return words
    odds = settings.word_weight * _logit(words) + settings.model_weight * _logit(model) - settings.caution
    return 1 / (1 + math.exp(-odds))


def share_of_end(p_turn: float, p_heard: float) -> float:
    """P(turn over | pause) from what the core model says of the next token, `p_turn` for ``<turn>``, `p_heard` for one
    more ``<heard>`` segment; 0.5 where it gives neither.

    The bare `p_turn` is no such probability: the rest goes to a next word, which the pause has ruled out (0.27 against
    0.9 on ended turns, early core model).
    """
    known = p_turn + p_heard
    return p_turn / known if known > 0 else 0.5


def decide(pause: Pause, settings: EndpointSettings | None = None) -> Endpoint:
    """The verdict on one pause. Ask again after `wait_ms`, and whenever words, model score or silence changed.

    Never over before the shortest silence of the curve. Without words the verdict is noise (not over, nothing to wait
    for) or, after long speech, an unintelligible turn.
    """
    settings = settings or EndpointSettings()
    if not pause.words:
        return _without_words(pause, settings)
    words, reason = likelihood(pause.words, pause.expects)
    joint = _joint(words, pause.p_over, settings)
    if reason is Why.UNFINISHED:
        joint = min(joint, settings.unfinished_cap)
    extra = min(max(pause.habit.value_ms - settings.habit_typical_ms, 0.0), settings.habit_most_ms)
    probabilities, silences_ms = zip(*settings.curve, strict=True)
    needed = float(np.interp(joint, probabilities, silences_ms)) + extra * (1 - joint)
    if not pause.settled and needed < settings.unsettled_ms:
        needed = settings.unsettled_ms
        reason = Why.UNSETTLED
    scores = {"words": words, "joint": joint, "silence_ms": float(pause.silence_ms), "needed_ms": round(needed, 1)}
    if pause.p_over is not None:
        scores["model"] = pause.p_over
    wait = max(0, math.ceil(needed - pause.silence_ms))
    return Endpoint(wait == 0, wait, reason, scores)


def _without_words(pause: Pause, settings: EndpointSettings) -> Endpoint:
    wait = 0 if pause.settled else max(0, settings.noise_ms - pause.silence_ms)
    scores = {"silence_ms": float(pause.silence_ms), "speech_ms": float(pause.speech_ms)}
    if wait:
        return Endpoint(False, wait, Why.NO_WORDS, scores)
    if pause.speech_ms >= settings.wordless_speech_ms:
        return Endpoint(True, 0, Why.UNINTELLIGIBLE, scores)
    return Endpoint(False, 0, Why.NOISE, scores)
