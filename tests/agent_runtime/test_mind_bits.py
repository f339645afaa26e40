"""Speech in bits, a thought before each: one utterance, and a stream that keeps what was heard in the order it came."""

from __future__ import annotations

from agent_runtime import events as ev
from agent_runtime.commands import Say
from agent_runtime.record import Entry
from agent_runtime.testing import ScriptedCaller
from tests.agent_runtime.scenes import NOTHING_AHEAD, Talk, desk, play, talk
from tests.agent_runtime.sessions import BYE, line

HEAD = "<heard> count to nine please<turn><think> up to nine. one to five<expect> bye"


def counting() -> Talk:
    """The agent has begun to count to nine in two bits, at 2300 ms."""
    scene = talk()
    scene.turn("count to nine please", 1000)
    scene.thinks(1, "up to nine. one to five", "bye")
    assert scene.writes(1, "one, two,", "three, four, five,")[-1] == "say 1 answer 'three, four, five,'"
    assert scene.tell(ev.ThoughtFormed(1, "six to nine")) == []
    assert scene.tell(ev.ClauseGenerated(1, 2, "six, seven, eight, nine.")) == [
        "say 1 answer 'six, seven, eight, nine.'"
    ]
    assert scene.ends(1) == ["say 1 answer '' end"]
    scene.sounds(1, 2300)
    assert scene.stream == HEAD, "nothing was heard yet"
    return scene


def test_all_bits_heard_stand_as_they_were_written() -> None:
    scene = counting()
    scene.played(1, "one, two, three, four, five, six, seven, eight, nine.", 6000)
    assert scene.stream == (
        f"{HEAD}<say> one, two, three, four, five,<more><think> six to nine<say> six, seven, eight, nine.<end>"
    )


def test_a_count_that_is_broken_into_keeps_the_bits_that_were_heard() -> None:
    scene = counting()
    scene.played(1, "one, two, three, four, five, six, seven", 5000, "cancelled")
    assert scene.stream == f"{HEAD}<say> one, two, three, four, five,<more><think> six to nine<say> six, seven<cut>"


def test_a_thought_about_what_was_never_said_is_dropped() -> None:
    scene = counting()
    scene.played(1, "one, two, three", 4000, "cancelled")
    assert scene.stream == f"{HEAD}<say> one, two, three<cut>"


COUNTS = {
    "nine": "<think> up to nine. one to five <expect> bye <say> one, two, three, four, five, <more> "
    "<think> six to nine <say> six, seven, eight, nine. <end>",
    "bye": "<think> bye <expect> bye <say> goodbye. <bye>",
}


def test_a_whole_call_in_bits_computes_nothing_twice() -> None:
    found: list[Entry] = []
    asks = line("asks", "count to nine")
    call = play(
        desk(notes=(), thinking=NOTHING_AHEAD), ScriptedCaller.of_lines(asks, BYE), COUNTS, watchers=[found.append]
    )
    assert call.ended.reason == "agent_hung_up"
    assert ("agent", "one, two, three, four, five, six, seven, eight, nine.") in call.transcript
    events = [entry.what for entry in found]
    thoughts = [what.text for what in events if isinstance(what, ev.ThoughtFormed)]
    assert thoughts == ["up to nine. one to five", "six to nine", "bye"]
    assert len({what.utterance for what in events if isinstance(what, Say) and "one" in what.text}) == 1
    answered = next(at for at, what in enumerate(events) if isinstance(what, ev.UtteranceEnded) and what.utterance == 2)
    later = next(what for what in events[answered:] if isinstance(what, ev.PromptSynced))
    assert later.rolled_back == 0, "the stream with the heard bits is what the model wrote"
