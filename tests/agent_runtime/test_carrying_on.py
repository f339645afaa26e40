"""What one engine wrote of a turn, handed to the next: told once, and gone on with where its words allow it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from agent_runtime import events as ev
from agent_runtime.carrying_on import Begun
from agent_runtime.testing.fakes import WordLanguage
from agent_runtime.thinking import TurnReader
from policies.trajectory import Role, Segment, Trajectory
from tests.agent_runtime.scenes import find_slots

STREAM = Trajectory.of([Segment(Role.CARD, "desk."), Segment(Role.HEARD, "hello"), Segment(Role.TURN)])


class Allows:
    """A grammar that allows the tokens below `limit` and ends after `most`."""

    def __init__(self, limit: int = 1000, most: int = 1000) -> None:
        self.limit, self.most, self.taken = limit, most, list[int]()

    @property
    def done(self) -> bool:
        return len(self.taken) >= self.most

    def allowed(self) -> Any:
        return np.arange(1000) < self.limit

    def advance(self, token: int) -> None:
        self.taken.append(token)

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        return token


class AllowsAll(Allows):
    """A grammar that has nothing to say, as a chat's."""

    def allowed(self) -> Any:
        return None


def language() -> WordLanguage:
    """A new language: ids in the order of first use."""
    return WordLanguage((find_slots,))


def begun(*told: ev.Event) -> Begun:
    """A turn of which that much was told."""
    found = Begun()
    assert all(found.told(event) for event in told)
    return found


THOUGHT, EXPECTED = ev.ThoughtFormed(1, "book it"), ev.ExpectationFormed(1, "a day")
SAID = [ev.ClauseGenerated(1, 0, "ten thirty,"), ev.ClauseGenerated(1, 1, "or two.")]


def read(reader: TurnReader, words: WordLanguage, text: str) -> list[ev.Event]:
    """What a reader tells of more words."""
    return [event for word in text.split() for event in reader.feed(words.id_of(word))]


def test_a_turn_that_was_not_begun_begins_at_its_beginning() -> None:
    assert begun().go_on(language(), STREAM, Allows()) == []


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ([THOUGHT], "<think> book it"),
        ([THOUGHT, EXPECTED], "<think> book it <expect> a day"),
        ([THOUGHT, EXPECTED, *SAID], "<think> book it <expect> a day <say> ten thirty, or two."),
        ([*SAID, THOUGHT, SAID[0]], "<say> ten thirty, or two. <more> <think> book it <say> ten thirty,"),
    ],
)
def test_what_was_told_is_the_beginning_in_the_other_language(told: Sequence[ev.Event], text: str) -> None:
    words, grammar = language(), Allows()
    found = begun(*told).go_on(words, STREAM, grammar)
    assert found is not None
    assert words.decode(found).split() == text.split()
    assert grammar.taken == found, "the grammar stands where the turn does"


def test_the_reader_tells_only_what_comes_behind_it() -> None:
    words = language()
    turn = begun(THOUGHT, EXPECTED, *SAID)
    head = turn.go_on(words, STREAM, Allows())
    assert head is not None
    reader = TurnReader(words, 1)
    reader.go_on(head, turn.clauses)
    assert read(reader, words, "which one do you want? <end>") == [ev.ClauseGenerated(1, 2, "which one do you want?")]
    assert reader.outcome == "said"


def test_a_note_that_is_whole_is_not_told_again() -> None:
    words = language()
    turn = begun(THOUGHT, EXPECTED)
    head = turn.go_on(words, STREAM, Allows())
    assert head is not None
    reader = TurnReader(words, 1)
    reader.go_on(head, turn.clauses)
    assert read(reader, words, "<say> ok, then. <end>") == [ev.ClauseGenerated(1, 0, "ok, then.")]


def test_a_thought_the_other_has_no_words_for_is_thought_anew_and_told_once() -> None:
    turn = begun(THOUGHT, EXPECTED)
    assert turn.go_on(language(), STREAM, Allows(limit=0)) == []
    assert not turn.told(ev.ThoughtFormed(1, "other words"))
    assert not turn.told(ev.ExpectationFormed(1, "other words"))
    assert turn.told(SAID[0])
    assert turn.told(ev.ThoughtFormed(1, "a second thought"))


@pytest.mark.parametrize("grammar", [Allows(limit=0), Allows(most=3), AllowsAll()])
def test_words_that_cannot_be_gone_on_from_end_the_turn(grammar: Allows) -> None:
    assert begun(THOUGHT, *SAID).go_on(language(), STREAM, grammar) is None


def test_a_language_whose_ids_change_with_what_follows_cannot_go_on() -> None:
    class Merging(WordLanguage):
        def encode(self, trajectory: Trajectory) -> list[int]:
            found = super().encode(trajectory)
            return [len(found), *found]

    assert begun(*SAID).go_on(Merging((find_slots,)), STREAM, Allows()) is None
