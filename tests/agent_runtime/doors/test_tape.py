"""The tape: both sides at their places, whatever the door; a disk that refuses is told at the end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from agent_runtime.clock import run_virtual
from agent_runtime.doors.recording import RecordingDoor
from agent_runtime.doors.tape import Tape
from agent_runtime.ports import Door, Pcm
from agent_runtime.testing import Clip, Line, ScriptedCaller, Segment, at, hang_up
from audio.recordings import RecordingError, open_recording, write_wav

RATE = 16_000


def sides(path: Path) -> tuple[Pcm, Pcm]:
    recording = open_recording(path)
    left, right = (np.concatenate(list(recording.blocks(channel))) for channel in (0, 1))
    return left, right


async def call(tape: Tape, agent_first: int, until: int | None = None) -> None:
    """Play a call; the agent says one frame that is due at `agent_first`."""
    loop = asyncio.get_running_loop()

    async def agent() -> None:
        await asyncio.sleep(agent_first / RATE)
        tape.play(np.full(320, 77, np.int16), agent_first)

    async with asyncio.TaskGroup() as group:
        group.create_task(agent())
        async for block in tape.listen():
            if until is not None and block.first_sample + len(block.pcm) >= until:
                await asyncio.sleep(max(0.0, until / RATE - loop.time()))
                break
    await tape.close()


def test_both_sides_stand_at_their_samples(tmp_path: Path) -> None:
    clip = Clip.of_pcm("hi", np.full(1000, 55, np.int16))
    caller = ScriptedCaller.of_lines(Line("a", at(0.5), (Segment(clip),)), hang_up(at(3.0)))
    tape: Door = Tape(caller, tmp_path / "call.wav")
    assert isinstance(tape, Tape)
    assert (tape.ahead, tape.facts, tape.watch) == (False, caller.facts, caller.watch)
    run_virtual(call(tape, 20_000))
    left, right = sides(tmp_path / "call.wav")
    assert (left[7999], left[8000], left[8999], left[9000]) == (0, 55, 55, 0)
    assert (right[19_999], right[20_000], right[20_319]) == (0, 77, 77)
    assert abs(len(left) - 3 * RATE) <= 320


def test_a_recording_read_ahead_does_not_outrun_the_agent(tmp_path: Path) -> None:
    write_wav(tmp_path / "long.wav", np.full(60 * RATE, 9, np.int16))

    async def main() -> None:
        tape = Tape(RecordingDoor(tmp_path / "long.wav"), tmp_path / "call.wav")
        assert tape.watch is None
        await call(tape, 2 * RATE)

    run_virtual(main())
    left, right = sides(tmp_path / "call.wav")
    assert right[2 * RATE] == 77
    assert len(left) <= 2 * RATE + 640, "what the call did not live to hear is no part of it"
    assert left.all()


def test_a_call_that_never_rang_leaves_an_empty_file_or_none(tmp_path: Path) -> None:
    async def main() -> None:
        tape = Tape(ScriptedCaller.of_lines(hang_up(at(0.0))), tmp_path / "call.wav")
        await tape.close()
        await tape.close()

    run_virtual(main())
    assert not list(tmp_path.glob("*.partial"))


def test_a_disk_that_refuses_is_told_when_the_line_is_down(tmp_path: Path) -> None:
    caller = ScriptedCaller.of_lines(hang_up(at(4.0)))

    async def main() -> None:
        tape = Tape(caller, tmp_path / "call.wav")
        tape._writer.close()  # what the writer says then is what it says for a full disk: a RecordingError
        (tmp_path / "call.wav").unlink()
        await call(tape, 0)

    with pytest.raises(RecordingError, match=r"call\.wav"):
        run_virtual(main())
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_refused_before_the_call(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match="cannot be written"):
        Tape(ScriptedCaller.of_lines(hang_up(at(0.0))), tmp_path / "none" / "call.wav")
