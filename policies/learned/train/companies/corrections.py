"""The model's own calls to companies, corrected turn by turn; see `policies.learned.train.corrections`.

The expert here always takes over where the model goes wrong: a wrong look-up or report cannot be taken back, so there
is no state of the expert that would follow from it. The turns that it takes over count more than the others.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel, CoreModelError
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.companies.dialogue import Call, converse, new_call
from policies.learned.train.companies.evaluate import NOTE_FIELDS, ModelAgent
from policies.learned.train.companies.expert import Expert
from policies.learned.train.companies.spoken_rep import understand
from policies.learned.train.corrections import RIGHT, WRONG
from policies.learned.train.dialogue import Line
from policies.learned.train.expert import Action
from policies.learned.train.spoken_caller import Word
from policies.notes import read_note

__all__ = ["Coached", "coached_call"]


@dataclass(slots=True)
class Coached:
    """The model in the loop with an expert at its side; fits `dialogue.Agent`. `mistakes` counts corrected turns."""

    model: ModelAgent
    expert: Expert
    mistakes: int = 0

    def hear(self, words: list[Word]) -> Action:
        """One turn after the representative's."""
        wanted = self.expert.turn(understand(words))
        return self._settle(wanted, self.model.hear(words))

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        """The turn goes on after a result."""
        wanted = self.expert.returned(tool, arguments, result)
        return self._settle(wanted, self.model.returned(tool, arguments, result))

    def _settle(self, wanted: Action, done: Action) -> Action:
        if _meaning(wanted) == _meaning(done):
            return replace(wanted, weight=RIGHT, guess=done.expect)
        self.mistakes += 1
        if wanted.note is not None:
            self.model.note = read_note(wanted.note, NOTE_FIELDS) or {}
        return replace(wanted, weight=WRONG, guess=done.expect)


def _meaning(action: Action) -> tuple[object, ...]:
    return action.kind, action.note, action.tool, action.arguments, action.bye, action.text


def coached_call(
    model: CoreModel, tokenizer: Tokenizer, rng: Random, *, lexicon: Lexicon | None = None, restless: float = 1.0
) -> tuple[Call, int]:
    """A call with the model in the loop, and how many of its turns were mistakes. Its segments carry loss weights."""
    call = new_call(rng, restless=restless)
    line = Line(0.0 if rng.random() < 0.35 else rng.uniform(0.0, 0.2), broken=1 / 3)
    agent = Coached(ModelAgent(model, tokenizer, call, True, lexicon), Expert(call.case, rng))
    with suppress(CoreModelError):  # it outgrew the model's positions; what stands is still of use
        converse(call, agent, line, rng)
    return call, agent.mistakes
