"""What thinking ahead cost and what it saved, read from a call's log: tokens, tool calls, milliseconds, turn by turn.

A fold over entries, like `latency`: entries go in, numbers come out, nothing is kept. What was ordered with
`Generate.draft` or `CallTool.early` and is named by no `Adopt` was in vain; so was a reply that was given up before any
of it sounded. Everything else is useful, so wasted and useful together are all there was. This file refuses to know
files, clocks, labels and the organs.

A turn is the caller's: it reaches from one decision that a turn is over to the next. What is thought before such a
decision belongs to the turn that it ends, what is ordered after it to the same turn. Times are microseconds of the
call, tokens those of the model's language.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from .commands import Adopt, CallTool, Decision, Generate, Say
from .events import (
    CallAnswered,
    ClauseGenerated,
    GenerationEnded,
    PromptSynced,
    SpeechStopped,
    ToolFailed,
    ToolRequested,
    ToolReturned,
    TurnScored,
    UtteranceStarted,
)
from .record import Entry

__all__ = ["Account", "TurnAccount", "account", "line"]

TURN_OVER = "turn over"
"""How the reason of the decision begins that ends a turn of the caller."""


@dataclass(frozen=True, slots=True)
class TurnAccount:
    """One turn of the caller; `over_us` None: the call ended first."""

    over_us: int | None
    prompt_tokens: int = 0
    """Of the stream that was answered, its end of turn not counted; 0: the log does not say."""
    left_tokens: int = 0
    """How many of them were not read yet when the caller's speech ended, as the detector saw it."""
    read_tokens: int = 0
    """All that was read in the turn, before its end and after it."""
    rolled_back_tokens: int = 0
    """Read, and dropped again because the words changed or a draft's end of turn did not hold."""
    tokens: int = 0
    """Written by the model."""
    wasted_tokens: int = 0
    """Of these, the ones of drafts that were not adopted and of replies given up before they sounded."""
    tools: int = 0
    wasted_tools: int = 0
    """Tool calls that ran early and were not adopted."""
    drafts: int = 0
    hit: bool = False
    """The answer came from a draft."""
    saved_ms: float = 0.0
    """How much of the answer's own work lay before the end of the turn: the length of the union, up to that end, of the
    stretches in which an adopted draft was being written (from its order to its first clause or tool request) or an
    adopted tool was running. The serial path begins the same work at the turn's end and needs at least as long, so this
    never exceeds what that would have taken. Reading ahead and synthesis save more, which no entry tells."""

    @property
    def cached_tokens(self) -> int:
        """Tokens of the answered stream that were read when the caller's speech ended."""
        return self.prompt_tokens - self.left_tokens


@dataclass(frozen=True, slots=True)
class Account:
    """All turns of a call, in order."""

    turns: tuple[TurnAccount, ...]

    @property
    def tokens(self) -> int:
        """Written by the model in the whole call."""
        return sum(turn.tokens for turn in self.turns)

    @property
    def wasted_tokens(self) -> int:
        """Written in vain."""
        return sum(turn.wasted_tokens for turn in self.turns)

    @property
    def tools(self) -> int:
        """Tool calls begun."""
        return sum(turn.tools for turn in self.turns)

    @property
    def wasted_tools(self) -> int:
        """Tool calls begun in vain."""
        return sum(turn.wasted_tools for turn in self.turns)

    @property
    def saved_ms(self) -> float:
        """Over all turns."""
        return sum(turn.saved_ms for turn in self.turns)


@dataclass(slots=True)
class _Work:
    """A generation or a tool call."""

    begun_us: int
    turn: int
    early: bool
    depth: str = ""
    tokens: int = 0
    ready_us: int | None = None
    """When something of it could be acted on: a clause, a tool request, a result."""
    cancelled: bool = False
    sounded: bool = False
    adopted: bool = False
    scored: bool = False
    """Its end of turn was scored on the way, and fed apart from what was synced."""

    @property
    def wasted(self) -> bool:
        return (self.early and not self.adopted) or (self.cancelled and not self.sounded)


@dataclass(slots=True)
class _Turn:
    over_us: int | None = None
    speech_end_us: int | None = None
    syncs: list[tuple[int, int, PromptSynced]] = field(default_factory=list)
    """(time, generation or 0 for a reading ahead, what)."""


def account(entries: Sequence[Entry]) -> Account:
    """The account of one call's log. A log from before there were drafts has nothing wasted and nothing saved."""
    fold = _Fold()
    for entry in entries:
        fold.take(entry)
    return Account(tuple(fold.turn(number) for number in range(len(fold.turns))))


class _Fold:
    """What is known after the entries so far."""

    def __init__(self) -> None:
        self.turns = [_Turn()]
        self.generations: dict[int, _Work] = {}
        self.calls: dict[int, _Work] = {}
        self._origin_us = 0
        self._ordered: dict[int, int] = {}  # seq of a `Generate` -> its number
        self._clauses: dict[int, int] = {}  # seq of a clause -> its generation
        self._said: dict[int, int] = {}  # utterance -> the generation that it says

    def take(self, entry: Entry) -> None:
        """One more entry."""
        what, now = self.turns, entry.at_us
        match entry.what:
            case CallAnswered(sample):
                self._origin_us = now - sample * 125 // 2
            case SpeechStopped(sample):
                what[-1].speech_end_us = self._origin_us + sample * 125 // 2
            case Decision("think", reason) if reason.startswith(TURN_OVER):
                what[-1].over_us = now
                what.append(_Turn())
            case Generate(generation=number, draft=depth):
                self._ordered[entry.seq] = number
                self.generations[number] = _Work(now, self._turn(bool(depth)), bool(depth), depth)
            case CallTool(call=number, early=early):
                self.calls[number] = _Work(now, self._turn(early), early)
            case Adopt(generation, call):
                for adopted in (self.generations.get(generation), self.calls.get(call)):
                    if adopted is not None:
                        adopted.adopted, adopted.turn = True, self._turn(False)
            case PromptSynced():
                number = self._ordered.get(entry.cause, 0)
                turn = self.generations[number].turn if number else len(what) - 1
                what[turn].syncs.append((now, number, entry.what))
            case TurnScored() if entry.cause in self._ordered:
                self.generations[self._ordered[entry.cause]].scored = True
            case ToolReturned(call=number) | ToolFailed(call=number) if number in self.calls:
                self.calls[number].ready_us = now
            case _:
                self._written(entry)

    def _turn(self, early: bool) -> int:
        """The turn that what is ordered now belongs to: early work to the open one, other to the one being answered."""
        return len(self.turns) - 1 if early else max(0, len(self.turns) - 2)

    def _written(self, entry: Entry) -> None:
        match entry.what:
            case ClauseGenerated(generation=number) | ToolRequested(generation=number) if number in self.generations:
                work = self.generations[number]
                work.ready_us = work.ready_us or entry.at_us
                self._clauses[entry.seq] = number
            case GenerationEnded(number, outcome, tokens) if number in self.generations:
                work = self.generations[number]
                work.tokens, work.cancelled = tokens, outcome == "cancelled"
            case Say(utterance=number) if entry.cause in self._clauses:
                self._said[number] = self._clauses[entry.cause]
            case UtteranceStarted(utterance=number) if number in self._said:
                self.generations[self._said[number]].sounded = True

    def turn(self, number: int) -> TurnAccount:
        """The account of one turn."""
        turn = self.turns[number]
        written = [work for work in self.generations.values() if work.turn == number]
        calls = [work for work in self.calls.values() if work.turn == number]
        prompt, left = self._left(number)
        ahead = [
            (work.begun_us, min(turn.over_us, work.ready_us or turn.over_us))
            for work in (*written, *calls)
            if work.adopted and turn.over_us is not None
        ]
        return TurnAccount(
            over_us=turn.over_us,
            prompt_tokens=prompt,
            left_tokens=left,
            read_tokens=sum(sync.computed for _, _, sync in turn.syncs),
            rolled_back_tokens=sum(sync.rolled_back for _, _, sync in turn.syncs),
            tokens=sum(work.tokens for work in written),
            wasted_tokens=sum(work.tokens for work in written if work.wasted),
            tools=len(calls),
            wasted_tools=sum(work.wasted for work in calls),
            drafts=sum(work.depth == "draft" for work in written),
            hit=any(work.adopted for work in written),
            saved_ms=_union_us(ahead) / 1000,
        )

    def _left(self, number: int) -> tuple[int, int]:
        """Tokens of the answered stream, and how many of them were not in the cache when the speech ended.

        What of the cache survived from then on is the least that any later reading found there.
        """
        turn = self.turns[number]
        answers = [
            at
            for at, (_, generation, _) in enumerate(turn.syncs)
            if generation and (not self.generations[generation].early or self.generations[generation].adopted)
        ]
        if not answers or turn.over_us is None:
            return 0, 0
        # of several (the reply, then the one after a tool) the first answers the words
        at = answers[0]
        _, generation, sync = turn.syncs[at]
        total = sync.total - (not self.generations[generation].scored)
        end_us = turn.over_us if turn.speech_end_us is None else turn.speech_end_us
        later = [sync.reused for when, _, sync in turn.syncs[: at + 1] if when > end_us]
        return total, total - min(total, *later) if later else 0


def _union_us(stretches: Iterable[tuple[int, int]]) -> int:
    total, reached = 0, 0
    for begun, ended in sorted(stretches):
        begun = max(begun, reached)
        if ended > begun:
            total, reached = total + ended - begun, ended
    return total


def line(accounts: Sequence[Account]) -> str:
    """One line for people; empty where nothing was ever prepared."""
    turns = [turn for one in accounts for turn in one.turns]
    if not any(turn.drafts or turn.saved_ms or turn.wasted_tokens or turn.wasted_tools for turn in turns):
        return ""
    tokens, wasted = sum(turn.tokens for turn in turns), sum(turn.wasted_tokens for turn in turns)
    tools, idle = sum(turn.tools for turn in turns), sum(turn.wasted_tools for turn in turns)
    hits, answered = sum(turn.hit for turn in turns), sum(turn.over_us is not None for turn in turns)
    saved = sum(turn.saved_ms for turn in turns)
    return (
        f"thought ahead: {saved:,.0f} ms saved in {answered} turns, {hits} answered from a draft; "
        f"in vain {wasted} of {tokens} tokens, {idle} of {tools} tool calls"
    )
