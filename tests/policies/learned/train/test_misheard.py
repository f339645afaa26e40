"""Spoken and heard words side by side, and what is counted of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policies.learned.train.confusions import Confusions
from policies.learned.train.misheard import Counts, align, main, phones_of, word_errors


@pytest.mark.parametrize(
    ("spoken", "heard", "became", "came_in"),
    [
        ("on wednesday please", "on wednesday please", ["on", "wednesday", "please"], []),
        ("my name is kowalski", "my name is call all ski", ["my", "name", "is", "call all ski"], []),
        ("on tuesday in the morning", "two free in the morning", ["", "two free", "in", "the", "morning"], []),
        ("nine thirty", "nine", ["nine", ""], []),
        ("thursday", "the thursday", ["thursday"], ["the"]),
        ("book it", "appointment book it", ["book", "it"], ["appointment"]),
        ("yes", "", [""], []),
        ("", "hughes", [], ["hughes"]),
    ],
)
def test_words_meet_those_that_sound_like_them(spoken: str, heard: str, became: list[str], came_in: list[str]) -> None:
    got, added = align(spoken.split(), heard.split())
    assert [" ".join(words) for words in got] == became
    assert added == came_in


def test_names_that_no_dictionary_has_are_sounded_out() -> None:
    assert phones_of("book") == ("B", "UH", "K")
    assert phones_of("skootbli")[:2] == ("S", "K")


@pytest.mark.parametrize(
    ("spoken", "heard", "errors"),
    [("a b c", "a b c", 0), ("a b c", "a c", 1), ("a b c", "a x c d", 2), ("", "a b", 2), ("a b", "", 2)],
)
def test_word_errors_are_the_fewest(spoken: str, heard: str, errors: int) -> None:
    assert word_errors(spoken.split(), heard.split()) == errors


def test_a_table_is_read_as_it_was_written() -> None:
    counts = Counts()
    for heard in ("for thomas", "four thomas", "thomas", "the for thomas"):
        counts.add([("for", ""), ("thomas", "name")], heard.split())
    counts.add([("for", ""), ("bo", "name")], ["for", "both"])
    assert counts.times == {"for": 5}
    assert counts.name_times == {"thomas": 4, "bo": 1}
    text = counts.text("by hand")
    assert text.startswith("# by hand\n")
    table = Confusions.of(text)
    assert set(table.words) == {"for"}
    assert dict(zip(table.words["for"].texts, table.words["for"].sums, strict=True)) == {(): 1, ("four",): 2}
    assert table.names["bo"].texts == (("both",),)
    assert table.came_in.texts == (("the",),)
    assert table.added_share == pytest.approx(1 / 4)  # two of "for", one name, one from nowhere


def test_the_held_out_voice_and_calls_stay_out_of_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        [1, "flite-rms", "wide", [["nine", "time"], ["thirty", "time"]], "nine dirty"],
        [1, "flite-rms", "telephone", [["yes", "yes"]], "the yes"],
        [3, "flite-awb", "telephone", [["bo", "name"]], "bow"],
        [2, "slt", "wide", [["monday", "day"]], "sunday"],
        [10, "flite-rms", "wide", [["monday", "day"]], "money"],
    ]
    source, table = tmp_path / "hearings.jsonl", tmp_path / "confusions.txt"
    source.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    main([str(source), "--table", str(table)])
    said = capsys.readouterr().out
    text = table.read_text("utf-8")
    assert "calls 1-3, 10-10" in text.splitlines()[0]
    assert "word\tthirty\t1\tdirty:1" in text
    assert "name\tbo\t1\tbow:1" in text
    assert "came in\t\t3\tthe:1" in text
    assert "monday" not in text
    assert "all " in said
    assert "66.7 % of 6 words" not in said
    assert "days, wide                     0.0 % of 2" in said
