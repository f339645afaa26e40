"""Which parts of the runtime are here, in which version, and what to do about those that are not.

Looking is cheap and harmless: packages are found by their metadata and never imported (torch alone takes seconds),
programs by the PATH; only the espeak-ng helper is started, because which library it finds is known to nobody else.
This file refuses to open engines and to mend anything.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from .boxed import BOXED_MODEL
from .foreign import ForeignPackage, check

__all__ = ["Part", "as_json", "examine", "print_table"]

State = Literal["present", "missing", "optional"]
"""``missing``: the embedded default does not work without it. ``optional``: absent, and only some things need it."""

HOME = Path(__file__).resolve().parent.parent

PACKAGES = (
    ("numpy", "numpy", "arithmetic on sound and the core model"),
    ("orjson", "orjson", "writes the log"),
    ("onnxruntime", "onnxruntime", "runs the speech detector"),
    ("av", "av", "reads recordings (PyAV)"),
    ("pydub", "pydub", "imports and exports clips"),
    ("safetensors", "safetensors", "reads model weights"),
    ("aiortc", "aiortc", "the browser's door"),
    ("websockets", "websockets", "the browser's door"),
)
"""(distribution, module, what for) of the base that has no part of its own below."""

EXTRAS = (
    ("torch", "torch", "learn", "learning, and the torch engine"),
    ("transformers", "transformers", "learn", "learning"),
    ("peft", "peft", "learn", "learning"),
    ("vllm", "vllm", "vllm", "the vLLM engine"),
    ("openai", "openai", "openai", "engines behind an OpenAI-compatible server"),
    ("mcp", "mcp", "mcp", "tools of MCP servers"),
    ("faster-whisper", "faster_whisper", "whisper", "the faster-whisper recogniser"),
    ("aiosipua", "aiosipua", "sip", "the telephone's door"),
    ("aiortp", "aiortp", "sip", "the telephone's door"),
)
"""(distribution, module, extra, what for)."""

PROGRAMS = (
    ("flite", "voices for made callers"),
    ("festival", "voices for made callers"),
    ("sox", "tests of odd recordings"),
    ("chromium", "tests of the report in a browser"),
)


@dataclass(frozen=True, slots=True)
class Part:
    """One part: what it is called, whether it is here, which version, what is known of it, and how to get it."""

    name: str
    state: State
    version: str
    detail: str
    way_out: str = ""


def examine() -> list[Part]:
    """Every part, the base first. Takes about 0.2 s, most of it for the espeak-ng helper."""
    looks: list[Callable[[], Part]] = [_python, _ours, _silero, _pocketsphinx, _espeak, _core_model]
    parts = [_looked(look) for look in looks]
    parts += [package(name, module, detail) for name, module, detail in PACKAGES]
    parts += [package(name, module, detail, extra=extra) for name, module, extra, detail in EXTRAS]
    parts += [program(name, detail) for name, detail in PROGRAMS]
    voices = [_looked(look) for look in (_piper, _kokoro, _speech_server)]
    return [*parts, *voices, _looked(_whisper_models), _looked(_gpu), _calls()]


def as_json(parts: Sequence[Part]) -> list[dict[str, Any]]:
    """The parts for machines."""
    return [asdict(part) for part in parts]


def print_table(parts: Sequence[Part], stream: TextIO) -> None:
    """The parts for people: one line each, with the way out where one is absent."""
    marks = {"present": "ok", "missing": "MISSING", "optional": "-"}
    wide = max(len(part.name) for part in parts)
    version_wide = min(16, max(len(part.version) for part in parts))
    for part in parts:
        line = f"{marks[part.state]:<8}{part.name:<{wide}}  {part.version:<{version_wide}}  {part.detail}"
        if part.state == "optional" and part.way_out:
            line += f": {part.way_out}"
        stream.write(line.rstrip() + "\n")
        if part.state == "missing" and part.way_out:
            stream.write(f"{'':<{wide + 10}}  {part.way_out}\n")
    missing = [part.name for part in parts if part.state == "missing"]
    absent = sum(part.state == "optional" for part in parts)
    if missing:
        stream.write(f"\n{len(missing)} of the base missing: {', '.join(missing)}; calls will not play\n")
    else:
        stream.write(f"\nthe base is complete; {absent} optional parts are not installed\n")


# --- kinds of parts ----------------------------------------------------------------------------------------------


def package(name: str, module: str, detail: str, *, extra: str = "", shown: str = "") -> Part:
    """A Python package, found without importing it. With `extra` it is optional; `shown` is what it is called."""
    way_out = f"pip install 'duologue[{extra}]'" if extra else "pip install --force-reinstall duologue"
    try:
        version = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        version = ""
    if importlib.util.find_spec(module) is None:
        return Part(shown or name, "optional" if extra else "missing", "", detail, way_out)
    return Part(shown or name, "present", version, detail)


def program(name: str, detail: str) -> Part:
    """A program on the PATH; always optional."""
    found = shutil.which(name)
    if found is None:
        return Part(name, "optional", "", detail, "make system (root)")
    return Part(name, "present", "", f"{detail} ({found})")


def weights(folder: Path, name: str, way_out: str = "install duologue again; they are part of the package") -> Part:
    """A model folder: whether its weights are whole, their size, shape and digest. The file is read, not loaded."""
    file = folder / "model.safetensors"
    missing = [part for part in ("model.safetensors", "config.json", "tokenizer.json") if not (folder / part).is_file()]
    if missing:
        return Part(name, "missing", "", f"{folder} lacks {', '.join(missing)}", way_out)
    raw = file.read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", raw)
        header = json.loads(raw[8 : 8 + length])
        tensors = [value for key, value in header.items() if key != "__metadata__"]
        whole = 8 + length + max(value["data_offsets"][1] for value in tensors)
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (struct.error, ValueError, KeyError, TypeError) as error:
        return Part(name, "missing", "", f"{file.name} cannot be read ({type(error).__name__}: {error})", way_out)
    if len(raw) != whole:
        return Part(name, "missing", "", f"{file.name} has {len(raw)} bytes, its header says {whole}", way_out)
    count = sum(_product(value["shape"]) for value in tensors)
    detail = (
        f"{folder.name}: {count / 1e6:.2f} M parameters, {config.get('num_hidden_layers', '?')} layers of "
        f"{config.get('hidden_size', '?')}, {len(raw) / 1e6:.1f} MB"
    )
    return Part(name, "present", f"sha {digest(raw)}", detail)


def digest(raw: bytes) -> str:
    """The first twelve hexadecimal digits of a file's SHA-256."""
    return hashlib.sha256(raw).hexdigest()[:12]


def _product(shape: Sequence[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


# --- the base ----------------------------------------------------------------------------------------------------


def _looked(look: Callable[[], Part]) -> Part:
    """A part, or why looking at it failed: a broken part is what one calls a doctor for."""
    try:
        return look()
    except Exception as error:
        name = look.__name__.strip("_").replace("_", " ")
        return Part(name, "missing", "", f"looking at it failed: {type(error).__name__}: {error}", "report this")


def _python() -> Part:
    version = platform.python_version()
    detail = f"{sys.executable} on {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return Part("python", "present", version, detail)


def _ours() -> Part:
    try:
        check()
    except ForeignPackage as error:
        return Part("duologue", "missing", "", str(error))
    try:
        version = importlib.metadata.version("duologue")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    return Part("duologue", "present", version, f"agent_runtime, audio, policies, memory in {HOME}")


def _silero() -> Part:
    from audio.engines.silero.worker import MODEL_PATH, available

    ready, says = available()
    if not ready:
        return Part("silero", "missing", "", says, "install duologue again")
    raw = MODEL_PATH.read_bytes()
    return Part("silero", "present", f"sha {digest(raw)}", f"{says}; {MODEL_PATH.name}, {len(raw) / 1e6:.1f} MB")


def _pocketsphinx() -> Part:
    from audio.engines.sphinx.pool import available, missing

    says = available()
    if says is None:
        return Part("pocketsphinx", "missing", "", str(missing()), "pip install 'pocketsphinx>=5.0.4,<6'")
    return Part("pocketsphinx", "present", says.rpartition(" ")[2], "the embedded recogniser")


def _espeak() -> Part:
    from audio.engines.espeak.voice import available, missing

    says = available()
    if says is None:
        return Part("espeak-ng", "missing", "", str(missing()), "pip install espeakng-loader, or make system (root)")
    _, version, where = says.split(" ", 2)
    return Part("espeak-ng", "present", version, f"the embedded voice, in a program of its own {where}")


def _core_model() -> Part:
    if os.environ.get("DUOLOGUE_MODEL"):
        return weights(BOXED_MODEL, "core model", "name a folder that the recipe wrote, or unset DUOLOGUE_MODEL")
    return weights(BOXED_MODEL, "core model")


# --- what may be there -------------------------------------------------------------------------------------------


def _gpu() -> Part:
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return Part("GPU", "optional", "", "learning and large engines; the embedded parts need none")
    run = subprocess.run(
        [tool, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"],
        capture_output=True,
        text=True,
        timeout=10,
    )
    if run.returncode or not run.stdout.strip():
        return Part("GPU", "optional", "", f"nvidia-smi finds none: {(run.stderr or run.stdout).strip()[:80]}")
    name, memory, driver = (field.strip() for field in run.stdout.splitlines()[0].split(",", 2))
    return Part("GPU", "present", driver, f"{name}, {memory}")


def _whisper_models() -> Part:
    from audio.engines.whisper.models import available, cached, hub_folder

    detail = f"models for the faster-whisper recogniser in {hub_folder()}"
    if found := cached():
        return Part("whisper models", "present", "", f"{', '.join(found)}: {detail}")
    if available() is None:
        return Part("whisper models", "optional", "", detail, "pip install 'duologue[whisper]' first")
    return Part("whisper models", "optional", "", detail, "the first call downloads one, or give a folder as its model")


def _piper() -> Part:
    from audio.engines.piper.programs import command, missing_program

    found = command()
    if found is None:
        return Part("piper", "optional", "", f'the voice "piper": {missing_program()}')
    detail = f'the voice "piper", a program of its own ({" ".join(found)}); its model is given by [voice] model'
    return Part("piper", "present", "", detail)


def _kokoro() -> Part:
    from audio.engines.kokoro.models import available

    detail = 'the voice "kokoro", in a program of its own; its files are given by [voice] model and voices'
    says = available()
    if says is None:
        return Part("kokoro", "optional", "", detail, "pip install 'duologue[kokoro]'")
    return Part("kokoro", "present", says.rpartition(" ")[2], detail)


def _speech_server() -> Part:
    detail = 'the voice and the recogniser "openai", at a server that [voice] and [recogniser] base_url name'
    return package("openai", "openai", detail, extra="openai", shown="speech server")


def _calls() -> Part:
    folder = os.environ.get("DUOLOGUE_CALLS", "")
    detail = "recordings that tests of robustness and speed use"
    if not folder:
        return Part("recorded calls", "optional", "", detail, "set DUOLOGUE_CALLS to a folder of recordings")
    if not Path(folder).is_dir():
        return Part("recorded calls", "optional", "", f"DUOLOGUE_CALLS is {folder}, which is no folder", "correct it")
    return Part("recorded calls", "present", "", f"{detail} ({folder})")
