"""The words that newcomers follow: every command and every piece of code in the README is real."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"

pytestmark = pytest.mark.skipif(not README.is_file(), reason="README.md is not in this tree")


def blocks(*languages: str) -> list[str]:
    """The fenced blocks of the README in one of the languages, in order."""
    text = README.read_text(encoding="utf-8") if README.is_file() else ""
    found = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [body for language, body in found if language in languages]


def commands() -> list[list[str]]:
    """Every command line of a shell block, prompts and comments taken off."""
    lines = [line for body in blocks("", "sh", "bash", "console", "text") for line in body.splitlines()]
    plain = [re.sub(r"^\s*\$ ", "", line) for line in lines]
    return [shlex.split(line, comments=True) for line in plain if re.match(r"\s*(make|duologue|pip) ", line + " ")]


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z]+):", text, re.MULTILINE))


def duologue(*arguments: str) -> subprocess.CompletedProcess[str]:
    code = "import sys; from agent_runtime.cli import main; sys.exit(main())"
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_make_commands_exist() -> None:
    named = {words[1] for words in commands() if words[0] == "make" and len(words) > 1 and "=" not in words[1]}
    assert named <= targets()
    assert {"demo", "test"} <= named


def test_duologue_commands_exist() -> None:
    pytest.importorskip("agent_runtime.cli", reason="the command line is not in this tree")
    named = {words[1] for words in commands() if words[0] == "duologue" and len(words) > 1}
    assert "replay" in named
    for name in sorted(named):
        run = duologue(name, "--help")
        assert run.returncode == 0, f"duologue {name} --help: {run.stderr[-500:]}"
        lines = [words for words in commands() if words[1:2] == [name]]
        options = {word.split("=")[0] for words in lines for word in words if word.startswith("--")}
        assert sorted(option for option in options if option not in run.stdout) == []


def test_python_blocks_compile_and_import_what_exists() -> None:
    for body in blocks("python"):
        tree = ast.parse(body)
        lines = [ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
        run = subprocess.run([sys.executable, "-c", "\n".join(lines)], cwd=ROOT, capture_output=True, text=True)
        assert run.returncode == 0, f"{lines}: {run.stderr[-500:]}"


def test_links_to_files_lead_somewhere() -> None:
    text = README.read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:\s]+)\)|<img[^>]*src=\"([^\":]+)\"", text)
    assert [one for pair in links for one in pair if one and not (ROOT / one).exists()] == []


def test_installing_by_extra_names_real_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    named = set(re.findall(r"duologue\[(\w+)", README.read_text(encoding="utf-8")))
    assert named <= set(extras)


def test_it_opens_with_a_sentence_not_a_badge() -> None:
    lines = [line for line in README.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert lines[0].startswith("# ")
    assert re.match(r"[A-Za-z*]", lines[1]), "the first thing after the title is a sentence"


def test_the_ten_lines_play_a_call_by_voice() -> None:
    """The first Python block is what a newcomer pastes: it is run as it stands."""
    run = subprocess.run(
        [sys.executable, "-c", blocks("python")[0]], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr[-500:]
    assert "caller  " in run.stdout
    assert "('book', 'ok')" in run.stdout
