"""Closed-loop calls in text: how often does the model settle a case and report it, with a representative never met?

    python -m policies.learned.train.companies.evaluate --model runs/companies --calls 200
    python -m policies.learned.train.companies.evaluate --expert --calls 1000

Success: reported was what the representative really settled, nothing was taken that may not be, nothing forbidden was
looked up, and no wrong value was told. Shown with and without the grammar; ``--expert`` shows the ceiling, the length
of its calls and the variety of what the representative says.
"""

from __future__ import annotations

import argparse
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from random import Random

from policies.learned.core.decode import decode_turn
from policies.learned.core.grammar import GrammarLimits, TurnGrammar
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel, CoreModelError
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.companies.case import FILE_ITEMS, FORBIDDEN, OFFERS, OUTCOMES, TASKS, TERMS
from policies.learned.train.companies.dialogue import Call, converse, expert_call, new_call
from policies.learned.train.companies.heldout import HELDOUT
from policies.learned.train.companies.wordings import TRAINED, RepWordings
from policies.learned.train.dialogue import Line
from policies.learned.train.expert import Action
from policies.learned.train.reading import Reader
from policies.learned.train.spoken_caller import Word
from policies.shapes import NoteField, Parameter, ToolShape
from policies.trajectory import Role

__all__ = ["LIMITS", "NOTE_FIELDS", "TOOLS", "ModelAgent", "Outcome", "main", "play"]

NOTE_FIELDS = (
    NoteField("task", "choice", tuple(TASKS)),
    NoteField("asked", "choice", (*FILE_ITEMS, *FORBIDDEN)),
    NoteField("offer", "choice", OFFERS),
    NoteField("term", "choice", TERMS),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
TOOLS = (
    ToolShape("look_up", (Parameter("item", "choice", FILE_ITEMS),), "read"),
    ToolShape(
        "report",
        (
            Parameter("outcome", "choice", OUTCOMES),
            Parameter("offer", "choice", OFFERS, required=False),
            Parameter("term", "choice", TERMS, required=False),
        ),
        "write",
    ),
)
LIMITS = GrammarLimits(expect_tokens=10)
"""An expected item has three words, up to 8 tokens in a vocabulary that was not learned on them."""
_KEYS = frozenset({"item", "outcome", "offer", "term"})
_TOOL_NAMES = frozenset(tool.name for tool in TOOLS)
_CONDITIONS = (("trained", TRAINED, 0.0), ("unseen", HELDOUT, 0.0), ("unseen", HELDOUT, 0.1))


@dataclass(slots=True)
class ModelAgent:
    """The model behind the `Agent` port of `dialogue`. It reads the stream of `call` and nothing else.

    `guarded`: decode under the grammar; what was looked up may be said, and a report is made once.
    """

    model: CoreModel
    tokenizer: Tokenizer
    call: Call
    guarded: bool
    lexicon: Lexicon | None = None
    reader: Reader = field(init=False)
    note: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.reader = Reader(self.model, self.tokenizer)

    def hear(self, words: list[Word]) -> Action:
        """One turn after the representative's."""
        return self._turn(after_result=False)

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        """The turn goes on after a result."""
        return self._turn(after_result=True)

    def _turn(self, *, after_result: bool) -> Action:
        logits = self.reader.sync(self.call.segments)
        if not self.guarded:
            return self.reader.free_turn(after_result=after_result, tools=_TOOL_NAMES, keys=_KEYS)
        grammar = TurnGrammar(
            self.tokenizer,
            NOTE_FIELDS,
            TOOLS,
            known=self.note,
            after_result=after_result,
            blocked_tools={"report"} if self.call.case.reports else set(),
            lexicon=self.lexicon,
            sayable=self._sayable(),
            limits=LIMITS,
        )
        list(decode_turn(self.model, self.reader.cache, grammar, logits))
        if not after_result:
            self.note = grammar.note
        note = None if after_result else " ".join(grammar.note.get(item.name, "-") for item in NOTE_FIELDS)
        if grammar.action is Role.CALL:
            return Action("call", note=note, tool=grammar.tool, arguments=grammar.arguments, expect=grammar.expect)
        if grammar.action is Role.SILENCE or not grammar.said:
            return Action("silence", note=note, expect=grammar.expect)
        return Action("say", grammar.said, note, bye=grammar.action is Role.BYE, expect=grammar.expect)

    def _sayable(self) -> list[str]:
        """What may be said beside the lexicon: the card and what was looked up."""
        return [item.text for item in self.call.segments if item.role in (Role.CARD, Role.RESULT)]


@dataclass(slots=True)
class Outcome:
    """Calls played, calls that succeeded, why the others failed, and how often a hint's item was looked up first."""

    calls: int = 0
    successes: int = 0
    hinted: int = 0
    prepared: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    failed: list[Call] = field(default_factory=list)

    def add(self, call: Call) -> None:
        """Count one finished call."""
        self.calls += 1
        self.successes += call.success
        if call.case.hinted in call.case.on_file:
            self.hinted += 1
            first = next((item for item in call.segments if item.role in (Role.CALL, Role.SAY)), None)
            self.prepared += first is not None and first.text == f"look_up item {call.case.hinted}"
        if not call.success:
            self.failures[call.failure] += 1
            self.failed.append(call)

    def line(self, title: str) -> str:
        """One line of the table."""
        share = self.successes / max(1, self.calls)
        return (
            f"{title:34s} success {self.successes}/{self.calls} = {share:.3f}, prepared {self.prepared}/{self.hinted}, "
            f"failures {dict(self.failures)}"
        )


def play(
    model: CoreModel,
    tokenizer: Tokenizer,
    wordings: RepWordings,
    line: Line,
    *,
    guarded: bool,
    lexicon: Lexicon | None = None,
    calls: int = 100,
    seed: int = 1,
) -> Outcome:
    """Play `calls` calls of the model to representatives of `wordings` over `line`."""
    outcome = Outcome()
    for index in range(calls):
        rng = Random(seed * 100_003 + index)
        call = new_call(rng, wordings)
        with suppress(CoreModelError):  # a call that outgrows the model's positions is one that never ended
            converse(call, ModelAgent(model, tokenizer, call, guarded, lexicon), line, rng)
        outcome.add(call)
    return outcome


def play_expert(wordings: RepWordings, line: Line, *, calls: int, seed: int) -> tuple[Outcome, list[Call]]:
    """The same with the expert, and its calls."""
    outcome = Outcome()
    played = [expert_call(Random(seed * 100_003 + index), wordings=wordings, line=line) for index in range(calls)]
    for call in played:
        outcome.add(call)
    return outcome, played


def distinct_pairs(calls: list[Call]) -> float:
    """Distinct-2: different pairs of neighbouring words over all pairs, in what was heard."""
    pairs: list[tuple[str, str]] = []
    for call in calls:
        for segment in call.segments:
            words = segment.text.split() if segment.role is Role.HEARD else []
            pairs += pairwise(words)
    return len(set(pairs)) / max(1, len(pairs))


def main(arguments: list[str] | None = None) -> None:
    """The command line: a table of success rates."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.companies.evaluate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", default="", help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("--expert", action="store_true", help="play the expert instead of a model")
    parser.add_argument("--calls", type=int, default=100, help="calls per cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="run only the cells whose name contains this")
    parser.add_argument("--show", type=int, default=0, help="print this many failed calls per cell")
    options = parser.parse_args(arguments)
    if options.expert == bool(options.model):
        parser.error("give either --model FOLDER or --expert")
    if not options.expert:
        model, tokenizer = CoreModel.load(Path(options.model)), Tokenizer.load(options.model)
        words = Path(options.model) / "lexicon.txt"
        lexicon = Lexicon(tokenizer, words.read_text("utf-8").split()) if words.exists() else None
    for name, wordings, rate in _CONDITIONS:
        for guarded in (True,) if options.expert else (False, True):
            title = f"{name}, {rate:.0%} errors, {'expert' if options.expert else 'guarded' if guarded else 'bare'}"
            if options.only not in title:
                continue
            if options.expert:
                outcome, played = play_expert(wordings, Line(rate), calls=options.calls, seed=options.seed)
                title += f", distinct-2 {distinct_pairs(played):.3f}"
            else:
                outcome = play(
                    model, tokenizer, wordings, Line(rate), guarded=guarded, lexicon=lexicon,
                    calls=options.calls, seed=options.seed,
                )  # fmt: skip
            print(outcome.line(title), flush=True)
            for call in outcome.failed[: options.show]:
                print(f"{call.failure}: settled {call.rep.outcome} {call.rep.agreed}, reported {call.case.reports}")
                print(call.trajectory().text().replace("<think>", "\n<think>").replace("<heard>", "\n<heard>"))


if __name__ == "__main__":
    main()
