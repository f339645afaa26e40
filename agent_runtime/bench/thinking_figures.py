"""The figures of `bench thinking`, read off its runs: each key says of which turns it is. Pure but for the playing.

Latency figures are of level F with the peers' common prompt of 1,500 tokens and an agent as a newcomer writes it,
unless they say otherwise. "Cold" is the first turn of a call, answered without a tool; "warm" a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .figure import Figure, percentile
from .thinking import CALLS, COMMON_PROMPT, LEVELS, Run, Turn, play
from .thinking_suite import PROMPTS
from .thinking_suite import WATERFALL_KEYS as KEYS

__all__ = ["Waterfall", "figures", "measure_all", "ratio", "spread", "waste"]


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All runs: each level with each prompt, and level F with the common one, without and with prefetched look-ups."""

    runs: tuple[Run, ...]
    common: Run
    prefetched: Run

    @property
    def note(self) -> str:
        """What the figures were made of, as a line."""
        turns = [turn.asked for turn in self.common.turns if turn.asked is not None]
        slots = sum(asked.slot_last for asked in turns)
        return f"{len(turns)} turns in {len(self.common.accounts)} calls, {slots} with what matters in the last word"


def measure_all(calls: int = CALLS, *, tell: Callable[[Run], None] = lambda run: None) -> Waterfall:
    """Play everything; `tell` is called after each run."""
    runs = []
    for prompt_tokens in PROMPTS:
        for level in LEVELS:
            runs.append(play(level, prompt_tokens, range(calls)))
            tell(runs[-1])
    common = play(LEVELS[-1], COMMON_PROMPT, range(calls))
    tell(common)
    prefetched = play(LEVELS[-1], COMMON_PROMPT, range(calls), prefetch=True)
    tell(prefetched)
    return Waterfall(tuple(runs), common, prefetched)


def figures(found: Waterfall) -> Iterator[Figure]:
    """Every key, in their order; null with a reason where no turn of its kind was answered."""
    run = found.common
    plain = [
        turn for turn in run.turns if turn.asked is not None and not turn.asked.tool and turn.latency.kind == "turn"
    ]
    cold = [turn for turn in plain if turn.is_first]
    warm = [turn for turn in plain if not turn.is_first]
    accounts = [turn for one in run.accounts for turn in one.turns if turn.over_us is not None]
    yield spread(KEYS[0], "tokens", (turn.left_tokens for turn in accounts if turn.prompt_tokens), 95)
    yield spread(KEYS[1], "ms", _answers(cold))
    yield spread(KEYS[2], "ms", _answers(warm))
    yield spread(KEYS[3], "ms, warm, known before the last word", _answers(t for t in warm if not _slot_last(t)))
    yield spread(KEYS[4], "ms, warm, known with the last word", _answers(t for t in warm if _slot_last(t)))
    yield Figure(KEYS[5], run.cut_in_share, "share of turns", len(run.turns))
    yield _mean(KEYS[6], "share of turns answered from a draft", (float(turn.hit) for turn in accounts))
    yield ratio(KEYS[7], found.runs, "B")
    yield ratio(KEYS[8], found.runs, "A")
    barge_ins = [one for one in run.overlaps if one.kind == "barge_in"]
    hums = [one for one in run.overlaps if one.kind == "backchannel"]
    yield spread(KEYS[9], "ms, words only", (one.yield_ms for one in barge_ins))
    yield spread(KEYS[10], "ms, words only", (one.cancel_ms for one in barge_ins))
    yield spread(KEYS[11], "ms of silence at words that ask for no floor", (one.silenced_ms for one in hums))
    yield _mean(KEYS[12], "share, words only", (float(one.inaudible is not None) for one in hums))
    early = [turn for turn in run.turns if turn.asked is not None and turn.asked.matter == "early"]
    yield _mean(KEYS[13], "share of find's 1.5 s, value named early", (turn.hidden_share for turn in early))
    yield _mean(KEYS[14], "share of find's 1.5 s, all its turns", (turn.hidden_share for turn in _finds(run)))
    yield _prefetched(KEYS[15], found.prefetched)
    slow = [t for t in run.turns if t.is_first and t.asked is not None and t.asked.tool == "waiting"]
    yield spread(KEYS[16], "ms, a tool of 2 s on a cold first turn", (turn.latency.first_sound_ms for turn in slow))
    yield spread(KEYS[17], "ms, likewise", (turn.longest_silence_ms for turn in slow), 100)
    yield waste(KEYS[18], run)
    for played in found.runs:
        place = f"{played.level.lower()}_{played.prompt_tokens}_ms"
        yield spread(f"first_sound_{place}", "ms", played.first_sounds())
        yield spread(f"first_answer_{place}", "ms", played.first_answers())


def _finds(run: Run) -> list[Turn]:
    return [turn for turn in run.turns if turn.asked is not None and turn.asked.tool == "find"]


def _prefetched(key: str, run: Run) -> Figure:
    """The same with `prefetch`, what it does to the answers, and what it costs."""
    finds = _finds(run)
    answers = [ms for turn in finds if (ms := turn.latency.first_answer_ms) is not None]
    median = f"{percentile(answers, 50):.0f}" if answers else "no"
    vain = sum(one.wasted_tools for one in run.accounts)
    unit = f"likewise, with prefetch: answers after {median} ms (p50), {vain} look-ups in vain"
    return _mean(key, unit, (turn.hidden_share for turn in finds))


def waste(key: str, run: Run) -> Figure:
    """Wasted tokens to useful ones."""
    useful = run.useful_tokens
    value = round(run.wasted_tokens / useful, 3) if useful else None
    return Figure(key, value, f"wasted tokens to useful ones ({run.wasted_tokens} to {useful})", len(run.turns))


def _answers(turns: Iterable[Turn]) -> Iterator[float | None]:
    return (turn.latency.first_answer_ms for turn in turns)


def _slot_last(turn: Turn) -> bool:
    return turn.asked is not None and turn.asked.slot_last


def spread(key: str, unit: str, values: Iterable[float | None], percent: int = 50) -> Figure:
    """A percentile of the known values, and their 95th."""
    known = [value for value in values if value is not None]
    if not known:
        return Figure(key, None, unit, reason="no turn of this kind")
    return Figure(key, round(percentile(known, percent), 1), unit, len(known), round(percentile(known, 95), 1))


def _mean(key: str, unit: str, values: Iterable[float | None]) -> Figure:
    known = [value for value in values if value is not None]
    if not known:
        return Figure(key, None, unit, reason="no turn of this kind")
    return Figure(key, round(sum(known) / len(known), 3), unit, len(known))


def ratio(key: str, runs: Sequence[Run], against: str) -> Figure:
    """The worst over the prompts of p50 of F to p50 of another level."""
    ratios = []
    for prompt_tokens in dict.fromkeys(run.prompt_tokens for run in runs):
        p50 = {
            run.level: percentile(answers, 50)
            for run in runs
            if run.prompt_tokens == prompt_tokens and (answers := run.first_answers())
        }
        if "F" in p50 and against in p50:
            ratios.append((p50["F"] / p50[against], prompt_tokens))
    if not ratios:
        return Figure(key, None, "", reason="the levels were not played")
    each = ", ".join(f"{ratio:.2f} at {prompt_tokens}" for ratio, prompt_tokens in ratios)
    return Figure(key, round(max(ratios)[0], 3), f"p50 first answer, F to {against} ({each})", len(ratios))
