"""How fast the model in the box runs on one thread, and what an event costs the runtime."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from policies.learned.core.model import Cache, CoreModel
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

__all__ = ["batch8", "decode", "event_cost", "extend5", "start"]

CONTEXT = 800
"""Tokens before the ones that are timed: a long call."""
CALL_TOKENS = 200
"""Tokens of each call that decodes beside others: the middle of a call (180 to 400 in all)."""
DECODED = 64


def extend5(repeats: int = 60) -> Figure:
    """Extend by 5 tokens, about the words of a partial transcript, at 800 tokens of context."""
    model, (cache,), ids = _calls_at(CONTEXT, 1)
    took: list[float] = []
    for _ in range(repeats):
        took_s = stopwatch()
        model.extend(cache, ids[:5])
        took.append(took_s() * 1000)
        cache.truncate(CONTEXT)
    return Figure("extend5_ms", round(percentile(took, 50), 3), "ms", repeats, round(percentile(took, 95), 3))


def decode(repeats: int = 10) -> Figure:
    """Decode 64 tokens one by one at 800 tokens of context; the spread is the slowest twentieth."""
    model, caches, ids = _calls_at(CONTEXT, 1)
    rates = [_rate(model, caches, ids) for _ in range(repeats)]
    return Figure("decode_tok_s", round(percentile(rates, 50)), "tokens/s", repeats, round(percentile(rates, 5)))


def batch8(repeats: int = 20) -> Figure:
    """What 8 calls decode together against one alone, both at 200 tokens of context, by turns; spread as above."""
    model, caches, ids = _calls_at(CALL_TOKENS, 8)
    ratios: list[float] = []
    for _ in range(repeats):
        alone = _rate(model, caches[:1], ids)
        ratios.append(_rate(model, caches, ids) / alone)
    unit = f"x the tokens/s of one call, {CALL_TOKENS} tokens each"
    return Figure("batch8_speedup", round(percentile(ratios, 50), 2), unit, repeats, round(percentile(ratios, 5), 2))


def _calls_at(context: int, calls: int) -> tuple[CoreModel, list[Cache], list[int]]:
    """The boxed model, calls that have read `context` tokens each, and tokens to go on with."""
    model = CoreModel.load(BOXED_MODEL)
    random = np.random.default_rng(0)
    caches = [model.new_cache() for _ in range(calls)]
    for cache in caches:
        model.extend(cache, random.integers(40, model.config.vocab_size, context).tolist())
    return model, caches, random.integers(40, model.config.vocab_size, DECODED).tolist()


def _rate(model: CoreModel, caches: Sequence[Cache], ids: Sequence[int]) -> float:
    """Tokens per second of all calls together; the calls are rolled back afterwards."""
    marks = [cache.length for cache in caches]
    took_s = stopwatch()
    for id_ in ids:
        model.step([(cache, [id_]) for cache in caches])
    rate = len(ids) * len(caches) / took_s()
    for cache, mark in zip(caches, marks, strict=True):
        cache.truncate(mark)
    return rate


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
