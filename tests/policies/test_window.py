"""Of a long call the card and the last turns are read; where they begin moves seldom, and never back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policies.trajectory import Role, Segment
from policies.window import window

CARD = Segment(Role.CARD, "card")
SAY, HEARD = Segment(Role.SAY, "said", Role.END), Segment(Role.HEARD, "heard")
TURN, THINK, EXPECT = Segment(Role.TURN), Segment(Role.THINK, "note"), Segment(Role.EXPECT, "yes")
ROUND = (HEARD, TURN, THINK, EXPECT, SAY)
TOOL = (HEARD, TURN, THINK, EXPECT, Segment(Role.CALL, "look", Role.END), Segment(Role.RESULT, "none"), EXPECT, SAY)
SHUT_UP = (HEARD, TURN, THINK, EXPECT, Segment(Role.SILENCE))
rounds = st.lists(st.sampled_from((ROUND, TOOL, SHUT_UP)), min_size=1, max_size=30)
MOST, KEEP, LENGTH = 100, 50, 4


def calls(turns: list[tuple[Segment, ...]]) -> list[Segment]:
    return [CARD, SAY, *(one for turn in turns for one in turn)]


def test_a_short_call_is_read_whole() -> None:
    segments = calls([ROUND] * 4)
    assert window(segments, [LENGTH] * len(segments), MOST, KEEP) == 1


def test_a_long_call_begins_with_what_was_said_before_the_kept_turns() -> None:
    segments = calls([ROUND] * 7)
    start = window(segments, [LENGTH] * len(segments), MOST, KEEP)
    assert start > 1
    assert segments[start] is SAY
    assert segments[start + 1] is HEARD


def test_a_turn_longer_than_what_is_kept_stays_whole() -> None:
    segments = [CARD, SAY, HEARD, TURN, THINK, EXPECT, SAY, HEARD]
    lengths = [LENGTH] * 7 + [400]
    assert window(segments, lengths, MOST, KEEP) == 7


@given(rounds)
def test_what_is_read_is_bounded_and_grows_at_its_end_between_two_moves(turns: list[tuple[Segment, ...]]) -> None:
    segments = calls(turns)
    starts = [window(segments[:end], [LENGTH] * end, MOST, KEEP) for end in range(2, len(segments) + 1)]
    assert starts == sorted(starts)
    longest = max(len(turn) for turn in turns) * LENGTH
    for end, start in enumerate(starts, 2):
        silent = sum(one.role is Role.SILENCE for one in segments[start:end])  # they begin nothing
        assert (1 + end - start) * LENGTH <= MOST + longest * (1 + silent)
    moves = len(set(starts)) - 1
    assert moves <= len(segments) * LENGTH / (MOST - KEEP)
