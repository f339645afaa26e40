"""Recordings as callers: the right channel, gapless, at its time."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from agent_runtime.clock import run_virtual
from agent_runtime.doors.recording import RecordingDoor, RecordingDoorError
from agent_runtime.ports import Door, Pcm
from audio.recordings import CallWriter, write_wav

RATE = 16_000


def ramp(n_samples: int) -> Pcm:
    return (np.arange(n_samples) % 1000).astype(np.int16)


async def heard(door: RecordingDoor, stop_at: int | None = None) -> tuple[Pcm, list[tuple[int, int, float]]]:
    """All audio, and (first sample, length, time) of each block."""
    parts: list[Pcm] = []
    blocks = []
    async for block in door.listen():
        blocks.append((block.first_sample, len(block.pcm), round(asyncio.get_running_loop().time(), 6)))
        parts.append(block.pcm)
        if stop_at is not None and block.first_sample >= stop_at:
            await door.close()
    return np.concatenate([np.zeros(0, np.int16), *parts]), blocks


@pytest.fixture
def mono(tmp_path: Path) -> Path:
    write_wav(tmp_path / "mono.wav", ramp(40_000))
    return tmp_path / "mono.wav"


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    with CallWriter(tmp_path / "stereo.wav") as writer:
        writer.write("caller", 0, ramp(8000))
        writer.write("agent", 0, -ramp(8000))
    return tmp_path / "stereo.wav"


def test_ahead_of_time_it_gives_blocks_of_a_second(mono: Path) -> None:
    door: Door = RecordingDoor(mono)
    assert door.ahead
    assert isinstance(door, RecordingDoor)
    pcm, blocks = run_virtual(heard(door))
    assert np.array_equal(pcm, ramp(40_000))
    assert blocks == [(0, 16_000, 0.0), (16_000, 16_000, 0.0), (32_000, 8000, 0.0)]


def test_in_real_time_each_block_comes_when_it_is_complete(mono: Path) -> None:
    door = RecordingDoor(mono, realtime=True)
    assert not door.ahead
    pcm, blocks = run_virtual(heard(door))
    assert np.array_equal(pcm, ramp(40_000))
    assert blocks[:2] == [(0, 320, 0.02), (320, 320, 0.04)]
    assert blocks[-1] == (39_680, 320, 2.5)


def test_the_caller_is_on_the_left_unless_told(stereo: Path) -> None:
    assert np.array_equal(run_virtual(heard(RecordingDoor(stereo)))[0], ramp(8000))
    assert np.array_equal(run_virtual(heard(RecordingDoor(stereo, caller="right")))[0], -ramp(8000))


def test_a_folder_is_a_call(tmp_path: Path) -> None:
    write_wav(tmp_path / "caller.wav", ramp(500))
    write_wav(tmp_path / "agent.wav", -ramp(500))
    assert np.array_equal(run_virtual(heard(RecordingDoor(tmp_path)))[0], ramp(500))


def test_hanging_up_stops_the_reading(mono: Path) -> None:
    _, blocks = run_virtual(heard(RecordingDoor(mono), stop_at=0))
    assert len(blocks) == 1


def test_a_mono_file_has_no_right_channel(mono: Path) -> None:
    with pytest.raises(RecordingDoorError, match="has one channel"):
        RecordingDoor(mono, caller="right")


def test_the_recorded_caller_takes_nothing(mono: Path) -> None:
    async def main() -> bool:
        door = RecordingDoor(mono)
        door.play(ramp(320), 0)
        await door.send_digits("1")
        return await door.transfer("desk")

    assert run_virtual(main()) is False
