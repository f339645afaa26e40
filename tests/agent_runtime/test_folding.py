"""Calls in the background: results that come while the agent speaks, while it writes, and while the caller speaks."""

from __future__ import annotations

from typing import Any

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.commands import CallTool
from policies.brief import BriefLimits
from policies.shapes import NoteField, Parameter, ToolShape
from policies.speculation import ThinkingSettings
from tests.agent_runtime.scenes import FIND, Talk, talk

ASK = ToolShape("ask_doctor", (Parameter("about", "text"),), effect="read")
DAY = NoteField("day", "choice", ("monday", "tuesday", "wednesday"))
HEAD = (
    "<heard> what helps a knee<turn><think> none<expect> more<call> ask_doctor about knees<end><result> started"
    "<expect> more"
)
LATE = "<call> ask_doctor about knees<end><result> rest and ice"
ASKED = "(tool: in the background)"


def asking(**settings: Any) -> Talk:
    """The caller asks for what the doctor knows; the doctor is asked in the background at 2050 ms."""
    given = {"tools": (ASK, FIND), "background": {"ask_doctor"}, "usual_ms": {"ask_doctor": 4000}, **settings}
    scene = talk(**given)
    scene.turn("what helps a knee", 1000)
    scene.thinks(1)
    return scene


def speaking(**settings: Any) -> Talk:
    """The doctor was asked, and the agent has begun to say two clauses at 2300 ms; a third is being written."""
    scene = asking(**settings)
    scene.wants(1, "ask_doctor", about="knees")
    scene.tell(ev.ExpectationFormed(2, "more"))
    scene.writes(2, "i am asking the doctor,", "and meanwhile i can look for a time.")
    scene.sounds(1, 2300)
    return scene


def test_a_tool_in_the_background_does_not_hold_the_turn() -> None:
    scene = asking()
    assert scene.wants(1, "ask_doctor", about="knees") == [
        ASKED,
        "call 1 ask_doctor about=knees",
        "generate 2 on a result without ask_doctor",
    ]
    assert scene.stream == HEAD.removesuffix("<expect> more")


def test_its_own_filler_is_said_at_once_and_stands_before_the_result() -> None:
    scene = asking(tool_fillers={"ask_doctor": ("i am asking our doctor.",)})
    assert scene.wants(1, "ask_doctor", about="knees")[2:] == [
        "(filler: ask_doctor takes long)",
        "no timer idle",
        "say 1 filler 'i am asking our doctor.' end",
        "generate 2 on a result without ask_doctor",
    ]
    scene.sounds(1, 2200)
    scene.ends(2, "silent")
    scene.played(1, "i am asking our doctor.", 3600)
    assert scene.stream.endswith(
        "<call> ask_doctor about knees<end><filler> i am asking our doctor.<end><result> started<silence>"
    )


def test_a_result_in_the_middle_of_an_answer_is_folded_into_its_unheard_rest() -> None:
    scene = speaking()
    assert scene.returns(1, "ask_doctor", "rest and ice", 3000) == [
        "(think: fold in: ask_doctor returned)",
        "CancelGeneration 2",
        "Trim 1",
    ]
    assert scene.stream == HEAD, "what was heard is not known yet"
    assert scene.writes(2, "and more.") == [], "the old rest is dropped"
    scene.tell(ev.UtteranceHeard(1, 3900, False, "i am asking the doctor,"), 3900)
    assert scene.tell(ev.UtteranceEnded(1, 3900 * 16, "played")) == [
        "(think: a tool returned)",
        "generate 3 on a result",
    ]
    assert scene.stream == f"{HEAD}<say> i am asking the doctor,<cut>{LATE}"
    assert scene.writes(3, "he says rest and ice.")[-1] == "say 2 answer 'he says rest and ice.'"


def test_in_the_last_clause_nothing_is_dropped_and_the_result_follows() -> None:
    scene = speaking()
    scene.ends(2)
    scene.returns(1, "ask_doctor", "rest and ice", 5000)
    whole = "i am asking the doctor, and meanwhile i can look for a time."
    assert scene.played(1, whole, 6000)[-1] == "generate 3 on a result"
    assert scene.stream == f"{HEAD}<say> {whole}<end>{LATE}"


def test_after_a_question_the_caller_may_answer_first() -> None:
    scene = speaking()
    scene.returns(1, "ask_doctor", "rest and ice", 3000)
    assert scene.played(1, "shall i look for a time?", 3900) == ["timer settle 500"]
    assert scene.rings("settle", 4400) == ["(think: a tool returned)", "generate 3 on a result"]


def test_a_caller_who_answers_first_is_answered_with_the_result() -> None:
    scene = speaking()
    scene.returns(1, "ask_doctor", "rest and ice", 3000)
    scene.played(1, "shall i look for a time?", 3900)
    assert scene.turn("yes please", 4000)[-1] == "generate 3"
    assert scene.stream == f"{HEAD}<say> shall i look for a time?<end>{LATE}<heard> yes please<turn>"
    assert scene.rings("settle", 5300) == [], "not told twice"


def test_a_result_after_a_barge_in_is_kept_and_the_tool_not_run_again() -> None:
    scene = speaking()
    scene.begins(2800)
    scene.hushes(1, "i am asking", 2850)
    scene.utters("and my back", 3100)
    scene.played(1, "i am asking", 3120, "cancelled")
    assert scene.returns(1, "ask_doctor", "rest and ice", 3300) == [
        "(wait: the caller has the floor; the result is kept)"
    ]
    scene.pauses(3700, spoke_until_ms=3500)
    assert scene.said("and my back", 3720)[-1] == "generate 3"
    assert scene.stream == f"{HEAD}<say> i am asking<cut>{LATE}<heard> and my back<turn>"
    assert [order.call for order in scene.orders if isinstance(order, CallTool)] == [1]


def test_a_call_that_runs_already_is_not_started_again() -> None:
    scene = speaking()
    scene.ends(2)
    scene.played(1, "i am asking the doctor, and meanwhile i can look for a time.", 6000)
    scene.turn("and what of my knee", 6500)
    assert scene.wants(3, "ask_doctor", about="knees") == [
        "(wait: ask_doctor is at it already)",
        "generate 4 on a result without ask_doctor",
    ]
    scene.ends(4, "silent")
    assert scene.returns(1, "ask_doctor", "rest and ice", 8000) == [], "a filler covers the wait"
    assert scene.played(2, "let me look.", 8500)[-1] == "generate 5 on a result"


def test_a_turn_that_is_given_back_loses_no_result() -> None:
    scene = asking()
    scene.wants(1, "ask_doctor", about="knees")
    scene.begins(2200)
    assert "CancelTool 1" not in scene.utters("that is swollen", 2600), "what was asked stays asked"
    scene.returns(1, "ask_doctor", "rest and ice", 2700)
    scene.pauses(3100, spoke_until_ms=2900)
    scene.said("that is swollen", 3150)
    assert scene.stream == f"{LATE}<heard> what helps a knee<heard> that is swollen<turn>"


def test_what_stood_behind_a_turn_that_is_given_back_is_news_again() -> None:
    scene = asking(usual_ms={})
    scene.wants(1, "ask_doctor", about="knees")
    scene.ends(2, "silent")
    scene.returns(1, "ask_doctor", "rest and ice", 2100)
    assert scene.rings("settle", 2600)[-1] == "generate 3 on a result"
    scene.begins(2700)
    scene.utters("that is swollen", 3000)
    scene.pauses(3400, spoke_until_ms=3200)
    scene.said("that is swollen", 3450)
    assert scene.stream == f"{LATE}<heard> what helps a knee<heard> that is swollen<turn>"


def test_a_result_before_the_first_clause_has_the_answer_written_again() -> None:
    scene = asking()
    scene.wants(1, "ask_doctor", about="knees")
    scene.tell(ev.ExpectationFormed(2, "more"))
    assert scene.returns(1, "ask_doctor", "rest and ice", 2100) == [], "it may be calling something"
    assert scene.writes(2, "i am asking the doctor,") == [
        "(think: write again: ask_doctor returned)",
        "CancelGeneration 2",
        "(think: a tool returned)",
        "generate 3 on a result",
    ]
    assert scene.stream == f"{HEAD}{LATE}"


def test_a_first_clause_under_the_callers_speech_is_not_written_again_yet() -> None:
    scene = asking()
    scene.wants(1, "ask_doctor", about="knees")
    scene.returns(1, "ask_doctor", "rest and ice", 2100)
    scene.begins(2200)
    assert "CancelGeneration 2" not in scene.writes(2, "i am asking the doctor,")
    scene.utters("mm hm", 2400)
    assert scene.pauses(2700, spoke_until_ms=2500)[-1] == "Trim 1"


def test_a_result_during_another_tools_wait_is_told_with_that_tools() -> None:
    scene = asking()
    scene.wants(1, "ask_doctor", about="knees")
    scene.wants(2, "find_slots", day="monday")
    assert scene.returns(1, "ask_doctor", "rest and ice", 2300) == []
    assert scene.returns(2, "find_slots", "ten", 2500)[-1] == "generate 3 on a result"
    assert scene.stream.endswith(f"<call> find_slots day monday<end><result> ten{LATE}")


def test_a_result_over_a_hum_is_folded_in_once_the_agent_goes_on() -> None:
    scene = speaking()
    scene.begins(2800)
    scene.hushes(1, "i am asking", 2850)
    scene.returns(1, "ask_doctor", "rest and ice", 2900)
    scene.utters("mm hm", 3000)
    assert scene.pauses(3300, spoke_until_ms=3100)[-4:] == [
        "Resume 1",
        "(think: fold in: ask_doctor returned)",
        "CancelGeneration 2",
        "Trim 1",
    ]


def test_a_result_while_nothing_is_said_is_told_after_a_moment() -> None:
    scene = speaking()
    scene.ends(2)
    scene.played(1, "i am asking the doctor, and meanwhile i can look for a time.", 6000)
    assert scene.returns(1, "ask_doctor", "rest and ice", 7000) == [
        "(wait: nobody speaks; the result is kept for a moment)",
        "timer settle 500",
    ]
    assert scene.rings("settle", 7500)[-1] == "generate 3 on a result"


def test_a_long_wait_is_covered_after_a_silence_and_the_filler_stands_as_what_was_said() -> None:
    scene = speaking()
    scene.ends(2)
    assert scene.played(1, "i am asking the doctor, and meanwhile i can look for a time.", 6000)[-1] == (
        "timer filler 500"
    )
    assert scene.rings("filler", 11000)[-1] == "say 2 filler 'let me look.' end"
    scene.sounds(2, 11100)
    assert scene.returns(1, "ask_doctor", "rest and ice", 11200) == [], "it is said to its end"
    assert scene.played(2, "let me look.", 12000)[-1] == "generate 3 on a result"
    assert scene.stream.endswith(f"<say> let me look.<end>{LATE}")


def test_a_silent_model_leaves_the_wait_to_a_filler() -> None:
    scene = asking()
    scene.wants(1, "ask_doctor", about="knees")
    assert scene.ends(2, "silent")[-1] == "say 1 filler 'let me look.' end"


def test_a_failure_is_told_in_words_once_the_agent_has_finished() -> None:
    scene = speaking()
    scene.ends(2)
    assert scene.fails(1, "ask_doctor", 3000, "timed_out") == [], "no reason to interrupt ourselves"
    lines = scene.played(1, "i am asking the doctor, and meanwhile i can look for a time.", 6000)
    assert lines[0] == "(speak: say that the tool failed)"
    assert lines[2].startswith("say 2 answer 'sorry, i cannot look that up")
    assert scene.stream.endswith("<call> ask_doctor about knees<end><result> failed")


def test_with_thinking_while_speaking_off_the_answer_is_said_to_its_end() -> None:
    scene = speaking(thinking=ThinkingSettings(speak=False))
    scene.ends(2)
    assert scene.returns(1, "ask_doctor", "rest and ice", 3000) == []
    assert scene.played(1, "i am asking the doctor, and meanwhile i can look for a time.", 6000)[-1] == (
        "generate 3 on a result"
    )


def test_a_goodbye_is_never_cut() -> None:
    scene = speaking()
    scene.ends(2, "said_goodbye")
    assert scene.returns(1, "ask_doctor", "rest and ice", 3000) == []
    assert scene.played(1, "i am asking the doctor,", 4000)[-1] == "HangUp agent_hung_up"


# --- the brief ---------------------------------------------------------------------------------------------------


def test_the_brief_stands_in_the_order_and_nothing_of_the_callers_sentence_in_it() -> None:
    scene = talk(tools=(ASK, FIND), background={"ask_doctor"}, briefs={"ask_doctor": BriefLimits(20)}, notes=(DAY,))
    scene.turn("my left knee hurts on monday", 1000)
    scene.thinks(1, "monday")
    scene.wants(1, "ask_doctor", about="my left knee hurts and swells")
    (order,) = (order for order in scene.orders if isinstance(order, do.CallTool))
    assert order.brief == {
        "task": "... and swells",
        "facts": [["day", "monday"]],
        "limits": {"most_words": 20, "never": []},
    }


def test_a_tool_that_takes_no_brief_gets_none() -> None:
    scene = talk(briefs={"find_slots": BriefLimits()})
    scene.turn("what is free", 1000)
    scene.wants(1, "find_slots", day="monday")
    scene.returns(1, "find_slots", "none", 2100)
    scene.turn("put me down as miller", 3000)
    scene.wants(3, "jot", name="miller")
    assert [(order.tool, order.brief.get("task", "")) for order in scene.orders if isinstance(order, CallTool)] == [
        ("find_slots", "day monday"),
        ("jot", ""),
    ]


# --- words that took no floor ------------------------------------------------------------------------------------


def noted(note: str = "wednesday", **settings: Any) -> Talk:
    """The agent noted a day and says something about it in two clauses, from 2300 ms on."""
    scene = talk(notes=(DAY,), **settings)
    scene.turn("what is free on wednesday", 1000)
    scene.thinks(1, note)
    scene.writes(1, "on wednesday i have ten thirty,", "and i also have two in the afternoon.")
    scene.ends(1)
    scene.sounds(1, 2300)
    return scene


def hummed(scene: Talk, text: str) -> list[str]:
    """A short sound like a hum over the agent, whose words come late."""
    scene.begins(2800, no_floor=0.9)
    scene.pauses(3100, spoke_until_ms=3000)
    return scene.said(text, 3200)


def test_a_correction_that_took_no_floor_is_folded_in() -> None:
    scene = noted()
    assert hummed(scene, "tuesday") == [
        "(wait: the caller said tuesday over us)",
        "(think: fold in: tuesday was said)",
        "Trim 1",
    ]
    scene.tell(ev.UtteranceHeard(1, 3900, False, "on wednesday i have ten thirty,"), 3900)
    assert scene.tell(ev.UtteranceEnded(1, 3900 * 16, "played"))[-1] == "generate 2"
    assert scene.stream.endswith("<say> on wednesday i have ten thirty,<cut><heard> tuesday<turn>")


def test_a_hum_and_a_value_that_is_noted_change_nothing() -> None:
    assert hummed(noted(), "mm hm") == []
    assert hummed(noted(), "wednesday") == []
    assert hummed(noted(thinking=ThinkingSettings(speak=False)), "tuesday") == []


def test_a_value_that_was_open_is_news() -> None:
    assert hummed(noted("-"), "tuesday")[-1] == "Trim 1"
