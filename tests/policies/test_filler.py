"""Which filler is said when: by the silence still to come, never twice the same, never over speech."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.filler import Filler, FillerSettings, Wait, choose, filled, finishes, playing_ms, slots_in

S = FillerSettings()
SLOW = Wait(2000, silent_ms=300, after_ms=200)
"""A tool known to take 2 s, at its start."""


def test_a_slow_tool_gets_its_filler_at_once_and_a_quick_one_none() -> None:
    assert choose(SLOW) == Filler(S.texts[0], reason="2200 ms to come")
    quick = replace(SLOW, predicted_ms=5)
    assert choose(quick).text is None
    assert choose(replace(quick, predicted_ms=300)).text is None, "it would be over long after the answer was ready"
    assert choose(replace(quick, predicted_ms=500)).text == "let me look."


def test_a_silence_below_the_limit_is_left_alone() -> None:
    wait = Wait(400, silent_ms=100, after_ms=180)
    assert choose(wait).text is None, "680 ms in all"
    assert choose(replace(wait, silent_ms=200), replace(S, texts=("hm.",))).text == "hm."


def test_an_unknown_tool_is_given_a_short_grace_and_then_taken_for_slow() -> None:
    wait = Wait(1500, known=False, silent_ms=300)
    assert choose(wait) == Filler(None, S.grace_ms)
    assert choose(replace(wait, waited_ms=40)) == Filler(None, S.grace_ms - 40)
    assert choose(replace(wait, waited_ms=S.grace_ms)).text == S.texts[0]
    early = replace(wait, waited_ms=900, silent_ms=200)
    assert choose(early).text == S.texts[0], "begun while the caller spoke, its grace is over when the turn is"


def test_a_quick_tool_that_is_late_is_believed_no_more() -> None:
    wait = Wait(5, silent_ms=300, after_ms=180)
    asked_again = choose(wait)
    assert asked_again.text is None
    late = replace(wait, waited_ms=asked_again.wait_ms, silent_ms=300 + asked_again.wait_ms)
    assert choose(late).text == "one moment."


def test_never_over_speech() -> None:
    assert choose(replace(SLOW, floor_open=False)) == Filler(None)
    assert choose(Wait(1500, known=False, floor_open=False)) == Filler(None)


def test_the_next_filler_of_a_wait_comes_after_a_pause_and_is_a_longer_one() -> None:
    wait = Wait(1500, 1300, known=False, broken=True, said_in_wait=1, said=("let me look.",))
    assert choose(wait) == Filler(None, S.again_ms)
    later = replace(wait, waited_ms=2900, silent_ms=S.again_ms)
    assert choose(later).text == S.longer[0]
    assert choose(replace(later, waited_ms=1900)).text == "i am still looking.", "the long one would not fit"
    assert choose(replace(later, said_in_wait=S.most)) == Filler(None)


def test_after_words_of_the_caller_in_the_wait_it_is_not_said_at_once() -> None:
    assert choose(replace(SLOW, broken=True)) == Filler(None, S.again_ms - 300)


def test_what_comes_soon_as_predicted_is_waited_for_but_not_when_it_is_late() -> None:
    wait = Wait(2000, 1900, after_ms=180, silent_ms=S.most_ms, broken=True)
    assert choose(wait) == Filler(None, 2000 + S.trust_ms - 1900)
    assert choose(replace(wait, waited_ms=2000 + S.trust_ms)).text is not None


def test_a_tools_own_words_come_first_whatever_they_take() -> None:
    own = replace(SLOW, predicted_ms=700, own=("let me look at wednesday the twenty fifth.",))
    assert choose(own).text == own.own[0]
    assert choose(replace(own, said=own.own)).text == S.texts[0], "not twice while there are others"


def test_the_wait_for_a_reply_has_words_of_its_own_or_none() -> None:
    wait = replace(SLOW, thinking=True)
    assert choose(wait).text == S.thinking[0]
    assert choose(wait, replace(S, thinking=())) == Filler(None)


def test_slots_are_filled_with_spoken_words_or_the_text_is_left_out() -> None:
    texts = ("let me look at {day} {part}.", "let me look at {day}.", "let me look.")
    assert filled(texts, {"day": "wednesday"}) == ("let me look at wednesday.", "let me look.")
    assert filled(texts, {"day": "-", "part": " "}) == ("let me look.",)
    assert slots_in(texts[0]) == ("day", "part")


def test_a_filler_is_heard_out_where_little_is_left() -> None:
    assert finishes(S.finish_ms)
    assert not finishes(S.finish_ms + 1)
    assert finishes(900, replace(S, finish_ms=900))


@pytest.mark.parametrize("texts", [(), ("one moment.",)])
def test_rather_nothing_than_the_same_again(texts: tuple[str, ...]) -> None:
    assert choose(replace(SLOW, said=("one moment.",)), FillerSettings(texts=texts, longer=())) == Filler(None)


@given(st.lists(st.sampled_from(["a.", "b.", "c.", "d."]), min_size=1, unique=True), st.integers(1, 20))
def test_no_text_is_said_again_before_all_the_others_were(texts: list[str], count: int) -> None:
    settings = FillerSettings(texts=tuple(texts), longer=())
    said: tuple[str, ...] = ()
    for place in range(count):
        text = choose(replace(SLOW, said=said, said_in_wait=place % 3), settings).text
        assert (text is None) == (said == tuple(texts) and len(texts) == 1)
        if text is not None:
            assert text not in said[-len(texts) + 1 :] or len(texts) == 1
            said = (*said, text)


@given(
    st.integers(0, 12_000), st.integers(0, 12_000), st.booleans(), st.integers(50, 600), st.integers(0, 400),
)  # fmt: skip
def test_no_wait_is_silent_for_long_whatever_was_predicted(
    predicted_ms: int, took_ms: int, known: bool, silent_ms: int, after_ms: int
) -> None:
    """Asked when it says, the voice on time: no silence within the wait exceeds what is promised, until there have
    been `most` fillers; and the policy never asks to be asked at once again."""
    now_ms, said, longest_ms, since_ms = 0, list[str](), 0, -silent_ms
    while now_ms < took_ms and len(said) < S.most:
        wait = Wait(predicted_ms, now_ms, known=known, after_ms=after_ms, silent_ms=now_ms - since_ms)
        found = choose(replace(wait, broken=bool(said), said_in_wait=len(said), said=tuple(said)))
        if found.text is not None:
            longest_ms = max(longest_ms, now_ms - since_ms)
            said.append(found.text)
            now_ms += playing_ms(found.text)
            since_ms = now_ms
        else:
            assert found.wait_ms > 0
            now_ms += found.wait_ms
    if len(said) < S.most:
        longest_ms = max(longest_ms, took_ms - since_ms)
    least_ms = playing_ms("let me see.") - S.late_ms
    assert longest_ms <= max(S.most_ms, S.again_ms + least_ms, silent_ms + least_ms) + S.trust_ms
    assert len(set(said)) == len(said)
