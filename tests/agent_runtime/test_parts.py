"""Opening the parts: programs first, side by side, and nothing left behind where one of them fails."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from agent_runtime.agent import Agent, VoiceSettings
from agent_runtime.boxed import BOXED_MODEL, FRONT_DESK
from agent_runtime.clock import run_virtual
from agent_runtime.parts import open_parts
from agent_runtime.testing.fakes import TimedVoice
from audio.engines.espeak.utterance import VoiceError

ROOT = Path(__file__).resolve().parents[2]

boxed = pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box")


def children() -> set[str]:
    """The processes that this one has started and not yet reaped."""
    lists = Path("/proc/self/task").glob("*/children")
    return {child for one in lists for child in one.read_text().split()}


async def opened(agent: Agent) -> None:
    async with open_parts(agent):
        pytest.fail("an agent without a voice opened")


@boxed
def test_a_part_that_fails_says_so_itself_and_leaves_no_other_running() -> None:
    before = children()
    agent = dataclasses.replace(Agent.load(FRONT_DESK), voice=VoiceSettings("no-such-voice"))
    with pytest.raises(VoiceError, match="no-such-voice"):
        run_virtual(opened(agent))
    assert children() == before


@boxed
def test_a_call_of_words_starts_no_program() -> None:
    async def main() -> None:
        before = children()
        async with open_parts(Agent.load(FRONT_DESK), words_only=True, voice=TimedVoice()) as parts:
            assert parts.ears.by_words
            assert children() == before

    run_virtual(main())


@boxed
def test_programs_start_before_the_rest_is_imported_and_all_is_there_when_the_parts_are_open() -> None:
    code = """
import asyncio, sys
from agent_runtime.agent import Agent
from agent_runtime.boxed import FRONT_DESK
from agent_runtime.parts import open_parts
late = ("agent_runtime.session", "agent_runtime.mind", "onnxruntime", "policies.learned.core.model", "email")
print([name for name in late if name in sys.modules])
async def main():
    async with open_parts(Agent.load(FRONT_DESK)) as parts:
        before = set(sys.modules)
        from agent_runtime import call, session
        print(sorted(name for name in set(sys.modules) - before))
        print([name for name in late if name not in sys.modules])
asyncio.run(main())
"""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.stdout.splitlines() == ["[]", "['agent_runtime.call']", "['email']"], run.stderr
