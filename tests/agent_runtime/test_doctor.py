"""What the doctor sees: real parts of this machine, and broken ones made for it."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from agent_runtime import doctor
from agent_runtime.doctor import Part, as_json, examine, package, print_table, program, weights

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def parts() -> dict[str, Part]:
    return {part.name: part for part in examine()}


def test_the_base_is_present_here(parts: dict[str, Part]) -> None:
    for name in ("python", "duologue", "silero", "pocketsphinx", "espeak-ng", "numpy", "onnxruntime", "av"):
        assert parts[name].state == "present", parts[name]
        assert parts[name].version


def test_it_tells_which_espeak_and_which_files(parts: dict[str, Part]) -> None:
    assert "libespeak-ng" in parts["espeak-ng"].detail
    assert "silero_vad.onnx" in parts["silero"].detail
    assert parts["silero"].version.startswith("sha ")


def test_it_says_of_each_voice_whether_it_is_there_and_what_is_missing(
    parts: dict[str, Part], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("piper", "kokoro", "speech server"):
        part = parts[name]
        assert part.state in ("present", "optional")
        assert "[voice]" in part.detail
        assert part.state == "present" or "pip install" in part.detail + part.way_out
    program = tmp_path / "piper"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = doctor._piper()
    assert (found.state, str(program) in found.detail) == ("present", True)
    program.unlink()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    lost = [doctor._piper(), doctor._kokoro(), doctor._speech_server()]
    assert [part.state for part in lost] == ["optional"] * 3
    assert "piper is not on the PATH, nor is there a module piper (pip install piper-tts" in lost[0].detail
    assert [part.way_out for part in lost[1:]] == [
        "pip install 'duologue[kokoro]'", "pip install 'duologue[openai]'",
    ]  # fmt: skip


def test_it_imports_nothing_heavy() -> None:
    code = (
        "import sys; from agent_runtime.doctor import examine; examine();"
        "print([name for name in ('torch', 'vllm', 'transformers', 'onnxruntime', 'av', 'pocketsphinx', 'aiortc',"
        " 'faster_whisper', 'ctranslate2') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.strip() == "[]", run.stderr


def test_what_is_not_installed_has_a_way_out() -> None:
    extra = package("no-such-thing", "no_such_thing", "nothing", extra="learn")
    assert (extra.state, extra.way_out) == ("optional", "pip install 'duologue[learn]'")
    assert package("no-such-thing", "no_such_thing", "nothing").state == "missing"
    assert program("no-such-program-here", "nothing").state == "optional"
    assert program("sh", "a shell").state == "present"


def model(folder: Path, *, shape: tuple[int, int] = (4, 8), bytes_: int = 64) -> Path:
    """A model folder with one fp16 tensor."""
    header = json.dumps({"w": {"dtype": "F16", "shape": list(shape), "data_offsets": [0, 64]}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + bytes(bytes_))
    (folder / "config.json").write_text('{"num_hidden_layers": 6, "hidden_size": 128}')
    (folder / "tokenizer.json").write_text("{}")
    return folder


def test_whole_weights_are_described(tmp_path: Path) -> None:
    part = weights(model(tmp_path), "core model")
    assert part.state == "present"
    assert "6 layers of 128" in part.detail


def test_broken_weights_are_named(tmp_path: Path) -> None:
    assert "header says" in weights(model(tmp_path, bytes_=60), "core model").detail
    (tmp_path / "model.safetensors").write_bytes(b"tiny")
    assert "cannot be read" in weights(tmp_path, "core model").detail
    (tmp_path / "tokenizer.json").unlink()
    part = weights(tmp_path, "core model")
    assert (part.state, part.detail.endswith("lacks tokenizer.json")) == ("missing", True)


def test_a_look_that_fails_is_a_part_that_is_missing() -> None:
    def _bad_look() -> Part:
        raise RuntimeError("broken in a new way")

    part = doctor._looked(_bad_look)
    assert (part.name, part.state) == ("bad look", "missing")
    assert "broken in a new way" in part.detail


@pytest.mark.parametrize(("folder", "state"), [("", "optional"), ("/no/such/folder", "optional"), (".", "present")])
def test_recorded_calls_follow_the_environment(monkeypatch: pytest.MonkeyPatch, folder: str, state: str) -> None:
    monkeypatch.setenv("DUOLOGUE_CALLS", folder)
    assert doctor._calls().state == state


def test_whisper_models_are_looked_for_in_the_hubs_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    part = doctor._whisper_models()
    assert (part.name, part.state) == ("whisper models", "optional")
    assert part.way_out
    folder = tmp_path / "models--Systran--faster-whisper-tiny"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "snapshots" / "abc" / "model.bin").write_bytes(b"x")
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    part = doctor._whisper_models()
    assert part.state == "present"
    assert part.detail.startswith("tiny: ")


def test_the_table_shows_the_way_out_only_where_something_is_missing() -> None:
    stream = io.StringIO()
    print_table([Part("numpy", "present", "2.4", "sums", "none"), Part("av", "missing", "", "reads", "pip it")], stream)
    assert stream.getvalue().splitlines() == [
        "ok      numpy  2.4  sums",
        "MISSING av          reads",
        "                 pip it",
        "",
        "1 of the base missing: av; calls will not play",
    ]
    stream = io.StringIO()
    print_table([Part("torch", "optional", "", "learning", "pip it")], stream)
    assert stream.getvalue().startswith("-       torch    learning: pip it\n")
    assert stream.getvalue().endswith("the base is complete; 1 optional parts are not installed\n")


def test_machines_get_every_field(parts: dict[str, Part]) -> None:
    rows = json.loads(json.dumps(as_json(list(parts.values()))))
    assert all(set(row) == {"name", "state", "version", "detail", "way_out"} for row in rows)
    assert {row["state"] for row in rows} <= {"present", "missing", "optional"}
