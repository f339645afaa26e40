"""One simulated call: the caller, the noise on the line, the calendar and an agent, as a stream with loss weights.

The agent is the expert while data is made and the model while it is judged; both go through `converse`. This file knows
the order of segments in a call (`policies.trajectory`) and which of them are learned with which weight; it knows
neither tokens nor tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Protocol, runtime_checkable

from policies.learned.train.appointments import STOLEN, Calendar, random_calendar
from policies.learned.train.expert import Action, Expert, Situation
from policies.learned.train.noise import break_carrier, hesitate, misrecognise, split_points
from policies.learned.train.questions import SETTLED, question_in
from policies.learned.train.simulator import Caller, Utterance, random_goal
from policies.learned.train.spoken_caller import DAYS, WEEK, Understood, Word, text_of, understand
from policies.learned.train.weighted import OBSERVED, OBSERVED_WORDS, WeightedCall, Weights
from policies.learned.train.wordings import TRAINED, Wordings
from policies.trajectory import Role, Segment

__all__ = [
    "Agent",
    "Call",
    "Line",
    "Teacher",
    "converse",
    "expert_call",
    "new_call",
]

CROWDED = 0.25
"""Share of days with a part that is full, for each 1 by which callers are more restless than tested ones. A guess: the
model offers times of a part that has none, which a calendar with times all day seldom shows it."""
SNATCHED = 0.12
"""Share of times that are taken before they are booked, in the same way. A guess: a model that saw it in every
twentieth call offers the time again that was just taken."""
BROKEN_OFF = 0.3
"""Share of confirmations broken off before they say what is done, in the same way."""

_PLACES = (
    "riverside lakeside hillside parkside oakwood greenfield northgate southgate westbridge eastfield maplewood "
    "brookside sunnyside harbour "
    "cedar willow meadow station market castle church elm garden valley summit"
).split()
_KINDS = (
    "clinic",
    "clinic",
    "clinic",
    "dental practice",
    "health centre",
    "eye clinic",
    "surgery",
    "medical practice",
    "skin clinic",
)
_OPENS = ("eight", "nine", "nine", "ten", "seven thirty", "eight thirty")
_CLOSES = ("four", "five", "five", "six", "five thirty", "seven")
_HINTS = (
    "most callers want mornings.",
    "callers are often in a hurry.",
    "wednesday is a busy day.",
    "speak slowly.",
    "last call went well.",
    "the line is noisy today.",
    "offer all times you have.",
)
_NAME_FIRST = ("ask for the name first.", "take the name before the day.", "callers give their name first.")
_FILLERS = (
    "let me look.",
    "one moment.",
    "let me check.",
    "just a second.",
    "let me see.",
    "i am looking.",
    "one second, please.",
)


class Agent(Protocol):
    """Who answers the calls. The model reads `words`, the expert the meaning that survived in them."""

    def hear(self, segments: list[list[Word]]) -> Action: ...

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action: ...


@runtime_checkable
class Teacher(Agent, Protocol):
    """An agent whose turns are labels: it also gives notes in the middle of a turn, and is told of a cut utterance."""

    def peek(self, heard: Understood) -> str: ...

    def cut(self, heard: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Line:
    """What the line does. `error_rate`: word errors 0..1; `broken`: share of utterances with broken carriers;
    `pauses`, `cuts`, `fillers`, `thoughts`: shares of turns with each."""

    error_rate: float = 0.0
    broken: float = 0.0
    hesitation: bool = True
    pauses: float = 0.35
    cuts: float = 0.1
    fillers: float = 0.5
    thoughts: float = 0.1


@dataclass(slots=True)
class Call(WeightedCall):
    """A call in progress or over. `early_write` is set when a tool wrote without the caller's yes."""

    caller: Caller
    calendar: Calendar
    situation: Situation
    early_write: bool = False
    ended: bool = False

    @property
    def success(self) -> bool:
        """The caller reached the goal: what was agreed last is in the calendar, nothing was written without a yes,
        nothing twice, and the call came to its end. A time that somebody else took, or a visit that is not there,
        need not be in the calendar."""
        agreed = self.caller.agreed
        written = [("book", visit.day, visit.time, visit.name) for visit in self.calendar.booked]
        written += [("cancel", visit.day, visit.time, visit.name) for visit in self.calendar.cancelled]
        last = agreed[-1] if agreed else None
        missed = last is not None and last not in written and not self._refused(last)
        reached = self.caller.done or self.caller.goal.kind in {"hours", "other"}
        clean = len(set(written)) == len(written) and set(written) <= set(agreed)
        return self.ended and reached and not self.early_write and clean and not missed

    def _refused(self, item: tuple[str, str, str, str]) -> bool:
        kind, day, time, name = item
        if kind == "book":
            return (day, time) in self.calendar.stolen
        return not any(visit.day == day and visit.name == name for visit in self.calendar.visits)


def new_call(rng: Random, wordings: Wordings = TRAINED, *, restless: float = 1.0) -> Call:
    """A card, a greeting, a caller with a goal and a calendar."""
    today = rng.choice(DAYS) if rng.random() < 0.92 else rng.choice(WEEK[-2:])
    hours = f"{rng.choice(_OPENS)} to {rng.choice(_CLOSES)}"
    hinted = rng.random()
    situation = Situation(today, hours, name_first=hinted < 0.1)
    place = f"{rng.choice(_PLACES)} {rng.choice(_KINDS)}" if rng.random() < 0.7 else "riverside clinic"
    hint = rng.choice(_NAME_FIRST) if hinted < 0.1 else rng.choice(_HINTS) if hinted < 0.25 else ""
    card = f"front desk of {place}. today is {today}. open {hours}." + (f" hint: {hint}" if hint else "")
    crowded = CROWDED * (restless - 1) if restless > 1 else 0.0
    stolen = STOLEN + (SNATCHED * (restless - 1) if restless > 1 else 0.0)
    calendar = random_calendar(rng, crowded=crowded, stolen=stolen)
    call = Call(
        Caller(random_goal(rng, wordings, calendar), wordings, rng, today, restless=restless), calendar, situation
    )
    call.add(Segment(Role.CARD, card), Weights(0, 0, 0))
    greeting = rng.choice(
        (
            f"good morning, {place}. how can i help?",
            f"hello, {place}. how can i help you?",
            f"{place}, good afternoon. how may i help?",
        )
    )
    if rng.random() < 0.03:
        return call  # the caller speaks first
    cut = rng.random() < 0.08
    call.add(
        Segment(Role.SAY, _prefix(greeting, rng) if cut else greeting, Role.CUT if cut else Role.END),
        Weights(0.2, 0.2, 0.2 * (not cut)),
    )
    return call


def _prefix(text: str, rng: Random) -> str:
    words = text.split()
    return " ".join(words[: rng.randrange(1, len(words))])


def _on_the_line(utterance: Utterance, line: Line, rng: Random, hums: tuple[str, ...]) -> list[Word]:
    words = list(utterance.words)
    if line.hesitation:
        words = hesitate(words, rng, hums)
    if line.broken and len(words) > 1 and rng.random() < line.broken:
        words = break_carrier(words, rng)
    return misrecognise(words, rng, line.error_rate)


def _split(words: list[Word], line: Line, rng: Random) -> list[list[Word]]:
    points = split_points(words)
    if len(words) >= 5 and points and rng.random() < line.pauses:
        at = rng.choice(points)
        return [words[:at], words[at:]]
    return [words] if words else []


def converse(call: Call, agent: Agent, line: Line, rng: Random, *, max_turns: int = 34) -> Call:
    """Play `call` to its end. The agent's thoughts inside a turn are asked of it when it offers `peek`."""
    utterance = call.caller.greet()
    heard_text = ""
    for _ in range(max_turns):
        words = _on_the_line(utterance, line, rng, call.caller.wordings.pieces["hum"])
        segments = _split(words, line, rng)
        if not segments and utterance.words and rng.random() < 0.5:
            segments = [[Word(rng.choice(("the", "a", "and", "uh")))]]
        call.expected(utterance.act)
        _caller_turn(call, agent, segments, line, rng)
        action = agent.hear(segments)
        action = _act(call, agent, action, line, rng)
        if action.bye:
            call.ended = True
            break
        if action.kind == "silence":
            call.caller.pending = call.caller.pending or call.caller.last
            late = rng.random() < 0.1
            utterance = Utterance((), "more") if late else call.caller.answer(heard_text)
            continue
        heard_text = action.text
        cut = _cut(call, action, line, rng)
        if cut is not None:
            heard_text = cut
            if isinstance(agent, Teacher) and not set(_values(action.text)) <= set(_values(cut)):
                agent.cut(cut)
        ended = utterance.ends
        utterance = call.caller.answer(heard_text, cut=cut is not None)
        if ended and utterance.act == "bye" and call.caller.done:
            continue
    return call


def _values(text: str) -> list[str]:
    words = text.replace(",", " ").replace(".", " ").replace("?", " ").split()
    return [word for word in words if word not in {"is", "that", "right"}]


def _caller_turn(call: Call, agent: Agent, segments: list[list[Word]], line: Line, rng: Random) -> None:
    observed = Weights(OBSERVED, OBSERVED_WORDS, OBSERVED)
    before: list[Word] = []
    for words in segments:
        points = split_points(words)
        if isinstance(agent, Teacher) and len(words) >= 4 and points and rng.random() < line.thoughts:
            at = rng.choice(points)
            call.add(Segment(Role.HEARD, text_of(words[:at])), observed)
            thought = agent.peek(understand(before + words[:at], call.situation.today))
            call.add(Segment(Role.THINK, thought), Weights(OBSERVED, 1.0))
            call.add(Segment(Role.HEARD, text_of(words[at:])), observed)
        else:
            call.add(Segment(Role.HEARD, text_of(words)), observed)
        before += words
    call.add(Segment(Role.TURN), observed)


def _act(call: Call, agent: Agent, action: Action, line: Line, rng: Random) -> Action:
    """Write the agent's turn down, running its calls, until it says something or stays silent."""
    for _ in range(4):
        if action.note is not None:
            call.add(Segment(Role.THINK, action.note), Weights(1.0, 0.0 if action.slipped else action.weight))
        learned = 0.0 if action.stumbled else action.weight
        call.add(Segment(Role.EXPECT, action.expect or action.guess), Weights(1.0, 0.5 * learned))
        if action.kind != "call":
            break
        spoken = " ".join([action.tool, *(f"{key} {value}" for key, value in action.arguments.items())])
        call.add(Segment(Role.CALL, spoken, Role.END), Weights(learned, learned, learned))
        if action.tool != "find_slots" and _written(action) not in call.caller.agreed:
            call.early_write = True
        if rng.random() < (line.fillers if action.tool == "find_slots" else 0.2):
            call.add(Segment(Role.FILLER, rng.choice(_FILLERS), Role.END), Weights(OBSERVED, 0.5, 1.0))
        result = call.calendar.run(action.tool, action.arguments)
        call.expected("slots" if action.tool == "find_slots" and result != "none" else result)
        call.add(Segment(Role.RESULT, result), Weights(OBSERVED, OBSERVED_WORDS))
        if result in {"taken", "not found"}:
            call.caller.done = False
        action = agent.returned(action.tool, action.arguments, result)
    if action.kind == "silence":
        call.expected("more")
        call.add(Segment(Role.SILENCE), Weights(learned))
    elif action.bye:
        call.expected("bye")
        call.add(Segment(Role.SAY, action.text, Role.BYE), Weights(learned, learned, learned))
    else:
        call.add(Segment(Role.SAY, action.text, Role.END), Weights(learned, learned, learned))
    return action


def _written(action: Action) -> tuple[str, str, str, str]:
    """What a write would enter, in the form in which a caller remembers an agreement."""
    kind = "book" if action.tool == "book" else "cancel"
    found = action.arguments
    return kind, found.get("day", ""), found.get("time", ""), found.get("name", "")


def _cut(call: Call, action: Action, line: Line, rng: Random) -> str | None:
    """The part that was heard when the caller breaks in, else None. The question must be in the heard part, or clear
    from it, for the caller to have something to say; restless callers also break off a confirmation."""
    words = action.text.split()
    restless, sentences = call.caller.restless, action.text.split(". ", 2)
    settled = action.text.startswith(SETTLED) and len(sentences) == 3  # a model learns slowly how many there are
    if restless > 1 and settled and rng.random() < BROKEN_OFF * (restless - 1):
        opening, done, _ = sentences
        # "all right." alone could be the opening of anything
        least = len(opening.split()) + (opening == "all right")
        most = len(f"{opening} {done}".split())
        prefix = " ".join(words[: least if rng.random() < 0.5 else rng.randint(least, most)])
        call.segments[-1] = Segment(Role.SAY, prefix, Role.CUT)
        call.weights[-1] = replace(call.weights[-1], close=0.0)
        return prefix
    if rng.random() >= line.cuts:
        return None
    for _ in range(4):
        prefix = " ".join(words[: rng.randrange(1, max(2, len(words)))])
        if question_in(prefix) == question_in(action.text) or (
            question_in(action.text) == "readback" and f" for {call.caller.goal.name}," in prefix
        ):
            call.segments[-1] = Segment(Role.SAY, prefix, Role.CUT)
            call.weights[-1] = replace(call.weights[-1], close=0.0)
            return prefix
    return None


def expert_call(
    rng: Random,
    *,
    wordings: Wordings = TRAINED,
    line: Line | None = None,
    slip_rate: float = 0.0,
    stumble_rate: float = 0.0,
    restless: float = 1.0,
) -> Call:
    """A whole call answered by the expert. Without `line`, one is drawn: 0-20 % word errors, a third broken."""
    call = new_call(rng, wordings, restless=restless)
    if line is None:
        noisy = 0.0 if rng.random() < 0.35 else rng.uniform(0.0, 0.2)
        line = Line(noisy, broken=1 / 3)
    return converse(call, Expert(call.situation, rng, slip_rate, stumble_rate), line, rng)
