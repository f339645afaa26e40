"""Stability of a transcript: what is stable stays, until the final text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.frame import ms_to_samples
from audio.transcript import Split, StabilitySettings, TranscriptError, TranscriptTracker


def at(ms: int) -> int:
    return ms_to_samples(ms)


def test_a_word_is_stable_after_200_ms_and_not_before() -> None:
    tracker = TranscriptTracker()
    assert tracker.update(["i"], at(100)) == Split((), ("i",), 1)
    assert tracker.update(["i", "want"], at(299)) == Split((), ("i", "want"), 2)
    assert tracker.update(["i", "went"], at(300)) == Split(("i",), ("went",), 3)
    assert tracker.settle(at(499)) == Split(("i",), ("went",), 3)
    split = tracker.settle(at(500))
    assert split == Split(("i", "went"), (), 4)
    assert split.words == ("i", "went")
    assert tracker.split is split


def test_a_changed_word_unsettles_those_after_it() -> None:
    tracker = TranscriptTracker()
    tracker.update(["to", "days", "off"], at(0))
    tracker.update(["two", "days", "off"], at(190))
    assert tracker.settle(at(210)).stable == ()
    assert tracker.settle(at(390)).stable == ("two", "days", "off")


def test_agreeing_hypotheses_settle_before_the_time_is_up() -> None:
    tracker = TranscriptTracker(StabilitySettings(agreeing=3))
    tracker.update(["a"], at(40))
    assert tracker.update(["a", "b"], at(80)).stable == ()
    assert tracker.update(["a", "b", "c"], at(120)) == Split(("a",), ("b", "c"), 3)


def test_stable_words_stay_where_a_hypothesis_contradicts_them() -> None:
    tracker = TranscriptTracker()
    tracker.update(["on", "tuesday"], at(0))
    assert tracker.settle(at(200)).stable == ("on", "tuesday")
    assert tracker.update(["on", "thursday", "at"], at(300)) == Split(("on", "tuesday"), ("at",), 3)
    assert tracker.settle(at(900)).stable == ("on", "tuesday"), "words behind a contradiction do not settle"
    assert tracker.update(["on"], at(950)) == Split(("on", "tuesday"), (), 4)
    assert tracker.update(["on", "tuesday", "at"], at(960)).tail == ("at",)
    assert tracker.settle(at(1160)).stable == ("on", "tuesday", "at")


def test_the_final_text_replaces_and_says_so() -> None:
    tracker = TranscriptTracker()
    tracker.update(["on", "tuesday"], at(0))
    tracker.settle(at(200))
    assert tracker.finish(["on", "thursday"], at(400)) == Split(("on", "thursday"), (), 3, revised=True)
    with pytest.raises(TranscriptError, match="final; start a new tracker"):
        tracker.update(["on"], at(500))


def test_a_final_text_that_agrees_is_no_revision() -> None:
    tracker = TranscriptTracker()
    tracker.update(["yes", "please"], at(0))
    tracker.settle(at(200))
    assert tracker.finish(["yes", "please"], at(200)) == Split(("yes", "please"), (), 2, revised=False)
    assert TranscriptTracker().finish([], 0) == Split((), (), 0)


def test_errors_name_the_value() -> None:
    tracker = TranscriptTracker()
    tracker.update(["a"], 100)
    with pytest.raises(TranscriptError, match="at sample 99, after one at 100"):
        tracker.settle(99)
    with pytest.raises(TranscriptError, match="-1 ms or 4 hypotheses"):
        StabilitySettings(unchanged_ms=-1)
    with pytest.raises(TranscriptError, match="200 ms or 1 hypotheses"):
        StabilitySettings(agreeing=1)


WORDS = st.lists(st.sampled_from(("a", "b", "c")), max_size=5)


@given(st.lists(st.tuples(WORDS, st.integers(0, 5_000)), max_size=15), WORDS)
def test_stable_only_grows_and_revisions_count_changes(steps: list[tuple[list[str], int]], final: list[str]) -> None:
    tracker = TranscriptTracker()
    now, before = 0, tracker.split
    for words, wait in steps:
        now += wait
        split = tracker.update(words, now)
        assert split.stable[: len(before.stable)] == before.stable
        assert split.tail == tuple(words[len(split.stable) :])
        assert not split.revised
        changed = (split.stable, split.tail) != (before.stable, before.tail)
        assert split.revision == before.revision + changed
        before = split
    last = tracker.finish(final, now)
    assert last.stable == tuple(final)
    assert last.tail == ()
    assert last.revised is (tuple(final)[: len(before.stable)] != before.stable)
