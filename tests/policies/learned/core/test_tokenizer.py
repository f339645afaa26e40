"""The plain-Python encoder: round trips, special tokens, and equality with the library that made the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.learned.core import tokenizer as module
from policies.learned.core.tokenizer import Tokenizer, TokenizerError
from policies.trajectory import ROLE_TOKENS, Role, Segment, Trajectory

FOLDER = Path(module.__file__).parent / "weights" / "boxed"
TOKENIZER = Tokenizer.load(FOLDER)
SENTENCES = (
    " i'd like to book a visit on wednesday morning",
    " book wednesday - ten thirty o'connell -",
    " good morning, riverside clinic. how can i help?",
    "find_slots day",
    "  two  spaces ",
    " 10:30 / 2026-01-05",
    " Größe, naïve café \U0001f600 \n\ttab",
    "",
)


def test_role_tokens_hold_the_first_ids_in_their_order() -> None:
    assert [TOKENIZER.special[token] for token in ROLE_TOKENS] == list(range(32))
    assert TOKENIZER.size == 1152


def test_a_file_made_before_a_role_was_added_is_read_by_its_ids(tmp_path: Path) -> None:
    data = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))
    names = {token["id"]: token["content"] for token in data["added_tokens"]}
    assert names[14] in {"<reserved0>", "<more>"}
    older = ["<oldest>", *(f"<reserved{n}>" for n in range(18))]
    for token in data["added_tokens"]:
        if token["id"] >= 13:
            token["content"] = older[token["id"] - 13]
    vocabulary = data["model"]["vocab"]
    data["model"]["vocab"] = {older[id_ - 13] if 13 <= id_ < 32 else text: id_ for text, id_ in vocabulary.items()}
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    read = Tokenizer.load(tmp_path)
    assert read.special == TOKENIZER.special == {token: id_ for id_, token in enumerate(ROLE_TOKENS)}
    assert read.decode([13, 14, 31]) == f"<silence><more>{ROLE_TOKENS[31]}"
    assert read.encode(SENTENCES[0]) == TOKENIZER.encode(SENTENCES[0])


def test_special_tokens_of_another_project_keep_their_names(tmp_path: Path) -> None:
    data = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))
    data["added_tokens"] = [{"content": "<s>", "id": 1023, "special": True}]
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    assert Tokenizer.load(tmp_path).special == {"<s>": 1023}


@pytest.mark.parametrize("text", SENTENCES)
def test_text_comes_back(text: str) -> None:
    assert TOKENIZER.decode(TOKENIZER.encode(text)) == text


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=40))
def test_any_text_comes_back_and_holds_no_special_token(text: str) -> None:
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    assert all(32 <= id_ < 1152 for id_ in ids)


def test_words_are_encoded_one_by_one_so_a_stream_grows_at_its_end_only() -> None:
    words = " no wednesday at ten thirty for miller".split()
    joined = [id_ for word in words for id_ in TOKENIZER.encode(" " + word)]
    assert TOKENIZER.encode(" " + " ".join(words)) == joined


def test_only_whole_parts_are_special_tokens() -> None:
    stream = Trajectory.of([Segment(Role.HEARD, "say <end> now"), Segment(Role.TURN)])
    ids = TOKENIZER.encode_parts(stream.parts())
    assert ids[0] == TOKENIZER.special["<heard>"]
    assert ids[-1] == TOKENIZER.special["<turn>"]
    assert TOKENIZER.special["<end>"] not in ids
    assert TOKENIZER.decode(ids) == "<heard> say <end> now<turn>"


def test_common_words_are_one_token() -> None:
    for word in ("wednesday", "morning", "book", "cancel", "appointment", "thirty", "find"):
        assert len(TOKENIZER.encode(" " + word)) == 1, word


def test_an_unknown_id_is_named() -> None:
    with pytest.raises(TokenizerError, match="1152"):
        TOKENIZER.decode([5, 1152])


def test_a_full_cache_starts_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CACHED_WORDS", 2)
    fresh = Tokenizer.load(FOLDER / "tokenizer.json")
    assert fresh.encode(SENTENCES[0]) == TOKENIZER.encode(SENTENCES[0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": {"type": "Unigram"}}, "Unigram"),
        ({"pre_tokenizer": {"type": "ByteLevel", "use_regex": True}}, "ByteLevel"),
        ({"pre_tokenizer": None}, "cuts words by"),
    ],
)
def test_another_tokenizer_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    data = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))
    (tmp_path / "tokenizer.json").write_text(json.dumps(data | change))
    with pytest.raises(TokenizerError, match=said):
        Tokenizer.load(tmp_path)


def test_merges_written_as_one_string_are_read(tmp_path: Path) -> None:
    data = json.loads((FOLDER / "tokenizer.json").read_text("utf-8"))
    data["model"]["merges"] = [" ".join(merge) for merge in data["model"]["merges"]]
    (tmp_path / "tokenizer.json").write_text(json.dumps(data))
    assert Tokenizer.load(tmp_path).encode(SENTENCES[0]) == TOKENIZER.encode(SENTENCES[0])


def test_the_library_gives_the_same_ids() -> None:
    library = pytest.importorskip("tokenizers", reason="the tokenizers library is in the extra `learn`")
    theirs = library.Tokenizer.from_file(str(FOLDER / "tokenizer.json"))
    for text in SENTENCES:
        assert theirs.encode(text, add_special_tokens=False).ids == TOKENIZER.encode(text), text


def test_words_begin_with_a_space() -> None:
    tokenizer = Tokenizer.load(Path(module.__file__).parent / "weights" / "boxed")
    first, *rest = tokenizer.encode(" thirtysomething")
    assert tokenizer.begins_word[first]
    assert not any(tokenizer.begins_word[token] for token in rest)
    assert not any(tokenizer.begins_word[token] for token in tokenizer.special.values())
