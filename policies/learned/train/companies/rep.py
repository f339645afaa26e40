"""The simulated representative: a list of things to get done, and what it says next to the words it just heard.

It hears the agent's words and nothing else, so the same code meets the expert while training data is made and the model
while it is judged. It checks what it is told against its own file, insists on the right value, and keeps what was
settled; success is measured against that. It refuses to know how its words are understood.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from random import Random

from policies.learned.train.asides import babble, business, salad
from policies.learned.train.companies.case import FILE_ITEMS, FORBIDDEN, OFFERS, TERMS, Case, Offer
from policies.learned.train.companies.spoken_rep import RepWord, say_act
from policies.learned.train.companies.wordings import RepWordings
from policies.learned.train.names import recogniser_words
from policies.learned.train.noise import mangled

__all__ = ["PERSONAS", "Rep", "Step", "Utterance", "plan", "random_persona"]

PERSONAS = ("brisk", "chatty", "retaining", "third", "second", "forbidden", "holding", "mishearing", "down")
_SHARES = (28, 8, 14, 7, 9, 13, 8, 10, 3)
_LABELS = {
    "offer": "offer", "offer_bare": "offer", "term": "offer", "hold": "hold", "refuse": "refusal",
    "refuse_third": "refusal", "agreed": "done", "cancelled": "done", "moved": "done",
}  # fmt: skip
_DONE = {"cancel": "cancelled", "discount": "agreed", "move": "moved"}
_TOLD = re.compile(r"the ([a-z ]+?) (?:is|are) ([a-z ]+)")
_DIGIT = "zero one two three four five six seven eight nine".split()


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the representative wants: an act, and the item or offer that it is about."""

    act: str
    item: str = ""
    offer: Offer | None = None


@dataclass(frozen=True, slots=True)
class Utterance:
    """Tagged words, and a word or two for what they do (`EXPECT` labels are made from it)."""

    words: tuple[RepWord, ...]
    label: str


def random_persona(case: Case, rng: Random) -> str:
    """Who answers the call. Hints are mostly, not always, right."""
    hinted = {"third": "third parties", "holding": "on hold"}
    for persona, words in hinted.items():
        if any(words in hint for hint in case.hints) and rng.random() < 0.6:
            return persona
    return rng.choices(PERSONAS, _SHARES)[0]


def plan(case: Case, persona: str, rng: Random, restless: float = 1.0) -> list[Step]:
    """What one representative will go through, in order. `restless`: a factor on waits and on questions that lead
    nowhere."""
    steps: list[Step] = []
    if persona == "third":
        if rng.random() < 0.5:
            steps.append(Step("who"))
        if rng.random() < 0.7:
            return [*steps, Step("refuse_third")]
    steps += _checks(case, persona, rng)
    if persona == "down" and rng.random() < 0.8:
        return [*steps[: rng.randrange(2)], Step("call_back")]
    if persona == "chatty" and rng.random() < 0.7:
        steps.insert(rng.randrange(len(steps) + 1), Step(rng.choice(("who", "whose", "why", "topic"))))
    if persona == "holding" or rng.random() < 0.05 * restless**2:
        steps.insert(rng.randrange(1, len(steps) + 1) if steps else 0, Step("hold"))
    if restless > 1 and rng.random() < 0.15 * (restless - 1):
        steps.insert(rng.randrange(len(steps) + 1), Step(rng.choice(("who", "whose", "sure", "why", "topic"))))
    return steps + _dealings(case, persona, rng, restless)


def _checks(case: Case, persona: str, rng: Random) -> list[Step]:
    """The questions that verify the customer: none, one or two."""
    count = 2 if persona == "second" else rng.choices((0, 1), (20, 80))[0]
    pool = [item for item in case.on_file if item != "new address"]
    items = rng.sample(pool, min(count, len(pool)))
    if items and rng.random() < 0.14:
        items[0] = rng.choice([item for item in FILE_ITEMS if item not in items])
    if persona == "forbidden":
        items.insert(rng.randrange(len(items) + 1), rng.choice(FORBIDDEN))
    if case.hinted and rng.random() < 0.8:
        items = [case.hinted, *(item for item in items[1:] if item != case.hinted)]
    if case.task == "move" and "new address" not in items and rng.random() < 0.8:
        items.append("new address")
    return [Step("ask", item) for item in items]


def _dealings(case: Case, persona: str, rng: Random, restless: float) -> list[Step]:
    """Offers by the house's rules, more of them by the restless, and the end that comes when none is taken."""
    steps: list[Step] = []
    if rng.random() < (0.35 if persona == "retaining" else 0.03):
        steps.append(Step("why" if case.task == "discount" else rng.choice(("why", "sure"))))
    most = {"cancel": 2 if persona == "retaining" else rng.choice((0, 0, 0, 1)), "move": rng.random() < 0.06}
    count = rng.choices((0, 1, 2, 3), (14, 44, 35, 7))[0] if case.task == "discount" else int(most[case.task])
    if restless > 1 and rng.random() < 0.9 * (restless - 1):
        count = max(count, rng.choice((1, 2, 3)))
    levels = sorted(rng.choices(range(len(OFFERS)), k=count))
    steps += [Step("offer", offer=(OFFERS[level], rng.choice(TERMS))) for level in levels]
    if case.task == "discount":
        return [*steps, Step("refuse" if rng.random() < 0.9 else "call_back")]
    ends = ("refuse", "call_back", _DONE[case.task])
    return [*steps, Step(rng.choices(ends, (14, 3, 83))[0])]


@dataclass(slots=True)
class Rep:
    """One representative in one call. `greet` opens it, then `answer` goes to each thing the agent said.

    `outcome` is what was settled in its own words, `agreed` the offer that the agent took. `restless`: how often it
    does something else than go on, as a factor. `refusals`: values the agent told wrongly.
    """

    case: Case
    wordings: RepWordings
    rng: Random
    restless: float = 1.0
    persona: str = ""
    steps: list[Step] = field(default_factory=list)
    now: Step | None = None
    outcome: str = ""
    agreed: Offer | None = None
    noted: str = ""
    wrong_values: int = 0
    confirmed_wrong: bool = False
    patience: int = 16
    waiting: bool = False
    held: str = ""
    heard_task: bool = False

    def __post_init__(self) -> None:
        self.persona = self.persona or random_persona(self.case, self.rng)
        self.steps = self.steps or plan(self.case, self.persona, self.rng, self.restless)

    def greet(self) -> Utterance:
        """The first turn; now and then it asks something at once, or puts the agent on hold."""
        words = self._say("greet", company=self.case.company)
        chance = self.rng.random()
        if chance < 0.05 and self.steps[0].act == "ask":
            self.now = self.steps.pop(0)
            return Utterance((*words, *self._words(self.now)), self._label(self.now))
        if chance < 0.07:
            self.waiting = True
            return Utterance((*words, *self._say("hold")), "hold")
        return Utterance(tuple(words), "other")

    def answer(self, text: str, *, cut: bool = False) -> Utterance:
        """What the representative says to `text`, all of it that was heard; empty text for silence."""
        self.patience -= 1
        if self.patience <= 0 and not self.outcome:
            return self._go(Step("call_back"))
        waited, self.waiting = self.waiting, False
        self.heard_task = self.heard_task or self._names_task(text)
        if waited and self.now is None:
            return Utterance(tuple(self._say("back") + self._say("how")), "other")
        if not self.heard_task and self.now is None:
            return Utterance(tuple(self._say("how")), "other")
        if waited and self.held:
            reply, self.held = self._reply(self.held, False), ""
            return Utterance((*self._say("back"), *reply.words), reply.label)
        if waited:
            return self._next("back")
        if not text or "did not catch" in text or "still there" in text:
            return self._again()
        if not cut and not self.outcome and self.rng.random() < 0.05 * self.restless:
            return self._sidestep(text)
        return self._reply(text, cut)

    def _names_task(self, text: str) -> bool:
        return {"cancel": "cancel", "discount": "discount", "move": "new address"}[self.case.task] in text

    def _reply(self, text: str, cut: bool) -> Utterance:
        """Go on where `text` gives what the present step wants, else insist."""
        act = self.now.act if self.now else ""
        if act == "ask":
            return self._take_item(text, cut)
        if act == "readback":
            return self._judge_readback(text, cut)
        if act == "offer":
            return self._bargain(text)
        wanted = {"who": "calling for", "whose": self.case.customer, "sure": "yes", "how": "calling for"}.get(act, "")
        if self.outcome:
            return self._again()
        return self._next("thanks") if wanted in text else self._again()

    def _take_item(self, text: str, cut: bool) -> Utterance:
        assert self.now is not None
        item = self.now.item
        if "not allowed" in text or "do not have" in text:
            return self._instead(item)
        told = _TOLD.search(text)
        if told is None:
            return self._again()
        if told[1] != item:
            return Utterance(tuple(self._say("no_ask", item=item)), self._label(self.now))
        right = self.case.values.get(item, "")
        if told[2].strip() != right:
            return self._again() if cut else self._reject()
        if self.rng.random() < (0.7 if self.persona == "mishearing" else 0.04):
            self.noted = _misheard(right, self.rng) if self.rng.random() < 0.6 else right
            self.now = Step("readback", item)
            return Utterance(tuple(self._say("readback", value=self.noted)), item)
        return self._next("thanks")

    def _reject(self) -> Utterance:
        self.wrong_values += 1
        if self.wrong_values > 2:
            return self._go(Step("refuse"))
        return Utterance(tuple(self._say("mismatch")), "other")

    def _judge_readback(self, text: str, cut: bool) -> Utterance:
        assert self.now is not None
        item = self.now.item
        right = self.case.values.get(item, "")
        told = _TOLD.search(text)
        if told is not None:
            if told[2].strip() != right:
                return self._again() if cut else self._reject()
            if self.rng.random() < 0.15:
                self.noted = right
                return Utterance(tuple(self._say("readback", value=right)), item)
            return self._next("thanks")
        if "that is right" in text:
            self.confirmed_wrong = self.confirmed_wrong or self.noted != right
            return self._next("thanks")
        return self._again()

    def _instead(self, item: str) -> Utterance:
        """The agent cannot tell the item: another one, or the end."""
        others = [other for other in self.case.on_file if other not in {item, "new address"}]
        chance = self.rng.random()
        if chance < 0.08:
            return self._again()
        if chance < 0.74 and others:
            other = self.rng.choice(others)
            self.steps = [step for step in self.steps if step.item != other]
            self.now = Step("ask", other)
            return Utterance(tuple(self._say("ask_else", item=other)), other)
        if chance < 0.84:
            return self._next("thanks")
        return self._go(Step("refuse"))

    def _bargain(self, text: str) -> Utterance:
        assert self.now is not None
        assert self.now.offer is not None
        percent, term = self.now.offer
        if "is fine" in text:
            if f"{percent} for {term} is fine" not in text:
                return self._again()
            self.agreed = self.now.offer
            return self._go(Step("agreed"))
        if "how long" in text:
            return Utterance(tuple(self._say("term", term=term)), "offer")
        if "better offer" in text or "no thank you" in text:
            return self._next("")
        return self._again()

    def _next(self, opening: str) -> Utterance:
        """The next step, sometimes with a word of thanks before it."""
        step = self.steps.pop(0) if self.steps else Step("refuse")
        words = self._say(opening) if opening and self.rng.random() < 0.4 else []
        return self._go(step, words)

    def _go(self, step: Step, before: list[RepWord] | None = None) -> Utterance:
        self.now = step
        if step.act in {"refuse", "refuse_third"}:
            self.outcome = "refused"
        elif step.act == "call_back":
            self.outcome = "call back"
        elif step.act == "agreed":
            self.outcome = "agreed"
        elif step.act in {"cancelled", "moved"}:
            self.outcome = "done"
        if step.act == "hold":
            self.waiting = True
        words = [*(before or []), *self._words(step)]
        if self.outcome and self.rng.random() < 0.25:
            words += self._say("tail")
        return Utterance(tuple(words), self._label(step))

    def _again(self) -> Utterance:
        """The present step once more, in other words."""
        if self.now is None:
            return self._next("")
        if self.now.act == "readback":
            return Utterance(tuple(self._say("readback", value=self.noted)), self.now.item)
        return self._go(self.now)

    def _sidestep(self, text: str) -> Utterance:
        """Now and then something else: a wait, small talk, junk, or what was that."""
        kind = self.rng.choice(("hold", "topic", "junk", "pardon", "pardon"))
        if kind == "junk":
            junk = [self.rng.choice(recogniser_words()) for _ in range(self.rng.choice((1, 2, 4)))]
            if self.restless > 1 and self.rng.random() < 0.6:
                junk = [word.text for word in self.rng.choice((salad, babble))(self.rng)]
            return Utterance(tuple(map(RepWord, junk)), "other")
        if kind == "hold":
            self.waiting, self.held = True, text
            return Utterance(tuple(self._say("hold")), "hold")
        if kind == "topic" and self.restless > 1 and self.rng.random() < 0.6:
            return Utterance(tuple(RepWord(word.text, word.tag and "topic") for word in business(self.rng)), "other")
        return Utterance(tuple(self._say(kind)), "other")

    # words

    def _words(self, step: Step) -> list[RepWord]:
        if step.act == "offer" and step.offer is not None:
            percent, term = step.offer
            bare = self.rng.random() < 0.15
            return self._say("offer_bare" if bare else "offer", offer=percent, term=term)
        return self._say(step.act, item=step.item) if step.item else self._say(step.act)

    def _say(self, act: str, **values: str) -> list[RepWord]:
        words = say_act(self.wordings, act, self.rng, values)
        if self.persona in {"brisk", "chatty"} and self.rng.random() < 0.6:
            other = say_act(self.wordings, act, self.rng, values)
            return (min if self.persona == "brisk" else max)(words, other, key=len)
        return words

    def _label(self, step: Step) -> str:
        return step.item or _LABELS.get(step.act, "other")


def _misheard(value: str, rng: Random) -> str:
    """`value` with one word wrong."""
    words = value.split()
    at = rng.randrange(len(words))
    word = words[at]
    if word in _DIGIT:
        words[at] = rng.choice([other for other in _DIGIT if other != word])
    elif len(word) == 1:
        words[at] = rng.choice([letter for letter in "bcdefgklmnpstvw" if letter != word])
    else:
        words[at] = mangled(word, rng)
    return " ".join(words)
