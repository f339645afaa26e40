"""What rows refuse, and what a rule counts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from memory import KeepingError
from memory.records import Episode, Evidence, Rule

EPISODE = Episode("c1", "a" * 32, "front_desk", "inbound", date(2026, 3, 2), "booked", "2026/c1.log")


@pytest.mark.parametrize("name", ["call_id", "subject", "agent"])
def test_an_episode_can_be_found_and_forgotten(name: str) -> None:
    keys = {"call_id": "c1", "subject": "a" * 32, "agent": "front_desk"} | {name: ""}
    with pytest.raises(KeepingError, match=f"empty {name}"):
        Episode(**keys, direction="inbound", wall_date=date(2026, 3, 2), outcome="", log_path="2026/c1.log")
    assert replace(EPISODE, outcome="").outcome == ""


def test_evidence_cites_an_event() -> None:
    with pytest.raises(KeepingError, match="cites event -1"):
        Evidence("c1", "s1", "for", -1)


def test_a_rule_counts_subjects_and_forgets_them() -> None:
    cases = (
        Evidence("c1", "s1", "for", 0),
        Evidence("c2", "s1", "for", 4),
        Evidence("c3", "s2", "for", 7),
        Evidence("c4", "s2", "against", 9),
    )
    rule = Rule("ask for the name first", cases)
    assert (rule.subjects("for"), rule.subjects("against")) == (2, 1)
    forgotten = rule.without("s2")
    assert (forgotten.text, forgotten.evidence) == (rule.text, cases[:2])
    assert (forgotten.subjects("for"), forgotten.subjects("against")) == (1, 0)
