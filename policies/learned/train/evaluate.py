"""Closed-loop calls in text: how often does the model reach the caller's goal, on wordings it never saw?

    python -m policies.learned.train.evaluate --model policies/learned/core/weights/boxed --calls 200

Success: the calendar holds what the caller agreed to and nothing else, and nothing was written before that yes. Shown
with and without the grammar and write gate, on trained, held-out and second-hand wordings, clean and noisy. The
forward pass is the numpy one of the base install and the weights are the stored half-precision ones.
"""

from __future__ import annotations

import argparse
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from policies import tool_gate
from policies.agreement import Answer, answer
from policies.learned.core.decode import decode_turn
from policies.learned.core.grammar import TurnGrammar
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel, CoreModelError
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.core.values import Values
from policies.learned.train.dialogue import Call, Line, converse, new_call
from policies.learned.train.expert import Action
from policies.learned.train.heldout import HELDOUT
from policies.learned.train.reading import Reader
from policies.learned.train.secondhand import SECOND_HAND
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, Word
from policies.learned.train.wordings import TRAINED, Wordings
from policies.notes import UNKNOWN, read_note
from policies.repair import NO_MISSES, Misses, Repair, counted, repair
from policies.shapes import NoteField, Parameter, ToolShape
from policies.trajectory import Role
from policies.turn_rules import turn_rules

__all__ = ["NOTE_FIELDS", "TOOLS", "Failure", "ModelAgent", "Outcome", "failure_of", "main", "play"]

NOTE_FIELDS = (
    NoteField("intent", "choice", ("none", "book", "cancel", "hours", "other")),
    NoteField("day", "choice", DAYS),
    NoteField("part", "choice", PARTS),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
TOOLS = (
    ToolShape(
        "find_slots", (Parameter("day", "choice", DAYS), Parameter("part", "choice", PARTS, required=False)), "read"
    ),
    ToolShape(
        "book",
        (Parameter("day", "choice", DAYS), Parameter("time", "time"), Parameter("name", "heard")),
        "write",
        confirm=True,
    ),
    ToolShape("cancel_booking", (Parameter("day", "choice", DAYS), Parameter("name", "heard")), "write", confirm=True),
)
_KEYS = frozenset({"day", "part", "time", "name"})
_TOOL_NAMES = frozenset(tool.name for tool in TOOLS)
_WRITES = frozenset(tool.name for tool in TOOLS if tool.effect == "write")


@dataclass(slots=True)
class ModelAgent:
    """The model behind the `Agent` port of `dialogue`. It reads the words in the stream of `call`, nothing else.

    `guarded`: decode under the grammar, note a yes only where the words agree by rule (`policies.agreement`), let no
    write through without a read-back and a noted yes, and ask in another way where the same question was answered in
    vain (`policies.repair`); the runtime does the same.
    """

    model: CoreModel
    tokenizer: Tokenizer
    call: Call
    guarded: bool
    lexicon: Lexicon | None = None
    reader: Reader = field(init=False)
    note: dict[str, str] = field(default_factory=dict)
    offered: tuple[str, ...] = ()
    repairs: bool = True
    """Ask in another way after two misses, where guarded; off where an expert says what should have been said."""
    misses: Misses = NO_MISSES

    def __post_init__(self) -> None:
        self.reader = Reader(self.model, self.tokenizer)

    def hear(self, segments: list[list[Word]]) -> Action:
        """One turn after the caller's."""
        return self._turn(after_result=False)

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        """The turn goes on after a result."""
        if tool == "find_slots":
            self.offered = tuple(_times(result))
        elif result == "taken":
            self.offered = tuple(time for time in self.offered if time != arguments.get("time"))
        else:
            self.offered = ()
        return self._turn(after_result=True)

    def _turn(self, *, after_result: bool) -> Action:
        logits = self.reader.sync(self.call.segments)
        if not self.guarded:
            return self.reader.free_turn(after_result=after_result, tools=_TOOL_NAMES, keys=_KEYS)
        start, before = self.reader.cache.length, " ".join(self.note.values())
        grammar = self._grammar(after_result, frozenset())
        list(decode_turn(self.model, self.reader.cache, grammar, logits))
        if grammar.action is Role.CALL and grammar.tool in _WRITES and not self._agreed(grammar):
            self.reader.cache.truncate(start)
            grammar = self._grammar(after_result, _WRITES)
            list(decode_turn(self.model, self.reader.cache, grammar, logits))
        if not after_result:
            self.note = grammar.note
        note = None if after_result else " ".join(grammar.note[item.name] for item in NOTE_FIELDS)
        if note is not None and self.repairs and (found := self._repair(before, note)) is not None:
            return Action("say", found.text, note, expect=found.expects)
        if grammar.action is Role.CALL:
            return Action("call", note=note, tool=grammar.tool, arguments=grammar.arguments, expect=grammar.expect)
        if grammar.action is Role.SILENCE:
            return Action("silence", note=note, expect=grammar.expect)
        return Action("say", grammar.said, note, bye=grammar.action is Role.BYE, expect=grammar.expect)

    def _repair(self, before: str, note: str) -> Repair | None:
        """The other way to ask where the same question was answered in vain, as the runtime's mind does it."""
        self.misses = counted(self.misses, self.last_said, before, note, NOTE_FIELDS)
        found = repair(self.misses, self.last_said, NOTE_FIELDS)
        if found is not None:
            self.misses = found.misses
        return found

    def _agreed(self, grammar: TurnGrammar) -> bool:
        """Whether the write gate of the runtime lets the call through: a heard read-back of it, and a yes."""
        shape = next(tool for tool in TOOLS if tool.name == grammar.tool)
        asked = (tool_gate.Heard(self.last_said, self.last_said),) if self.last_said else ()
        gate = tool_gate.decide(
            shape, grammar.arguments, committed=True, asked=asked, answer=self.last_heard, others=TOOLS
        )
        return gate.allowed

    def _grammar(self, after_result: bool, blocked: frozenset[str]) -> TurnGrammar:
        turns = [item.text for item in self.call.segments if item.role is Role.HEARD]
        rules = turn_rules(
            NOTE_FIELDS,
            said=self.last_said,
            heard=self.last_heard,
            lately=turns[-4:],
            known=self.note,
            offered=self.offered,
            after_result=after_result,
        )
        return TurnGrammar(
            self.tokenizer,
            rules.notes,
            TOOLS,
            values=Values(rules, TOOLS, offered=self.offered, known=self.note),
            silence=rules.silence,
            bye=rules.bye,
            known=self.note,
            after_result=after_result,
            blocked_tools=blocked,
            lexicon=self.lexicon,
            sayable=self._sayable(),
            once=rules.once,
        )

    @property
    def last_heard(self) -> str:
        """The caller's last turn."""
        turn: list[str] = []
        for item in reversed(self.call.segments):
            if item.role in (Role.SAY, Role.SILENCE):
                break
            if item.role is Role.HEARD:
                turn.insert(0, item.text)
        return " ".join(turn)

    @property
    def last_said(self) -> str:
        """What the agent said last."""
        return next((item.text for item in reversed(self.call.segments) if item.role is Role.SAY), "")

    def verdict(self) -> Answer:
        """What the rule makes of the caller's last turn."""
        return answer(self.last_heard, " ".join(self.note.values()))

    def _sayable(self) -> list[str]:
        """What may be said beside the lexicon: the card, the times on offer, and hours the caller named."""
        said = self.call.segments[0].text, *self.offered
        last = [item.text for item in self.call.segments[-6:] if item.role in (Role.HEARD, Role.RESULT)]
        return [*said, *(word for text in last for word in text.split() if word in TIMES)]


def _times(result: str) -> list[str]:
    times: list[str] = []
    for word in result.split():
        if word == "thirty" and times:
            times[-1] += " thirty"
        elif word != "none":
            times.append(word)
    return times


Failure = Literal["premature write", "wrong slot", "broken promise", "gave up", "loop", "misheard"]
"""What went wrong in a call that missed its goal; see `failure_of`."""


def failure_of(call: Call) -> Failure:
    """The class of a failed call, the gravest first.

    ``premature write``: a tool wrote before the caller's yes. ``wrong slot``: something was written that nobody agreed
    to, or the call was stuck with a wrong value in its note. ``broken promise``: agreed, and not written. ``gave up``:
    the caller's patience ended and the agent let it go. ``loop``: stuck with nothing wrong noted. ``misheard``: the
    agent ended the call too soon, or took it for another one.
    """
    caller = call.caller
    written = [("book", visit.day, visit.time, visit.name) for visit in call.calendar.booked]
    written += [("cancel", visit.day, visit.time, visit.name) for visit in call.calendar.cancelled]
    if call.early_write:
        return "premature write"
    if len(set(written)) < len(written) or not set(written) <= set(caller.agreed):
        return "wrong slot"
    if caller.done and caller.agreed and call.ended:
        return "broken promise"
    if call.ended:
        return "gave up" if caller.patience <= 0 else "misheard"
    note = read_note(next((one.text for one in reversed(call.segments) if one.role is Role.THINK), ""), NOTE_FIELDS)
    wanted = {"day": caller.goal.day, "time": caller.goal.time, "name": caller.goal.name}
    noted = {name: (note or {}).get(name, UNKNOWN) for name in wanted}
    wrong = [name for name, value in wanted.items() if value and noted[name] not in (UNKNOWN, value)]
    return "wrong slot" if wrong else "loop"


@dataclass(slots=True)
class Outcome:
    """Calls played, calls that succeeded, and calls with a write before the caller's yes."""

    calls: int = 0
    successes: int = 0
    early_writes: int = 0
    failures: Counter[Failure] = field(default_factory=Counter)
    failed: list[Call] = field(default_factory=list)


def play(
    model: CoreModel,
    tokenizer: Tokenizer,
    wordings: Wordings,
    line: Line,
    *,
    guarded: bool,
    lexicon: Lexicon | None = None,
    calls: int = 100,
    seed: int = 1,
) -> Outcome:
    """Play `calls` calls with callers of `wordings` over `line`."""
    outcome = Outcome()
    for index in range(calls):
        rng = Random(seed * 100_003 + index)
        call = new_call(rng, wordings)
        with suppress(CoreModelError):  # a call that outgrows the model's positions is one that never ended
            converse(call, ModelAgent(model, tokenizer, call, guarded, lexicon), line, rng)
        outcome.calls += 1
        outcome.successes += call.success
        outcome.early_writes += call.early_write
        if not call.success:
            outcome.failures[failure_of(call)] += 1
            outcome.failed.append(call)
    return outcome


def main(arguments: list[str] | None = None) -> None:
    """The command line: a table of success rates."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.evaluate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", required=True, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("--calls", type=int, default=100, help="calls per cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="run only the cells whose name contains this")
    parser.add_argument("--show", type=int, default=0, help="print this many failed calls per cell")
    options = parser.parse_args(arguments)
    model, tokenizer = CoreModel.load(Path(options.model)), Tokenizer.load(options.model)
    words = Path(options.model) / "lexicon.txt"
    lexicon = Lexicon(tokenizer, words.read_text("utf-8").split()) if words.exists() else None
    rows = (
        ("trained", TRAINED, 0.0),
        ("unseen", HELDOUT, 0.0),
        ("unseen", HELDOUT, 0.1),
        ("second hand", SECOND_HAND, 0.0),
        ("second hand", SECOND_HAND, 0.1),
    )
    cells = [
        (f"{name}, {rate:.0%} errors, {'guarded' if guarded else 'bare'}", wordings, rate, guarded)
        for name, wordings, rate in rows
        for guarded in (False, True)
    ]
    for title, wordings, rate, guarded in cells:
        if options.only not in title:
            continue
        outcome = play(
            model,
            tokenizer,
            wordings,
            Line(rate),
            guarded=guarded,
            lexicon=lexicon,
            calls=options.calls,
            seed=options.seed,
        )
        print(
            f"{title:32s} success {outcome.successes}/{outcome.calls} = {outcome.successes / outcome.calls:.3f}, "
            f"early writes {outcome.early_writes}, failures {dict(outcome.failures)}",
            flush=True,
        )
        for call in outcome.failed[: options.show]:
            print(call.caller.goal, call.caller.agreed, call.calendar.booked, call.calendar.cancelled)
            print(call.trajectory().text().replace("<think>", "\n<think>").replace("<heard>", "\n<heard>"))


if __name__ == "__main__":
    main()
