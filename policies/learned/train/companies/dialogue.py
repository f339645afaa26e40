"""One simulated call to a company as a stream with loss weights.

The agent is the expert while data is made and the model while it is judged; both go through `converse`, as at the front
desk (`policies.learned.train.dialogue`, whose `Line` and `Weights` these are). This file knows the order of segments in
a call and which of them are learned with which weight; it knows neither tokens nor tensors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from policies.learned.train.companies.case import FORBIDDEN, Case, good_enough, random_case
from policies.learned.train.companies.expert import Expert
from policies.learned.train.companies.rep import Rep, Utterance
from policies.learned.train.companies.spoken_rep import understand
from policies.learned.train.companies.wordings import TRAINED, RepWordings
from policies.learned.train.dialogue import Line
from policies.learned.train.expert import Action
from policies.learned.train.noise import break_carrier, hesitate, misrecognise, split_points
from policies.learned.train.spoken_caller import Word, text_of
from policies.learned.train.weighted import OBSERVED, OBSERVED_WORDS, WeightedCall, Weights
from policies.trajectory import Role, Segment

__all__ = ["Agent", "Call", "converse", "expert_call", "new_call"]

_FILLERS = ("one moment.", "let me look.", "just a second.", "let me see.", "one second, please.", "i am looking.")


class Agent(Protocol):
    """Who makes the calls. The model reads the stream, the expert the meaning that survived in the words."""

    def hear(self, words: list[Word]) -> Action: ...

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action: ...


@dataclass(slots=True)
class ExpertAgent:
    """The expert behind the `Agent` port."""

    expert: Expert

    def hear(self, words: list[Word]) -> Action:
        return self.expert.turn(understand(words))

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        return self.expert.returned(tool, arguments, result)


@dataclass(slots=True)
class Call(WeightedCall):
    """A call in progress or over."""

    case: Case
    rep: Rep
    ended: bool = False

    @property
    def failure(self) -> str:
        """Why the call failed, empty where it did not: reported must be, once and last, what was really settled."""
        rep, case = self.rep, self.case
        looked = [segment.text for segment in self.segments if segment.role is Role.CALL]
        if any(text.endswith(f" {item}") for text in looked for item in FORBIDDEN):
            return "forbidden looked up"
        if rep.agreed is not None and not good_enough(rep.agreed, case.accept):
            return "bad offer taken"
        if rep.confirmed_wrong or rep.wrong_values:
            return "wrong value"
        if not self.ended:
            return "no end"
        if len(case.reports) != 1:
            return "no report" if not case.reports else "reported twice"
        if case.reports[0].get("outcome") != rep.outcome:
            return "wrong outcome"
        settled = {"offer": rep.agreed[0], "term": rep.agreed[1]} if rep.agreed else {}
        if {key: value for key, value in case.reports[0].items() if key != "outcome"} != settled:
            return "wrong terms"
        return ""

    @property
    def success(self) -> bool:
        """The right outcome was reported and nothing was done that may not be done."""
        return not self.failure


def new_call(rng: Random, wordings: RepWordings = TRAINED, *, restless: float = 1.0) -> Call:
    """A card and a representative who will speak first."""
    case = random_case(rng, wordings)
    call = Call(case, Rep(case, wordings, rng, restless))
    call.add(case.card(), Weights(0, 0, 0))
    return call


def converse(call: Call, agent: Agent, line: Line, rng: Random, *, max_turns: int = 24) -> Call:
    """Play `call` to its end."""
    utterance = call.rep.greet()
    for _ in range(max_turns):
        words = _on_the_line(utterance, line, rng, call.rep.wordings.pieces["hum"])
        call.expected(utterance.label)
        _rep_turn(call, agent, words, line, rng)
        action = _act(call, agent, agent.hear(words), line, rng)
        if action.bye:
            call.ended = True
            break
        if action.kind == "silence":
            utterance = Utterance((), "hold") if rng.random() < 0.04 else call.rep.answer("")
            continue
        heard = _cut(call, action, line, rng)
        utterance = call.rep.answer(action.text if heard is None else heard, cut=heard is not None)
    return call


def _on_the_line(utterance: Utterance, line: Line, rng: Random, hums: tuple[str, ...]) -> list[Word]:
    words: list[Word] = list(utterance.words)
    if line.hesitation:
        words = hesitate(words, rng, hums)
    if line.broken and len(words) > 1 and rng.random() < line.broken:
        words = break_carrier(words, rng)
    return misrecognise(words, rng, line.error_rate)


def _rep_turn(call: Call, agent: Agent, words: list[Word], line: Line, rng: Random) -> None:
    """Write the turn down: in one or two segments of speech, sometimes with a thought between them."""
    observed = Weights(OBSERVED, OBSERVED_WORDS, OBSERVED)
    points = split_points(words) if len(words) >= 4 else []
    thinks = isinstance(agent, ExpertAgent) and rng.random() < line.thoughts
    if points and (thinks or rng.random() < line.pauses):
        at = rng.choice(points)
        call.add(Segment(Role.HEARD, text_of(words[:at])), observed)
        if thinks and isinstance(agent, ExpertAgent):
            call.add(Segment(Role.THINK, agent.expert.peek(understand(words[:at]))), Weights(OBSERVED, 1.0))
        call.add(Segment(Role.HEARD, text_of(words[at:])), observed)
    elif words:
        call.add(Segment(Role.HEARD, text_of(words)), observed)
    call.add(Segment(Role.TURN), observed)


def _act(call: Call, agent: Agent, action: Action, line: Line, rng: Random) -> Action:
    """Write the agent's turn down, running its calls, until it says something or stays silent."""
    for _ in range(4):
        learned = 0.0 if action.stumbled else action.weight
        if action.note is not None:
            call.add(Segment(Role.THINK, action.note), Weights(1.0, 0.0 if action.slipped else action.weight))
        own = bool(action.expect)
        call.add(Segment(Role.EXPECT, action.expect or action.guess), Weights(1.0, (1.0 if own else 0.5) * learned))
        if own:
            call.expected(action.expect)
        if action.kind != "call":
            break
        spoken = " ".join([action.tool, *(f"{key} {value}" for key, value in action.arguments.items())])
        call.add(Segment(Role.CALL, spoken, Role.END), Weights(learned, learned, learned))
        if action.tool == "look_up" and rng.random() < line.fillers:
            call.add(Segment(Role.FILLER, rng.choice(_FILLERS), Role.END), Weights(OBSERVED, 0.5, 1.0))
        result = call.case.run(action.tool, action.arguments)
        call.expected("ok" if action.tool == "report" else "value" if result != "not on file" else "other")
        call.add(Segment(Role.RESULT, result), Weights(OBSERVED, OBSERVED_WORDS))
        action = agent.returned(action.tool, action.arguments, result)
    if action.kind == "silence":
        call.add(Segment(Role.SILENCE), Weights(learned))
    elif action.bye:
        call.expected("bye")
        call.add(Segment(Role.SAY, action.text, Role.BYE), Weights(learned, learned, learned))
    else:
        call.add(Segment(Role.SAY, action.text, Role.END), Weights(learned, learned, learned))
    return action


def _cut(call: Call, action: Action, line: Line, rng: Random) -> str | None:
    """The part that was heard when the representative breaks in, else None."""
    words = action.text.split()
    if len(words) < 2 or rng.random() >= line.cuts:
        return None
    prefix = " ".join(words[: rng.randrange(1, len(words))])
    call.segments[-1] = Segment(Role.SAY, prefix, Role.CUT)
    call.weights[-1] = replace(call.weights[-1], close=0.0)
    return prefix


def expert_call(
    rng: Random,
    *,
    wordings: RepWordings = TRAINED,
    line: Line | None = None,
    slip_rate: float = 0.0,
    stumble_rate: float = 0.0,
    restless: float = 1.0,
) -> Call:
    """A whole call made by the expert. Without `line`, one is drawn: 0-20 % word errors, a third broken."""
    call = new_call(rng, wordings, restless=restless)
    if line is None:
        line = Line(0.0 if rng.random() < 0.35 else rng.uniform(0.0, 0.2), broken=1 / 3)
    return converse(call, ExpertAgent(Expert(call.case, rng, slip_rate, stumble_rate)), line, rng)
