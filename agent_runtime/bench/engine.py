"""How fast the model in the box runs on one thread, and what an event costs the runtime."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from policies.learned.core.model import CoreModel
from policies.trajectory import Trajectory

from ..boxed import BOXED_MODEL
from ..bus import Bus
from ..clock import stopwatch
from ..events import CallAnswered, CallStarted, Event, PartialTranscript, SpeechStarted
from ..log import FileLog
from ..mind import Mind
from ..mind_settings import MindSettings
from ..record import SCHEMA
from .figure import Figure, percentile

__all__ = ["event_cost", "model_speed", "start"]

CONTEXT = 800


def model_speed(repeats: int = 60) -> Iterator[Figure]:
    """Extend by 5 tokens at 800 tokens of context; decode 64 tokens from there, one by one."""
    model = CoreModel.load(BOXED_MODEL)
    random = np.random.default_rng(0)
    ids = [int(i) for i in random.integers(40, model.config.vocab_size, CONTEXT + 64)]
    cache = model.new_cache()
    model.extend(cache, ids[:CONTEXT])
    extends: list[float] = []
    for _ in range(repeats):
        took_s = stopwatch()
        model.extend(cache, ids[CONTEXT : CONTEXT + 5])
        extends.append(took_s() * 1000)
        cache.truncate(CONTEXT)
    yield Figure("extend5_ms", round(percentile(extends, 50), 3), "ms", repeats, round(percentile(extends, 95), 3))
    rates: list[float] = []
    for _ in range(max(5, repeats // 6)):
        took_s = stopwatch()
        for token in ids[CONTEXT:]:
            model.extend(cache, [token])
        rates.append(64 / took_s())
        cache.truncate(CONTEXT)
    yield Figure("decode_tok_s", round(percentile(rates, 50)), "tokens/s", len(rates), round(percentile(rates, 5)))


def event_cost(events: int = 20_000) -> Figure:
    """Bus, log file and mind for the most frequent event, a partial transcript with changed words, and its commands."""
    return asyncio.run(_event_cost(events))


async def _event_cost(events: int) -> Figure:
    mind = Mind(MindSettings(Trajectory()))
    with tempfile.TemporaryDirectory() as folder:
        log = FileLog(Path(folder) / "events.jsonl")
        bus = Bus(log)

        async def through(what: Event) -> None:
            await bus.publish(what)
            entry = await bus.next()
            for command in mind.receive(entry):
                bus.order(command, entry.seq)

        await through(CallStarted("bench", "inbound", "s", "a", "2026-01-05", SCHEMA, "", "x"))
        await through(CallAnswered(0))
        await through(SpeechStarted(0, 1_056, 0.9, 0.0, 1))
        sentence = "i would like to come in on wednesday".split()
        costs: list[float] = []
        batch = 200
        for start_at in range(0, events, batch):
            took_s = stopwatch()
            for number in range(start_at, start_at + batch):
                words = sentence[: 1 + number % 8]
                stable, tail = " ".join(words[:-2]), " ".join(words[-2:])
                await through(PartialTranscript(1, number, number * 640, stable, tail))
            costs.append(took_s() / batch * 1e6)
        log.close()
    return Figure("event_cost_us", round(percentile(costs, 50), 1), "us", events, round(percentile(costs, 95), 1))


_START = """
import time; begin = time.perf_counter()
import asyncio
from agent_runtime.agent import Agent
from agent_runtime.boxed import FRONT_DESK
from agent_runtime.parts import open_parts
async def main():
    agent = Agent.load(FRONT_DESK)
    async with open_parts(agent) as parts:
        stream = await parts.ears.recogniser.open()
        session = await parts.engine.open("first")
        print(time.perf_counter() - begin)
asyncio.run(main())
"""


def start(repeats: int = 5) -> Figure:
    """A fresh process: imports, agent, detector, recogniser, model and voice open, the first call's streams ready."""
    took: list[float] = []
    for _ in range(repeats):
        done = subprocess.run([sys.executable, "-c", _START], capture_output=True, text=True, check=False)
        if done.returncode:
            return Figure("start_s", None, "s", reason=done.stderr.strip().splitlines()[-1][:200])
        took.append(float(done.stdout.strip().splitlines()[-1]))
    return Figure("start_s", round(percentile(took, 50), 3), "s", repeats, round(percentile(took, 95), 3))
