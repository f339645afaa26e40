"""How a company's representative speaks in training: pieces by act, and the names of companies and customers.

The same notation as `policies.learned.train.wordings`: ``(a|b|)`` one of, may nest; ``{item} {value} {offer} {term}
{company}`` the value; ``*word`` carries the meaning of the act; ``!word`` is never lost, because without it the rest
would say the opposite ("we cannot do that"). `heldout` has the same acts with other pieces; no piece stands in both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from policies.learned.train.companies.wordings_asking import ASKING
from policies.learned.train.companies.wordings_deciding import DECIDING
from policies.learned.train.companies.wordings_talking import AFTER, BEFORE, TALKING
from policies.learned.train.names import FIRST_NAMES, invented_name, training_name
from policies.learned.train.wordings import Wordings

__all__ = ["COMPANY_FIRST", "COMPANY_SECOND", "ITEM_PHRASES", "TERM_PHRASES", "TRAINED", "WRAPPED", "RepWordings"]


@dataclass(frozen=True, slots=True)
class RepWordings(Wordings):
    """Pieces by act; `name` gives a customer, first name and surname, and `company` an invented company. `before` and
    `after`: what may stand around a piece of any act in `WRAPPED` and says nothing; a set without them has none."""

    company: Callable[[Random], str]
    before: tuple[str, ...] = field(default=(), kw_only=True)
    after: tuple[str, ...] = field(default=(), kw_only=True)


ITEM_PHRASES: dict[str, tuple[str, ...]] = {
    "customer number": ("customer number", "customer number", "customer number", "account number", "client number",
                        "customer id"),
    "postcode": ("postcode", "postcode", "post code", "zip code"),
    "date of birth": ("date of birth", "date of birth", "birthday", "birth date"),
    "last four digits": ("last four digits", "last four digits", "last four digits of the account",
                         "final four digits"),
    "email": ("email", "email address", "email on file"),
    "phone number": ("phone number", "phone number", "telephone number", "mobile number"),
    "new address": ("new address", "new address", "new street address", "new home address"),
    "password": ("password", "password", "online password", "telephone password"),
    "pin": ("pin", "pin", "pin code", "pin number"),
    "card number": ("card number", "credit card number", "full card number", "debit card number"),
}  # fmt: skip
"""An item as a representative may call it. What cannot be guessed from the words cannot be held out either."""

TERM_PHRASES: dict[str, tuple[str, ...]] = {
    "one year": ("one year", "one year", "one year", "a year", "twelve months"),
    "two years": ("two years", "two years", "two years", "twenty four months"),
}

COMPANY_FIRST: tuple[str, ...] = tuple(
    """bright north silver green blue red clear swift first true city coast river lake hill stone oak maple pine cedar
    sun moon star sky cloud wind rain snow frost fire golden royal crown eagle falcon fox wolf bear lion arrow anchor
    harbour bridge tower castle valley meadow forest summit union central metro inter omni nova alpha delta vertex
    brightline westline nordwell primewell easypath openway""".split()
)
COMPANY_SECOND: tuple[str, ...] = tuple(
    """energy power gas water mobile telecom broadband internet media networks insurance fitness gym gyms storage
    electric connect fibre wireless television heating cable""".split()
)


def _company(rng: Random) -> str:
    """An invented company of two words."""
    first = rng.choice(COMPANY_FIRST) if rng.random() < 0.75 else invented_name(rng)
    return f"{first} {rng.choice(COMPANY_SECOND)}"


def _customer(rng: Random) -> str:
    """An invented customer of two words; the first name is seldom an unknown one."""
    first = rng.choice(FIRST_NAMES) if rng.random() < 0.85 else invented_name(rng)
    return f"{first} {training_name(rng).split()[-1]}"


WRAPPED = (ASKING.keys() | TALKING.keys() | DECIDING.keys()) - {"greet", "back", "thanks", "tail", "hum"}
"""Acts that may have something before and after them."""

TRAINED = RepWordings(pieces=ASKING | TALKING | DECIDING, name=_customer, company=_company, before=BEFORE, after=AFTER)
