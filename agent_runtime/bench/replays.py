"""How fast calls replay, and whether they replay alike."""

from __future__ import annotations

import datetime
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from ..agent import Agent
from ..boxed import FRONT_DESK
from ..call import play_call, run_call
from ..clock import run_virtual, stopwatch
from ..parts import Parts
from ..session import Ears
from ..testing.caller import ScriptedCaller
from ..testing.clips import Clip, Word
from ..testing.fakes import EngineCost, FakeEngine, TimedVoice, WordLanguage, replies
from ..testing.script import Line, Segment, after_turn
from ..testing.script_file import load_script
from .figure import Figure, percentile

__all__ = ["identical_logs", "scripted_call"]


def scripted_call(length_s: int = 600, repeats: int = 5) -> Figure:
    """A talk of words without audio: bus, mind, log, ledger and timers, with the fake engine and a voice of time."""
    speeds: list[float] = []
    for _ in range(repeats):
        took_s = stopwatch()
        reached_s = run_virtual(_talk(length_s))
        speeds.append(reached_s / took_s())
    return Figure("replay_scripted_speed", round(percentile(speeds, 50)), "x real time", repeats, round(min(speeds)))


async def _talk(length_s: int) -> float:
    said = ["i would like to come in on wednesday morning", "ten thirty would suit me very well", "my name is miller"]
    lines = [Line(f"line {n}", after_turn(0.6), (Segment(_clip(said[n % 3])),)) for n in range(length_s // 5)]
    caller = ScriptedCaller.of_lines(*lines)
    agent = Agent(name="talker", persona="somebody who listens", greeting="good morning. how can i help?")
    language = WordLanguage()
    reply = replies({}, "<think> none <expect> more <say> i see, and is there anything else that i should know? <end>")
    parts = Parts(Ears(), FakeEngine(language, reply, EngineCost()), language, TimedVoice())
    with tempfile.TemporaryDirectory() as folder:
        day = datetime.date(2026, 11, 23)
        call = await play_call(agent, caller, parts, folder=Path(folder), today=day, audio=False)
    return call.entries[-1].at_s


def _clip(text: str) -> Clip:
    """Words of 320 ms each, without sound."""
    words = tuple(Word(word, n * 5_120, (n + 1) * 5_120) for n, word in enumerate(text.split()))
    return Clip(text, words, words[-1].end_sample)


def identical_logs(runs: int = 20) -> Figure:
    """The shipped call `runs` times with ``--cost model`` while another process keeps a core busy; distinct logs."""
    agent = Agent.load(FRONT_DESK)
    digests: list[str] = []
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        for number in range(runs):
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder) / f"run-{number}"
                run_call(agent, load_script(FRONT_DESK / "calls" / "demo"), out=out, cost="model")
                digests.append(hashlib.sha256((out / "events.jsonl").read_bytes()).hexdigest())
    finally:
        busy.kill()
        busy.wait()
    alike = max(digests.count(digest) for digest in digests)
    return Figure("identical_logs", alike, f"of {runs} runs byte-identical", runs)
