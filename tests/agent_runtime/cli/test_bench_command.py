"""``duologue bench``: one object of figures, null with a reason where nothing was measured."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable

import pytest

from agent_runtime.bench import Figure
from agent_runtime.cli.bench import GROUPS, Group
from tests.agent_runtime.cli.lines import line

Capsys = pytest.CaptureFixture[str]

KEYS = (
    "replay_call_speed replay_scripted_speed identical_logs first_sound_p50_ms cut_in_share yield_p95_ms "
    "backchannel_cut_share calendar_right extend5_ms decode_tok_s event_cost_us start_s "
    "commits_with_recorded_agent commits_alone"
).split()
FIELDS = {"value", "unit", "n", "p95", "command", "machine", "date", "reason"}


def cheap(options: Namespace) -> Iterable[Figure]:
    yield Figure("extend5_ms", 1.25, "ms", options.runs, 2.5)


def breaks(options: Namespace) -> Iterable[Figure]:
    yield Figure("extend5_ms", 1.25, "ms", 3)
    raise RuntimeError("the weights are\nof cardboard")


def test_every_key_that_is_promised_is_known() -> None:
    assert sorted(key for group in GROUPS.values() for key in group.keys) == sorted(KEYS)


def test_the_object_holds_every_key_and_field(capsys: Capsys) -> None:
    said = line(capsys, "bench", "core", "--only", "event", "--json")
    assert said.code == 0
    found = json.loads(said.out)
    assert sorted(found) == sorted(KEYS)
    for key, figure in found.items():
        assert set(figure) == FIELDS
        assert (figure["value"] is None) == (key != "event_cost_us")
        assert bool(figure["reason"]) == (figure["value"] is None)
        assert figure["command"].startswith("duologue bench core --only ")
        assert "Python" in figure["machine"]
        assert len(figure["date"]) == 10
    assert found["event_cost_us"]["command"] == "duologue bench core --only event"
    assert found["event_cost_us"]["unit"] == "us"
    assert found["event_cost_us"]["n"] > 1000
    assert found["calendar_right"]["command"] == "duologue bench core --only calls --calls 50"
    assert "event_cost_us" in said.err, "what is measured is told as it comes, beside the object"


def test_figures_are_lines_for_people(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GROUPS, "model", Group(("extend5_ms",), "quick", cheap, ("runs",)))
    said = line(capsys, "bench", "core", "--only", "model", "--runs", "7")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0].split() == ["extend5_ms", "1.25", "ms", "n=7", "p95", "2.5"]
    assert "cores, Python" in said.out


def test_what_breaks_is_null_and_the_rest_goes_on(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(GROUPS, "model", Group(("extend5_ms", "decode_tok_s"), "quick", breaks))
    said = line(capsys, "bench", "core", "--only", "model", "--json")
    found = json.loads(said.out)
    assert found["extend5_ms"]["value"] == 1.25
    assert found["decode_tok_s"]["value"] is None
    assert found["decode_tok_s"]["reason"] == "RuntimeError: the weights are of cardboard"
