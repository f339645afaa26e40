"""How long may a count or a sum be until a word of it is wrong: with a thought before each bit of speech, in one
breath, and in one breath that stops for a thought where the model wavers?

    python -m policies.learned.train.counting_evaluate --model runs/counting --calls 50

Asked in wordings set aside. A count (or digits read out) is right when every word of it is, from the first to the last;
a sum when the number said last is. The grammar is the runtime's, the forward pass the numpy one of the base install and
the weights are the stored half-precision ones.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from policies.learned.core.choosing import choose
from policies.learned.core.grammar import GrammarLimits, TurnGrammar
from policies.learned.core.model import CoreModel
from policies.learned.core.paced import PacedTurn
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.counting import GREETING, counting_card, request
from policies.learned.train.counting_tasks import Count, Digits, Sum, Task
from policies.learned.train.counting_wordings import COUNTING_UNSEEN
from policies.learned.train.spoken_caller import WEEK, say, text_of
from policies.learned.train.wordings import Wordings
from policies.pace import Pace, PaceSettings
from policies.trajectory import Role, Segment, Trajectory

__all__ = ["CELLS", "UNPACED", "WAYS", "Asked", "ask", "main", "right"]

LIMITS = GrammarLimits(say_tokens=1_500)
UNPACED = PaceSettings(on=False)
WAYS: Mapping[str, tuple[bool, PaceSettings]] = {
    "interleaved": (False, UNPACED),
    "one_breath": (True, UNPACED),
    "paced": (True, PaceSettings()),
}
"""How it is spoken: whether the card asks for one breath, and the pace. `paced` is one breath with thoughts put in."""
MOST_TOKENS = 1_900
"""Of one turn, as in the runtime: what is longer was never going to end."""

COUNTS = (10, 20, 40, 80, 120, 200)
"""A count of a cell starts at one and ends at the cell's number or at one of the four before it."""


def _count_to(most: int) -> Callable[[Random], Task]:
    return lambda rng: Count(1, most - rng.randrange(5))


def _sum_of(addends: int) -> Callable[[Random], Task]:
    return lambda rng: Sum(tuple(rng.randrange(1, 100) for _ in range(addends)))


def _digits(rng: Random) -> Task:
    return Digits("".join(rng.choice("0123456789") for _ in range(rng.randrange(4, 13))))


def _down(rng: Random) -> Task:
    return Count(rng.randrange(8, 41), 1, -1)


CELLS: dict[str, Callable[[Random], Task]] = {
    **{f"count to {most}": _count_to(most) for most in COUNTS},
    "count down": _down,
    "digits": _digits,
    **{f"sum of {addends}": _sum_of(addends) for addends in (2, 3, 4, 5)},
}
"""What is asked, by the name of its row."""


@dataclass(slots=True)
class Asked:
    """A call up to its first answer, and that answer."""

    task: Task
    stream: Trajectory
    turn: TurnGrammar
    grammar: TurnGrammar | PacedTurn
    """`turn`, or `turn` with thoughts put in."""
    ids: list[int] = field(default_factory=list)

    @property
    def right(self) -> bool:
        """Whether the answer came to its end and is what was asked for."""
        return self.turn.done and right(self.task, self.turn.said)


def right(task: Task, said: str) -> bool:
    """Whether `said` does `task`."""
    wanted = task.one_breath().said
    if isinstance(task, Sum):
        return said.rpartition(" is ")[2] == wanted.rpartition(" is ")[2]
    return said == wanted


def asked(
    task: Task,
    rng: Random,
    tokenizer: Tokenizer,
    *,
    one_breath: bool,
    pace: PaceSettings = UNPACED,
    wordings: Wordings = COUNTING_UNSEEN,
) -> Asked:
    """A call in which `task` is asked for in `wordings`, a word of politeness before or behind it."""
    words = request(task, rng, wordings)
    if rng.random() < 0.3:
        words = f"{text_of(say(wordings, 'opener', rng))} {words}"
    if rng.random() < 0.3:
        words = f"{words} {text_of(say(wordings, 'tail', rng))}"
    stream = Trajectory.of(
        [
            Segment(Role.CARD, counting_card(rng.choice(WEEK), one_breath=one_breath)),
            Segment(Role.SAY, GREETING, Role.END),
            Segment(Role.HEARD, words),
            Segment(Role.TURN),
        ]
    )
    turn = TurnGrammar(tokenizer, (), (), interleaved=True, limits=LIMITS)
    return Asked(task, stream, turn, PacedTurn(turn, tokenizer, Pace(pace)) if pace.on else turn)


def ask(model: CoreModel, tokenizer: Tokenizer, calls: Sequence[Asked]) -> None:
    """Let the model answer `calls`, a token of each at a time, so that they share the matrix products."""
    busy = [(call, model.new_cache()) for call in calls]
    given = [tokenizer.encode_parts(call.stream.parts()) for call in calls]
    lengths = [len(ids) for ids in given]
    logits = [model.extend(cache, ids) for (_, cache), ids in zip(busy, given, strict=True)]
    most = min(MOST_TOKENS, model.config.max_position_embeddings - max(lengths, default=0))
    for _ in range(most):
        for (call, _), scores in zip(busy, logits, strict=True):
            token = choose(scores, call.grammar)
            call.grammar.advance(token)
            call.ids.append(token)
        busy = [(call, cache) for call, cache in busy if not call.grammar.done]
        if not busy:
            return
        logits = model.step([(cache, call.ids[-1:]) for call, cache in busy])


def main(arguments: list[str] | None = None) -> None:
    """The command line: a table of shares of right answers."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.counting_evaluate", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", required=True, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("--calls", type=int, default=50, help="calls per cell")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="run only the rows whose name contains this")
    parser.add_argument("--show", type=int, default=0, help="print this many wrong answers per cell")
    options = parser.parse_args(arguments)
    model, tokenizer = CoreModel.load(Path(options.model)), Tokenizer.load(options.model)
    print(f"{'':16s} {' '.join(f'{way:>18s}' for way in WAYS)}   (right of {options.calls})", flush=True)
    for name, make in CELLS.items():
        if options.only not in name:
            continue
        figures: list[str] = []
        wrong: list[Asked] = []
        for one_breath, pace in WAYS.values():
            rng = Random(f"{options.seed} {name}")
            calls = [asked(make(rng), rng, tokenizer, one_breath=one_breath, pace=pace) for _ in range(options.calls)]
            ask(model, tokenizer, calls)
            count = sum(call.right for call in calls)
            figures.append(f"{count:4d} = {count / options.calls:.3f}")
            wrong += [call for call in calls if not call.right][: options.show]
        print(f"{name:16s} {' '.join(f'{figure:>18s}' for figure in figures)}", flush=True)
        for call in wrong:
            print(f"  {call.stream.text()}{tokenizer.decode(call.ids)}")


if __name__ == "__main__":
    main()
