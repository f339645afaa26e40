"""The pauses of a recorded caller, with their true lengths, for the curves of `endpointing`.

Detector and recogniser are the real ones, the words are what they make of the line. A turn was over where the recorded
agent began to speak before the caller went on: that agent is no judge, but a person or a program took the floor there.
Nothing of the agent's words is known, so the model scores the caller's words alone behind the card.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path

from policies.trajectory import Role, Segment

from ..agent import Agent
from ..boxed import BOXED_MODEL, FRONT_DESK
from ..bus import Bus
from ..clock import CostModel, run_virtual
from ..doors.recording import RecordingDoor
from ..events import FinalTranscript, SpeechStarted, SpeechStopped
from ..listening import Listening
from ..log import MemoryLog
from ..parts import mind_settings, open_parts
from ..record import Entry
from ..timeline import Timeline
from .endpointing import Place, places_of

__all__ = ["Stretch", "recorded", "stream_of", "stretches"]

Spans = Sequence[tuple[float, float]]
EARLY_S = 0.3
"""An agent that began this long before the caller's last sample took the floor at that pause."""


Stretch = tuple[str, float | None]
"""(words, ms of the pause behind them); None: the turn was over there."""


def recorded() -> tuple[list[Place], str]:
    """The pauses of the recorded call in DUOLOGUE_CALLS; none, and why, where it is not set."""
    calls = os.environ.get("DUOLOGUE_CALLS")
    source = Path(calls) / "call40" if calls else None
    if source is None or not source.is_dir():
        return [], "set DUOLOGUE_CALLS to the folder that holds call40"
    from policies.learned.core.model import CoreModel
    from policies.learned.core.tokenizer import Tokenizer

    agent = Agent.load(FRONT_DESK)
    entries = run_virtual(_hear(agent, source), CostModel.embedded())
    spans = json.loads((source / "segments.json").read_text("utf-8"))["agent"]
    found = stretches(entries, spans)
    assert agent.today is not None, "the front desk pins its date"
    card = mind_settings(agent, agent.today).opening.segments
    model, tokenizer = CoreModel.load(BOXED_MODEL), Tokenizer.load(BOXED_MODEL)
    lengths = [pause_ms for words, pause_ms in found if words]
    places = places_of(model, tokenizer, [*card, *stream_of(found)])
    return [
        Place(0, place.words, place.expects, place.p_over, pause_ms)
        for place, pause_ms in zip(places, lengths, strict=False)
    ], ""


async def _hear(agent: Agent, source: Path) -> Sequence[Entry]:
    log = MemoryLog()
    async with open_parts(agent) as parts:
        ears = parts.ears
        assert ears.detector is not None
        assert ears.recogniser is not None
        origin_s = asyncio.get_running_loop().time()
        bus = Bus(log, size=100_000)
        timeline = Timeline(bus, origin_s)
        listening = Listening(RecordingDoor(source), ears.detector, ears.recogniser, timeline, ears.listening)
        async with asyncio.TaskGroup() as group:
            group.create_task(timeline.run())
            await listening.run(origin_s)
            timeline.end()
    return log.entries


def stretches(entries: Sequence[Entry], agent: Spans) -> list[Stretch]:
    """The caller's stretches of speech in order; those that end while the recorded agent speaks are left out.

    The last one is left out too: nobody knows whether more would have come.
    """
    texts = {e.what.segment: e.what.text for e in entries if isinstance(e.what, FinalTranscript)}
    starts = [e.what for e in entries if isinstance(e.what, SpeechStarted)]
    stops = [e.what for e in entries if isinstance(e.what, SpeechStopped)]
    found: list[Stretch] = []
    for start, stop, after in zip(starts, stops, starts[1:], strict=False):
        ended_s, again_s = stop.sample / 16_000, after.sample / 16_000
        taken = any(ended_s - EARLY_S <= begun < again_s for begun, _ in agent)
        if not taken and any(begun < ended_s < until for begun, until in agent):
            continue
        found.append((texts.get(start.segment, ""), None if taken else (again_s - ended_s) * 1000))
    return found


def stream_of(found: Sequence[Stretch]) -> list[Segment]:
    """The stretches as the caller's part of a stream."""
    segments: list[Segment] = []
    for words, pause_ms in found:
        if words:
            segments.append(Segment(Role.HEARD, words))
        if pause_ms is None and segments and segments[-1].role is Role.HEARD:
            segments.append(Segment(Role.TURN))
    return segments
