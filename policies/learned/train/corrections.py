"""Closed-loop corrections: the model plays, an expert at its side writes what it should have done (DAgger).

An expert's own calls never go astray, so a model that learns from them alone has never seen the way back from its own
mistakes: one wrong name or one "unclear" is copied on for the rest of the call. Here the model is in the loop under the
runtime's guards. Where it does what the expert would do, the turn counts a little; where it does not, the expert's turn
stands in the stream and counts more, or, now and then, the mistake is carried out, counts nothing, and the expert goes
on from the state that it made (Ross et al. 2011, DAgger; the mixing of Laskey et al. 2017). It knows calls and agents,
no tensors.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel, CoreModelError
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.dialogue import Call, Line, converse, new_call
from policies.learned.train.evaluate import NOTE_FIELDS, ModelAgent
from policies.learned.train.expert import Action, Expert
from policies.learned.train.questions import question_in
from policies.learned.train.spoken_caller import DAYS, PARTS, Understood, Word, parse_times, understand
from policies.learned.train.wordings import TRAINED, Wordings
from policies.notes import UNKNOWN, read_note

__all__ = ["Coached", "coached_call", "same"]

CARRIED_OUT = 0.5
"""Share of the model's mistakes that are carried out; the others give way to the expert's turn. A guess."""
RIGHT, WRONG = 0.5, 3.0
"""Weights of turns that the model gets right and wrong: on-policy turns are mostly right ones, and learned already."""
MOST_TURNS = 18
"""A loop teaches what it has to teach in its first turns."""

_ANSWERS = (
    "we are open", "i can only", "i find no", "was just taken", "is full", "still there", "you are booked",
    "is cancelled",
)  # fmt: skip


def same(left: Action, right: Action) -> bool:
    """Whether two turns mean the same, whatever their wording."""
    if (left.kind, left.note, left.tool, left.arguments, left.bye) != (
        right.kind,
        right.note,
        right.tool,
        right.arguments,
        right.bye,
    ):
        return False
    return left.kind != "say" or _meaning(left.text) == _meaning(right.text)


def _meaning(text: str) -> tuple[object, ...]:
    values = [word for word in text.replace(",", " ").replace(".", " ").split() if word in (*DAYS, *PARTS)]
    return (
        question_in(text),
        tuple(dict.fromkeys(values)),
        tuple(dict.fromkeys(parse_times(text))),
        tuple(key in text for key in _ANSWERS),
    )


@dataclass(slots=True)
class Coached:
    """The model in the loop with an expert at its side; fits `dialogue.Teacher`. `mistakes` counts corrected turns."""

    model: ModelAgent
    expert: Expert
    rng: Random
    mistakes: int = 0

    def hear(self, segments: list[list[Word]]) -> Action:
        """One turn after the caller's."""
        heard = understand([word for words in segments for word in words], self.expert.situation.today)
        if "yes" in heard.acts and self.model.guarded and self.model.verdict() != "yes":
            heard.acts.discard("yes")  # the rule hears no plain yes, so the right turn is to ask again
        return self._settle(self.expert.turn(heard), self.model.hear(segments))

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        """The turn goes on after a result."""
        wanted = self.expert.returned(tool, arguments, result)
        return self._settle(wanted, self.model.returned(tool, arguments, result))

    def peek(self, heard: Understood) -> str:
        """The expert's note in the middle of a turn."""
        return self.expert.peek(heard)

    def cut(self, heard: str) -> None:
        """The last utterance was cut after `heard`, before its values were out."""
        self.expert.cut(heard)

    def _settle(self, wanted: Action, done: Action) -> Action:
        if same(wanted, done):
            return replace(wanted, weight=RIGHT, guess=done.expect)
        self.mistakes += 1
        if done.kind == "silence" or done.bye or self.rng.random() >= CARRIED_OUT or not self._follow(done):
            self.model.note = read_note(wanted.note, NOTE_FIELDS) or {} if wanted.note is not None else self.model.note
            return replace(wanted, weight=WRONG, guess=done.expect)
        right_note = wanted.note is not None and wanted.note == done.note
        return replace(done, slipped=not right_note, stumbled=True, expect="", guess=done.expect)

    def _follow(self, done: Action) -> bool:
        """Put the expert into the state that the model's turn made; False where that state makes no sense."""
        expert = self.expert
        if done.kind == "call" and done.tool != "find_slots":
            return False
        question = question_in(done.text) if done.kind == "say" else expert.question
        if question in {"bye", "there", "missing"} or not (question or done.kind == "call"):
            return False
        if question in {"offer", "single"} and not expert.offered:
            return False
        if done.note is not None:
            note = read_note(done.note, NOTE_FIELDS)
            if note is None:
                return False
            values = {name: None if value == UNKNOWN else value for name, value in note.items()}
            if values["day"] != expert.looked_up[0] or values["part"] != expert.looked_up[1]:
                expert.offered = None
            if values["intent"] in {"book", "cancel", "none"}:
                expert.goal = values["intent"]
            expert.day, expert.part = values["day"], values["part"]
            expert.time, expert.name = values["time"], values["name"]
        expert.question, expert.asked, expert.vetoed = question, 1, False
        return True


def coached_call(
    model: CoreModel,
    tokenizer: Tokenizer,
    rng: Random,
    *,
    lexicon: Lexicon | None = None,
    wordings: Wordings = TRAINED,
    restless: float = 1.0,
    guarded: bool = True,
) -> tuple[Call, int]:
    """A call with the model in the loop, and how many of its turns were mistakes. Its segments carry loss weights."""
    call = new_call(rng, wordings, restless=restless)
    line = Line(0.0 if rng.random() < 0.35 else rng.uniform(0.0, 0.2), broken=1 / 3)
    pupil = ModelAgent(model, tokenizer, call, guarded, lexicon, repairs=False)
    agent = Coached(pupil, Expert(call.situation, rng), Random(rng.random()))
    with suppress(CoreModelError):  # it outgrew the model's positions; what stands is still of use
        converse(call, agent, line, rng, max_turns=MOST_TURNS)
    return call, agent.mistakes
