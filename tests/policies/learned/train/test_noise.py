"""Noise takes words, never meaning that is not there, and never splits a value."""

from __future__ import annotations

from importlib import resources
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.learned.train.confusions import confusions
from policies.learned.train.names import recogniser_words, training_name
from policies.learned.train.noise import break_carrier, hesitate, mangled, misrecognise, split_points
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, Word, parse_times, text_of, understand
from policies.learned.train.wordings import TRAINED

SAID = [
    *(Word(text) for text in "well i would like to".split()),
    Word("book", "book"),
    Word("on"),
    Word("wednesday", "day", 1),
    Word("half", "time", 2),
    Word("past", "time", 2),
    Word("ten", "time", 2),
    Word("not", "no", 0, True),
    Word("anna", "name", 3),
    Word("bo", "name", 3),
]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6))
def test_breaking_the_carrier_and_hesitating_leave_the_meaning(seed: int) -> None:
    rng = Random(seed)
    before = understand(SAID, "monday")
    after = understand(break_carrier(hesitate(SAID, rng, TRAINED.pieces["hum"]), rng), "monday")
    after.words = before.words
    assert after == before


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.floats(0, 1))
def test_kept_words_survive_any_rate(seed: int, rate: float) -> None:
    noisy = misrecognise(SAID, Random(seed), rate)
    assert any(word.text == "not" and word.tag == "no" for word in noisy)
    # nothing gets between the words of one value
    names = [index for index, word in enumerate(noisy) if word.tag == "name"]
    assert names == list(range(names[0], names[0] + len(names))) if names else True


def test_the_rate_is_a_rate() -> None:
    rng = Random(1)
    plain = [Word("word")] * 4000
    changed = misrecognise(plain, rng, 0.2)
    kept = sum(word.text == "word" for word in changed) / 4000
    # an error that adds a word keeps this one
    assert abs(kept - (1 - 0.2 * (1 - confusions().added_share))) < 0.02
    assert misrecognise(plain, rng, 0.0) == plain


TELLING = {*DAYS, *PARTS, *(word for time in TIMES for word in time.split()), "yes", "no", "cancel", "book", "bye"}
SAYS_LITTLE = [
    *(Word(text) for text in "hi i will um for to my the on know so i'd want well by guess and one".split()),
    Word("good", "yes"),
    Word("come", "book"),
    Word("half", "time", 2),
    Word("am", "time", 3),
    Word("skootbli", "name", 4),
]


def test_an_error_says_nothing_that_nobody_said() -> None:
    said = {word.text for word in SAYS_LITTLE}
    errors = 0
    for seed in range(300):
        noisy = misrecognise(SAYS_LITTLE, Random(seed), 1.0)
        errors += len(noisy)
        assert {word.text for word in noisy if word.text in TELLING - said} == set()
        heard = understand(noisy, "monday")
        assert (heard.day, heard.part, heard.time) == (None, None, None)
    assert errors > 300 * len(SAYS_LITTLE) / 3


def test_a_value_heard_as_another_is_that_other_value() -> None:
    days: set[str | None] = set()
    for seed in range(400):
        noisy = misrecognise([Word("tuesday", "day", 1)], Random(seed), 1.0)
        seen = [{"today": "friday"}.get(word.text, word.text) for word in noisy if word.text in {*DAYS, "today"}]
        day = understand(noisy, "friday").day
        assert day == next(iter(seen), None)
        days.add(day)
    assert len(days) > 2


def test_what_is_left_of_a_time_is_the_time() -> None:
    times: set[str | None] = set()
    for seed in range(400):
        noisy = misrecognise([Word("nine", "time", 1), Word("thirty", "time", 1)], Random(seed), 0.5)
        time = understand(noisy, "monday").time
        assert time == next(iter(parse_times(text_of(noisy))), None)
        times.add(time)
    assert {"nine thirty", "nine", None} < times


def test_an_act_is_understood_while_its_word_or_a_like_one_is_heard() -> None:
    for text, act, like in (("book", "book", {"booking", "booked"}), ("yes", "yes", {"yeah", "yep", "yup"})):
        kept = lost = 0
        for seed in range(300):
            noisy = misrecognise([Word(text, act)], Random(seed), 1.0)
            meant = act in understand(noisy, "monday").acts
            assert meant == bool({word.text for word in noisy} & {text, *like})
            kept, lost = kept + meant, lost + (not meant)
        assert kept
        assert lost


def test_a_name_becomes_other_names_or_is_lost() -> None:
    carriers = set("my name is the a i it for that would will do to".split())
    names: set[str | None] = set()
    for seed in range(300):
        noisy = misrecognise([Word("is"), Word("skootbli", "name", 1)], Random(seed), 1.0)
        name = understand(noisy, "monday").name
        assert not carriers & set((name or "").split())
        names.add(name)
    assert None in names
    assert len(names) > 20


def test_the_table_is_small_and_says_how_it_was_made() -> None:
    text = resources.files("policies.learned.train").joinpath("confusions.txt").read_text("utf-8")
    assert len(text) <= 300_000
    assert "python -m agent_runtime.testing.hearing" in text.splitlines()[0]
    table = confusions()
    assert 0 < table.added_share < 0.3
    # the kinds of error that every recogniser makes of small words
    assert () in table.words["the"].texts
    assert min(len(table.words), len(table.names)) > 20


def test_a_pause_falls_between_values() -> None:
    assert split_points(SAID) == [index for index in range(1, 14) if index not in (9, 10, 13)]


def test_a_mangled_name_differs_and_random_words_mean_nothing() -> None:
    rng = Random(2)
    for _ in range(200):
        name = training_name(rng)
        assert mangled(name, rng) != name
        assert 2 <= len(name) <= 22
    starred = {
        word.strip("*!()|")
        for pieces in TRAINED.pieces.values()
        for piece in pieces
        for word in piece.split()
        if "*" in word
    }
    meaning = {*DAYS, *PARTS, *(word for time in TIMES for word in time.split()), "yes", "no", "not", "half", "past"}
    assert not meaning & set(recogniser_words())
    assert not {"yes", "no", "book", "cancel", "correct", "right", "bye"} & set(recogniser_words())
    assert starred
