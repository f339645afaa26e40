"""When we hum to a caller who speaks long, and everything that forbids it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policies.backchannel import BackchannelSettings, LongTurn, choose

ON = BackchannelSettings(on=True)
LONG = LongTurn(
    words=tuple("i was there last week and the doctor told me to come back".split()),
    speech_ms=5_000,
    silence_ms=200,
    p_over=0.2,
)


def test_a_short_pause_after_a_clause_of_a_long_turn() -> None:
    assert choose(LONG, ON).text == "mm-hm."


def test_it_is_off_unless_turned_on() -> None:
    assert choose(LONG).reason == "off"
    assert choose(LONG, replace(ON, texts=())).reason == "off"


def test_texts_take_turns() -> None:
    said = [choose(replace(LONG, said_in_call=count), ON).text for count in range(4)]
    assert said == ["mm-hm.", "uh-huh.", "okay.", "mm-hm."]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"owed": True}, "an answer is owed"),
        ({"silence_ms": 100}, "no short pause"),
        ({"silence_ms": 400}, "no short pause"),
        ({"speech_ms": 3_999}, "not long yet"),
        ({"since_last_ms": 4_999}, "said a moment ago"),
        ({"words": ()}, "nothing was said"),
        ({"words": ("mm", "hm")}, "nothing was said"),
        ({"words": tuple("i was there last week so what would that cost".split())}, "a question"),
        ({"words": tuple("you are open on monday is that right".split())}, "a question"),
        ({"words": tuple("could i come on wednesday".split())}, "a question"),
        ({"words": tuple("i was there last week and the".split())}, "in the middle of a clause"),
        ({"words": tuple("my number is five five one two".split())}, "in the middle of a clause"),
        ({"p_over": 0.5}, "the turn may be over"),
        ({"p_over": None, "words": tuple("it was on a very rainy wednesday".split())}, "the turn may be over"),
    ],
)
def test_what_forbids_it(change: dict[str, object], reason: str) -> None:
    found = choose(replace(LONG, **change), ON)  # type: ignore[arg-type]
    assert (found.text, found.reason) == ("", reason)


def test_bounds_are_exact() -> None:
    for change in ({"silence_ms": 130}, {"silence_ms": 399}, {"speech_ms": 4_000}, {"since_last_ms": 5_000}):
        assert choose(replace(LONG, **change), ON).text, change


def test_without_a_model_a_plain_sentence_may_go_on() -> None:
    assert choose(replace(LONG, p_over=None), ON).text == "mm-hm."


def test_a_word_that_asks_inside_of_a_clause_is_no_question() -> None:
    words = tuple("he said he could see me on some other day of that week".split())
    assert choose(replace(LONG, words=words), ON).text
