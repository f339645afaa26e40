"""The caller with a goal: understands what it is asked, corrects, and ends with the calendar it wished for."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runtime.clock import run_virtual, stopwatch
from agent_runtime.events import UtteranceEnded, UtteranceHeard, UtteranceStarted
from agent_runtime.labels import Labels
from agent_runtime.record import Entry
from agent_runtime.testing import (
    Goal,
    GoalCaller,
    Manner,
    Wish,
    calendar_as_wished,
    generate_caller,
    goal_of,
)
from agent_runtime.testing.goal import DAYS, NAMES
from agent_runtime.testing.phrasebook import likely_texts, pieces
from agent_runtime.testing.questions import named_day, offered_times, open_offers, question_of, sentence_with
from agent_runtime.testing.synthesis import available
from agent_runtime.testing.talk_wordings import WORDINGS
from policies.spoken import find_times, read_time, say_time

RATE = 16_000
FREE = {"monday": ["09:00", "10:30", "14:00"], "tuesday": [], "wednesday": ["08:00", "15:30"], "friday": ["11:00"]}
BOOKED = [("thursday", "baker")]


class Desk:
    """A front desk of rules with perfect hearing: enough to see whether a caller can be talked to."""

    def __init__(self, mishears: float = 0.0, seed: int = 0) -> None:
        self.day: str | None = None
        self.time: str | None = None
        self.name: str | None = None
        self.part: str | None = None
        self.kind = "book"
        self.question, self.only = "intent", ""
        self.written: list[tuple[str | None, ...]] = []
        self._mishears, self._chance = mishears, Random(seed)

    def reply(self, heard: str) -> str:
        words = heard.replace(",", " ").split()
        days = [word for word in words if word in DAYS]
        if days:
            wrong = self._chance.random() < self._mishears
            self.day, self.time = (self._chance.choice(DAYS) if wrong else days[-1]), None
        parts = [word for word in words if word in ("morning", "afternoon") and "good morning" not in heard]
        self.part = parts[-1] if parts else self.part
        times = [read_time(found) for found in find_times(" ".join(words))]
        self.time = times[-1] if times else self.time
        names = [word for word in words if word in (*NAMES, "baker")]
        if names:
            self.name = self._chance.choice(NAMES) if self._chance.random() < self._mishears else names[-1]
        if self.question == "intent":
            self.kind = "cancel" if re.search("cancel|can't make it", heard) else "book"
        yes = bool(re.match("(yes|yeah|sure|that's correct|that's right)", heard))
        if self.question == "single" and yes:
            self.time = self.only
        if self.question == "anything":
            return "thank you for calling. goodbye."
        if self.question == "readback" and yes and not (days or times or names):
            self.written.append((self.kind, self.day, self.time, self.name))
            return self.ask("anything", "done. is there anything else?")
        return self.next()

    def next(self) -> str:
        if self.day is None:
            return self.ask("day", "which day suits you?")
        if self.kind == "book" and self.time is None:
            free = [t for t in FREE.get(self.day, []) if self.part is None or (t < "12:00") == (self.part == "morning")]
            if not free:
                full, self.day, self.part = self.day, None, None
                return self.ask("day", f"sorry, {full} is full. which other day suits you?")
            if len(free) == 1:
                self.only = free[0]
                return self.ask("single", f"on {self.day} i only have {say_time(free[0])}. does that suit you?")
            listed = ", ".join(say_time(time) for time in free[:-1]) + " or " + say_time(free[-1])
            return self.ask("offer", f"on {self.day} i have {listed}. which one suits you?")
        if self.name is None:
            return self.ask("name", "what name is it for?")
        if self.kind == "cancel":
            return self.ask("readback", f"so i cancel the visit on {self.day} for {self.name}, is that right?")
        when = f"{self.day} at {say_time(self.time or '')}"
        return self.ask("readback", f"so that is {when} for {self.name}, is that right?")

    def ask(self, question: str, text: str) -> str:
        self.question = question
        return text


async def converse(caller: GoalCaller, desk: Desk) -> None:
    """The desk answers 0.3 s after each turn of the caller; backchannels and barge-ins do not disturb it."""
    loop = asyncio.get_running_loop()
    spoken = 0

    async def say(text: str) -> None:
        nonlocal spoken
        spoken += 1
        caller.watch(Entry(1, 0, 0, UtteranceStarted(spoken, round(loop.time() * RATE))))
        await asyncio.sleep(0.06 * len(text))
        now = round(loop.time() * RATE)
        caller.watch(Entry(1, 0, 0, UtteranceHeard(spoken, 1, True, text)))
        caller.watch(Entry(1, 0, 0, UtteranceEnded(spoken, now, "played")))

    async def answer() -> None:
        heard = 0
        await say("good morning, riverside clinic. how can i help?")
        while True:
            await asyncio.sleep(0.1)
            turns = [turn for turn in caller.labels().turns if turn.kind != "backchannel"]
            if len(turns) > heard and loop.time() * RATE > turns[-1].last_sample + 0.3 * RATE:
                text = " ".join(turn.text for turn in turns[heard:])
                heard = len(turns)
                await say(desk.reply(text))

    async with asyncio.TaskGroup() as group:
        desk_task = group.create_task(answer())
        async for _ in caller.listen_words():
            pass
        desk_task.cancel()


def played(caller: GoalCaller, desk: Desk) -> Labels:
    run_virtual(converse(caller, desk))
    return caller.labels()


@pytest.mark.parametrize("seed", range(8))
def test_a_caller_gets_what_it_wants_from_a_desk_that_hears_well(seed: int) -> None:
    caller = generate_caller(seed, booked=BOOKED)
    desk = Desk()
    labels = played(caller, desk)
    wish = caller.wish
    assert wish.complete
    assert desk.written == [(wish.kind, wish.day, wish.time, wish.name)]
    assert labels.turns[-1].text.split()[-1] in ("goodbye", "bye", "much", "you")


@pytest.mark.parametrize("seed", range(8))
def test_what_is_misheard_is_put_right_before_it_is_written(seed: int) -> None:
    caller = generate_caller(seed, booked=BOOKED)
    desk = Desk(mishears=0.3, seed=seed)
    played(caller, desk)
    assert desk.written in ([], [(caller.wish.kind, caller.wish.day, caller.wish.time, caller.wish.name)])


def test_the_same_seed_is_the_same_call() -> None:
    assert played(generate_caller(5), Desk()) == played(generate_caller(5), Desk())
    texts = {tuple(turn.text for turn in played(generate_caller(seed), Desk()).turns) for seed in range(12)}
    assert len(texts) == 12


def test_callers_hesitate_correct_themselves_hum_and_barge_in() -> None:
    kinds, pauses = set(), 0
    for seed in range(12):
        labels = played(generate_caller(seed, manner=Manner(hums=1.0, barges_in=1.0, hesitates=1.0)), Desk())
        kinds |= {turn.kind for turn in labels.turns}
        assert sum(turn.kind == "barge_in" for turn in labels.turns) <= 1
        assert sum(turn.kind == "backchannel" for turn in labels.turns) <= 2
        pauses += sum(len(turn.segments) > 1 for turn in labels.turns)
    assert kinds == {"turn", "backchannel", "barge_in"}
    assert pauses > 3


def test_a_calm_caller_only_takes_turns() -> None:
    labels = played(generate_caller(1, manner=Manner(hums=0.0, barges_in=0.0)), Desk())
    assert {turn.kind for turn in labels.turns} == {"turn"}


def test_nobody_is_called_for_ever() -> None:
    class Deaf(Desk):
        def reply(self, heard: str) -> str:
            return "sorry, i did not catch that. which day suits you?"

    caller = generate_caller(3)
    labels = played(caller, Deaf())
    assert caller.wish.kind == "none"
    assert not caller.wish.complete
    assert labels.turns[-1].text in WORDINGS["give_up"]


def test_ten_calls_of_words_cost_little() -> None:
    took = stopwatch()
    for seed in range(10):
        played(generate_caller(seed), Desk())
    assert took() < 3.0


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("good morning, riverside clinic. how can i help?", "intent"),
        ("sure. which day suits you?", "day"),
        ("on wednesday i have eight, ten thirty or eleven. which one suits you?", "offer"),
        ("on friday i only have ten. does that suit you?", "single"),
        ("sorry, wednesday is full. which other day suits you?", "other_day"),
        ("ten thirty, good. what name is it for?", "name"),
        ("so that is wednesday at ten thirty for miller, is that right?", "readback"),
        ("sorry. what should i change?", "change"),
        ("done. you are booked on monday at nine. is there anything else?", "anything"),
        ("thank you for calling. goodbye.", "bye"),
        ("are you still there?", "here"),
        ("are you still there? what is your name?", "name"),
        ("sorry, i did not catch that. which day is it?", "day"),
        ("sorry, could you say that again?", "pardon"),
        ("let me look.", None),
        ("", None),
    ],
)
def test_questions_are_told_apart(text: str, question: str | None) -> None:
    assert question_of(text) == question


def test_times_days_and_sentences_of_the_agent() -> None:
    offer = "on friday i have eight, ten thirty or two thirty. which one?"
    assert offered_times(offer) == ["08:00", "10:30", "14:30"]
    assert open_offers("sorry, five was just taken. i still have one or four thirty. which one?") == ["13:00", "16:30"]
    assert named_day("not monday but Friday.") == "friday"
    assert named_day("which one?") is None
    both = "sorry, i had ten. so that is friday at nine for miller, is that right?"
    assert sentence_with(both, "readback") == "so that is friday at nine for miller, is that right?"
    assert sentence_with("friday at nine for miller. is that right?", "readback").startswith("friday")


def test_the_wished_calendar() -> None:
    rows = [("friday", "d", "09:00", None), ("friday", "d", "10:00", "lee"), ("monday", "e", "09:00", None)]
    booked = calendar_as_wished(rows, Wish("book", "friday", "miller", "09:00"))
    assert booked == [("friday", "d", "09:00", "miller"), *rows[1:]]
    assert calendar_as_wished(rows, Wish("book", "friday", "miller", "10:00")) == rows
    assert calendar_as_wished(rows, Wish("book", "friday", "miller")) == rows
    assert calendar_as_wished(rows, Wish("cancel", "friday", "lee"))[1] == ("friday", "d", "10:00", None)
    assert calendar_as_wished(rows, Wish("none", "friday", "lee")) == rows


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_goals_and_texts_of_any_seed_are_speakable(seed: int) -> None:
    goal = goal_of(seed, booked=BOOKED)
    assert goal.day in DAYS
    assert goal.day not in goal.other_days
    assert goal.kind == "book" or (goal.day, goal.name) in BOOKED
    for text in likely_texts(goal, seed, Manner()):
        assert re.fullmatch(r"[a-z',.? -]+", text), text


def test_pauses_stand_between_pieces() -> None:
    assert pieces("on, um [700] monday [500] please") == [("on, um", 0), ("monday", 700), ("please", 500)]


def test_a_caller_with_a_voice(tmp_path: Path) -> None:
    if (reason := available("flite-slt")) is not None:
        pytest.skip(reason)
    caller = GoalCaller(Goal("cancel", "thursday", "baker"), 4, voice="flite-slt", cache=tmp_path)

    async def main() -> int:
        loud = 0
        async for block in caller.listen():
            loud += int(abs(block.pcm).max() > 1000)
            if block.first_sample == 0:
                caller.watch(Entry(1, 0, 0, UtteranceStarted(1, 0)))
                caller.play(block.pcm + 3000, 0)
                caller.watch(Entry(1, 0, 0, UtteranceHeard(1, 320, True, "how can i help?")))
        return loud

    assert run_virtual(main()) > 50
    assert caller.labels().turns[0].text.count("cancel") == 1
