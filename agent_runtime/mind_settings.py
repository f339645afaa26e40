"""Everything the mind knows before a call: the card, the tools, the policies' settings and its own few sentences.

Values only; who fills them in from an agent is `agent_runtime.parts`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from policies import filler
from policies.brief import BriefLimits
from policies.idle import IdleSettings
from policies.repair import RepairSettings
from policies.shapes import NoteField, ToolShape
from policies.speculation import ThinkingSettings
from policies.trajectory import Trajectory

from .floor import FloorSettings
from .wording import Wording

__all__ = ["MindSettings"]


@dataclass(frozen=True, slots=True)
class MindSettings:
    """Everything the mind knows before the call. Times in milliseconds; the texts are spoken as they stand."""

    opening: Trajectory
    """The card: what stands in the stream before anybody speaks."""
    greeting: str = ""
    """Said when the call is answered; empty: the agent waits for the other side."""
    tools: Mapping[str, ToolShape] = field(default_factory=dict)
    usual_ms: Mapping[str, int] = field(default_factory=dict)
    """How long a tool usually takes, as its author declared."""
    tool_fillers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What a tool's author wants said while it runs; the first text whose slots are all given."""
    waits: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """How long waits took in earlier calls: `Waits.values`."""
    background: AbstractSet[str] = frozenset()
    """Tools whose calls do not hold the turn: see `agent_runtime.folding`."""
    prefetches: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """Tool -> JSON arguments of the calls that run when the caller begins to speak."""
    briefs: Mapping[str, BriefLimits] = field(default_factory=dict)
    """Tools that take a brief, and what their answer must keep to."""
    settle_ms: int = 500
    """Silence of both after which a result that nobody waits for is told. A guess: a caller who is about to answer
    begins within it."""
    floor: FloorSettings = field(default_factory=FloorSettings)
    filler: filler.FillerSettings = field(default_factory=filler.FillerSettings)
    idle: IdleSettings = field(default_factory=IdleSettings)
    wording: Wording = field(default_factory=Wording)
    repair: RepairSettings = field(default_factory=RepairSettings)
    time_limit_ms: int = 1_800_000
    max_tool_steps: int = 4
    """Tool calls within one agent turn, so that a loop ends. A guess; real turns take one or two."""
    thinking: ThinkingSettings = field(default_factory=ThinkingSettings)
    notes: Sequence[NoteField] = ()
    """The fields of the note the model writes."""
