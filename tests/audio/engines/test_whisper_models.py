"""Where a model is looked for, and what is said when it is not there. No package is needed to look."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from audio.engines.whisper import models

COMMIT = "0123abcd"


def put_in_cache(hub: Path, repository: str) -> Path:
    """A model as the hub's own library stores one."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(COMMIT)
    for name in (*models.NEEDED, "vocabulary.txt"):
        (snapshot / name).write_bytes(b"x")
    return snapshot


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, the package taken for installed."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    return tmp_path / "hub"


@pytest.mark.parametrize(
    ("name", "repository"),
    [
        ("tiny", "Systran/faster-whisper-tiny"),
        ("base.en", "Systran/faster-whisper-base.en"),
        ("large", "Systran/faster-whisper-large-v3"),
        ("distil-small.en", "Systran/faster-distil-whisper-small.en"),
        ("turbo", "mobiuslabsgmbh/faster-whisper-large-v3-turbo"),
        ("somebody/whisper-of-mine", "somebody/whisper-of-mine"),
    ],
)
def test_a_name_is_found_in_the_cache(hub: Path, name: str, repository: str) -> None:
    assert models.resolve(name) is None
    snapshot = put_in_cache(hub, repository)
    assert models.resolve(name) == snapshot
    assert models.missing(name) is None
    assert (name in models.cached()) is (name in models.NAMES)


def test_a_folder_is_taken_as_it_is(hub: Path, tmp_path: Path) -> None:
    folder = put_in_cache(tmp_path, "a/b")
    assert models.resolve(str(folder)) == folder
    assert models.missing(str(folder)) is None
    (folder / "tokenizer.json").unlink()
    (folder / "vocabulary.txt").unlink()
    assert str(models.missing(str(folder))).startswith(
        f"whisper model {folder} lacks tokenizer.json, vocabulary.json ("
    )


def test_an_unfinished_download_is_no_model(hub: Path) -> None:
    (put_in_cache(hub, "Systran/faster-whisper-tiny") / "model.bin").unlink()
    assert models.resolve("tiny") is None
    assert models.cached() == []


@pytest.mark.parametrize("value", ["1", "true", "ON", "Yes"])
def test_offline_a_name_must_be_in_the_cache(hub: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    assert models.missing("tiny") is None, "the hub may be asked"
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert models.missing("tiny") == (
        f"whisper model 'tiny' is not in {hub} and HF_HUB_OFFLINE is set "
        "(give a folder, or start once without HF_HUB_OFFLINE)"
    )


@pytest.mark.parametrize("name", ["", "tinny", "./models/tiny", "/no/where", "~/tiny", "a/b/c"])
def test_what_is_neither_folder_nor_name_is_never_asked_of_the_hub(hub: Path, name: str) -> None:
    assert f"whisper model {name!r} is no folder and no model's name" in str(models.missing(name))


def test_the_hub_is_found_by_its_own_rules() -> None:
    assert models.hub_folder({"HF_HUB_CACHE": "/a", "HF_HOME": "/b"}) == Path("/a")
    assert models.hub_folder({"HF_HOME": "/b"}) == Path("/b/hub")
    assert models.hub_folder({"XDG_CACHE_HOME": "/c"}) == Path("/c/huggingface/hub")
    assert models.hub_folder({}) == Path("~/.cache/huggingface/hub").expanduser()


def test_without_the_package_that_is_the_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert models.available() is None
    assert models.missing(str(tmp_path)) == "faster-whisper is not installed (pip install 'duologue[whisper]')"


def test_the_names_are_those_that_faster_whisper_knows() -> None:
    faster_whisper = pytest.importorskip("faster_whisper")
    assert set(models.NAMES) == set(faster_whisper.available_models())
    assert {name: models._repository(name) for name in models.NAMES} == faster_whisper.utils._MODELS
    assert str(models.available()).startswith("faster-whisper 1.")
