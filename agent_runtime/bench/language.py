"""What the model in the box makes of callers it has not met: in words, by hand-written people, by voice, and counting.

The callers by words are those of `policies.learned.train` with wordings, names and companies set aside, closed-loop:
success is the state of the calendar and the promises made (of calls to companies: the outcome reported); what failed
in which way is told by ``python -m policies.learned.train.evaluate`` and its neighbours. The voice is
flite's and every part is the real one. It needs no torch; the shipped weights are measured.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from policies.learned.core.lexicon import Lexicon
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train import counting_evaluate as counting
from policies.learned.train import evaluate as desk
from policies.learned.train.companies import evaluate as companies
from policies.learned.train.companies.heldout import HELDOUT as COMPANIES_HELDOUT
from policies.learned.train.counting_tasks import Count
from policies.learned.train.curves import budget, read_curves, table
from policies.learned.train.dialogue import Line
from policies.learned.train.handwritten import play_asides, play_hand
from policies.learned.train.handwritten_entries import Hand
from policies.learned.train.heldout import HELDOUT
from policies.learned.train.secondhand import SECOND_HAND

from ..boxed import BOXED_MODEL
from ..testing import synthesis
from .figure import Figure

__all__ = ["by_voice", "by_words", "counted", "steps_of_muon"]

HAND_ROUNDS = 2
"""Calls of each hand-written caller, each with another calendar."""
HANDS: Mapping[Hand, str] = {"second": "success_hand", "first": "success_hand_first"}
"""The figure of each hand's callers: the blind one is the figure, the other stands beside it."""
COUNT_TO = 40
VOICE = "flite-slt"


def _boxed() -> tuple[CoreModel, Tokenizer, Lexicon]:
    tokenizer = Tokenizer.load(BOXED_MODEL)
    words = (BOXED_MODEL / "lexicon.txt").read_text("utf-8").split()
    return CoreModel.load(BOXED_MODEL), tokenizer, Lexicon(tokenizer, words)


def _share(key: str, right: int, calls: int) -> Figure:
    if not calls:
        return Figure(key, None, "share", reason="no calls were asked for")
    return Figure(key, right / calls, "share", calls)


def by_words(calls: int, *, hand_rounds: int = HAND_ROUNDS, asides: bool = True) -> Iterator[Figure]:
    """Success with and without guards, of hand-written callers too, what was written unasked, and clarified turns.

    `hand_rounds`: calls of each hand-written caller; `asides`: say the turns that the desk cannot serve, too. Both
    hands count for the writes and the clarified turns.
    """
    model, tokenizer, lexicon = _boxed()
    third = calls // 3
    writes = played = 0
    for guarded, share in ((True, third), (False, third // 2)):
        ends = "" if guarded else "_bare"
        outcomes = [
            desk.play(model, tokenizer, wordings, Line(), guarded=guarded, lexicon=lexicon, calls=share, seed=71)
            for wordings in (HELDOUT, SECOND_HAND)
        ]
        rings = companies.play(
            model, tokenizer, COMPANIES_HELDOUT, Line(), guarded=guarded, lexicon=lexicon,
            calls=calls - 2 * third if guarded else share, seed=71,
        )  # fmt: skip
        right, all_calls = sum(one.successes for one in outcomes), sum(one.calls for one in outcomes)
        yield _share(f"success_front_desk{ends}", right, all_calls)
        yield _share(f"success_companies{ends}", rings.successes, rings.calls)
        yield _share(f"success_text{ends}", right + rings.successes, all_calls + rings.calls)
        if guarded:
            writes += sum(one.early_writes for one in outcomes)
            played += all_calls
    clarified = said = 0
    for hand, key in HANDS.items():
        outcome = play_hand(model, tokenizer, lexicon, True, hand, rounds=hand_rounds)
        yield _share(key, outcome.successes, outcome.calls)
        writes, played = writes + outcome.early_writes, played + outcome.calls
        clarified, said = clarified + outcome.clarified, said + outcome.asides
        if asides:
            turns = play_asides(model, tokenizer, lexicon, True, hand)
            clarified, said = clarified + turns.clarified.total(), said + turns.said.total()
    yield Figure("unconfirmed_writes", float(writes), "calls", played)
    yield _share("clarified", clarified, said)


def by_voice(calls: int) -> Iterator[Figure]:
    """Right calendars of generated calls by voice, and calls that changed it as nobody wished."""
    from .calls import play_generated

    if (why := synthesis.available(VOICE)) is not None:
        for key in ("success_voice", "unconfirmed_writes_voice"):
            yield Figure(key, None, "", reason=f"no caller voice: {why}")
        return
    played = play_generated(calls, first_seed=40_000, shipped=False, voice=VOICE)
    yield _share("success_voice", len(played.right), calls)
    yield Figure("unconfirmed_writes_voice", float(len(played.unasked_writes)), "calls", calls)


def counted(calls: int) -> Iterator[Figure]:
    """Counting to 40 and sums of three numbers, all right, in the ways of `counting.WAYS`: a thought before each bit of
    speech, one breath, and one breath that stops for a thought where the model wavers."""
    model, tokenizer, _ = _boxed()
    for what in ("counting", "sums"):
        for way, (one_breath, pace) in counting.WAYS.items():
            rng = Random(f"count {COUNT_TO}" if what == "counting" else what)
            asked: list[counting.Asked] = []
            for _ in range(calls):
                task = Count(1, COUNT_TO) if what == "counting" else counting.CELLS["sum of 3"](rng)
                asked.append(counting.asked(task, rng, tokenizer, one_breath=one_breath, pace=pace))
            for at in range(0, calls, 8):
                counting.ask(model, tokenizer, asked[at : at + 8])
            yield _share(f"{what}_{way}", sum(one.right for one in asked), calls)


def steps_of_muon() -> Figure:
    """How long a run of QK-norm and Muon must be to end where plain Llama and AdamW end, as a share of theirs.

    Read from the curves of ``python -m policies.learned.train.compare``, which needs torch and half an hour.
    """
    key = "muon_to_adamw_steps"
    found = read_curves(Path(__file__).parents[2] / "policies" / "learned" / "train" / "compare.json")
    if not found:
        why = "no compare.json; python -m policies.learned.train.compare makes it"
        return Figure(key, None, "", reason=why)
    rows = {row.arm: row for row in table(found)}
    slow, fast = rows["plain Llama + AdamW"], "QK-norm + Muon"
    steps = budget(found, fast, statistics.mean(slow.finals))
    if steps is None:
        return Figure(key, None, "", reason=f"{fast} ends above {slow.arm} even in {slow.of_steps} steps")
    return Figure(key, steps / slow.of_steps, "ratio", len(rows[fast].finals))
