"""The files of a language: built once, found again, never half written."""

from __future__ import annotations

from pathlib import Path

import pytest

from audio.language import files
from audio.language.files import build_language
from audio.language.ngram import LanguageError

SENTENCES = ["I'd like to book a table.", "at ten thirty please"]


def test_built_once_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build_language(SENTENCES, ["Zyxo"], tmp_path)
    assert built.guessed == ("zyxo",)
    assert "i'd like to" in built.lm_path.read_text()
    assert "zyxo Z" in built.dict_path.read_text()
    assert "the DH AH" in built.dict_path.read_text()

    def unwanted(path: Path) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(files, "read_pronunciations", unwanted)
    assert build_language(reversed(SENTENCES), ["zyxo"], tmp_path) == built


def test_other_inputs_are_another_language(tmp_path: Path) -> None:
    digests = {
        build_language(sentences, extra, tmp_path, off_script=off_script).digest
        for sentences, extra, off_script in (
            (SENTENCES, [], True),
            (SENTENCES, [], False),
            (SENTENCES, ["table"], False),
            (SENTENCES[:1], [], False),
        )
    }
    assert len(digests) == 4
    assert len(list(tmp_path.iterdir())) == 4


def test_without_common_words_only_the_own_ones_can_be_heard(tmp_path: Path) -> None:
    built = build_language(["yes please"], [], tmp_path, off_script=False)
    assert {line.split("(")[0].split()[0] for line in built.dict_path.read_text().splitlines()} == {"yes", "please"}


def test_an_interrupted_build_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = files._write

    def full(path: Path, text: str) -> None:
        if path.suffix == ".dict":
            raise OSError("No space left on device")
        write(path, text)

    monkeypatch.setattr(files, "_write", full)
    with pytest.raises(LanguageError, match=r"No space left.*cache folder one may write"):
        build_language(SENTENCES, [], tmp_path)
    monkeypatch.undo()
    built = build_language(SENTENCES, [], tmp_path)
    assert built.dict_path.is_file()
    assert not [path for path in built.dict_path.parent.iterdir() if path.name.startswith(".")]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        files._write(tmp_path / "words", "\ud800")
    assert list(tmp_path.iterdir()) == []


def test_digits_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LanguageError, match="spell numbers"):
        build_language(["at 10:30"], [], tmp_path)


def test_a_digest_of_the_source_stands_for_the_sentences(tmp_path: Path) -> None:
    def unwanted() -> list[str]:
        raise AssertionError("the sentences were made, though their language was kept")

    built = build_language(lambda: SENTENCES, [], tmp_path, off_script=False, made_from="a")
    assert "i'd like to" in built.lm_path.read_text()
    assert build_language(unwanted, [], tmp_path, off_script=False, made_from="a") == built
    assert build_language(lambda: ["yes"], [], tmp_path, off_script=False, made_from="b").digest != built.digest
    with pytest.raises(AssertionError, match="were made"):
        build_language(unwanted, [], tmp_path, off_script=True, made_from="a")
