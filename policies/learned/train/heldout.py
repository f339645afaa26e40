"""Test pieces: wordings and names that no training dialogue contains.

Success is counted on these. The acts are those of `wordings`; the pieces were written apart from them, before the
first model was trained. Bare values ("wednesday", "miller") and bare "yes" and "no" cannot be held out.
"""

from __future__ import annotations

from random import Random

from policies.learned.train.names import invented_name
from policies.learned.train.wordings import Wordings

__all__ = ["HELDOUT", "HELDOUT_SURNAMES", "heldout_name"]

HELDOUT_SURNAMES: tuple[str, ...] = tuple(
    """miller fischer novak okafor petrov rossi larsen dubois tanaka becker lindgren haddad moreau kowalski ivanov
    schneider van berg obi nkemelu farouk irving dawson holloway whitaker pruitt barlow fitzgerald mcallister ashworth
    blackwood thornton hargrove winslow pemberton lockhart ellison redmond castellano brandt keller vogel sorensen
    eriksen takahashi yamamoto banerjee chowdhury kapoor zielinski horvath nagy popescu dimitrov papadakis oconnell
    macleod gallagher sinclair abernathy underwood vickers yardley""".split()
)


def heldout_name(rng: Random) -> str:
    """A test caller's name: three in four from the held-out list, the rest invented from a stream of its own."""
    return rng.choice(HELDOUT_SURNAMES) if rng.random() < 0.75 else invented_name(rng)


# fmt: off
HELDOUT = Wordings(
    pieces={
        "hello": (
            "hiya", "good evening", "hello is this the clinic", "hey there", "yes good day", "hello can you help me",
        ),
        "book": (
            "i'm after an *appointment", "what would i have to do to get an *appointment",
            "i should probably come for a *visit", "any chance of an *appointment", "i'd be glad of an *appointment",
            "put me in for a *visit", "my wife says i should *see the *doctor", "i want to get myself *booked *in",
            "we would like a *visit", "let's make an *appointment", "how do i *book with you",
        ),
        "cancel": (
            "i've got to *cancel", "could you please *cancel what i have", "my visit needs to be *cancelled",
            "sadly i must *cancel my visit", "there is an appointment i want to *cancel",
            "take me off the list i have to *cancel",
        ),
        "hours": (
            "what are the *hours of the place", "tell me when you're *open", "how early do you *open",
            "at what hour do you *close",
        ),
        "other": (
            "will my *insurance pay for it", "i'd like a *prescription sent over", "is it easy to *park near you",
            "put me through to a *human being", "what would that *cost me",
        ),
        "day": (
            "{day} sounds good", "would {day} be all right", "i'm hoping for {day}", "it'd be {day} for me",
            "say {day}", "ideally {day}", "well {day} is my day off", "we could manage {day}", "can you do {day}",
            "{day} is what i had in mind",
        ),
        "day_part": (
            "{day} during the {part}", "sometime {day} {part}", "the {part} of {day}", "ideally {day} {part}",
            "would {day} {part} be all right",
        ),
        "part": (
            "during the {part}", "i'd rather come in the {part}", "{part} if you have it",
            "something for the {part}", "can it be in the {part}",
        ),
        "time": (
            "{time} it is", "i'd say {time}", "go with {time}", "we'll take the {time}", "{time} will do",
            "{time} should work", "book {time}", "oh {time} sounds lovely", "can you do {time}",
        ),
        "ordinal": (
            "i'd go with the {ordinal}", "the {ordinal} of those", "make it the {ordinal} one",
        ),
        "any_time": (
            "they're *all good *any one", "*either will do", "*any one you like",
        ),
        "other_day": (
            "hmm can it be *another *day", "no good what *other *days are there",
        ),
        "name": (
            "you're speaking with {name}", "{name} that's me", "it goes under {name}", "write down {name}",
            "i go by {name}", "the name would be {name}", "of course {name}", "oh it's {name}",
            "the patient is {name}",
        ),
        "name_aside": (
            "you're speaking with {name}", "the patient is {name}", "in the name of {name}", "{name} on the line",
        ),
        "yes": (
            "*yes that's what i want", "*yeah *exactly that", "that's *perfect", "you got it *right",
            "*correct thank you", "*yes all good", "*right that's it", "*yes wonderful", "*sure thing",
        ),
        "no": (
            "*!no that isn't what i said", "i'm afraid that's *!wrong", "oh *!no *!not that",
            "*!no something is *!wrong there",
        ),
        "nothing_else": (
            "*nothing more", "*no that would be *all for today", "i have what i need *no", "*no that covers it",
        ),
        "bye": (
            "cheers *bye", "all the best *goodbye", "take care *bye", "so long *bye",
        ),
        "give_up": (
            "ah well *never *mind *bye", "then i'll *call *again some other time *goodbye",
        ),
        "day_fix": (
            "i'd asked for {day}", "{day} is the day", "please correct that to {day}", "should say {day}",
        ),
        "time_fix": (
            "i'd asked for {time}", "{time} is the time", "please correct that to {time}", "should say {time}",
        ),
        "name_fix": (
            "please correct that to {name}", "you misheard it's {name}", "{name} is how i'm called",
            "should say {name}",
        ),
        "hold": (
            "*hold the line please", "i have to *look that up *wait", "*one *sec", "can you *wait a moment",
        ),
        "pardon": (
            "would you *repeat it", "*say it once more", "*what *again please",
        ),
        "fix_mark": (
            "*no *no", "*oh *wait", "*sorry *no", "*ah *actually",
        ),
        "hum": (
            "mm", "ehm", "right so", "oh", "okay", "i guess",
        ),
        "tail": (
            "if it's no trouble", "many thanks", "would be lovely", "cheers",
        ),
        "junk": (
            "who is that", "the bus is coming", "mind the step", "my phone is acting up", "there's a child crying",
        ),
    },
    name=heldout_name,
)
# fmt: on
