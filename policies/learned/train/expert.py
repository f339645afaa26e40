"""The expert front desk: what a good agent writes, given what could still be understood of the caller.

It makes the labels of the training dialogues and stands for the ceiling of the model (100 % in the simulator). It
sees `Understood`, never the caller's goal. Style is ours and small on purpose: variety belongs to the caller.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from random import Random

from policies.learned.train.noise import mangled
from policies.learned.train.spoken_caller import DAYS, TIMES, Understood, Word, parse_times, part_of, understand
from policies.repair import RepairSettings

__all__ = ["Action", "Expert", "Situation", "listed"]


_MOST_STUMBLES = 6
"""In one call; more would only make long calls that teach nothing new."""


_REPAIR = RepairSettings()
_OTHERWISE = {
    "day": _REPAIR.text.format(field="day", example="monday"),
    "name": _REPAIR.without_example.format(field="name"),
    "readback": _REPAIR.yes_or_no,
}
"""The third way to ask the same, as the runtime does it after two misses (`policies.repair`)."""


@dataclass(frozen=True, slots=True)
class Action:
    """One agent turn. `note` is None after a result. `kind`: say, call or silence; `text` for say, `tool` and
    `arguments` for call. `slipped`: the note holds a slip of our own and must not be learned; `stumbled`: neither must
    what follows it. `expect`: what the agent expects; empty where hindsight tells what it should have, and `guess` is
    then what a model in its place expected. `weight`: how much the turn counts in training, beside a turn that is
    written rightly anyway."""

    kind: str
    text: str = ""
    note: str | None = None
    tool: str = ""
    arguments: dict[str, str] = field(default_factory=dict)
    bye: bool = False
    slipped: bool = False
    stumbled: bool = False
    expect: str = ""
    guess: str = ""
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Situation:
    """What the card says: weekday, hours, and whether a hint asks for the name first."""

    today: str = "monday"
    hours: str = "nine to five"
    name_first: bool = False


def listed(times: list[str] | tuple[str, ...]) -> str:
    """``nine, ten or two thirty``."""
    if len(times) < 2:
        return times[0] if times else ""
    return f"{', '.join(times[:-1])} or {times[-1]}"


@dataclass(slots=True)
class Expert:
    """The state of one call as the agent knows it. `turn` on a caller turn, `returned` on a tool's result.

    `slip_rate`: share of turns with a fresh value in which the note gets it wrong, so that the model learns to be
    corrected. `stumble_rate`: share of turns that go wrong as a whole, in one way that sticks for a while. Without them
    a model that once wrote "unclear" goes on writing it for ever: it has never seen the way out.
    """

    situation: Situation
    rng: Random
    slip_rate: float = 0.0
    stumble_rate: float = 0.0
    goal: str = "none"
    day: str | None = None
    part: str | None = None
    time: str | None = None
    name: str | None = None
    offered: tuple[str, ...] | None = None
    looked_up: tuple[str | None, str | None] = (None, None)
    question: str = "intent"
    asked: int = 0
    missed: str | None = None
    shown: str = "none"
    answer: str | None = None
    changed: bool = False
    slipped: bool = False
    vetoed: bool = False
    stumbling: str = ""
    sticky: float = 0.0
    misreads: bool = False
    stumbles: int = 0
    settled: str = ""
    unsaid: str = ""

    def cut(self, heard: str = "") -> None:
        """The last utterance was cut after `heard`, before its values were out: a yes to it confirms nothing, and what
        was done must be said again."""
        self.vetoed = True
        if self.question == "anything" and "else" not in heard:
            self.unsaid = self.settled

    def note(self) -> str:
        """The six fields as the model writes them."""
        values = (self.shown, self.day, self.part, self.time, self.name, self.answer)
        return " ".join(value or "-" for value in values)

    def peek(self, heard: Understood) -> str:
        """The note in the middle of a turn, from what was heard of it so far; changes nothing."""
        other = copy(self)
        other.slip_rate = other.stumble_rate = 0.0
        other._take(heard)
        if other.answer == "unclear":
            other.answer = None
        return other.note()

    def hear(self, segments: list[list[Word]]) -> Action:
        """Take one caller turn, in segments of speech, and act."""
        words = [word for segment in segments for word in segment]
        heard = understand(words, self.situation.today)
        rate = self.sticky if self.stumbling else self.stumble_rate
        if self.rng.random() < rate and self.stumbles < _MOST_STUMBLES:
            self.stumbles += 1
            if not self.stumbling:
                self.sticky = self.rng.choice((0.2, 0.5, 0.8))
                self.stumbling = self.rng.choice(("deaf", "deaf", "stubborn", "stubborn", "goal", "name", "repeat"))
            return self._stumble(self.stumbling, heard, words)
        if self.rng.random() < 0.5:
            self.stumbling = ""
        return self.turn(heard)

    def _stumble(self, kind: str, heard: Understood, words: list[Word]) -> Action:
        """A turn as a weak model would make it; the call goes on from there as if we had meant it."""
        if kind == "stubborn" and self.question in {"readback", "single", "offer"}:
            self.answer = self.rng.choice(("no", "no", "unclear", None))
            opening = self._pick("all right.", "let me check.", "so", "sorry, i did not catch that.")
            text = f"{opening} {self._question(self.question)}"
            self.vetoed = False
            return Action("say", text, self.note(), slipped=True, stumbled=True)
        if kind == "goal":
            self.turn(heard)
            self.goal = self.rng.choice([goal for goal in ("none", "book", "cancel") if goal != self.goal])
            self.shown = self.goal
            return replace(self._next(), note=self.note(), slipped=True, stumbled=True)
        if kind == "name" and words and self.question in {"name", "intent", "readback"}:
            at = self.rng.randrange(len(words))
            span = [word.text for word in words[at : at + self.rng.choice((1, 1, 2))]]
            return replace(self.turn(replace(heard, name=" ".join(span))), slipped=True)
        if kind == "repeat":
            offered, looked_up, question = self.offered, self.looked_up, self.question
            note = self.turn(heard).note
            opening = self._pick("sorry, i did not get that.", "sorry, i did not catch that.", "all right.")
            after, self.offered, self.question = self.offered, offered or self.offered, question
            text = f"{opening} {self._question(self.question)}"
            self.offered, self.looked_up = after, looked_up
            return Action("say", text, note, stumbled=True)
        deaf = self.turn(Understood(words=heard.words or 1))
        return replace(deaf, slipped=True, stumbled=True)

    def turn(self, heard: Understood) -> Action:
        """Take one caller turn and act."""
        self.slipped = False
        self._take(heard)
        note, slipped = self.note(), self.slipped
        action = self._decide(heard)
        self.vetoed = False
        return replace(action, note=note, slipped=slipped)

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        """Take the result of a call and act."""
        if tool == "find_slots":
            self.looked_up = (self.day, self.part)
            self.offered = parse_times(result)
            if self.time is not None and self.time not in self.offered:
                self.missed, self.time = self.time, None
            if self.rng.random() < (0.6 if self.misreads else self.stumble_rate) and self.stumbles < _MOST_STUMBLES:
                self.misreads = True
                self.stumbles += 1
                return self._misread()
            return self._next()
        if result == "ok":
            text = (
                f"{self._pick('done', 'all set')}. you are booked on {self.day} at {self.time}."
                if tool == "book"
                else f"{self._pick('done', 'all right')}. your visit on {self.day} is cancelled."
            )
            self._reset()
            self.settled = "you are booked." if tool == "book" else "your visit is cancelled."
            return self._ask("anything", text + " " + self._question("anything"))
        if tool == "book":
            lost = self.time
            self.time = None
            self.offered = tuple(time for time in self.offered or () if time != lost)
            if not self.offered:
                return self._ask(
                    "full", f"sorry, {lost} was just taken and {self.day} is now full. which other day suits you?"
                )
            return self._ask("offer", f"sorry, {lost} was just taken. i still have {listed(self.offered)}. which one?")
        day, self.day = self.day, None
        return self._ask("day", f"sorry, i find no visit on {day} for {self.name}. which day is it?")

    def _misread(self) -> Action:
        """An answer to a look-up that says what the result does not hold, once begun often again in the same call."""
        span = f"{self.day} {self.part}" if self.part else f"{self.day}"
        wrong = self._pick(*TIMES)
        kind, text = self.rng.choice(
            (
                ("single", f"on {span} i only have {wrong}. does that suit you?"),
                ("offer", f"on {span} i have {wrong}. which one suits you?"),
                ("full", f"sorry, {span} is full. which other day suits you?"),
                ("name", f"{wrong}, good. what name is it for?"),
            )
        )
        return replace(self._ask(kind, text), stumbled=True)

    # what was understood

    def _take(self, heard: Understood) -> None:
        self.changed = False
        self.missed = None
        before = (self.goal, self.day, self.part, self.time, self.name)
        intent = heard.intent
        if intent in {"book", "cancel"} and intent != self.goal:
            self.goal = intent
            self.offered, self.looked_up = None, (None, None)
        self.shown = intent if intent in {"hours", "other"} else self.goal
        if heard.day and heard.day != self.day:
            self.day, self.time = self._maybe_slip("day", heard.day), None
            self.offered = None
        if heard.part and heard.part != self.part:
            self.part, self.offered = heard.part, None
            if self.time and part_of(self.time) != heard.part:
                self.time = None
        self._take_time(heard)
        if heard.name:
            self.name = self._maybe_slip("name", heard.name)
        self.answer = None
        if self.question in {"readback", "anything", "single"}:
            self.answer = heard.answer
            if (
                self.answer is None
                and not heard.slots
                and heard.intent is None
                and not heard.acts & {"hold", "bye", "give_up", "other_day"}
            ):
                self.answer = "unclear"
        if self.question == "single" and self.offered:
            if self.answer == "yes" and not self.time:
                self.time = self.offered[0]
            elif self.answer == "no" and heard.time is None:
                self.time = None
        self.changed = before != (self.goal, self.day, self.part, self.time, self.name)

    def _take_time(self, heard: Understood) -> None:
        time = heard.time
        if self.offered and self.looked_up == (self.day, self.part):
            if heard.ordinal is not None and -1 <= heard.ordinal < len(self.offered):
                time = self.offered[heard.ordinal]
            elif "any_time" in heard.acts and time is None:
                time = self.offered[0]
            if time is not None and time not in self.offered:
                self.missed, time = time, None
                self.time = None
        if time is not None:
            self.time = self._maybe_slip("time", time)

    def _maybe_slip(self, slot: str, value: str) -> str:
        if self.slip_rate and self.rng.random() < self.slip_rate:
            if slot == "name":
                self.slipped = True
                return mangled(value, self.rng)
            if slot == "day":
                self.slipped = True
                return self.rng.choice([day for day in DAYS if day != value])
            others = [time for time in self.offered or () if time != value]
            if others:
                self.slipped = True
                return self.rng.choice(others)
        return value

    # what is said and done

    def _decide(self, heard: Understood) -> Action:
        if self.unsaid and self._nothing_new(heard):
            return self._say_done(heard)
        if heard.words == 0:
            return self._again(self._pick("are you still there?", "hello, are you there?"))
        if "hold" in heard.acts and not heard.slots:
            return Action("silence")
        if "give_up" in heard.acts or ("bye" in heard.acts and not heard.slots):
            return self._bye()
        if "pardon" in heard.acts and not self.changed:
            return self._again(self._pick("of course.", "sure."))
        if self.shown == "hours":
            return self._again(f"we are open from {self.situation.hours}.")
        if self.shown == "other":
            return self._again(
                self._pick("sorry, i can only book or cancel visits.", "i am afraid i can only book or cancel visits.")
            )
        if self.question == "anything" and self.goal == "none" and not heard.slots:
            if self.answer == "no":
                return self._bye()
            if self.answer == "yes":
                return self._ask("intent", "sure. would you like to book or cancel a visit?")
        if self.question == "readback":
            # a readback that was cut before its values were out is read again, whatever was answered
            if self.answer == "yes" and not self.changed and not self.vetoed:
                return self._write()
            if self.answer == "no" and not self.changed:
                return self._ask(
                    "change", self._pick("sorry. what should i change?", "all right, what should i change?")
                )
        if self.question == "single" and self.answer == "no" and not self.changed:
            return self._ask("day", "all right. which other day suits you?")
        if "other_day" in heard.acts and not self.changed:
            return self._ask(
                "day", self._pick("all right. which other day suits you?", "sure. which other day would you like?")
            )
        if not heard.anything or (self.answer == "unclear" and not self.changed):
            return self._again(self._pick("sorry, i did not catch that.", "sorry, i did not get that."))
        return self._next()

    def _nothing_new(self, heard: Understood) -> bool:
        """Whether the turn holds no wish, no goodbye and no wait: a stray word, an "okay", a "what was that"."""
        wishes = self.goal != "none" or self.shown in {"hours", "other"} or heard.slots
        return not wishes and self.answer != "no" and not heard.acts & {"hold", "bye", "give_up"}

    def _say_done(self, heard: Understood) -> Action:
        """What was done, once more: its sentence was broken off. Its values stand in no note any more and are left."""
        said, self.unsaid = self.unsaid, ""
        opening = self._pick("sorry, i did not catch that.", "sorry, i did not get that.")
        if heard.words == 0:
            opening = "are you still there?"
        elif "pardon" in heard.acts:
            opening = "of course."
        elif self.answer == "yes":
            opening = "all right."
        return self._ask("anything", f"{opening} {said} {self._question('anything')}")

    def _next(self) -> Action:
        if self.goal == "none":
            return self._ask("intent", self._pick("sure.", "all right.") + " " + self._question("intent"))
        if self.name is None and self.situation.name_first:
            return self._ask("name", self._pick("sure.", "of course.") + " " + self._question("name"))
        if self.day is None:
            return self._ask("day", self._pick("sure.", "of course.", "all right.") + " " + self._question("day"))
        if self.goal == "book":
            if self.offered is None or self.looked_up != (self.day, self.part):
                arguments = {"day": self.day} | ({"part": self.part} if self.part else {})
                return Action("call", tool="find_slots", arguments=arguments)
            if not self.offered:
                return self._ask("full", "sorry, " + self._question("full"))
            if self.time is None:
                kind = "single" if len(self.offered) == 1 else "offer"
                opening = f"sorry, {self.missed} is not free. " if self.missed else ""
                return self._ask(kind, opening + self._question(kind))
        if self.name is None:
            opening = f"{self.time}, good. " if self.goal == "book" else "all right. "
            return self._ask("name", opening + self._question("name"))
        opening = self._pick("let me check. ", "so ", "so ") if self.question != "readback" else "all right. "
        return self._ask("readback", opening + self._question("readback"))

    def _question(self, kind: str) -> str:
        span = f"{self.day} {self.part}" if self.part else f"{self.day}"
        if kind == "day":
            if self.goal == "cancel":
                return "which day is your visit?"
            return self._pick("which day suits you?", "which day would you like?")
        if kind == "offer":
            return f"on {span} i have {listed(self.offered or ())}. {self._pick('which one suits you?', 'which one?')}"
        if kind == "single":
            return f"on {span} i only have {listed(self.offered or ())}. does that suit you?"
        if kind == "full":
            return f"{span} is full. which other day suits you?"
        if kind == "name":
            return self._pick("what name is it for?", "may i have your name?", "what is your name?")
        if kind == "readback":
            if self.goal == "cancel":
                return f"i cancel the visit on {self.day} for {self.name}, is that right?"
            return f"that is {self.day} at {self.time} for {self.name}, is that right?"
        if kind == "change":
            return "what should i change?"
        if kind == "anything":
            return self._pick("is there anything else?", "anything else i can do?")
        return self._pick("would you like to book or cancel a visit?", "do you want to book or cancel a visit?")

    def _ask(self, kind: str, text: str) -> Action:
        self.asked = self.asked + 1 if kind == self.question else 1
        if self.asked == 3 and kind in {"day", "name", "offer", "readback"} and text.startswith("sorry, i did not"):
            text = _OTHERWISE.get(kind, "let us take it slowly. {question}").format(question=self._question(kind))
        self.question = kind
        return Action("say", text)

    def _again(self, opening: str) -> Action:
        """`opening`, then the open question once more."""
        kind = self.question
        if kind == "intent" and self.goal != "none":
            kind = "day" if self.day is None else kind
        if kind == "intent" and opening.startswith("we are"):
            kind = "anything"
        action = self._next() if kind not in {"change", "anything", "intent"} and self.changed else None
        if action is not None and action.kind == "say":
            return Action("say", f"{opening} {action.text}")
        if action is not None:
            return action
        return self._ask(kind, f"{opening} {self._question(kind)}")

    def _write(self) -> Action:
        if self.goal == "cancel":
            return Action("call", tool="cancel_booking", arguments={"day": self.day or "", "name": self.name or ""})
        return Action(
            "call", tool="book", arguments={"day": self.day or "", "time": self.time or "", "name": self.name or ""}
        )

    def _bye(self) -> Action:
        return Action(
            "say",
            self._pick("thank you for calling. goodbye.", "thank you, goodbye.", "you are welcome. goodbye."),
            bye=True,
        )

    def _reset(self) -> None:
        self.goal, self.day, self.part, self.time = "none", None, None, None
        self.offered, self.looked_up = None, (None, None)

    def _pick(self, *texts: str) -> str:
        return self.rng.choice(texts)
