"""`run_call`: one call of an agent through a door, and everything that is known of it afterwards.

The whole path is the same for a live call, a recording and a script; only the door and the clock differ. A call's
folder holds ``call.wav`` (left caller, right agent), ``events.jsonl`` (the log), ``labels.json`` (what a scripted
caller really said, where there is one), ``report.html`` and whatever the tools write. It appears under its name only
when complete.
"""

from __future__ import annotations

import asyncio
import datetime
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .agent import Agent
from .bus import Watcher
from .clock import Charge, CostModel, MeasuredCost, run_live, run_virtual
from .events import CallEnded, FinalTranscript, ToolReturned, UtteranceEnded, UtteranceHeard
from .log import FileLog, Log, MemoryLog
from .parts import Parts, mind_settings, open_parts
from .ports import Voice
from .record import Entry

__all__ = ["Call", "CallError", "play_call", "run_call"]


class CallError(ValueError):
    """A call that cannot be played; one line naming the value, the limit and the way out."""


@dataclass(frozen=True)
class Call:
    """A finished call."""

    ended: CallEnded
    entries: tuple[Entry, ...]
    folder: Path | None = None

    @property
    def transcript(self) -> tuple[tuple[str, str], ...]:
        """("caller" or "agent", words) in the order in which they were heard to their end."""
        lines: list[tuple[str, str]] = []
        heard: dict[int, str] = {}
        for entry in self.entries:
            what = entry.what
            if isinstance(what, FinalTranscript) and what.text:
                lines.append(("caller", what.text))
            elif isinstance(what, UtteranceHeard):
                heard[what.utterance] = what.text
            elif isinstance(what, UtteranceEnded) and heard.get(what.utterance):
                lines.append(("agent", heard.pop(what.utterance)))
        return tuple(lines)

    @property
    def tool_results(self) -> tuple[tuple[str, Any], ...]:
        """(tool, result) of each tool call that returned."""
        return tuple((e.what.tool, e.what.result) for e in self.entries if isinstance(e.what, ToolReturned))


async def play_call(
    agent: Agent,
    door: Any,
    parts: Parts,
    *,
    folder: Path,
    today: datetime.date,
    call_id: str = "call",
    log: Log | None = None,
    watchers: Sequence[Watcher] = (),
    audio: bool = True,
    live: bool = False,
) -> Call:
    """Play one call on the running loop with parts that are already open. `folder` is where the tools' files lie."""
    from .session import CallFacts, Ears, Session  # not before the parts are open: their programs start first

    agent = agent.with_served(parts.tools)
    kept = MemoryLog()
    ears = parts.ears if audio else Ears()
    if audio and getattr(door, "transcribed", False):
        ears = Ears(audible=True)
    facts = CallFacts(
        call_id,
        today,
        folder,
        counterparty=str(door.facts.get("counterparty", "")),
        direction=door.facts.get("direction", agent.direction),
        settings=agent.settings_digest(),
    )
    watch = getattr(door, "watch", None)
    session = Session(
        agent,
        mind_settings(agent, today),
        facts,
        door=door,
        ears=ears,
        engine=parts.engine,
        language=parts.language,
        voice=parts.voice,
        log=log or MemoryLog(),
        watchers=(kept.append, *((watch,) if watch is not None else ()), *watchers),
        live=live,
    )
    ended = await session.run()
    return Call(ended, tuple(kept.entries))


def run_call(
    agent: Agent,
    door: Any,
    *,
    out: Path | str | None = None,
    cost: Literal["model", "measured", "live"] = "model",
    cores: int = 2,
    today: datetime.date | None = None,
    call_id: str = "call",
    watchers: Sequence[Watcher] = (),
    audio: bool = True,
    voice: Voice | None = None,
) -> Call:
    """Play one call to its end and give what became of it.

    `cost`: ``model`` is deterministic virtual time, ``measured`` is virtual time charged with the CPU seconds each job
    took on `cores` virtual cores, ``live`` is real time. `today` is the date the agent takes for today (else the agent
    file's). `out`: a folder that must not exist yet; it appears when the call is complete. Raises `CallError`.
    """
    day = today or agent.today
    if day is None:
        raise CallError("no date for today: give today=datetime.date(...) or set today in [agent] of agent.toml")
    target = None if out is None else Path(out)
    if target is not None and os.path.lexists(target):
        raise CallError(f"output folder {target} exists; name a new one or remove it first")
    if not audio and not hasattr(door, "listen_words"):
        raise CallError(f"{type(door).__name__} brings audio only; play it with audio=True")
    if cost == "live":
        return run_live(_run(agent, door, target, day, call_id, watchers, audio, voice, live=True))
    charge: Charge = CostModel.embedded() if cost == "model" else MeasuredCost(cores)
    return run_virtual(_run(agent, door, target, day, call_id, watchers, audio, voice, live=False), charge)


async def _run(
    agent: Agent,
    door: Any,
    target: Path | None,
    today: datetime.date,
    call_id: str,
    watchers: Sequence[Watcher],
    audio: bool,
    voice: Voice | None,
    *,
    live: bool,
) -> Call:
    async with AsyncExitStack() as stack:
        beside = None if target is None else target.parent
        if beside is not None:
            stack.enter_context(_made(beside))
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".duologue-", dir=beside)))
        folder = work / "call"
        folder.mkdir()
        by_words = not audio or getattr(door, "transcribed", False)
        parts = await stack.enter_async_context(open_parts(agent, words_only=by_words, voice=voice))
        log: Log = MemoryLog() if target is None else FileLog(folder / "events.jsonl")
        line: Any = door
        if target is not None and audio:
            from .doors.tape import Tape

            line = Tape(door, folder / "call.wav")
        call = await play_call(
            agent,
            line,
            parts,
            folder=folder,
            today=today,
            call_id=call_id,
            log=log,
            watchers=watchers,
            audio=audio,
            live=live,
        )
        if (fault := getattr(door, "fault", None)) is not None:
            raise CallError(str(fault)) from fault
        if target is None:
            return call
        await asyncio.to_thread(_complete, folder, call, door)
        folder.rename(target)
        return Call(call.ended, call.entries, target)


def _complete(folder: Path, call: Call, door: Any) -> None:
    """What a call's folder holds beside the log, the sound and the tools' files."""
    from .report import write_report

    labels = door.labels() if hasattr(door, "labels") else None
    if labels is not None:
        from .testing.label_file import write_labels

        write_labels(folder / "labels.json", labels)
    sound = folder / "call.wav"
    write_report(call.entries, folder / "report.html", sound if sound.exists() else None, labels)


@contextmanager
def _made(folder: Path) -> Iterator[None]:
    """Make `folder` and what is missing above it; where the block fails, what was made here goes again."""
    new = [one for one in (folder, *folder.parents) if not one.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for one in new:
            with suppress(OSError):  # never made, or meanwhile used by somebody else
                one.rmdir()
        raise
