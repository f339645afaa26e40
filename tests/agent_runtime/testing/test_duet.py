"""Duets: what one agent is heard to say is what the other one hears, word for word, also where they interrupt."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.agent import Agent
from agent_runtime.boxed import BOXED_MODEL, COMPANIES, FRONT_DESK
from agent_runtime.call import Call, CallError
from agent_runtime.clock import run_virtual
from agent_runtime.listening_words import SpokenPiece
from agent_runtime.log import read_log
from agent_runtime.testing import run_duet
from agent_runtime.testing.duet import DuetDoor, line
from agent_runtime.testing.fakes import FakeEngine, FakeSession, Reply, WordLanguage
from audio.heard import NextWord
from tests.agent_runtime.scenes import NOTHING_AHEAD, desk, parts

MS = 16
boxed = pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box")


def in_turn(*turns: str) -> Reply:
    """A reply function that says these one after the other, and goodbye when they run out."""
    waiting = list(turns)

    def reply(text: str) -> str:
        said = waiting.pop(0) if waiting else "goodbye. <bye>"
        return f"<think> none <expect> more <say> {said}" + " <end>" * ("<bye>" not in said)

    return reply


def ringing(**settings: Any) -> Agent:
    """An agent that rings and lets the other side speak first, or greets as well."""
    return desk(direction="outbound", **{"greeting": "", **settings})


def duet(left: Agent, right: Agent, says: Reply, answers: Reply, **settings: Any) -> tuple[Call, Call]:
    """A duet of fakes, who say one thing after the other and so think nothing ahead."""
    left, right = (dataclasses.replace(agent, thinking=NOTHING_AHEAD) for agent in (left, right))
    return run_duet(left, right, parts=(parts(left, says), parts(right, answers)), **settings)


def plain(text: str) -> list[str]:
    return re.sub(r"[.,?!]", "", text.lower()).split()


def said(call: Call) -> list[str]:
    """The words that were heard of the agent of this call, in order."""
    heard: dict[int, str] = {}
    for entry in call.entries:
        if isinstance(entry.what, ev.UtteranceHeard):
            heard[entry.what.utterance] = entry.what.text
    return [word for text in heard.values() for word in plain(text)]


def heard(call: Call) -> list[str]:
    """The words that the agent of this call heard of the other one, in order."""
    finals = (entry.what.text for entry in call.entries if isinstance(entry.what, ev.FinalTranscript))
    return [word for text in finals for word in text.split()]


def of(call: Call, kind: type) -> list[Any]:
    return [entry.what for entry in call.entries if isinstance(entry.what, kind)]


def same_words(left: Call, right: Call) -> None:
    """Each side heard what was heard of the other; only who ends the call may miss the last words' text."""
    for one, other in ((left, right), (right, left)):
        assert heard(one)
        whole = one.ended.reason == "caller_hung_up"
        assert heard(one) == (said(other) if whole else said(other)[: len(heard(one))])


# --- two agents --------------------------------------------------------------------------------------------------


def test_two_agents_take_turns_and_each_hears_the_other_to_the_last_word() -> None:
    left, right = duet(
        ringing(), desk(),
        in_turn("i would like an appointment.", "on wednesday please.", "that is all. goodbye. <bye>"),
        in_turn("which day?", "it is booked. anything else?"),
    )  # fmt: skip
    assert left.transcript == (
        ("caller", "good morning how can i help"),
        ("agent", "i would like an appointment."),
        ("caller", "which day"),
        ("agent", "on wednesday please."),
        ("caller", "it is booked anything else"),
        ("agent", "that is all. goodbye."),
    )
    assert right.transcript == (
        ("agent", "good morning. how can i help?"),
        ("caller", "i would like an appointment"),
        ("agent", "which day?"),
        ("caller", "on wednesday please"),
        ("agent", "it is booked. anything else?"),
        ("caller", "that is all goodbye"),
    )
    assert (left.ended.reason, right.ended.reason) == ("agent_hung_up", "caller_hung_up")
    assert heard(left) == said(right)
    assert heard(right) == said(left)


def test_words_arrive_at_the_samples_at_which_they_were_spoken() -> None:
    left, right = duet(ringing(), desk(greeting="good morning."), in_turn(), in_turn())
    started = of(right, ev.UtteranceStarted)[0].sample
    assert of(left, ev.SpeechStarted)[0].sample == started
    word = 350 * MS
    assert of(left, ev.FinalTranscript)[0].words == (
        ("good", started, started + word),
        ("morning", started + word, started + 2 * word),
    )
    assert of(left, ev.SpeechStopped)[0].sample == started + 2 * word == of(right, ev.UtteranceEnded)[0].sample
    known = {type(entry.what): entry.at_us // 1000 for entry in reversed(left.entries)}
    begin_ms = started // MS
    assert known[ev.SpeechStarted] == begin_ms + 64
    assert known[ev.PartialTranscript] == begin_ms + 350 + 150
    assert known[ev.FinalTranscript] == begin_ms + 700 + 250


def test_an_agent_that_is_interrupted_is_heard_as_far_as_it_came() -> None:
    left, right = duet(
        ringing(greeting="hello there. i am calling about the contract of anna miller who wants to cancel it today."),
        desk(greeting="riverside clinic good morning this is the front desk speaking how can i help you today?"),
        in_turn("sorry.", "please go on."), in_turn("i see.", "all right."),
    )  # fmt: skip
    for call in (left, right):
        yields = [
            entry.at_us
            for entry in call.entries
            if isinstance(entry.what, do.Decision) and entry.what.action == "yield"
        ]
        assert yields, "both began at once, so each was interrupted"
        assert yields[0] < 2_000_000
    first = of(left, ev.UtteranceHeard)[-1]
    assert not all(heard.complete for heard in of(left, ev.UtteranceHeard)), first
    same_words(left, right)


def test_the_one_who_rings_does_not_greet() -> None:
    left, _ = duet(desk(greeting="first clinic."), desk(greeting="second clinic."), in_turn(), in_turn())
    assert left.transcript == (("caller", "second clinic"), ("agent", "goodbye."))
    started = left.entries[0].what
    assert isinstance(started, ev.CallStarted)
    assert (started.direction, started.counterparty, started.call_id) == ("outbound", "desk", "duet-left")


def test_two_agents_who_both_wait_give_up() -> None:
    left, right = duet(ringing(), ringing(), in_turn(), in_turn())
    reasons = {left.ended.reason, right.ended.reason}
    assert reasons <= {"agent_hung_up", "caller_hung_up"}
    assert "agent_hung_up" in reasons


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_said_over_what_the_same_words_are_heard(seed: int) -> None:
    """Turns of all lengths, with pauses in them where a look-up lies, so that the sides run into each other."""

    def turns(offset: int) -> Reply:
        words = "so we have been looking at this for a while and i think that it is time to decide what to do".split()
        lengths = [(seed * 7 + offset + n * 5) % 19 + 1 for n in range(8)]
        texts = [" ".join(words[:length]) + "." for length in lengths]
        calls = iter([text if n % 3 else None for n, text in enumerate(texts)])

        def reply(text: str) -> str:
            if text.rstrip().endswith("two"):
                return "<expect> more <say> " + texts[offset % 8] + " <end>"
            said = next(calls, "goodbye. <bye>")
            if said is None:
                return "<think> none <expect> slots <call> find_slots day monday <end>"
            return f"<think> none <expect> more <say> {said}" + " <end>" * ("<bye>" not in said)

        return reply

    one, other = ringing(greeting="hello. " * (seed % 3)), desk(greeting="good morning to you. " * (seed % 4 + 1))
    left, right = duet(one, other, turns(0), turns(3))
    same_words(left, right)


# --- the end -----------------------------------------------------------------------------------------------------


def test_a_goodbye_is_heard_before_the_line_is_gone() -> None:
    left, right = duet(ringing(), desk(), in_turn("goodbye then. <bye>"), in_turn())
    assert right.transcript[-1] == ("caller", "goodbye then")
    hung_up = of(left, ev.UtteranceEnded)[-1].sample
    assert of(right, ev.CallerHungUp) == [ev.CallerHungUp(hung_up + 300 * MS)]


def test_a_fault_on_one_side_ends_both_and_is_raised() -> None:
    class Spoilt(FakeEngine):
        async def open(self, session: str, *, adapter: Any = None, priority: int = 0) -> FakeSession:
            raise OSError("no session")

    language = WordLanguage()
    broken = parts(desk(), in_turn(), language=language, engine=Spoilt(language, in_turn()))
    with pytest.raises(OSError, match=r"^no session$"):
        run_duet(ringing(), desk(), parts=(parts(ringing(), in_turn()), broken))


def test_what_cannot_be_played_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(CallError, match=r"^agent 'desk' has no date for today: give today=datetime.date\(...\)$"):
        duet(ringing(), desk(today=None), in_turn(), in_turn())
    with pytest.raises(CallError, match="exists; name a new one or remove it first"):
        duet(ringing(), desk(), in_turn(), in_turn(), out=tmp_path)
    assert list(tmp_path.iterdir()) == []


# --- the logs ----------------------------------------------------------------------------------------------------


def logs(folder: Path) -> list[bytes]:
    return [(folder / side / "events.jsonl").read_bytes() for side in ("left", "right")]


def test_a_duet_leaves_a_folder_for_each_side(tmp_path: Path) -> None:
    left, right = duet(ringing(), desk(), in_turn("hello."), in_turn(), out=tmp_path / "deep" / "one")
    assert left.folder == tmp_path / "deep" / "one" / "left"
    assert right.folder is not None
    assert tuple(read_log(right.folder / "events.jsonl")) == right.entries
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["one"], "no temporary folder is left"


@boxed
def test_two_front_desks_ask_each_other_until_the_time_is_up_and_leave_the_same_bytes_twice(tmp_path: Path) -> None:
    front_desk = dataclasses.replace(Agent.load(FRONT_DESK), time_limit_s=30.0)
    for name in ("one", "two"):
        left, right = run_duet(front_desk, front_desk, out=tmp_path / name)
    assert {left.ended.reason, right.ended.reason} <= {"time_limit", "caller_hung_up", "agent_hung_up"}
    for call in (left, right):
        assert any(party == "agent" and text.endswith("?") for party, text in call.transcript)
    same_words(left, right)
    assert logs(tmp_path / "one") == logs(tmp_path / "two")
    assert min(map(len, logs(tmp_path / "one"))) > 5_000


@boxed
def test_an_agent_that_rings_and_one_that_is_rung_talk() -> None:
    left, right = run_duet(dataclasses.replace(Agent.load(COMPANIES), time_limit_s=20.0), Agent.load(FRONT_DESK))
    assert left.transcript[0] == ("caller", "good morning riverside clinic how can i help")
    same_words(left, right)


# --- the line ----------------------------------------------------------------------------------------------------

Told = tuple[int, int, int, Sequence[tuple[str, int, int]]]
"""At a millisecond: (at, utterance, characters heard, words ahead as (text, first, end) in milliseconds)."""


def over_the_line(
    *told: Told, until_ms: int, before: Callable[[DuetDoor], None] = lambda door: None
) -> list[SpokenPiece]:
    """What the right side hears when the left side's playout tells this and then hangs up; milliseconds throughout."""

    async def main() -> list[SpokenPiece]:
        left, right = line(ringing(), desk())
        pieces: list[SpokenPiece] = []
        loop = asyncio.get_running_loop()

        async def listen(door: DuetDoor, into: list[SpokenPiece]) -> None:
            async for piece in door.listen_words():
                samples = [(word, first // MS, end // MS) for word, first, end in piece.words]
                into.append(SpokenPiece(piece.first_sample // MS, tuple(samples), piece.no_floor, piece.ends))

        async with asyncio.TaskGroup() as group:
            group.create_task(listen(right, pieces))
            group.create_task(listen(left, []))
            for at_ms, utterance, heard_chars, words in told:
                await asyncio.sleep(at_ms / 1000 - loop.time())
                text = " ".join(word for word, _, _ in words)
                starts = [text.index(word) for word, _, _ in words]
                left.play_words(
                    utterance,
                    heard_chars,
                    [
                        NextWord(word, heard_chars + at + len(word), first * MS, end * MS)
                        for at, (word, first, end) in zip(starts, words, strict=True)
                    ],
                )
            await asyncio.sleep(until_ms / 1000 - loop.time())
            await left.close()
            await right.close()
        return pieces

    return run_virtual(main())


def test_a_word_is_handed_on_when_it_is_over_and_a_pause_ends_the_segment() -> None:
    pieces = over_the_line(
        (1000, 1, 0, [("Hello,", 1000, 1300), ("there.", 1300, 1700)]), (1700, 1, 13, []), until_ms=2500
    )
    assert pieces == [
        SpokenPiece(1000),
        SpokenPiece(1000, (("hello", 1000, 1300),)),
        SpokenPiece(1300, (("there", 1300, 1700),)),
        SpokenPiece(1700, ends=True),
    ]


def test_a_word_broken_off_is_heard_if_the_speaker_counts_it_and_is_mere_sound_otherwise() -> None:
    words = [("hello", 1000, 1300), ("there", 1300, 1700)]
    counted = over_the_line((1000, 1, 0, words), (1550, 1, 11, []), until_ms=2500)
    assert counted[2:] == [SpokenPiece(1300, (("there", 1300, 1550),)), SpokenPiece(1550, ends=True)]
    lost = over_the_line((1000, 1, 0, words), (1400, 1, 5, []), until_ms=2500)
    assert lost[1:] == [SpokenPiece(1000, (("hello", 1000, 1300),)), SpokenPiece(1400, ends=True)]
    nothing = over_the_line((1000, 1, 0, words), (1100, 1, 0, []), until_ms=2500)
    assert nothing == [SpokenPiece(1000), SpokenPiece(1100, ends=True)]


def test_speech_taken_up_again_brings_each_word_once() -> None:
    words = [("hello", 1000, 1400), ("there", 1400, 1800)]
    again = [("hello", 1800, 2100), ("there", 2100, 2500)]
    counted = over_the_line(
        (1000, 1, 0, words), (1300, 1, 5, []), (2000, 1, 0, again), (2500, 1, 11, []), until_ms=3000
    )
    assert [piece.words for piece in counted if piece.words] == [
        (("hello", 1000, 1300),),
        (("there", 2100, 2500),),
    ]
    assert [piece.first_sample for piece in counted if not piece.words] == [1000, 1300, 2000, 2500]
    lost = over_the_line((1000, 1, 0, words), (1100, 1, 0, []), (2000, 1, 0, again), (2500, 1, 11, []), until_ms=3000)
    assert [piece.words for piece in lost if piece.words] == [(("hello", 2000, 2100),), (("there", 2100, 2500),)]


def test_plans_that_change_while_a_word_sounds_change_no_word_before() -> None:
    first = [("hello", 1000, 1400)]
    more = [("hello", 1000, 1350), ("there", 1350, 1700)]
    pieces = over_the_line((1000, 1, 0, first), (1200, 1, 0, more), (1700, 1, 11, []), until_ms=2500)
    assert [piece.words for piece in pieces if piece.words] == [(("hello", 1000, 1350),), (("there", 1350, 1700),)]
    assert len([piece for piece in pieces if piece.ends]) == 1


def test_a_hum_sounds_like_one_before_its_words_are_known() -> None:
    assert over_the_line((1000, 1, 0, [("Mm-hm.", 1000, 1300)]), (1300, 1, 6, []), until_ms=2000)[0].no_floor
    assert not over_the_line((1000, 1, 0, [("mm", 1000, 1300), ("no", 1300, 1500)]), until_ms=2000)[0].no_floor


def test_keys_and_transfers_reach_nobody() -> None:
    async def main() -> None:
        left, right = line(ringing(), desk())
        assert (left.facts["counterparty"], right.facts["direction"]) == ("desk", "inbound")
        await left.send_digits("1")
        assert not await right.transfer("somebody")

    run_virtual(main())
