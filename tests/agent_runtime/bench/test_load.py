"""Many calls at once: the canned ears, the line, and what is measured of them, in virtual time."""

from __future__ import annotations

import numpy as np

from agent_runtime import ports
from agent_runtime.bench.load import FRAME, CannedRecogniser, LoadDoor, _carry
from agent_runtime.clock import run_virtual


def test_the_recogniser_hears_a_word_every_320_ms() -> None:
    recogniser: ports.Recogniser = CannedRecogniser()

    async def main() -> list[list[str]]:
        stream = await recogniser.open()
        found = []
        for _ in range(3):
            for hypothesis in await stream.feed(np.zeros(4000, np.int16)):
                found.append([word.text for word in hypothesis.words])
        found.append([word.text for word in (await stream.finish()).words])
        found.append([word.text for word in (await stream.finish()).words])
        await stream.close()
        return found

    assert run_virtual(main()) == [["i"], ["i", "would"], ["i", "would"], ["i"]]


def test_the_line_brings_its_speech_round_and_round_and_in_time() -> None:
    door = LoadDoor(np.arange(1000, dtype=np.int16), 0.1)
    line: ports.Door = door

    async def main() -> list[int]:
        return [int(block.pcm[0]) async for block in line.listen()]

    assert run_virtual(main()) == [0, 320, 640 % 680, 960 % 680, 1280 % 680]
    assert [late for _, late in door.late_ms] == [0.0] * 5
    assert FRAME == 320


def test_calls_with_the_real_detector_are_carried_and_counted() -> None:
    found = run_virtual(_carry(2, 2.0))
    assert found["frames"] == 2 * 101
    assert found["late_p99_ms"] < 20
    assert found["cpu_share"] > 0
