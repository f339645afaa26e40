"""A cancel that lets the word that sounds be said to its end."""

from __future__ import annotations

from audio.heard import NextWord, WordMark
from audio.playout import (
    Ended,
    Paused,
    Playout,
    Started,
)
from tests.audio.test_playout import steady


def test_cancelled_at_a_word_the_word_ends_softly_and_nothing_comes_behind_it() -> None:
    playout = Playout()
    playout.begin("a", "one two three")
    marks = [WordMark(0, 3, 0), WordMark(4, 7, 1000), WordMark(8, 13, 2000)]
    playout.add("a", steady(3000), marks)
    playout.begin("b", "four")
    playout.add("b", steady(500, 5_000))
    playout.finish("b")
    playout.take(1200)
    assert playout.cancel_at_word("a")
    assert playout.ahead() == (NextWord("two", 7, 1000, 2000),)
    assert playout.add("a", steady(900)) is False, "its sound may still come; it is dropped"
    rest = playout.take(1400)
    assert rest[:720].tolist() == [10_000] * 720
    assert 0 <= rest[799] < 200, "faded within the word's last 5 ms"
    assert rest[800:1300].tolist() == [5_000] * 500, "the next one begins at once"
    assert [(type(event), event.utterance) for event in playout.drain()] == [
        (Started, "a"), (Ended, "a"), (Started, "b"), (Ended, "b"),
    ]  # fmt: skip
    heard = playout.heard("a")
    assert (heard.text, heard.n_samples, heard.complete) == ("one two", 2000, False)
    assert playout.cancel_at_word("a") is False


def test_cancelled_at_a_word_while_nothing_sounds_it_is_dropped_at_once() -> None:
    playout = Playout()
    playout.begin("a", "one two")
    playout.add("a", steady(2000), [WordMark(0, 3, 0), WordMark(4, 7, 1000)])
    assert playout.cancel_at_word("a")
    assert [type(event) for event in playout.drain()] == [Ended]
    playout.begin("b", "one")
    playout.add("b", steady(2000))
    playout.take(400)
    playout.pause("b", 0)
    assert playout.cancel_at_word("b")
    assert playout.take(400).any() == False  # noqa: E712
    assert [type(event) for event in playout.drain()] == [Started, Paused, Ended]
    assert playout.cancel_at_word("b") is False


def test_cancelled_at_its_last_word_all_of_it_is_heard() -> None:
    playout = Playout()
    playout.begin("a", "one two")
    playout.add("a", steady(2000), [WordMark(0, 3, 0), WordMark(4, 7, 1000)])
    playout.finish("a")
    playout.take(1500)
    playout.cancel_at_word("a")
    playout.take(500)
    assert playout.heard("a").complete
    assert [type(event) for event in playout.drain()] == [Started, Ended]
