"""How well the model knows that a caller has finished: the probability of ``<turn>`` after each heard word.

    python -m policies.learned.train.turn_ends --model policies/learned/core/weights/boxed --calls 100

At every word of held-out callers the next token is ``<turn>`` or it is not. Two figures come out: how well the score
ranks true ends above all other words, and above the places where the caller paused in mid-turn, which is where it is
asked in a call; and a table of said against true probability. Plain text, no pause lengths: the runtime joins the two.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train.dialogue import Call, Line, expert_call
from policies.learned.train.heldout import HELDOUT
from policies.trajectory import Role

__all__ = ["TurnPoint", "main", "ranking", "reliability", "turn_points"]


@dataclass(frozen=True, slots=True)
class TurnPoint:
    """One place after a heard word. `score`: probability of ``<turn>``; `ended`: the turn was over there; `paused`:
    the caller stopped speaking there, for good or in mid-turn."""

    score: float
    ended: bool
    paused: bool


def turn_points(model: CoreModel, tokenizer: Tokenizer, call: Call) -> Iterator[TurnPoint]:
    """All places after a heard word of one call, from one pass over its stream."""
    ids: list[int] = []
    places: list[tuple[int, bool, bool]] = []
    segments = call.segments
    for index, segment in enumerate(segments):
        ids.append(tokenizer.special[str(segment.role)])
        words = segment.text.split()
        for count, word in enumerate(words, 1):
            ids += tokenizer.encode(" " + word)
            if segment.role is Role.HEARD:
                last = count == len(words)
                places.append((len(ids) - 1, last and segments[index + 1].role is Role.TURN, last))
        if segment.close is not None:
            ids.append(tokenizer.special[str(segment.close)])
    logits = model.extend_all(model.new_cache(), ids[: model.config.max_position_embeddings])
    logits -= logits.max(1, keepdims=True)
    scores = np.exp(logits[:, tokenizer.special[str(Role.TURN)]]) / np.exp(logits).sum(1)
    for at, ended, paused in places:
        if at < len(scores):
            yield TurnPoint(float(scores[at]), ended, paused)


def ranking(points: Sequence[TurnPoint]) -> float:
    """The chance that a true end scores above another point (area under the ROC curve); ties count half."""
    scores = np.array([point.score for point in points])
    ended = np.array([point.ended for point in points])
    if ended.all() or not ended.any():
        raise ValueError(f"{len(points)} points are all {'ends' if ended.any() else 'no ends'}; both kinds are needed")
    values, places = np.unique(scores, return_inverse=True)
    counts = np.bincount(places, minlength=len(values))
    ranks = np.cumsum(counts) - (counts - 1) / 2
    ends = int(ended.sum())
    return float((ranks[places][ended].sum() - ends * (ends + 1) / 2) / (ends * (len(points) - ends)))


def reliability(points: Sequence[TurnPoint], bins: int = 5) -> list[tuple[float, float, int]]:
    """(mean score, share of true ends, points) in equal steps of score; empty steps are left out."""
    rows = []
    for low in range(bins):
        inside = [point for point in points if min(int(point.score * bins), bins - 1) == low]
        if inside:
            said = sum(point.score for point in inside) / len(inside)
            rows.append((said, sum(point.ended for point in inside) / len(inside), len(inside)))
    return rows


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m policies.learned.train.turn_ends", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--model", required=True, help="folder with config.json, model.safetensors and tokenizer.json")
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--errors", type=float, default=0.0, help="word error rate, 0 to 1")
    options = parser.parse_args(arguments)
    model, tokenizer = CoreModel.load(Path(options.model)), Tokenizer.load(options.model)
    points = [
        point
        for seed in range(options.calls)
        for point in turn_points(
            model, tokenizer, expert_call(Random(10**6 + seed), wordings=HELDOUT, line=Line(options.errors, thoughts=0))
        )
    ]
    paused = [point for point in points if point.paused]
    print(f"{len(points)} words, {sum(point.ended for point in points)} ends, {len(paused)} pauses")
    print(f"ends above all other words: {ranking(points):.3f}; above pauses in mid-turn: {ranking(paused):.3f}")
    for said, true, count in reliability(points):
        print(f"  said {said:.2f}  true {true:.2f}  ({count} words)")


if __name__ == "__main__":
    main()
