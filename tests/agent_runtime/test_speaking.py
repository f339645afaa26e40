"""The mouth of a call: paced to the sample, silent within a frame, honest about what was heard, with sound or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.events import Event
from agent_runtime.speaking import FRAME
from tests.agent_runtime.mouth import FIRST, WORD, Step, ToneVoice, at, block_the_loop, both_modes, played, say


@both_modes
def test_an_utterance_starts_after_the_voices_first_sound_and_ends_to_the_sample(audible: bool) -> None:
    mouth = played(say(1.0, 1, "good morning to you."), audible=audible)
    start = 16_000 + FIRST
    assert mouth.events == [
        ev.UtteranceStarted(1, start),
        ev.UtteranceHeard(1, 4 * WORD, True, "good morning to you."),
        ev.UtteranceEnded(1, start + 4 * WORD, "played"),
    ]


def test_frames_leave_one_by_one_each_at_its_own_moment() -> None:
    mouth = played(say(1.0, 1, "good morning to you."))
    samples = [sample for sample, _, _ in mouth.line.frames]
    assert samples == list(range(16_000 + FIRST, 16_000 + FIRST + 4 * WORD, FRAME))
    for sample, time_s, _ in mouth.line.frames:
        assert time_s == pytest.approx(sample / 16_000, abs=1e-9), "neither a burst nor a hole"
    assert not mouth.line.audible(0, 16_000 + FIRST)


def test_nothing_is_sent_while_nothing_is_to_be_said() -> None:
    mouth = played(say(1.0, 1, "one."), say(10.0, 2, "two."))
    assert len(mouth.line.frames) == 2 * -(-WORD // FRAME)


@both_modes
def test_clauses_of_an_utterance_run_into_each_other_and_name_their_first_order_as_cause(audible: bool) -> None:
    mouth = played(
        say(0.0, 1, "we are open", last=False), say(0.1, 1, "until five.", last=False), say(0.5, 1, ""), audible=audible
    )
    (heard,) = mouth.of(ev.UtteranceHeard)
    assert heard == ev.UtteranceHeard(1, 5 * WORD, True, "we are open until five.")
    started, *_, ended = (entry for entry in mouth.log.entries if isinstance(entry.what, Event))
    assert ended.what == ev.UtteranceEnded(1, FIRST + 5 * WORD, "played")
    assert ended.cause == 4, "the latest order for it"
    assert started.cause in (1, 2)


@both_modes
def test_utterances_follow_each_other(audible: bool) -> None:
    mouth = played(say(0.0, 1, "let me look."), say(0.2, 2, "ten thirty."), audible=audible)
    assert [event.sample for event in mouth.of(ev.UtteranceStarted)] == [FIRST, FIRST + 3 * WORD]


@both_modes
def test_a_yield_silences_the_agent_within_a_frame_and_says_what_was_heard(audible: bool) -> None:
    mouth = played(say(0.0, 1, "we are open until five."), at(1.28, do.Yield(1)), audible=audible, until_s=5.0)
    paused, heard = mouth.of(ev.UtterancePaused)[0], mouth.of(ev.UtteranceHeard)[0]
    silent_from = paused.sample
    assert 1.28 * 16_000 <= silent_from <= 1.28 * 16_000 + FRAME + 80
    assert not mouth.line.audible(silent_from, 100_000)
    assert (heard.text, heard.complete) == ("we are open", False)
    assert heard.n_samples == silent_from - FIRST
    entry = next(entry for entry in mouth.log.entries if entry.what == paused)
    assert entry.at_us <= 1_280_000 + 20_000, "and it is known within a frame, not when something else happens"


@both_modes
def test_resumed_it_goes_on_where_it_stopped_and_repeats_nothing(audible: bool) -> None:
    mouth = played(
        say(0.0, 1, "we are open until five."), at(1.28, do.Yield(1)), at(2.0, do.Resume(1)), audible=audible
    )
    paused, resumed = mouth.of(ev.UtterancePaused)[0], mouth.of(ev.UtteranceResumed)[0]
    assert resumed.sample == 32_000
    (ended,) = mouth.of(ev.UtteranceEnded)
    assert ended.sample == FIRST + 5 * WORD + (resumed.sample - paused.sample), "not a sample more or less"
    assert mouth.of(ev.UtteranceHeard)[-1] == ev.UtteranceHeard(1, 5 * WORD, True, "we are open until five.")


@both_modes
@pytest.mark.parametrize("yielded", [True, False], ids=["after a yield", "at once"])
def test_cancelled_the_rest_is_never_heard(audible: bool, yielded: bool) -> None:
    steps = [
        say(0.0, 1, "we are open until five."),
        *([at(1.28, do.Yield(1))] if yielded else []),
        at(1.6, do.Cancel(1)),
    ]
    mouth = played(*steps, audible=audible, until_s=5.0)
    (ended,) = mouth.of(ev.UtteranceEnded)
    assert ended.reason == "cancelled"
    stopped = 1.28 if yielded else 1.6
    heard = mouth.of(ev.UtteranceHeard)[-1]
    assert (heard.text, heard.complete) == ("we are open" if yielded else "we are open until", False)
    assert not mouth.line.audible(round(stopped * 16_000) + FRAME + 80, 200_000)
    entry = next(entry for entry in mouth.log.entries if entry.what == ended)
    assert 1_600_000 <= entry.at_us <= 1_640_000, "the end is told within two frames"


@both_modes
@pytest.mark.parametrize("now_s", [None, 1.22], ids=["heard out", "cut after all"])
def test_cancelled_at_a_word_that_word_is_still_said_unless_a_caller_speaks(audible: bool, now_s: float | None) -> None:
    steps = [say(0.0, 1, "we are open until five."), at(1.2, do.Cancel(1, "word")), say(1.2, 2, "sorry?")]
    mouth = played(*steps, *([at(now_s, do.Cancel(1))] if now_s else []), audible=audible, until_s=5.0)
    first, second = mouth.of(ev.UtteranceEnded)
    assert (first.utterance, first.reason, second.reason) == (1, "cancelled", "played")
    heard = next(what for what in reversed(mouth.of(ev.UtteranceHeard)) if what.utterance == 1)
    assert (heard.text, heard.complete) == ("we are open" if now_s else "we are open until", False)
    if now_s is None:
        assert heard.n_samples == 4 * WORD, "to the sample where the word ends"
    assert mouth.of(ev.UtteranceStarted)[1].sample >= first.sample, "never two voices"


@both_modes
def test_what_is_yielded_before_it_sounds_stays_silent_until_resumed(audible: bool) -> None:
    mouth = played(say(0.0, 1, "which day?"), at(0.0, do.Yield(1)), at(3.0, do.Resume(1)), audible=audible)
    kinds = [type(event).__name__ for event in mouth.events]
    assert kinds == [
        "UtteranceHeard", "UtterancePaused", "UtteranceResumed", "UtteranceStarted", "UtteranceHeard", "UtteranceEnded",
    ]  # fmt: skip
    assert mouth.of(ev.UtteranceStarted)[0].sample == 48_000
    assert mouth.of(ev.UtteranceHeard)[0].text == ""


@both_modes
def test_what_is_cancelled_before_it_sounds_was_never_there(audible: bool) -> None:
    mouth = played(say(0.0, 1, "which day?"), at(0.04, do.Cancel(1)), audible=audible)
    assert mouth.of(ev.UtteranceStarted) == []
    assert mouth.events == [ev.UtteranceHeard(1, 0, False, ""), ev.UtteranceEnded(1, 640, "cancelled")]
    assert mouth.line.frames == []


def test_ducked_the_agent_goes_on_twenty_decibels_down_and_counts_as_inaudible() -> None:
    mouth = played(say(0.0, 1, "we are open until five."), at(0.6, do.Yield(1, "duck")), at(1.0, do.Resume(1)))
    loud = {sample: level for sample, _, level in mouth.line.frames}
    assert max(level for sample, level in loud.items() if 10_000 < sample < 15_500) == 501
    assert loud[17_280] == 10_000
    assert mouth.of(ev.UtteranceEnded)[0].sample == FIRST + 5 * WORD


@both_modes
def test_an_utterance_without_a_word_ends_at_once(audible: bool) -> None:
    mouth = played(say(1.0, 1, ""), audible=audible)
    assert [type(event).__name__ for event in mouth.events] == ["UtteranceHeard", "UtteranceEnded"]


@both_modes
def test_a_clause_for_an_utterance_that_is_over_is_dropped(audible: bool) -> None:
    mouth = played(
        say(0.0, 1, "one.", last=False),
        at(0.5, do.Cancel(1)),
        say(1.0, 1, "two."),
        say(1.1, 2, "three."),
        audible=audible,
    )
    assert [event.utterance for event in mouth.of(ev.UtteranceEnded)] == [1, 2]
    assert mouth.of(ev.UtteranceHeard)[-1].text == "three."


@both_modes
def test_orders_for_what_is_over_or_unknown_do_nothing(audible: bool) -> None:
    mouth = played(
        say(0.0, 1, "one."), at(2.0, do.Yield(1)), at(2.1, do.Resume(1)), at(2.2, do.Cancel(1)), at(2.3, do.Cancel(9)),
        audible=audible,
    )  # fmt: skip
    assert len(mouth.events) == 3


@both_modes
def test_a_voice_that_fails_ends_the_utterance_as_failed_and_the_next_is_spoken(audible: bool) -> None:
    mouth = played(
        say(0.0, 1, "this is", last=False), say(0.0, 1, "broken now."), say(0.1, 2, "sorry."), audible=audible
    )
    assert ev.PartFailed("voice", True, "RuntimeError: helper died") in mouth.events
    assert [(e.utterance, e.reason) for e in mouth.of(ev.UtteranceEnded)] == [(1, "failed"), (2, "played")]
    assert mouth.of(ev.UtteranceHeard)[-1].text == "sorry."


@both_modes
def test_the_end_of_the_call_keeps_what_was_heard_until_then(audible: bool) -> None:
    mouth = played(say(0.0, 1, "we are open until five."), say(0.0, 2, "bye."), audible=audible, until_s=1.28)
    assert {h.utterance: h.text for h in mouth.of(ev.UtteranceHeard)} == {1: "we are open", 2: ""}
    assert [e.reason for e in mouth.of(ev.UtteranceEnded)] == ["cancelled", "cancelled"]


def test_synthesis_waits_when_it_is_far_ahead_of_playing() -> None:
    made: list[float] = []

    class Endless(ToneVoice):
        async def speak(self, text: str) -> AsyncIterator[Any]:
            async for chunk in super().speak(text):
                made.append(asyncio.get_running_loop().time())
                yield chunk

    words = "la " * 100
    played(say(0.0, 1, words), at(8.0, do.Cancel(1)), until_s=40.0, voice=Endless())
    early = sum(time_s < 0.2 for time_s in made)
    assert early * 2 * WORD <= 20 * 16_000 + 4 * WORD, "no more than 20 s ahead"
    assert max(made) < 8.1, "a cancel stops the synthesis"


def test_a_loop_that_was_late_moves_the_line_instead_of_sending_a_burst() -> None:
    mouth = played(say(0.0, 1, "one two three four."), (0.6, lambda mouth: block_the_loop(0.1)))
    late = [(sample, time_s) for sample, time_s, _ in mouth.line.frames if 0.55 < time_s < 0.75]
    assert all(later[1] - earlier[1] >= 0.02 - 1e-9 for earlier, later in pairwise(late)), "never two at once"
    assert all(sample == round(time_s * 16_000) for sample, time_s in late), "each stands where it was sent"
    (ended,) = mouth.of(ev.UtteranceEnded)
    assert ended.sample == pytest.approx(FIRST + 4 * WORD + 1600, abs=FRAME), "later by what the loop was late"


def test_a_loop_that_was_late_by_less_than_three_frames_catches_up() -> None:
    mouth = played(say(0.0, 1, "one two three four."), (0.6, lambda mouth: block_the_loop(0.05)))
    assert [sample for sample, _, _ in mouth.line.frames] == list(range(FIRST, FIRST + 4 * WORD, FRAME))


ORDERS = st.lists(
    st.tuples(st.integers(3, 300), st.sampled_from(["say", "more", "end", "yield", "resume", "cancel"])), max_size=14
)


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(ORDERS)
def test_a_call_without_audio_tells_the_same_story_as_one_with_it(script: list[tuple[int, str]]) -> None:
    """Same extents in the same order, at the same samples up to a frame, with the same words.

    Frames go on for one after the last sound, so an utterance that is closed only later ends up to two frames later.
    """
    steps: list[Step] = []
    at_ms, number, is_open = 0, 0, False
    for gap, what in script:
        at_ms += gap * 10
        if what == "say" or not number:
            if is_open:
                steps.append(say(at_ms / 1000, number, ""))
            number, is_open = number + 1, True
            steps.append(say(at_ms / 1000, number, "one two three,", last=False))
        elif what == "more" and is_open:
            steps.append(say(at_ms / 1000, number, "four five", last=False))
        elif what == "end" and is_open:
            is_open = False
            steps.append(say(at_ms / 1000, number, ""))
        elif what in ("yield", "resume", "cancel"):
            kind = {"yield": do.Yield, "resume": do.Resume, "cancel": do.Cancel}[what]
            steps.append(at(at_ms / 1000, kind(number)))
            is_open = is_open and what != "cancel"
    stories = [played(*steps, audible=audible, until_s=at_ms / 1000 + 15) for audible in (True, False)]
    assert len({len(story.events) for story in stories}) == 1, [story.events for story in stories]
    for one, two in zip(*(story.events for story in stories), strict=True):
        assert type(one) is type(two)
        slack = 2 * FRAME if isinstance(one, ev.UtteranceEnded) else FRAME
        assert abs(getattr(one, "sample", 0) - getattr(two, "sample", 0)) <= slack, (one, two)
        assert abs(getattr(one, "n_samples", 0) - getattr(two, "n_samples", 0)) <= FRAME, (one, two)
        if isinstance(one, ev.UtteranceHeard) and isinstance(two, ev.UtteranceHeard):
            assert (one.utterance, one.complete) == (two.utterance, two.complete)
