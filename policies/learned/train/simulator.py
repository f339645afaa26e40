"""The simulated caller: a goal, and what it says next to the words it just heard.

The caller hears the agent's words and nothing else, so the same code meets the expert while training data is made and
the model while it is judged. It corrects what it hears wrongly read back, and remembers what it agreed to; success is
measured against that. It refuses to know how its words are understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

from policies.learned.train import asides, invented
from policies.learned.train.appointments import Calendar, Visit
from policies.learned.train.names import recogniser_words
from policies.learned.train.noise import mangled
from policies.learned.train.questions import SETTLED, question_in
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, WEEK, Word, parse_times, part_of, said, say
from policies.learned.train.wordings import Wordings

__all__ = ["Caller", "Goal", "Utterance", "random_goal"]


ODD = 0.16
"""Share of answers that are none, for each 1 by which callers are more restless than tested ones. A guess: with the 5 %
of tested callers alone, a model that reads words finds a wish or a name in what is neither."""
CHATTER = 0.25
"""Share of wishes, days and times with a clause beside them that changes nothing, for each 1 by which callers are more
restless than tested ones. A guess."""
INVENTED = 0.35
"""Share of wishes and of agreement in words made up (`invented`), in the same way. A guess."""
LEAVING = 0.02
"""Share of answers that take leave instead, in the same way: who is not let go has to hang up. A guess."""
WISHFUL = 0.2
"""Share of callers with a second wish, for each 1 by which they are more restless than tested ones. A guess."""


@dataclass(slots=True)
class Goal:
    """What the caller wants. `kind`: book, cancel, hours or other (a question only)."""

    kind: str
    day: str
    part: str | None
    time: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """Tagged words, and what the caller does with them in a word (``expect`` labels are made from it)."""

    words: tuple[Word, ...]
    act: str
    ends: bool = False


def random_goal(rng: Random, wordings: Wordings, calendar: Calendar) -> Goal:
    """A goal; for a cancellation the visit is put into `calendar`, on another day than the caller thinks in 8 %."""
    kind = rng.choices(("book", "cancel", "hours", "other"), (74, 20, 3, 3))[0]
    day, name = rng.choice(DAYS), wordings.name(rng)
    goal = Goal(kind, day, rng.choice((None, None, *PARTS)), None, name)
    if kind == "cancel":
        visit_day = rng.choice(DAYS) if rng.random() < 0.08 else day
        calendar.visits.append(Visit(visit_day, "", name))
    elif kind == "book" and rng.random() < 0.3:
        goal.time = rng.choice(calendar.free[day]) if calendar.free[day] and rng.random() < 0.7 else rng.choice(TIMES)
        goal.part = part_of(goal.time) if goal.part else None
    return goal


@dataclass(slots=True)
class Caller:
    """One caller in one call. `greet` opens it, then `answer` goes to each thing the agent said. `restless`: how often
    the caller does something else than answer, as a factor; training callers are more restless than tested ones,
    because rare turns are learned last."""

    goal: Goal
    wordings: Wordings
    rng: Random
    today: str
    agreed: list[tuple[str, str, str, str]] = field(default_factory=list)
    done: bool = False
    tried: set[str] = field(default_factory=set)
    asked_extra: bool = False
    pending: str = ""
    last: str = "intent"
    patience: int = 30
    restless: float = 1.0
    """Above 1 there are also more second wishes, and stray words after a confirmation that was broken off."""

    def greet(self) -> Utterance:
        """The first turn: a greeting, the request, and some of its values."""
        rng, goal = self.rng, self.goal
        words = self._say("hello") if rng.random() < 0.5 else []
        if goal.kind in {"hours", "other"}:
            return Utterance(tuple(words + self._say(goal.kind)), goal.kind)
        if rng.random() < 0.03:
            return Utterance(tuple(words or self._say("hello")), "hello")
        if self.restless > 1 and rng.random() < ODD * (self.restless - 1):
            return Utterance((*words, *asides.odd(rng, self._say, "intent")), "other")
        return self._request(words)

    def _request(self, words: list[Word]) -> Utterance:
        rng, goal = self.rng, self.goal
        words += self._chatter()
        if rng.random() < 0.12:
            words += self._say("name_aside")
        words += self._wish_words() + self._chatter()
        if rng.random() < 0.5:
            words += self._day_words()
            if goal.kind == "book" and goal.time and rng.random() < 0.6:
                words += self._say("time")
        elif goal.kind == "book" and goal.part and rng.random() < 0.15:
            words += self._say("part")
        if rng.random() < 0.13:
            words += self._say("name_aside")
        return Utterance(tuple(words + self._tail()), "request")

    def answer(self, text: str, *, cut: bool = False) -> Utterance:
        """What the caller says to `text`, all of it that was heard. `cut`: the caller breaks in after it."""
        self.patience -= 1
        kind = question_in(text) if not cut else self.last_question(text)
        if self.patience <= 0 or kind == "bye":
            return Utterance(tuple(self._say("bye")), "bye", ends=True)
        if cut and not kind and self.restless > 1 and self.done and text.startswith(SETTLED):
            self.last = "anything"
            return self._stray()
        if kind == "there":
            kind = question_in(text.replace("still there", "")) or self.last
        if not kind:
            kind = self.last
        self.last = kind
        if self.pending:
            self.pending = ""
        elif not cut:
            extra = self._sidestep(kind)
            if extra is not None:
                return extra
        if "please say just" in text:
            return self._just(kind, text)
        return self._reply(kind, text)

    def _just(self, kind: str, text: str) -> Utterance:
        """Who is asked for a bare yes, no or value gives it."""
        slot = {"offer": "time", "single": "time"}.get(kind, kind)
        if kind == "readback":
            reply = self._reply(kind, text)
            return Utterance((Word("yes", "yes") if reply.act == "yes" else Word("no", "no", kept=True),), reply.act)
        return Utterance(tuple(self._bare(slot)), slot) if getattr(self.goal, slot, None) else self._reply(kind, text)

    def last_question(self, text: str) -> str:
        """The question of a cut utterance, guessed from its opening words."""
        return question_in(text) or ("readback" if parse_times(text) and self.goal.name in text else "")

    def _sidestep(self, kind: str) -> Utterance | None:
        """Now and then something else than an answer: a wait, a question, junk, a change of mind."""
        rng = self.rng
        if self.restless > 1 and rng.random() < ODD * (self.restless - 1):
            return Utterance(tuple(asides.odd(rng, self._say, kind)), "other")
        if self.restless > 1 and rng.random() < LEAVING * (self.restless - 1) and kind != "anything":
            self.done = True
            words = self._say("give_up") if rng.random() < 0.5 else self._say("nothing_else") + self._say("bye")
            return Utterance(tuple(words), "bye", ends=True)
        chance = rng.random() / self.restless
        if chance < 0.06 and kind in {"day", "offer", "single", "full", "name"}:
            self.pending = kind
            return Utterance(tuple(self._say("hold")), "more")
        if 0.06 <= chance < 0.09:
            return Utterance(tuple(self._say("hours")), "hours")
        if 0.09 <= chance < 0.11:
            return Utterance(tuple(self._say("other")), "other")
        if 0.11 <= chance < 0.14:
            words = self._say("junk") if rng.random() < 0.6 else []
            return Utterance(tuple(words or [Word(text) for text in self._nonsense()]), "other")
        if 0.14 <= chance < 0.16:
            return Utterance(tuple(self._say("pardon")), "repeat")
        if 0.16 <= chance < 0.18 and kind in {"name", "readback", "offer"} and self.goal.kind == "book":
            # a yes that got lost before counts no longer
            self.agreed = [item for item in self.agreed if item[1:] != (self.goal.day, self.goal.time, self.goal.name)]
            self._move_day()
            return Utterance(tuple(self._say("fix_mark") + self._day_words()), "day")
        return None

    def _reply(self, kind: str, text: str) -> Utterance:
        rng, goal = self.rng, self.goal
        if kind == "anything":
            return self._end_or_more()
        if kind == "intent":
            if goal.kind in {"hours", "other"} or self.done:
                goal.kind = "book"
                self.done = False
            return self._request([])
        if kind in {"day", "missing"}:
            return self._day_reply(kind, text)
        if kind == "full":
            self.tried.add(goal.day)
            if goal.part and rng.random() < 0.3 * self.restless and "just taken" not in text:
                goal.part, goal.time = next(part for part in PARTS if part != goal.part), None
                return Utterance(tuple(self._say("part")), "part")
            self._move_day()
            return Utterance(tuple(self._day_words() + self._tail()), "day")
        if kind in {"offer", "single"}:
            return self._choose(kind, text)
        if kind == "name":
            words = self._say("name")
            if rng.random() < 0.04:
                words += self._say("name_aside")
            elif rng.random() < 0.3:
                words += self._chatter()
            return Utterance(tuple(words), "name")
        if kind == "change":
            return Utterance(tuple(self._fix(self._wrong(text) or ["day", "name"], text)), "change")
        if kind == "readback":
            return self._judge(text)
        return self._request([])

    def _day_reply(self, kind: str, text: str) -> Utterance:
        goal = self.goal
        if kind == "missing":
            if self.rng.random() < 0.25:
                self.done = True
                return Utterance(tuple(self._say("give_up")), "bye", ends=True)
            wrong = [word for word in ("day", "name") if getattr(goal, word) not in text]
            if not wrong:
                self.tried.add(goal.day)
                self._move_day()
            words = self._say("day")
            return Utterance(tuple(words + (self._say("name_aside") if "name" in wrong else [])), "day")
        if "other day" in text or "another day" in text:
            self.tried.add(goal.day)
            self._move_day()
        return Utterance(tuple(self._day_words() + self._tail()), "day")

    def _choose(self, kind: str, text: str) -> Utterance:
        rng, goal = self.rng, self.goal
        offered = list(parse_times(text.split("have", 1)[-1]))
        days = [day for day in DAYS if day in text]
        if days and goal.day not in days:
            return Utterance(
                tuple(self._say("no" if kind == "single" else "fix_mark") + self._say("day_fix", old=days[0])), "day"
            )
        if not offered:
            return Utterance(tuple(self._say("pardon")), "repeat")
        fitting = [time for time in offered if goal.part is None or part_of(time) == goal.part]
        if not fitting:
            return Utterance(tuple(self._say("part")), "part")
        if kind == "single":
            if rng.random() < 0.8:
                goal.time = offered[0]
                return Utterance(tuple(self._yes()), "yes")
            self.tried.add(goal.day)
            self._move_day()
            bare = rng.random() < 0.4
            self.pending = "day" if bare else ""
            return Utterance(tuple(self._say("no") + ([] if bare else self._say("day"))), "no")
        if goal.kind == "book" and not goal.part and rng.random() < 0.05 * self.restless:
            goal.part, goal.time = rng.choice(PARTS), None
            return Utterance(tuple(self._say("part")), "part")
        if goal.time not in fitting and rng.random() < 0.06 * self.restless:
            return Utterance(tuple(self._say("other_day")), "day")
        if goal.time not in fitting:
            goal.time = rng.choice(fitting)
        index = offered.index(goal.time)
        chance = rng.random()
        if chance < 0.1 and (index < 2 or index == len(offered) - 1):
            ordinal = str(index) if index < 2 else "-1"
            return Utterance(tuple(self._say("ordinal", ordinal=ordinal)), "time")
        if chance < 0.13:
            goal.time = offered[0]
            if goal.time in fitting:
                return Utterance(tuple(self._say("any_time")), "time")
            goal.time = fitting[0]
        words = self._say("time") if rng.random() < 0.9 else self._corrected("time")
        if rng.random() < 0.1:
            words += self._say("name_aside")
        return Utterance(tuple(words + self._tail()), "time")

    def _judge(self, text: str) -> Utterance:
        goal = self.goal
        wrong = self._wrong(text)
        task = "cancel" if "cancel" in text else "book"
        if task != goal.kind:
            return Utterance(tuple(self._say("no") + self._say(goal.kind)), "no")
        if not wrong:
            self.agreed.append((goal.kind, goal.day, goal.time or "" if goal.kind == "book" else "", goal.name))
            self.done = True
            return Utterance(tuple(self._yes() + (self._tail() if self.rng.random() < 0.3 else [])), "yes")
        if self.rng.random() < 0.3:
            self.pending = "change"
            return Utterance(tuple(self._say("no")), "no")
        words = self._say("no") if self.rng.random() < 0.85 else []
        return Utterance(tuple(words + self._fix(wrong, text)), "no")

    def _wrong(self, text: str) -> list[str]:
        """The slots that a readback got wrong."""
        goal = self.goal
        wrong = [] if [day for day in DAYS if day in text] == [goal.day] else ["day"]
        if goal.kind == "book" and list(parse_times(text)) != [goal.time]:
            wrong.append("time")
        if not re.search(rf"for {re.escape(goal.name)},", text):
            wrong.append("name")
        return wrong

    def _fix(self, wrong: list[str], text: str) -> list[Word]:
        old = re.search(r" for ([a-z' ]+),", text)
        heard = {
            "day": next((day for day in DAYS if day in text), None),
            "time": next(iter(parse_times(text)), None),
            "name": old[1] if old else None,
        }
        words: list[Word] = []
        for slot in wrong:
            if slot == "time" and not self.goal.time:
                continue
            value = heard[slot] or (mangled(self.goal.name, self.rng) if slot == "name" else "that")
            words += self._say(f"{slot}_fix", old=value)
        return words

    def _end_or_more(self) -> Utterance:
        rng, goal = self.rng, self.goal
        if not self.done and goal.kind in {"book", "cancel"}:
            return self._request([])
        chance = rng.random() / self.restless if not self.asked_extra else rng.random()
        if self.restless > 1 and not self.asked_extra and rng.random() < WISHFUL * (self.restless - 1):
            self.asked_extra = True
            return self._wish()
        if not self.asked_extra and chance < 0.06:
            self.asked_extra = True
            return Utterance(tuple(self._say("hours")), "hours")
        if not self.asked_extra and chance < 0.12:
            self.asked_extra = True
            if rng.random() < 0.25 and self.goal.kind == "book":
                # back with a second thought: cancel what was just booked
                self.goal.kind, self.done = "cancel", False
                return self._request(self._say("yes") if rng.random() < 0.5 else [])
            if rng.random() < 0.3:
                self.goal.kind, self.done = "book", False
                self.goal.time = None
                self._move_day()
                return Utterance(tuple(self._say("yes")), "yes")
            self.goal.kind, self.done, self.goal.time = "book", False, None
            self._move_day()
            return self._request(self._say("yes") if rng.random() < 0.5 else [])
        words = self._say("nothing_else") if chance < 0.85 else []
        if not words or rng.random() < 0.4:
            words += self._say("bye")
            return Utterance(tuple(words), "bye")
        return Utterance(tuple(words), "no")

    def _wish(self) -> Utterance:
        """A second wish in so many words: another visit, for somebody else too, the last one undone, or a question."""
        rng, goal = self.rng, self.goal
        also = said(rng.choice(self.wordings.also), "", rng) if self.wordings.also and rng.random() < 0.7 else []
        chance = rng.random()
        if chance < 0.2:
            kind = rng.choice(("hours", "other"))
            return Utterance((*also, *self._say(kind)), kind)
        self.done = False
        if chance < 0.4 and goal.kind == "book":
            goal.kind = "cancel"
            return self._request(also)
        goal.kind, goal.time, goal.part = "book", None, rng.choice((None, *PARTS))
        self._move_day()
        if chance < 0.55:
            goal.name = self.wordings.name(rng)
            also += self._say("name_aside")
        return self._request(also)

    def _stray(self) -> Utterance:
        """Words that come in while the agent says what it did: they ask for nothing, so it must say it again."""
        rng = self.rng
        kind = rng.choices(("", "hum", "yes", "pardon", "junk"), (50, 15, 15, 10, 10))[0]
        if kind:
            return Utterance(tuple(self._say(kind)), {"yes": "yes", "pardon": "repeat"}.get(kind, "other"))
        few = rng.choices(("the", "a", "and", "it", "i", "to", "so", "that"), k=rng.choice((1, 1, 2)))
        return Utterance(tuple(Word(text) for text in (few if rng.random() < 0.6 else self._nonsense()[:2])), "other")

    # words

    def _say(self, act: str, **extra: str) -> list[Word]:
        goal, rng = self.goal, self.rng
        day = goal.day
        if rng.random() < 0.06 and act in {"day", "day_part"}:
            ahead = (WEEK.index(day) - WEEK.index(self.today)) % len(WEEK)
            day = {0: "today", 1: "tomorrow"}.get(ahead, day)
        values = {"day": day, "part": goal.part or "morning", "time": goal.time or "ten", "name": goal.name} | extra
        return say(self.wordings, act, rng, values, group=rng.randrange(1, 10**6))

    def _wish_words(self) -> list[Word]:
        """The request itself; restless callers also say what hurts and ask for that to be seen, or call off in words of
        their own."""
        if self.rng.random() >= INVENTED * (self.restless - 1):
            return self._say(self.goal.kind)
        if self.goal.kind == "cancel":
            return invented.withdrawal(self.rng)
        said = invented.ache(self.rng) if self.rng.random() < 0.6 else []
        return said + (invented.need(self.rng) if self.rng.random() < 0.6 else self._say("book"))

    def _yes(self) -> list[Word]:
        return invented.assent(self.rng) if self.rng.random() < INVENTED * (self.restless - 1) else self._say("yes")

    def _day_words(self) -> list[Word]:
        if self.rng.random() < 0.1:
            return self._corrected("day")
        if self.goal.part and self.goal.kind == "book" and self.rng.random() < 0.55:
            return self._say("day_part")
        return self._say("day")

    def _corrected(self, slot: str) -> list[Word]:
        """A value, taken back, then the right one."""
        values = DAYS if slot == "day" else TIMES
        wrong = self.rng.choice([value for value in values if value != getattr(self.goal, slot)])
        first = say(self.wordings, slot, self.rng, {slot: wrong}, group=self.rng.randrange(1, 10**6))
        last = self._say(slot) if self.rng.random() < 0.5 else self._bare(slot)
        return first + self._say("fix_mark") + last

    def _bare(self, slot: str) -> list[Word]:
        group = self.rng.randrange(1, 10**6)
        return [Word(text, slot, group) for text in str(getattr(self.goal, slot)).split()]

    def _tail(self) -> list[Word]:
        return (self._say("tail") if self.rng.random() < 0.25 else []) + self._chatter()

    def _chatter(self) -> list[Word]:
        """Words beside a wish or an answer that change nothing; tested callers have theirs in their wordings."""
        if self.restless > 1 and self.rng.random() < CHATTER * (self.restless - 1):
            return asides.chatter(self.rng)
        return []

    def _nonsense(self) -> list[str]:
        return [self.rng.choice(recogniser_words()) for _ in range(self.rng.choice((1, 2, 3, 5)))]

    def _move_day(self) -> None:
        """Another day: one not tried yet while there is one."""
        others = [day for day in DAYS if day != self.goal.day and day not in self.tried]
        self.goal.day = self.rng.choice(others or [day for day in DAYS if day != self.goal.day])
        self.goal.time = None
