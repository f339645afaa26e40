"""Random calls write nothing that nobody wished for; and the judge would see it if they did."""

from __future__ import annotations

import pytest

from agent_runtime.bench.side_effects import RandomCall, side_effects
from policies import tool_gate
from policies.tool_gate import Block, Gate
from tests.agent_runtime.scenes import talk

READ_BACK = "so that is wednesday at ten thirty for miller, is that right?"


def test_nothing_is_written_that_nobody_wished_for() -> None:
    figure = side_effects(60)
    assert (figure.key, figure.value, figure.n, figure.reason) == ("wrong_side_effects", 0, 60, "")
    judges = [RandomCall(seed).play() for seed in range(60)]
    assert sum(judge.writes for judge in judges) > 20, "else nothing could go wrong"
    assert sum(judge.adopted for judge in judges) > 100
    assert sum(judge.early for judge in judges) > 0


def test_the_same_seed_is_the_same_call() -> None:
    first, second = RandomCall(7).play(), RandomCall(7).play()
    assert (first.writes, first.adopted, first.wrong) == (second.writes, second.adopted, second.wrong)


def test_a_gate_that_lets_everything_through_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool_gate, "decide", lambda *given, **settings: Gate(True, Block.CONFIRMED))
    wrong = [line for seed in range(20) for line in RandomCall(seed).play().wrong]
    assert any("not read back" in line for line in wrong)
    assert any("not agreed" in line or "twice" in line for line in wrong)


def test_one_agreement_is_one_write() -> None:
    """The model asks for the same booking again after its result: found by the random calls."""
    scene = talk()
    booking = {"day": "wednesday", "time": "ten thirty", "name": "miller"}
    scene.turn("wednesday at ten thirty for miller", 1000)
    scene.thinks(1, "book", "yes")
    scene.writes(1, READ_BACK)
    scene.ends(1)
    scene.sounds(1, 2200)
    scene.played(1, READ_BACK, 6000)
    scene.turn("yes please", 7000)
    scene.thinks(2)
    assert "call 1 book day=wednesday time=ten thirty name=miller" in scene.wants(2, "book", **booking)
    scene.returns(1, "book", "ok", 9000)
    again = scene.wants(3, "book", **booking)
    assert [order for order in again if order.startswith("call")] == []
    assert "(wait: book held back: nothing asked)" in again
