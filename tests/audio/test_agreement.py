"""LocalAgreement-2: what is committed, what stays, and how much sound is left to decode."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.agreement import Agreement, AgreementError, AgreementSettings, TimedWord

S = 16_000


def said(text: str, first_s: float = 0.0, step_s: float = 0.5, length_s: float = 0.5) -> list[TimedWord]:
    """The words of `text`, one each `step_s` from `first_s` on."""
    words = []
    for n, spelled in enumerate(text.split()):
        start = round((first_s + n * step_s) * S)
        words.append(TimedWord(spelled.lower().strip(".,?!"), spelled, start, start + round(length_s * S)))
    return words


def texts(words: tuple[TimedWord, ...]) -> str:
    return " ".join(word.text for word in words)


def test_two_hypotheses_in_a_row_commit_what_they_share() -> None:
    agreement = Agreement()
    assert texts(agreement.update(said("i want two"), 2 * S)) == "i want two"
    assert agreement.committed == ()
    assert texts(agreement.update(said("i want to cancel"), 3 * S)) == "i want to cancel"
    assert texts(agreement.committed) == "i want"
    assert texts(agreement.update(said("i want to cancel it"), 4 * S)) == "i want to cancel it"
    assert texts(agreement.committed) == "i want to cancel"
    assert agreement.base == 0


def test_committed_words_stay_where_a_later_hypothesis_denies_them() -> None:
    agreement = Agreement()
    agreement.update(said("four tickets"), S)
    agreement.update(said("four tickets please"), 2 * S)
    assert texts(agreement.update(said("for tickets peas now"), 3 * S)) == "four tickets peas now"
    assert texts(agreement.update(said("for tickets peas now"), 4 * S)) == "four tickets peas now"
    assert texts(agreement.committed) == "four tickets peas now"


def test_a_hypothesis_that_shrinks_takes_back_only_its_tail() -> None:
    agreement = Agreement()
    agreement.update(said("yes i do"), 2 * S)
    agreement.update(said("yes i"), 3 * S)
    assert texts(agreement.update((), 4 * S)) == "yes i"
    assert texts(agreement.finish(said("yes i see"), 5 * S)) == "yes i see"


def test_a_long_stretch_is_cut_after_a_committed_sentence_in_the_middle_of_the_gap() -> None:
    agreement = Agreement(AgreementSettings(trim_s=4.0))
    text = said("hello there. this is", 0.0) + said("ann speaking", 3.0)
    agreement.update(text, 3 * S)
    assert agreement.base == 0, "nothing is cut before the stretch is long"
    agreement.update(text, 4 * S)
    assert texts(agreement.settled) == "hello there this is", "the pause after 'is' is the last end of a sentence"
    assert agreement.base == round(2.5 * S), "half of the gap from 2.0 to 3.0 s"
    assert texts(agreement.update(said("ann speaking now", 3.0), 5 * S)) == "hello there this is ann speaking now"


def test_punctuation_ends_a_sentence_where_there_is_no_pause() -> None:
    agreement = Agreement(AgreementSettings(trim_s=2.0))
    agreement.update(said("i see. and then"), 2 * S)
    agreement.update(said("i see. and then"), round(2.5 * S))
    assert (texts(agreement.settled), agreement.base) == ("i see", S)


def test_words_heard_again_after_a_cut_are_not_said_twice() -> None:
    agreement = Agreement(AgreementSettings(trim_s=2.0))
    agreement.update(said("good morning. my name"), 2 * S)
    agreement.update(said("good morning. my name"), round(2.5 * S))
    assert agreement.base == S
    agreement = Agreement(AgreementSettings(trim_s=2.0))
    agreement.update(said("good morning."), 2 * S)
    agreement.update(said("good morning."), round(2.5 * S))
    assert agreement.base == S
    assert texts(agreement.update(said("good morning. my name", 1.0), 4 * S)) == "good morning my name"
    assert texts(agreement.update(said("morning. my name", 0.9), 5 * S)) == "good morning my name", "one that overlaps"
    assert texts(agreement.finish(said("morning. my name is", 0.9), 6 * S)) == "good morning my name is"


def test_a_word_that_is_said_twice_stays_said_twice() -> None:
    agreement = Agreement(AgreementSettings(trim_s=1.0))
    agreement.update(said("no."), S)
    agreement.update(said("no."), round(1.2 * S))
    assert texts(agreement.settled) == "no"
    assert texts(agreement.update(said("no", 1.2), 2 * S)) == "no no"
    agreement = Agreement()
    agreement.update(said("no"), S)
    agreement.update(said("no no"), 2 * S)
    assert texts(agreement.update(said("no no"), 3 * S)) == "no no"


def test_what_never_agrees_is_cut_in_two_all_the_same() -> None:
    agreement = Agreement(AgreementSettings(trim_s=4.0, most_s=4.0))
    agreement.update(said("a b c d e f"), 3 * S)
    agreement.update(said("u v w x y z"), 4 * S)
    assert texts(agreement.settled) == "u v w x", "those that ended before the last half"
    assert agreement.base == 2 * S


def test_stretches_without_words_move_on() -> None:
    agreement = Agreement(AgreementSettings(trim_s=4.0, most_s=4.0))
    agreement.update((), 4 * S)
    assert (agreement.base, agreement.words) == (2 * S, ())


def test_a_word_across_the_forced_cut_is_not_halved() -> None:
    agreement = Agreement(AgreementSettings(trim_s=4.0, most_s=4.0))
    across = said("so", 1.5, length_s=1.0)
    agreement.update(across, 4 * S)
    assert agreement.base == round(1.5 * S), "what is not committed is heard whole again"
    agreement = Agreement(AgreementSettings(trim_s=4.0, most_s=4.0))
    agreement.update(across, 3 * S)
    agreement.update(across, 4 * S)
    assert (texts(agreement.settled), agreement.base) == ("so", round(2.5 * S)), "what is committed, not at all"


def test_hypotheses_come_in_order_and_not_too_long() -> None:
    agreement = Agreement(AgreementSettings(trim_s=1.0, most_s=2.0))
    agreement.update((), S)
    with pytest.raises(AgreementError, match="at sample 15999, after one at 16000; they come in order"):
        agreement.update((), S - 1)
    with pytest.raises(AgreementError, match="over 32001 samples; the limit is 32000"):
        agreement.finish((), 2 * S + 1)


@pytest.mark.parametrize(
    "wrong", [{"trim_s": 0.0}, {"trim_s": 9.0, "most_s": 8.0}, {"pause_ms": -1}, {"overlap_ms": -1}, {"echo_words": -1}]
)
def test_settings_out_of_range(wrong: dict[str, float]) -> None:
    with pytest.raises(AgreementError, match="expected 0"):
        AgreementSettings(**wrong)  # type: ignore[arg-type]


def test_no_echo_is_looked_for_where_none_is_wanted() -> None:
    agreement = Agreement(AgreementSettings(trim_s=2.0, echo_words=0))
    agreement.update(said("good morning."), 2 * S)
    agreement.update(said("good morning."), round(2.5 * S))
    assert texts(agreement.update(said("good morning.", 1.0), 4 * S)) == "good morning good morning"


# --- whatever the decoder says -----------------------------------------------------------------------------------

SETTINGS = AgreementSettings(trim_s=3.0, most_s=5.0)
VOCABULARY = st.sampled_from(["a", "b", "c.", "d", "no"])


@st.composite
def hypotheses(draw: st.DrawFn) -> list[tuple[list[tuple[str, float, float]], float]]:
    """Decodings of a growing segment: words as (text, start, end as shares of the stretch), and new seconds."""
    share = st.floats(0, 1)
    word = st.tuples(VOCABULARY, share, share)
    one = st.tuples(st.lists(word, max_size=6), st.floats(0.1, 4.0))
    return draw(st.lists(one, min_size=1, max_size=12))


@given(hypotheses())
def test_promises(drawn: list[tuple[list[tuple[str, float, float]], float]]) -> None:
    agreement, total = Agreement(SETTINGS), 0
    previous: tuple[TimedWord, ...] = ()
    for words, new_s in drawn:
        total += round(new_s * S)
        while True:
            base, settled = agreement.base, agreement.settled
            end = min(total, base + agreement.most)
            edges = sorted(round(base + at * (end - base)) for _, *both in words for at in both)
            heard = [
                TimedWord(spelled.strip("."), spelled, edges[2 * n], edges[2 * n + 1])
                for n, (spelled, _, _) in enumerate(words)
            ]
            shown = agreement.update(heard, end)
            committed = agreement.committed
            assert committed[: len(previous)] == previous, "committed words never change"
            assert shown[: len(committed)] == committed, "and stand in front of what is shown"
            assert agreement.settled[: len(settled)] == settled
            assert base <= agreement.base <= end, "cuts only move forward, and not beyond what was heard"
            assert end - agreement.base < agreement.most, "what is left to decode is bounded"
            assert all(one.end_sample <= two.start_sample for one, two in pairwise(shown)), "in the order of time"
            assert all(0 <= one.start_sample <= one.end_sample <= end for one in shown), "within the sound"
            forced = end - base >= agreement.most
            if not forced and len(committed) > len(previous):
                assert len(committed) <= len(previous) + len(heard)
            previous = committed
            if end == total:
                break
    settled = agreement.settled
    final = agreement.finish([], total)
    assert final == settled, "what was cut off stays in the final text, the rest is the last decoding's"


@given(st.lists(VOCABULARY, max_size=8), st.integers(0, 8), st.lists(VOCABULARY, max_size=4))
def test_only_what_both_share_is_committed(words: list[str], shared: int, other: list[str]) -> None:
    agreement = Agreement(AgreementSettings(trim_s=20.0))
    first, second = said(" ".join(words)), said(" ".join([*words[:shared], *other]))
    agreement.update(first, 10 * S)
    agreement.update(second, 11 * S)
    n_shared = 0
    for one, two in zip(first, second, strict=False):
        if one.text != two.text:
            break
        n_shared += 1
    assert agreement.committed == tuple(second[:n_shared])


@given(st.lists(VOCABULARY, min_size=1, max_size=8))
def test_the_same_hypothesis_twice_is_committed_whole(words: list[str]) -> None:
    agreement = Agreement(AgreementSettings(trim_s=20.0))
    hypothesis = said(" ".join(words))
    agreement.update(hypothesis, 10 * S)
    assert agreement.update(hypothesis, 11 * S) == agreement.committed == tuple(hypothesis)
