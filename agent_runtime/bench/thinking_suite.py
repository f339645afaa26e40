"""The groups of `duologue bench thinking`, their keys, and what is printed while they run."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Iterator

from .figure import Figure
from .group import Group

__all__ = ["BOXED_KEYS", "ROW_KEYS", "THINKING", "WATERFALL_KEYS"]

LETTERS = "ABCDEF"
PROMPTS = (500, 2_000, 8_000)
"""Tokens of instructions, tools and card before the first word of a call."""

WATERFALL_KEYS = (
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
    "tool_hidden_share_prefetch",
    "tool_first_sound_ms",
    "tool_longest_silence_ms",
    "waste_ratio",
)
ROW_KEYS = tuple(
    f"{what}_{letter.lower()}_{prompt}_ms"
    for prompt in PROMPTS
    for letter in LETTERS
    for what in ("first_sound", "first_answer")
)
"""Medians with their 95th percentile: the waterfall itself."""
BOXED_KEYS = (
    *(f"boxed_first_answer_{letter.lower()}_ms" for letter in LETTERS),
    "boxed_ratio_f_to_b",
    "boxed_cut_in_share",
    "boxed_waste_ratio",
)


def _waterfall(options: Namespace) -> Iterator[Figure]:
    from .thinking import CALLS, HEAD, row
    from .thinking_figures import figures, measure_all
    from .thinking_picture import write_picture

    _tell(options, *HEAD)
    found = measure_all(options.calls or CALLS, tell=lambda run: _tell(options, row(run)))
    _tell(options, found.note)
    if options.picture is not None:
        write_picture(found.runs, options.picture)
    yield from figures(found)


def _boxed(options: Namespace) -> Iterator[Figure]:
    from .thinking import HEAD, row
    from .thinking_boxed import CALLS, figures, play_levels

    _tell(options, *HEAD)
    runs = play_levels(options.calls or CALLS, tell=lambda run: _tell(options, row(run)))
    yield from figures(runs)


def _writes(options: Namespace) -> Iterator[Figure]:
    from .side_effects import CALLS, side_effects

    yield side_effects(options.calls or CALLS)


def _load(options: Namespace) -> Iterator[Figure]:
    from .load import figures

    yield from figures(options.calls)


def _tell(options: Namespace, *lines: str) -> None:
    """Rows of a table as they come; beside the object where figures are printed as one."""
    for line in lines:
        print(line, file=sys.stderr if options.json else sys.stdout, flush=True)


THINKING: dict[str, Group] = {
    "waterfall": Group(
        (*WATERFALL_KEYS, *ROW_KEYS),
        "the same calls from a serial loop to a predicted turn end",
        _waterfall,
        ("calls", "picture"),
    ),
    "boxed": Group(BOXED_KEYS, "likewise with the model in the box, measured cost", _boxed, ("calls",)),
    "writes": Group(("wrong_side_effects",), "writes nobody wished for, in random calls", _writes, ("calls",)),
    "load": Group(("calls_per_core", "mb_per_call"), "calls at once on one core, in real time", _load, ("calls",)),
}
