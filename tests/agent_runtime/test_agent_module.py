"""The tools module of an agent's folder: loaded apart from everything else, and its faults have a place."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from agent_runtime.agent import AgentFileError
from agent_runtime.agent_module import is_module_file, load_tools

TOOL = """
from __future__ import annotations
from dataclasses import dataclass
from agent_runtime.tools import tool

@dataclass
class Answer:
    words: str

@tool
async def {name}() -> str:
    return Answer("{answer}").words
"""


def write(folder: Path, text: str, name: str = "tools.py") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_tools_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = TOOL.format(name="second", answer="2") + "\n@tool\nasync def first() -> None: ...\n\nagain = second\n"
    assert list(load_tools(write(tmp_path, text))) == ["second", "first"]


def test_two_agents_with_one_file_name_do_not_meet(tmp_path: Path) -> None:
    before = list(sys.path)
    one = load_tools(write(tmp_path / "one", TOOL.format(name="say", answer="one")))
    two = load_tools(write(tmp_path / "two", TOOL.format(name="say", answer="two")))
    assert (asyncio.run(one["say"]()), asyncio.run(two["say"]())) == ("one", "two")
    assert sys.path == before
    assert "tools" not in sys.modules


def test_a_module_may_import_its_neighbours_and_is_run_afresh(tmp_path: Path) -> None:
    write(tmp_path, "NAME = 'one'", "names.py")
    path = write(
        tmp_path,
        "from agent_runtime.tools import tool\nfrom .names import NAME\n"
        "async def say() -> None: ...\nsay.__doc__ = NAME\nsay = tool(say)\n",
    )
    assert load_tools(path)["say"].doc == "one"
    write(tmp_path, "NAME = 'other'", "names.py")
    assert load_tools(path)["say"].doc == "other"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = 1 / 0\n", "^tools.py:2: ZeroDivisionError: division by zero$"),
        ("x = (\n", "^tools.py:1: SyntaxError: .*never closed"),
        ("import nowhere_to_be_found\n", "^tools.py:1: ModuleNotFoundError: No module named 'nowhere_to_be_found'$"),
        ("raise SystemExit\n", "^tools.py:1: SystemExit: no message$"),
        ("raise ValueError('two\\nlines')\n", "^tools.py:1: ValueError: two lines$"),
        ("from .inner import x\n", "^inner.py:3: KeyError: 'gone'$"),
        (
            "from agent_runtime.tools import tool\n\n@tool\nasync def f(x: float) -> None: ...\n",
            "^tools.py:3: ToolDefinitionError: tool f, parameter x: has the type float; allowed are",
        ),
    ],
)
def test_a_module_that_raises_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    write(tmp_path, "\n\nx = {}['gone']\n", "inner.py")
    with pytest.raises(AgentFileError, match=message) as caught:
        load_tools(write(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_what_is_a_module_file(tmp_path: Path) -> None:
    assert is_module_file(write(tmp_path, ""))
    assert not is_module_file(write(tmp_path, "", "my-tools.py"))
    assert not is_module_file(write(tmp_path, "", "tools.txt"))
    assert not is_module_file(tmp_path / "absent.py")
