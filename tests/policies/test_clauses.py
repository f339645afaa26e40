"""Where replies are cut for the voice, however their text arrives."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.clauses import Clauses, ClauseSettings


def whole(text: str, settings: ClauseSettings | None = None) -> list[str]:
    clauses = Clauses(settings)
    return clauses.push(text) + clauses.flush()


def piecewise(text: str, size: int) -> list[str]:
    clauses = Clauses()
    out = [clause for at in range(0, len(text), size) for clause in clauses.push(text[at : at + size])]
    return out + clauses.flush()


REPLIES = [
    (
        "so that is wednesday at ten thirty for miller, is that right? i will book it then.",
        ["so that is wednesday", "at ten thirty for miller, is that right?", "i will book it then."],
    ),
    ("sure, on wednesday i have nine thirty.", ["sure, on wednesday i have nine thirty."]),
    ("of course, what day works for you?", ["of course,", "what day works for you?"]),
    (
        "Dr. Smith is in at 10:30, room 4.5 at 1,250 dollars, e.g. today. OK?",
        ["Dr. Smith is in at 10:30,", "room 4.5 at 1,250 dollars, e.g. today.", "OK?"],
    ),
    ("he said \u201cyes please.\u201d so book it now.", ["he said \u201cyes please.\u201d", "so book it now."]),
    ("that is fine. i see j. miller. we are done here.", ["that is fine.", "i see j. miller.", "we are done here."]),
    ("it was you and i. we know that.", ["it was you and i.", "we know that."]),
    ("open: nine to five; closed on sunday.", ["open: nine to five;", "closed on sunday."]),
    ("yes!", ["yes!"]),
    ("...", []),
    ("", []),
    ("  \n ", []),
]


@pytest.mark.parametrize(("text", "clauses"), REPLIES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 500])
def test_replies_are_cut_the_same_however_they_arrive(text: str, clauses: list[str], size: int) -> None:
    assert piecewise(text, size) == clauses


def test_the_first_clause_is_short_even_without_punctuation() -> None:
    text = "let me see what we have for you on friday morning with the doctor"
    assert whole(text)[0] == "let me see what we have"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("we could see you here at ten thirty in the morning then", "we could see you here"),
        ("yes we can offer you monday ten o'clock or noon", "yes we can offer you monday"),
        ("we are open today until ten o'clock or so", "we are open today"),
        ("yes we do have it at 10 a.m. or at 11 a.m. then", "yes we do have it"),
        ("please call back again between dr miller and mrs smith some day", "please call back again"),
        ("i repeat it for you - now - ok then", "i repeat it"),
        ("for you it is my one two three four five six plan now", "for you it is my one two three four five six"),
    ],
)
def test_no_cut_behind_a_leaning_word_or_inside_a_number(text: str, first: str) -> None:
    assert whole(text)[0] == first


def test_a_number_that_never_ends_is_cut_in_the_end() -> None:
    clauses = whole("four " * 60)
    assert len(clauses) > 1
    assert max(len(clause.split()) for clause in clauses) <= 24 + 4 + 24


def test_long_sentences_are_bounded() -> None:
    settings = ClauseSettings()
    for clause in whole("we look " * 100)[1:]:
        assert len(clause.split()) <= settings.later_most + settings.patience


def test_a_clause_is_ready_with_the_first_character_behind_it() -> None:
    clauses = Clauses()
    assert clauses.push("of course,") == []
    assert clauses.push(" ") == ["of course,"]
    assert clauses.push("that is 1,") == []
    assert clauses.push("250 dollars. o") == ["that is 1,250 dollars."]
    assert clauses.push("k") == []
    assert clauses.flush() == ["ok"]


def test_a_pause_in_a_reply_ends_the_clause_and_what_follows_is_no_beginning() -> None:
    clauses = Clauses()
    assert clauses.push("one, two, three,") == ["one, two,"]
    assert clauses.rest() == ["three,"]
    assert clauses.push(" four, five, six, seven, ") == []
    assert clauses.rest() == ["four, five, six, seven,"]
    assert clauses.rest() == []
    fresh = Clauses()
    assert fresh.rest() == []
    assert fresh.push("one, two, ") == ["one, two,"], "nothing was said yet"


def test_flush_starts_a_new_reply() -> None:
    clauses = Clauses()
    assert clauses.push("of course, i will") == ["of course,"]
    assert clauses.flush() == ["i will"]
    assert clauses.push("very well, i") == ["very well,"]


SOUP = st.text(st.sampled_from("ab no ten 1 0.,?!:;-\" '\n"), max_size=120)


@given(SOUP, st.integers(1, 9))
def test_no_word_is_lost_split_or_reordered(text: str, size: int) -> None:
    clauses = piecewise(text, size)
    assert clauses == [clause.strip() for clause in clauses]
    said = " ".join(clauses).split()
    words = text.split()
    if words and clauses:
        # only a rest without letters or figures is dropped
        assert said == words[: len(said)]
        assert not re.search(r"\w", " ".join(words[len(said) :]))
    else:
        assert not re.search(r"\w", text)


@given(SOUP, st.integers(1, 9), st.integers(1, 9))
def test_cuts_do_not_depend_on_the_pieces(text: str, one: int, other: int) -> None:
    assert piecewise(text, one) == piecewise(text, other)
