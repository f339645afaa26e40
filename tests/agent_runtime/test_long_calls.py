"""A call that goes on for thirty turns is read from its last turns, and still comes to its end."""

from __future__ import annotations

import datetime
from pathlib import Path

from agent_runtime.agent import Agent
from agent_runtime.call import Call, run_call
from agent_runtime.doors.typed import TypedDoor
from agent_runtime.events import PromptSynced
from agent_runtime.testing.fakes import TimedVoice
from policies import window

FRONT_DESK = Path(__file__).parents[2] / "examples" / "front_desk"
SAYS = [
    "hello i'd like an appointment",
    *["monday please", "what are your opening hours", "no tuesday", "can i pay by card", "say that again please"] * 5,
    *["wednesday morning", "the first one", "my name is miller", "yes that's right", "no that's all thank you"],
]


def talk() -> tuple[Call, int]:
    """The call, and the longest stream that was read in it, in tokens."""
    lines = iter([*SAYS, None])
    read = [0]
    call = run_call(
        Agent.load(FRONT_DESK),
        TypedDoor(lambda: next(lines)),
        today=datetime.date(2026, 11, 24),
        audio=False,
        voice=TimedVoice(first_s=0.0, word_ms=10),
        watchers=[lambda entry: read.append(entry.what.total) if isinstance(entry.what, PromptSynced) else None],
    )
    return call, max(read)


def test_a_call_of_thirty_turns_comes_to_its_end() -> None:
    call, longest = talk()
    assert "book" in [tool for tool, *_ in call.tool_results]
    assert call.transcript[-1][1].endswith("goodbye.")
    assert window.MOST_READ * 0.8 < longest < window.MOST_READ + 140
