"""The hand-written callers are complete, speak in their own words, and reach their goal with an ideal agent."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from policies.learned.train.dialogue import Call, converse
from policies.learned.train.expert import Action, Expert
from policies.learned.train.handwritten import (
    HAND_LINE,
    failure,
    play_asides_with,
    play_with,
)
from policies.learned.train.handwritten_asides import is_clarifying, load_asides
from policies.learned.train.handwritten_caller import HandCaller, new_hand_call
from policies.learned.train.handwritten_entries import (
    Entry,
    Hand,
    load_entries,
    parse_entries,
    tagged,
    without_possessives,
)
from policies.learned.train.simulator import Goal
from policies.learned.train.spoken_caller import Word, text_of

HANDS: tuple[Hand, ...] = ("first", "second")
both_hands = pytest.mark.parametrize("hand", HANDS)
ENTRIES = load_entries("first")
BARE = {"yes", "yeah", "no", "exactly", "yes correct", "yes it is", "{day}", "{time}", "{name}"}
"""What more than one person may say."""
ASIDES: dict[Hand, dict[str, int]] = {
    "first": {"scope": 50, "foreign": 35, "garbled": 35},
    "second": {"scope": 25, "foreign": 18, "garbled": 17},
}


class Ideal(Expert):
    """The expert, hearing "monday's" as monday."""

    def hear(self, segments: list[list[Word]]) -> Action:
        return Expert.hear(self, without_possessives(segments))


def ideal(call: Call) -> Ideal:
    return Ideal(call.situation, Random(5))


def caller(*, who: str) -> HandCaller:
    """One of the callers, with nothing said yet and nothing extra to say."""
    entry = next(item for item in ENTRIES if item.who == who)
    found = new_hand_call(entry, Random(3)).caller
    assert isinstance(found, HandCaller)
    found.asides, found.asks_hours = [], False
    return found


@pytest.mark.parametrize(("hand", "books", "cancels", "with_asides"), [("first", 44, 16, 15), ("second", 50, 20, 12)])
def test_complete_callers_some_with_asides(hand: Hand, books: int, cancels: int, with_asides: int) -> None:
    entries = load_entries(hand)
    assert Counter(entry.goal.kind for entry in entries) == {"book": books, "cancel": cancels}
    assert sum("aside" in entry.says for entry in entries) == with_asides
    assert len({entry.goal.name for entry in entries}) == len({entry.who for entry in entries}) == len(entries)


def sentences(hand: Hand) -> Counter[str]:
    """Everything that `hand` wrote, each sentence with how often it stands there."""
    spoken = Counter(text for entry in load_entries(hand) for texts in entry.says.values() for text in texts)
    spoken.update(text for texts in load_asides(hand).values() for text in texts)
    return spoken


@both_hands
def test_no_two_sentences_are_the_same(hand: Hand) -> None:
    spoken = sentences(hand)
    assert {text for text, times in spoken.items() if times > 1} - BARE == set()
    assert len(spoken) > 1_100


def test_the_second_hand_copies_nothing_from_the_first() -> None:
    shared = sentences("first").keys() & sentences("second").keys()
    assert {text for text in shared if len(text.split()) > 3} == set(), "only the shortest replies are common property"
    first, second = ({entry.goal.name for entry in load_entries(hand)} for hand in HANDS)
    assert first & second == set()


ROW = """
[[caller]]
who = "tester"
goal = { kind = "cancel", day = "monday", name = "bo" }
intent = ["cancel"]
day = ["monday"]
name = ["bo"]
readback_right = ["yes"]
readback_wrong = ["{day}", "{name}"]
change = ["{day}"]
anything = ["no"]
missing = ["{day}"]
clarify = ["again"]
hours = ["hours"]
"""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('kind = "cancel"', 'kind = "move"', "is not one of the front desk's"),
        ('name = "bo" }', 'name = "bo", time = "six" }', "time 'six' is none of"),
        ('missing = ["{day}"]\n', "", r"lacks \['missing'\]"),
        ('hours = ["hours"]', 'hours = ["hours"]\noffer = ["{time}"]', r"has \['offer'\] for no question"),
        ('["again"]', '["Again."]', "holds more than lower-case words"),
        ('["again"]', '["{visit}"]', "holds more than lower-case words"),
        ('["no"]', '["no", "nope", "nah", "never"]', "one to three sentences"),
        ('["{day}", "{name}"]', '["{day}", "no {name} {day}"]', "corrects name alone"),
        ('missing = ["{day}"]', 'missing = ["oh"]', "missing names no"),
        ('day = ["monday"]', 'day = ["tuesday"]', "day 'tuesday' does not say it"),
        ('\nname = ["bo"]', '\nname = ["me"]', "name 'me' does not say it"),
        ('who = "tester"', "who = 3", "text, table, weekday expected"),
        ('who = "tester"', "", "who None"),
        ('day = "monday", ', "", r"goal lacks \['day'\]"),
    ],
)
def test_an_entry_that_could_not_get_through_a_call_is_refused(old: str, new: str, fault: str) -> None:
    assert len(parse_entries(ROW, "rows")) == 1
    assert old in ROW
    with pytest.raises(ValueError, match=f"^rows, caller 2.*{fault}"):
        parse_entries(ROW + ROW.replace(old, new, 1), "rows")


BOOKING = (
    ROW.replace('"cancel", day = "monday"', '"book", day = "monday", part = "morning"')
    .replace('missing = ["{day}"]', 'offer = ["{time}"]\nsingle = ["ok"]\nfull = ["{day}"]\nrefuse = ["{part}"]')
    .replace('["{day}", "{name}"]', '["{day}", "{time}", "{name}"]')
)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('refuse = ["{part}"]', "", r"lacks \['refuse'\]"),
        ('refuse = ["{part}"]', 'refuse = ["{day}"]', "needs a refuse with {part}"),
        ('offer = ["{time}"]', 'offer = ["that one"]', "chooses none of the times"),
        ('offer = ["{time}"]', 'offer = ["the first"]', "no offer holds {time}"),
        ('full = ["{day}"]', 'full = ["oh"]', "full names no"),
    ],
)
def test_a_booking_needs_words_for_offers(old: str, new: str, fault: str) -> None:
    assert len(parse_entries(BOOKING, "rows")) == 1
    assert old in BOOKING
    with pytest.raises(ValueError, match=f"^rows, caller 1, 'tester': .*{fault}"):
        parse_entries(BOOKING.replace(old, new, 1), "rows")


def test_values_are_tagged_and_follow_the_goal() -> None:
    entry = parse_entries(BOOKING.replace('name = "bo" }', 'name = "bo", time = "nine thirty" }'), "rows")[0]

    def heard(text: str, goal: Goal = entry.goal, question: str = "", wrong: str = "") -> list[tuple[str, str]]:
        words = tagged(text, entry, goal, act="book", question=question, wrong=wrong)
        return [(word.text, word.tag) for word in words if word.tag]

    text = "good morning monday's best at half past nine of a morning for bo"
    assert heard(text, question="intent") == [
        ("good", "book"),
        *[
            ("monday's", "day"),
            ("half", "time"),
            ("past", "time"),
            ("nine", "time"),
            ("morning", "part"),
            ("bo", "name"),
        ],
    ]
    moved = Goal("book", "friday", "afternoon", "two", "bo")
    assert text_of(tagged(text, entry, moved, question="intent")) == (
        "good morning friday's best at two of a afternoon for bo"
    )
    assert heard("nine of us {time}", moved) == [("nine", "book"), ("two", "time")]
    assert heard("not {wrong} {day}", wrong="van tuesday") == [
        ("not", "book"),
        ("van", "old"),
        ("tuesday", "old"),
        ("monday", "day"),
    ]
    assert heard("the first", question="offer") == [("the", "book"), ("first", "ordinal")]
    assert [word.text for word in without_possessives([tagged("monday's it's", entry, entry.goal)])[0]] == [
        "monday",
        "it's",
    ]


@both_hands
def test_the_ideal_agent_brings_every_caller_to_its_goal(hand: Hand) -> None:
    entries = load_entries(hand)
    outcome = play_with(ideal, entries, rounds=3)
    assert [call.caller.goal for call in outcome.failed] == []
    assert outcome.successes == outcome.calls == 3 * len(entries)
    assert outcome.early_writes == 0
    assert outcome.clarified == outcome.asides == 3 * sum(len(entry.says.get("aside", ())) for entry in entries)


@both_hands
def test_the_ideal_agent_clarifies_every_aside(hand: Hand) -> None:
    outcome = play_asides_with(lambda call, expert: expert, hand)
    assert outcome.said == outcome.clarified == ASIDES[hand]
    assert (outcome.share, outcome.other) == (1.0, [])


@both_hands
def test_every_question_is_met(hand: Hand) -> None:
    used: set[str] = set()
    for index, entry in enumerate(load_entries(hand) * 3):
        rng = Random(index)
        call = new_hand_call(entry, rng)
        converse(call, Ideal(call.situation, rng), HAND_LINE, rng)
        assert isinstance(call.caller, HandCaller)
        used |= set(call.caller.used)
    assert used >= set(
        "intent day offer single full name refuse second_thoughts readback_right anything missing hours".split()
    )


def test_a_wrong_read_back_is_corrected_and_a_right_one_agreed_to() -> None:
    person = caller(who="retired teacher, chatty")
    person.goal.time = "ten"
    said = person.answer("so that is tuesday at ten for pemberton, is that right?")
    assert text_of(said.words) == "oh no dear you've got me on the wrong day it was wednesday i wanted"
    said = person.answer("so that is wednesday at nine for pembertin, is that right?")
    assert text_of(said.words) == "no no i think we settled on ten didn't we not pembertin dear pemberton"
    assert person.agreed == []
    assert text_of(person.answer("sorry. what should i change?").words) == (
        "well it ought to say pemberton on wednesday at ten if you'd be so kind"
    )
    said = person.answer("so i cancel the visit on wednesday for pemberton, is that right?")
    assert text_of(said.words).startswith("no oh good morning dear")
    assert person.mistaken == 1
    assert (person.agreed, person.done) == ([], False)
    person.answer("so that is wednesday at ten for mrs pemberton, is that right?")
    assert (person.agreed, person.done) == ([("book", "wednesday", "ten", "mrs pemberton")], True)
    assert person.misread == {"day": 1, "time": 1, "name": 1}


def test_the_caller_chooses_by_its_wish() -> None:
    morning = caller(who="retired teacher, chatty")
    said = morning.answer("on wednesday i have two or three. which one suits you?")
    assert text_of(said.words).endswith("it would have to be in the morning for me")
    said = morning.answer("on tuesday i have nine. which one suits you?")
    assert "it was wednesday i wanted" in text_of(said.words)
    morning.answer("on wednesday i have nine, two or three. which one suits you?")
    assert morning.goal.time == "nine"
    about_four = caller(who="builder on a noisy site, hurried")
    said = about_four.answer("on friday i have nine, three thirty or five. which one?")
    assert text_of(said.words) == "three thirty stick me in for that"
    about_four.answer("sorry, friday is full. which other day suits you?")
    assert (about_four.goal.day, about_four.goal.time) == ("monday", "four")
    first = caller(who="gardener, picks the earliest")
    first.goal.time = "nine"
    said = first.answer("on monday i have nine or ten. which one suits you?")
    assert text_of(said.words) == "i'll have the first one"
    first.goal.time = "ten"
    assert text_of(first.answer("on monday i have nine or ten. which one?").words) == "the ten then please"
    picky = caller(who="refuses the first offer on principle")
    said = picky.answer("on tuesday i have nine. which one?")
    assert "what have you got on" in text_of(said.words)
    assert picky.goal.day != "tuesday"


def test_the_caller_says_it_again_and_then_in_fewer_words() -> None:
    person = caller(who="retired teacher, chatty")
    person.goal.time = "ten"
    person.answer("so that is wednesday at ten for pemberton, is that right?")
    again = "sorry, i did not catch that. that is wednesday at ten for pemberton, is that right?"
    said = person.answer(again)
    assert text_of(said.words) == "i'm sorry dear i do mumble my daughter always says so yes that's right"
    assert [text_of(person.answer(again).words) for _ in range(2)] == ["yes that's right"] * 2
    assert text_of(person.answer(again.split(". ")[1]).words).startswith("that's it dear")
    assert text_of(person.answer("are you still there? what is your name?").words).startswith("i'm sorry dear")


def test_who_cancels_wants_no_offers() -> None:
    person = caller(who="lawyer, dictating")
    said = person.answer("on monday i have nine or ten. which one?")
    assert text_of(said.words).startswith("no i have an appointment with you on monday which i am unable to attend")
    assert text_of(person.answer("so i cancel the visit on monday for prendergast, is that right?").words) == (
        "that is accurate"
    )
    assert (person.mistaken, person.agreed) == (1, [("cancel", "monday", "", "prendergast")])


def test_an_aside_is_said_once_and_its_answer_kept() -> None:
    person = caller(who="student, casual")
    person.asides, person.aside_at = ["can i get a taxi from you"], "offer"
    assert person.answer("which day suits you?").act == "day"
    said = person.answer("on thursday i only have two. does that suit you?")
    assert (text_of(said.words), said.act) == ("can i get a taxi from you", "other")
    reply = "sorry, i can only book or cancel visits. on thursday i only have two. does that suit you?"
    assert text_of(person.answer(reply).words) == "yeah go for it"
    assert person.judged == [("can i get a taxi from you", reply)]
    assert person.asides == []


class Reckless:
    """An agent that does one thing, whatever was said."""

    def __init__(self, *actions: Action) -> None:
        self.actions = list(actions)

    def hear(self, segments: list[list[Word]]) -> Action:
        return self.actions.pop(0) if len(self.actions) > 1 else self.actions[0]

    def returned(self, tool: str, arguments: dict[str, str], result: str) -> Action:
        return Action("say", "is there anything else?")


def lost(*actions: Action) -> Call:
    """The call of one terse booking caller with an agent that does just this; it must fail."""
    entries = [entry for entry in ENTRIES if entry.goal.name == "obi"]
    outcome = play_with(lambda call: Reckless(*actions), entries)
    assert (outcome.calls, outcome.successes) == (1, 0)
    assert outcome.failures == {failure(outcome.failed[0])[0]: 1}
    return outcome.failed[0]


@pytest.mark.parametrize(
    ("kind", "detail", "actions"),
    [
        (
            "premature write",
            "anything",
            [Action("call", tool="book", arguments={"day": "wednesday", "time": "ten", "name": "obi"})],
        ),
        ("wrong slot", "day and name and time", [Action("say", "that is friday at six for obo, is that right?")]),
        ("loop", "day", [Action("say", "which day suits you?")]),
        (
            "misheard",
            "took a wish to book for the other",
            [Action("say", "i cancel the visit on wednesday for obi, is that right?")],
        ),
        ("misheard", "hung up at intent", [Action("say", "thank you, goodbye.", bye=True)]),
        (
            "misheard",
            "hung up before the write",
            [
                Action("say", "that is wednesday at ten for obi, is that right?"),
                Action("say", "thank you, goodbye.", bye=True),
            ],
        ),
    ],
)
def test_failures_are_told_apart(kind: str, detail: str, actions: list[Action]) -> None:
    assert failure(lost(*actions)) == (kind, detail)


def test_a_caller_without_patience_gives_up() -> None:
    questions = ("which day suits you?", "what is your name?")
    actions = [Action("say", f"{'so ' * index}{questions[index % 2]}") for index in range(40)]
    assert failure(lost(*actions)) == ("gave up", "day")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("sorry, i did not catch that. which day suits you?", True),
        ("sorry, i did not get that. what should i change?", True),
        ("i am afraid i can only book or cancel visits. what is your name?", True),
        ("sure. would you like to book or cancel a visit?", True),
        ("let us take it slowly. what name is it for?", True),
        ("are you still there? which day suits you?", True),
        ("which day suits you?", False),
        ("of course. which day suits you?", False),
        ("we are open from nine to five. is there anything else?", False),
        ("done. your visit on monday is cancelled. is there anything else?", False),
        ("thank you, goodbye.", False),
        ("", False),
    ],
)
def test_what_counts_as_clarifying(text: str, verdict: bool) -> None:
    assert is_clarifying(text) is verdict


@both_hands
def test_asides_hold_no_value_and_no_answer(hand: Hand) -> None:
    turns = load_asides(hand)
    assert {kind: len(texts) for kind, texts in turns.items()} == ASIDES[hand]
    telling = re.compile(r"\b(yes|no|nope|monday|tuesday|wednesday|thursday|friday|book|cancel|appointment|open)\b")
    for text in (text for texts in turns.values() for text in texts):
        assert re.fullmatch(r"[a-z']+( [a-z']+)*", text), text
        assert not telling.search(text), text


def test_a_wished_time_is_mostly_free_and_a_visit_to_cancel_stands_somewhere() -> None:
    def calls(who: str) -> list[Call]:
        entry: Entry = next(item for item in ENTRIES if item.who == who)
        return [new_hand_call(entry, Random(seed)) for seed in range(100)]

    wished = [call for call in calls("builder on a noisy site, hurried") if "four" in call.calendar.free["friday"]]
    assert 60 < len(wished) < 90
    visits = [call.calendar.visits for call in calls("nurse used to phone lines, crisp")]
    assert all([visit.name for visit in found] == ["osborne"] for found in visits)
    assert 5 <= sum(found[0].day != "friday" for found in visits) <= 25
    assert {call.situation.today for call in calls("tomorrow-caller, in a rush")} == {"tuesday"}
