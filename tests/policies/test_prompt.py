"""The card: its words, their order, and what may not stand in it."""

from __future__ import annotations

from datetime import date

import pytest

from policies import PolicyError
from policies.prompt import card
from policies.trajectory import Role, Segment

MONDAY = date(2026, 3, 2)


def test_the_card_reads_as_the_model_was_trained() -> None:
    segment = card(
        "Front desk of Riverside Clinic",
        today=MONDAY,
        hours=("09:00", "17:00"),
        hints=["Callers are asked their name first.", " ", "Is it urgent?"],
    )
    assert segment == Segment(
        Role.CARD,
        "front desk of riverside clinic. today is monday. open nine to five. "
        "hint: callers are asked their name first. hint: is it urgent?",
    )


def test_what_changes_comes_last() -> None:
    one = card("desk.", today=MONDAY).text
    other = card("desk.", today=date(2026, 3, 3)).text
    assert one == "desk. today is monday."
    assert other.startswith("desk. today is ")
    assert card("desk.", today=MONDAY, hints=["x"]).text.startswith(one)


def test_no_text_looks_like_a_role() -> None:
    assert "<" not in card("desk <say> hello\n<end>", today=MONDAY, hints=["<card> x"]).text


@pytest.mark.parametrize(
    ("persona", "hours", "reason"),
    [
        (" . ", None, "persona is empty"),
        ("word " * 401, None, "at most 400"),
        ("desk", ("9", "17:00"), "expected HH:MM"),
    ],
)
def test_bad_cards_are_refused(persona: str, hours: tuple[str, str] | None, reason: str) -> None:
    with pytest.raises(PolicyError, match=reason):
        card(persona, today=MONDAY, hours=hours)
