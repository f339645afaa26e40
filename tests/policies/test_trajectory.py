"""The token stream: append-only, with a digest that names every prefix."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.trajectory import RESERVED_TOKENS, ROLE_TOKENS, Role, Segment, Trajectory

CALL = [
    Segment(Role.CARD, "front desk. today is monday."),
    Segment(Role.SAY, "how can i help?", Role.END),
    Segment(Role.HEARD, "i need an appointment"),
    Segment(Role.HEARD, "on wednesday"),
    Segment(Role.TURN),
    Segment(Role.THINK, "book wednesday"),
    Segment(Role.EXPECT, "slots"),
    Segment(Role.CALL, "find_slots day wednesday", Role.END),
    Segment(Role.FILLER, "let me look.", Role.END),
    Segment(Role.RESULT, "ten thirty"),
    Segment(Role.EXPECT, "yes"),
    Segment(Role.SAY, "ten thirty", Role.CUT),
    Segment(Role.SILENCE),
    Segment(Role.SAY, "goodbye.", Role.BYE),
]

segments = st.lists(
    st.builds(
        Segment,
        st.sampled_from([Role.HEARD, Role.THINK, Role.EXPECT, Role.RESULT, Role.TURN]),
        st.text("abc <>", max_size=6),
    ),
    max_size=6,
)


def test_a_call_reads_as_the_core_model_was_trained_on_it() -> None:
    assert Trajectory.of(CALL).text() == (
        "<card> front desk. today is monday.<say> how can i help?<end><heard> i need an appointment<heard> on wednesday"
        "<turn><think> book wednesday<expect> slots<call> find_slots day wednesday<end><filler> let me look.<end>"
        "<result> ten thirty<expect> yes<say> ten thirty<cut><silence><say> goodbye.<bye>"
    )


def test_special_tokens_stand_alone_and_words_have_a_space_before_them() -> None:
    assert list(Trajectory.of(CALL[:3]).parts())[:5] == [
        "<card>", " front desk. today is monday.", "<say>", " how can i help?", "<end>",
    ]  # fmt: skip


def test_ids_of_the_roles_are_fixed_for_ever() -> None:
    """The model was trained with these ids: a new role takes a reserved one, and none of these moves."""
    assert ROLE_TOKENS[:15] == (
        "<pad>", "<card>", "<heard>", "<turn>", "<think>", "<expect>", "<call>", "<result>", "<filler>", "<say>",
        "<end>", "<cut>", "<bye>", "<silence>", "<more>",
    )  # fmt: skip
    assert len(ROLE_TOKENS) == 32
    assert len(set(ROLE_TOKENS)) == 32
    assert ROLE_TOKENS[-len(RESERVED_TOKENS) :] == RESERVED_TOKENS


def test_appending_gives_a_new_stream_and_leaves_the_old_one() -> None:
    base = Trajectory.of(CALL[:2])
    longer = base.append(CALL[2])
    assert len(base) == 2
    assert len(longer) == 3
    assert longer.segments[:2] == base.segments
    assert base.append() == base
    assert base.append().digest == base.digest
    assert Trajectory().digest == ""


def test_only_what_has_an_end_can_be_closed() -> None:
    for role in (Role.SAY, Role.CALL, Role.FILLER):
        Trajectory.of([Segment(role, "x", Role.END)])
    with pytest.raises(ValueError, match="a <heard> segment has no closing token, got <end>"):
        Trajectory.of([Segment(Role.HEARD, "x", Role.END)])


def test_only_speech_goes_on_in_bits() -> None:
    counting = Trajectory.of(
        [Segment(Role.SAY, "one,", Role.MORE), Segment(Role.THINK, "two"), Segment(Role.SAY, "two.", Role.END)]
    )
    assert counting.text() == "<say> one,<more><think> two<say> two.<end>"
    with pytest.raises(ValueError, match="a <call> segment is closed by <end>; got <more>"):
        Trajectory.of([Segment(Role.CALL, "x", Role.MORE)])
    with pytest.raises(ValueError, match="a <say> segment is closed by <end>, <cut>, <bye>, <more>; got <turn>"):
        Trajectory.of([Segment(Role.SAY, "x", Role.TURN)])


@given(segments, segments)
def test_equal_digests_mean_equal_streams(one: list[Segment], two: list[Segment]) -> None:
    first, second = Trajectory.of(one), Trajectory.of(two)
    assert (first.digest == second.digest) == (list(first.parts()) == list(second.parts()))


@given(segments, st.integers(0, 6))
def test_the_digest_does_not_depend_on_how_the_stream_grew(parts: list[Segment], cut: int) -> None:
    assert Trajectory.of(parts[:cut]).append(*parts[cut:]).digest == Trajectory.of(parts).digest
