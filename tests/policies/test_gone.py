"""A time that is gone is said once; what is on offer may be said as often as it takes."""

from __future__ import annotations

import pytest

from policies.gone import gone
from policies.shapes import NoteField

NOTES = (NoteField("day", "choice", ("monday", "tuesday")), NoteField("time", "time"))
NOTHING = {"day": "monday", "time": "-"}


@pytest.mark.parametrize(
    ("heard", "noted", "offered", "words"),
    [
        ("yes perfect thank you", "five", ("eight thirty", "ten"), ("five",)),  # it was just taken
        ("um sorry yes five i can make five", "-", ("eight thirty", "ten"), ("five",)),
        ("ten thirty", "-", ("eight thirty", "eleven"), ("ten",)),  # "thirty" is on offer
        ("then ten", "ten", ("eight thirty", "ten"), ()),
        ("nine", "-", ("nine thirty", "ten"), ()),  # how "nine thirty" begins
        ("five", "-", (), ()),  # nothing was looked up yet
        ("wednesday", "-", ("ten",), ()),
    ],
)
def test_words_of_times_that_are_not_on_offer(
    heard: str, noted: str, offered: tuple[str, ...], words: tuple[str, ...]
) -> None:
    assert gone(heard, NOTHING | {"time": noted}, offered, NOTES) == words


def test_an_agent_without_times_has_none_that_are_gone() -> None:
    assert gone("", {"day": "monday"}, ("ten",), NOTES[:1]) == ()
