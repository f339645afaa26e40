"""Guessed phones: endings agree, compounds are joined, letters always give something."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.language.pronunciation import PHONES, guess_phones, sounded_out

KNOWN = {
    "cat": ("K", "AE", "T"),
    "dog": ("D", "AO", "G"),
    "bus": ("B", "AH", "S"),
    "book": ("B", "UH", "K"),
    "want": ("W", "AO", "N", "T"),
    "plan": ("P", "L", "AE", "N"),
    "make": ("M", "EY", "K"),
    "party": ("P", "AA", "R", "T", "IY"),
    "tooth": ("T", "UW", "TH"),
    "ache": ("EY", "K"),
}


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("cats", "K AE T S"),
        ("dogs", "D AO G Z"),
        ("dog's", "D AO G Z"),
        ("buses", "B AH S IH Z"),
        ("parties", "P AA R T IY Z"),
        ("booked", "B UH K T"),
        ("wanted", "W AO N T IH D"),
        ("planned", "P L AE N D"),
        ("planning", "P L AE N IH NG"),
        ("making", "M EY K IH NG"),
        ("dog'll", "D AO G AH L"),
        ("toothache", "T UW TH EY K"),
    ],
)
def test_known_words_with_endings_and_compounds(word: str, phones: str) -> None:
    assert guess_phones(word, KNOWN.get) == tuple(phones.split())


@pytest.mark.parametrize(
    ("word", "phones"),
    [
        ("blick", "B L IH K"),
        ("shane", "SH EY N"),
        ("nation", "N AE SH AH N"),
        ("knight", "N AY T"),
        ("phone", "F OW N"),
        ("gym", "JH IY M"),
        ("cindy", "S IH N D IY"),
        ("table", "T AE B AH L"),
        ("me", "M IY"),
        ("my", "M AY"),
        ("yes", "Y EH S"),
        ("xerox", "Z ER AA K S"),
        ("glixes", "G L IH K S IH Z"),
        ("blo\u00eb", "B L AA"),
        ("''", "AH"),
    ],
)
def test_letters(word: str, phones: str) -> None:
    assert sounded_out(word) == tuple(phones.split())


@given(st.text(string.ascii_lowercase + "'", min_size=1, max_size=20))
def test_every_word_has_phones_of_the_model(word: str) -> None:
    phones = guess_phones(word, KNOWN.get)
    assert phones
    assert PHONES.issuperset(phones)
