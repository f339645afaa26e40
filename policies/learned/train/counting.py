"""Calls about counting, reading out and adding, with the right answer to everything asked.

    call = counting_call(Random(1))

The note-less form of the stream: a thought is free words. Half of the calls are answered in bits, each with a thought
before it (``<think> words <expect> words <say> words <more> <think> words <say> words <end>``), half in one breath: the
card says which. What counts as right comes from `counting_tasks`; the far party's words come from `counting_wordings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from policies.learned.train.counting_tasks import Bit, Count, Digits, Sum, Task
from policies.learned.train.counting_wordings import COUNTING, COUNTING_UNSEEN, JOINTS, JOINTS_UNSEEN
from policies.learned.train.names import recogniser_words
from policies.learned.train.spoken_caller import WEEK, say, text_of
from policies.learned.train.weighted import OBSERVED, OBSERVED_WORDS, WeightedCall, Weights
from policies.learned.train.wordings import Wordings
from policies.numerals import is_number_word, say_digits, say_number
from policies.trajectory import Role, Segment

__all__ = ["GREETING", "counting_call", "counting_card", "request", "task"]

GREETING = "hello. what shall i count or add?"
ONE_BREATH = "helper. speak in one breath."
"""The head of the card of a call without bits; ``helper.`` is that of one with bits."""
_GREETINGS = (GREETING, "hello. how can i help?", "good morning. what can i do for you?")
_MANY = {1: "ones", 2: "twos", 5: "fives", 10: "tens"}
_SORRY = "sorry, i can count, read out digits and add. what shall i do?"
_READY = "hello. what shall i count or add?"
SPLIT_RATE = 0.15
"""Share of requests that come in two segments of speech, with a pause between them."""
PACED_RATE = 0.4
"""Share of answers in which a thought stands where the model would have gone on speaking."""
STRANGE_JOINT = 0.15
"""Share of sums with a word between the numbers that says nothing: with the joints of a list alone a model takes the
first word it does not know there for part of a number."""
STRANGE_CARRIER = 0.4
"""Share of counts asked for among words that say nothing: only numbers and the few words that set them apart are kept.
With the carriers of a list alone a model that meets others begins a count where it should end. A guess."""
MOST_PACED = 8
"""Such thoughts in one answer."""
_JUNK = tuple(word for word in recogniser_words() if word not in {"hundred", "up", "number", "total", "all", "end"})
_TELLING = frozenset(
    """
from to until till through between and down back backwards countdown by in with steps at a time and
""".split()
)
"""Words that tell where a count begins, where it ends, which way it goes and how far it steps."""
_ASKING = ("count", "count", "counting", "numbers", "the numbers", "counts", "say", "go", "hear", "")
_HUMS = ("um", "uh", "er", "hm")


# --- what is asked -----------------------------------------------------------------------------------------------


def task(rng: Random) -> Task:
    """Something to say; short ones are frequent, a count to 200 is rare."""
    kind = rng.random()
    if kind < 0.5:
        return _count(rng)
    if kind < 0.68:
        return Digits(
            "".join(rng.choice("0123456789") for _ in range(rng.choice((3, 4, 4, 6, 6, 7, 8, 9, 10, 11, 12))))
        )
    most = rng.choices((2, 3, 4, 5), (46, 26, 16, 12))[0]
    return Sum(tuple(rng.randrange(1, 100) if rng.random() < 0.8 else rng.randrange(1, 20) for _ in range(most)))


def _count(rng: Random) -> Count:
    last = _last(rng)
    chance = rng.random()
    if chance < 0.14:
        step = rng.choice((2, 5, 10))
        steps = rng.randrange(3, min(20, 200 // step) + 1)
        begin = step if rng.random() < 0.6 else rng.randrange(0, 201 - step * (steps - 1))
        up = Count(begin, begin + step * (steps - 1), step)
        return up if rng.random() < 0.75 or begin != step else Count(up.last, up.first, -step)
    if chance < 0.26:
        first = min(last, 100) if rng.random() < 0.8 else last
        return Count(first, 1 if first <= 30 and rng.random() < 0.7 else max(0, first - rng.randrange(3, 25)), -1)
    if chance < 0.55 or (last > 60 and rng.random() < 0.75):
        return Count(max(0, last - rng.randrange(3, 25)), last)
    return Count(1, last)


def _last(rng: Random) -> int:
    """Where a count ends, 3..200."""
    low, high = rng.choices(((3, 12), (12, 24), (24, 42), (42, 110), (110, 200)), (34, 26, 22, 11, 7))[0]
    return rng.randrange(low, high + 1)


def request(what: Task, rng: Random, wordings: Wordings = COUNTING) -> str:
    """The words in which `what` is asked for."""
    return text_of(say(wordings, _act(what, rng), rng, _values(what, rng, wordings)))


def _strangely(words: str, rng: Random) -> str:
    """A request for a count with most of its other words replaced, and some put in, by words that say nothing here."""
    said: list[str] = []
    for word in words.split():
        kept = word in _TELLING or is_number_word(word) or rng.random() < 0.4
        said += [word] if kept else _fill(rng)
    if rng.random() < 0.5:
        said = [*_fill(rng), rng.choice(_ASKING), *said]
    return " ".join(" ".join(said).split())


def _fill(rng: Random) -> list[str]:
    return [rng.choice(_JUNK) for _ in range(rng.choice((0, 1, 1, 1, 2, 3)))]


def _act(what: Task, rng: Random) -> str:
    if isinstance(what, Digits):
        return "digits"
    if isinstance(what, Sum):
        return "sum"
    if what.step < 0:
        return "down_by" if what.step < -1 else "down" if what.last == 1 and rng.random() < 0.7 else "down_to"
    from_start = what.first == what.step and rng.random() < 0.9
    return f"count_{'by_' if what.step > 1 else ''}{'to' if from_start else 'range'}"


def _values(what: Task, rng: Random, wordings: Wordings) -> dict[str, str]:
    if isinstance(what, Digits):
        return {"figures": _dictated(what.figures, rng)}
    if isinstance(what, Sum):
        joint = f" {rng.choice(JOINTS if wordings is COUNTING else JOINTS_UNSEEN)} "
        if wordings is COUNTING and rng.random() < STRANGE_JOINT:
            joint = f"{joint}{rng.choice(_JUNK)} "
        return {"sum": joint.join(_heard_number(addend, rng) for addend in what.addends)}
    step = abs(what.step)
    by = text_of(say(wordings, "by", rng, {"few": say_number(step), "many": _MANY[step]}))
    return {"first": _heard_number(what.first, rng), "last": _heard_number(what.last, rng), "by": by}


def _heard_number(value: int, rng: Random) -> str:
    """A number as people say it: ``a hundred and five`` beside ``one hundred five``."""
    words = say_number(value)
    if value < 100:
        return words
    if value < 200 and rng.random() < 0.25:
        words = words.replace("one hundred", "a hundred", 1)
    return words.replace("hundred ", "hundred and ", 1) if rng.random() < 0.4 else words


def _dictated(figures: str, rng: Random) -> str:
    """Figures as people dictate them: now and then ``double four`` or ``oh``."""
    words = say_digits(figures).split()
    if rng.random() < 0.2:
        words = ["oh" if word == "zero" else word for word in words]
    if rng.random() < 0.25:
        for at in range(len(words) - 2, -1, -1):
            if words[at] == words[at + 1] and (at == 0 or words[at - 1] != words[at]):
                words[at : at + 2] = ["double", words[at]]
    return " ".join(words)


# --- the call ----------------------------------------------------------------------------------------------------


def counting_card(today: str, *, one_breath: bool) -> str:
    """The card, as `policies.prompt.card` writes it."""
    return f"{ONE_BREATH if one_breath else 'helper.'} today is {today}."


def counting_call(rng: Random, *, wordings: Wordings = COUNTING) -> WeightedCall:
    """A whole call: one to three requests and what is said beside them."""
    one_breath = rng.random() < 0.5
    call = WeightedCall()
    call.add(Segment(Role.CARD, counting_card(rng.choice(WEEK), one_breath=one_breath)), Weights(0, 0, 0))
    call.add(Segment(Role.SAY, rng.choice(_GREETINGS), Role.END), Weights(0.2, 0.2, 0.2))
    turns = list(_turns(rng, wordings))
    for place, (label, what, heard) in enumerate(turns):
        expect = turns[place + 1][0] if place + 1 < len(turns) else "bye"
        _hear(call, heard, rng)
        if not isinstance(what, Bit):
            _do(call, what, expect, one_breath, rng, wordings)
        else:
            _answer(call, (what,), expect, Role.BYE if label == "bye" else Role.END)
    return call


def _turns(rng: Random, wordings: Wordings) -> Iterator[tuple[str, Task | Bit, str]]:
    """(label, what the agent has to do, the words heard) of each turn of the far party; the last one says goodbye."""

    def small(act: str, answer: str) -> tuple[str, Bit, str]:
        return act, Bit(act, answer), text_of(say(wordings, act, rng))

    if rng.random() < 0.08:
        yield small("hello", _READY)
    for _ in range(rng.choices((1, 2, 3), (62, 28, 10))[0]):
        if rng.random() < 0.06:
            yield small("other", _SORRY)
        what = task(rng)
        asked = request(what, rng, wordings)
        if isinstance(what, Count) and wordings is COUNTING and rng.random() < STRANGE_CARRIER:
            asked = _strangely(asked, rng)
        yield type(what).__name__.lower(), what, _carried(asked, rng, wordings)
        if rng.random() < 0.2:
            yield small("thanks", "you are welcome. anything else?")
    yield small("bye", "goodbye.")


def _carried(words: str, rng: Random, wordings: Wordings) -> str:
    """A request among other words, so that the model reads what is asked and no template."""
    if rng.random() < 0.3:
        words = f"{text_of(say(wordings, 'opener', rng))} {words}"
    if rng.random() < 0.25:
        words = f"{words} {text_of(say(wordings, 'tail', rng))}"
    if rng.random() < 0.15:
        words = f"{rng.choice(_HUMS)} {words}"
    if rng.random() < 0.12:
        junk = " ".join(rng.choice(_JUNK) for _ in range(rng.choice((1, 1, 2, 3))))
        words = f"{junk} {words}" if rng.random() < 0.6 else f"{words} {junk}"
    return words


def _hear(call: WeightedCall, words: str, rng: Random) -> None:
    seen = Weights(OBSERVED, OBSERVED_WORDS, OBSERVED)
    parts = words.split()
    at = rng.randrange(1, len(parts)) if len(parts) > 3 and rng.random() < SPLIT_RATE else len(parts)
    for piece in (parts[:at], parts[at:]):
        if piece:
            call.add(Segment(Role.HEARD, " ".join(piece)), seen)
    call.add(Segment(Role.TURN), seen)


def paced(what: Task, bits: tuple[Bit, ...], one_breath: bool, rng: Random) -> tuple[Bit, ...]:
    """`bits` with thoughts where none is due: where they stand is then the runtime's to choose (`policies.pace`).

    A count stops behind any number, and the thought names what is left as if the count began there; digits stop where
    a group ends; a sum said in one breath stops before its total, which is worked out there.
    """
    if isinstance(what, Sum):
        if not one_breath:
            return bits
        return (Bit(bits[0].thought, what.asked, forced=True), Bit(what.worked_out(), f"{say_number(what.total)}."))
    if isinstance(what, Digits):
        return tuple(Bit(bit.thought, bit.said, forced=True) for bit in what.bits()) if one_breath else bits
    said: list[Bit] = []
    left = what
    while True:
        now = (left.one_breath() if one_breath else left.bits()[0]) if said else bits[0]
        numbers = now.said.split(", ")
        if rng.random() < (0.8 if one_breath else 0.5) and len(numbers) > 1 and len(said) < MOST_PACED:
            kept = rng.randrange(1, min(len(numbers), 40))
            now = Bit(now.thought, ", ".join(numbers[:kept]) + ",", forced=True)
        said.append(now)
        if now.said.endswith("."):
            return tuple(said)
        left = what.rest(" ".join(bit.said for bit in said))


def _answer(call: WeightedCall, bits: tuple[Bit, ...], expect: str, close: Role) -> None:
    """The agent's turn, bit by bit. Where a bit was made to end it is not learned that one ends there."""
    for place, bit in enumerate(bits):
        call.add(Segment(Role.THINK, bit.thought), Weights())
        if not place:
            call.came[len(call.segments)] = expect
            call.add(Segment(Role.EXPECT, ""), Weights(1.0, 0.5))
        last = place + 1 == len(bits)
        ends_early = bit.forced and not last
        call.add(Segment(Role.SAY, bit.said, close if last else Role.MORE), Weights(close=0.0 if ends_early else 1.0))


def _do(call: WeightedCall, what: Task, expect: str, one_breath: bool, rng: Random, wordings: Wordings) -> None:
    """Carry out a task; now and then a count is broken into, and then goes on or ends."""
    bits = (what.one_breath(),) if one_breath else what.bits()
    if rng.random() < PACED_RATE:
        _answer(call, paced(what, bits, one_breath, rng), expect, Role.END)
        return
    if not (isinstance(what, Count) and len(what.numbers) > 5 and rng.random() < 0.1):
        _answer(call, bits, expect, Role.END)
        return
    stopped = rng.random() < 0.4
    place = rng.randrange(len(bits))
    words = bits[place].said.split()
    # what a far party heard mostly ends with a word, its comma not yet reached
    part = " ".join(words[: rng.randrange(1, max(2, len(words)))])
    part = part.rstrip(",") if rng.random() < 0.7 else part
    heard = (*bits[:place], Bit(bits[place].thought, part))
    _answer(call, heard, "stop" if stopped else "more", Role.CUT)
    call.weights[-1] = Weights(close=0.0)
    _hear(call, text_of(say(wordings, "stop" if stopped else "go_on", rng)), rng)
    if stopped:
        _answer(call, (Bit("stop", "ok. anything else?"),), expect, Role.END)
        return
    rest = what.rest(" ".join(bit.said for bit in heard))
    _answer(call, (rest.one_breath(),) if one_breath else rest.bits(), expect, Role.END)


assert set(COUNTING.pieces) == set(COUNTING_UNSEEN.pieces), "both sets of wordings have the same acts"
