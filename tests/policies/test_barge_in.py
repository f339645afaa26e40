"""What the agent does when the caller speaks over it, and that every overlap ends in a decision."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.barge_in import Action, BargeIn, BargeInSettings, Cause, Overlap, decide, is_backchannel

ONSET = Overlap(overlap_ms=64, speaking=True)
STOPPED = Overlap(overlap_ms=400, speaking=False, silence_ms=200, yielded=True)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def test_the_agent_yields_at_the_onset_of_speech() -> None:
    assert decide(ONSET) == BargeIn("yield", Cause.ONSET, 1136)


def test_a_sound_like_a_backchannel_holds_the_yield_for_800_ms_at_most() -> None:
    humming = replace(ONSET, no_floor=0.9)
    assert decide(humming) == BargeIn("keep", Cause.SOUND, 736)
    assert decide(replace(humming, overlap_ms=800)).action == "yield"
    assert decide(replace(humming, no_floor=0.44)).action == "yield"


def test_words_outweigh_the_sound_while_it_lasts() -> None:
    heard = replace(ONSET, overlap_ms=400, no_floor=0.99, words=("wednesday",))
    assert decide(heard) == BargeIn("cancel", Cause.CONTENT)
    assert decide(replace(heard, words=("okay", "but"))) == BargeIn("cancel", Cause.STOP_WORD)


def test_a_short_sound_much_like_a_backchannel_asks_for_nothing_whatever_was_recognised() -> None:
    hummed = replace(STOPPED, yielded=False, overlap_ms=259, no_floor=0.99, words=("can",), settled=True)
    assert decide(hummed) == BargeIn("keep", Cause.SOUND)
    assert decide(replace(hummed, yielded=True)) == BargeIn("resume", Cause.SOUND)
    assert decide(replace(hummed, overlap_ms=500)) == BargeIn("cancel", Cause.CONTENT)
    assert decide(replace(hummed, no_floor=0.4)) == BargeIn("cancel", Cause.CONTENT)
    assert decide(replace(hummed, agent_asks=True)) == BargeIn("cancel", Cause.CONTENT)


def test_an_agent_who_is_nearly_done_ends() -> None:
    assert decide(replace(ONSET, agent_left_ms=250)) == BargeIn("keep", Cause.NEARLY_DONE, 1136)
    assert decide(replace(ONSET, agent_left_ms=350)).action == "yield"


@pytest.mark.parametrize(
    ("heard", "action", "reason"),
    [
        ("no", "cancel", Cause.STOP_WORD),
        ("uh wait", "cancel", Cause.STOP_WORD),
        ("yeah but", "cancel", Cause.STOP_WORD),
        ("wednesday", "cancel", Cause.CONTENT),
        ("yeah yeah yeah", "cancel", Cause.CONTENT),
        ("mm hm", "keep", Cause.BACKCHANNEL),
        ("i see", "keep", Cause.BACKCHANNEL),
        ("yeah ok", "keep", Cause.BACKCHANNEL),
        ("um", "yield", Cause.ONSET),
    ],
)
def test_words_decide_while_the_caller_speaks(heard: str, action: Action, reason: Cause) -> None:
    verdict = decide(replace(ONSET, overlap_ms=300, words=words(heard)))
    assert (verdict.action, verdict.reason) == (action, reason)


def test_a_yielded_agent_waits_for_words() -> None:
    yielded = replace(ONSET, overlap_ms=500, yielded=True)
    assert decide(yielded) == BargeIn("keep", Cause.AWAITING_WORDS, 700)
    assert decide(replace(yielded, words=("yeah",))) == BargeIn("keep", Cause.BACKCHANNEL, 700)


def test_long_speech_takes_the_floor_without_words() -> None:
    assert decide(replace(ONSET, overlap_ms=1200)) == BargeIn("cancel", Cause.LONG)
    assert decide(replace(STOPPED, overlap_ms=1300, settled=True)) == BargeIn("cancel", Cause.LONG)


@pytest.mark.parametrize(
    ("overlap", "verdict"),
    [
        (STOPPED, BargeIn("keep", Cause.AWAITING_WORDS, 200)),
        (replace(STOPPED, silence_ms=400), BargeIn("resume", Cause.NOTHING_SAID)),
        (replace(STOPPED, settled=True), BargeIn("resume", Cause.NOTHING_SAID)),
        (replace(STOPPED, settled=True, yielded=False), BargeIn("keep", Cause.NOTHING_SAID)),
        (replace(STOPPED, words=("mhm",)), BargeIn("resume", Cause.BACKCHANNEL)),
        (replace(STOPPED, words=("mhm",), yielded=False), BargeIn("keep", Cause.BACKCHANNEL)),
        (replace(STOPPED, words=("tuesday",)), BargeIn("cancel", Cause.CONTENT)),
    ],
)
def test_after_the_caller_stopped(overlap: Overlap, verdict: BargeIn) -> None:
    assert decide(overlap) == verdict


def test_a_yes_over_the_end_of_a_question_is_its_answer() -> None:
    early = replace(ONSET, overlap_ms=300, words=("yes",), agent_asks=True, agent_left_ms=800)
    assert decide(early) == BargeIn("keep", Cause.EARLY_ANSWER)
    assert decide(replace(early, yielded=True)) == BargeIn("resume", Cause.EARLY_ANSWER)
    assert decide(replace(early, agent_left_ms=3000)).reason is Cause.BACKCHANNEL
    assert decide(replace(early, agent_asks=False)).reason is Cause.BACKCHANNEL
    assert decide(replace(early, agent_left_ms=None)).reason is Cause.BACKCHANNEL
    assert decide(replace(early, words=("tuesday",))).action == "cancel"


def test_backchannels() -> None:
    assert is_backchannel(words("uh huh"))
    assert not is_backchannel(())
    assert not is_backchannel(words("yeah yeah yeah"))
    assert is_backchannel(words("yeah yeah yeah"), many_words=4)


VOCABULARY = st.lists(st.sampled_from(words("mm hm yeah ok no wait wednesday um i see the")), max_size=4).map(tuple)
OVERLAPS = st.builds(
    Overlap,
    overlap_ms=st.integers(0, 3000),
    speaking=st.booleans(),
    words=VOCABULARY,
    settled=st.booleans(),
    silence_ms=st.integers(0, 1000),
    yielded=st.booleans(),
    agent_left_ms=st.none() | st.integers(0, 5000),
    agent_asks=st.booleans(),
    no_floor=st.none() | st.floats(0, 1),
)


@given(OVERLAPS)
def test_no_decision_contradicts_the_state_it_was_made_in(overlap: Overlap) -> None:
    verdict = decide(overlap)
    if overlap.yielded:
        assert verdict.action != "yield"
    else:
        assert verdict.action != "resume"
    if not overlap.speaking:
        assert verdict.action != "yield"
        assert verdict.wait_ms <= BargeInSettings().settle_ms
    if verdict.action in {"cancel", "resume"}:
        assert verdict.wait_ms == 0
    if set(overlap.words) & {"no", "wait"}:
        assert verdict.action == "cancel"


@given(OVERLAPS)
def test_no_overlap_hangs(overlap: Overlap) -> None:
    """Asked again after each wait it named, every overlap ends in a decision."""
    for _ in range(6):
        verdict = decide(overlap)
        if verdict.wait_ms == 0:
            return
        passed = verdict.wait_ms
        overlap = replace(
            overlap,
            yielded=overlap.yielded or verdict.action == "yield",
            overlap_ms=overlap.overlap_ms + (passed if overlap.speaking else 0),
            silence_ms=overlap.silence_ms + (0 if overlap.speaking else passed),
        )
    pytest.fail(f"still undecided: {overlap}")


def test_the_first_word_of_a_backchannel_phrase_waits_for_its_second() -> None:
    began = Overlap(overlap_ms=300, speaking=True, words=("i",), yielded=True)
    assert decide(began).action == "keep"
    assert decide(replace(began, words=("i", "see"))).action == "keep"
    assert decide(replace(began, words=("yeah", "i"))).action == "keep"
    assert decide(replace(began, words=("i", "need"))).action == "cancel"
    assert decide(replace(began, words=("i",), settled=True)).action == "cancel", "nothing follows any more"
