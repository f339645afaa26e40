"""The callers of `bench thinking`: closed-loop scripts of words, one for each seed, with what each turn is about.

They hesitate, correct themselves, barge in and hum, wait for the answer to what they asked, and repeat nothing unless
they get none. Nearly half of their turns hold what matters in the last word, so that no answer can be known before.
Words and their lengths differ by seed. It refuses to know the agent but for what it is heard to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from ..testing.caller import ScriptedCaller
from ..testing.clips import Clip, Word
from ..testing.goal import DAYS, NAMES
from ..testing.script import CallerScript, Kind, Line, Segment, after_turn, hang_up, into_turn, says
from .thinking_work import SERVICES

__all__ = ["Asked", "BenchCaller", "bench_caller"]

PATIENCE_S = 12.0
"""Silence after which the caller asks again: longer than the slowest answer of the slowest level (8,000 tokens read
twice without a cache take 8 s each), so that no level is measured on an impatient caller."""

Matter = Literal["slot", "tail", "hesitation", "correction", "early", "answer", "overlap"]
"""What decides the answer: the last word; a word before a tail ("please"); the word behind a pause of 700 ms; the last
of two values; a value in the first half; a plain yes; or the turn barges in."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One turn of a script. `tool`: what it takes to answer it, nothing if empty."""

    name: str
    matter: Matter
    text: str
    tool: str = ""
    pause_ms: int = 0
    """The hesitation where the text has a ``/``."""
    kind: Kind = "turn"
    answered: str = ""
    """What the agent says when it has answered this turn."""

    @property
    def slot_last(self) -> bool:
        """The word that decides the answer is the last one."""
        return self.matter in ("slot", "hesitation", "correction")


class BenchCaller(ScriptedCaller):
    """A caller of the bench; `asked`: its turns by the name of their line."""

    def __init__(self, lines: list[Line], asked: Mapping[str, Asked]) -> None:
        super().__init__(CallerScript(lines))
        self.asked = asked

    def asked_at(self) -> dict[int, Asked]:
        """First sample of each line said so far -> the turn that began there."""
        return {first: self.asked[name] for name, first in self.said if name in self.asked}


def bench_caller(seed: int, first: int | None = None) -> BenchCaller:
    """The caller of a seed. `first`: which of the four first turns it says, by default the seed's own."""
    chance = Random(f"{seed} thinking")
    pace = chance.uniform(0.85, 1.15)
    turns = _turns(chance, seed, seed if first is None else first)
    lines: list[Line] = []
    before = "help"
    for number, asked in enumerate(turns):
        wait_s = chance.uniform(0.35, 0.9)
        trigger = after_turn(wait_s, when=says(before))
        if asked.kind != "turn":
            trigger = into_turn(chance.uniform(1.6, 2.2))
        segments = tuple(
            Segment(_clip(part, pace), asked.pause_ms if place else 0)
            for place, part in enumerate(asked.text.split("/"))
        )
        lines.append(Line(f"{number} {asked.name}", trigger, segments, asked.kind, optional=asked.kind != "turn"))
        before = asked.answered or before
    lines.append(hang_up(after_turn(0.5, when=says("goodbye"))))
    again = Segment(_clip("sorry can you say that again", pace))
    lines.append(Line("again", after_turn(PATIENCE_S), (again,), standing=True, times=3))
    return BenchCaller(lines, {line.name: asked for line, asked in zip(lines, turns, strict=False)})


def _turns(chance: Random, seed: int, first: int) -> list[Asked]:
    """What the caller of a seed says, in order."""
    day, other = chance.sample(DAYS, 2)
    name, service = chance.choice(NAMES), chance.choice(SERVICES)
    hello = chance.choice(("hello", "good morning", "hi there"))
    wish = chance.choice(("i would like to come in", "i need to see somebody", "i want to make an appointment"))
    free = "which one would you like"
    finds = (
        Asked("find", "slot", f"{chance.choice(('is there anything free on', 'what do you have on'))} {day}", "find"),
        Asked("find", "early", f"on {day} {wish} some time in the morning if that is at all possible please", "find"),
        Asked("find", "hesitation", f"{wish} let me think maybe on/{day}", "find", 700),
        Asked("find", "correction", f"{wish} on {other} no sorry on {day}", "find"),
    )
    openings = (
        Asked("first", "slot", f"{hello} {wish} before long and my name is {name}", answered="which day"),
        Asked("first", "tail", f"{hello} could you tell me how long you are open on normal days please",
              answered="which day"),
        Asked("first", "early", f"{hello} {wish} on {other} in the morning if that is at all possible please", "find",
              answered=free),
        Asked("first", "slot", f"{hello} could you tell me how long people wait at present for a {service}", "waiting",
              answered="anything else"),
    )  # fmt: skip
    over = (
        Asked("hum", "overlap", "mm-hm", kind="backchannel"),
        Asked("barge in", "overlap", "sorry how much does it cost", kind="barge_in", answered="costs you nothing"),
        Asked("attention", "overlap", "i see", kind="backchannel"),
    )[seed % 3]
    found, nth = finds[(seed // 4 + seed) % 4], chance.randrange(2)
    return [
        openings[first % 4],
        Asked("bring", "tail", "and what do i have to bring along please", answered="how much of it you take"),
        over,
        Asked("other day", "slot", f"and what would you have on {other}", "find", answered=free),
        Asked("waiting", "slot", f"how long do people wait for a {service}", "waiting", answered="anything else"),
        Asked(found.name, found.matter, found.text, found.tool, found.pause_ms, answered=free),
        Asked("time", "slot", f"then please write me down for {_TIMES[day][nth]}",
              answered="what name" if first % 4 else "is that right"),
        *([Asked("name", "slot", f"my name is {name}", answered="is that right")] if first % 4 else []),
        Asked("yes", "answer", "yes that is right", "book", answered="is there something else"),
        Asked("park", "tail", "could you tell me where i can park please", answered="what else would you like"),
        Asked("bye", "answer", "no thank you that is all goodbye", answered="goodbye"),
    ]  # fmt: skip


_TIMES = {
    "monday": ("nine", "two"),
    "tuesday": ("ten thirty", "three thirty"),
    "wednesday": ("ten thirty", "two"),
    "thursday": ("nine thirty", "four"),
    "friday": ("eleven", "one thirty"),
}


def _clip(text: str, pace: float) -> Clip:
    """Words without sound: 65 ms a letter and 60 ms besides, times `pace`."""
    words: list[Word] = []
    now = 0
    for word in text.split():
        end = now + round((0.06 + 0.065 * sum(sign.isalpha() for sign in word)) * pace * 16_000)
        words.append(Word(word, now, end))
        now = end
    return Clip(text, tuple(words), now)
