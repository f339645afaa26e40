"""Test pieces: a representative's words, companies and customers that no training call contains.

Success is counted on these. The acts are those of `wordings`; bare values ("the postcode please") cannot be held out.
"""

from __future__ import annotations

from random import Random

from policies.learned.train.companies.wordings import RepWordings
from policies.learned.train.heldout import heldout_name

__all__ = ["HELDOUT", "HELDOUT_COMPANY_FIRST", "HELDOUT_COMPANY_SECOND", "HELDOUT_FIRST_NAMES"]

HELDOUT_FIRST_NAMES: tuple[str, ...] = tuple(
    """priya tariq ingrid marco yusuf elena dmitri fatima gareth hannah isaac joanna klaus leila martin nadia owen
    petra quentin rosa simon teresa ulrich valerie walter yvonne zoe bruno celine derek""".split()
)
HELDOUT_COMPANY_FIRST: tuple[str, ...] = tuple(
    """amber beacon copper dawn ember fern granite horizon island juniper kestrel lantern marble nimbus orbit pebble
    quarry ridge saffron timber ultra velvet willow zenith highland""".split()
)
HELDOUT_COMPANY_SECOND: tuple[str, ...] = tuple("utilities phone solar streaming leasing telephony sports".split())


def _company(rng: Random) -> str:
    return f"{rng.choice(HELDOUT_COMPANY_FIRST)} {rng.choice(HELDOUT_COMPANY_SECOND)}"


def _customer(rng: Random) -> str:
    return f"{rng.choice(HELDOUT_FIRST_NAMES)} {heldout_name(rng)}"


# fmt: off
HELDOUT = RepWordings(
    pieces={
        "greet": (
            "good evening you're talking to {company}", "{company} what brings you here today", "hiya {company} here",
            "{company} helpdesk how may i be of service", "this is the service desk of {company}",
            "hello and welcome to {company} go ahead please",
        ),
        "how": (
            "what may i *do *for you *today", "how could i be of *help", "so what's the *matter",
            "*what are you *after", "may i know *what you are *calling *about",
        ),
        "ask": (
            "i'd like the {item} from you", "would you let me know the {item}", "first things first the {item}",
            "do you happen to know the {item}", "please provide the {item}", "we start with the {item}",
            "i'll have to take the {item}", "tell me the {item}", "i'm missing the {item}", "what would be the {item}",
        ),
        "ask_else": (
            "fair enough have you got the {item}", "we can go by the {item}", "well the {item} is good enough",
            "not to worry just the {item}", "so give me the {item} instead",
        ),
        "no_ask": (
            "hold on i need the {item}", "it's the {item} that i asked for",
            "no that's another thing the {item} please", "wrong one i want the {item}",
        ),
        "readback": (
            "i noted {value} okay", "let me check that {value}", "so i've written {value}",
            "did i get that right {value}", "{value} was it",
        ),
        "mismatch": (
            "that one *isn't *matching", "i see *something *different here", "my screen says it is *incorrect",
            "it *won't *accept that", "there is *no *such thing in our *records",
        ),
        "who": (
            "and you are *called", "am i *talking to the *holder", "could you say *who is *on the *line",
            "are you the *client *yourself", "are you *entitled to *act for them",
        ),
        "whose": (
            "what is the *name of our customer", "which *name is the contract *in",
            "give me the customer's *name please", "could you spell out the *name for me", "*who is *our *customer",
        ),
        "sure": (
            "you *definitely *want this", "is it *fine if i *do it *now", "*would you *want me to *continue",
            "have you *thought it *over", "so *do i *go *on with it",
        ),
        "why": (
            "what has *happened", "do you mind telling me *why", "any particular *reason",
            "was our service *disappointing", "are you *moving to a *competitor",
        ),
        "topic": (
            "isn't it *hot today", "have you got any *holiday *plans", "do you *follow the *cricket",
            "may i *interest you in a new *phone", "i have had a *long *day",
        ),
        "hold": (
            "*excuse me for a *moment", "*wait there please", "i need to *have a *look", "would you *hold a *little",
            "*two *seconds please", "i'm *loading the *page",
        ),
        "back": ("i am with you again", "so sorry for that", "hello are we good", "okay we're ready"),
        "thanks": ("much obliged", "excellent", "that's the one", "good good", "splendid thank you"),
        "offer": (
            "i might manage {offer} for {term}", "suppose we made it {offer} for {term}",
            "my manager lets me do {offer} for {term}", "we are running {offer} off for {term}",
            "there'd be {offer} in it for {term}", "if i give {offer} for {term} will you stay",
            "i'm able to lower it by {offer} for {term}",
        ),
        "offer_bare": (
            "i might manage {offer}", "suppose we made it {offer}", "my manager lets me do {offer}",
            "we're running {offer} off",
        ),
        "term": ("that'd be {term}", "you keep it for {term}", "it stays for {term}", "{term} in total"),
        "agreed": (
            "wonderful the *discount has been *added", "that has *gone *on the *account", "consider it *arranged",
            "*i've *entered the *discount for you", "we are *all *set with that",
        ),
        "cancelled": (
            "it has been *cancelled", "your contract *was *cancelled just now", "i've *put the *cancellation *through",
            "the *contract *stops this month", "*consider it *cancelled",
        ),
        "moved": (
            "it has been *moved", "the *contract *goes to the *new *home", "i've *entered the *new *address",
            "*consider it *moved", "your *details are *changed",
        ),
        "refuse": (
            "i regret we are *!not *able to do that", "it is *!not in my *power", "*!no i'm *unable to do this",
            "that *!can't be managed i'm afraid", "our policy *forbids that",
        ),
        "refuse_third": (
            "i may *only *speak with the *contract *holder", "*!no *information to *outsiders i'm afraid",
            "we *!don't *take this from *other *people", "let the *customer phone us *personally",
        ),
        "call_back": (
            "everything is *offline *ring us *later", "please *phone *again in the *morning",
            "can you *try us *another *time", "our *team has gone *home *call *tomorrow",
        ),
        "pardon": (
            "i *couldn't *make that *out", "say it one *more *time please", "would you *mind *repeating it",
            "*again please",
        ),
        "tail": ("was there something else", "enjoy your day", "we will write to you", "all good then"),
        "hum": ("hmm", "uhm", "oh", "let's see", "okay so"),
    },
    name=_customer,
    company=_company,
)
# fmt: on
