"""One simulated caller's manner of speaking: which wordings a seed gives it, filled in and cut into clips. Pure."""

from __future__ import annotations

import re
from random import Random

from policies.spoken import say_time

from .goal import DAYS, Goal, Manner, Wish
from .talk_wordings import WORDINGS

__all__ = ["filled", "likely_texts", "phrasebook", "pieces"]

CLOCKS = tuple(f"{hour:02d}:{minute:02d}" for hour in range(8, 18) for minute in (0, 30))


def phrasebook(goal: Goal, seed: int, manner: Manner) -> dict[str, list[str]]:
    """This caller's wordings by kind, chosen by the seed: one request, up to three ways to say anything else."""
    chance = Random(f"{seed} wordings")
    book = {key: chance.sample(texts, min(3, len(texts))) for key, texts in WORDINGS.items()}
    kind: str = goal.kind
    if chance.random() < manner.gives_day_at_once:
        kind += "_day"
        if goal.kind == "book" and goal.part and chance.random() < manner.gives_part:
            kind += "_part"
        elif chance.random() < manner.hesitates:
            kind = f"{goal.kind}_hesitating"
        elif goal.kind == "book" and chance.random() < manner.corrects_itself / max(1e-6, 1 - manner.hesitates):
            kind = "book_corrected"
    wrong = chance.choice([day for day in DAYS if day != goal.day])
    request = chance.choice(WORDINGS[kind])
    return {f"request {kind}": [request.replace("{wrong}", wrong)], **book}


def filled(wording: str, wish: Wish, goal: Goal) -> str:
    """The wording with its slots filled."""
    time = say_time(wish.time) if wish.time is not None else "any time"
    return wording.format(day=wish.day, part=goal.part or "morning", time=time, name=wish.name, wrong="")


def likely_texts(goal: Goal, seed: int, manner: Manner) -> list[str]:
    """What this caller says in a call that goes well, pauses taken out, for every time that may be offered.

    Corrections and second thoughts are left out: there are too many of them to make before each call.
    """
    found: dict[str, None] = {}
    unlikely = set("time accept part barge_part".split() if goal.kind == "cancel" else ())
    unlikely |= set() if goal.part else {"part", "barge_part"}
    for key, variants in phrasebook(goal, seed, manner).items():
        if not (key in _LIKELY or key.startswith("request ")) or key in unlikely:
            continue
        clocks = [clock for clock in CLOCKS if goal.part is None or (clock < "12:00") == (goal.part == "morning")]
        # second and third wordings are for repetitions, and times are many
        for wording in variants[: 1 if "{time}" in variants[0] else 2]:
            for clock in clocks if "{time}" in wording else clocks[:1]:
                said = filled(wording, Wish(goal.kind, goal.day, goal.name, clock), goal)
                found.update(dict.fromkeys(text for text, _ in pieces(said)))
    return list(found)


_LIKELY = frozenset("day part time accept name yes thanks_bye backchannel barge_name barge_part".split())


def pieces(said: str) -> list[tuple[str, int]]:
    """(text, pause before it in ms) of a wording with ``[700]`` pauses."""
    parts = re.split(r"\[(\d+)\]", said)
    pauses = [0, *map(int, parts[1::2])]
    return [(text.strip(), pause) for text, pause in zip(parts[::2], pauses, strict=True) if text.strip()]
