"""Phrase templates: what they expand to, and what each slip of the pen says."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_runtime.phrases import FORM, PhraseError, check_phrases, expand_phrases

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")


def test_alternatives_nest_and_may_be_empty() -> None:
    line = "(i (would like|want) to|) come in (please|)"
    assert set(expand_phrases([line], {})) == {
        "i would like to come in please",
        "i would like to come in",
        "i want to come in please",
        "i want to come in",
        "come in please",
        "come in",
    }


def test_a_wording_without_words_is_left_out() -> None:
    assert set(expand_phrases(["(thanks|) (bye|)"], {})) == {"thanks", "bye", "thanks bye"}


def test_every_line_counts_alike() -> None:
    sentences = expand_phrases(["yes", "on {day}", "(a|b) (c|d)"], {"day": DAYS}, weight=20)
    assert len(sentences) == 60
    assert sentences.count("yes") == 20
    assert [sentences.count(f"on {day}") for day in DAYS] == [4] * 5
    assert [sentences.count(two) for two in ("a c", "a d", "b c", "b d")] == [5] * 4


def test_a_slot_with_many_values_is_heard_in_full() -> None:
    names = tuple(f"name{number}" for number in range(50))
    assert set(expand_phrases(["{name}"], {"name": names}, weight=10)) == set(names)


def test_slots_do_not_march_in_step() -> None:
    """With columns walked side by side only 5 of the 25 pairs would ever be seen together."""
    times = ("eight", "nine", "ten", "eleven", "twelve")
    assert len(set(expand_phrases(["{day} at {time}"], {"day": DAYS, "time": times}, weight=60))) >= 20


def test_one_slot_twice_in_a_line_is_filled_twice() -> None:
    sentences = set(expand_phrases(["{day} no {day}"], {"day": DAYS}))
    assert any(one.split()[0] != one.split()[2] for one in sentences)


def test_slots_of_the_file_comments_and_capitals() -> None:
    lines = ["# names", "", "  Call {Name}  ", "@name = van  berg | Miller|", "@day = sunday", "{day}"]
    assert set(expand_phrases(lines, {"day": DAYS})) == {"call van berg", "call miller", "sunday"}


def test_equal_templates_give_equal_sentences() -> None:
    lines = ["(a|b|c) {day}", "{day} {day}"]
    assert expand_phrases(lines, {"day": DAYS}) == expand_phrases(lines, {"day": DAYS})
    # pinned: the language model of a recorded call must come out the same on every machine and Python version
    assert expand_phrases(lines, {"day": DAYS}, weight=5)[:5] == a60ed8d31d489e01


a60ed8d31d489e01 = ("c tuesday", "b wednesday", "a friday", "b thursday", "c monday")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["yes", "on {dya}"], r"phrases:2: the slot \{dya\} has no values; known are day \(or '@dya = \.\.\.'\)"),
        (["(yes|no"], r"phrases:1: a '\(' in '\(yes\|no' is never closed; add a '\)'"),
        (["yes)"], r"phrases:1: a '\)' in 'yes\)' closes nothing"),
        (["on {day"], r"phrases:1: '\{' in 'on \{day' closes or opens nothing; write \{slot\}"),
        (["on day}"], r"phrases:1: '\}' in 'on day\}' closes or opens nothing"),
        (["what? no"], r"phrases:1: '\?' in 'what\? no' is not spoken"),
        (["größe"], "phrases:1: 'ö' in 'größe' is not spoken"),
        (["(|)"], r"phrases:1: '\(\|\)' has no words"),
        (["@name miller"], "phrases:1: '@name miller' defines no slot; write '@name = first | second'"),
        (["@name = mr. miller"], r"phrases:1: '\.' in 'mr\. miller' is not spoken"),
        (["@name = |", "{name}"], r"phrases:2: the slot \{name\} has no values"),
        (["(a|b) (a|b) (a|b) (a|b) (a|b) (a|b) (a|b) (a|b) (a|b)"], "has over 256 wordings; split it"),
    ],
)
def test_slips_name_their_line(lines: list[str], message: str) -> None:
    with pytest.raises(PhraseError, match=message) as caught:
        expand_phrases(lines, {"day": DAYS})
    assert "\n" not in str(caught.value)


@given(st.text("ab (|){}day\n'", max_size=30))
def test_any_text_gives_plain_sentences_or_one_clear_line(text: str) -> None:
    try:
        sentences = expand_phrases(text.splitlines(), {"day": DAYS}, weight=3)
    except PhraseError as error:
        lines = str(error).splitlines()
        assert len(lines) == 1
        return
    for sentence in sentences:
        assert sentence
        assert sentence == " ".join(sentence.split())
        assert not set(sentence) & set("(|){}")


@pytest.mark.parametrize(
    "lines",
    [["on {month}"], ["((("], ["on )"], ["@day"], ["yes!"], ["(|)"], ["on {day} at {part}"], ["|".join("ab" * 200)]],
)
def test_a_check_says_what_an_expansion_would_say(lines: list[str]) -> None:
    slots = {"day": DAYS, "part": ()}
    with pytest.raises(PhraseError) as expanding:
        expand_phrases(lines, slots)
    with pytest.raises(PhraseError) as checking:
        check_phrases(lines, slots)
    assert str(checking.value) == str(expanding.value)


def test_what_can_be_expanded_passes_the_check() -> None:
    check_phrases(["# words", "", "@part = morning | afternoon", "(on|) {day} {part}"], {"day": DAYS})


def test_the_form_names_the_sentences() -> None:
    """Kept language models are found by `FORM` and the templates: where this fails, raise `FORM`."""
    lines = ["yes", "(on|at|) {day} (please|)", "no {day} not {day}"]
    text = "\n".join(expand_phrases(lines, {"day": DAYS}))
    assert (FORM, hashlib.sha256(text.encode()).hexdigest()[:16]) == (1, "a60ed8d31d489e01")
