"""The small dictionary: from the real one, with every pronunciation, guesses reported."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from audio.language.dictionary import common_words, find_pronunciations, read_pronunciations, small_dictionary
from audio.language.ngram import LanguageError, spoken_words


def test_a_dictionary_file_is_read_with_alternatives(tmp_path: Path) -> None:
    path = tmp_path / "some.dict"
    path.write_text("the DH AH\nthe(2) DH IY\nten T EH N\n")
    assert read_pronunciations(path) == {"the": (("DH", "AH"), ("DH", "IY")), "ten": (("T", "EH", "N"),)}


def test_known_words_keep_alternatives_and_unknown_ones_are_reported() -> None:
    known = {"the": (("DH", "AH"), ("DH", "IY")), "ten": (("T", "EH", "N"),)}
    made = small_dictionary(["the", "tens", "ten", "the"], known)
    assert made.text == "ten T EH N\ntens T EH N Z\nthe DH AH\nthe(2) DH IY\n"
    assert made.guessed == ("tens",)


def test_common_words_are_spoken_known_and_unique() -> None:
    words = common_words()
    assert len(words) == len(set(words)) == 1500
    assert words[:3] == ("the", "to", "i")
    assert all(spoken_words(word) == (word,) for word in words)
    assert small_dictionary(words, read_pronunciations(find_pronunciations())).guessed == ()


def test_a_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(LanguageError, match="pocketsphinx is not installed"):
        find_pronunciations()


def test_another_layout_of_the_wheel_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location(
        "pocketsphinx", tmp_path / "__init__.py", submodule_search_locations=[str(tmp_path)]
    )
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(LanguageError, match="another layout"):
        find_pronunciations()
