"""An agent: everything that makes one voice agent different from the next, as one value that never changes.

It can be written in Python or read from a folder (`Agent.load`, `agent_runtime.agent_file`). This file checks that the
pieces fit each other. It refuses to know calls, engines and files.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from audio.echo import EchoSettings
from policies import PolicyError
from policies.backchannel import BackchannelSettings
from policies.barge_in import BargeInSettings
from policies.endpointing import EndpointSettings
from policies.filler import FillerSettings
from policies.idle import IdleSettings
from policies.pace import PaceSettings
from policies.prompt import card
from policies.repair import RepairSettings
from policies.shapes import Kind, NoteField
from policies.speculation import ThinkingSettings
from policies.spoken import say_time, say_value
from policies.trajectory import Segment

from .engine_settings import ENGINES, AgentError, AgentFileError, EngineSettings, ServerSettings, VLLMSettings
from .phrases import FORM, PhraseError, check_phrases, expand_phrases
from .speech_settings import RECOGNISERS, VOICES, RecogniserSettings, VoiceSettings
from .thinkers import Thinker
from .tool_servers import ToolServer
from .tools import Tool
from .wording import Wording

__all__ = [
    "ENGINES",
    "RECOGNISERS",
    "VOICES",
    "Agent",
    "AgentError",
    "AgentFileError",
    "EngineSettings",
    "RecogniserSettings",
    "ServerSettings",
    "VLLMSettings",
    "VoiceSettings",
]


_TIMES = tuple(say_time(f"{minute // 60:02d}:{minute % 60:02d}") for minute in range(7 * 60, 19 * 60, 30))
"""The half hours a caller may name where the agent brings no phrases: the twelve hours that need no a.m. or p.m."""

_UNSAID = frozenset({"none", "other", "unclear"})
"""Choice values that stand in a note but are no words of a caller."""

_DEFAULT_PHRASES = (
    "(yes|yeah|yep|no|okay|sure|right) (please|thanks|thank you|)", "(that is|that's) (right|correct|fine|not right)",
    "(hello|hi|good morning|good afternoon)", "(goodbye|bye|thank you bye)", "(one moment|hang on|wait)",
    "(sorry|pardon|could you repeat that)", "i (would like|want|need) to", "my name is",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Agent:
    """One voice agent. Raises `AgentError` where its pieces do not fit each other.

    >>> Agent(name="front desk", persona="front desk of riverside clinic", tools=[find_slots, book])
    """

    name: str
    persona: str
    """Who the agent is, in the words of the card: ``front desk of riverside clinic``."""
    greeting: str = ""
    """Said as soon as the call is answered; empty: the other side speaks first."""
    tools: Sequence[Tool] = ()
    servers: Sequence[ToolServer] = ()
    """MCP servers whose tools come behind these, once the parts are open: see `with_served`."""
    thinker: Thinker | None = None
    """A slower mind that the agent may ask, by a tool that comes behind the servers', once the parts are open."""
    notes: Sequence[NoteField] = ()
    """What the agent writes down about the call before each turn, in this order; none: it thinks in free words, and may
    think again between two bits of speech."""
    hours: tuple[str, str] | None = None
    """When the place is open, ``("09:00", "17:00")``; the agent may tell it."""
    hints: Sequence[str] = ()
    """Sentences of the card on how to go about a call: ``callers are asked their name first``."""
    direction: Literal["inbound", "outbound"] = "inbound"
    today: datetime.date | None = None
    """The date the agent takes for today; None: whoever starts the call gives one."""
    time_limit_s: float = 1800.0
    """A call is ended after this long."""
    phrases: Sequence[str] = ()
    """Templates of what callers may say (`agent_runtime.phrases`), for the recogniser; empty: made from the notes."""
    recogniser: RecogniserSettings = field(default_factory=RecogniserSettings)
    voice: VoiceSettings = field(default_factory=VoiceSettings)
    engine: str = "embedded"
    model: Path | None = None
    """Folder of the language model; None: the one in the box. Of a server that takes token ids: of its tokenizer."""
    server: ServerSettings | None = None
    """Where the language model is served, if `engine` is ``openai``."""
    vllm: VLLMSettings | None = None
    """How vLLM runs the language model, if `engine` is ``vllm``; None: as vLLM chooses."""
    stand_ins: Sequence[EngineSettings] = ()
    """Engines that a call goes on with when the one above fails in it, in this order."""
    stall_s: float = 2.0
    """Without a token for so long the one above has failed, if another can stand in."""
    endpointing: EndpointSettings = field(default_factory=EndpointSettings)
    barge_in: BargeInSettings = field(default_factory=BargeInSettings)
    backchannel: BackchannelSettings = field(default_factory=BackchannelSettings)
    echo: EchoSettings = field(default_factory=EchoSettings)
    filler: FillerSettings = field(default_factory=FillerSettings)
    idle: IdleSettings = field(default_factory=IdleSettings)
    repair: RepairSettings = field(default_factory=RepairSettings)
    wording: Wording = field(default_factory=Wording)
    thinking: ThinkingSettings = field(default_factory=ThinkingSettings)
    pace: PaceSettings = field(default_factory=PaceSettings)
    """Of an agent that thinks in free words: when it stops in its speech to think."""
    folder: Path | None = None
    """Where the agent was loaded from."""

    def __post_init__(self) -> None:
        for name in ("tools", "servers", "notes", "hints", "phrases", "stand_ins"):
            given = getattr(self, name)
            if isinstance(given, str) or not isinstance(given, Sequence):
                raise AgentError(f"{name} is {given!r}; expected a list")
            object.__setattr__(self, name, tuple(given))
        for name in ("name", "persona"):
            if not isinstance(getattr(self, name), str) or not getattr(self, name).strip():
                raise AgentError(f"{name} is empty; say in a few words {_ASKS[name]}")
        if self.direction not in ("inbound", "outbound"):
            raise AgentError(f"direction is {self.direction!r}; expected 'inbound' or 'outbound'")
        if self.direction == "inbound" and not self.greeting.strip():
            raise AgentError("greeting is empty; an inbound call is answered with some words")
        if not 0 < self.time_limit_s <= 86_400:
            raise AgentError(f"time_limit_s is {self.time_limit_s!r}; expected seconds above 0, at most a day (86400)")
        object.__setattr__(self, "vllm", self.engines[0].vllm)
        try:
            self.card(datetime.date(2000, 1, 1))
        except PolicyError as error:
            raise AgentError(str(error)) from error
        for one in dataclasses.fields(self.wording):
            if not getattr(self.wording, one.name).strip():
                raise AgentError(f"wording {one.name} is empty; write a sentence, or leave it out for the usual one")
        if self.repair.after < 1:
            raise AgentError(f"repair after is {self.repair.after}; expected 1 or more misunderstood answers")
        names = [server.name for server in self.servers]
        if len(set(names)) < len(names):
            raise AgentError(f"two tool servers have one name among {_list(names)}; rename one")
        _check_notes(self.notes)
        _check_tools(self.tools, self.notes)
        try:
            check_phrases(*self._templates())
        except PhraseError as error:
            raise AgentError(str(error)) from error

    @classmethod
    def load(cls, folder: Path | str) -> Agent:
        """The agent described by ``agent.toml`` in `folder`. Raises `agent_file.AgentFileError`."""
        from .agent_file import load_agent

        return load_agent(Path(folder))

    def __repr__(self) -> str:
        parts = [repr(self.name)]
        if self.tools:
            parts.append(f"tools: {' '.join(tool.name for tool in self.tools)}")
        if self.notes:
            parts.append(f"notes: {' '.join(note.name for note in self.notes)}")
        if self.today is not None:
            parts.append(f"today {self.today.isoformat()}")
        return f"<Agent {', '.join(parts)}>"

    @property
    def engines(self) -> tuple[EngineSettings, ...]:
        """The language models of a call: the one that is wanted, and those that stand in for it, in their order."""
        return EngineSettings(self.engine, self.model, self.server, self.vllm, self.stall_s), *self.stand_ins

    def with_served(self, tools: Sequence[Tool]) -> Agent:
        """The agent as its calls know it: the `tools` of its servers and of its thinker stand behind its own.

        One that awaits none is itself. Raises `AgentError` where the tools do not fit the notes or each other.
        """
        return dataclasses.replace(self, tools=(*self.tools, *tools), servers=()) if self.awaits_tools else self

    @property
    def awaits_tools(self) -> bool:
        """Some of its tools are known only once its parts are open."""
        asks = self.thinker.tool_name if self.thinker is not None else ""
        return bool(self.servers) or (bool(asks) and all(tool.name != asks for tool in self.tools))

    def tool(self, name: str) -> Tool:
        """The tool called `name`. Raises KeyError."""
        for one in self.tools:
            if one.name == name:
                return one
        raise KeyError(f"agent {self.name!r} has no tool {name!r}; it has {_list(tool.name for tool in self.tools)}")

    def card(self, today: datetime.date) -> Segment:
        """The head of the token stream: persona, the day, opening hours, hints."""
        return card(self.persona, today=today, hours=self.hours, hints=self.hints)

    def sentences(self) -> tuple[str, ...]:
        """What callers of this agent may say, for the recogniser's language model: lower-case words, some repeated.

        The slots of the phrases are the fields of the notes and the parameters of the tools. Made anew each time: a
        few thousand sentences cost 40 ms, and a language model made of them is found by `sentences_digest`.
        """
        return expand_phrases(*self._templates())

    def sentences_digest(self) -> str:
        """16 hex digits that change with everything `sentences` is made of."""
        lines, slots = self._templates()
        text = json.dumps([FORM, lines, slots], ensure_ascii=False)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def settings_digest(self) -> str:
        """16 hex digits that change with everything here that may change a decision; the same on every machine.

        The code of the tools and the weights of the model are not in it: what tools returned stands in the log, and
        an engine has a digest of its own.
        """
        left_out = {"tools", "servers", "thinker", "folder", "model", "today", "vllm", "stand_ins", "stall_s"}
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in left_out}
        # logs from before there were tools in the background, or prefetched ones, keep their digest
        values["tools"] = [
            (tool.shape, tool.slow_s, tool.filler, *["background"] * tool.background, *tool.prefetched)
            for tool in self.tools
        ]
        if self.thinker is not None:
            values["thinker"] = self.thinker.described()
        values["model"] = self.model.name if self.model else None
        later = {"echo": EchoSettings(), "backchannel": BackchannelSettings(), "pace": PaceSettings()}
        for name, default in later.items():
            if values[name] == default:
                del values[name]
        values["voice"] = self.voice.digested()
        if self.recogniser.kind == "pocketsphinx":
            del values["recogniser"]  # logs from before there was a choice keep their digest
        else:
            values["recogniser"] = self.recogniser.digested()
        if self.vllm is not None or self.stand_ins:
            values["engines"] = [one.digested() for one in self.engines]
        text = json.dumps(values, default=dataclasses.asdict, sort_keys=True, ensure_ascii=False)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def _templates(self) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
        """The templates of what callers say, and the values of their slots."""
        slots = self._slots()
        lines = tuple(self.phrases) or _DEFAULT_PHRASES + tuple(
            line
            for name, values in slots.items()
            if values
            for line in (f"{{{name}}}", f"(i would like|on|at|make it|no) {{{name}}}")
        )
        return lines, slots

    def _slots(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        parameters = (parameter for tool in self.tools for parameter in tool.shape.parameters)
        known = [(one.name, one.kind, one.values) for one in self.notes]
        for name, kind, values in known + [(one.name, one.kind, one.values) for one in parameters]:
            if kind == "time":
                found[name] = _TIMES
            elif kind == "number":
                found[name] = tuple(say_value(number) for number in range(1, 21))
            elif kind == "choice":
                said = (say_value(value) for value in values if value not in _UNSAID)
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), *said)))
        return found


_ASKS = {"name": "what to call the agent", "persona": "who the agent is and for whom it speaks"}


def _check_notes(notes: Sequence[object]) -> None:
    seen: set[str] = set()
    for at, note in enumerate(notes):
        if not isinstance(note, NoteField):
            raise AgentError(f"notes[{at}] is {note!r}; expected a NoteField")
        if note.name in seen:
            raise AgentError(f"two notes are called {note.name!r}; rename one")
        seen.add(note.name)
        if not note.name.isidentifier() or note.name != note.name.lower():
            raise AgentError(f"note {note.name!r} cannot be named so; use lower-case letters, digits and _")
        if note.kind not in get_args(Kind):
            raise AgentError(f"kind of note {note.name} is {note.kind!r}; expected one of {_list(get_args(Kind))}")
        if bool(note.values) != (note.kind == "choice"):
            wrong = "has no values; list them" if note.kind == "choice" else "has values; only a choice has"
            raise AgentError(f"{note.kind} note {note.name} {wrong}")
        if len(set(note.values)) < len(note.values):
            raise AgentError(f"note {note.name} lists a value twice: {_list(note.values)}")


def _check_tools(tools: Sequence[object], notes: Sequence[NoteField]) -> None:
    """Tools are tools, named apart, and fit the notes of the same name, which their arguments are copied from."""
    seen: set[str] = set()
    by_name = {note.name: note for note in notes}
    for at, tool in enumerate(tools):
        if not isinstance(tool, Tool):
            name = getattr(tool, "__name__", repr(tool))
            raise AgentError(f"tools[{at}] is {name}, no tool; put @tool above its async def")
        if tool.name in seen:
            raise AgentError(f"two tools are called {tool.name!r}; rename one")
        seen.add(tool.name)
        for parameter in tool.shape.parameters:
            note = by_name.get(parameter.name)
            if note is None:
                continue
            where = f"note {note.name} and the parameter of tool {tool.name} do not fit"
            if note.kind != parameter.kind:
                raise AgentError(f"{where}: the note is a {note.kind}, the parameter a {parameter.kind}")
            unknown = [value for value in parameter.values if value not in note.values]
            if unknown:
                raise AgentError(f"{where}: the note cannot hold {_list(unknown)}")


def _list(names: Any) -> str:
    return ", ".join(names) or "none"
