"""A session from ringing to its end: however a call ends, it ends in the same order and leaves nothing behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import events as ev
from agent_runtime.clock import run_virtual
from agent_runtime.commands import HangUp, Say, SendDigits, Transfer
from agent_runtime.log import FileLog
from agent_runtime.record import Entry
from agent_runtime.session import Ears, Session
from agent_runtime.testing import Clip, Line, ScriptedCaller, Segment, after_turn, at, hang_up, into_turn
from agent_runtime.tools import tool
from tests.agent_runtime.scenes import clip, desk, play
from tests.agent_runtime.sessions import ASKS, BYE, SAYS, WISH, CountedCaller, Loud, Scene, line
from tests.agent_runtime.test_listening import CountingRecogniser, LoudnessDetector, sound

# --- ends as they should be --------------------------------------------------------------------------------------


def test_the_agent_says_goodbye_and_hangs_up() -> None:
    scene = Scene(WISH, BYE).plays()
    assert scene.error is None
    assert scene.ended == ("agent_hung_up", "")
    assert scene.said == [
        "good morning. how can i help?",
        "let me look.",
        "i have ten thirty or two. which one?",
        "goodbye.",
    ]
    order = next(entry for entry in scene.kept if isinstance(entry.what, HangUp))
    assert scene.kept[-1].cause == order.seq


def test_the_caller_hangs_up_in_the_middle_of_an_answer_and_what_was_heard_is_kept() -> None:
    scene = Scene(ASKS, hang_up(into_turn(1.4))).plays()
    assert scene.ended == ("caller_hung_up", "")
    assert scene.said[-1] == "we are open from"
    (last,) = [e for e in scene.of(ev.UtteranceEnded) if e.utterance == 2]
    assert last.reason == "cancelled"


def test_the_caller_hangs_up_while_it_still_rings_nothing_is_said() -> None:
    scene = Scene(hang_up(at(0.0))).plays()
    assert scene.ended == ("caller_hung_up", "")
    assert scene.of(ev.UtteranceStarted) == []


def test_a_tool_under_way_is_given_up_when_the_caller_leaves() -> None:
    given_up: list[bool] = []

    @tool(effect="read", timeout_s=500.0)
    async def find_slots(day: str) -> str:
        """Takes its time."""
        try:
            await asyncio.sleep(400)
        finally:
            given_up.append(True)
        return "none"

    scene = Scene(WISH, hang_up(at(9.0)), tools=[find_slots]).plays()
    assert scene.ended == ("caller_hung_up", "")
    assert given_up == [True]
    assert scene.took_s < 15


def test_the_time_limit_ends_the_call() -> None:
    scene = Scene(line("never", "x", 900.0))
    scene.agent = desk(time_limit_s=5.0)
    assert scene.plays().ended == ("time_limit", "")
    assert scene.took_s == 5.0


# --- the program ends the call -----------------------------------------------------------------------------------


@pytest.mark.parametrize("after_s", [0.0, 0.5, 3.0, 4.0, 6.0])
def test_a_call_cancelled_from_outside_ends_like_any_other(after_s: float) -> None:
    async def cancel(playing: asyncio.Task[Any]) -> None:
        await asyncio.sleep(after_s)
        playing.cancel()

    scene = Scene(WISH, BYE).plays(cancel)
    assert scene.error is None or isinstance(scene.error, asyncio.CancelledError)
    assert scene.ended == ("cancelled", "the program ended the call")
    assert round(scene.took_s, 9) == after_s


def test_a_call_cancelled_before_it_began_leaves_no_log_and_no_line() -> None:
    scene = Scene(WISH)

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(scene._run(None))
            task.cancel()

    run_virtual(main())
    assert scene.kept == []


# --- the line's own orders ---------------------------------------------------------------------------------------


def ordering(session: Session, *orders: Any) -> None:
    """Make the mind give these orders when the greeting has ended."""
    receive = session.mind.receive

    def more(entry: Entry) -> Any:
        given = receive(entry)
        if isinstance(entry.what, ev.UtteranceEnded) and entry.what.utterance == 1:
            given = [*orders, *given]
        return given

    session.mind.receive = more  # type: ignore[method-assign]


def test_keys_and_transfers_go_through_the_door() -> None:
    scene = Scene(WISH, BYE, spoil=lambda s: ordering(s, SendDigits("12#"), Transfer("sales"))).plays()
    assert scene.of(ev.DigitsSent) == [ev.DigitsSent(3)]
    assert scene.of(ev.TransferEnded) == [ev.TransferEnded(True, "")]
    assert scene.door.digits == ["1", "2", "#"]
    assert scene.door.transfers == ["sales"]


def test_a_door_that_cannot_send_keys_or_transfer_says_so_and_the_call_goes_on() -> None:
    class Deaf(CountedCaller):
        async def send_digits(self, digits: str) -> None:
            raise OSError("no keys here")

        async def transfer(self, target: str) -> bool:
            raise OSError("no way to sales")

    scene = Scene(
        door=Deaf.of_lines(WISH, BYE), spoil=lambda s: ordering(s, SendDigits("1"), Transfer("sales"))
    ).plays()
    assert scene.of(ev.PartFailed) == [ev.PartFailed("door", True, "OSError: no keys here")]
    assert scene.of(ev.TransferEnded) == [ev.TransferEnded(False, "OSError: no way to sales")]
    assert scene.ended == ("agent_hung_up", "")


# --- same inputs, same log ---------------------------------------------------------------------------------------


def test_the_same_call_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        door = ScriptedCaller.of_lines(
            Line("wish", after_turn(0.6), (Segment(clip("i would like")), Segment(clip("wednesday"), 700))),
            Line("hum", into_turn(0.8), (Segment(clip("i see")),), kind="backchannel"),
            Line("asks", after_turn(1.5), (Segment(clip("what are your opening hours")),)),
            Line("cuts in", into_turn(1.0), (Segment(clip("no wait")),), kind="barge_in"),
            BYE,
        )
        play(desk(), door, SAYS, log=FileLog(tmp_path / name))
    one, two = ((tmp_path / name).read_bytes() for name in ("one", "two"))
    assert one == two
    assert one.count(b"\n") > 100
    assert b'"Resume"' in one
    assert b'"Cancel"' in one


def test_causes_point_back_to_what_was_answered() -> None:
    scene = Scene(WISH, BYE).plays()
    by_seq = {entry.seq: entry for entry in scene.kept}
    for entry in scene.kept:
        assert entry.cause < entry.seq
        if isinstance(entry.what, ev.UtteranceStarted):
            order = by_seq[entry.cause].what
            assert isinstance(order, Say)
            assert order.utterance == entry.what.utterance
        if isinstance(entry.what, ev.ToolReturned):
            assert type(by_seq[entry.cause].what).__name__ == "CallTool"
        if isinstance(entry.what, (ev.SpeechStopped, ev.FinalTranscript)):
            assert isinstance(by_seq[entry.cause].what, ev.SpeechStarted)


# --- live, and with sound ----------------------------------------------------------------------------------------


def test_a_live_call_says_when_the_loop_was_late() -> None:
    async def blocked(playing: asyncio.Task[Any]) -> None:
        loop: Any = asyncio.get_running_loop()
        await asyncio.sleep(1.1)
        loop._now += 0.163
        await asyncio.sleep(1.0)
        loop._now += 0.005

    scene = Scene(WISH, BYE, live=True).plays(blocked)
    assert scene.of(ev.LoopLagged) == [ev.LoopLagged(13.0)]
    assert Scene(WISH, BYE).plays(blocked).of(ev.LoopLagged) == [], "a replay has no real loop to be late"


def test_a_call_with_sound_is_heard_by_detector_and_recogniser() -> None:
    def loud(text: str) -> Clip:
        words = clip(text)
        return Clip(
            text, words.words, words.n_samples, sound((0.0, words.n_samples / 16_000), seconds=words.n_samples / 16_000)
        )

    door = CountedCaller.of_lines(Line("wish", after_turn(0.6), (Segment(loud("i would like wednesday")),)))
    recogniser = CountingRecogniser()
    ears = Ears(LoudnessDetector(), recogniser)
    scene = Scene(door=door, ears=ears, voice=Loud()).plays()
    assert [what.text.split()[0] for what in scene.of(ev.FinalTranscript)] == ["w1"]
    assert scene.said[1] == "sorry?"
    assert scene.said[-1] == "i cannot hear you, so i will hang up now. goodbye."
    assert scene.ended == ("agent_hung_up", ""), "the caller had no more to say"
    assert recogniser.closed == 1


def test_audio_that_breaks_off_under_known_words_ends_the_call() -> None:
    class Broken(CountedCaller):
        async def listen(self) -> AsyncIterator[Any]:
            nothing: tuple[Any, ...] = ()
            for one in nothing:
                yield one
            await asyncio.sleep(1.0)
            raise OSError("file is cut off")

    scene = Scene(door=Broken.of_lines(WISH), ears=Ears(audible=True)).plays()
    assert scene.of(ev.PartFailed) == [ev.PartFailed("door", False, "OSError: file is cut off")]
    assert scene.took_s == 1.0
