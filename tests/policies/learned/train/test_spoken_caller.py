"""Meaning is read from the words that survive, never from what was meant."""

from __future__ import annotations

from random import Random

import pytest

from policies.learned.train.spoken_caller import TIMES, Understood, Word, parse_times, part_of, say, text_of, understand
from policies.learned.train.wordings import Wordings


def words(*pairs: str | tuple[str, str]) -> list[Word]:
    return [Word(pair) if isinstance(pair, str) else Word(pair[0], pair[1], 1) for pair in pairs]


def test_values_and_acts_are_read() -> None:
    heard = understand(
        words(
            ("book", "book"),
            "on",
            ("wednesday", "day"),
            ("ten", "time"),
            ("thirty", "time"),
            ("anna", "name"),
            ("bo", "name"),
        ),
        "monday",
    )
    assert (heard.intent, heard.day, heard.time, heard.name) == ("book", "wednesday", "ten thirty", "anna bo")
    assert heard.anything
    assert heard.slots


@pytest.mark.parametrize(
    ("today", "word", "day"),
    [
        ("monday", "today", "monday"),
        ("monday", "tomorrow", "tuesday"),
        ("sunday", "tomorrow", "monday"),
        ("friday", "tomorrow", None),
    ],
)
def test_relative_days_count_from_the_card(today: str, word: str, day: str | None) -> None:
    assert understand(words((word, "day")), today).day == day


def test_a_correction_takes_back_what_stood_before_it_even_when_the_rest_is_lost() -> None:
    before, mark = ("tuesday", "day"), ("no", "fix_mark")
    assert understand(words(before, mark, ("friday", "day")), "monday").day == "friday"
    assert understand(words(before, mark), "monday").day is None
    assert understand(words(before), "monday").day == "tuesday"


def test_a_value_that_is_corrected_counts_for_nothing() -> None:
    heard = understand([Word("miller", "name", 1), Word("not"), Word("muller", "old", 2)], "monday")
    assert heard.name == "miller"


@pytest.mark.parametrize(
    ("spoken", "time"),
    [
        ("half past ten", "ten thirty"),
        ("ten o'clock", "ten"),
        ("past ten", "ten"),
        ("half past then", None),
        ("thirty", None),
        ("to", None),
    ],
)
def test_a_time_is_what_its_words_still_say(spoken: str, time: str | None) -> None:
    assert understand(words(*((word, "time") for word in spoken.split())), "monday").time == time


@pytest.mark.parametrize(
    ("acts", "answer"),
    [({"yes"}, "yes"), ({"no"}, "no"), ({"nothing_else"}, "no"), ({"yes", "no"}, None), (set(), None)],
)
def test_an_answer_is_one_or_the_other(acts: set[str], answer: str | None) -> None:
    assert Understood(acts=acts).answer == answer


def test_times_in_a_row_come_apart() -> None:
    assert parse_times("nine thirty eleven two thirty") == ("nine thirty", "eleven", "two thirty")
    assert parse_times("i have ten or one. which one suits you?") == ("ten", "one")
    assert parse_times(" ".join(TIMES)) == TIMES
    assert (part_of("eleven thirty"), part_of("twelve"), part_of("one")) == ("morning", "afternoon", "afternoon")


def test_a_piece_is_expanded_and_its_marks_become_tags() -> None:
    wordings = Wordings({"no": ("(well|well) that is *!not ((very|quite)|quite) right for {name}",)}, lambda rng: "")
    said = say(wordings, "no", Random(1), {"name": "bo peep"}, group=7)
    assert text_of(said).startswith("well that is not ")
    assert [word.text for word in said if word.tag == "no"] == ["not"]
    assert [word.text for word in said if word.kept] == ["not"]
    assert [(word.text, word.is_value) for word in said[-2:]] == [("bo", True), ("peep", True)]
    assert said[-1].group == said[-2].group
