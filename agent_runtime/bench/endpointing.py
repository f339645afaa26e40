"""The price of quick turn ends: silence asked at the end of turns against pauses inside of them taken for ends.

Three ways of deciding stand side by side, each with one knob from hasty to patient, so that a curve comes out and not
one point of it: the same silence everywhere; the words alone; words, the core model's score and the caller's pause
habit, as shipped. The decisions are `policies.endpointing.decide`'s.

Words and scores come from callers of held-out wordings as the language model reads them, one whole stream a call.
Simulated words have no pause lengths: those inside turns are drawn, seeded, from a log-normal whose median and 80th
percentile are those of the one recorded call at hand (0.68 and 0.96 s, n = 26, see `PauseHabit`), times a factor a
caller, so that there is a habit to learn. So the shares hold for such pauses and the curves compare ways, not worlds.
A recording brings true lengths (`recorded`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from policies.endpointing import EndpointSettings, Pause, PauseHabit, decide, share_of_end
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.dialogue import Line, expert_call
from policies.learned.train.heldout import HELDOUT
from policies.trajectory import Role, Segment

from ..boxed import BOXED_MODEL
from .figure import percentile

__all__ = [
    "WAYS",
    "Curve",
    "Place",
    "Point",
    "curves",
    "picture",
    "places_of",
    "simulated",
    "simulated_callers",
]

MEDIAN_MS, SPREAD = 680.0, 0.41
"""Pauses inside turns: log-normal with median 680 ms; 0.41 puts the 80th percentile at 960 ms."""
SPEAKER_SPREAD = 0.25
"""Spread (log) of the factor that makes one caller slower than another. A guess."""
FIRST_SEED = 2_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a caller fell silent: at the end of a turn, or for `pause_ms` inside of one."""

    caller: int
    words: tuple[str, ...]
    expects: str
    p_over: float | None
    pause_ms: float | None
    """None: the turn was over there."""


@dataclass(frozen=True, slots=True)
class Point:
    """One setting of the knob: what it costs and what it saves."""

    knob: float
    gap_p50_ms: float
    gap_p95_ms: float
    cut_in_share: float


@dataclass(frozen=True, slots=True)
class Curve:
    """One way of deciding, from hasty to patient. `ends` and `pauses`: how many places of each kind were judged."""

    way: str
    ends: int
    pauses: int
    points: tuple[Point, ...]


Asks = Callable[[Place, PauseHabit, float], float]
"""Milliseconds of silence asked at a place, given the caller's habit so far and the knob."""


def _fixed(place: Place, habit: PauseHabit, knob: float) -> float:
    return knob


def _asked(place: Place, settings: EndpointSettings, *, p_over: float | None, habit: PauseHabit) -> float:
    verdict = decide(Pause(0, place.words, True, p_over, place.expects, habit), settings)
    return float(verdict.scores["needed_ms"])


def _words_only(place: Place, habit: PauseHabit, knob: float) -> float:
    """The knob moves the words' log odds: an even score that weighs nothing lets `caution` in."""
    settings = EndpointSettings(word_weight=1.0, model_weight=0.0, caution=knob, habit_most_ms=0.0)
    return _asked(place, settings, p_over=0.5, habit=PauseHabit())


def _all(place: Place, habit: PauseHabit, knob: float) -> float:
    return _asked(place, EndpointSettings(caution=knob), p_over=place.p_over, habit=habit)


_SHIFTS = tuple(float(value) for value in np.arange(-4.0, 5.01, 0.5))
WAYS: dict[str, tuple[Asks, tuple[float, ...]]] = {
    "fixed silence": (_fixed, tuple(float(value) for value in range(100, 1_501, 100))),
    "words": (_words_only, _SHIFTS),
    "words, model and habit": (_all, _SHIFTS),
}
"""Name -> how it asks, and the values of its knob: milliseconds, then shifts in log odds."""


def curves(places: Sequence[Place]) -> list[Curve]:
    """A curve for each way over the same places, a caller's in order. Raises ValueError where a kind is missing."""
    ends = sum(place.pause_ms is None for place in places)
    if not ends or ends == len(places):
        raise ValueError(f"{ends} of {len(places)} places are ends of turns; both kinds are needed")
    return [
        Curve(way, ends, len(places) - ends, tuple(_point(places, asks, knob) for knob in knobs))
        for way, (asks, knobs) in WAYS.items()
    ]


def _point(places: Sequence[Place], asks: Asks, knob: float) -> Point:
    gaps: list[float] = []
    cut = pauses = 0
    habits: dict[int, PauseHabit] = {}
    for place in places:
        habit = habits.get(place.caller, PauseHabit())
        asked = asks(place, habit, knob)
        if place.pause_ms is None:
            gaps.append(asked)
            continue
        pauses += 1
        if asked < place.pause_ms:
            cut += 1  # the floor was taken: the runtime learns nothing of how long the pause would have been
        else:
            habits[place.caller] = habit.seen(place.pause_ms)
    return Point(knob, percentile(gaps, 50), percentile(gaps, 95), cut / pauses)


def simulated(model: CoreModel, tokenizer: Tokenizer, calls: int, *, errors: float = 0.05) -> list[Place]:
    """The pauses of `calls` held-out callers of the front desk; `errors`: share of misheard words."""
    found: list[Place] = []
    for number in range(calls):
        chance = Random(FIRST_SEED + number)
        call = expert_call(Random(FIRST_SEED + number), wordings=HELDOUT, line=Line(errors, thoughts=0))
        slowness = chance.lognormvariate(0, SPEAKER_SPREAD)
        for place in places_of(model, tokenizer, call.segments, number):
            drawn = MEDIAN_MS * slowness * chance.lognormvariate(0, SPREAD)
            found.append(place if place.pause_ms is None else replace(place, pause_ms=round(drawn)))
    return found


def simulated_callers(calls: int) -> list[Place]:
    """`simulated` with the model in the box."""
    return simulated(CoreModel.load(BOXED_MODEL), Tokenizer.load(BOXED_MODEL), calls)


def places_of(model: CoreModel, tokenizer: Tokenizer, segments: Iterable[Segment], caller: int = 0) -> Iterator[Place]:
    """Where the caller of a stream fell silent, from one pass of the model; pauses inside turns are given 0 ms."""
    turn_id, heard_id = tokenizer.special[str(Role.TURN)], tokenizer.special[str(Role.HEARD)]
    ids: list[int] = []
    marks: list[tuple[int, tuple[str, ...], str, bool]] = []
    words: tuple[str, ...] = ()
    expects = ""
    stream = list(segments)
    for at, segment in enumerate(stream):
        ids.append(tokenizer.special[str(segment.role)])
        for word in segment.text.split():
            ids += tokenizer.encode(" " + word)
        if segment.role is Role.HEARD:
            words += tuple(segment.text.split())
            over = at + 1 < len(stream) and stream[at + 1].role is Role.TURN
            marks.append((len(ids) - 1, words, expects, over))
        elif segment.role is Role.TURN:
            words = ()
        elif segment.role is Role.EXPECT:
            expects = segment.text
        if segment.close is not None:
            ids.append(tokenizer.special[str(segment.close)])
    logits = model.extend_all(model.new_cache(), ids[: model.config.max_position_embeddings])
    for place, said, expected, over in marks:
        if place < len(logits) and said:
            likely = np.exp(logits[place] - logits[place].max())
            likely /= likely.sum()
            p_over = share_of_end(float(likely[turn_id]), float(likely[heard_id]))
            yield Place(caller, said, expected, p_over, None if over else 0.0)


# --- the picture -------------------------------------------------------------------------------------------------

COLOURS = {"fixed silence": "#8a8f94", "words": "#b3631b", "words, model and habit": "#1f6f8b"}


def picture(found: Sequence[Curve], title: str, width: int = 720, height: int = 380) -> str:
    """The curves as SVG: median silence at turn ends (to the right: slower) over the share of cut-ins."""
    left, top, right, bottom = 56, 34, width - 16, height - 42
    most_ms = 1_000.0

    def x(gap_ms: float) -> float:
        return left + (right - left) * min(gap_ms, most_ms) / most_ms

    def y(share: float) -> float:
        return bottom - (bottom - top) * share

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
        f'<text x="{left}" y="{top - 16}">{title}</text>',
        f'<text x="{right}" y="{bottom + 34}" text-anchor="end">silence asked at the end of a turn, median, ms</text>',
    ]
    for percent in (0, 20, 40, 60, 80, 100):
        lines.append(f'<path d="M{left} {y(percent / 100):.1f}H{right}" stroke="#e5e7e9"/>')
        lines.append(f'<text x="{left - 8}" y="{y(percent / 100) + 4:.1f}" text-anchor="end">{percent} %</text>')
    for gap_ms in range(0, int(most_ms) + 1, 200):
        lines.append(f'<text x="{x(gap_ms):.1f}" y="{bottom + 18}" text-anchor="middle">{gap_ms}</text>')
    for row, curve in enumerate(found):
        colour = COLOURS[curve.way]
        inside = [point for point in curve.points if math.isfinite(point.gap_p50_ms) and point.gap_p50_ms <= most_ms]
        places = [f"{x(point.gap_p50_ms):.1f},{y(point.cut_in_share):.1f}" for point in inside]
        lines.append(f'<polyline points="{" ".join(places)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        lines += [
            f'<circle cx="{place.split(",")[0]}" cy="{place.split(",")[1]}" r="2.5" fill="{colour}"/>'
            for place in places
        ]
        label = f"{curve.way} ({curve.ends} ends, {curve.pauses} pauses)"
        lines.append(f'<text x="{right}" y="{top + 4 + 18 * row}" text-anchor="end" fill="{colour}">{label}</text>')
    return "\n".join([*lines, "</svg>", ""])
