"""What counts as a yes, and that nothing else ever does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.agreement import Answer, answer

PLAIN = [
    "yes", "yes please", "yeah that's right", "yep perfect", "that's correct", "Yes, that is right. Thank you!", "ok",
    "sounds good thanks", "go ahead", "um yes", "yes that is it", "right", "yes yes",
    "yes that's what i want", "sure that works for me", "all right",
    "exactly", "yes it is", "please do", "yes of course", "that would be great thank you very much",
    "that's um correct", "erm yes", "yes please that would would be nice", "that's that's perfect", "sure thing",
    "that'd be grand", "oh god okay yes", "aye that's it hen", "super thanks man",
    "mhm yes", "yeah that sounds just fine as soon as you can", "you got it right many thanks",
]  # fmt: skip
READ_BACK = "book wednesday ten thirty miller"


@pytest.mark.parametrize("text", PLAIN)
def test_plain_agreement_is_yes(text: str) -> None:
    assert answer(text) == "yes"
    assert answer(text.split()) == "yes"


@pytest.mark.parametrize(
    "text",
    ["no", "that is not right", "no wednesday", "not really", "nope that's wrong", "yes no wednesday", "no no no",
     "that isn't right", "don't", "not quite right", "that's not right miller", "no not yes"],
)  # fmt: skip
def test_refusal_is_no(text: str) -> None:
    assert answer(text) == "no"


@pytest.mark.parametrize(
    "text",
    ["", "mm hm", "wednesday", "yes but make it eleven", "is that right", "i do not know", "not sure", "why not",
     "wait", "no problem", "no that is right", "no yes", "please", "thank you", "yes at eleven", "cancel it",
     "i guess so", "one moment", "uh uh", "it is", "yes that", "yes five five",
     "well yes", "yes right after ten", "miller yes"],
)  # fmt: skip
def test_all_else_is_unclear(text: str) -> None:
    assert answer(text) == "unclear"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("yes ten thirty", "yes"),
        ("yes on wednesday at half past ten for miller", "yes"),
        ("yes book it please", "yes"),
        ("yes ten", "unclear"),
        ("yes thirty", "unclear"),
        ("yes ten thirty miller smith", "unclear"),
        ("wednesday ten thirty", "unclear"),
        ("no ten thirty", "no"),
        ("yes eleven", "unclear"),
    ],
)
def test_the_read_back_may_be_repeated_but_not_changed(text: str, expected: Answer) -> None:
    assert answer(text, READ_BACK) == expected


FOREIGN = ["but", "not", "eleven", "tuesday", "the", "after", "no", "zebra"]
WORDS = st.sampled_from([*READ_BACK.split(), *FOREIGN, "maybe", "friday"])


@given(st.sampled_from(PLAIN), st.sampled_from(FOREIGN), st.data())
def test_one_foreign_word_anywhere_is_never_yes(text: str, foreign: str, data: st.DataObject) -> None:
    words = text.split()
    words.insert(data.draw(st.integers(0, len(words))), foreign)
    assert answer(words) != "yes"


@given(st.lists(WORDS, max_size=6))
def test_without_a_word_of_agreement_nothing_is_yes(words: list[str]) -> None:
    assert answer(words, READ_BACK) != "yes"


@given(st.text(max_size=60))
def test_any_text_has_an_answer(text: str) -> None:
    assert answer(text) in {"yes", "no", "unclear"}
