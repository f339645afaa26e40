"""How long the agent waits at a pause: quick behind answers, patient behind open sentences."""

from __future__ import annotations

import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.endpointing import EndpointSettings, Pause, PauseHabit, Why, decide, likelihood, share_of_end

HESITATION_MS = 700
"""The pause inside a turn of the scenario."""

COMPLETE = [
    ("i would like to book an appointment", "request"), ("wednesday", "day"), ("on wednesday morning please", "day"),
    ("ten thirty", "time"), ("ten thirty please", "time"), ("miller", "name"), ("it's miller", "name"),
    ("my name is anna miller", "name"), ("yes that's right", "yes"), ("yes", "yes"), ("no", "yes"),
    ("no thank you", "bye"), ("that's all thanks", "bye"), ("do you have anything on friday", "request"),
    ("i need to see a doctor this week", "request"), ("what are your opening hours", "request"),
    ("can i cancel my appointment", "request"), ("no i said tuesday", "yes"), ("the first one please", "time"),
    ("eleven works for me", "time"), ("what time do you open", ""), ("i want to cancel", "request"), ("hang on", ""),
    ("one moment please", ""), ("let me check my calendar", ""), ("goodbye", "bye"), ("is there anything earlier", ""),
    ("monday afternoon would be great", "day"), ("tuesday no wednesday", "day"), ("the afternoon", "part"),
    ("hi i'd like to make an appointment for thursday", ""), ("two thirty on friday", "time"),
    ("nope that's wrong", "yes"), ("actually make it eleven", "time"), ("could you say that again", ""),
    ("do you have something in the morning", ""), ("for miller", "name"), ("okafor", "name"), ("when are you open", ""),
    ("my daughter has a fever and i would like her to be seen tomorrow", "request"), ("yes please do", "yes"),
    ("i have to move my appointment", "request"), ("that sounds good", "yes"), ("sorry i meant thursday", ""),
    ("eight oh five", "time"), ("two oh five p m", ""), ("i think so", "yes"), ("yes i do", "yes"),
]  # fmt: skip
UNFINISHED = [
    "i would like to come in on", "i'd like to book a", "can i come in on wednesday at", "um", "yes um", "my name is",
    "i need an appointment for my", "do you have anything in the", "could i", "i was wondering if", "it's for",
    "on wednesday or", "i want to", "no i meant", "and then the", "maybe", "that would be", "let me see the",
    "can you tell me what", "what about", "i would like to make an appointment for", "so", "i'm calling about",
    "what i need is", "the name is", "i think we", "is it possible to", "for", "i'd", "we're looking for an",
    "how about", "next week on", "i can do", "either wednesday or", "i'm free from ten to", "my appointment is at",
    "would you", "could you please", "i would like to come in", "i want", "please can you", "i need", "i'd like",
    "five five", "my card is [digits 8]", "my number is oh seven seven", "m i",
]  # fmt: skip


def needed(text: str, expects: str = "", p_over: float | None = None) -> int:
    return decide(Pause(0, tuple(text.lower().split()), expects=expects, p_over=p_over)).wait_ms


def test_finished_turns_end_within_200_ms_as_a_rule_without_a_model() -> None:
    delays = [needed(text, expects) for text, expects in COMPLETE]
    assert statistics.median(delays) <= 200
    assert sorted(delays)[int(0.9 * len(delays))] <= 350
    assert max(delays) <= 400


@pytest.mark.parametrize("text", UNFINISHED)
@pytest.mark.parametrize("p_over", [None, 0.99])
def test_a_hesitation_behind_unfinished_words_is_sat_out(text: str, p_over: float | None) -> None:
    if p_over is None or likelihood(text.split())[1] is Why.UNFINISHED:
        assert HESITATION_MS < needed(text, p_over=p_over) <= 1500


@pytest.mark.parametrize(("text", "expects"), COMPLETE)
def test_a_sure_model_shortens_and_a_doubtful_one_lengthens(text: str, expects: str) -> None:
    assert 120 <= needed(text, expects, 0.97) <= needed(text, expects) + 40
    assert needed(text, expects, 0.02) > HESITATION_MS


@pytest.mark.parametrize(
    ("text", "expects", "why"),
    [
        ("who am i speaking to", "", Why.UNCERTAIN),
        ("what time is it", "", Why.UNCERTAIN),
        ("i do not want that", "", Why.UNCERTAIN),
        ("zebra", "", Why.UNCERTAIN),
        ("five five", "", Why.SPELLING),
        ("my card is [digits 8]", "", Why.SPELLING),
        ("my card is [digits 16]", "", Why.UNCERTAIN),
        ("m i l", "name", Why.SPELLING),
        ("one two", "time", Why.COMPLETE),
        ("i have that to", "", Why.UNFINISHED),
        ("want that", "", Why.UNFINISHED),
        ("anna miller", "name", Why.COMPLETE),
        ("no", "bye", Why.COMPLETE),
        ("no", "yes", Why.UNCERTAIN),
        ("no wednesday", "yes", Why.COMPLETE),
        ("yes", "time", Why.UNCERTAIN),
        ("good morning", "request", Why.UNCERTAIN),
        ("the morning", "part", Why.COMPLETE),
        ("i would like", "", Why.UNFINISHED),
        ("whichever you like", "", Why.COMPLETE),
        ("eight am", "", Why.COMPLETE),
        ("ten thirty it is", "time", Why.COMPLETE),
        ("yes that's what i want", "yes", Why.COMPLETE),
        ("the last of those", "time", Why.UNCERTAIN),
        ("what would that", "", Why.UNFINISHED),
        ("what other days are there", "", Why.UNCERTAIN),
    ],
)
def test_reasons(text: str, expects: str, why: Why) -> None:
    assert likelihood(text.split(), expects)[1] is why


def test_the_verdict_falls_when_the_silence_is_long_enough() -> None:
    pause = Pause(0, ("yes",), expects="yes", p_over=0.95)
    first = decide(pause)
    assert not first.over
    at_end = decide(replace(pause, silence_ms=first.wait_ms))
    assert (at_end.over, at_end.wait_ms, at_end.reason) == (True, 0, Why.COMPLETE)
    assert not decide(replace(pause, silence_ms=first.wait_ms - 1)).over
    assert at_end.scores["model"] == 0.95
    assert at_end.scores["needed_ms"] <= first.wait_ms
    assert "model" not in decide(Pause(0, ("yes",))).scores


def test_the_models_score_is_the_share_of_what_a_pause_leaves_open() -> None:
    assert share_of_end(0.3, 0.1) == pytest.approx(0.75)
    assert share_of_end(0.0, 0.2) == 0.0
    assert share_of_end(0.0, 0.0) == 0.5


def test_an_unsettled_transcript_is_waited_for() -> None:
    pause = Pause(200, ("yes",), settled=False, expects="yes")
    assert decide(pause).reason is Why.UNSETTLED
    assert decide(pause).wait_ms == 100
    assert decide(replace(pause, settled=True)).over
    unfinished = Pause(200, ("the",), settled=False)
    assert decide(unfinished) == decide(replace(unfinished, settled=True))


@pytest.mark.parametrize(
    ("silence_ms", "settled", "speech_ms", "over", "wait_ms", "why"),
    [
        (200, False, 300, False, 400, Why.NO_WORDS),
        (200, True, 300, False, 0, Why.NOISE),
        (600, False, 300, False, 0, Why.NOISE),
        (600, False, 900, True, 0, Why.UNINTELLIGIBLE),
    ],
)
def test_speech_without_words(
    silence_ms: int, settled: bool, speech_ms: int, over: bool, wait_ms: int, why: Why
) -> None:
    verdict = decide(Pause(silence_ms, (), settled=settled, speech_ms=speech_ms))
    assert (verdict.over, verdict.wait_ms, verdict.reason) == (over, wait_ms, why)


def test_a_slow_speaker_gets_more_time_where_there_is_doubt() -> None:
    slow = PauseHabit(value_ms=900)
    doubtful = Pause(0, ("zebra",))
    assert decide(replace(doubtful, habit=slow)).wait_ms - decide(doubtful).wait_ms == 250
    sure = Pause(0, ("yes",), expects="yes")
    assert decide(replace(sure, habit=slow)).wait_ms - decide(sure).wait_ms <= 20


def test_the_habit_follows_the_pauses_and_never_jumps_past_one() -> None:
    habit = PauseHabit()
    for _ in range(20):
        habit = habit.seen(800)
    assert habit.value_ms == 800
    assert habit.seen(810).value_ms == 810
    assert habit.seen(100).value_ms == pytest.approx(776)
    assert PauseHabit(value_ms=110).seen(100).value_ms == 100


WORDS = st.lists(st.sampled_from("yes no um the on wednesday ten thirty i would like to come in five m please".split()))
PROBABILITY = st.floats(0, 1)


EXPECTED = st.sampled_from(["", "yes", "day", "time", "name"])


@given(WORDS, EXPECTED, PROBABILITY, PROBABILITY, st.booleans(), st.floats(0, 2000))
def test_a_higher_probability_never_asks_for_more_silence(
    words: list[str], expects: str, one: float, other: float, settled: bool, habit_ms: float
) -> None:
    pause = Pause(0, tuple(words), settled, expects=expects, habit=PauseHabit(habit_ms))
    low, high = sorted((one, other))
    assert decide(replace(pause, p_over=high)).wait_ms <= decide(replace(pause, p_over=low)).wait_ms


@given(WORDS, PROBABILITY | st.none(), st.integers(0, 3000), st.integers(0, 3000), st.booleans())
def test_more_silence_never_takes_a_verdict_back(
    words: list[str], p_over: float | None, silence_ms: int, more_ms: int, settled: bool
) -> None:
    pause = Pause(silence_ms, tuple(words), settled, p_over)
    now = decide(pause)
    later = decide(replace(pause, silence_ms=silence_ms + more_ms))
    assert later.over or not now.over
    assert later.wait_ms == max(0, now.wait_ms - more_ms) or now.wait_ms == 0


@given(WORDS.filter(bool), PROBABILITY | st.none(), st.floats(0, 5000))
def test_no_wait_is_longer_than_two_seconds(words: list[str], p_over: float | None, habit_ms: float) -> None:
    settings = EndpointSettings()
    longest = settings.curve[0][1] + settings.habit_most_ms
    assert 120 <= decide(Pause(0, tuple(words), p_over=p_over, habit=PauseHabit(habit_ms))).wait_ms <= longest
