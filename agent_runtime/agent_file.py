"""The agent file: a folder with ``agent.toml``, read into an `Agent`.

Every key, with what it holds. Only ``[agent] name``, ``persona`` and (inbound) ``greeting`` must be there. Paths are
relative to the folder. A key that is not listed is an error, so that a slip of the pen never passes for a setting.

    [agent] name                          text: what to call the agent
    [agent] persona                       text: who it is and for whom it speaks, as the model's card says it
    [agent] greeting                      text: said when the call is answered
    [agent] direction                     "inbound" (default) or "outbound"
    [agent] today                         date the agent takes for today; default: given by who starts the call
    [agent] time_limit_s                  number: seconds after which a call is ended (1800)
    [agent] hours                         two texts: when the place is open, ["09:00", "17:00"]
    [agent] hints                         texts: how to go about a call
    [[note]] name                         text: a field of the note that the agent keeps, in this order
    [[note]] kind                         "choice", "time", "heard", "number" or "text"
    [[note]] values                       texts: the values of a choice
    [[note]] ask                          text: how to ask for it when it was not understood ({field}, {example})
    [tools] module                        text: a Python file whose @tool functions the agent may call
    [tools] names                         texts: which of them (default: all, in the order of the file)
    [voice] name                          text: voice of the synthesiser ("en-us")
    [voice] rate_wpm                      whole number: words a minute (170)
    [voice] pitch                         whole number, 0..99 (50)
    [recogniser] kind                     "pocketsphinx" (default), or "whisper", which needs the extra of that name
    [recogniser] phrases                  text: file of phrase templates, see `agent_runtime.phrases`; for pocketsphinx
    [recogniser] model                    text: folder or name ("tiny", "base.en") of the whisper model ("base")
    [recogniser] language                 text: what callers speak, as whisper names it ("en")
    [recogniser] compute                  text: whisper's arithmetic ("int8")
    [recogniser] step_ms                  whole number: new speech after which whisper decodes it again (1000)
    [engine] kind                         "embedded": the language model that runs in the program; or "openai": one
                                          behind a server that speaks the OpenAI protocol
    [engine] model                        text: folder of its weights (default: the model in the box), or its name at
                                          the server
    [engine] base_url                     text: where the server is, like "http://127.0.0.1:8000/v1"
    [engine] api_key_env                  text: environment variable that holds the key (default: no key is sent)
    [engine] tokens                       true or false: the server takes token ids, of our own token language (false)
    [engine] tokenizer                    text: folder of that model's tokenizer (default: the model in the box)
    [engine] timeout_s                    number: seconds after which a silent server is given up (10)
    [switches]                            true or false by name: behaviours to turn off; none in this version
    [endpointing] word_weight             number: see `policies.endpointing.EndpointSettings`, also for the next
    [endpointing] model_weight            number
    [endpointing] caution                 number
    [endpointing] unfinished_cap          number
    [endpointing] unsettled_ms            whole number
    [endpointing] noise_ms                whole number
    [endpointing] wordless_speech_ms      whole number
    [endpointing] habit_typical_ms        number
    [endpointing] habit_most_ms           number
    [barge_in] no_floor_threshold         number: see `policies.barge_in.BargeInSettings`, also for the next
    [barge_in] hold_ms                    whole number
    [barge_in] short_ms                   whole number
    [barge_in] nearly_done_ms             whole number
    [barge_in] answer_ms                  whole number
    [barge_in] long_ms                    whole number
    [barge_in] settle_ms                  whole number
    [barge_in] many_words                 whole number
    [filler] texts                        texts: what covers the wait for a tool; see `policies.filler.FillerSettings`
    [filler] slow_ms                      whole number: tools slower than this are covered (800)
    [filler] again_ms                     whole number
    [filler] most                         whole number
    [repair] after                        whole number: asking in another way; see `policies.repair.RepairSettings`
    [repair] text                         text
    [repair] without_example              text
    [repair] yes_or_no                    text
    [wording] apology                     text: said without the model; see `agent_runtime.wording.Wording`
    [wording] tool_failed                 text
    [wording] still_there                 text
    [wording] lost_you                    text

This file refuses to know calls and engines. It runs the code of the tools module: load only agents you trust.
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import math
import tomllib
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policies.barge_in import BargeInSettings
from policies.endpointing import EndpointSettings
from policies.filler import FillerSettings
from policies.repair import RepairSettings
from policies.shapes import Kind, NoteField

from .agent import (
    ENGINES,
    RECOGNISERS,
    SWITCHES,
    Agent,
    AgentError,
    AgentFileError,
    RecogniserSettings,
    ServerSettings,
    VoiceSettings,
)
from .agent_module import is_module_file, load_tools
from .tools import Tool
from .wording import Wording

__all__ = ["FILE_NAME", "AgentFileError", "accepted_keys", "load_agent"]

FILE_NAME = "agent.toml"

POLICY_SECTIONS: Mapping[str, type[Any]] = {
    "endpointing": EndpointSettings,
    "barge_in": BargeInSettings,
    "filler": FillerSettings,
    "repair": RepairSettings,
    "wording": Wording,
}
"""Sections that are the settings of a policy, or words: their keys are the fields of the dataclass, and `Agent` has a
field of that name."""


@dataclass(frozen=True, slots=True)
class _Key:
    """One key: what it holds, and a reader that gives its value or raises ValueError."""

    expects: str
    read: Callable[[Any], Any]


def load_agent(folder: Path) -> Agent:
    """The agent of `folder`. Raises `AgentFileError` with one line; nothing is written."""
    path = folder / FILE_NAME
    table = _read_toml(path)
    sections = _check_sections(table)
    head = sections["agent"]
    try:
        agent = Agent(
            name=head.pop("name", ""),
            persona=head.pop("persona", ""),
            **head,
            tools=_tools(folder, sections["tools"]),
            notes=_notes(table.get("note", [])),
            recogniser=_recogniser(folder, sections["recogniser"]),
            voice=VoiceSettings(**sections["voice"]),
            **_engine(folder, sections["engine"]),
            **{name: settings(**sections[name]) for name, settings in POLICY_SECTIONS.items()},
            switches=sections["switches"],
            folder=folder,
        )
    except AgentFileError:
        raise
    except AgentError as error:
        raise AgentFileError(f"{FILE_NAME}: {error}") from error
    return _with_phrases(agent, folder, sections["recogniser"].get("phrases"))


def accepted_keys() -> dict[str, tuple[str, ...]]:
    """Section -> its keys, as the table above lists them."""
    return {section: tuple(keys) for section, keys in _KEYS.items()}


# --- values ------------------------------------------------------------------------------------------------------


def _of_type(*kinds: type) -> Callable[[Any], Any]:
    def read(given: Any) -> Any:
        if type(given) not in kinds:
            raise ValueError
        return given

    return read


def _read_number(given: Any) -> float:
    if type(given) not in (int, float) or not math.isfinite(given) or given < 0:
        raise ValueError
    return float(given)


def _read_whole(given: Any) -> int:
    if type(given) is not int or given < 0:
        raise ValueError
    return given


def _read_texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise ValueError
    return tuple(given)


def _read_hours(given: Any) -> tuple[str, str]:
    first, last = _read_texts(given)
    return datetime.time.fromisoformat(first).strftime("%H:%M"), datetime.time.fromisoformat(last).strftime("%H:%M")


def _read_date(given: Any) -> datetime.date:
    if type(given) is datetime.date:
        return given
    if not isinstance(given, str):
        raise ValueError
    return datetime.date.fromisoformat(given)


def _one_of(*values: str) -> _Key:
    def read(given: Any) -> str:
        if given not in values:
            raise ValueError
        return str(given)

    return _Key(" or ".join(f"'{value}'" for value in values), read)


_UNITS = {"ms": " of milliseconds", "s": " of seconds", "wpm": " of words a minute", "hz": " of hertz"}


def _whole(name: str) -> _Key:
    return _Key(f"a whole number{_UNITS.get(name.rpartition('_')[2], '')}", _read_whole)


def _number(name: str) -> _Key:
    return _Key(f"a number{_UNITS.get(name.rpartition('_')[2], '')}", _read_number)


_TEXT = _Key("text in quotes", _of_type(str))
_TEXTS = _Key("a list of texts", _read_texts)
_FLAG = _Key("true or false", _of_type(bool))


def _policy_keys(settings: type[Any]) -> dict[str, _Key]:
    """The keys of a policy's settings: its fields of a number, a flag or texts; others are set in Python only."""
    hints = typing.get_type_hints(settings)
    keys: dict[str, _Key] = {}
    for f in dataclasses.fields(settings):
        kind = hints[f.name]
        if kind in (int, float):
            keys[f.name] = (_whole if kind is int else _number)(f.name)
        elif kind is bool:
            keys[f.name] = _FLAG
        elif kind is str:
            keys[f.name] = _TEXT
        elif kind == tuple[str, ...]:
            keys[f.name] = _TEXTS
    return keys


_KEYS: dict[str, dict[str, _Key]] = {
    "agent": {
        "name": _TEXT,
        "persona": _TEXT,
        "greeting": _TEXT,
        "direction": _one_of("inbound", "outbound"),
        "today": _Key("a date such as 2026-11-23", _read_date),
        "time_limit_s": _number("time_limit_s"),
        "hours": _Key('two times such as ["09:00", "17:00"]', _read_hours),
        "hints": _TEXTS,
    },
    "note": {"name": _TEXT, "kind": _one_of(*typing.get_args(Kind)), "values": _TEXTS, "ask": _TEXT},
    "tools": {"module": _TEXT, "names": _TEXTS},
    "voice": {"name": _TEXT, "rate_wpm": _whole("rate_wpm"), "pitch": _whole("pitch")},
    "recogniser": {
        "kind": _one_of(*RECOGNISERS),
        "phrases": _TEXT,
        "model": _TEXT,
        "language": _TEXT,
        "compute": _TEXT,
        "step_ms": _whole("step_ms"),
    },
    "engine": {
        "kind": _one_of(*ENGINES),
        **dict.fromkeys(("model", "base_url", "api_key_env", "tokenizer"), _TEXT),
        "tokens": _FLAG,
        "timeout_s": _number("timeout_s"),
    },
    "switches": {name: _FLAG for name in SWITCHES},
    **{section: _policy_keys(settings) for section, settings in POLICY_SECTIONS.items()},
}


# --- the file ----------------------------------------------------------------------------------------------------


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        if not path.parent.exists():
            raise AgentFileError(f"{path.parent}: no such folder; give the folder of an agent") from None
        raise AgentFileError(f"{path.parent} has no {FILE_NAME}; give the folder of an agent") from None
    except NotADirectoryError:
        raise AgentFileError(f"{path.parent} is a file; give the folder that holds {FILE_NAME}") from None
    except OSError as error:
        raise AgentFileError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise AgentFileError(f"{FILE_NAME}: byte {error.start} is no UTF-8; save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise AgentFileError(f"{FILE_NAME}: no valid TOML: {error}") from error


def _check_sections(table: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values of each section, read; an absent one is empty. ``[[note]]`` is read apart."""
    for name, value in table.items():
        if name not in _KEYS:
            what = f"section [{name}]" if isinstance(value, (dict, list)) else f"key '{name}' above the first section"
            raise AgentFileError(f"{FILE_NAME}: unknown {what}{_did_you_mean(name, _KEYS, '[{}]')}")
        if name == "note":
            if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
                raise AgentFileError(f"{FILE_NAME}: note is not a list of sections; write [[note]] above each")
        elif not isinstance(value, dict):
            raise AgentFileError(f"{FILE_NAME}: {name} is no section; write [{name}] once")
    return {name: _read_section(f"[{name}]", name, table.get(name, {})) for name in _KEYS if name != "note"}


def _read_section(where: str, section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    keys = _KEYS[section]
    read: dict[str, Any] = {}
    for name, given in values.items():
        if name not in keys:
            hint = _did_you_mean(name, keys, "'{}'")
            raise AgentFileError(f"{FILE_NAME}: unknown key '{name}' in {where}{hint}")
        try:
            read[name] = keys[name].read(given)
        except ValueError:
            raise AgentFileError(
                f"{FILE_NAME}: {where} {name} is {_shown(given)}; expected {keys[name].expects}"
            ) from None
    return read


def _notes(tables: Iterable[Mapping[str, Any]]) -> tuple[NoteField, ...]:
    notes = []
    for number, table in enumerate(tables, 1):
        read = _read_section(f"[[note]] {number}", "note", table)
        for needed in ("name", "kind"):
            if needed not in read:
                raise AgentFileError(f'{FILE_NAME}: [[note]] {number} has no {needed}; add {needed} = "..."')
        notes.append(NoteField(read["name"], read["kind"], read.get("values", ()), read.get("ask", "")))
    return tuple(notes)


def _engine(folder: Path, section: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `Agent` that say what the language model is."""
    kind = section.get("kind", "embedded")
    if kind != "openai":
        for key in section:
            if key not in ("kind", "model"):
                raise AgentFileError(f"{FILE_NAME}: [engine] {key} is for kind 'openai'; drop it or set the kind")
        return {"engine": kind, "model": _model_folder(folder, "model", section.get("model"))}
    for needed in ("base_url", "model"):
        if needed not in section:
            raise AgentFileError(f"{FILE_NAME}: [engine] kind 'openai' has no {needed}; add {needed} = \"...\"")
    server = {key: value for key, value in section.items() if key not in ("kind", "tokenizer")}
    tokenizer = _model_folder(folder, "tokenizer", section.get("tokenizer"))
    return {"engine": kind, "model": tokenizer, "server": ServerSettings(**server)}


def _model_folder(folder: Path, key: str, model: str | None) -> Path | None:
    if model is None:
        return None
    if not (folder / model).is_dir():
        raise AgentFileError(f"{FILE_NAME}: [engine] {key} is {model!r}, but {folder / model} is no folder of weights")
    return folder / model


def _recogniser(folder: Path, section: Mapping[str, Any]) -> RecogniserSettings:
    """A model that is a folder is found from the agent's; any other text is taken for a name."""
    values = {name: value for name, value in section.items() if name != "phrases"}
    if values.get("kind", "pocketsphinx") == "pocketsphinx" and (unused := sorted(values.keys() - {"kind"})):
        raise AgentFileError(f'{FILE_NAME}: [recogniser] {unused[0]} is for whisper; add kind = "whisper"')
    if values.get("model") and (folder / values["model"]).is_dir():
        values["model"] = str(folder / values["model"])
    return RecogniserSettings(**values)


def _with_phrases(agent: Agent, folder: Path, file: str | None) -> Agent:
    if file is None:
        return agent
    try:
        lines = (folder / file).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise AgentFileError(f"{FILE_NAME}: [recogniser] phrases is {file!r}: cannot be read ({reason})") from error
    try:
        return dataclasses.replace(agent, phrases=tuple(lines))
    except AgentError as error:
        # only the phrases are new, so only they can be wrong; name the file in place of the field
        raise AgentFileError(f"{file}{str(error).removeprefix('phrases')}") from error


# --- the tools ---------------------------------------------------------------------------------------------------


def _tools(folder: Path, section: Mapping[str, Any]) -> tuple[Tool, ...]:
    if "module" not in section:
        if section:
            raise AgentFileError(f'{FILE_NAME}: [tools] has names but no module; add module = "tools.py"')
        return ()
    file = section["module"]
    path = folder / file
    if path.parent.resolve() != folder.resolve() or not is_module_file(path):
        raise AgentFileError(f"{FILE_NAME}: [tools] module is {file!r}; expected a Python file in {folder}")
    found = load_tools(path)
    if not found:
        raise AgentFileError(f"{FILE_NAME}: {file} has no tool; put @tool above an async def")
    names = section.get("names", tuple(found))
    for name in names:
        if name not in found:
            hint = _did_you_mean(name, found, "'{}'")
            raise AgentFileError(f"{FILE_NAME}: [tools] names has '{name}', which {file} does not define{hint}")
    return tuple(found[name] for name in names)


# --- words of errors ---------------------------------------------------------------------------------------------


def _did_you_mean(name: str, known: Iterable[str], form: str) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {form.format(near[0])}?"
    return f"; known are {', '.join(form.format(one) for one in names)}" if names else "; there is none in this version"


def _shown(given: Any) -> str:
    if isinstance(given, bool):
        return str(given).lower()
    text = str(given) if isinstance(given, datetime.date) else repr(given)
    return text if len(text) <= 60 else f"{text[:57]}..."
