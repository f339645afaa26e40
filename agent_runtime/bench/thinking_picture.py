"""The waterfall of `bench thinking` as one still picture for a README: a row for each level, a panel for each prompt.

Bars are medians, whiskers reach to the 95th percentile; first sound lies above first answer. It stands on a card of its
own colour, so that it reads on light and on dark pages. Numbers come from the runs; nothing is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from .figure import percentile
from .thinking import LEVELS, Run

__all__ = ["draw", "write_picture"]

WIDTH, LEFT, TOP, ROW, GAP = 1040, 244, 92, 46, 22
INK, SOFT, PAPER, LINE, GRID = "#1d1e24", "#5d5d66", "#fffefb", "#dcd8ce", "#ebe7dd"
SOUND, ANSWER = "#e3a389", "#c8552b"
TICKS_MS = (100, 300, 1_000, 3_000, 10_000, 30_000)


def write_picture(runs: Sequence[Run], path: Path) -> None:
    """Write the SVG to `path`."""
    path.write_text(draw(runs), encoding="utf-8", newline="\n")


def draw(runs: Sequence[Run]) -> str:
    """The SVG text; the same runs give the same picture. Raises ValueError where no run was answered."""
    prompts = list(dict.fromkeys(run.prompt_tokens for run in runs))
    levels = [level for level in LEVELS if any(run.level == level.letter for run in runs)]
    most = max((max(run.first_answers()) for run in runs if run.first_answers()), default=0.0)
    if not most:
        raise ValueError("no run was answered; there is nothing to draw")
    high_ms = next((tick for tick in TICKS_MS if tick >= most), TICKS_MS[-1])
    height = TOP + ROW * len(levels) + 44
    title = "Thinking while listening: how long the caller waits"
    parts = [*_frame(title, height), *_names([f"{level.letter}  {level.says}" for level in levels])]
    wide = (WIDTH - LEFT - 20 - GAP * (len(prompts) - 1)) / len(prompts)
    for number, prompt_tokens in enumerate(prompts):
        left = LEFT + number * (wide + GAP)
        panel = _Panel(left, wide, math.log(high_ms / TICKS_MS[0]))
        here = {run.level: run for run in runs if run.prompt_tokens == prompt_tokens}
        parts.append(_text(left, TOP - 22, f"{prompt_tokens:,} tokens of prompt", INK, weight=650))
        parts += panel.grid(height - 44)
        for place, level in enumerate(levels):
            if level.letter in here:
                parts += panel.row(here[level.letter], TOP + place * ROW)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img" font-family="-apple-system, Segoe UI, Inter, Roboto, Helvetica, Arial, sans-serif" '
        f'font-size="13.5"><title>{escape(title)}</title>\n' + "\n".join(parts) + "\n</svg>\n"
    )


class _Panel:
    """One prompt's bars on a logarithmic axis."""

    def __init__(self, left: float, wide: float, span: float) -> None:
        self._left, self._wide, self._span = left, wide, span

    def x(self, ms: float) -> float:
        """Where a time lies; what is quicker than the axis lies at its start, slower at its end."""
        share = math.log(max(ms, TICKS_MS[0]) / TICKS_MS[0]) / self._span
        return round(self._left + self._wide * min(1.0, share), 1)

    def grid(self, bottom: float) -> Iterator[str]:
        """Lines and labels of the axis."""
        for tick in TICKS_MS:
            if math.log(tick / TICKS_MS[0]) <= self._span + 1e-9:
                at = self.x(tick)
                yield f'<path d="M{at} {TOP - 8}V{bottom:.0f}" stroke="{GRID}"/>'
                label = f"{tick} ms" if tick < 1_000 else f"{tick / 1000:g} s"
                anchor = "start" if tick == TICKS_MS[0] else "middle"
                if self.x(tick) < self._left + self._wide - 12 or anchor == "start":
                    yield _text(at, bottom + 16, label, SOFT, size=11.5, anchor=anchor)

    def row(self, run: Run, top: float) -> Iterator[str]:
        """Two bars with their whiskers; the answer's median is written behind its bar."""
        for values, colour, y in ((run.first_sounds(), SOUND, top + 4), (run.first_answers(), ANSWER, top + 19)):
            if not values:
                continue
            middle, slow = self.x(percentile(values, 50)), self.x(percentile(values, 95))
            yield f'<rect x="{self._left:.1f}" y="{y}" width="{middle - self._left:.1f}" height="13" fill="{colour}"/>'
            yield f'<path d="M{middle} {y + 6.5}H{slow}M{slow} {y + 2}v9" stroke="{INK}" stroke-opacity="0.55"/>'
        if answers := run.first_answers():
            label = f"{percentile(answers, 50):,.0f}"
            at = self.x(percentile(answers, 50))
            inside = at - self._left > 46
            place, colour, anchor = (at - 5, PAPER, "end") if inside else (at + 5, INK, "start")
            yield _text(place, top + 30, label, colour, size=12, weight=650, anchor=anchor)


def _frame(title: str, height: float) -> Iterator[str]:
    card = f'x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="13"'
    yield f'<rect {card} fill="{PAPER}" stroke="{LINE}"/>'
    yield _text(20, 32, title, INK, size=17, weight=650)
    yield _text(20, 53, "median from the end of the caller's speech, whisker to the 95th percentile; logarithmic", SOFT)
    for x, says, colour in ((WIDTH - 226, "first sound", SOUND), (WIDTH - 116, "first answer", ANSWER)):
        yield f'<rect x="{x}" y="21" width="12" height="12" rx="2" fill="{colour}"/>'
        yield _text(x + 18, 32, says, SOFT)


def _names(names: Sequence[str]) -> Iterator[str]:
    for place, name in enumerate(names):
        yield _text(20, TOP + place * ROW + 23, name, INK)
        yield f'<path d="M14 {TOP + (place + 1) * ROW - 5}H{WIDTH - 14}" stroke="{GRID}"/>'


def _text(
    x: float, y: float, said: str, colour: str, *, size: float = 13.5, weight: int = 400, anchor: str = "start"
) -> str:
    look = f' font-size="{size:g}"' if size != 13.5 else ""
    look += f' font-weight="{weight}"' if weight != 400 else ""
    look += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{look}>{escape(said)}</text>'
