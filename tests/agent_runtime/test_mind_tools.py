"""Tools in the mind: fillers, the write gate, failures, and results that come at the wrong moment; as scripts."""

from __future__ import annotations

from agent_runtime.plans import ToolCall
from policies.filler import FillerSettings
from policies.shapes import NoteField
from tests.agent_runtime.scenes import BOOK, Talk, talk

READ_BACK = "so that is wednesday at ten thirty for miller, is that right?"
BOOKING = {"day": "wednesday", "time": "ten thirty", "name": "miller"}


def answered(scene: Talk, text: str, at_ms: int, *clauses: str, generation: int, utterance: int) -> int:
    """A caller turn that is answered and heard to its end; returns when that was."""
    scene.turn(text, at_ms)
    scene.thinks(generation)
    scene.writes(generation, *clauses)
    scene.ends(generation)
    scene.sounds(utterance, at_ms + 1200)
    end_ms = at_ms + 1200 + 65 * len(" ".join(clauses))
    scene.played(utterance, " ".join(clauses), end_ms)
    return end_ms


# --- tools -------------------------------------------------------------------------------------------------------


def test_a_slow_tool_is_covered_by_a_filler_and_its_result_answered() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.thinks(1, "book", "slots")
    assert scene.wants(1, "find_slots", day="wednesday") == [
        "(tool: open)",
        "call 1 find_slots day=wednesday",
        "(filler: tool find_slots: 1730 ms to come)",
        "no timer idle",
        "say 1 filler 'let me look.' end",
    ]
    scene.sounds(1, 2100)
    assert scene.played(1, "let me look.", 3200) == ["timer filler 500"]
    assert scene.returns(1, "find_slots", "ten thirty two", 3600) == [
        "no timer filler",
        "(think: a tool returned)",
        "generate 2 on a result",
    ]
    assert scene.stream == (
        "<heard> what is free on wednesday<turn><think> book<expect> slots<call> find_slots day wednesday<end>"
        "<filler> let me look.<end><result> ten thirty two"
    )


def test_a_tool_nobody_knows_gets_its_filler_after_a_short_grace_and_longer_ones_after_that() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    assert scene.wants(1, "find_slots", day="wednesday")[-1] == "timer filler 60"
    assert scene.rings("filler", 2150) == [
        "(filler: tool find_slots: 1630 ms to come)",
        "no timer idle",
        "say 1 filler 'let me look.' end",
    ]
    scene.sounds(1, 2230)
    assert scene.played(1, "let me look.", 3200) == ["timer filler 500"]
    assert scene.rings("filler", 3700)[-1] == "say 2 filler 'i am still looking.' end"
    scene.sounds(2, 3780)
    assert scene.played(2, "i am still looking.", 5300) == ["timer filler 500"]
    assert scene.rings("filler", 5900)[-1] == "say 3 filler 'it is taking a moment, i am still looking.' end"


def test_a_tool_seen_to_be_quick_gets_no_filler_from_then_on() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.returns(1, "find_slots", "none", 2055)
    assert scene.mind.answering.waiting.waits.values() == {"tool find_slots": [5]}
    assert scene.wants(2, "find_slots", day="monday")[-1] == "timer filler 390", "unless it is late"


def test_waits_of_an_earlier_call_are_known_in_this_one() -> None:
    scene = talk(waits={"tool find_slots": [2000]})
    scene.turn("what is free on wednesday", 1000)
    assert scene.wants(1, "find_slots", day="wednesday")[-1] == "say 1 filler 'let me look.' end"


def test_a_tool_that_ran_early_is_waited_for_from_the_turns_end_but_foretold_from_its_start() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    call = scene.mind.plans.call
    assert call is not None
    assert call.began_us == call.asked_us == 2_050_000
    scene.mind.plans.call = ToolCall(1, "find_slots", 2_050_000, began_us=150_000)
    scene.mind.answering.waiting.waits = scene.mind.answering.waiting.waits.seen("tool find_slots", 2000)
    assert scene.rings("filler", 2060)[-1] == "timer filler 475", "90 ms are left of it: too little for a filler"
    scene.returns(1, "find_slots", "none", 2350)
    assert scene.mind.answering.waiting.waits.values() == {"tool find_slots": [2000, 2200]}


def test_a_tool_with_words_of_its_own_says_them_first() -> None:
    texts = ("i ask for {part}.", "let me ask about {day}.")
    scene = talk(usual_ms={"find_slots": 1500}, tool_fillers={"find_slots": texts})
    scene.turn("what is free on wednesday", 1000)
    assert scene.wants(1, "find_slots", day="wednesday")[-1] == "say 1 filler 'let me ask about wednesday.' end"
    scene.sounds(1, 2100)
    scene.played(1, "let me ask about wednesday.", 3200)
    assert scene.rings("filler", 4200)[-1] == "say 2 filler 'let me look.' end"


def test_fillers_are_not_said_without_end() -> None:
    scene = talk(filler=FillerSettings(most=1))
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.rings("filler", 2850)
    scene.sounds(1, 2930)
    assert scene.played(1, "let me look.", 3900) == []


def test_a_filler_still_playing_stands_in_the_stream_before_the_result() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.sounds(1, 2100)
    assert scene.returns(1, "find_slots", "none", 2300)[-1] == "generate 2 on a result"
    assert scene.stream.endswith("<filler> let me look.<end><result> none")
    assert scene.played(1, "let me look.", 3000) == []
    assert scene.stream.endswith("<filler> let me look.<end><result> none"), "not twice"


def test_the_answer_ends_a_filler_at_a_word_and_never_sounds_over_it() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.sounds(1, 2130)
    scene.returns(1, "find_slots", "none", 2200)
    assert scene.writes(2, "nothing is free.") == [
        "Cancel 1 at a word",
        "(speak: answer, expecting anything)",
        "say 2 answer 'nothing is free.'",
    ]
    assert scene.begins(2250)[-3:-1] == ["Cancel 1", "Yield 2 pause"], "a caller who speaks hears not even that word"


def test_a_filler_that_is_nearly_over_is_heard_out() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.sounds(1, 2130)
    scene.returns(1, "find_slots", "none", 2510)
    assert scene.writes(2, "nothing is free.")[0] == "(speak: answer, expecting anything)"


def test_a_filler_nobody_has_heard_yet_is_dropped_where_the_answer_is_near() -> None:
    scene = talk(usual_ms={"find_slots": 1500})
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    assert scene.returns(1, "find_slots", "none", 2060)[:2] == ["no timer filler", "Cancel 1"]
    assert scene.stream.endswith("<call> find_slots day wednesday<end><result> none")


def test_a_slow_reply_is_covered_too_but_not_where_it_is_usually_quick() -> None:
    scene = talk(filler=FillerSettings())
    assert scene.turn("what is free on wednesday", 1000)[-2:] == ["generate 1", "timer filler 685"]
    assert scene.writes(1, "nothing.")[0] == "no timer filler"
    slow = talk(filler=FillerSettings(), waits={"engine": [2000] * 4})
    assert slow.turn("what is free on wednesday", 1000)[-1] == "say 1 filler 'one moment.' end"
    slow.sounds(1, 2130)
    slow.played(1, "one moment.", 2900)
    assert slow.stream.endswith("wednesday<turn>"), "it stands in no stream: the model is writing what comes there"


def test_a_write_that_was_not_read_back_is_held_back_and_the_reply_written_again() -> None:
    scene = talk()
    scene.turn("wednesday at ten thirty for miller", 1000)
    scene.thinks(1, "book", "ok")
    assert scene.wants(1, "book", **BOOKING) == [
        "(wait: book held back: nothing asked)",
        "generate 2 without book without find_slots without jot",
    ]
    assert scene.stream == "<heard> wednesday at ten thirty for miller<turn>", "the thoughts that led there are dropped"


def test_a_write_runs_once_it_was_read_back_heard_and_agreed_to() -> None:
    scene = talk()
    end_ms = answered(scene, "wednesday at ten thirty for miller", 1000, READ_BACK, generation=1, utterance=1)
    scene.turn("yes please", end_ms + 500)
    assert scene.wants(2, "book", **BOOKING) == [
        "(tool: confirmed)",
        "call 1 book day=wednesday time=ten thirty name=miller",
        "timer filler 60",
    ]
    assert scene.returns(1, "book", "ok", end_ms + 2000)[-1] == "generate 3 on a result"


def test_an_agreed_write_is_due_in_the_next_reply() -> None:
    notes = (
        NoteField("day", "choice", BOOK.parameters[0].values),
        NoteField("time", "time"),
        NoteField("name", "heard"),
    )
    scene = talk(notes=notes)
    scene.turn("wednesday at ten thirty for miller", 1000)
    scene.thinks(1, "wednesday ten thirty miller", "yes")
    scene.writes(1, READ_BACK)
    scene.ends(1)
    scene.sounds(1, 2300)
    scene.played(1, READ_BACK, 6300)
    assert scene.turn("yes please", 7000)[-1] == "generate 2, book is due"


def test_a_read_back_that_was_not_heard_out_confirms_nothing() -> None:
    scene = talk()
    scene.turn("wednesday at ten thirty for miller", 1000)
    scene.writes(1, READ_BACK)
    scene.ends(1)
    scene.sounds(1, 2300)
    scene.begins(4000)
    scene.hushes(1, "so that is wednesday", 4050)
    scene.utters("yes please book it", 4500)
    scene.played(1, "so that is wednesday", 4520, "cancelled")
    scene.pauses(4900, spoke_until_ms=4700)
    scene.said("yes please book it", 4950)
    assert scene.wants(2, "book", **BOOKING)[0] == "(wait: book held back: argument not heard time)"


def test_a_model_that_insists_on_a_refused_tool_is_not_asked_for_ever() -> None:
    scene = talk()
    scene.turn("wednesday at ten thirty for miller", 1000)
    scene.wants(1, "book", **BOOKING)
    assert scene.wants(2, "book", **BOOKING)[:1] == ["(speak: apologise: the model insists on book)"]


def test_tool_calls_within_one_turn_come_to_an_end() -> None:
    scene = talk(max_tool_steps=2)
    scene.turn("what is free", 1000)
    for number in (1, 2):
        scene.wants(number, "find_slots", day="monday")
        last = scene.returns(number, "find_slots", "none", 3000 + number)
    assert last[-1] == "generate 3 on a result without book without find_slots without jot"


def test_a_failed_tool_is_told_and_stands_in_the_stream() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    assert scene.fails(1, "find_slots", 2500, "timed_out") == [
        "no timer filler",
        "(speak: say that the tool failed)",
        "no timer idle",
        "say 1 answer 'sorry, i cannot look that up right now. is there anything else i can do for you?' end",
    ]
    assert scene.stream.endswith("<call> find_slots day wednesday<end><result> failed")


def test_words_before_a_tool_call_are_said_and_closed() -> None:
    """An engine without a grammar may say something and then call; the stream has one action a turn, the ear both."""
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.writes(1, "one moment please.")
    lines = scene.wants(1, "find_slots", day="wednesday")
    assert lines[0] == "say 1 answer '' end"
    assert "call 1 find_slots day=wednesday" in lines


def test_a_filler_timer_that_crossed_the_result_does_nothing() -> None:
    scene = talk()
    scene.turn("what is free on wednesday", 1000)
    scene.wants(1, "find_slots", day="wednesday")
    scene.returns(1, "find_slots", "ten thirty", 2840)
    assert scene.rings("filler", 2850) == []
