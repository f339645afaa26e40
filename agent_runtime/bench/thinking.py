"""The same calls with more and more of the caller's time used: from a serial loop to a predicted end of turn.

Each level turns one more way on; callers, seeds, model, voice and recogniser stay the same. Time is virtual and its
costs are stated (`thinking_work`), so a level is the same on every machine. Latencies are measured against what the
script really said. The other half of the figures, measured cost with the model in the box, is `thinking_boxed`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from policies.filler import FillerSettings
from policies.speculation import ThinkingSettings

from ..account import Account, account
from ..call import play_call
from ..clock import run_virtual
from ..commands import Adopt, CallTool
from ..events import CallAnswered, ToolReturned
from ..latency import CallLatency, OverlapLatency, TurnLatency, agent_speech, measure, milliseconds
from ..record import Entry
from .figure import percentile
from .thinking_callers import Asked, bench_caller
from .thinking_work import TODAY, bench_agent, canned_parts

__all__ = ["CALLS", "COMMON_PROMPT", "HEAD", "LEVELS", "Level", "Run", "Turn", "play", "row"]

COMMON_PROMPT = 1_500
"""That of the peers' common work."""
CALLS = 12
"""Calls of a run by default: each of the four first turns with each of the three ways to speak over the agent."""

_OFF = ThinkingSettings(prefill=False, listen=False, draft=False, predict=False, speak=False)


@dataclass(frozen=True, slots=True)
class Level:
    """One rung: what is on. `cached`: the server keeps what it has read. `filler`: A and B say nothing while the model
    thinks, as plain loops do: behind a filler their answers would come later still."""

    letter: str
    says: str
    thinking: ThinkingSettings
    cached: bool = True
    filler: FillerSettings = field(default_factory=FillerSettings)


_PLAIN = FillerSettings(thinking=())

LEVELS = (
    Level("A", "serial loop", _OFF, cached=False, filler=_PLAIN),
    Level("B", "+ prefix cache", _OFF, filler=_PLAIN),
    Level("C", "+ prefill while listening", ThinkingSettings(listen=False, draft=False, predict=False, speak=False)),
    Level("D", "+ thought and tools ahead", ThinkingSettings(draft=False, predict=False, speak=False)),
    Level("E", "+ reply and audio in draft", ThinkingSettings(predict=False, speak=False)),
    Level("F", "+ predicted end of turn", ThinkingSettings()),
)


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn as it was measured. `asked`: what the script meant by it; None for a caller without a script."""

    latency: TurnLatency
    asked: Asked | None
    is_first: bool
    longest_silence_ms: float | None = None
    """Without any sound of the agent, between the end of the turn and its answer."""
    hidden_share: float | None = None
    """How much of the tool that answered lay before the end of the caller's speech."""


@dataclass(slots=True)
class Run:
    """All calls of one level with one prompt."""

    level: str
    prompt_tokens: int
    prefetch: bool = False
    turns: list[Turn] = field(default_factory=list)
    overlaps: list[OverlapLatency] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    repeated: int = 0
    """Turns in which a caller had to ask again."""

    def take(self, entries: Sequence[Entry], latency: CallLatency, asked: dict[int, Asked]) -> None:
        """One more call."""
        for number, turn in enumerate(latency.turns):
            meant = asked.get(turn.first_sample)
            self.repeated += meant is None and bool(asked)
            until = latency.turns[number + 1].first_sample if number + 1 < len(latency.turns) else None
            hidden = _hidden(entries, turn, meant.tool, until) if meant is not None and meant.tool else None
            self.turns.append(Turn(turn, meant, number == 0, _longest_silence(entries, turn), hidden))
        self.overlaps += latency.overlaps
        self.accounts.append(account(entries))

    def first_sounds(self) -> list[float]:
        """Milliseconds of every answered turn."""
        return [ms for turn in self.turns if (ms := turn.latency.first_sound_ms) is not None]

    def first_answers(self) -> list[float]:
        """Milliseconds of every turn that got an answer."""
        return [ms for turn in self.turns if (ms := turn.latency.first_answer_ms) is not None]

    @property
    def wasted_tokens(self) -> int:
        """Written in vain in all calls."""
        return sum(one.wasted_tokens for one in self.accounts)

    @property
    def useful_tokens(self) -> int:
        """All others."""
        return sum(one.tokens for one in self.accounts) - self.wasted_tokens

    @property
    def cut_in_share(self) -> float:
        """Of all turns."""
        return sum(turn.latency.cut_in for turn in self.turns) / max(1, len(self.turns))


def play(level: Level, prompt_tokens: int, seeds: Iterable[int], *, prefetch: bool = False) -> Run:
    """The calls of some seeds at one level, one after the other; each begins with a cold server.

    `prefetch`: the agent's author lets the runtime look up every day as soon as the caller speaks.
    """
    return run_virtual(_play(level, prompt_tokens, seeds, prefetch))


async def _play(level: Level, prompt_tokens: int, seeds: Iterable[int], prefetch: bool) -> Run:
    run = Run(level.letter, prompt_tokens, prefetch)
    agent = bench_agent(prefetch=prefetch, thinking=level.thinking, filler=level.filler)
    for seed in seeds:
        caller = bench_caller(seed)
        parts = canned_parts(prompt_tokens, cached=level.cached)
        with tempfile.TemporaryDirectory() as folder:
            call = await play_call(
                agent, caller, parts, folder=Path(folder), today=TODAY, call_id=f"seed-{seed}", audio=False
            )
        run.take(call.entries, measure(call.entries, caller.labels()), caller.asked_at())
    return run


def _longest_silence(entries: Sequence[Entry], turn: TurnLatency) -> float | None:
    if turn.first_answer is None:
        return None
    reached, longest = turn.last_sample, 0
    for begun, ended in sorted(stretch for one in agent_speech(entries) for stretch in one.audible):
        if begun >= turn.first_answer:
            break
        if ended > reached:
            longest, reached = max(longest, begun - reached), ended
    return milliseconds(max(longest, turn.first_answer - reached))


def _hidden(entries: Sequence[Entry], turn: TurnLatency, tool: str, until: int | None) -> float | None:
    """The share of the tool's time that lay before the end of the turn's speech; None: it was not called for it.

    Of several calls the last one counts that was made or taken up for the turn, which is the one that answered.
    """
    origin_us = next(e.at_us - e.what.sample * 125 // 2 for e in entries if isinstance(e.what, CallAnswered))
    begun: dict[int, float] = {}
    ended: dict[int, float] = {}
    answered = 0
    for entry in entries:
        sample = (entry.at_us - origin_us) * 2 / 125
        number = 0
        match entry.what:
            case CallTool(call=call, tool=name, early=early) if name == tool:
                begun[call] = sample
                number = 0 if early else call
            case Adopt(call=call):
                number = call
            case ToolReturned(call=call):
                ended[call] = sample
        if number in begun and turn.first_sample <= sample and (until is None or sample < until):
            answered = number
    if answered not in ended:
        return None
    first = begun[answered]
    return max(0.0, min(1.0, (turn.last_sample - first) / (ended[answered] - first)))


HEAD = (
    "prompt  level                                    first sound     first answer       n  cut-ins  in vain",
    "tokens                                            p50   p95       p50   p95            share   tokens tools",
)


def row(run: Run) -> str:
    """A run as a line under `HEAD`; milliseconds from the end of the caller's speech."""
    says = next(level.says for level in LEVELS if level.letter == run.level) + ", prefetch" * run.prefetch
    sounds, answers = run.first_sounds(), run.first_answers()
    columns = ((sounds, 50, 6), (sounds, 95, 6), (answers, 50, 10), (answers, 95, 6))
    cells = "".join(f"{percentile(values, share):>{width}.0f}" if values else f"{'-':>{width}}"
                    for values, share, width in columns)  # fmt: skip
    tokens, tools = run.wasted_tokens, sum(one.wasted_tools for one in run.accounts)
    lost = sum(turn.latency.status != "answered" for turn in run.turns)
    again = f"  asked again {run.repeated}" * bool(run.repeated) + f"  callers hung up {lost}" * bool(lost)
    return (
        f"{run.prompt_tokens:>6}  {run.level} {says:<38} {cells}  {len(answers):>6}"
        f"  {run.cut_in_share:>7.3f}  {tokens:>6} {tools:>5}{again}"
    )
