"""Noise takes words, never meaning that is not there, and never splits a value."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.learned.train.names import recogniser_words, training_name
from policies.learned.train.noise import break_carrier, hesitate, mangled, misrecognise, split_points
from policies.learned.train.spoken_caller import DAYS, PARTS, TIMES, Word, understand
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
    kept = sum(word.text == "word" for word in changed)
    assert 0.82 < kept / 4000 < 0.88  # a quarter of the errors adds a word and keeps this one
    assert misrecognise(plain, rng, 0.0) == plain


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
