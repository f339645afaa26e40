"""The caller behind its door, in virtual time: audio at the exact sample, words without ticking, labels as played."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from agent_runtime.clock import Deadlock, run_virtual, stopwatch
from agent_runtime.events import Event, UtteranceEnded, UtteranceHeard, UtterancePaused, UtteranceStarted
from agent_runtime.ports import Door, Pcm
from agent_runtime.record import Entry
from agent_runtime.testing import (
    Clip,
    Line,
    ScriptedCaller,
    ScriptError,
    Segment,
    SpokenClip,
    Word,
    after_turn,
    at,
    hang_up,
    into_turn,
    read_labels,
    says,
    write_labels,
)

RATE = 16_000
LOUD: Pcm = np.tile(np.array([3000, -3000], np.int16), 160)


def tone(text: str, n_samples: int) -> Clip:
    """A clip that is loud from its first to its last sample, one word long."""
    pcm = np.resize(LOUD, n_samples).astype(np.int16)
    return Clip.of_pcm(text, pcm, [Word(text, 0, n_samples)])


def line(name: str, trigger: object, *segments: Segment, **more: object) -> Line:
    return Line(name, trigger, segments, **more)  # type: ignore[arg-type]


def entry(what: Event) -> Entry:
    return Entry(1, 0, 0, what)


def test_it_is_a_door() -> None:
    door: Door = ScriptedCaller.of_lines(hang_up(at(0.0)))
    assert not door.ahead
    assert door.facts == {"counterparty": "+15550100", "direction": "inbound"}


async def heard(caller: ScriptedCaller) -> tuple[Pcm, list[float]]:
    """The whole line, and when each block came."""
    blocks: list[Pcm] = []
    times: list[float] = []
    async for block in caller.listen():
        assert block.first_sample == sum(len(one) for one in blocks)
        blocks.append(block.pcm)
        times.append(round(asyncio.get_running_loop().time(), 9))
    return np.concatenate(blocks), times


def test_clips_stand_at_their_exact_samples_and_blocks_come_when_they_are_complete() -> None:
    caller = ScriptedCaller.of_lines(
        line("a", at(0.1), Segment(tone("hi", 1000)), Segment(tone("there", 500), pause_ms=700)), hang_up(at(1.5))
    )
    pcm, times = run_virtual(heard(caller))
    loud = np.flatnonzero(pcm)
    assert (loud[0], loud[-1]) == (1600, 1600 + 1000 + 11_200 + 500 - 1)
    assert not pcm[2600 : 2600 + 11_200].any()
    assert times[:3] == [0.02, 0.04, 0.06]
    assert len(pcm) == round(1.5 * RATE)
    (turn,) = caller.labels().turns
    assert (turn.kind, turn.text, turn.first_sample, turn.last_sample) == ("turn", "hi there", 1600, 14_299)
    assert turn.segments == ((1600, 2600), (13_800, 14_300))
    assert [(word.text, word.start_sample, word.end_sample) for word in turn.words] == [
        ("hi", 1600, 2600),
        ("there", 13_800, 14_300),
    ]


def test_it_hears_frames_by_their_level_and_answers_after_the_last_loud_one() -> None:
    caller = ScriptedCaller.of_lines(line("yes", after_turn(0.6), Segment(tone("yes", 800))), hang_up(after_turn(9)))

    async def agent() -> None:
        loop = asyncio.get_running_loop()
        for first in range(0, 2 * RATE, 320):
            await asyncio.sleep(first / RATE - loop.time())
            caller.play(LOUD if first < RATE else np.full(320, 30, np.int16), first)

    async def main() -> Pcm:
        async with asyncio.TaskGroup() as group:
            group.create_task(agent())
            line_heard = group.create_task(heard(caller))
        return line_heard.result()[0]

    assert np.flatnonzero(run_virtual(main()))[0] == round(1.6 * RATE)


def test_a_ducked_agent_is_not_heard() -> None:
    caller = ScriptedCaller.of_lines(line("yes", after_turn(0.6), Segment(tone("yes", 800))))
    caller.watch(entry(UtteranceStarted(1, 0)))

    async def main() -> float:
        loop = asyncio.get_running_loop()
        listening = caller.listen()
        async for _ in listening:
            now = round(loop.time() * RATE)
            if now == RATE:
                caller.watch(entry(UtterancePaused(1, now)))
            if caller.said:
                return caller.said[0][1] / RATE
            caller.play(LOUD, now)
        raise AssertionError("the caller hung up")

    assert run_virtual(main()) == 1.6


def test_noise_is_seeded_and_as_loud_as_asked() -> None:
    def floor(seed: int) -> Pcm:
        return run_virtual(heard(ScriptedCaller.of_lines(hang_up(at(5.0)), noise_dbfs=-60.0, seed=seed)))[0]

    first = floor(1)
    assert np.array_equal(first, floor(1))
    assert not np.array_equal(first, floor(2))
    level = 20 * np.log10(np.sqrt(np.mean(np.square(first.astype(np.float64)))) / 32768)
    assert level == pytest.approx(-60.0, abs=0.2)


def test_the_agent_hanging_up_ends_the_call_and_cuts_the_label() -> None:
    caller = ScriptedCaller.of_lines(line("a", at(0.0), Segment(tone("hello", RATE)), Segment(tone("again", 800), 100)))

    async def main() -> int:
        n_samples = 0
        async for block in caller.listen():
            n_samples += len(block.pcm)
            if n_samples == 1600:
                await caller.close()
        return n_samples

    assert run_virtual(main()) == 1600
    (turn,) = caller.labels().turns
    assert (turn.first_sample, turn.last_sample, turn.text) == (0, 1599, "")


async def spoken(caller: ScriptedCaller, *agent: tuple[float, Event]) -> list[tuple[float, SpokenClip]]:
    """What it says in a call of words, while the agent's log goes as given (time, event)."""
    loop = asyncio.get_running_loop()

    async def log() -> None:
        for time_s, what in agent:
            await asyncio.sleep(time_s - loop.time())
            caller.watch(entry(what))

    async with asyncio.TaskGroup() as group:
        group.create_task(log())
        return [(round(loop.time(), 6), clip) async for clip in caller.listen_words()]


def test_words_come_as_each_clip_begins() -> None:
    caller = ScriptedCaller.of_lines(
        line(
            "request",
            after_turn(0.6, when=says("help")),
            Segment(Clip.estimated("hi")),
            Segment(Clip.estimated("wednesday"), pause_ms=700),
        ),
        line("mm-hm", into_turn(1.0), Segment(Clip.estimated("mm-hm")), kind="backchannel"),
        hang_up(after_turn(1.0)),
    )
    found = run_virtual(
        spoken(
            caller,
            (0.0, UtteranceStarted(1, 0)),
            (2.0, UtteranceHeard(1, 2 * RATE, True, "how can i help?")),
            (2.0, UtteranceEnded(1, 2 * RATE, "played")),
            (5.0, UtteranceStarted(2, 5 * RATE)),
            (8.0, UtteranceEnded(2, 8 * RATE, "played")),
        )
    )
    length = Clip.estimated("hi").n_samples
    assert [time_s for time_s, _ in found] == [2.6, 2.6 + length / RATE + 0.7, 6.0]
    assert [word[0] for _, clip in found for word in clip.words] == ["hi", "wednesday", "mm-hm"]
    assert found[0][1].words == (("hi", 41_600, 41_600 + length),)
    assert [turn.kind for turn in caller.labels().turns] == ["turn", "backchannel"]


def test_a_queued_utterance_that_is_dropped_does_not_silence_the_sounding_one() -> None:
    caller = ScriptedCaller.of_lines(line("x", into_turn(1.0), Segment(Clip.estimated("wait"))), hang_up(after_turn(1)))
    found = run_virtual(
        spoken(
            caller,
            (0.0, UtteranceStarted(1, 0)),
            (0.5, UtteranceEnded(2, 8000, "cancelled")),
            (4.0, UtteranceEnded(1, 4 * RATE, "played")),
        )
    )
    assert [time_s for time_s, _ in found] == [1.0]


def test_ten_minutes_of_words_cost_next_to_nothing() -> None:
    say = Clip.estimated("i would like to come in on wednesday at ten thirty please")
    lines = [line(f"l{n}", at(n * 6.0), Segment(say)) for n in range(100)]
    caller = ScriptedCaller.of_lines(*lines, hang_up(at(600.0)))
    took = stopwatch()
    assert len(run_virtual(spoken(caller))) == 100
    assert took() < 0.3


def test_labels_survive_their_file(tmp_path: Path) -> None:
    caller = ScriptedCaller.of_lines(line("a", at(0.0), Segment(Clip.estimated("hello there"))), hang_up(at(3.0)))
    run_virtual(spoken(caller))
    write_labels(tmp_path / "labels.json", caller.labels())
    assert read_labels(tmp_path / "labels.json") == caller.labels()


def test_a_caller_calls_once() -> None:
    caller = ScriptedCaller.of_lines(hang_up(at(0.0)))
    run_virtual(spoken(caller))
    with pytest.raises(ScriptError, match="make a new one"):
        run_virtual(heard(caller))


def test_a_clip_without_audio_needs_a_call_of_words() -> None:
    caller = ScriptedCaller.of_lines(line("a", at(0.0), Segment(Clip.estimated("hello"))))
    with pytest.raises(ScriptError, match="has no audio"):
        run_virtual(heard(caller))


def test_the_noise_floor_has_limits() -> None:
    with pytest.raises(ScriptError, match="noise floor is 5"):
        ScriptedCaller.of_lines(hang_up(at(0.0)), noise_dbfs=5.0)


def test_a_caller_without_patience_is_no_deadlock() -> None:
    caller = ScriptedCaller.of_lines(line("never", after_turn(), Segment(Clip.estimated("hello"))))
    assert run_virtual(spoken(caller)) == []

    talker = ScriptedCaller.of_lines(line("never", after_turn(), Segment(Clip.estimated("hello"))))
    with pytest.raises(Deadlock):
        run_virtual(spoken(talker, (0.0, UtteranceStarted(1, 0))))  # an agent that never stops speaking
