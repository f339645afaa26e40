"""The caller that plays a hand-written entry: one person in one call, answering each thing the agent said.

It keeps the rules of `simulator.Caller`: it hears the agent's words only, corrects a wrong read-back, agrees to nothing
but its own goal and remembers what it agreed to. What it may say is written down; this file decides which sentence
answers, and refuses to know how it is understood.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from policies.learned.train.appointments import Visit
from policies.learned.train.dialogue import Call, new_call
from policies.learned.train.handwritten_entries import ORDINALS, Entry, placeholders, tagged
from policies.learned.train.questions import question_in
from policies.learned.train.simulator import Caller, Utterance
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, Word, parse_times, part_of
from policies.learned.train.wordings import TRAINED

__all__ = ["PATIENCE", "HandCaller", "new_hand_call"]

PATIENCE = 22
"""Answers before a caller hangs up, a guess. The expert needs 2 to 12, asides and full days included (300 calls)."""
_ASIDE_AT = frozenset({"day", "offer", "single", "readback", "anything"})
"""Not at the name: there anything unknown may be one."""
_TITLES = "mr|mrs|ms|miss|doctor"


@dataclass(slots=True)
class HandCaller(Caller):
    """One entry in one call. `aside_at`: say the aside at this question, else anywhere in a call; `visit_day`: under
    which day a visit to cancel really stands; `judged`: asides with what was answered; `misread`: slots read back
    wrongly and how often; `wrong`: those of the last read-back, with what was heard; `mistaken`: how often the
    agent was about the other task; `unheard`: how often running it did not understand."""

    entry: Entry = field(kw_only=True)
    asides: list[str] = field(default_factory=list)
    aside_at: str = ""
    asks_hours: bool = False
    visit_day: str = ""
    aside: str = ""
    judged: list[tuple[str, str]] = field(default_factory=list)
    misread: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, str] = field(default_factory=dict)
    mistaken: int = 0
    unheard: int = 0
    gave_up: bool = False
    refused: bool = False
    wavered: bool = False
    used: Counter[str] = field(default_factory=Counter)

    def greet(self) -> Utterance:
        """The first turn: the request in the caller's own words."""
        return self._aside_turn() if self.aside_at == "intent" else self._intent()

    def answer(self, text: str, *, cut: bool = False) -> Utterance:
        """What the caller says to `text`, all of it that was heard. `cut`: the caller breaks in after it."""
        asided = bool(self.aside)
        if asided:  # `pending` is set where the agent stayed silent
            self.judged.append((self.aside, "" if self.pending else text))
        self.aside = self.pending = ""
        self.patience -= 1
        kind = self._question(text, cut)
        if self.patience <= 0 or kind == "bye":
            self.gave_up = self.gave_up or kind != "bye"
            return Utterance((Word("goodbye", "bye"),), "bye", ends=True)
        self.last = kind
        if self.asides and self._is_time_for_an_aside(kind):
            return self._aside_turn()
        if self.asks_hours and (kind == "anything" or (kind in {"day", "offer"} and self.rng.random() < 0.5)):
            self.asks_hours = False
            return self._say_of("hours", "hours", act="hours")
        unheard = "did not" in text or "still there" in text or "slowly" in text
        self.unheard = self.unheard + 1 if unheard and not asided else 0
        reply = self._to(kind, text)
        if "please say just" in text:
            return self._bare_answer(kind, reply)
        if self.unheard != 1:
            return reply
        return Utterance((*self._say_of("clarify", "repeat").words, *reply.words), reply.act, reply.ends)

    def _question(self, text: str, cut: bool) -> str:
        kind = self.last_question(text) if cut else question_in(text)
        if "is now full" in text:
            return "full"
        if kind == "there":
            kind = question_in(text.replace("still there", ""))
        return kind or self.last

    def _is_time_for_an_aside(self, kind: str) -> bool:
        if self.aside_at:
            return self.aside_at == {"single": "offer"}.get(kind, kind)
        return kind == "anything" or (kind in _ASIDE_AT and self.rng.random() < 0.35)

    def _aside_turn(self) -> Utterance:
        self.aside = self.asides.pop(0)
        return Utterance(tuple(map(Word, self.aside.split())), "other")

    def _to(self, kind: str, text: str) -> Utterance:
        goal = self.goal
        days = [day for day in DAYS if day in text]
        if self.done and kind in {"anything", "intent"}:
            return self._say_of("anything", "bye", act="nothing_else")
        if kind in {"full", "offer", "single"} and (goal.kind == "cancel" or (days and goal.day not in days)):
            return self._other_task() if goal.kind == "cancel" else self._correct("readback_wrong", {"day": days[0]})
        if kind == "full" or (kind == "day" and ("other day" in text or "another day" in text)):
            return self._another_day()
        if kind == "day":
            moved = goal.day != self.entry.goal.day
            return self._say_of(("full" if goal.kind == "book" else "missing") if moved else "day", "day")
        if kind == "missing":
            if goal.kind == "book":
                return self._other_task()
            if goal.name not in text:
                return self._correct("readback_wrong", {"name": ""})
            goal.day = self.visit_day or goal.day
            return self._say_of("missing", "day")
        if kind in {"offer", "single"}:
            return self._choose(kind, text)
        if kind == "name":
            return self._say_of("name", "name")
        if kind == "change":
            return self._correct("change", self.wrong or dict.fromkeys(("day", "time", "name"), ""))
        return self._judge(text) if kind == "readback" else self._intent()

    def _bare_answer(self, kind: str, reply: Utterance) -> Utterance:
        """Who is asked for a bare yes, no or value gives it, whoever it is; `reply` is what it would say otherwise."""
        if kind == "readback":
            return Utterance((Word(reply.act, reply.act),), reply.act) if reply.act in {"yes", "no"} else reply
        slot = {"offer": "time", "single": "time"}.get(kind, kind)
        value = getattr(self.goal, slot, None)
        return Utterance(tuple(Word(text, slot) for text in str(value).split()), slot) if value else reply

    def _intent(self) -> Utterance:
        return self._say_of("intent", "request", act=self.goal.kind)

    def _other_task(self) -> Utterance:
        self.mistaken += 1
        return Utterance((Word("no", "no"), *self._intent().words), "no")

    def _another_day(self) -> Utterance:
        goal = self.goal
        self.tried.add(goal.day)
        if goal.kind == "cancel":
            return self._say_of("missing", "day")
        if goal.part and self.tried >= set(DAYS):  # no such part all week: the wish gives way
            goal.part = next(part for part in PARTS if part != goal.part)
            self.tried.clear()
            return self._say_of("refuse", "part", has="part")
        self._move()
        return self._say_of("full", "day")

    def _move(self) -> None:
        self._move_day()
        self.goal.time = self.entry.goal.time

    def _choose(self, kind: str, text: str) -> Utterance:
        goal = self.goal
        offered = list(parse_times(text.split("have", 1)[-1]))
        if not offered:
            return self._say_of("clarify", "repeat")
        fitting = [time for time in offered if goal.part in (None, part_of(time))]
        if not fitting:
            return self._say_of("refuse", "part", has="part")
        picky = any("day" in placeholders(item) for item in self.entry.says.get("refuse", ()))
        if picky and not self.refused:
            self.refused = True
            self.tried.add(goal.day)
            self._move()
            return self._say_of("refuse", "day", has="day")
        wish = self.entry.goal.time
        if wish:
            goal.time = min(fitting, key=lambda time: abs(TIMES.index(time) - TIMES.index(wish)))
        elif goal.time not in fitting:
            goal.time = self.rng.choice(fitting)
        if kind == "single" and len(offered) == 1:
            return self._say_of("single", "yes", act="yes")
        places = {offered.index(goal.time), offered.index(goal.time) - len(offered)}
        usable = [
            item
            for item in self.entry.says["offer"]
            if "{time}" in item or places & {ORDINALS[word] for word in item.split() if word in ORDINALS}
        ]
        return Utterance(tuple(self._words("offer", usable)), "time")

    def _judge(self, text: str) -> Utterance:
        goal = self.goal
        if ("cancel" if "cancel" in text else "book") != goal.kind:
            return self._other_task()
        named = re.search(rf" for ((?:(?:{_TITLES}) )?)([a-z' ]+),", text)
        self.wrong = self._differences(text, named[2] if named else "")
        self.misread.update(self.wrong.keys())
        if self.wrong:
            return self._correct("readback_wrong", self.wrong)
        if "second_thoughts" in self.entry.says and not self.wavered:
            self.wavered = True
            self._move()
            return self._say_of("second_thoughts", "day")
        name = named[1] + named[2] if named else goal.name
        self.agreed.append((goal.kind, goal.day, goal.time or "" if goal.kind == "book" else "", name))
        self.done = True
        return self._say_of("readback_right", "yes", act="yes")

    def _differences(self, text: str, name: str) -> dict[str, str]:
        """The slots of a read-back that are not the caller's, with what was heard. Who never chose a time takes one
        that was not offered if it suits the wish."""
        goal = self.goal
        days, times = [day for day in DAYS if day in text], parse_times(text)
        wrong = {} if days == [goal.day] else {"day": next(iter(days), "")}
        if goal.kind == "book":
            if goal.time is None and len(times) == 1 and goal.part in (None, part_of(times[0])):
                goal.time = times[0]
            if list(times) != [goal.time]:
                wrong["time"] = next(iter(times), "")
        return wrong if name == goal.name else wrong | {"name": name}

    def _correct(self, question: str, wrong: dict[str, str]) -> Utterance:
        """One sentence that puts all of `wrong` right, else one for each slot."""
        known = [slot for slot in wrong if getattr(self.goal, slot) and (slot != "time" or self.goal.kind == "book")]
        act = "no" if question == "readback_wrong" else ""
        whole = [item for item in self._sayable(question) if placeholders(item) >= set(known)]
        if not known:
            return self._intent()
        if len(known) > 1 and whole:
            return Utterance(tuple(self._words(question, whole, act=act, wrong=wrong[known[0]])), "no")
        words: list[Word] = []
        for slot in known:
            one = [
                item
                for item in (*self._sayable(question), *self._sayable("readback_wrong"))
                if slot in placeholders(item)
            ]
            one = [item for item in one if placeholders(item) - {"wrong"} == {slot}] or one
            words += self._words(question, one[:1], act=act, wrong=wrong[slot])
        return Utterance(tuple(words), "no")

    def _sayable(self, question: str) -> list[str]:
        """Sentences without a time where none was chosen yet."""
        return [item for item in self.entry.says[question] if self.goal.time or "{time}" not in item]

    def _say_of(self, question: str, does: str, *, act: str = "", has: str = "") -> Utterance:
        texts = [item for item in self.entry.says[question] if not has or has in placeholders(item)]
        return Utterance(tuple(self._words(question, texts, act=act)), does)

    def _words(self, question: str, texts: Sequence[str], *, act: str = "", wrong: str = "") -> list[Word]:
        # who was not understood twice running says the least there is to say
        text = min(texts, key=len) if self.unheard > 1 else texts[self.used[question] % len(texts)]
        self.used[question] += 1
        return tagged(text, self.entry, self.goal, act=act, wrong=wrong, question=question)


def new_hand_call(entry: Entry, rng: Random) -> Call:
    """A card, a greeting, a random calendar and the caller of `entry`. A wished time is free in 70 %; a visit to cancel
    stands on another day than the caller thinks in 15 %; 30 % ask for the hours on the way (guesses)."""
    call = new_call(rng)
    while entry.today and call.situation.today != entry.today:
        call = new_call(rng)
    goal, free = entry.goal, call.calendar.free
    call.calendar.visits.clear()
    visit_day = rng.choice(DAYS) if rng.random() < 0.15 else goal.day
    if goal.kind == "cancel":
        call.calendar.visits.append(Visit(visit_day, "", goal.name))
    if goal.time and goal.time not in free[goal.day] and rng.random() < 0.7:
        free[goal.day] = sorted([*free[goal.day], goal.time], key=TIMES.index)
    call.caller = HandCaller(
        replace(goal),  # it moves on in a call
        TRAINED,  # only its hums are used, and on a hesitant line only
        rng,
        call.situation.today,
        patience=PATIENCE,
        entry=entry,
        asides=list(entry.says.get("aside", ())),
        asks_hours=rng.random() < 0.3,
        visit_day=visit_day,
    )
    return call
