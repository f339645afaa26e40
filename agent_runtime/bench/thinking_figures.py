"""The figures of `bench thinking`, read off its runs: each key says of which turns it is. Pure but for the playing.

Latency figures are of level F with the peers' common prompt of 1,500 tokens and an agent as a newcomer writes it,
unless they say otherwise. "Cold" is the first turn of a call, answered without a tool; "warm" a later one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .figure import Figure, percentile
from .thinking import CALLS, COMMON_PROMPT, LEVELS, PROMPTS, Run, Turn, play, table

__all__ = ["KEYS", "Waterfall", "figures", "measure_all"]

KEYS = (
    "left_to_prefill_p95_tokens",
    "first_answer_cold_p50_ms",
    "first_answer_warm_p50_ms",
    "first_answer_fixed_before_p50_ms",
    "first_answer_fixed_last_p50_ms",
    "cut_in_share",
    "draft_hit_rate",
    "first_answer_ratio_f_to_b",
    "first_answer_ratio_f_to_a",
    "yield_p50_ms",
    "cancel_p50_ms",
    "resume_ms",
    "backchannel_cut_share",
    "tool_hidden_share",
    "tool_hidden_share_all",
    "tool_first_sound_ms",
    "tool_longest_silence_ms",
    "waste_ratio",
)


@dataclass(frozen=True, slots=True)
class Waterfall:
    """All runs: each level with each prompt, and level F with the common one."""

    runs: tuple[Run, ...]
    common: Run

    def lines(self) -> list[str]:
        """The table for people."""
        says = "canned work in virtual time, ms from the end of the caller's speech; stated costs: see thinking_work"
        turns = [turn.asked for turn in self.common.turns if turn.asked is not None]
        slots = sum(asked.slot_last for asked in turns)
        return [
            *table(self.runs, says),
            f"{len(turns)} turns in {len(self.common.accounts)} calls, {slots} with what matters in the last word",
        ]


def measure_all(calls: int = CALLS, *, tell: Callable[[Run], None] = lambda run: None) -> Waterfall:
    """Play everything; `tell` is called after each run."""
    runs = []
    for prompt_tokens in PROMPTS:
        for level in LEVELS:
            runs.append(play(level, prompt_tokens, range(calls)))
            tell(runs[-1])
    common = play(LEVELS[-1], COMMON_PROMPT, range(calls))
    tell(common)
    return Waterfall(tuple(runs), common)


def figures(found: Waterfall) -> Iterator[Figure]:
    """Every key, in their order; null with a reason where no turn of its kind was answered."""
    run = found.common
    plain = [turn for turn in run.turns if turn.asked is not None and not turn.asked.tool and turn.latency.kind == "turn"]
    cold = [turn for turn in plain if turn.is_first]
    warm = [turn for turn in plain if not turn.is_first]
    accounts = [turn for one in run.accounts for turn in one.turns if turn.over_us is not None]
    yield _spread(KEYS[0], "tokens", (turn.left_tokens for turn in accounts if turn.prompt_tokens), 95)
    yield _spread(KEYS[1], "ms", _answers(cold))
    yield _spread(KEYS[2], "ms", _answers(warm))
    yield _spread(KEYS[3], "ms, warm, known before the last word", _answers(t for t in warm if not _slot_last(t)))
    yield _spread(KEYS[4], "ms, warm, known with the last word", _answers(t for t in warm if _slot_last(t)))
    yield Figure(KEYS[5], run.cut_in_share, "share of turns", len(run.turns))
    yield Figure(KEYS[6], _share(turn.hit for turn in accounts), "share of turns answered from a draft", len(accounts))
    yield _ratio(KEYS[7], found.runs, "B")
    yield _ratio(KEYS[8], found.runs, "A")
    barge_ins = [one for one in run.overlaps if one.kind == "barge_in"]
    hums = [one for one in run.overlaps if one.kind == "backchannel"]
    yield _spread(KEYS[9], "ms, words only", (one.yield_ms for one in barge_ins))
    yield _spread(KEYS[10], "ms, words only", (one.cancel_ms for one in barge_ins))
    yield _spread(KEYS[11], "ms of silence at words that ask for no floor", (one.silenced_ms for one in hums))
    yield Figure(KEYS[12], _share(one.inaudible is not None for one in hums), "share, words only", len(hums))
    early = [turn for turn in run.turns if turn.asked is not None and turn.asked.matter == "early"]
    yield _mean(KEYS[13], "share of find's 1.5 s, value named early", (turn.hidden_share for turn in early))
    finds = [turn for turn in run.turns if turn.asked is not None and turn.asked.tool == "find"]
    yield _mean(KEYS[14], "share of find's 1.5 s, all its turns", (turn.hidden_share for turn in finds))
    slow = [t for t in run.turns if t.is_first and t.asked is not None and t.asked.tool == "waiting"]
    yield _spread(KEYS[15], "ms, a tool of 2 s on a cold first turn", (turn.latency.first_sound_ms for turn in slow))
    yield _spread(KEYS[16], "ms, likewise", (turn.longest_silence_ms for turn in slow), 100)
    wasted = sum(one.wasted_tokens for one in run.accounts)
    useful = sum(one.tokens for one in run.accounts) - wasted
    yield Figure(KEYS[17], round(wasted / useful, 3) if useful else None, "wasted tokens to useful ones", len(accounts))


def _answers(turns: Iterable[Turn]) -> Iterator[float | None]:
    return (turn.latency.first_answer_ms for turn in turns)


def _slot_last(turn: Turn) -> bool:
    return turn.asked is not None and turn.asked.slot_last


def _share(hits: Iterable[bool]) -> float | None:
    known = list(hits)
    return round(sum(known) / len(known), 4) if known else None


def _spread(key: str, unit: str, values: Iterable[float | None], percent: int = 50) -> Figure:
    known = [value for value in values if value is not None]
    if not known:
        return Figure(key, None, unit, reason="no turn of this kind")
    return Figure(key, round(percentile(known, percent), 1), unit, len(known), round(percentile(known, 95), 1))


def _mean(key: str, unit: str, values: Iterable[float | None]) -> Figure:
    known = [value for value in values if value is not None]
    if not known:
        return Figure(key, None, unit, reason="no turn of this kind")
    return Figure(key, round(sum(known) / len(known), 3), unit, len(known))


def _ratio(key: str, runs: Sequence[Run], against: str) -> Figure:
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
