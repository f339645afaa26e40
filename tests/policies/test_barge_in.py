"""What the agent does when the caller speaks over it, and that every overlap ends in a decision."""

from __future__ import annotations

import os
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from policies.barge_in import Action, BargeIn, BargeInSettings, Cause, Overlap, decide, hum, is_backchannel

ONSET = Overlap(overlap_ms=64, speaking=True)
STOPPED = Overlap(overlap_ms=400, speaking=False, silence_ms=200, yielded=True)


def words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def test_the_agent_yields_at_the_onset_of_speech() -> None:
    assert decide(ONSET) == BargeIn("yield", Cause.ONSET, 1136)


def test_a_hum_holds_the_yield_for_700_ms_at_most() -> None:
    humming = replace(ONSET, hum=0.9)
    assert decide(humming) == BargeIn("keep", Cause.HUM, 636)
    assert decide(replace(humming, overlap_ms=700)).action == "yield"
    assert decide(replace(humming, hum=0.3)).action == "yield"


def test_a_short_hum_asks_for_nothing_whatever_was_recognised() -> None:
    hummed = replace(STOPPED, yielded=False, overlap_ms=259, hum=0.9, words=("can",), settled=True)
    assert decide(hummed) == BargeIn("keep", Cause.HUM)
    assert decide(replace(hummed, yielded=True)) == BargeIn("resume", Cause.HUM)
    assert decide(replace(hummed, overlap_ms=500)) == BargeIn("cancel", Cause.CONTENT)
    assert decide(replace(hummed, hum=0.5)) == BargeIn("cancel", Cause.CONTENT)
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
    hum=st.none() | st.floats(0, 1),
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


def tone(*partials: tuple[float, float]) -> NDArray[np.int16]:
    """A sum of (hertz, amplitude) sines, 100 ms."""
    t = np.arange(1600) / 16_000
    wave_form: NDArray[np.float64] = np.sum([a * np.sin(2 * np.pi * f * t) for f, a in partials], axis=0)
    return wave_form.astype(np.int16)


def test_a_hum_is_low_and_smooth() -> None:
    assert hum(tone((120, 4000), (240, 2000), (360, 500))) > 0.9
    assert hum(tone((120, 4000), (700, 3000), (1200, 2500))) < 0.1
    rng = np.random.default_rng(0)
    assert hum(rng.normal(0, 2000, 1600).astype(np.int16)) == 0.0


def test_too_little_to_judge_is_no_hum() -> None:
    assert hum(tone((120, 4000))[:479]) == 0.0
    assert hum(tone((120, 50))) == 0.0
    assert hum(np.zeros(0, np.int16)) == 0.0


def test_only_the_first_100_ms_count() -> None:
    low = tone((120, 4000))
    assert hum(np.concatenate([low, tone((3000, 8000))])) == hum(low)


def test_recorded_words_rarely_pass_for_a_hum() -> None:
    """The price of holding: how many of 90 spoken digits would delay the yield by 300 ms."""
    folder = Path(os.environ.get("DUOLOGUE_CALLS", "")) / "fsdd"
    clips = sorted(folder.glob("*.wav"))
    if not os.environ.get("DUOLOGUE_CALLS") or not clips:
        pytest.skip("no recordings: set DUOLOGUE_CALLS to a folder that holds fsdd/")
    held = 0
    for clip in clips:
        with wave.open(str(clip)) as sound:
            half_rate = np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(np.float64)
        pcm = np.interp(np.arange(2 * len(half_rate)) / 2, np.arange(len(half_rate)), half_rate)
        level = np.sqrt(np.mean(pcm[: len(pcm) // 160 * 160].reshape(-1, 160) ** 2, axis=1))
        onset = int(np.argmax(level > 0.1 * level.max())) * 160
        held += hum(pcm[onset:].astype(np.int16)) >= BargeInSettings().hum_threshold
    assert held <= 0.25 * len(clips)
