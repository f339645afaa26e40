"""The caller's script as a pure machine: triggers to the sample, conditions, patience, properties of random scripts."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runtime.testing.script import (
    Action,
    CallerScript,
    HangUp,
    Line,
    ScriptError,
    Segment,
    Speak,
    Trigger,
    after_turn,
    at,
    hang_up,
    into_turn,
    into_utterance,
    says,
)

RATE = 16_000


@dataclass(frozen=True)
class Said:
    """Speech of a given length."""

    text: str
    n_samples: int = RATE


def line(name: str, trigger: Trigger, *, seconds: float = 1.0, **more: object) -> Line:
    return Line(name, trigger, (Segment(Said(name, round(seconds * RATE))),), **more)  # type: ignore[arg-type]


def speak(script: CallerScript, first_s: float, end_s: float) -> None:
    """The agent sounds from `first_s` to `end_s`, in 20 ms frames."""
    for sample in range(round(first_s * RATE), round(end_s * RATE), 320):
        script.on_agent_audio(sample, 320, True)


def played(script: CallerScript, seconds: float, *, from_s: float = 0.0) -> list[tuple[str, float]]:
    """(line or reason, time) of what is due when asked every 20 ms."""
    found: list[tuple[str, float]] = []
    for sample in range(round(from_s * RATE), round((from_s + seconds) * RATE), 320):
        for action in script.due(sample):
            found.append(named(action))
    return found


def named(action: Action) -> tuple[str, float]:
    if isinstance(action, Speak):
        return action.line.name, action.first_sample / RATE
    return f"({action.reason})", action.sample / RATE


def test_a_turn_waits_for_the_silence_after_the_agent() -> None:
    script = CallerScript([line("hello", after_turn(0.6))])
    assert played(script, 2.0) == []
    speak(script, 2.0, 3.5)
    assert played(script, 3.0, from_s=3.5) == [("hello", 4.1)]


def test_a_pause_between_two_clauses_is_no_end_of_turn() -> None:
    script = CallerScript([line("hello", after_turn(0.6))])
    speak(script, 0.0, 1.0)
    assert played(script, 0.58, from_s=1.0) == []
    speak(script, 1.58, 2.0)
    assert played(script, 1.0, from_s=2.0) == [("hello", 2.6)]


def test_quiet_frames_do_not_count_as_speech() -> None:
    script = CallerScript([line("hello", after_turn(0.6))])
    speak(script, 0.0, 1.0)
    for sample in range(RATE, 2 * RATE, 320):
        script.on_agent_audio(sample, 320, False)
    assert played(script, 1.0, from_s=1.0) == [("hello", 1.6)]


def test_a_barge_in_counts_from_the_stretch_of_speech() -> None:
    script = CallerScript([line("wait", into_utterance(2, 1.2), kind="barge_in")])
    speak(script, 0.0, 2.0)
    assert played(script, 1.0, from_s=2.0) == []
    found = []
    for sample in range(3 * RATE, 6 * RATE, 320):
        script.on_agent_audio(sample, 320, True)
        found += [named(action) for action in script.due(sample)]
    assert found == [("wait", 4.2)]


def test_a_barge_in_needs_an_agent_that_still_speaks() -> None:
    script = CallerScript([line("wait", into_turn(1.2), optional=True), line("yes", after_turn(0.6))])
    speak(script, 0.0, 0.9)
    assert played(script, 1.0, from_s=0.9) == [("yes", 1.5)]


def test_speech_of_the_agent_during_our_line_is_no_answer_to_it() -> None:
    script = CallerScript([line("one", at(0.0), seconds=2.0), line("two", after_turn(0.6))])
    assert played(script, 0.02) == [("one", 0.0)]
    speak(script, 1.0, 1.5)  # a cut-in that gave way again
    assert played(script, 5.0, from_s=1.5) == []
    speak(script, 7.0, 8.0)
    assert played(script, 1.0, from_s=8.0) == [("two", 8.6)]


def test_an_agent_that_talks_through_our_line_has_the_word_afterwards() -> None:
    script = CallerScript([line("one", at(0.0), seconds=2.0), line("two", after_turn(0.6))])
    played(script, 0.02)
    speak(script, 1.0, 3.0)
    assert played(script, 2.0, from_s=3.0) == [("two", 3.6)]


def test_lines_answer_what_was_asked() -> None:
    script = CallerScript(
        [
            line("request", after_turn()),
            line("name", after_turn(when=says("name")), standing=True),
            line("day", after_turn(when=says("which day", unless=["name"])), standing=True, times=2),
        ]
    )
    speak(script, 0.0, 1.0)
    script.on_agent_text("Hello, how can I help?", 1)
    assert played(script, 1.0, from_s=1.0) == [("request", 1.6)]
    speak(script, 4.0, 5.0)
    script.on_agent_text("of course. Which day suits you?", 2)
    assert played(script, 1.0, from_s=5.0) == [("day", 5.6)]
    speak(script, 8.0, 9.0)
    script.on_agent_text("what name is it for?", 3)
    assert played(script, 1.0, from_s=9.0) == [("name", 9.6)]
    speak(script, 12.0, 13.0)
    script.on_agent_text("what name is it for?", 4)  # said once already
    assert played(script, 3.0, from_s=13.0) == []


def test_words_of_a_barged_in_utterance_count_only_if_it_is_resumed() -> None:
    script = CallerScript([line("wait", at(0.0)), line("name", after_turn(when=says("name")))])
    script.on_agent_utterance(1)
    assert played(script, 0.02) == [("wait", 0.0)]
    script.on_agent_text("what name is it for", 1)  # the report of what was heard comes after the barge-in
    script.on_agent_text("pardon?", 2)
    speak(script, 2.0, 3.0)
    assert played(script, 2.0, from_s=3.0) == []
    script.on_agent_utterance(1)
    script.on_agent_text("what name is it for?", 1)
    assert played(script, 0.02, from_s=5.0) == [("name", 5.0)]


def test_without_any_words_of_the_agent_conditions_do_not_hold_lines_back() -> None:
    script = CallerScript([line("name", after_turn(when=says("name")))])
    speak(script, 0.0, 1.0)
    assert played(script, 1.0, from_s=1.0) == [("name", 1.6)]


def test_an_optional_line_is_skipped_for_good_once_a_later_one_was_said() -> None:
    script = CallerScript(
        [line("m", into_turn(1.0), kind="backchannel", optional=True), line("a", after_turn()), line("b", after_turn())]
    )
    speak(script, 0.0, 0.5)
    assert played(script, 1.0, from_s=0.5) == [("a", 1.1)]
    speak(script, 3.0, 5.0)
    assert played(script, 1.0, from_s=5.0) == [("b", 5.6)]


def test_a_backchannel_does_not_take_the_turn() -> None:
    script = CallerScript([line("mm-hm", into_turn(1.0), seconds=0.4, kind="backchannel"), line("yes", after_turn())])
    speak(script, 0.0, 1.0)
    assert played(script, 0.02, from_s=1.0) == [("mm-hm", 1.0)]
    speak(script, 1.0, 2.0)
    assert played(script, 1.0, from_s=2.0) == [("yes", 2.6)]


def test_a_line_with_a_hesitation_is_as_long_as_its_parts() -> None:
    one = Line("x", at(0), (Segment(Said("on um", 1000)), Segment(Said("wednesday", 2000), pause_ms=700)))
    assert one.n_samples == 1000 + 11_200 + 2000
    assert [place for place, _ in one.places(500)] == [500, 500 + 1000 + 11_200]
    assert one.text == "on um wednesday"


def test_nobody_answers() -> None:
    hello = line("hello?", at(0), seconds=1.0)
    script = CallerScript([line("request", after_turn())], hello=hello)
    assert played(script, 30.0) == [("hello?", 7.0), ("(nobody answered)", 15.0)]
    assert script.over


def test_a_silent_answer_ends_the_patience_too() -> None:
    script = CallerScript([line("request", at(0.0), seconds=2.0)])
    assert played(script, 30.0) == [("request", 0.0), ("(nobody answered)", 17.0)]


def test_the_caller_leaves() -> None:
    script = CallerScript([hang_up(after_turn(1.0, when=says("goodbye")), name="leave")])
    speak(script, 0.0, 1.0)
    script.on_agent_text("thank you. goodbye.")
    assert played(script, 5.0, from_s=1.0) == [("(leave)", 2.0)]
    assert script.due(100 * RATE) == []
    assert script.next_due(100 * RATE) is None


def test_edges_stand_for_audio() -> None:
    script = CallerScript([line("wait", into_turn(1.2), kind="barge_in"), line("yes", after_turn(0.6))])
    script.on_agent_edge(0, True)
    assert script.next_due(0) == round(1.2 * RATE)
    assert script.due(round(1.2 * RATE) - 1) == []
    assert [named(action) for action in script.due(round(1.2 * RATE))] == [("wait", 1.2)]
    script.on_agent_edge(round(1.4 * RATE), False)
    script.on_agent_edge(4 * RATE, True)
    assert script.next_due(4 * RATE) is None, "the agent speaks: only news can make something due"
    script.on_agent_edge(5 * RATE, False)
    assert script.next_due(5 * RATE) == round(5.6 * RATE)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CallerScript([]), "no lines"),
        (lambda: CallerScript([line("a", at(0)), line("a", at(1))]), "'a' is used twice"),
        (lambda: into_utterance(0, 1.0), "agent utterance 0 does not exist"),
        (lambda: after_turn(-1.0), "-1.0 s"),
        (lambda: line("a", at(0), times=2), "times = 2"),
        (lambda: line("a", at(0), seconds=0.0), "no samples"),
    ],
)
def test_impossible_scripts_are_refused(make: object, message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        make()  # type: ignore[operator]


triggers = st.one_of(
    st.builds(after_turn, st.floats(0.0, 2.0)),
    st.builds(into_turn, st.floats(0.0, 2.0)),
    st.builds(into_utterance, st.integers(1, 4), st.floats(0.0, 2.0)),
    st.builds(at, st.floats(0.0, 10.0)),
)
scripts = st.lists(
    st.tuples(triggers, st.booleans(), st.booleans(), st.sampled_from(["turn", "backchannel", "barge_in"])),
    min_size=1,
    max_size=5,
).map(
    lambda rows: [
        line(f"l{n}", trigger, optional=optional, standing=standing, kind=kind)
        for n, (trigger, optional, standing, kind) in enumerate(rows)
    ]
)
agents = st.lists(st.tuples(st.integers(1, 4 * RATE), st.booleans()), max_size=12)


@settings(max_examples=150, deadline=None)
@given(scripts, agents)
def test_nothing_is_due_before_it_is_announced_and_all_that_is_announced_is_due(
    lines: list[Line], agent: list[tuple[int, bool]]
) -> None:
    script = CallerScript(lines)
    said: list[Action] = []
    now = 0
    for wait, audible in [*agent, (RATE, False), (60 * RATE, False)]:
        end = now + wait
        while (when := script.next_due(now)) is not None and when < end:
            if when > now:
                assert script.due(when - 1) == []
            actions = script.due(when)
            assert len(actions) == 1
            said += actions
            now = when
        now = end
        script.on_agent_edge(now, audible)
    assert script.over, "a caller who hears nothing more leaves in the end"
    spoken = [action for action in said if isinstance(action, Speak)]
    for one, later in pairwise(spoken):
        assert later.first_sample >= one.first_sample + one.line.n_samples, "one mouth"
    counts = [sum(action.line.name == line.name for action in spoken) for line in lines]
    assert all(count <= line.times for count, line in zip(counts, lines, strict=True))
    order = [lines.index(action.line) for action in spoken if not action.line.standing]
    assert order == sorted(order)
    assert sum(isinstance(action, HangUp) for action in said) <= 1
