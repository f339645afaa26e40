"""Who has the floor: what speech edges, pauses and overlaps mean to the policies, through the mind's numbers."""

from __future__ import annotations

from typing import Any

from agent_runtime.events import SpeechStarted, SpeechStopped
from agent_runtime.floor import AgentSpeech, Floor, Verdict
from policies.endpointing import Why
from tests.agent_runtime.scenes import PLAIN_FLOOR

TALKING = AgentSpeech(None, False)


class Line:
    """A floor with times in milliseconds."""

    def __init__(self) -> None:
        self.floor = Floor(PLAIN_FLOOR)
        self.floor.answered(0)
        self.segment = 0

    def starts(
        self, at_ms: int, *, answering: bool = False, agent: AgentSpeech = TALKING, no_floor: float = 0.0
    ) -> Verdict:
        self.segment += 1
        event = SpeechStarted(at_ms * 16, at_ms * 16, 1.0, no_floor, self.segment)
        return self.floor.speech_started(event, at_ms * 1000, answering=answering, agent=agent)

    def stops(self, at_ms: int) -> None:
        self.floor.speech_stopped(SpeechStopped(at_ms * 16, at_ms * 16))

    def words(self, text: str, at_ms: int, *, final: bool = False, agent: AgentSpeech = TALKING) -> Verdict:
        return self.floor.words(text, at_ms * 1000, agent, final=final)

    def decides(self, at_ms: int, agent: AgentSpeech = TALKING) -> Verdict:
        return self.floor.decide(at_ms * 1000, agent)

    def ends(self, at_ms: int, text: str, *, settled: bool = True, expects: str = "") -> Any:
        return self.floor.endpoint(at_ms * 1000, text=text, settled=settled, expects=expects)


def test_samples_are_counted_from_where_the_line_began() -> None:
    floor = Floor(PLAIN_FLOOR)
    floor.answered(1_000_000)
    assert floor.at_us(16_000) == 2_000_000
    assert floor.at_us(1) == 1_000_062


def test_without_an_answer_under_way_speech_is_a_turn() -> None:
    line = Line()
    assert line.starts(1000) == Verdict("keep", "the caller has the floor")
    speaking = [line.floor.caller_speaking]
    assert not line.floor.overlapping
    line.stops(1500)
    speaking.append(line.floor.caller_speaking)
    assert speaking == [True, False]
    assert line.decides(1600) == Verdict("keep", "no overlap")


def test_speech_into_an_answer_silences_it_and_words_decide() -> None:
    line = Line()
    assert line.starts(1000, answering=True) == Verdict("yield", "speech onset", 1200)
    assert line.floor.silencing
    assert line.words("mm hm", 1300) == Verdict("keep", "backchannel", 900)
    assert line.words("mm hm i want", 1500).action == "cancel"
    assert not line.floor.overlapping
    assert not line.floor.silencing


def test_a_backchannel_gives_the_floor_back_and_its_segments_are_dropped() -> None:
    line = Line()
    line.starts(1000, answering=True)
    line.words("mm", 1100)
    line.stops(1200)
    line.starts(1300, answering=True)
    line.words("mm hm", 1400)
    line.stops(1450)
    verdict = line.decides(1500)
    assert (verdict.action, verdict.over, verdict.dropped) == ("resume", True, frozenset({1, 2}))
    assert not line.floor.overlapping
    line.starts(3000, answering=True)
    line.stops(3050)
    assert line.decides(3500).dropped == frozenset({3}), "an overlap drops its own segments only"


def test_an_early_answer_keeps_its_words() -> None:
    line = Line()
    asking = AgentSpeech(200, True)
    assert line.starts(1000, answering=True, agent=asking).action == "keep"
    line.stops(1300)
    verdict = line.words("yes", 1400, final=True, agent=asking)
    assert (verdict.reason, verdict.over, verdict.dropped) == ("early answer", True, frozenset())


def test_an_overlap_that_outlasts_the_answer_is_an_ordinary_turn() -> None:
    line = Line()
    line.starts(1000, answering=True, agent=AgentSpeech(100, False))
    line.floor.agent_finished()
    assert not line.floor.overlapping
    assert line.decides(1500).reason == "no overlap"


def test_a_pause_is_judged_by_its_length_and_its_words() -> None:
    line = Line()
    line.starts(1000)
    line.stops(2000)
    assert not line.ends(2100, "on wednesday").over
    assert line.ends(2200, "on wednesday").over
    unfinished = line.ends(2200, "i would like to")
    assert (unfinished.over, unfinished.wait_ms) == (False, 800)
    assert line.ends(2250, "on wednesday", settled=False).wait_ms == 50


def test_the_models_score_counts_for_the_pause_it_was_made_in() -> None:
    line = Line()
    line.starts(1000)
    line.floor.scored(1, 0.9)
    line.stops(2000)
    assert "model" not in line.ends(2100, "on wednesday").scores, "a score from before the pause is of other words"
    line.floor.scored(2, 0.9)
    assert line.ends(2100, "on wednesday").scores["model"] == 0.9
    line.floor.committed()
    assert "model" not in line.ends(2100, "on wednesday").scores


def test_pauses_within_turns_are_learned_and_pauses_between_turns_are_not() -> None:
    line = Line()
    line.starts(1000)
    line.stops(2000)
    line.starts(2900)
    slow = line.floor._habit
    assert slow.value_ms > 350
    line.stops(3500)
    line.floor.committed()
    line.starts(9000)
    assert line.floor._habit == slow, "the other side spoke in between"


def test_long_speech_without_words_is_asked_for_once() -> None:
    line = Line()
    line.starts(1000)
    line.stops(2000)
    assert line.ends(2700, "").reason is Why.UNINTELLIGIBLE
    assert line.ends(5000, "").reason is Why.NOISE, "it was given up; it does not count again"


def test_backchannels_do_not_add_up_to_a_turn() -> None:
    line = Line()
    for begin_ms in (1000, 3000):
        line.starts(begin_ms, answering=True)
        line.stops(begin_ms + 450)
        assert line.words("mm hm", begin_ms + 500, final=True).over
    assert line.ends(4000, "").reason is Why.NOISE


def test_each_segment_of_an_overlap_counts_with_its_own_length() -> None:
    line = Line()
    line.starts(1000, answering=True)
    line.stops(1100)
    line.starts(1300, answering=True)
    line.stops(1400)
    assert line.floor._speech_us == 200_000


def test_keys_end_like_speech() -> None:
    line = Line()
    line.floor.pressed(16_000)
    assert line.ends(1150, "pressed four", settled=True).wait_ms >= 0
    assert line.ends(1150, "pressed four").scores["silence_ms"] == 150.0
