"""What nobody at the desk can serve, made up without end: other people's business, other languages, noises, salad.

A list of such turns is learned by heart, and a model that knows the list takes the next stranger for somebody who wants
a visit. So a request is a frame around words from long lists ("do you repair {thing}", "is the {thing} {quality}"), and
noises and foreign words are spelled by chance. Chatter is what stands beside a wish and changes nothing: without it a
model takes the first word it does not know for the name. Marked as in `wordings`: the words that say what is asked are
tagged, so the label follows from what survives the noise. For training only; tests hold asides written by hand.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from importlib import resources
from random import Random
from typing import Any

from policies.learned.train.invented import ache
from policies.learned.train.names import invented_name, recogniser_words
from policies.learned.train.spoken_caller import Word

__all__ = ["babble", "business", "chatter", "odd", "salad"]

# fmt: off
_FRAMES = (
    "do you *{act} {thing}", "(have you got|do you have|do you keep) (any|a|the) {thing}",
    "do you know (a|any|the) {thing}", "(is|was) (the|my|that|your) {thing} {quality}",
    "are (the|those|your) {thing} {quality}", "(how|why) {quality} is (the|this|your) {thing}",
    "how (*many|*much|*big|*old|*far|*heavy) (is|are) (the|your) {thing}", "(what|who) *{act} (the|your|my) {thing}",
    "what's the {thing} of (the|my) {thing}", "what is (a|the) {thing}", "(where|when) (is|was) the {thing}",
    "(where|when|how) (can|do|did) (i|you|we) *{act} (a|the|my) {thing}",
    "why (did|does|is) (my|the|your) {thing} (*{act}|so {quality})",
    "(can|could|may) i *{act} (a|the|my|your) {thing}", "(can|could|would) you *{act} (a|the|my|this) {thing}",
    "(can|could|would) you *{act} me (a|the|some|that) {thing}", "(could|would) you mind if i *{act} (the|a) {thing}",
    "i (want|need|would like|have) to *{act} (a|the|my|your) {thing}", "i'd (like|love) to *{act} (a|the|my) {thing}",
    "i'm (calling|ringing) about (the|my|a|your) {thing}", "it's about (the|my|a) {thing}",
    "i (need|want|have|found|lost|bought) (a|the|some|my) {thing}",
    "(is|was) there (a|any|some) {thing} (nearby|there|left|)", "my {thing} is (so|very|all|still|) {quality}",
    "(my|the) {thing} (won't|keeps|doesn't) *{act}", "(should|must|shall) (i|we|he|she) *{act} (the|my|a) {thing}",
    "(do|does|did) (i|he|she|we) (have|need) to *{act} (the|a) {thing}",
    "(is|would) it (be|) {quality} to *{act} (a|the|my) {thing}", "(tell|ask) me (something|more|) about {thing}",
    "have you (ever|already|) *{act} (a|the|my) {thing}",
    "(did|will) (you|they|he) *{act} (the|my|a) {thing} (today|)", "who (is|was) the {quality} {thing}",
    "which {thing} (is|was) {quality}", "(what|how) about (a|the|some) {quality} {thing}",
    "(please|just) *{act} (the|my|a) {thing}", "i (think|guess|heard|hope) (the|your|my) {thing} is {quality}",
    "(the|your|my) {thing} (was|is|looks) {quality} (and|but) {quality}",
    "i (don't|can't) *{act} (the|my|your) {thing}", "(are|were) you (a|the) {thing}",
    "you (are|sound) {quality} (for a {thing}|)", "(we|they|i) *{act} (a|the|our) {thing} (with|for) {thing}",
    "how do you *{act} (a|the) {thing}", "what (kind|sort) of {thing} (do|did) you *{act}",
    "(someone|he|she) *{act} my {thing}", "is (it|that) (true|so) (that|) the {thing} is {quality}",
    "(give|send|show) me (the|a|some) {quality} {thing}", "(what|who) will *{act} (the|my) {thing} (tonight|now|)",
    "can (a|the) {thing} *{act}", "i'd rather *{act} (a|the) {thing}",
    "(can|could|may) i *{act} {count} {thing}", "(do|did) you *{act} (the|my|our) {count} {thing}",
    "(have you|there are|i have|i need|i bought) {count} {quality} {thing}", "is it {count} {thing} (or more|away|)",
    "(i|we|they) *{act} (the|) {count} {thing} (ago|already|)", "(how|where) are the {count} {thing}",
    "(this|it|that) *{act} (me|us|the {thing}) (already|again|)", "(your|this|that) {thing} is *{quality}",
    "i'm (so|really|very|) *{quality} (with|of|about) (you|this|the {thing})", "(nobody|no one) *{act} (me|my {thing})",
    "you (never|always|only|people|all|just) *{act} (me|my {thing}|the {thing})", "(stop|don't) *{act} (me|my {thing})",
    "(this|it) (takes|is taking|took) (so|too|) *{quality} (a|) {thing}", "i was *{act} for {count} {thing}",
)
_CHATTER = (
    "(it's|that's) (quite|very|rather|really|a bit|so) {quality}", "for (my|the|our) {thing}",
    "because (my|the) {thing} is {quality}", "if (that's|it's) (not too|) {quality}", "(it's|this is) {quality}",
    "(i've|we've|he's) been {acting} for (days|weeks|months|ages|years)", "since (my|the) {thing} (was|got) {quality}",
    "thank you for {acting}", "with (my|the) {thing}", "as i (have to|must|need to) {act} (my|the|a) {thing}",
    "(before|after) i {act} the {thing}", "as {quality} as possible", "the {thing} is {quality} (you see|you know)",
    "my {thing} (keeps|is) {acting}", "(i'm|we're) (so|a bit|terribly|too) {quality} (about it|you see|)",
    "i (can't|don't) {act} (any more|well|much)", "(my|the) {thing} said so", "(i'm|we're) {acting} (the|a) {thing}",
    "i (hope|know|think|suppose) it's {quality}", "and (my|the) {thing} is {acting}", "it's about (my|the) {thing}",
    "from {acting} (the|a) {thing}", "of {acting}", "without (my|the) {thing}", "(i'm|he's|she's) (quite|) {quality}",
    "(i|we) {act} (a|the) {thing} (then|that day|first)", "the {thing} (will|can|would) {act}", "under the {thing}",
    "{quality} as (it|that) is", "{acting} (is|was) {quality}", "this is {acting} me", "for {acting} (the|my) {thing}",
)
_OPENINGS = (
    "", "", "", "", "", "hello", "um", "excuse me", "sorry but", "by the way", "one question", "listen", "say",
    "oh and", "i wonder", "quick question", "while we're at it", "actually", "so", "and", "you know",
)
_TAILS = (
    "", "", "", "", "", "please", "or not", "these days", "at your place", "for my wife", "for me", "at all",
    "you know", "in winter", "with children", "by the way", "or something", "again", "if you know",
)
_COUNTS = "two three four five six seven eight nine ten eleven twelve twenty both some".split()
"""Beside a thing a number is no time."""
_CLUSTERS = """b bl br ch d dr f fl g gr h hm j k kh kr l m mf mm n p pf ph pl ps pss r s sh shh sk sp ss st t th tk ts
    tss v w wh z zz""".split()
_TELLING = frozenset("no nah hi".split())
ACHES = 0.12
"""Share of asides about what hurts, where it is no wish: in the middle of a booking nothing changes by it."""
_HEARTS = "a e i o u aa ah ee eh uh oo oh ow ai".split()
# fmt: on


@cache
def _words() -> dict[str, Any]:
    """Lists of words by kind; of tongues one list each.

    Small words say nothing by themselves, and none answers a question of ours. Tongues hold the commonest words of
    other languages, as a recogniser without accents would write them.
    """
    data = tomllib.loads(resources.files(__package__).joinpath("asides.toml").read_text("utf-8"))
    return {kind: [one.split() for one in text] if kind == "tongues" else text.split() for kind, text in data.items()}


def _thing(rng: Random) -> str:
    """A thing; every third one is a word from the recogniser's list: what is talked about is not always known."""
    return rng.choice(recogniser_words() if rng.random() < 0.35 else _words()["things"])


def business(rng: Random) -> list[Word]:
    """Somebody else's business: a question or a wish that no desk for visits can serve."""
    words = [Word(text) for text in rng.choice(_OPENINGS).split()]
    for token in _opened(rng.choice(_FRAMES), rng).split():
        if token == "{thing}":
            words += [Word(rng.choice(_words()["qualities"]), "other")] if rng.random() < 0.12 else []
            words.append(Word(_thing(rng), "other"))
        elif token == "{count}":
            words.append(Word(rng.choice(_COUNTS)))
        elif token in ("{quality}", "*{quality}"):
            words.append(Word(rng.choice(_words()["qualities"]), "other"))
        elif token == "*{act}":
            words.append(Word(rng.choice(_words()["acts"]), "other"))
        else:
            words.append(Word(token.lstrip("*"), "other" if token[0] == "*" else ""))
    return words + [Word(text) for text in rng.choice(_TAILS).split()]


def chatter(rng: Random) -> list[Word]:
    """A clause beside a wish: why, for whom, how urgent. It holds no value and asks for nothing."""
    words: list[Word] = []
    for token in _opened(rng.choice(_CHATTER), rng).split():
        if token == "{thing}":
            words.append(Word(_thing(rng)))
        elif token == "{quality}":
            words.append(Word(rng.choice(_words()["qualities"])))
        elif token == "{act}":
            words.append(Word(rng.choice(_words()["acts"])))
        else:
            words.append(Word(_acting(rng.choice(_words()["acts"])) if token == "{acting}" else token))
    return words


def _acting(act: str) -> str:
    """``mend`` -> ``mending``; as good as it gets without a dictionary."""
    return f"{act.removesuffix('e') if not act.endswith('ee') else act}ing"


def _opened(frame: str, rng: Random) -> str:
    """`frame` with one of each of its alternatives; they do not nest here."""
    parts: list[str] = []
    for piece in frame.replace("(", "\0").replace(")", "\0").split("\0"):
        parts.append(rng.choice(piece.split("|")) if "|" in piece else piece)
    return "".join(parts)


def odd(rng: Random, say: Callable[[str], list[Word]], question: str) -> list[Word]:
    """What a caller says in place of an answer to `question`; `say` gives a piece of the wordings by its act."""
    chance = rng.random()
    if chance < 0.15:
        return say("other")
    if question not in ("intent", "anything", "name") and rng.random() < ACHES:
        return ache(rng)
    if chance < 0.5 or (chance >= 0.6 and question == "name"):  # strange words are a name there
        return business(rng)
    if chance < 0.6:
        return say("junk")
    return salad(rng) if chance < 0.75 else babble(rng)


def babble(rng: Random) -> list[Word]:
    """Another language, invented words or noises: one kind at a time, nothing in it means anything here."""
    count = rng.choice((1, 2, 2, 3, 3, 4, 5, 6, 7))
    chance = rng.random()
    if chance < 0.35:
        tongue = rng.choice(_words()["tongues"])
        texts = [rng.choice(tongue) if rng.random() < 0.75 else invented_name(rng) for _ in range(count)]
    elif chance < 0.5:
        texts = [invented_name(rng) for _ in range(count)]
    elif chance < 0.65:
        one = _noise(rng)
        texts = [one if rng.random() < 0.7 else _noise(rng) for _ in range(count)]
    elif chance < 0.85:
        texts = [_noise(rng) for _ in range(count)]
    else:
        texts = [_scrap(rng) for _ in range(count)]
    return [Word(text) for text in texts]


def _noise(rng: Random) -> str:
    while True:
        sound = rng.choice(_CLUSTERS)
        if rng.random() < 0.65:
            sound += rng.choice(_HEARTS) + rng.choice(("", "", *_CLUSTERS))
        if sound not in _TELLING:
            return sound


def _scrap(rng: Random) -> str:
    """The beginning or the end of a word: what a bad line leaves."""
    word = rng.choice(recogniser_words())
    size = rng.choice((2, 3, 3, 4))
    return word[:size] if rng.random() < 0.5 else word[-size:]


def salad(rng: Random) -> list[Word]:
    """Words that are words and make no sense: what a recogniser writes for speech it was not made for."""
    count = rng.choice((2, 3, 4, 4, 5, 6, 8))
    words = _words()
    pool = (words["small"], words["small"], words["things"], recogniser_words(), words["qualities"])
    return [Word(rng.choice(rng.choice(pool))) for _ in range(count)]
