"""The figures: each measures something, says of what, and is null with a reason where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_runtime.bench import Figure, machine, percentile
from agent_runtime.bench.calls import figures
from agent_runtime.bench.engine import batch8, decode, event_cost, extend5, start
from agent_runtime.bench.recorded import compare, recorded_call
from agent_runtime.bench.replays import scripted_call
from agent_runtime.testing import synthesis


def test_percentiles_are_values_that_were_measured() -> None:
    values = [5.0, 1.0, 4.0, 2.0, 3.0]
    assert [percentile(values, share) for share in (0, 20, 50, 95, 100)] == [1.0, 1.0, 3.0, 5.0, 5.0]
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_figure_without_its_key_is_an_object() -> None:
    assert Figure("start_s", 0.5, "s", 3, 0.7, "c", "m", "d").as_json() == {
        "value": 0.5, "unit": "s", "n": 3, "p95": 0.7, "command": "c", "machine": "m", "date": "d", "reason": ""
    }  # fmt: skip


def test_the_machine_is_named() -> None:
    assert "cores, Python 3." in machine()


def test_an_event_costs_something_and_far_less_than_a_frame() -> None:
    figure = event_cost(400)
    assert (figure.key, figure.unit, figure.n) == ("event_cost_us", "us", 400)
    assert figure.value is not None
    assert 1 < figure.value < 20_000


def test_the_model_extends_and_decodes() -> None:
    extend, one = extend5(repeats=3), decode(repeats=3)
    assert (extend.key, extend.unit, extend.n) == ("extend5_ms", "ms", 3)
    assert (one.key, one.unit, one.n) == ("decode_tok_s", "tokens/s", 3)
    for figure in (extend, one):
        assert figure.value is not None
        assert figure.value > 0
        assert figure.p95 is not None
    assert extend.p95 is not None
    assert extend.value is not None
    assert extend.p95 >= extend.value


def test_calls_that_decode_together_are_held_against_one_alone() -> None:
    """Not how much they gain: on a busy machine three rounds say nothing about that."""
    figure = batch8(repeats=3)
    assert (figure.key, figure.n, figure.reason) == ("batch8_speedup", 3, "")
    assert "200 tokens each" in figure.unit
    assert figure.value is not None
    assert figure.value > 0
    assert figure.p95 is not None
    assert figure.p95 <= figure.value, "the spread of a speed is its slow end"


def test_a_call_of_words_runs_far_faster_than_life() -> None:
    figure = scripted_call(60, repeats=1)
    assert (figure.key, figure.unit, figure.n) == ("replay_scripted_speed", "x real time", 1)
    assert figure.value is not None
    assert figure.value > 20


def test_a_start_is_timed_in_a_process_of_its_own() -> None:
    figure = start(repeats=1)
    assert (figure.key, figure.n, figure.reason) == ("start_s", 1, "")
    assert figure.value is not None
    assert 0 < figure.value < 60


@pytest.mark.parametrize("folder", ["", "/no/such/folder"])
def test_without_recordings_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch, folder: str) -> None:
    monkeypatch.setenv("DUOLOGUE_CALLS", folder)
    found = list(recorded_call())
    assert [figure.key for figure in found] == ["replay_call_speed", "commits_with_recorded_agent", "commits_alone"]
    assert {figure.value for figure in found} == {None}
    assert all("DUOLOGUE_CALLS" in figure.reason for figure in found)


def test_turn_ends_are_held_beside_the_recorded_agents_turns() -> None:
    caller = [(1.0, 3.0), (8.0, 9.0), (20.0, 22.0)]
    agent = [(0.0, 0.9), (3.4, 7.0), (9.5, 12.0), (12.5, 13.0), (22.2, 24.0)]
    assert compare([3.3, 10.4, 16.0], caller, agent) == (2, 3)
    assert compare([], caller, agent) == (0, 3)
    assert compare([2.0, 2.2, 3.3], caller, agent) == (1, 3)


def test_without_a_voice_for_callers_every_figure_of_calls_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    if synthesis.available() is None:
        pytest.skip("the voices are found without the PATH")
    found = list(figures(5))
    assert [figure.key for figure in found] == [
        "first_sound_p50_ms", "cut_in_share", "yield_p95_ms", "backchannel_cut_share", "calendar_right"
    ]  # fmt: skip
    assert {figure.value for figure in found} == {None}
    assert all("no caller voice" in figure.reason for figure in found)
