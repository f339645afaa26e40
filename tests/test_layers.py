"""The house's rules that a reader cannot check by eye: arrows, the pure ring, guests, the one clock, owned tasks.

Everything is read from the source by `ast`; nothing is imported, so the test also holds where extras are missing.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("agent_runtime", "policies", "memory", "audio")

ARROWS = {
    "agent_runtime": {"agent_runtime", "policies", "memory", "audio"},
    "policies": {"policies", "memory", "audio"},
    "memory": {"memory"},
    "audio": {"audio"},
}
"""Which of our packages a package may import (DESIGN 2)."""

PURE = (
    *(
        f"agent_runtime/{name}.py"
        for name in (
            "events commands record conversation floor folding plans saying waiting drafting reading answering wording "
            "mind_settings mind labels latency carrying_on"
        ).split()
    ),
    *(f"memory/{name}.py" for name in ("records", "recall", "rules")),
    *(f"audio/{name}.py" for name in "frame g711 resample vad transcript agreement heard playout jitter echo".split()),
)
"""The pure ring (STYLE 3), with all of `policies/` but `policies/learned/`."""

IMPURE = frozenset(
    "asyncio concurrent glob io multiprocessing os pathlib random secrets select selectors shutil signal socket "
    "sqlite3 subprocess tempfile threading time urllib uuid".split()
)
"""Modules that read a clock, a file, a socket or chance, or run something beside the caller."""

INSIDE = frozenset("acting conversation learning listening mind replay session speaking thinking".split())
"""The session's inside: doors and engines know ports and values, never these (DESIGN 2)."""

GUESTS = {
    "aiortc": ("agent_runtime/doors/browser",),
    "aiortp": ("agent_runtime/doors/telephone",),
    "aiosipua": ("agent_runtime/doors/telephone",),
    "av": ("audio/recordings", "agent_runtime/doors/browser"),  # aiortc speaks in av's frames
    "espeakng_loader": ("audio/engines/espeak",),
    "faster_whisper": ("audio/engines/whisper",),
    "kokoro_onnx": ("audio/engines/kokoro",),
    "httpx2": ("agent_runtime/engines/mcp",),  # the transport of the MCP client, for its headers
    "mcp": ("agent_runtime/engines/mcp",),
    "onnxruntime": ("audio/engines/silero", "policies/learned/core"),
    "openai": ("agent_runtime/engines/openai", "audio/engines/openai_server"),
    "orjson": ("agent_runtime/record",),
    "peft": ("policies/learned/train",),
    "pocketsphinx": ("audio/engines/sphinx",),
    "pydub": ("audio/clips",),
    "ray": ("agent_runtime/scale",),
    "safetensors": ("policies/learned",),
    "tokenizers": ("policies/learned/train",),
    "torch": ("policies/learned/train", "agent_runtime/engines/torch"),
    "transformers": ("policies/learned/train", "agent_runtime/engines/torch"),
    "vllm": ("agent_runtime/engines/vllm",),
    "websockets": ("agent_runtime/doors",),
}
"""Guest library -> where it may be imported. A library that is not here, nor numpy, is not ours to import."""

TIMED = ("agent_runtime/clock.py", "audio/engines/espeak/program.py", "policies/learned/train/recipe.py")
"""Files that may read the machine's clock, besides each worker process's one `worker.py`."""

BAD_FILES = frozenset("utils util helper helpers common base misc constants settings".split())
BAD_CLASSES = ("Manager", "Handler", "Helper", "Service")
MAX_LINES = 450


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def only_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)


def imports(path: Path, *, typed: bool = True) -> Iterator[tuple[int, str]]:
    """(line, absolute dotted name) of every import in the file; `typed=False` leaves out `if TYPE_CHECKING:`."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]

    def walk(node: ast.AST) -> Iterator[tuple[int, str]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for name in child.names:
                    yield child.lineno, name.name
            elif isinstance(child, ast.ImportFrom):
                above = package[: len(package) - child.level + 1] if child.level else ()
                base = ".".join((*above, *filter(None, [child.module])))
                for name in child.names:
                    yield child.lineno, f"{base}.{name.name}"
            elif typed or not only_for_types(child):
                yield from walk(child)

    return walk(tree(path))


def our_file(dotted: str) -> Path | None:
    """The source file behind a dotted name of ours (the name may end in an attribute)."""
    parts = dotted.split(".")
    if parts[0] not in PACKAGES:
        return None
    for end in (len(parts), len(parts) - 1):
        place = ROOT.joinpath(*parts[:end])
        if place.with_suffix(".py").is_file():
            return place.with_suffix(".py")
        if (place / "__init__.py").is_file() and end == len(parts):
            return place / "__init__.py"
    return None


def pure_files() -> list[Path]:
    named = [ROOT / name for name in PURE if (ROOT / name).is_file()]
    policies = [path for path in sources("policies") if not shown(path).startswith("policies/learned/")]
    return sorted(named + policies)


def complaints(check: Callable[[Path], Iterator[str]], paths: list[Path]) -> list[str]:
    return [f"{shown(path)}: {said}" for path in paths for said in check(path)]


# --- what may import what ----------------------------------------------------------------------------------------


def upward(path: Path) -> Iterator[str]:
    allowed = ARROWS[path.relative_to(ROOT).parts[0]]
    for line, name in imports(path):
        top = name.split(".")[0]
        if top in {*PACKAGES, "tests", "examples"} and top not in allowed:
            yield f"line {line} imports {name}; allowed from here: {', '.join(sorted(allowed))}"


def test_arrows_point_down() -> None:
    assert complaints(upward, sources(*PACKAGES)) == []


def from_the_edge(path: Path) -> Iterator[str]:
    for line, name in imports(path):
        parts = name.split(".")
        if parts[0] == "agent_runtime" and len(parts) > 1 and parts[1] in INSIDE:
            yield f"line {line} imports {name}: doors and engines know ports and values, not the session's inside"


def test_doors_and_engines_do_not_know_the_session() -> None:
    assert complaints(from_the_edge, sources("agent_runtime/doors", "agent_runtime/engines")) == []


def impure(path: Path) -> Iterator[str]:
    """Impure imports of a pure file, its own and those of every file of ours that it draws in."""
    seen, waiting = {path}, [path]
    while waiting:
        at = waiting.pop()
        via = "" if at == path else f" through {shown(at)}"
        for line, name in imports(at, typed=False):
            if name.split(".")[0] in IMPURE:
                yield f"imports {name}{via} (line {line})"
            found = our_file(name)
            if found and found not in seen and found.name != "__init__.py":
                seen.add(found)
                waiting.append(found)
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("open", "input", "print"):
            yield f"line {node.lineno} calls {ast.unparse(node.func)}()"
        if isinstance(node, ast.Attribute) and node.attr == "random":
            yield f"line {node.lineno} reaches for .random"
        if isinstance(node, ast.Await | ast.AsyncFunctionDef):
            yield f"line {node.lineno} is asynchronous"


def test_the_pure_ring_is_pure() -> None:
    assert complaints(impure, pure_files()) == []


def uninvited(path: Path) -> Iterator[str]:
    for line, name in imports(path):
        top = name.split(".")[0]
        if top in sys.stdlib_module_names or top in PACKAGES or top == "numpy":
            continue
        if top not in GUESTS:
            yield f"line {line} imports {name}, which no folder has invited"
        elif not any(shown(path).removesuffix(".py").startswith(folder) for folder in GUESTS[top]):
            yield f"line {line} imports {name}; it lives in {' and '.join(GUESTS[top])}"


def test_guest_libraries_live_in_their_folders() -> None:
    assert complaints(uninvited, sources(*PACKAGES)) == []


# --- one clock, owned tasks --------------------------------------------------------------------------------------


def clock_readings(path: Path) -> Iterator[str]:
    if shown(path) in TIMED or path.name == "worker.py":
        return
    for line, name in imports(path):
        if name.split(".")[0] == "time":
            yield f"line {line} imports {name}; the one clock is the event loop's"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and node.attr in ("now", "utcnow", "today"):
            owner = node.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if name in ("datetime", "date"):
                yield f"line {node.lineno} reads {name}.{node.attr}; the wall date is an argument of the call"


def test_the_wall_clock_is_read_in_one_file() -> None:
    assert complaints(clock_readings, sources(*PACKAGES)) == []


def sleeping(path: Path) -> Iterator[str]:
    for line, name in imports(path):
        if name == "time.sleep":
            yield f"line {line} imports time.sleep"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep":
            yield f"line {node.lineno} sleeps; run the test on the virtual loop"


def test_no_test_sleeps_really() -> None:
    assert complaints(sleeping, sources("tests")) == []


def assigned(node: ast.Assign) -> Iterator[tuple[ast.expr, ast.expr]]:
    """(target, value) pairs of an assignment, tuples taken apart."""
    for target in node.targets:
        if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
            yield from zip(target.elts, node.value.elts, strict=False)
        else:
            yield target, node.value


def task_groups(module: ast.Module) -> set[str]:
    """The names and attributes of a file that hold a TaskGroup, by `async with`, annotation or assignment."""
    held: set[str] = set()

    def take(target: ast.AST | None) -> None:
        if isinstance(target, ast.Name):
            held.add(target.id)
        elif isinstance(target, ast.Attribute):
            held.add(target.attr)
        elif isinstance(target, ast.arg):
            held.add(target.arg)

    for _ in range(2):  # the second round finds `self._tasks = tasks`
        for node in ast.walk(module):
            if isinstance(node, ast.withitem) and "TaskGroup" in ast.unparse(node.context_expr):
                take(node.optional_vars)
            elif isinstance(node, ast.arg) and node.annotation and "TaskGroup" in ast.unparse(node.annotation):
                take(node)
            elif isinstance(node, ast.AnnAssign) and "TaskGroup" in ast.unparse(node.annotation):
                take(node.target)
            elif isinstance(node, ast.Assign):
                for target, value in assigned(node):
                    text = ast.unparse(value)
                    if "TaskGroup(" in text or text.rpartition(".")[2] in held:
                        take(target)
    return held


def ownerless(path: Path) -> Iterator[str]:
    groups = task_groups(tree(path))
    for node in ast.walk(tree(path)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
        if called == "ensure_future":
            yield f"line {node.lineno} calls ensure_future; start the task in a TaskGroup"
        if called == "create_task":
            owner = ast.unparse(node.func.value).rpartition(".")[2] if isinstance(node.func, ast.Attribute) else ""
            if owner not in groups:
                yield f"line {node.lineno} calls {ast.unparse(node.func)}; start the task in a TaskGroup"


def test_every_task_has_an_owner() -> None:
    assert complaints(ownerless, sources(*PACKAGES)) == []


@pytest.mark.parametrize(
    ("code", "bad"),
    [
        ("import asyncio\nasyncio.create_task(f())", True),
        ("loop.create_task(f())", True),
        ("async def g():\n async with asyncio.TaskGroup() as tasks:\n  tasks.create_task(f())", False),
        ("def g(tasks: asyncio.TaskGroup):\n self._tasks = tasks\n self._tasks.create_task(f())", False),
        ("def g(a, group: asyncio.TaskGroup):\n self._a, self._group = a, group\n self._group.create_task(f())", False),
    ],
)
def test_a_task_without_a_group_is_found(code: str, bad: bool) -> None:
    module = ast.parse(code)
    groups = task_groups(module)
    owners = [
        ast.unparse(node.func.value).rpartition(".")[2]
        for node in ast.walk(module)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "create_task"
    ]
    assert any(owner not in groups for owner in owners) is bad


# --- names, sizes, habits ----------------------------------------------------------------------------------------


def badly_named(path: Path) -> Iterator[str]:
    if path.stem in BAD_FILES:
        yield f"a file called {path.name} says nothing; name the idea it holds"
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ClassDef) and node.name.endswith(BAD_CLASSES):
            yield f"line {node.lineno}: class {node.name}; name what it is, not that it manages"


def test_names_say_what_things_are() -> None:
    assert complaints(badly_named, sources(*PACKAGES, "tests", "examples")) == []


def careless(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler) and all(isinstance(one, ast.Pass) for one in node.body):
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught in ("everything", "Exception", "BaseException") or "CancelledError" in caught:
                yield f"line {node.lineno} swallows {caught}"
    text = path.read_text(encoding="utf-8")
    if path != Path(__file__).resolve() and (found := re.search(r"\b(TODO|FIXME|XXX)\b", text)):
        yield f"leaves a {found[0]} behind"
    if len(lines := text.splitlines()) > MAX_LINES:
        yield f"has {len(lines)} lines, the limit is {MAX_LINES}; look for its second idea"
    if lines and not ast.get_docstring(tree(path)):
        yield "has no module docstring"


def test_files_are_short_finished_and_explained() -> None:
    assert complaints(careless, sources(*PACKAGES, "tests", "examples")) == []


def test_packages_are_typed() -> None:
    assert [name for name in PACKAGES if not (ROOT / name / "py.typed").is_file()] == []
