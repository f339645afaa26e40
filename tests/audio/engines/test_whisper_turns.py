"""Turns at a worker: one at a time, finals first, and a turn that nobody takes goes on."""

from __future__ import annotations

import asyncio

from agent_runtime.clock import run_virtual
from audio.engines.whisper.turns import Turns


def test_finals_first_then_partials_each_in_the_order_of_asking() -> None:
    order: list[str] = []

    async def take(turns: Turns, name: str) -> None:
        async with turns.turn(final=name.startswith("final")):
            order.append(name)
            await asyncio.sleep(1.0)

    async def main() -> float:
        turns = Turns()
        async with asyncio.TaskGroup() as group:
            for name in ("partial 1", "partial 2", "final 1", "partial 3", "final 2"):
                group.create_task(take(turns, name))
        assert turns.waiting == (0, 0)
        return asyncio.get_running_loop().time()

    assert run_virtual(main()) == 5.0, "one at a time"
    assert order == ["partial 1", "final 1", "final 2", "partial 2", "partial 3"]


def test_a_turn_that_comes_together_with_a_cancelling_goes_to_the_next() -> None:
    async def hold(turns: Turns) -> str:
        async with turns.turn(final=False):
            return "had it"

    async def main() -> str:
        turns = Turns()
        async with asyncio.TaskGroup() as group:
            async with turns.turn(final=True):
                first, second = group.create_task(hold(turns)), group.create_task(hold(turns))
                await asyncio.sleep(1.0)
            first.cancel()  # it was just handed the turn and has not run since
            await asyncio.sleep(1.0)
            assert first.cancelled()
            return await second

    assert run_virtual(main()) == "had it"


def test_a_fault_inside_gives_the_turn_back() -> None:
    async def main() -> None:
        turns = Turns()
        for _ in range(2):
            try:
                async with turns.turn(final=False):
                    raise KeyError
            except KeyError:
                assert turns.waiting == (0, 0)
        async with turns.turn(final=True):
            pass

    run_virtual(main())
