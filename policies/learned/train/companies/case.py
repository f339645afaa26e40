"""One customer's case: what is to be done, what is on file, and what may be accepted.

The card tells the agent all of it but the values, which a look-up gives. This file knows the case and the card; it
refuses to know how anybody speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from policies.learned.train.companies.wordings import RepWordings
from policies.prompt import card
from policies.spoken import MONTHS
from policies.trajectory import Segment

__all__ = [
    "FILE_ITEMS",
    "FORBIDDEN",
    "OFFERS",
    "OUTCOMES",
    "TASKS",
    "TERMS",
    "Case",
    "Offer",
    "good_enough",
    "random_case",
]

FILE_ITEMS = (
    "customer number",
    "postcode",
    "date of birth",
    "last four digits",
    "email",
    "phone number",
    "new address",
)
FORBIDDEN = ("password", "pin", "card number")
"""Never looked up and never said, whoever asks."""
OFFERS = ("five percent", "ten percent", "fifteen percent", "twenty percent", "thirty percent")
"""From the worst to the best."""
TERMS = ("one year", "two years")
"""How long an offer binds, from the best to the worst."""
OUTCOMES = ("done", "agreed", "refused", "call back")
TASKS = {
    "cancel": "cancel the contract",
    "discount": "get a discount",
    "move": "move the contract",
}
"""The word of the note -> the words of the card."""

Offer = tuple[str, str]
"""Percentage and term, both as words."""

_DIGITS = "zero one two three four five six seven eight nine".split()
_LETTERS = "a b c d e f g h j k l m n o p r s t u w x y".split()
_ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth "
    "sixteenth seventeenth eighteenth nineteenth twentieth"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_STREETS = "oak elm mill park church station high green hill lake rose king queen bridge garden west".split()
_WAYS = "street road lane avenue".split()
_HOSTS = "mail post web box inbox fastmail home".split()
_MONDAY = date(2026, 11, 23)
_OTHER_HINTS = (
    "they refuse to talk to third parties.",
    "they put callers on hold.",
    "they often have a discount.",
    "they are slow on mondays.",
    "last call went well.",
    "the line is noisy.",
)


@dataclass(slots=True)
class Case:
    """`values`: every file item the customer has, by name; `missing`: items on the card whose look-up finds nothing;
    `accept`: the least good offer still acceptable, None for nothing; `hinted`: the item that memory expects."""

    customer: str
    company: str
    task: str
    values: dict[str, str]
    accept: Offer | None = None
    missing: frozenset[str] = frozenset()
    hints: tuple[str, ...] = ()
    hinted: str = ""
    today: date = _MONDAY
    looked_up: list[str] = field(default_factory=list)
    reports: list[dict[str, str]] = field(default_factory=list)

    @property
    def on_file(self) -> tuple[str, ...]:
        """The items on the card, in the card's order."""
        return tuple(item for item in FILE_ITEMS if item in self.values)

    @property
    def request(self) -> str:
        """What the agent asks for, in a sentence."""
        return {
            "cancel": "please cancel the contract.",
            "discount": "can we get a discount on the contract?",
            "move": "please move the contract to a new address.",
        }[self.task]

    def card(self) -> Segment:
        """The first segment of the call."""
        accept = f"{self.accept[0]} for {self.accept[1]}" if self.accept else "nothing"
        persona = (
            f"calls desk for {self.customer}. calling {self.company}. task: {TASKS[self.task]}. "
            f"on file: {', '.join(self.on_file)}. may accept: {accept}"
        )
        return card(persona, today=self.today, hints=self.hints)

    def run(self, tool: str, arguments: dict[str, str]) -> str:
        """The result of a call, in words."""
        if tool == "report":
            self.reports.append(arguments)
            return "ok"
        item = arguments.get("item", "")
        self.looked_up.append(item)
        return "not on file" if item in self.missing else self.values.get(item, "not on file")


def good_enough(offer: Offer, accept: Offer | None) -> bool:
    """At least as much as `accept`, for at most as long."""
    if accept is None:
        return False
    return OFFERS.index(offer[0]) >= OFFERS.index(accept[0]) and TERMS.index(offer[1]) <= TERMS.index(accept[1])


def random_case(rng: Random, wordings: RepWordings) -> Case:
    """A case with two to five items on file, sometimes with hints."""
    task = rng.choices(tuple(TASKS), (50, 32, 18))[0]
    customer = wordings.name(rng)
    items = rng.sample([item for item in FILE_ITEMS if item != "new address"], rng.choice((2, 2, 2, 3, 3, 4)))
    if task == "move":
        items = [*items[:4], "new address"]
    values = {item: _value(item, customer, rng) for item in items}
    takes = {"cancel": 0.6, "discount": 1.0, "move": 0.1}[task]
    accept = (rng.choice(OFFERS[:4]), rng.choice(TERMS)) if rng.random() < takes else None
    case = Case(customer, wordings.company(rng), task, values, accept)
    case.today = _MONDAY + timedelta(days=rng.choice((0, 0, 1, 2, 3, 4)))
    if rng.random() < 0.04:
        case.missing = frozenset({rng.choice(items)})
    _hint(case, rng)
    return case


def _hint(case: Case, rng: Random) -> None:
    hints: list[str] = []
    chance = rng.random()
    if chance < 0.3:
        asked = rng.choice(case.on_file) if chance < 0.24 else rng.choice((*FILE_ITEMS, *FORBIDDEN))
        hints.append(f"they ask for the {asked}.")
        case.hinted = asked
    if rng.random() < 0.1:
        hints.insert(rng.randrange(len(hints) + 1), rng.choice(_OTHER_HINTS))
    case.hints = tuple(hints)


def _value(item: str, customer: str, rng: Random) -> str:
    """A value as it is said, and as it stands in the stream."""
    if item == "postcode":
        if rng.random() < 0.3:
            return _spelled(_DIGITS, 5, rng)
        return f"{_spelled(_LETTERS, 2, rng)} {_spelled(_DIGITS, 2, rng)} {_spelled(_LETTERS, 2, rng)}"
    if item == "date of birth":
        day = rng.choice((*_ORDINALS, *(f"twenty {word}" for word in _ORDINALS[:9]), "thirtieth"))
        year = f" nineteen {rng.choice(_TENS[3:])} {rng.choice(_DIGITS[1:])}" if rng.random() < 0.3 else ""
        return f"{day} of {rng.choice(MONTHS)}{year}"
    if item == "email":
        first, last = customer.split()
        name = rng.choice((first, last, f"{first} dot {last}", f"{first} {rng.choice(_DIGITS)}"))
        return f"{name} at {rng.choice(_HOSTS)} dot {rng.choice(('com', 'net', 'org'))}"
    if item == "new address":
        number = rng.choice((rng.choice(_DIGITS[1:]), f"{rng.choice(_TENS)} {rng.choice(_DIGITS[1:])}"))
        return f"{number} {rng.choice(_STREETS)} {rng.choice(_WAYS)}"
    lengths = {"last four digits": (4,), "phone number": (5,), "customer number": (4, 5)}
    return _spelled(_DIGITS, rng.choice(lengths[item]), rng)


def _spelled(signs: list[str], count: int, rng: Random) -> str:
    return " ".join(rng.choice(signs) for _ in range(count))
