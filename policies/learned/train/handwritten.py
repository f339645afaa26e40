"""A blind test: callers written by hand play against the model, each a person with sentences of its own.

    python -m policies.learned.train.handwritten --model policies/learned/core/weights/boxed

The sentences were written without sight of the wordings that training and `evaluate` draw from, and may not be tuned to
a model. There are two sets, by two hands; the author of the first has seen the wordings since, so the second one is the
test and the first stands beside it. Success is `Call.success`. Beside it stands the share of turns that the desk cannot
serve (out of scope, another language, garbled) that were answered by a clarifying or honest sentence.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import get_args

from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel, CoreModelError
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.dialogue import Agent, Call, Line, converse
from policies.learned.train.evaluate import Failure, ModelAgent, Outcome
from policies.learned.train.expert import Action, Expert
from policies.learned.train.handwritten_asides import is_clarifying, load_asides
from policies.learned.train.handwritten_caller import PATIENCE, HandCaller, new_hand_call
from policies.learned.train.handwritten_entries import Entry, Hand, load_entries, without_possessives
from policies.learned.train.spoken_caller import Word
from policies.notes import UNKNOWN
from policies.trajectory import Role

__all__ = [
    "HAND_LINE",
    "AsideOutcome",
    "HandOutcome",
    "failure",
    "main",
    "play_asides",
    "play_asides_with",
    "play_hand",
    "play_with",
]

HAND_LINE = Line(hesitation=False)
"""The sentences hold their own hesitations; pauses, barge-ins and fillers as in `evaluate`, no word errors."""

_ASIDE_LINE = Line(hesitation=False, pauses=0.0, cuts=0.0)
_ASIDE_AFTER = ("intent", "day", "offer", "readback", "anything")
"""Questions after which an aside is said, in turn. Not the name: there anything unknown may be one."""
_LOOPED = 3
"""The agent said the very same thing this often."""

MakeAgent = Callable[[Call], Agent]


@dataclass(slots=True)
class HandOutcome(Outcome):
    """`failures` counts the classes of `failure`, `patterns` the class with its detail; `asides` were said inside the
    calls, `clarified` of them got a clarifying or honest answer."""

    patterns: Counter[str] = field(default_factory=Counter)
    asides: int = 0
    clarified: int = 0


def failure(call: Call) -> tuple[Failure, str]:
    """Class and detail of a failed call, the gravest first.

    premature write: a tool wrote without the caller's yes. misheard: the agent went about the other task more than
    once, or hung up before the goal was reached. wrong slot: a read-back was wrong and stayed so, or the same slot came
    back wrong again. loop: the agent said the very same thing three times. gave up: the caller lost patience otherwise.
    """
    caller = call.caller
    assert isinstance(caller, HandCaller)
    if call.early_write:
        return "premature write", caller.last
    if caller.mistaken > 1:
        return "misheard", f"took a wish to {caller.goal.kind} for the other"
    slots = set(caller.wrong) | {slot for slot, times in caller.misread.items() if times > 1}
    if slots:
        return "wrong slot", " and ".join(sorted(slots))
    said = [item.text for item in call.segments if item.role is Role.SAY]
    most = max((said.count(text), text) for text in said) if said else (0, "")
    if most[0] >= _LOOPED:
        return "loop", caller.last
    if call.ended and not caller.gave_up:
        return "misheard", "hung up before the write" if caller.agreed else f"hung up at {caller.last}"
    return "gave up", caller.last


def play_with(
    agent: MakeAgent,
    entries: Sequence[Entry],
    *,
    line: Line = HAND_LINE,
    rounds: int = 1,
    seed: int = 1,
) -> HandOutcome:
    """Play every entry `rounds` times, each time with another calendar, against the agent made for each call."""
    outcome = HandOutcome()
    for index, entry in enumerate(tuple(entries) * rounds):
        rng = Random(seed * 100_003 + index)
        call = new_hand_call(entry, rng)
        with suppress(CoreModelError):  # a call that outgrows the model's positions is one that never ended
            converse(call, agent(call), line, rng, max_turns=PATIENCE + 2)  # nobody is on the line any more
        assert isinstance(call.caller, HandCaller)
        outcome.calls += 1
        outcome.successes += call.success
        outcome.early_writes += call.early_write
        outcome.asides += len(call.caller.judged)
        outcome.clarified += sum(is_clarifying(reply) for _, reply in call.caller.judged)
        if not call.success:
            kind, detail = failure(call)
            outcome.failures[kind] += 1
            outcome.patterns[f"{kind}: {detail}"] += 1
            outcome.failed.append(call)
    return outcome


def play_hand(
    model: CoreModel,
    tokenizer: Tokenizer,
    lexicon: Lexicon | None,
    guarded: bool,
    hand: Hand,
    *,
    line: Line = HAND_LINE,
    rounds: int = 1,
    seed: int = 1,
) -> HandOutcome:
    """The callers that `hand` wrote against the model, as `evaluate.play` does with simulated ones."""
    return play_with(
        lambda call: ModelAgent(model, tokenizer, call, guarded, lexicon),
        load_entries(hand),
        line=line,
        rounds=rounds,
        seed=seed,
    )


@dataclass(slots=True)
class AsideOutcome:
    """Turns said and turns clarified by kind (scope, foreign, garbled), and the others as (turn, question, reply)."""

    said: Counter[str] = field(default_factory=Counter)
    clarified: Counter[str] = field(default_factory=Counter)
    other: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def share(self) -> float:
        """Clarified turns of all, 0..1."""
        return self.clarified.total() / max(1, self.said.total())


@dataclass(slots=True)
class _Relieved:
    """The expert leads a call up to the aside, the tested agent answers it, and the call is over: so each turn is
    judged alone, in a call that went well until then."""

    call: Call
    make: Callable[[Call, Expert], Agent]
    expert: Expert
    tested: Agent | None = None
    reply: str | None = None

    def hear(self, segments: list[list[Word]]) -> Action:
        """The expert's turn, or the tested agent's last one."""
        assert isinstance(self.call.caller, HandCaller)
        if not self.call.caller.aside:
            return self.expert.hear(without_possessives(segments))
        self.tested = self.make(self.call, self.expert)
        return self._last(self.tested.hear(segments))

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        """The same after a result."""
        if self.tested is None:
            return self.expert.returned(tool, arguments, result)
        return self._last(self.tested.returned(tool, arguments, result))

    def _last(self, action: Action) -> Action:
        if action.kind == "call":
            self.reply = ""  # stands if no words follow
            return action
        self.reply = action.text
        return replace(action, kind="say", bye=True)


def play_asides_with(make: Callable[[Call, Expert], Agent], hand: Hand, *, seed: int = 1) -> AsideOutcome:
    """Say each turn that `hand` wrote once, in a call of one of its booking callers, and judge the reply."""
    outcome = AsideOutcome()
    everybody = load_entries(hand)
    entries = [item for item in everybody if item.goal.kind == "book"]
    turns = [(kind, text) for kind, texts in load_asides(hand).items() for text in texts]
    for index, (kind, text) in enumerate(turns):
        after = _ASIDE_AFTER[index % len(_ASIDE_AFTER)]
        reply = _reply(text, after, (entries[index % len(entries)], *everybody), make, seed * 100_003 + index)
        outcome.said[kind] += 1
        if is_clarifying(reply):
            outcome.clarified[kind] += 1
        else:
            outcome.other.append((text, after, reply))
    return outcome


def _reply(text: str, after: str, entries: Sequence[Entry], make: Callable[[Call, Expert], Agent], seed: int) -> str:
    for again in range(40):  # a caller who names the day at once is never asked for it
        rng = Random(seed + again * 1_009)
        call = new_hand_call(entries[0] if again < 4 else rng.choice(entries[1:]), rng)
        assert isinstance(call.caller, HandCaller)
        call.caller.asides, call.caller.aside_at, call.caller.asks_hours = [text], after, False
        agent = _Relieved(call, make, Expert(call.situation, rng))
        converse(call, agent, _ASIDE_LINE, rng)
        if agent.reply is not None:
            return agent.reply
    raise ValueError(f"no caller came to the question {after!r} for the aside {text!r}")


def play_asides(
    model: CoreModel, tokenizer: Tokenizer, lexicon: Lexicon | None, guarded: bool, hand: Hand, *, seed: int = 1
) -> AsideOutcome:
    """The turns that `hand` wrote against the model, which takes over the expert's note and offer."""

    def relieve(call: Call, expert: Expert) -> Agent:
        agent = ModelAgent(model, tokenizer, call, guarded, lexicon)
        values = (expert.shown, expert.day, expert.part, expert.time, expert.name, expert.answer)
        keys = ("intent", "day", "part", "time", "name", "answer")
        agent.note = {key: value or UNKNOWN for key, value in zip(keys, values, strict=True)}
        agent.offered = tuple(expert.offered or ())
        return agent

    return play_asides_with(relieve, hand, seed=seed)


def main(arguments: list[str] | None = None) -> None:
    """The command line: success, failures and asides, with and without the guards."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.handwritten", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", required=True, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("--hand", choices=get_args(Hand), default="second", help="whose callers and asides")
    parser.add_argument("--rounds", type=int, default=3, help="calls per caller and cell, each with another calendar")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--errors", type=float, default=0.0, help="word errors on the line, 0..1")
    parser.add_argument("--only", default="", help="run only the cell of this name: bare or guarded")
    parser.add_argument("--show", type=int, default=0, help="print this many failed calls and aside replies per cell")
    options = parser.parse_args(arguments)
    model, tokenizer = CoreModel.load(Path(options.model)), Tokenizer.load(options.model)
    words = Path(options.model) / "lexicon.txt"
    lexicon = Lexicon(tokenizer, words.read_text("utf-8").split()) if words.exists() else None
    line = replace(HAND_LINE, error_rate=options.errors)
    for guarded in (False, True):
        title = "guarded" if guarded else "bare"
        if options.only not in title:
            continue
        played = play_hand(
            model, tokenizer, lexicon, guarded, options.hand, line=line, rounds=options.rounds, seed=options.seed
        )
        print(
            f"{title}: success {played.successes}/{played.calls} = {played.successes / played.calls:.3f}, early writes "
            f"{played.early_writes}, failures {dict(played.failures)}, asides {played.clarified}/{played.asides}",
            flush=True,
        )
        for pattern, count in played.patterns.most_common(8):
            print(f"  {count:3d} {pattern}")
        asides = play_asides(model, tokenizer, lexicon, guarded, options.hand, seed=options.seed)
        print(f"{title}: asides {asides.share:.3f}, {dict(asides.clarified)} of {dict(asides.said)}", flush=True)
        for item in asides.other[: options.show]:
            print("  aside", item)
        for call in played.failed[: options.show]:
            print(failure(call), call.caller.goal, call.caller.agreed, call.calendar.booked, call.calendar.cancelled)
            print(call.trajectory().text().replace("<think>", "\n<think>").replace("<heard>", "\n<heard>"))


if __name__ == "__main__":
    main()
