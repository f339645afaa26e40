"""A second, slower mind that the talker may ask: what it is as values, and the tool by which it is asked.

It is a tool to the model and to the mind: it reads, it is slow, it runs in the background, fillers cover the wait and
its answer is the tool's result. What it gets is a brief (`policies.brief`), never the transcript. This file refuses to
know engines; `agent_runtime.second_mind` opens them.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from policies.brief import Brief, BriefLimits

from .parameters import FreeText, ToolContext, ToolDefinitionError, ToolError
from .tools import Tool, tool

if TYPE_CHECKING:
    from .agent import ServerSettings

__all__ = ["THINKERS", "Ask", "Thinker", "ThinkerError", "thinker_tool"]

THINKERS = ("openai", "embedded", "tool")
"""Kinds of second mind an agent may ask for."""

Ask = Callable[[Brief, ToolContext], Coroutine[Any, Any, Any]]
"""A brief and the call's context -> the answer, as words or another JSON value."""


class ThinkerError(ToolError, ValueError):
    """A second mind that cannot be asked, or gave no words; one line with the way out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinker:
    """Who is asked, for what and under which limits. Raises `ThinkerError` where the values do not fit each other."""

    kind: Literal["openai", "embedded", "tool"]
    name: str
    """As the talker asks for it: ``doctor`` is the tool ``ask_doctor``."""
    knows: str = ""
    """What to ask it, a sentence for the talker: the tool's description."""
    topics: Sequence[str] = ()
    """What it may be asked about; empty: a few free words of the talker."""
    server: ServerSettings | None = None
    """Of kind ``openai``."""
    model: Path | None = None
    """Folder of weights, of kind ``embedded``."""
    function: Callable[[Brief], Coroutine[Any, Any, Any]] | None = None
    """Of kind ``tool``: a sub-agent, an async function that takes the brief."""
    timeout_s: float = 20.0
    """After this many seconds it is given up. A guess: longer nobody holds the line."""
    slow_s: float = 4.0
    """How long it usually takes. A guess."""
    filler: str = ""
    """What covers the wait before the usual fillers."""
    words: int = 40
    """Most words of its answer."""
    limits: Sequence[str] = ()
    """What it must not promise: ``a price``."""

    def __post_init__(self) -> None:
        needs = {"openai": self.server, "embedded": self.model, "tool": self.function}
        if self.kind not in needs:
            raise ThinkerError(f"thinker kind is {self.kind!r}; expected one of {', '.join(THINKERS)}")
        for kind, what in needs.items():
            if (what is not None) != (kind == self.kind):
                asks = {"openai": "base_url and model", "embedded": "a model folder", "tool": "a function"}[kind]
                wrong = f"needs {asks}" if kind == self.kind else f"takes no {asks}; drop it"
                raise ThinkerError(f"thinker {self.name!r} of kind {self.kind!r} {wrong}")
        if self.function is not None and not inspect.iscoroutinefunction(self.function):
            raise ThinkerError(
                f"thinker {self.name!r}: its function is not async; write 'async def' and take the brief"
            )
        if not 0 < self.words <= 200:
            raise ThinkerError(f"thinker words is {self.words}; expected 1 to 200")
        thinker_tool(self)  # a name that cannot be spoken, topics that sound alike, times that do not fit

    @property
    def tool_name(self) -> str:
        """How the model calls it."""
        return f"ask_{self.name}"

    def described(self) -> dict[str, Any]:
        """What of it may change a decision: all but the code of its function and the place of its weights."""
        values = {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.name != "function"}
        return {**values, "model": self.model.name if self.model else None}

    @property
    def brief_limits(self) -> BriefLimits:
        """What its answer must keep to."""
        return BriefLimits(self.words, tuple(self.limits))


def thinker_tool(thinker: Thinker, ask: Ask | None = None) -> Tool:
    """The tool ``ask_<name>``. Without `ask` it may be described but not called. Raises `ThinkerError`."""

    async def answer(about: str, brief: Brief, context: ToolContext) -> Any:
        if ask is None:
            raise ThinkerError(f"thinker {thinker.name!r} is not open; call it within open_parts")
        return await ask(brief, context)

    topics = tuple(thinker.topics)
    answer.__name__ = thinker.tool_name
    answer.__doc__ = thinker.knows or f"Ask the {thinker.name.replace('_', ' ')}, who takes time but knows more."
    answer.__annotations__["about"] = Literal[topics] if topics else Annotated[str, FreeText]
    answer.__annotations__.update(brief=Brief, context=ToolContext)
    make = tool(
        effect="read",
        timeout_s=thinker.timeout_s,
        slow_s=min(thinker.slow_s, thinker.timeout_s),
        filler=thinker.filler or None,
        background=True,
    )
    try:
        return make(answer)
    except ToolDefinitionError as error:
        raise ThinkerError(f"thinker {thinker.name!r}: {error}") from error
