"""What is prepared while the caller speaks: silent and harmless until the turn is over, then taken or dropped."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agent_runtime import commands as do
from agent_runtime import events as ev
from policies.speculation import ThinkingSettings
from tests.agent_runtime.scenes import BOOK, FIND, JOT, Talk, shown, talk

AHEAD = ThinkingSettings()
READ_BACK = "wednesday at ten thirty for miller. shall i book it?"


def scene(**changes: Any) -> Talk:
    return talk(thinking=replace(AHEAD, **changes))


def drafted(*, text: str = "please come on wednesday") -> Talk:
    """The caller says a whole wish at 2000 ms; a draft was ordered. The turn ends on its final text."""
    found = scene(predict=False)
    found.begins(1000)
    found.utters(text, 2000)
    return found


# --- a reply in draft ----------------------------------------------------------------------------------------------


def test_whole_words_are_answered_in_draft_while_the_caller_speaks() -> None:
    found = scene()
    found.begins(1000)
    assert found.utters("i would like to", 1600) == ["prefill"]
    assert found.utters("i would like to come on wednesday", 2000) == [
        "prefill",
        "(think: draft at 7 words)",
        "draft 1",
    ]
    assert found.orders[-1].trajectory.text().endswith("<heard> i would like to come on wednesday<turn>")  # type: ignore[attr-defined]
    assert found.stream == "", "nothing of it stands in the stream of the call"


def test_the_first_clause_is_synthesised_and_held_back() -> None:
    found = drafted()
    found.thinks(1)
    assert found.writes(1, "on wednesday,", "i have ten thirty.") == ["say 1 answer 'on wednesday,'", "Yield 1 pause"]
    assert found.mind.plans.any is False, "the agent owes nothing and says nothing"


def test_a_draft_is_taken_when_the_turn_ends_on_its_words() -> None:
    found = drafted()
    found.thinks(1)
    found.writes(1, "on wednesday,", "i have ten thirty.")
    found.ends(1)
    found.pauses(2200, spoke_until_ms=2000)
    assert found.said("please come on wednesday", 2250)[1:] == [
        "(think: turn over: complete)",
        "adopt 1",
        "(speak: answer, expecting more)",
        "Resume 1",
        "say 1 answer 'i have ten thirty.'",
        "say 1 answer '' end",
    ]
    assert found.stream == "<heard> please come on wednesday<turn><think> none<expect> more"
    found.sounds(1, 2280)
    found.played(1, "on wednesday, i have ten thirty.", 4000)
    assert found.stream.endswith("<say> on wednesday, i have ten thirty.<end>")


def test_a_draft_that_is_still_written_goes_on_as_the_answer() -> None:
    found = drafted()
    found.thinks(1)
    found.pauses(2200, spoke_until_ms=2000)
    assert "adopt 1" in found.said("please come on wednesday", 2250)
    assert found.writes(1, "ten thirty.") == ["(speak: answer, expecting more)", "say 1 answer 'ten thirty.'"]
    assert found.ends(1) == ["say 1 answer '' end"]


def test_other_words_drop_the_draft_and_its_audio() -> None:
    found = drafted()
    found.writes(1, "on wednesday,")
    assert found.utters("please come on wednesday or thursday", 2300) == [
        "prefill",
        "(think: draft 1 dropped: the words changed)",
        "CancelGeneration 1",
        "Cancel 1",
        "(think: draft at 6 words)",
        "draft 2",
    ]
    assert found.writes(1, "late words") == [], "what a dropped draft still writes is nothing"


def test_a_please_behind_the_words_leaves_the_draft_as_it_is() -> None:
    found = drafted(text="come on wednesday")
    found.writes(1, "on wednesday,")
    assert found.utters("come on wednesday please", 2300) == ["prefill"]
    found.pauses(2500, spoke_until_ms=2300)
    assert "adopt 1" in found.said("come on wednesday please", 2550)
    assert found.stream.startswith("<heard> come on wednesday please<turn>"), "the stream keeps what was heard"


def test_the_final_text_decides_whether_a_draft_still_holds() -> None:
    found = drafted()
    found.writes(1, "on wednesday,")
    found.pauses(2150, spoke_until_ms=2000)
    lines = found.said("please come on monday", 2250)
    assert lines.index("CancelGeneration 1") < lines.index("adopt 2")
    assert "Cancel 1" in lines


def test_without_drafts_nothing_is_written_before_the_turn_is_over() -> None:
    found = scene(draft=False, listen=False, predict=False)
    found.begins(1000)
    assert found.utters("come on wednesday", 2000) == ["prefill"]
    assert not [order for order in found.orders if isinstance(order, do.Generate)]


def test_nothing_is_read_ahead_where_that_is_off() -> None:
    found = scene(prefill=False, draft=False, listen=False, predict=False)
    found.begins(1000)
    assert found.utters("come on wednesday", 2000) == []
    assert not [order for order in found.orders if isinstance(order, do.Prefill)]


def test_what_the_agent_says_of_its_own_accord_drops_what_waits() -> None:
    found = drafted(text="wednesday")
    found.writes(1, "on wednesday,")
    found.pauses(2150, spoke_until_ms=2000)
    lines = found.said("", 2200) + found.rings("endpoint", 2700)
    assert "Cancel 1" in lines, "else it would wait in front of the next utterance for ever"


# --- tools before the turn is over ---------------------------------------------------------------------------------


def test_a_read_only_tool_runs_before_the_turn_is_over_and_its_answer_is_drafted() -> None:
    found = drafted()
    found.thinks(1)
    assert found.wants(1, "find_slots", day="wednesday") == [
        "(tool: find_slots runs early)",
        "early call 1 find_slots day=wednesday",
    ]
    assert found.returns(1, "find_slots", "ten thirty", 2100) == ["draft 2 on a result"]
    found.tell(ev.ExpectationFormed(2, "time"))
    found.writes(2, "i have ten thirty.")
    found.ends(2)
    found.pauses(2200, spoke_until_ms=2000)
    lines = found.said("please come on wednesday", 2250)
    assert [line for line in lines if "adopt" in line] == ["adopt 1", "adopt call 1", "adopt 2"]
    assert "Resume 1" in lines
    assert found.stream.endswith("<call> find_slots day wednesday<end><result> ten thirty<expect> time")


def test_a_result_that_comes_after_the_end_of_the_turn_is_waited_for() -> None:
    found = drafted()
    found.thinks(1)
    found.wants(1, "find_slots", day="wednesday")
    found.pauses(2200, spoke_until_ms=2000)
    assert "adopt call 1" in found.said("please come on wednesday", 2250)
    assert "generate 2 on a result" in found.returns(1, "find_slots", "ten thirty", 2600)


def test_a_tool_is_not_asked_twice_for_the_same() -> None:
    found = drafted(text="what about wednesday")
    found.wants(1, "find_slots", day="wednesday")
    found.returns(1, "find_slots", "ten thirty", 2100)
    found.utters("what about wednesday or is it full", 2600)
    found.pauses(2800, spoke_until_ms=2600)
    newest = max(order.generation for order in found.orders if isinstance(order, do.Generate))
    lines = found.wants(newest, "find_slots", day="wednesday")
    assert not [line for line in lines if "call" in line.split()], lines
    assert any(line.startswith("draft") for line in lines), "its result was there already"


def test_a_correction_leaves_the_result_to_the_old_words() -> None:
    found = drafted()
    found.wants(1, "find_slots", day="wednesday")
    found.utters("please come on wednesday no monday", 2600)
    assert found.returns(1, "find_slots", "ten thirty", 2700) == [], "kept, and answered by nobody"
    newest = max(order.generation for order in found.orders if isinstance(order, do.Generate))
    assert "early call 2 find_slots day=monday" in found.wants(newest, "find_slots", day="monday")


def test_a_result_is_not_good_for_ever() -> None:
    def asked_at(later_ms: int) -> list[str]:
        found = drafted(text="what about wednesday")
        found.wants(1, "find_slots", day="wednesday")
        found.returns(1, "find_slots", "ten thirty", 2100)
        found.utters("what about wednesday or is it full", later_ms)
        found.pauses(later_ms + 200, spoke_until_ms=later_ms)
        newest = max(order.generation for order in found.orders if isinstance(order, do.Generate))
        return found.wants(newest, "find_slots", day="wednesday")

    assert not [line for line in asked_at(12_000) if line.startswith("early")]
    assert "early call 2 find_slots day=wednesday" in asked_at(2_000 + AHEAD.keep_ms)


DAYS = ("monday", "tuesday", "wednesday")


def foreseeing(**changes: Any) -> Talk:
    """An agent whose look-up is cheap: it may run for each day."""
    prefetches = {"find_slots": [{"day": day} for day in DAYS]}
    return talk(thinking=replace(AHEAD, **changes), prefetches=prefetches)


def test_a_cheap_look_up_runs_for_every_value_from_the_first_sound_on() -> None:
    found = foreseeing(predict=False)
    assert [line for line in found.begins(1000) if "timer" not in line] == [
        "(tool: find_slots is prefetched)",
        *(f"early call {number} find_slots day={day}" for number, day in enumerate(DAYS, 1)),
    ]
    for number in (1, 2, 3):
        assert found.returns(number, "find_slots", "ten thirty", 1900) == []
    found.utters("please come on wednesday", 2000)
    assert found.wants(1, "find_slots", day="wednesday") == ["draft 2 on a result"], "nothing is asked again"
    found.pauses(2200, spoke_until_ms=2000)
    assert "adopt call 3" in found.said("please come on wednesday", 2250)


def test_a_prefetch_is_made_anew_once_half_of_its_time_is_over() -> None:
    def again_after(gap_ms: int) -> list[str]:
        found = foreseeing()
        found.begins(1000)
        for number in (1, 2, 3):
            found.returns(number, "find_slots", "ten thirty", 1900)
        found.pauses(2000)
        return [line for line in found.begins(1000 + gap_ms) if line.startswith("early")]

    assert again_after(AHEAD.keep_ms // 2) == []
    assert len(again_after(AHEAD.keep_ms // 2 + 1)) == 3


def test_nothing_is_prefetched_over_the_agents_words_nor_where_listening_is_off() -> None:
    found = foreseeing()
    found.turn("hello", 1000)
    found.thinks(1)
    found.writes(1, "how can i help you today?")
    found.sounds(1, 2300)
    assert not [line for line in found.begins(2500) if line.startswith("early")]
    assert not [line for line in foreseeing(listen=False).begins(1000) if line.startswith("early")]


def test_nothing_is_written_before_the_turn_is_over() -> None:
    for name, slots in (
        ("jot", {"name": "miller"}),
        ("book", {"day": "monday", "time": "ten thirty", "name": "miller"}),
    ):
        found = drafted()
        assert found.wants(1, name, **slots) == []
        assert not [order for order in found.orders if isinstance(order, do.CallTool)]


def test_a_write_that_was_drafted_runs_when_the_turn_is_over() -> None:
    found = drafted()
    found.wants(1, "jot", name="miller")
    found.pauses(2200, spoke_until_ms=2000)
    assert "call 1 jot name=miller" in found.said("please come on wednesday", 2250)


def test_a_value_that_a_tool_wants_is_looked_up_in_the_middle_of_a_sentence() -> None:
    found = scene()
    found.begins(1000)
    assert found.utters("come on wednesday at", 1800) == ["prefill", "(think: peek at 4 words)", "peek 1"]
    assert found.wants(1, "find_slots", day="wednesday")[-1] == "early call 1 find_slots day=wednesday"
    assert found.returns(1, "find_slots", "ten thirty", 1900) == [], "a peek prepares no reply"


def test_tools_wait_for_the_end_of_the_turn_where_listening_is_off() -> None:
    found = talk(thinking=replace(AHEAD, listen=False))
    found.begins(1000)
    found.utters("come on wednesday", 1800)
    assert found.wants(1, "find_slots", day="wednesday") == []


def test_a_look_up_of_an_answer_that_was_given_up_is_kept() -> None:
    found = drafted()
    found.wants(1, "find_slots", day="wednesday")
    found.pauses(2200, spoke_until_ms=2000)
    found.said("please come on wednesday", 2250)
    found.begins(2400)
    lines = found.utters("yes on wednesday", 2900)
    assert "CancelTool 1" not in lines
    newest = max(order.generation for order in found.orders if isinstance(order, do.Generate))
    found.returns(1, "find_slots", "ten thirty", 2950)
    assert not [line for line in found.wants(newest, "find_slots", day="wednesday") if line.startswith("early")]


# --- the end of the turn, foreseen ---------------------------------------------------------------------------------


def ended_early(**changes: Any) -> Talk:
    found = scene(**changes)
    found.begins(1000)
    found.utters("please come on wednesday", 2000)
    found.thinks(1)
    found.writes(1, "ten thirty.")
    found.pauses(2200, spoke_until_ms=2000)
    return found


def lines_of(found: Talk) -> list[str]:
    return [shown(order) for order in found.orders]


def test_a_drafted_turn_ends_before_its_final_text() -> None:
    assert "adopt 1" in lines_of(ended_early())
    assert "adopt 1" not in lines_of(ended_early(predict=False))


def test_a_final_text_that_says_something_else_gives_the_turn_back() -> None:
    found = ended_early()
    lines = found.said("please come on monday", 2250)
    assert "(wait: the final text says something else)" in lines
    assert "Cancel 1" in lines
    assert found.stream == ""


def test_a_final_text_that_says_something_else_is_answered_again_where_the_answer_is_heard() -> None:
    found = ended_early()
    found.sounds(1, 2210)
    assert "Cancel 1" in found.said("please come on monday", 2250)
    lines = found.played(1, "ten", 2260, "cancelled")
    assert "(think: turn over: complete)" in lines
    assert found.stream.endswith("<say> ten<cut><heard> please come on monday<turn>")


def test_a_final_text_that_says_the_same_changes_nothing() -> None:
    found = ended_early()
    assert found.said("please come on wednesday", 2250) == []


def test_a_write_waits_for_the_final_text() -> None:
    """`jot` needs no read-back; its turn ended on a draft that looked something up first."""
    found = scene()
    found.begins(1000)
    found.utters("please come on wednesday", 2000)
    found.wants(1, "find_slots", day="wednesday")
    found.returns(1, "find_slots", "ten thirty", 2100)
    found.wants(2, "jot", name="miller")
    assert "adopt 2" in found.pauses(2200, spoke_until_ms=2000)
    assert not [order for order in found.orders if isinstance(order, do.CallTool) and order.tool == "jot"]
    assert "call 2 jot name=miller" in found.said("please come on wednesday", 2250)


def test_an_agreed_write_is_never_foreseen() -> None:
    found = scene()
    found.turn("wednesday ten thirty miller", 1000)
    found.writes(1, READ_BACK)
    found.ends(1)
    found.sounds(1, 2300)
    found.played(1, READ_BACK, 4000)
    found.begins(4500)
    found.utters("yes please", 5000)
    newest = max(order.generation for order in found.orders if isinstance(order, do.Generate))
    found.wants(newest, "book", day="wednesday", time="ten thirty", name="miller")
    assert not [line for line in found.pauses(5200, spoke_until_ms=5000) if "adopt" in line]
    assert {FIND.effect, BOOK.effect, JOT.effect} == {"read", "write"}
