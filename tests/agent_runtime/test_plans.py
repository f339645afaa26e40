"""What the agent has under way: numbers, what is current, what is left to say."""

from __future__ import annotations

from agent_runtime.floor import AgentSpeech
from agent_runtime.plans import Generation, Plans, ToolCall
from policies.filler import MS_PER_CHARACTER
from policies.trajectory import Trajectory


def test_numbers_grow_by_one_for_each_kind() -> None:
    plans = Plans()
    assert [plans.number("generation"), plans.number("generation"), plans.number("call")] == [1, 2, 1]
    assert plans.utterance("answer").number == 1
    assert plans.utterance("filler").number == 2


def test_something_is_under_way_until_all_of_it_has_ended() -> None:
    plans = Plans()
    busy = [plans.any]
    plans.generation = Generation(1, Trajectory(), False)
    busy.append(plans.any)
    plans.generation, plans.call = None, ToolCall(1, "find_slots", 0)
    busy.append(plans.any)
    plans.call = None
    utterance = plans.utterance("answer")
    busy.append(plans.any)
    utterance.cancelled = True
    busy.append(plans.any)
    assert busy == [False, True, True, True, False]
    settling = [plans.settling]
    assert list(plans.speaking) == []
    plans.utterances.clear()
    settling.append(plans.settling)
    assert settling == [True, False], "what was heard of it is told with its end"


def test_only_the_generation_in_progress_is_current() -> None:
    plans = Plans()
    assert plans.current(1) is None
    plans.generation = Generation(2, Trajectory(), True)
    assert plans.current(1) is None
    assert plans.current(2) is plans.generation


def test_what_is_left_to_say_is_estimated_from_the_text() -> None:
    plans = Plans()
    assert plans.speech(0) == AgentSpeech(0, False)
    first = plans.utterance("answer")
    first.text = "x" * 20
    assert plans.speech(0) == AgentSpeech(None, False), "still being written"
    first.closed = True
    assert plans.speech(5_000_000) == AgentSpeech(20 * MS_PER_CHARACTER, False), "it has not begun to sound"
    first.started, first.started_us = True, 1_000_000
    second = plans.utterance("answer")
    second.closed, second.text = True, "ok?"
    assert plans.speech(2_000_000) == AgentSpeech(20 * MS_PER_CHARACTER - 1000 + 3 * MS_PER_CHARACTER, True)
    assert plans.speech(60_000_000).left_ms == 3 * MS_PER_CHARACTER, "never less than nothing"
    second.cancelled = True
    assert not plans.speech(60_000_000).asks


def test_more_is_to_come_while_a_reply_or_a_result_is_awaited() -> None:
    plans = Plans()
    plans.generation = Generation(1, Trajectory(), False)
    assert plans.speech(0) == AgentSpeech(None, False), "even if nothing was said yet"
    plans.generation = None
    plans.call = ToolCall(1, "find_slots", 0)
    assert plans.speech(0) == AgentSpeech(None, False)


def test_a_filler_that_is_playing_is_taken_once() -> None:
    plans = Plans()
    assert plans.take_filler() == ""
    answer, filler = plans.utterance("answer"), plans.utterance("filler")
    answer.text, filler.text = "ten thirty.", "let me look."
    assert plans.take_filler() == "", "nobody has heard it yet"
    filler.started = True
    assert plans.take_filler() == "let me look."
    assert plans.take_filler() == ""
    cancelled = plans.utterance("filler")
    cancelled.text, cancelled.cancelled, cancelled.started = "one moment.", True, True
    assert plans.take_filler() == ""
