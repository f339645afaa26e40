"""Utterances as orders and as history: begun, held back, given up, and what was heard of them."""

from __future__ import annotations

from collections.abc import Iterable

from agent_runtime import events as ev
from agent_runtime.commands import Command
from agent_runtime.conversation import Conversation
from agent_runtime.floor import AgentSpeech, Floor, FloorSettings
from agent_runtime.plans import Plans, ToolCall
from agent_runtime.record import Entry
from agent_runtime.saying import Saying
from policies.trajectory import Trajectory
from tests.agent_runtime.scenes import shown


class Mouth:
    """A `Saying` with all it stands on."""

    def __init__(self) -> None:
        self.plans, self.floor, self.talk = Plans(), Floor(FloorSettings()), Conversation(Trajectory())
        self.saying = Saying(self.plans, self.floor, self.talk)

    def sounds(self, utterance: int) -> None:
        event = ev.UtteranceStarted(utterance, 0)
        assert list(self.saying.started(event, Entry(1, 500, 0, event))) == []

    def hears(self, utterance: int, text: str, *, complete: bool = True) -> None:
        event = ev.UtteranceHeard(utterance, 0, complete, text)
        assert list(self.saying.heard(event, Entry(1, 900, 0, event))) == []


def lines(commands: Iterable[Command]) -> list[str]:
    return [shown(command) for command in commands]


def test_a_reply_is_begun_by_its_first_clause_and_closed_once() -> None:
    mouth = Mouth()
    assert lines(mouth.saying.clause("good,", "")) == ["(speak: answer, expecting anything)", "say 1 answer 'good,'"]
    assert lines(mouth.saying.clause("ten thirty.", "yes")) == ["say 1 answer 'ten thirty.'"]
    assert lines(mouth.saying.close(goodbye=True)) == ["say 1 answer '' end"]
    assert lines(mouth.saying.close()) == []
    utterance = mouth.plans.utterances[1]
    assert (utterance.text, utterance.closed, utterance.goodbye) == ("good, ten thirty.", True, True)


def test_what_is_planned_while_the_agent_is_silenced_is_held_back() -> None:
    mouth = Mouth()
    mouth.floor.speech_started(
        ev.SpeechStarted(0, 0, 1.0, 0.0, 1), 300_000, answering=True, agent=AgentSpeech(9_000, False)
    )
    assert mouth.floor.silencing
    assert lines(mouth.saying.whole("one moment.", "filler"))[1:] == ["say 1 filler 'one moment.' end", "Yield 1 pause"]
    mouth.plans.utterances[1].kind = "answer"  # a filler would end for the reply
    assert lines(mouth.saying.clause("good.", "day"))[2:] == ["Yield 2 pause"]
    assert lines(mouth.saying.fall_silent("speech onset")) == ["(yield: speech onset)"], "both are silent already"
    assert lines(mouth.saying.go_on("a hum")) == ["(resume: a hum)", "Resume 1", "Resume 2"]
    assert lines(mouth.saying.go_on("a hum")) == []
    assert lines(mouth.saying.fall_silent("words"))[1:] == ["Yield 1 pause", "Yield 2 pause"]
    assert lines(mouth.saying.drop()) == ["Cancel 1", "Cancel 2"]
    assert lines(mouth.saying.drop()) == []


def test_history_keeps_what_was_heard() -> None:
    mouth = Mouth()
    list(mouth.saying.clause("we are open from nine.", ""))
    mouth.sounds(1)
    mouth.hears(1, "we are", complete=False)
    assert mouth.saying.audible
    ended = mouth.saying.ended(ev.UtteranceEnded(1, 0, "cancelled"), 900)
    assert ended is not None
    assert ended.started_us == 500
    assert mouth.plans.reply is None, "nothing more is said of a reply that was cut"
    assert mouth.talk.committed.text() == "<say> we are<cut>"


def test_a_filler_stands_in_the_stream_only_while_its_call_goes_on() -> None:
    mouth = Mouth()
    for number in (1, 2):
        list(mouth.saying.whole("let me look.", "filler"))
        mouth.hears(number, "let me look.")
    mouth.plans.call = ToolCall(1, "find_slots", 0)
    mouth.saying.ended(ev.UtteranceEnded(1, 0, "played"), 900)
    assert mouth.plans.sounded_us == 0, "it never sounded"
    mouth.plans.call = None
    mouth.saying.ended(ev.UtteranceEnded(2, 0, "played"), 1900)
    assert mouth.talk.committed.text() == "<filler> let me look.<end>"


def test_news_of_an_utterance_that_is_gone_changes_nothing() -> None:
    mouth = Mouth()
    mouth.sounds(7)
    mouth.hears(7, "hello")
    assert mouth.saying.ended(ev.UtteranceEnded(7, 0, "played"), 0) is None
    assert not mouth.saying.audible
