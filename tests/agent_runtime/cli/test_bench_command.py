"""``duologue bench``: one object of figures, null with a reason where nothing was measured."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable

import pytest

from agent_runtime.bench import Figure
from agent_runtime.bench.suites import SUITES, Group
from tests.agent_runtime.cli.lines import line

CORE = SUITES["core"].groups
MODEL = SUITES["model"].groups
Capsys = pytest.CaptureFixture[str]

KEYS = (
    "replay_call_speed replay_scripted_speed identical_logs first_sound_p50_ms cut_in_share yield_p95_ms "
    "backchannel_cut_share calendar_right extend5_ms decode_tok_s event_cost_us start_s "
    "commits_with_recorded_agent commits_alone"
).split()
MODEL_KEYS = (
    "success_text success_voice success_hand success_hand_first unconfirmed_writes clarified extend5_ms decode_tok_s "
    "batch8_speedup muon_to_adamw_steps counting_interleaved counting_one_breath counting_paced "
    "sums_interleaved sums_one_breath sums_paced "
    "success_front_desk success_companies success_text_bare success_front_desk_bare success_companies_bare "
    "unconfirmed_writes_voice"
).split()
FIELDS = {"value", "unit", "n", "p95", "command", "machine", "date", "reason"}


def cheap(options: Namespace) -> Iterable[Figure]:
    yield Figure("extend5_ms", 1.25, "ms", options.runs, 2.5)


def breaks(options: Namespace) -> Iterable[Figure]:
    yield Figure("extend5_ms", 1.25, "ms", 3)
    raise RuntimeError("the weights are\nof cardboard")


def test_every_key_that_is_promised_is_known() -> None:
    for groups, keys in ((CORE, KEYS), (MODEL, MODEL_KEYS)):
        assert sorted(key for group in groups.values() for key in group.keys) == sorted(keys)


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
    assert found["calendar_right"]["command"] == "duologue bench core --only calls"
    assert "event_cost_us" in said.err, "what is measured is told as it comes, beside the object"


def test_figures_are_lines_for_people(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CORE, "model", Group(("extend5_ms",), "quick", cheap, ("runs",)))
    said = line(capsys, "bench", "core", "--only", "model", "--runs", "7")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[0].split() == ["extend5_ms", "1.25", "ms", "n=7", "p95", "2.5"]
    assert "cores, Python" in said.out


def test_what_breaks_is_null_and_the_rest_goes_on(capsys: Capsys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CORE, "model", Group(("extend5_ms", "decode_tok_s"), "quick", breaks))
    said = line(capsys, "bench", "core", "--only", "model", "--json")
    found = json.loads(said.out)
    assert found["extend5_ms"]["value"] == 1.25
    assert found["decode_tok_s"]["value"] is None
    assert found["decode_tok_s"]["reason"] == "RuntimeError: the weights are of cardboard"


def test_the_models_figures_have_the_same_form_and_say_what_is_not_measured(
    capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODEL, "extend5_ms", Group(("extend5_ms",), "quick", cheap))
    monkeypatch.setitem(MODEL, "words", Group(MODEL["words"].keys, "not written yet"))
    said = line(capsys, "bench", "model", "--only", "extend5_ms", "words", "--json")
    assert said.code == 0
    found = json.loads(said.out)
    assert sorted(found) == sorted(MODEL_KEYS)
    assert all(set(figure) == FIELDS for figure in found.values())
    assert found["extend5_ms"]["command"] == "duologue bench model --only extend5_ms"
    assert found["extend5_ms"]["value"] == 1.25
    assert found["success_text"]["value"] is None
    assert found["success_text"]["reason"] == "not measured by this version"


@pytest.mark.parametrize(("part", "group"), [("model", "calls"), ("core", "batch8_speedup")])
def test_a_group_of_another_part_is_refused_and_the_choice_is_told(capsys: Capsys, part: str, group: str) -> None:
    said = line(capsys, "bench", part, "--only", group)
    assert said.code == 2
    assert repr(group) in said.err
    assert all(name in said.err for name in SUITES[part].groups)
