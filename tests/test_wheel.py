"""The distribution: what the wheel holds, what it depends on, and that its package names are ours when imported."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from agent_runtime.foreign import ForeignPackage, check

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

HEAVY = set("faster-whisper mcp openai peft ray scipy silero-vad torch torchaudio transformers vllm".split())
"""Extras, or packages that would draw torch into the base."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this tree, built by hatchling in this environment: no isolation, no network."""
    pytest.importorskip("hatchling", reason="hatchling is not installed; it comes with the extra `test`")
    folder = tmp_path_factory.mktemp("wheel")
    run = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_holds_every_package_and_its_data(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    for package in ("agent_runtime", "audio", "policies", "memory"):
        assert {f"{package}/__init__.py", f"{package}/py.typed"} <= names
    data = {
        "audio/engines/silero/silero_vad.onnx",
        "audio/engines/silero/LICENSE",
        "agent_runtime/report/page.html",
        "agent_runtime/report/page.css",
        "agent_runtime/report/page.js",
        "agent_runtime/examples/companies/agent.toml",
        "agent_runtime/examples/companies/phrases.txt",
        "agent_runtime/examples/companies/tools.py",
        "agent_runtime/examples/front_desk/agent.toml",
        "agent_runtime/examples/front_desk/calls/demo/script.toml",
    }
    assert data - names == set()
    weights = [name for name in names if re.fullmatch(r"policies/learned/core/weights/\w+/model\.safetensors", name)]
    assert weights == ["policies/learned/core/weights/boxed/model.safetensors"], "the larger one is an extra"


def test_the_wheel_carries_its_licences(wheel: zipfile.ZipFile) -> None:
    licences = {name.split("/licenses/", 1)[1] for name in wheel.namelist() if "/licenses/" in name}
    assert {"LICENSE", "LICENSES/GPL-3.0-or-later.txt", "audio/engines/silero/LICENSE"} <= licences


def test_the_wheel_leaves_out_what_is_not_the_program(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/", 1)[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"agent_runtime", "audio", "policies", "memory"}
    stray = re.compile(r"(^|/)(tests|shared|__pycache__|\.cache)(/|$)|\.(sqlite|log|pt|ckpt)$|events\.jsonl$")
    assert [name for name in wheel.namelist() if stray.search(name)] == []
    sound = [name for name in wheel.namelist() if re.search(r"\.(wav|flac|mp3|ogg)$", name)]
    assert [name for name in sound if not name.startswith("agent_runtime/examples/front_desk/calls/")] == []


def test_the_wheel_is_small(wheel: zipfile.ZipFile) -> None:
    size = sum(one.compress_size for one in wheel.infolist())
    assert size < 20_000_000, f"the wheel has {size} bytes; the limit of the base is 450 MB with all it depends on"


def test_the_base_names_nothing_heavy() -> None:
    names = {re.split(r"[^A-Za-z0-9_-]", line, maxsplit=1)[0].lower() for line in PROJECT["dependencies"]}
    assert names & HEAVY == set()
    assert not any(name.startswith("nvidia") for name in names)


def test_the_licence_of_the_project_is_apache() -> None:
    assert PROJECT["license"].startswith("Apache-2.0")
    assert "Apache License" in (ROOT / "LICENSE").read_text(encoding="utf-8")


# --- other people's packages of our names ------------------------------------------------------------------------


def test_our_names_are_ours_here() -> None:
    check()


@pytest.mark.parametrize("form", ["package", "module", "installed"])
def test_a_foreign_package_gives_one_line(tmp_path: Path, form: str) -> None:
    if form == "module":
        (tmp_path / "audio.py").write_text("raise RuntimeError('never imported')\n")
    else:
        (tmp_path / "audio").mkdir()
        (tmp_path / "audio" / "__init__.py").write_text("raise RuntimeError('never imported')\n")
    code = "import agent_runtime" if form == "installed" else "from agent_runtime.foreign import check; check()"
    path = f"{tmp_path}:{ROOT}"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": path}, capture_output=True, text=True
    )
    assert run.returncode != 0
    last = run.stderr.strip().splitlines()[-1]
    assert "ForeignPackage" in last
    assert "'audio'" in last
    assert str(tmp_path) in last
    assert "-P" in last


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(ForeignPackage, match="'no_such_package_of_ours' is missing"):
        check(["no_such_package_of_ours"], tmp_path)


def test_a_folder_without_init_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere" / "namespace_of_others").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    with pytest.raises(ForeignPackage, match="another one comes first"):
        check(["namespace_of_others"], tmp_path)
    check(["namespace_of_others"], tmp_path / "elsewhere")
