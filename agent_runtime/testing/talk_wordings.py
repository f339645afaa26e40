"""How simulated callers put things: wordings by what they are for, written for the test kit alone.

Nothing here was taken from what any model was trained on or any recogniser was tuned to. A wording is one string;
``[700]`` in it is a pause of 700 ms inside the turn. Slots: ``{day} {part} {time} {name}``, and ``{wrong}`` for a day
that is taken back in the same breath. Each kind has several, so that a seed gives a caller a manner of speaking.
"""

from __future__ import annotations

__all__ = ["WORDINGS"]

WORDINGS: dict[str, tuple[str, ...]] = {
    "book": (
        "hi, i need to see the doctor some time this week",
        "hello, i was hoping to book an appointment",
        "good morning, could you find me an appointment please",
        "yes hello, i'd like to make an appointment to see somebody",
        "hi there, i want to book a visit, my back has been giving me trouble",
        "hello, can i get an appointment with you",
    ),
    "book_day": (
        "hi, i'd like to come in on {day}",
        "hello, i was wondering if i could book something for {day}",
        "good morning, could i get an appointment for {day} please",
        "hi, do you have anything free on {day}",
        "hello there, i need an appointment, {day} would be best",
        "yes hi, i want to book a visit on {day}",
    ),
    "book_day_part": (
        "hi, i'd like to come in on {day} {part}",
        "hello, i need an appointment on {day}, in the {part} if you can",
        "good morning, have you got anything {day} {part}",
        "hi, could you book me in for {day} in the {part}",
        "hello, i'd like to see the doctor {day} {part} please",
    ),
    "book_hesitating": (
        "hi, i would like to come in on, um [700] {day}",
        "hello, i need an appointment on [600] {day} please",
        "hi, can i book something for, uh [800] let me see [500] {day}",
        "good morning, i'd like an appointment [650] on {day}",
        "hello, i was thinking of coming in, um [750] maybe {day}",
    ),
    "book_corrected": (
        "hi, i'd like an appointment on {wrong}, no, {day}",
        "hello, could i come in on {wrong}, sorry, i mean {day}",
        "hi, i need to book something for {wrong}, no wait [400] {day}",
        "good morning, i'd like to come in on {wrong}, actually no, {day}",
    ),
    "cancel": (
        "hi, i have to cancel my appointment",
        "hello, i'm afraid i need to cancel a visit",
        "good morning, i can't make it to my appointment, could you cancel it",
        "hi, i'd like to cancel please",
    ),
    "cancel_day": (
        "hi, i have to cancel my appointment on {day}",
        "hello, i need to cancel my visit on {day} please",
        "hi, i can't make it on {day}, could you cancel my appointment",
        "good morning, please cancel my {day} appointment",
    ),
    "cancel_hesitating": (
        "hi, i need to cancel my appointment on, um [700] {day}",
        "hello, i have to cancel [600] my visit on {day}",
    ),
    "intent_book": ("i'd like to book an appointment", "book please, i need an appointment", "to book a visit please"),
    "intent_cancel": ("i'd like to cancel an appointment", "cancel please", "to cancel my visit please"),
    "day": (
        "{day} please",
        "on {day}",
        "{day} would be good",
        "how about {day}",
        "let's say {day}",
        "i could do {day}",
        "um [500] {day} i think",
    ),
    "day_part": (
        "{day} {part} please",
        "{day}, in the {part}",
        "how about {day} {part}",
        "{day} in the {part} would be great",
    ),
    "not_that_day": ("no, on {day} please", "sorry, i said {day}", "no, i meant {day}", "not that day, {day}"),
    "other_day": ("then {day}", "what about {day}", "okay, {day} then", "could you try {day} please"),
    "part": ("in the {part} please", "{part}", "{part} would be better", "i'd prefer the {part}"),
    "time": (
        "{time} please",
        "{time} works for me",
        "i'll take {time}",
        "let's do {time}",
        "{time} would be perfect",
        "um, {time}",
        "{time} sounds good",
    ),
    "accept": ("yes, that's fine", "yes please", "sure, that works", "yes, i'll take it"),
    "name": (
        "my name is {name}",
        "it's {name}",
        "the name is {name}",
        "{name}",
        "that's for {name}",
        "yes, my name is {name}",
    ),
    "yes": ("yes, that's right", "yes please", "yes", "that's correct, yes", "yes, exactly", "yeah, that's right"),
    "wrong_day": ("no, it's {day}", "no, i said {day}", "no, {day} please"),
    "wrong_time": ("no, at {time}", "no, i said {time}", "no, {time} please"),
    "wrong_name": ("no, the name is {name}", "no, my name is {name}", "no, it's {name}"),
    "all_book": ("{day} at {time} for {name}", "it should be {day} at {time}, for {name}"),
    "all_cancel": ("the visit on {day} for {name}",),
    "here": ("yes, i'm here", "yes, i'm still here", "yes, sorry, i'm here"),
    "pardon": ("sorry, could you say that again", "pardon", "sorry, what was that"),
    "hello": ("hello", "hello, are you there"),
    "thanks_bye": (
        "no, that's all, thank you, goodbye",
        "no thank you, goodbye",
        "no, that was everything, thanks, bye",
        "that's all, thank you very much",
        "no thanks, have a nice day, bye",
    ),
    "give_up": ("never mind then, thank you, goodbye", "okay, i'll call again later, goodbye"),
    "backchannel": ("mm-hm", "uh-huh", "mm-hm", "okay", "uh-huh", "hm"),
    "barge_name": ("sorry, it's for {name} by the way", "oh, and the name is {name}", "my name is {name}, by the way"),
    "barge_part": ("in the {part} please", "sorry, the {part} would be better for me"),
}
"""Wordings by kind."""
