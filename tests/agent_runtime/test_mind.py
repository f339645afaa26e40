"""What the mind orders, behaviour by behaviour, as scripts: who does what at which millisecond, and what follows."""

from __future__ import annotations

from typing import Any

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from tests.agent_runtime.scenes import FIND, QUIET, Talk, answering, talk

# --- the beginning -----------------------------------------------------------------------------------------------


def test_the_card_is_read_while_it_rings_and_the_greeting_said_when_answered() -> None:
    scene = Talk(greeting="good morning.")
    ringing = scene.tell(ev.CallStarted("c", "inbound", "s", "desk", "2026-11-23", 1, "", "x"), 0)
    assert ringing == ["(think: read the card while it rings)", "prefill"]
    assert scene.tell(ev.CallAnswered(0), 900) == [
        "timer limit 1800000",
        "(speak: greet)",
        "no timer idle",
        "say 1 greeting 'good morning.' end",
    ]
    assert scene.sounds(1, 980) == []
    assert scene.played(1, "good morning.", 2000) == ["timer idle 8000", "prefill"]
    assert scene.stream == "<say> good morning.<end>"


def test_without_a_greeting_the_other_side_speaks_first() -> None:
    scene = Talk()
    assert scene.starts() == ["timer limit 1800000", "(wait: the other side speaks first)", "timer idle 8000"]


# --- hearing a turn out ------------------------------------------------------------------------------------------


def test_a_turn_is_read_as_it_comes_and_committed_when_it_is_complete() -> None:
    scene = talk()
    assert scene.begins(1000) == QUIET
    assert scene.utters("i would like to", 1600) == ["prefill"]
    assert scene.utters("i would like to", 1640) == []
    assert scene.utters("i would like to come wednesday", 2000) == ["prefill"]
    assert scene.pauses(2200, spoke_until_ms=2000) == ["score turn 0", "prefill", "timer endpoint 100"]
    assert scene.said("i would like to come on wednesday", 2240) == [
        "score turn 4",
        "prefill",
        "no timer endpoint",
        "(think: turn over: complete)",
        "generate 1",
    ]
    assert scene.stream == "<heard> i would like to come on wednesday<turn>"


def test_the_timer_commits_a_turn_whose_final_text_is_late() -> None:
    scene = talk()
    scene.begins(1000)
    scene.utters("on wednesday", 1500)
    assert scene.pauses(1700, spoke_until_ms=1500)[-1] == "timer endpoint 100"
    assert scene.rings("endpoint", 1800) == ["no timer endpoint", "(think: turn over: unsettled)", "generate 1"]
    assert scene.said("on wednesday please", 1900) == [], "too late: these words are being answered"


def test_an_unfinished_sentence_is_given_more_than_a_second() -> None:
    scene = talk()
    scene.begins(1000)
    scene.utters("i need an appointment on", 2000)
    scene.pauses(2200, spoke_until_ms=2000)
    assert scene.said("i need an appointment on", 2250)[-1] == "timer endpoint 750"
    assert scene.begins(2700) == QUIET, "a hesitation of 700 ms lies within the turn"
    assert scene.utters("wednesday", 3100) == ["prefill"]
    scene.pauses(3300, spoke_until_ms=3100)
    assert scene.said("wednesday", 3350)[-2:] == ["(think: turn over: complete)", "generate 1"]
    assert scene.stream == "<heard> i need an appointment on<heard> wednesday<turn>"


def test_the_models_score_may_end_a_turn_sooner_or_later() -> None:
    def on_score(p_over: float) -> list[str]:
        scene = talk()
        scene.begins(1000)
        scene.utters("four two", 1500)
        scene.pauses(1700, spoke_until_ms=1500)
        assert scene.said("four two", 1700)[-1] == "timer endpoint 800", "digits may go on"
        return scene.scored(p_over, 1710)

    assert on_score(0.97)[-1] == "generate 1"
    assert on_score(0.03) == ["timer endpoint 790"]


def test_a_segment_whose_words_are_not_known_yet_keeps_the_turn_open() -> None:
    scene = talk()
    scene.begins(1000)
    scene.utters("wednesday", 1400)
    scene.pauses(1600, spoke_until_ms=1400)
    scene.begins(1650)
    assert scene.pauses(2050, spoke_until_ms=1900)[-1] == "timer endpoint 150", "no words yet, so it is not settled"
    assert scene.said("wednesday", 2060, segment=1)[-1] == "timer endpoint 140"
    assert scene.said("no thursday", 2100)[-1] == "generate 1"
    assert scene.stream == "<heard> wednesday<heard> no thursday<turn>"


def test_words_that_come_after_their_sound_was_taken_for_noise_are_a_turn_after_all() -> None:
    scene = talk()
    scene.begins(1000)
    scene.pauses(1400, spoke_until_ms=1200)
    assert scene.rings("endpoint", 1800) == ["timer idle 7400"], "no words within 600 ms: a noise"
    assert scene.said("what are your opening hours", 2900)[-1] == "generate 1", "a slow recogniser"


def test_a_cough_is_no_turn_and_a_long_mumble_is_asked_for_once() -> None:
    scene = talk()
    scene.begins(1000)
    assert scene.pauses(1400, spoke_until_ms=1200) == ["timer endpoint 400"]
    assert scene.said("", 1450) == ["timer idle 7750"]
    scene.begins(2000)
    scene.pauses(3200, spoke_until_ms=3000)
    assert scene.said("", 3250) == [
        "(speak: ask again: unintelligible)",
        "no timer idle",
        "say 1 answer 'sorry, could you say that again?' end",
    ]
    scene.sounds(1, 3330)
    assert scene.played(1, "sorry, could you say that again?", 5300) == ["timer idle 8000", "prefill"], (
        "asked once, not for ever"
    )


def test_pressed_keys_make_a_turn_and_so_do_the_next_ones() -> None:
    scene = talk()
    assert scene.presses("4", 1000) == ["(wait: keys may follow)", "timer endpoint 1500"]
    assert scene.presses("2", 1400) == ["(wait: keys may follow)", "timer endpoint 1500"]
    assert scene.rings("endpoint", 2900)[-1] == "generate 1"
    assert scene.stream == "<heard> pressed 4 2<turn>"
    scene.writes(1, "and the next?")
    scene.ends(1)
    scene.sounds(1, 3200)
    scene.played(1, "and the next?", 4000)
    scene.presses("7", 5000)
    assert scene.rings("endpoint", 6500)[-1] == "generate 2"
    assert scene.stream.endswith("<heard> pressed 7<turn>")


# --- answering ---------------------------------------------------------------------------------------------------


def test_an_answer_is_said_clause_by_clause_and_stands_in_the_stream_as_heard() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.thinks(1, "other", "day")
    assert scene.writes(1, "ten thirty,", "or two.") == [
        "(speak: answer, expecting day)",
        "say 1 answer 'ten thirty,'",
        "say 1 answer 'or two.'",
    ]
    assert scene.ends(1) == ["say 1 answer '' end"]
    scene.sounds(1, 2300)
    assert "<say>" not in scene.stream, "nothing of it was heard yet"
    assert scene.played(1, "ten thirty, or two.", 3800) == ["timer idle 8000", "prefill"]
    assert scene.stream == (
        "<heard> what is free on wednesday<turn><think> other<expect> day<say> ten thirty, or two.<end>"
    )


def test_silence_is_a_decision() -> None:
    scene = talk()
    scene.turn("hang on please", 1000)
    scene.thinks(1)
    assert scene.ends(1, "silent") == ["(silence: the model has nothing to say yet)", "timer idle 59750"]
    assert scene.stream.endswith("<silence>")


@pytest.mark.parametrize("outcome", ["failed", "cut_short", "said"])
def test_a_reply_that_comes_to_nothing_is_apologised_for(outcome: str) -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    assert scene.ends(1, outcome) == [
        f"(speak: apologise: generation {outcome} without a usable reply)",
        "no timer idle",
        "say 1 answer 'sorry, could you say that again?' end",
    ]


def test_a_reply_that_breaks_off_is_closed_before_the_apology() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.writes(1, "i have")
    assert scene.ends(1, "failed") == [
        "say 1 answer '' end",
        "(speak: apologise: generation failed without a usable reply)",
        "no timer idle",
        "say 2 answer 'sorry, could you say that again?' end",
    ]


def test_a_reply_cut_short_after_some_clauses_is_said_as_far_as_it_goes() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.writes(1, "i have ten thirty")
    assert scene.ends(1, "cut_short") == ["say 1 answer '' end"]


def test_goodbye_is_said_to_its_end_and_then_the_agent_hangs_up() -> None:
    scene = talk()
    scene.turn("that is all thanks bye", 1000)
    scene.writes(1, "goodbye.")
    scene.ends(1, "said_goodbye")
    scene.sounds(1, 2300)
    assert scene.played(1, "goodbye.", 2800) == ["(hang_up: goodbye was said)", "HangUp agent_hung_up"]
    assert scene.stream.endswith("<say> goodbye.<bye>")
    assert scene.begins(2900) == [], "after HangUp nothing more"


def test_a_goodbye_that_cannot_be_voiced_ends_the_call_all_the_same() -> None:
    scene = talk()
    scene.turn("that is all thanks bye", 1000)
    scene.writes(1, "goodbye.")
    scene.ends(1, "said_goodbye")
    assert scene.played(1, "", 2300, "failed")[-1] == "HangUp agent_hung_up"


def test_a_goodbye_that_is_interrupted_does_not_end_the_call() -> None:
    scene = talk()
    scene.turn("that is all thanks bye", 1000)
    scene.writes(1, "goodbye and thank you for calling.")
    scene.ends(1, "said_goodbye")
    scene.sounds(1, 2300)
    scene.begins(2500)
    scene.hushes(1, "goodbye", 2550)
    assert scene.utters("no wait", 2800)[-2:] == ["Cancel 1", "prefill"]
    assert scene.played(1, "goodbye", 2820, "cancelled") == ["prefill"]
    assert scene.stream.endswith("<say> goodbye<cut>")


# --- nobody speaks, parts fail, the call ends --------------------------------------------------------------------


def test_a_silent_caller_is_asked_twice_and_then_left() -> None:
    scene = talk()
    assert scene.rings("idle", 8000) == [
        "(speak: silence, nothing was asked: ask whether the caller is there)",
        "no timer idle",
        "say 1 answer 'are you still there?' end",
    ]
    scene.sounds(1, 8100)
    assert scene.played(1, "are you still there?", 9500) == ["timer idle 8000", "prefill"]
    scene.rings("idle", 17_500)
    scene.sounds(2, 17_600)
    scene.played(2, "are you still there?", 19_000)
    assert scene.rings("idle", 27_000) == [
        "(speak: nobody answers)",
        "no timer idle",
        "say 3 answer 'i cannot hear you, so i will hang up now. goodbye.' end",
    ]
    scene.sounds(3, 27_100)
    assert scene.played(3, "i cannot hear you, so i will hang up now. goodbye.", 30_000)[-1] == "HangUp agent_hung_up"


def test_a_word_from_the_caller_starts_the_count_afresh() -> None:
    scene = talk()
    scene.rings("idle", 8000)
    scene.sounds(1, 8100)
    scene.played(1, "are you still there?", 9500)
    scene.turn("yes i am", 10_000)
    scene.ends(1, "silent")
    assert scene.rings("idle", 20_000)[-1] == "say 2 answer 'are you still there?' end"


def test_a_noise_on_the_line_is_no_sign_of_life() -> None:
    scene = talk()
    scene.rings("idle", 8000)
    scene.sounds(1, 8100)
    scene.played(1, "are you still there?", 9500)
    scene.begins(12_000)
    scene.pauses(12_400, spoke_until_ms=12_200)
    assert scene.said("", 12_450) == ["timer idle 7750"]
    scene.rings("idle", 20_200)
    scene.sounds(2, 20_300)
    scene.played(2, "are you still there?", 21_500)
    assert scene.rings("idle", 29_500)[0] == "(speak: nobody answers)"


def test_an_idle_timer_that_comes_too_late_is_ignored() -> None:
    scene = talk()
    scene.begins(7999)
    assert scene.rings("idle", 8000) == []


def test_the_time_limit_ends_the_call() -> None:
    scene = talk(time_limit_ms=60_000)
    assert scene.rings("limit", 60_000) == ["(hang_up: the call reached 60 s)", "HangUp time_limit"]


def test_a_caller_who_leaves_ends_the_call_whatever_is_under_way() -> None:
    scene = answering()
    assert scene.hangs_up(3000) == ["(hang_up: the caller left)", "HangUp caller_hung_up"]
    assert scene.played(1, "we are", 3010, "cancelled") == []


@pytest.mark.parametrize("part", ["door", "mind", "log"])
def test_a_call_without_its_door_mind_or_log_is_over(part: Any) -> None:
    scene = talk()
    assert scene.tell(ev.PartFailed(part, False, "OSError: gone"), 1000) == [
        f"(hang_up: {part} failed: OSError: gone)",
        "HangUp failed",
    ]


def test_parts_that_recover_do_not_end_the_call() -> None:
    scene = talk()
    assert scene.tell(ev.PartFailed("engine", True, "x"), 1000) == []
    assert scene.tell(ev.PartFailed("recogniser", False, "x"), 1001) == []


def test_a_voice_that_fails_in_the_middle_loses_no_later_clause() -> None:
    scene = talk()
    scene.turn("when are you open", 1000)
    scene.writes(1, "from nine")
    scene.played(1, "", 2200, "failed")
    assert scene.writes(1, "to five.") == ["(speak: answer, expecting anything)", "say 2 answer 'to five.'"]
    assert scene.ends(1) == ["say 2 answer '' end"]


# --- nothing overtakes -------------------------------------------------------------------------------------------


def test_what_belongs_to_nothing_any_more_has_no_effect() -> None:
    scene = talk()
    scene.turn("i need an appointment", 1000)
    scene.begins(2200)
    scene.utters("on wednesday", 2600)
    before = scene.mind.conversation.committed
    scene.thinks(1)
    assert scene.writes(1, "which day?") == []
    assert scene.wants(1, "find_slots", day="wednesday") == []
    assert scene.fails(7, "find_slots", 2700) == []
    assert scene.returns(7, "find_slots", "none", 2701) == []
    assert scene.sounds(9, 2702) == []
    assert scene.played(9, "x", 2703) == []
    assert scene.mind.conversation.committed is before


def test_a_cancelled_tool_leaves_no_trace() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    assert scene.fails(1, "find_slots", 2500, "cancelled") == []
    assert scene.stream.endswith("<end>")


def test_facts_nobody_decides_on_change_nothing() -> None:
    scene = talk()
    for event in (ev.PromptSynced("d", 1, 0, 1, 0), ev.AudioLost(0, 320, "x"), ev.LoopLagged(12.0)):
        assert scene.tell(event, 1000) == []
    assert scene.rings("unknown", 1001) == []


def test_a_decision_carries_its_scores() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    (decision,) = [o for o in scene.orders if isinstance(o, do.Decision) and o.reason == "turn over: complete"]
    assert dict(decision.scores) == {"words": 0.93, "joint": 0.93, "silence_ms": 250.0, "needed_ms": 200.0}
    assert FIND.effect == "read"
