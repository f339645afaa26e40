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
    [[tools.mcp]] name                    text: what to call this MCP server; needs the extra `mcp`
    [[tools.mcp]] command                 texts: the program and its arguments; it runs in the agent's folder
    [[tools.mcp]] url                     text: in place of command, where the server is reached
    [[tools.mcp]] env                     texts: names of environment variables that the program gets
    [[tools.mcp]] token_env               text: name of the environment variable that holds the token for url
    [[tools.mcp]] allow                   texts: which of its tools to use (default: all that it lists)
    [[tools.mcp]] trust_hints             true or false: believe the server which of its tools only read (false)
    [[tools.mcp]] start_s                 number: seconds it may take to start (30)
    [[tools.mcp]] tool                    the sections [tools.mcp.tool.NAME], one for each tool with terms of its own
    [tools.mcp.tool] effect               "read" or "write" (default)
    [tools.mcp.tool] confirm              true or false: read back and agreed to first (true for a write)
    [tools.mcp.tool] timeout_s            number: seconds after which a call is given up (10)
    [tools.mcp.tool] slow_s               number: seconds it usually takes
    [tools.mcp.tool] filler               text, or texts: what to say while it runs; "let me look at {day}." is filled
                                          from the call, and left out for the next text where no day is given
    [tools.mcp.tool] prefetch             true or false: it costs little, so run it for every value of its choices (8 at
                                          most) as soon as the caller speaks (false)
    [tools.mcp.tool] fixed                table: arguments that are always the same
    [tools.mcp.tool] leave_out            texts: optional parameters that are never given
    [tools.mcp.tool] times                texts: text parameters that hold a time as HH:MM
    [thinker] kind                        "openai", "embedded" or "tool": a slower mind that the agent may ask; it gets
                                          a brief of task, facts and limits, never the transcript
    [thinker] name                        text: what it is called; the model asks it by the tool ask_NAME
    [thinker] knows                       text: what to ask it, told to the model
    [thinker] topics                      texts: what it may be asked about (default: a few free words)
    [thinker] base_url                    text: of kind openai, where its server is; see [engine] for api_key_env too
    [thinker] model                       text: its name at the server; of kind embedded, the folder of its weights
    [thinker] api_key_env                 text
    [thinker] tool                        text: of kind tool, an async function of the tools module that takes a Brief
    [thinker] timeout_s                   number: seconds after which it is given up (20)
    [thinker] slow_s                      number: seconds it usually takes (4)
    [thinker] filler                      text: what to say while it thinks
    [thinker] words                       whole number: most words of its answer (40)
    [thinker] limits                      texts: what it must not promise ("a price")
    [voice] kind                          "espeak" (default); "piper", a program of its own; or "kokoro" or
                                          "openai", which need the extra of that name (and openai a server)
    [voice] name                          text: voice of the synthesiser ("en-us"); not for piper
    [voice] rate_wpm                      whole number: words a minute (170); for espeak
    [voice] pitch                         whole number, 0..99 (50); for espeak
    [voice] model                         text: the .onnx file of piper or kokoro, or the model's name at the server
    [voice] voices                        text: the file of kokoro's voices
    [voice] program                       text: piper, a path or a name on the PATH (piper, or else python -m piper)
    [voice] language                      text: how kokoro reads, as espeak-ng names languages ("en-us")
    [voice] speed                         number: 2 is twice as fast as the voice's own pace (1); not for espeak
    [voice] base_url                      text: where the server is; for openai
    [voice] api_key_env                   text: environment variable that holds the key (default: no key is sent)
    [voice] timeout_s                     number: seconds after which a silent server is given up (10)
    [recogniser] kind                     "pocketsphinx" (default); "whisper", which needs the extra of that name; or
                                          "openai", which needs the extra of that name and a server
    [recogniser] phrases                  text: file of phrase templates, see `agent_runtime.phrases`; for pocketsphinx
    [recogniser] model                    text: folder or name ("tiny", "base.en") of the whisper model ("base"), or the
                                          model's name at the server
    [recogniser] language                 text: what callers speak, as whisper names it ("en"); for both
    [recogniser] compute                  text: whisper's arithmetic ("int8")
    [recogniser] step_ms                  whole number: new speech after which whisper decodes it again (1000)
    [recogniser] base_url                 text: where the server is; for openai
    [recogniser] api_key_env              text: environment variable that holds the key (default: no key is sent)
    [recogniser] timeout_s                number: seconds after which a silent server is given up (10)
    [engine] kind                         "embedded": the language model that runs in the program; "openai": one behind
                                          a server that speaks the OpenAI protocol; "vllm": one that vLLM runs here
    [engine] model                        text: folder of its weights (default: the model in the box), or its name at
                                          the server
    [engine] base_url                     text: where the server is, like "http://127.0.0.1:8000/v1"
    [engine] api_key_env                  text: environment variable that holds the key (default: no key is sent)
    [engine] tokens                       true or false: the server takes token ids, of our own token language (false)
    [engine] tokenizer                    text: folder of that model's tokenizer (default: the model in the box)
    [engine] timeout_s                    number: seconds after which a silent server is given up (10)
    [engine] max_model_len                whole number: tokens of the longest call in vLLM (default: the model's)
    [engine] gpu_memory_utilization       number: share of the GPU's memory for vLLM (default: vLLM's own)
    [engine] dtype                        text: vLLM's arithmetic, "bfloat16", "float16" or "float32" ("auto")
    [[engine]] stall_s                    number: seconds without a token after which an engine has failed (2). Write
                                          [[engine]] above each of several: the first is wanted, and a call goes on with
                                          the next when one fails or falls silent in it
    [thinking] prefill                    true or false: the engine reads while the caller speaks (true)
    [thinking] listen                     true or false: notes and read-only tools before the turn is over (true)
    [thinking] draft                      true or false: a reply and its first words' audio before it is over (true)
    [thinking] predict                    true or false: a drafted turn may end before its final text (true)
    [thinking] speak                      true or false: thinking goes on while the agent speaks (true)
    [thinking] most_peeks                 whole number: see `policies.speculation.ThinkingSettings`, also for the next
    [thinking] most_drafts                whole number
    [thinking] most_guesses               whole number
    [thinking] guess_words                whole number
    [thinking] keep_ms                    whole number
    [thinking] whole_at                   number
    [pace] on                             true or false: an agent without a note stops in its speech to think where it
                                          is not sure how to go on (true); see `policies.pace.PaceSettings`
    [pace] nats                           number
    [pace] most                           whole number
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
    [barge_in] sure_below                 number
    [barge_in] many_words                 whole number
    [backchannel] on                      true or false: hum now and then while the caller speaks long (false)
    [backchannel] texts                   texts: what is said, in order of use
    [backchannel] after_ms                whole number: see `policies.backchannel`, also for the next
    [backchannel] apart_ms                whole number
    [backchannel] from_ms                 whole number
    [backchannel] until_ms                whole number
    [backchannel] likely_over             number
    [echo] guard                          true or false: our own voice coming back is no speech of the caller's (true)
    [echo] longest_ms                     whole number: see `audio.echo.EchoSettings`, also for the next
    [echo] margin_db                      number
    [filler] texts                        texts: what covers the wait for a tool; see `policies.filler.FillerSettings`
    [filler] longer                       texts: later fillers of the same wait
    [filler] thinking                     texts: what covers the wait for the agent's own reply
    [filler] limit_ms                     whole number: silence that is left alone (700)
    [filler] grace_ms                     whole number
    [filler] again_ms                     whole number
    [filler] most_ms                      whole number
    [filler] trust_ms                     whole number
    [filler] late_ms                      whole number
    [filler] finish_ms                    whole number
    [filler] most                         whole number
    [idle] asked_ms                       whole number: silence of both that is borne after a question of the agent
                                          (7000); see `policies.idle.IdleSettings`, also for the next
    [idle] told_ms                        whole number
    [idle] hold_ms                        whole number
    [idle] again_ms                       whole number
    [idle] most                           whole number
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
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from audio.echo import EchoSettings
from policies.backchannel import BackchannelSettings
from policies.barge_in import BargeInSettings
from policies.endpointing import EndpointSettings
from policies.filler import FillerSettings
from policies.idle import IdleSettings
from policies.pace import PaceSettings
from policies.repair import RepairSettings
from policies.shapes import Kind, NoteField
from policies.speculation import ThinkingSettings

from .agent import (
    Agent,
    AgentError,
    AgentFileError,
)
from .agent_engines import ENGINE_KEYS, read_engines
from .agent_keys import (
    FILE_NAME,
    FLAG,
    TEXT,
    TEXTS,
    Key,
    did_you_mean,
    number,
    one_of,
    read_date,
    read_hours,
    read_section,
    whole,
)
from .agent_module import is_module_file, load_tools
from .agent_servers import SERVER_KEYS, TERMS_KEYS, read_servers
from .agent_speech import RECOGNISER_KEYS, VOICE_KEYS, read_recogniser, read_voice
from .agent_thinker import THINKER_KEYS, read_thinker
from .tools import Tool
from .wording import Wording

__all__ = ["FILE_NAME", "AgentFileError", "accepted_keys", "load_agent"]

POLICY_SECTIONS: Mapping[str, type[Any]] = {
    "endpointing": EndpointSettings,
    "barge_in": BargeInSettings,
    "backchannel": BackchannelSettings,
    "echo": EchoSettings,
    "pace": PaceSettings,
    "filler": FillerSettings,
    "idle": IdleSettings,
    "repair": RepairSettings,
    "thinking": ThinkingSettings,
    "wording": Wording,
}
"""Sections that are the settings of a policy, or words: their keys are the fields of the dataclass, and `Agent` has a
field of that name."""


def load_agent(folder: Path) -> Agent:
    """The agent of `folder`. Raises `AgentFileError` with one line; nothing is written."""
    path = folder / FILE_NAME
    table = _read_toml(path)
    sections = _check_sections(table)
    head = sections["agent"]
    servers = read_servers(sections["tools"].pop("mcp", []))
    try:
        agent = Agent(
            name=head.pop("name", ""),
            persona=head.pop("persona", ""),
            **head,
            tools=_tools(folder, sections["tools"]),
            servers=servers,
            thinker=read_thinker(folder, sections["thinker"], sections["tools"].get("module")),
            notes=_notes(table.get("note", [])),
            recogniser=read_recogniser(folder, sections["recogniser"]),
            voice=read_voice(folder, sections["voice"]),
            **read_engines(folder, table.get("engine", {})),
            **{name: settings(**sections[name]) for name, settings in POLICY_SECTIONS.items()},
            folder=folder,
        )
    except AgentFileError:
        raise
    except AgentError as error:
        raise AgentFileError(f"{FILE_NAME}: {error}") from error
    return _with_phrases(agent, folder, sections["recogniser"].get("phrases"))


def accepted_keys() -> dict[str, tuple[str, ...]]:
    """Section -> its keys, as the table above lists them."""
    servers = {"tools.mcp": SERVER_KEYS, "tools.mcp.tool": TERMS_KEYS}
    listed = {section: tuple(keys) for section, keys in {**_KEYS, **servers}.items()}
    return {**listed, "tools": tuple(key for key in listed["tools"] if key != "mcp")}


# --- the keys -------------------------------------------------------------------------------------------------------


def _policy_keys(settings: type[Any]) -> dict[str, Key]:
    """The keys of a policy's settings: its fields of a number, a flag or texts; others are set in Python only."""
    hints = typing.get_type_hints(settings)
    keys: dict[str, Key] = {}
    for f in dataclasses.fields(settings):
        kind = hints[f.name]
        if kind in (int, float):
            keys[f.name] = (whole if kind is int else number)(f.name)
        elif kind is bool:
            keys[f.name] = FLAG
        elif kind is str:
            keys[f.name] = TEXT
        elif kind == tuple[str, ...]:
            keys[f.name] = TEXTS
    return keys


_KEYS: dict[str, dict[str, Key]] = {
    "agent": {
        "name": TEXT,
        "persona": TEXT,
        "greeting": TEXT,
        "direction": one_of("inbound", "outbound"),
        "today": Key("a date such as 2026-11-23", read_date),
        "time_limit_s": number("time_limit_s"),
        "hours": Key('two times such as ["09:00", "17:00"]', read_hours),
        "hints": TEXTS,
    },
    "note": {"name": TEXT, "kind": one_of(*typing.get_args(Kind)), "values": TEXTS, "ask": TEXT},
    "tools": {"module": TEXT, "names": TEXTS, "mcp": Key("[[tools.mcp]] above each server", lambda given: given)},
    "voice": VOICE_KEYS,
    "recogniser": RECOGNISER_KEYS,
    "engine": dict(ENGINE_KEYS),
    **{section: _policy_keys(settings) for section, settings in POLICY_SECTIONS.items()},
    "thinker": dict(THINKER_KEYS),
}


_LISTED = ("note", "engine")
"""Sections of which there may be more than one."""


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
    """The values of each section, read; an absent one is empty. Those that may stand in a list are read apart."""
    for name, value in table.items():
        if name not in _KEYS:
            what = f"section [{name}]" if isinstance(value, (dict, list)) else f"key '{name}' above the first section"
            raise AgentFileError(f"{FILE_NAME}: unknown {what}{did_you_mean(name, _KEYS, '[{}]')}")
        if name == "note":
            if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
                raise AgentFileError(f"{FILE_NAME}: note is not a list of sections; write [[note]] above each")
        elif name != "engine" and not isinstance(value, dict):
            raise AgentFileError(f"{FILE_NAME}: {name} is no section; write [{name}] once")
    return {name: read_section(f"[{name}]", _KEYS[name], table.get(name, {})) for name in _KEYS if name not in _LISTED}


def _notes(tables: Iterable[Mapping[str, Any]]) -> tuple[NoteField, ...]:
    notes = []
    for at, table in enumerate(tables, 1):
        read = read_section(f"[[note]] {at}", _KEYS["note"], table)
        for needed in ("name", "kind"):
            if needed not in read:
                raise AgentFileError(f'{FILE_NAME}: [[note]] {at} has no {needed}; add {needed} = "..."')
        notes.append(NoteField(read["name"], read["kind"], read.get("values", ()), read.get("ask", "")))
    return tuple(notes)


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
            hint = did_you_mean(name, found, "'{}'")
            raise AgentFileError(f"{FILE_NAME}: [tools] names has '{name}', which {file} does not define{hint}")
    return tuple(found[name] for name in names)
