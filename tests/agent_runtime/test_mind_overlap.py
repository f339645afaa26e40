"""Both speak: yield, cancel, resume, a turn given back, and results that wait; as scripts with exact orders."""

from __future__ import annotations

from typing import Any

from agent_runtime import events as ev
from agent_runtime.floor import FloorSettings
from tests.agent_runtime.scenes import PLAIN_FLOOR, QUIET, Talk, answering, talk

LONG_HUMS = FloorSettings(endpointing=PLAIN_FLOOR.endpointing)
"""What sounds like a hum is held for as long as the shipped settings say: 800 ms."""

# --- the caller speaks while the agent answers -------------------------------------------------------------------


def test_the_agent_falls_silent_at_once_and_gives_way_to_content() -> None:
    scene = answering()
    assert scene.begins(2800) == [*QUIET, "(yield: speech onset)", "Yield 1 pause", "timer overlap 1200"]
    scene.hushes(1, "we are open", 2850)
    assert scene.utters("", 3050, tail="on") == [
        "no timer overlap",
        "no timer filler",
        "(yield: content words)",
        "Cancel 1",
        "prefill",
    ], "it did not sound like a hum"
    assert scene.utters("on sunday", 3300) == ["prefill"]
    assert scene.played(1, "we are open", 3320, "cancelled") == ["prefill"]
    assert scene.stream.endswith("<say> we are open<cut>")
    scene.pauses(3700, spoke_until_ms=3500)
    assert scene.said("on sunday too", 3720)[-1] == "generate 2"
    assert scene.stream.endswith("<say> we are open<cut><heard> on sunday too<turn>")


def test_a_backchannel_lets_the_agent_go_on_where_it_stopped() -> None:
    scene = answering()
    scene.begins(2800)
    scene.hushes(1, "we are open", 2850)
    assert scene.utters("mm hm", 3050) == ["timer overlap 950"]
    assert scene.pauses(3300, spoke_until_ms=3100) == ["no timer overlap", "(resume: backchannel)", "Resume 1"]
    assert scene.tell(ev.UtteranceResumed(1, 3310 * 16), 3310) == []
    assert scene.said("mm hm", 3350) == []
    assert scene.played(1, "we are open from nine to five every day.", 5400) == ["timer idle 8000", "prefill"]
    assert scene.stream.endswith("<say> we are open from nine to five every day.<end>"), "once, and nothing of the hum"


def test_two_backchannels_do_not_add_up_to_a_turn() -> None:
    scene = answering()
    for begin_ms in (2500, 3500):
        scene.begins(begin_ms)
        scene.utters("mm hm", begin_ms + 300)
        scene.pauses(begin_ms + 700, spoke_until_ms=begin_ms + 500)
        scene.said("mm hm", begin_ms + 750)
    assert scene.played(1, "we are open from nine to five every day.", 6000) == ["timer idle 8000", "prefill"]


def test_noise_during_the_answer_is_waited_out_and_the_agent_goes_on() -> None:
    scene = answering()
    scene.begins(2800)
    assert scene.pauses(3100, spoke_until_ms=2900) == ["timer overlap 200"]
    assert scene.rings("overlap", 3300) == ["no timer overlap", "(resume: nothing said)", "Resume 1"]


def test_long_speech_without_words_takes_the_floor() -> None:
    scene = answering()
    scene.begins(2800)
    assert scene.rings("overlap", 4000) == ["no timer overlap", "no timer filler", "(yield: long overlap)", "Cancel 1"]


def test_words_behind_what_sounds_like_a_hum_cut_nobody_off_before_they_last() -> None:
    scene = answering()
    scene.begins(2800, no_floor=0.4)
    assert scene.utters("", 3050, tail="no") == ["timer overlap 950"]
    assert "Cancel 1" in scene.utters("no", 3200)


def test_what_sounds_like_a_backchannel_may_go_on_for_a_moment_without_silencing_the_agent() -> None:
    scene = answering()
    assert scene.begins(2800, no_floor=0.9) == [*QUIET, "timer overlap 300"]
    assert scene.rings("overlap", 3100)[-2:] == ["Yield 1 pause", "timer overlap 900"]


def test_a_barge_in_right_behind_a_hum_silences_the_agent_at_once() -> None:
    scene = answering(floor=LONG_HUMS)
    assert scene.begins(2800, no_floor=0.9) == [*QUIET, "timer overlap 800"]
    assert scene.pauses(3408, spoke_until_ms=3280) == ["timer overlap 272"], "a long hum: words may still come"
    assert scene.begins(3450) == [*QUIET, "(yield: speech onset)", "Yield 1 pause", "timer overlap 1200"]
    assert scene.said("mm hm", 3460, segment=scene.segment - 1) == ["timer overlap 1190"], "no words of this sound"
    assert scene.utters("on wednesday", 3800)[-3:] == ["(yield: content words)", "Cancel 1", "prefill"]
    scene.played(1, "we are open", 3810, "cancelled")
    scene.pauses(4300, spoke_until_ms=4170)
    scene.said("on wednesday", 4310)
    assert scene.rings("endpoint", 4370)[-1] == "generate 2"


def test_a_hum_right_behind_a_hum_is_held_like_the_first() -> None:
    scene = answering(floor=LONG_HUMS)
    scene.begins(2800, no_floor=0.9)
    scene.pauses(3408, spoke_until_ms=3280)
    assert scene.begins(3450, no_floor=0.9) == [*QUIET, "timer overlap 800"]
    assert scene.pauses(3928, spoke_until_ms=3800) == ["no timer overlap"], "it was nothing"
    assert scene.said("can", 3940) == []
    assert scene.played(1, "we are open from nine to five every day.", 5400) == ["timer idle 8000", "prefill"]
    assert scene.stream.endswith("every day.<end>"), "nothing of either"


def test_speech_that_begins_again_while_the_agent_is_silent_is_one_attempt_at_the_floor() -> None:
    scene = answering()
    scene.begins(2800)
    scene.pauses(3300, spoke_until_ms=3172)
    assert scene.begins(3400)[-1] == "timer overlap 600", "long counts from 2800"
    assert scene.rings("overlap", 4000)[-1] == "Cancel 1"


def test_an_answer_that_comes_before_the_question_is_over_is_taken_as_the_answer() -> None:
    scene = talk()
    scene.turn("wednesday at ten thirty for miller", 1000)
    scene.writes(1, "is that right?")
    scene.ends(1)
    scene.sounds(1, 2300)
    assert scene.begins(3000) == [*QUIET, "timer overlap 1200"], "nearly done: finish the question"
    scene.utters("yes", 3200)
    scene.played(1, "is that right?", 3250)
    scene.pauses(3500, spoke_until_ms=3300)
    assert scene.said("yes", 3520)[-1] == "generate 2"


def test_a_turn_taken_too_early_is_given_back() -> None:
    scene = talk()
    scene.turn("i need an appointment", 1000)
    scene.thinks(1)
    assert scene.begins(2200) == [*QUIET, "(yield: speech onset)", "timer overlap 1200"]
    assert scene.utters("on wednesday", 2600) == [
        "no timer overlap",
        "no timer filler",
        "(wait: content words)",
        "CancelGeneration 1",
        "prefill",
    ]
    assert scene.stream == "", "thoughts dropped, the floor is the caller's"
    scene.pauses(2900, spoke_until_ms=2700)
    assert scene.said("on wednesday", 2950)[-1] == "generate 2"
    assert scene.stream == "<heard> i need an appointment<heard> on wednesday<turn>"


def test_a_look_up_begun_too_early_is_given_up() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.begins(2200)
    assert scene.utters("no thursday", 2600)[-3:] == ["no timer filler", "(wait: stop word)", "prefill"]
    assert scene.returns(1, "find_slots", "none", 2700) == [], "its result belongs to nothing any more"


def test_a_write_that_was_made_is_never_taken_back() -> None:
    scene = talk()
    scene.turn("put me down as miller", 1000)
    scene.wants(1, "jot", name="miller")
    scene.returns(1, "jot", "ok", 2100)
    scene.begins(2200)
    assert scene.utters("and also", 2600)[-3:] == [
        "(yield: content words)",
        "CancelGeneration 2",
        "prefill",
    ]
    assert scene.stream == "<heard> put me down as miller<turn><call> jot name miller<end><result> ok"


def test_what_is_written_after_the_agent_fell_silent_waits_with_the_rest() -> None:
    scene = talk()
    scene.turn("i need an appointment", 1000)
    scene.begins(2200)
    assert scene.writes(1, "which day,", "please?") == [
        "(speak: answer, expecting anything)",
        "say 1 answer 'which day,'",
        "Yield 1 pause",
        "say 1 answer 'please?'",
    ]
    scene.ends(1)
    scene.utters("mm hm", 2400)
    assert scene.pauses(2700, spoke_until_ms=2500)[-1] == "Resume 1"


def test_a_result_that_comes_while_the_caller_speaks_is_kept() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.sounds(1, 2100)
    scene.begins(2500)
    scene.hushes(1, "let me", 2550)
    assert scene.returns(1, "find_slots", "ten thirty", 2800) == [
        "no timer filler",
        "(wait: the caller has the floor; the result is kept)",
    ]
    scene.utters("mm hm", 2900)
    assert scene.pauses(3100, spoke_until_ms=2900) == [
        "no timer overlap",
        "(resume: backchannel)",
        "Resume 1",
        "(think: a tool returned)",
        "generate 2 on a result",
    ]


def test_a_result_is_answered_together_with_what_the_caller_said_meanwhile() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.sounds(1, 2100)
    scene.begins(2500)
    scene.hushes(1, "let me", 2550)
    scene.utters("no thursday", 2900)
    scene.played(1, "let me", 2950, "cancelled")
    scene.pauses(3300, spoke_until_ms=3100)
    assert scene.said("no thursday", 3350) == [], "the tool is still running"
    assert scene.returns(1, "find_slots", "ten thirty", 3500) == [
        "no timer filler",
        "(wait: the caller has the floor; the result is kept)",
        "no timer endpoint",
        "(think: turn over: complete)",
        "generate 2",
    ]
    assert scene.stream.endswith("<filler> let me<end><result> ten thirty<heard> no thursday<turn>")


def test_a_failure_that_comes_while_the_caller_speaks_is_told_later() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.begins(2500)
    assert scene.fails(1, "find_slots", 2600)[-1] == "(wait: the caller has the floor; the result is kept)"
    scene.utters("mm hm", 2700)
    assert scene.pauses(3000, spoke_until_ms=2800)[-1].startswith("say 1 answer 'sorry, i cannot")


def test_a_final_text_decides_an_overlap_that_partials_left_open() -> None:
    scene = answering()
    scene.begins(2800)
    assert scene.pauses(3000, spoke_until_ms=2900) == ["timer overlap 300"]
    assert scene.said("yeah ok", 3100) == ["no timer overlap", "(resume: backchannel)", "Resume 1"]


def test_a_result_kept_for_a_caller_who_said_nothing_is_answered_after_all() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.sounds(1, 2100)
    scene.begins(2500)
    scene.rings("overlap", 3700)
    scene.played(1, "let me", 3750, "cancelled")
    scene.returns(1, "find_slots", "ten thirty", 3800)
    assert scene.pauses(4200, spoke_until_ms=4000) == ["timer endpoint 400"], "words may still come"
    assert scene.said("", 4300) == ["(think: a tool returned)", "generate 2 on a result"]


def test_a_result_waits_for_words_that_were_said_before_the_last_hum() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.sounds(1, 2100)
    scene.begins(2400)
    scene.utters("or thursday", 2700)
    scene.played(1, "let me", 2720, "cancelled")
    scene.pauses(3000, spoke_until_ms=2800)
    scene.said("or thursday", 3050)
    scene.begins(3100)
    scene.returns(1, "find_slots", "ten thirty", 3200)
    scene.utters("mm hm", 3300)
    assert scene.pauses(3600, spoke_until_ms=3400)[-2:] == ["(think: turn over: complete)", "generate 2"]
    assert scene.stream.endswith("<result> ten thirty<heard> or thursday<turn>")


READ_BACK = "so that is tuesday at two for miller, is that right?"


def reading_back(**settings: Any) -> Talk:
    """The agent has begun to read a booking back, at 2300 ms."""
    scene = talk(**settings)
    scene.turn("tuesday at two for miller", 1000)
    scene.thinks(1)
    scene.writes(1, READ_BACK)
    scene.ends(1)
    scene.sounds(1, 2300)
    return scene


# --- what was let by and was a wish ------------------------------------------------------------------------------


def test_a_wish_that_read_as_a_backchannel_at_first_is_answered_when_the_agent_is_done() -> None:
    scene = answering()
    scene.begins(2800)
    scene.hushes(1, "we are open", 2850)
    scene.utters("yes", 3050)
    assert scene.pauses(3300, spoke_until_ms=3100)[-1] == "Resume 1"
    assert scene.said("yes but on sunday", 3350) == []
    assert scene.played(1, "we are open from nine to five every day.", 5400)[-1] == "generate 2"
    assert scene.stream.endswith("every day.<end><heard> yes but on sunday<turn>")


def test_a_yes_behind_a_wish_that_read_as_a_backchannel_agrees_to_nothing() -> None:
    scene = reading_back()
    scene.begins(2800)
    scene.hushes(1, "so that is", 2850)
    scene.utters("yes", 3050)
    scene.pauses(3300, spoke_until_ms=3100)
    scene.played(1, READ_BACK, 5400)
    scene.begins(5410)
    scene.said("please write down adams", 5420, segment=2)
    scene.utters("yes", 5700)
    scene.pauses(6000, spoke_until_ms=5800)
    assert scene.said("yes", 6050)[-1] == "generate 2"
    assert scene.stream.endswith("is that right?<end><heard> please write down adams<heard> yes<turn>")
    wanted = scene.wants(2, "book", day="tuesday", time="two", name="miller")
    assert wanted[0] == "(wait: book held back: nothing asked)"


def test_a_write_does_not_run_on_words_that_take_the_floor() -> None:
    scene = talk()
    scene.turn("put me down as miller", 1000)
    scene.begins(2200)
    assert scene.wants(1, "jot", name="miller")[0] == "(wait: jot waits for the turn's final text)"
    scene.pauses(3700, spoke_until_ms=3500)
    lines = scene.said("", 3750)
    assert "(wait: long overlap)" in lines
    assert not any(line.startswith("call") for line in lines)


def test_a_yes_after_could_you_say_that_again_agrees_to_what_was_read_back_before_it() -> None:
    scene = reading_back()
    scene.played(1, READ_BACK, 5000)
    scene.begins(5500)
    scene.pauses(6900, spoke_until_ms=6700)
    assert "say 2 answer 'sorry, could you say that again?' end" in scene.said("", 6950)
    scene.sounds(2, 8600)
    scene.played(2, "sorry, could you say that again?", 10_000)
    scene.turn("yes", 10_500)
    assert scene.wants(2, "book", day="tuesday", time="two", name="miller")[0] == "(tool: confirmed)"


def test_long_speech_that_nobody_understood_takes_back_the_yes_before_it() -> None:
    scene = reading_back(usual_ms={"find_slots": 1500})
    scene.played(1, READ_BACK, 5000)
    scene.turn("yes", 5500)
    scene.wants(2, "find_slots", day="tuesday")
    scene.sounds(2, 6600)
    scene.begins(6700)
    scene.hushes(2, "let me", 6750)
    assert "(yield: long overlap)" in scene.rings("overlap", 7900)
    scene.played(2, "let me", 7920, "cancelled")
    scene.pauses(8000)
    scene.returns(1, "find_slots", "two", 8050)
    assert scene.said("", 8100)[-1] == "generate 3 on a result"
    wanted = scene.wants(3, "book", day="tuesday", time="two", name="miller")
    assert wanted[0] == "(wait: book held back: nothing asked)", wanted
    scene.writes(4, READ_BACK)
    scene.ends(4)
    scene.sounds(3, 8500)
    scene.played(3, READ_BACK, 11_000)
    scene.turn("yes", 11_500)
    wanted = scene.wants(5, "book", day="tuesday", time="two", name="miller")
    assert wanted[0] == "(tool: confirmed)", "what is read back after the doubt can be agreed to"
