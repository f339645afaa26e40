"""The expert calls desk: what a good agent writes, given what could still be understood of the representative.

It makes the labels of the training calls and stands for the ceiling of the model. It sees the card, `Heard` and the
results of its own look-ups, never the representative's plan. Style is ours and small on purpose.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, field, replace
from random import Random

from policies.learned.train.companies.case import FORBIDDEN, OFFERS, Case, good_enough
from policies.learned.train.companies.spoken_rep import Heard
from policies.learned.train.expert import Action

__all__ = ["Expert"]

DECISIVE = 3.0
"""Weight of turns that weigh an offer or call a tool: there are one or two of them, and one wrong fails the call. A
guess."""

_CLEARING = frozenset({"who", "whose", "sure", "why", "agreed", "cancelled", "moved", "refuse", "refuse_third"})
"""Acts after which the representative waits for no item any more."""
_SETTLED = frozenset({"agreed", "cancelled", "moved"})
_REFUSED = frozenset({"refuse", "refuse_third"})


@dataclass(slots=True)
class Expert:
    """The state of one call as the agent knows it. `turn` on the other side's turn, `returned` on a tool's result.

    `slip_rate`: share of fresh values that the note gets wrong, so that the model learns to be corrected.
    `stumble_rate`: share of turns answered as if nothing had been understood; neither is learned.
    """

    case: Case
    rng: Random
    slip_rate: float = 0.0
    stumble_rate: float = 0.0
    asked: str | None = None
    offer: str | None = None
    term: str | None = None
    answer: str | None = None
    accepted: bool = False
    bargained: bool = False
    introduced: bool = False
    reported: bool = False
    slipped: bool = False
    values: dict[str, str] = field(default_factory=dict)
    said: str = ""

    def note(self) -> str:
        """The five fields as the model writes them."""
        values = (self.case.task, self.asked, self.offer, self.term, self.answer)
        return " ".join(value or "-" for value in values)

    def peek(self, heard: Heard) -> str:
        """The note in the middle of a turn, from what was heard of it so far; changes nothing."""
        other = copy(self)
        other.slip_rate = 0.0
        other._take(heard)
        if other.answer == "unclear":
            other.answer = None
        return other.note()

    def turn(self, heard: Heard) -> Action:
        """Take one turn of the representative and act."""
        if self.introduced and self.rng.random() < self.stumble_rate:
            self._take(Heard(words=1))
            return replace(self._again(), note=self.note(), slipped=True, stumbled=True)
        self.slipped = False
        self._take(heard)
        note, slipped = self.note(), self.slipped
        action = self._decide(heard)
        decisive = action.kind == "call" or heard.offer or heard.term
        return replace(action, note=note, slipped=slipped, weight=DECISIVE if decisive else 1.0)

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        """Take the result of a call and act."""
        if tool == "report":
            return Action("say", "thank you. goodbye.", bye=True)
        self.values[arguments["item"]] = result
        return self._introduce() if self.asked is None else self._asked()

    # what was understood

    def _take(self, heard: Heard) -> None:
        acts = heard.acts
        self.answer = None
        if heard.asked:
            self.asked = self._maybe_slip(heard.asked)
        elif acts & _CLEARING or heard.offer:
            self.asked = None
        if heard.offer:
            self.offer, self.term = self._maybe_slip_offer(heard.offer), heard.term
            self.accepted = False
        elif heard.term and self.offer and not self.term:
            self.term = heard.term
        if acts & _SETTLED:
            self.answer = "yes"
        elif acts & (_REFUSED | {"mismatch", "call_back"}):
            self.answer = "no"
        elif not self._meaning(heard) and self.introduced and heard.words:
            self.answer = "unclear"

    def _meaning(self, heard: Heard) -> bool:
        """Whether anything was said that has a meaning now: a term without an offer has none."""
        value = heard.value is not None and self.asked in self.values
        term = heard.term is not None and self.offer is not None
        return bool(heard.asked or heard.offer or term or value or heard.acts)

    def _maybe_slip(self, item: str) -> str:
        """Sometimes another item than the one asked for, always one that may be told."""
        others = [other for other in self.case.on_file if other != item]
        if others and self.rng.random() < self.slip_rate:
            self.slipped = True
            return self.rng.choice(others)
        return item

    def _maybe_slip_offer(self, offer: str) -> str:
        if self.rng.random() < self.slip_rate:
            self.slipped = True
            return self.rng.choice([other for other in OFFERS if other != offer])
        return offer

    # what is said and done

    def _decide(self, heard: Heard) -> Action:
        acts = heard.acts
        if heard.words == 0:
            return self._say("hello, are you still there?", keep=False)
        if acts & (_SETTLED | _REFUSED | {"call_back"}):
            return self._report(acts)
        if "hold" in acts and not (heard.asked or heard.offer):
            return Action("silence")
        if not self.introduced:
            hinted = self.case.hinted
            if hinted in self.case.on_file and hinted not in self.values:
                return Action("call", tool="look_up", arguments={"item": hinted}, expect=hinted)
            return self._introduce() if self.asked is None else self._asked()
        if heard.offer or (heard.term and self.offer and not self.accepted):
            return self._weigh()
        if heard.asked:
            return self._asked()
        if heard.value is not None and self.asked in self.values:
            if heard.value == self.values[self.asked]:
                return self._say("yes, that is right.")
            return self._say(f"no. {self._value()}")
        if "mismatch" in acts and self.asked in self.values:
            return self._tell()
        return self._talk(acts)

    def _talk(self, acts: set[str]) -> Action:
        """Everything that is no value, no offer and no end."""
        if "who" in acts:
            return self._say(f"this is the calls desk. i am calling for {self.case.customer}.")
        if "whose" in acts:
            return self._say(f"the name is {self.case.customer}.")
        if "sure" in acts:
            return self._say(f"yes. {self.case.request}" if self.case.task != "discount" else "yes please.")
        if "how" in acts:
            return self._introduce()
        if acts & {"why", "topic"}:
            return self._say("i can only talk about the contract.")
        if "pardon" in acts and self.said:
            return self._say(self.said)
        return self._again()

    def _again(self) -> Action:
        return self._say("sorry, i did not catch that.", keep=False)

    def _introduce(self) -> Action:
        self.introduced = True
        return self._say(f"hello, i am calling for {self.case.customer}. {self.case.request}")

    def _asked(self) -> Action:
        """Look up what is asked for, or tell it where it is known, or say why not."""
        assert self.asked is not None
        if self.asked in self.case.on_file and self.asked not in self.values:
            return Action("call", tool="look_up", arguments={"item": self.asked})
        return self._tell()

    def _tell(self) -> Action:
        assert self.asked is not None
        if self.asked in FORBIDDEN:
            text = "i am not allowed to give that. can i verify with something else?"
        elif self.values.get(self.asked, "not on file") == "not on file":
            text = f"sorry, i do not have the {self.asked}. will something else do?"
        else:
            text = self._value()
        if not self.introduced:
            opening = self._introduce().text
            text = f"{opening} {text}"
        return self._say(text)

    def _value(self) -> str:
        """The value asked for, in a sentence."""
        verb = "are" if self.asked == "last four digits" else "is"
        return f"the {self.asked} {verb} {self.values[self.asked or '']}."

    def _weigh(self) -> Action:
        """Take the offer, turn it down, or ask for how long it is."""
        assert self.offer is not None
        if self.term is None:
            return self._say("for how long?")
        if good_enough((self.offer, self.term), self.case.accept):
            self.accepted = True
            return self._say(f"{self.offer} for {self.term} is fine. yes please.")
        self.offer = self.term = None
        if self.case.task != "discount":
            return self._say(f"no thank you. {self.case.request}")
        if self.bargained:
            return self._say("no thank you.")
        self.bargained = True
        return self._say("is there a better offer?")

    def _report(self, acts: set[str]) -> Action:
        if acts & _SETTLED:
            outcome = "agreed" if self.accepted else "done"
        else:
            outcome = "refused" if acts & _REFUSED else "call back"
        arguments = {"outcome": outcome}
        if self.accepted and self.offer and self.term:
            arguments |= {"offer": self.offer, "term": self.term}
        self.reported = True
        return Action("call", tool="report", arguments=arguments)

    def _say(self, text: str, *, keep: bool = True) -> Action:
        if keep:
            self.said = text
        return Action("say", text)
