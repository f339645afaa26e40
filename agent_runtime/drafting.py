"""What the agent has prepared while the caller speaks: replies in draft, tools that ran early, words with their audio.

Part of the mind and as pure. A draft is a generation on the stream as it would be if the turn ended now. What it
writes is held here and acted on by nobody: only a read-only tool runs (its result is kept by tool and arguments), and
the first clause is synthesised and held back. When the turn is over, the mind takes the draft whose words still hold
and lives through what was held as if it came now; all else is dropped. No word of a draft is audible, nothing is
written, no history changes before that (DESIGN 5).

A draft whose tool has returned goes on in a child, which is taken when the mind comes to the same place.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from policies import tool_gate
from policies.due import due_tool
from policies.notes import read_note
from policies.numerals import plain_words
from policies.speculation import Depth, Listening, decide, same_wish
from policies.trajectory import Role, Segment, Trajectory

from . import commands as do
from . import events as ev
from .commands import Command, Decision
from .conversation import Conversation
from .mind_settings import MindSettings
from .plans import Plans

__all__ = ["Draft", "Drafts", "EarlyCall"]

MOST_EARLY_CALLS = 4
"""Tools that ran early and are not asked for yet, beside those that were prefetched. A guess; the oldest is given up
for a new one."""

DraftEvent = ev.ThoughtFormed | ev.ExpectationFormed | ev.ClauseGenerated | ev.ToolRequested | ev.GenerationEnded


@dataclass(slots=True)
class Draft:
    """A generation ordered before the turn was over, and what it has written so far."""

    number: int
    parent: int
    """The draft whose tool result it goes on from; 0: it answers the caller's words."""
    depth: Depth
    words: tuple[str, ...]
    """The caller's words that it rests on."""
    before: str
    """Digest of the stream before those words."""
    due: str
    stream: Trajectory
    """What it was ordered on, and what it has written since."""
    held: list[DraftEvent] = field(default_factory=list)
    call: int = 0
    """The early call whose result it waits for."""
    utterance: int = 0
    """Where the audio of its first clause waits."""
    ended: bool = False

    @property
    def usable(self) -> bool:
        """It leads somewhere: a reply, or a tool; a peek that stopped before its reply does not."""
        return self.depth == "draft" or any(isinstance(one, ev.ToolRequested) for one in self.held)

    @property
    def ready(self) -> bool:
        """Something of it could be acted on at once."""
        return any(isinstance(one, (ev.ClauseGenerated, ev.ToolRequested)) for one in self.held)


@dataclass(slots=True)
class EarlyCall:
    """A read-only tool that was asked for by a draft."""

    number: int
    tool: str
    key: str
    asked_us: int
    result: ev.ToolReturned | None = None


class Drafts:
    """The drafts of one call; `values`: words that fill a slot of a read-only tool."""

    def __init__(self, settings: MindSettings, plans: Plans, conversation: Conversation) -> None:
        self._settings, self._plans, self._conversation = settings, plans, conversation
        self._drafts: dict[int, Draft] = {}
        self._early: dict[str, EarlyCall] = {}
        self._values = _slot_words(settings)
        self._most_early = MOST_EARLY_CALLS + sum(map(len, settings.prefetches.values()))
        self._peeks = self._made = self._guesses = 0
        self._thought: tuple[str, ...] = ()  # the words that the last peek or draft of the turn rested on
        self._taken = 0  # the draft that the present answer began with, or its child

    # --- while the caller speaks ---------------------------------------------------------------------------------

    def consider(self, *, paused: bool, stable: int, expects: str) -> Iterator[Command]:
        """The caller's words or silence changed: drop what rests on other words, think ahead if that is worth it."""
        thinking, turn = self._settings.thinking, self._conversation.turn
        words = tuple(turn.text.split())
        yield from self._drop(lambda one: not self._holds(one, words), "the words changed")
        if not (thinking.listen or thinking.draft):
            return
        if any(one.depth == "draft" for one in self._drafts.values()):
            return  # it holds for these words too
        heard = Listening(words, stable, paused, self._known(words), self._peeks, self._made, self._guesses, expects)
        found = decide(heard, self._values, thinking)
        depth: Depth = "draft" if found == "guess" else found
        if depth:
            self._thought = words
            self._peeks += depth == "peek"
            self._made += found == "draft"
            self._guesses += found == "guess"
            yield from self._drop(lambda one: one.parent == 0, "a longer thought takes its place")
            yield Decision("think", f"{found} at {len(words)} words")
            yield from self._begin(depth, words)

    def _begin(self, depth: Depth, words: tuple[str, ...]) -> Iterator[Command]:
        talk = self._conversation
        stream, asked = talk.if_over()
        note = read_note(talk.note, self._settings.notes) or {}
        shapes = tuple(self._settings.tools.values())
        due = due_tool(shapes, note, asked=asked, answer=talk.turn.text, refused=talk.refused)
        number = self._plans.number("generation")
        self._drafts[number] = Draft(number, 0, depth, words, talk.committed.digest, due, stream)
        yield do.Generate(number, stream.digest, False, (), due, stream, depth, talk.listening().digest)

    def _known(self, words: tuple[str, ...]) -> int:
        """How many of these words were thought about; all of them only where there were no others."""
        if words == self._thought:
            return len(words)
        common = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(words, self._thought, strict=False)))
        return min(common, len(words) - 1)

    def _holds(self, draft: Draft, words: Sequence[str]) -> bool:
        return draft.before == self._conversation.committed.digest and same_wish(draft.words, words)

    def _drop(self, which: Callable[[Draft], bool], why: str) -> Iterator[Command]:
        """Give up drafts with their children; tools that run for them go on, their results are kept."""
        for draft in [one for one in self._drafts.values() if which(one)]:
            if self._drafts.pop(draft.number, None) is None:
                continue
            yield Decision("think", f"draft {draft.number} dropped: {why}")
            if not draft.ended:
                yield do.CancelGeneration(draft.number)
            if draft.utterance:
                yield do.Cancel(draft.utterance)
            yield from self._drop(lambda one, number=draft.number: one.parent == number, why)  # type: ignore[misc]

    def drop_all(self, why: str) -> Iterator[Command]:
        """Nothing that was prepared will be said; early results stay."""
        yield from self._drop(lambda one: True, why)

    def forget_results(self) -> Iterator[Command]:
        """The world was changed: no early result is good any more."""
        for call in self._early.values():
            if call.result is None:
                yield do.CancelTool(call.number)
        self._early.clear()

    # --- what a draft writes -------------------------------------------------------------------------------------

    def knows(self, generation: int) -> bool:
        """The generation is a draft that was not taken."""
        return generation in self._drafts

    def hold(self, event: DraftEvent) -> Iterator[Command]:
        """Keep what a draft wrote; start a read-only tool, prepare the audio of the first clause."""
        draft = self._drafts[event.generation]
        draft.held.append(event)
        if isinstance(event, ev.ThoughtFormed) and not _speaks(draft):
            draft.stream = draft.stream.append(Segment(Role.THINK, event.text))
        elif isinstance(event, ev.ExpectationFormed):
            draft.stream = draft.stream.append(Segment(Role.EXPECT, event.text))
        elif isinstance(event, ev.ClauseGenerated):
            if not draft.utterance:
                draft.utterance = self._plans.number("utterance")
                yield do.Say(draft.utterance, "answer", last=False, text=event.text)
                yield do.Yield(draft.utterance)
        elif isinstance(event, ev.ToolRequested):
            draft.stream = draft.stream.append(Segment(Role.CALL, event.spoken, Role.END))
            yield from self._call_early(draft, event)
        elif isinstance(event, ev.GenerationEnded):
            draft.ended = True
            if event.outcome == "failed":
                yield from self._drop(lambda one: one is draft, "the engine failed")

    def _call_early(self, draft: Draft, event: ev.ToolRequested) -> Iterator[Command]:
        if not self._settings.thinking.listen:
            return
        if event.tool in self._settings.background or event.tool in self._settings.briefs:
            return  # dear, and asked when the wish is certain
        shape = self._settings.tools[event.tool]
        if shape.effect != "read" or not tool_gate.decide(shape, event.slots, committed=False).allowed:
            return
        key = _key(event.tool, event.arguments)
        yield from self._expire()
        known = self._early.get(key)
        if known is None:
            if len(self._early) >= self._most_early:
                oldest = self._early.pop(next(iter(self._early)))
                if oldest.result is None:
                    yield do.CancelTool(oldest.number)
            yield Decision("tool", f"{event.tool} runs early")
            known = self._begun(event.tool, event.arguments)
            yield do.CallTool(known.number, event.tool, event.arguments, early=True)
        draft.call = known.number
        if known.result is not None:
            yield from self._go_on(draft, known.result)

    def prefetch(self) -> Iterator[Command]:
        """The caller begins to speak: run the tools that are cheap for every value which may be named now.

        Results of the first half of their time are taken to last for the turn; older ones are asked for again.
        """
        if not self._settings.thinking.listen:
            return
        yield from self._expire()
        half_us = self._plans.now_us - self._settings.thinking.keep_ms * 500
        known = {one.key for one in self._early.values() if one.result is None or one.asked_us >= half_us}
        for tool, calls in self._settings.prefetches.items():
            wanted = [arguments for arguments in calls if _key(tool, arguments) not in known]
            if wanted:
                yield Decision("tool", f"{tool} is prefetched")
            for arguments in wanted:
                yield do.CallTool(self._begun(tool, arguments).number, tool, arguments, early=True)

    def _begun(self, tool: str, arguments: Mapping[str, Any]) -> EarlyCall:
        key = _key(tool, arguments)
        found = self._early[key] = EarlyCall(self._plans.number("call"), tool, key, self._plans.now_us)
        return found

    def _expire(self) -> Iterator[Command]:
        """Forget what was asked too long ago to be true now."""
        limit_us = self._plans.now_us - self._settings.thinking.keep_ms * 1000
        for call in [one for one in self._early.values() if one.asked_us < limit_us]:
            del self._early[call.key]
            if call.result is None:
                yield do.CancelTool(call.number)

    def returned(self, event: ev.ToolReturned | ev.ToolFailed) -> Iterator[Command]:
        """An early call ended. One that failed is forgotten: it is asked for again when the turn is over."""
        call = next((one for one in self._early.values() if one.number == event.call), None)
        if call is None:
            return
        if isinstance(event, ev.ToolFailed):
            del self._early[call.key]
            return
        call.result = event
        for draft in list(self._drafts.values()):
            if draft.call == call.number:
                yield from self._go_on(draft, event)

    def _go_on(self, draft: Draft, result: ev.ToolReturned) -> Iterator[Command]:
        """The next step of a draft, after the result of its tool."""
        if draft.depth != "draft" or any(one.parent == draft.number for one in self._drafts.values()):
            return
        stream = draft.stream.append(Segment(Role.RESULT, result.spoken))
        number = self._plans.number("generation")
        self._drafts[number] = Draft(number, draft.number, "draft", draft.words, draft.before, "", stream)
        yield do.Generate(number, stream.digest, True, (), "", stream, "draft")

    # --- when the turn is over -----------------------------------------------------------------------------------

    def ready(self, words: Sequence[str]) -> bool:
        """A draft for these words could be acted on now, and it neither writes nor is about to."""
        found = next((one for one in self._drafts.values() if one.parent == 0 and self._holds(one, words)), None)
        if found is None or found.due or not found.ready:
            return False
        asked = [one.tool for one in found.held if isinstance(one, ev.ToolRequested)]
        return all(self._settings.tools[tool].effect == "read" for tool in asked)

    def asks(self, words: Sequence[str]) -> bool:
        """A draft for these words asks for a read-only tool: they were enough for all it needs."""
        found = (one for one in self._drafts.values() if one.parent == 0 and one.words == tuple(words))
        return any(isinstance(event, ev.ToolRequested) and one.call for one in found for event in one.held)

    def turn_over(self, words: Sequence[str], before: str) -> Iterator[Command]:
        """Keep the drafts that answer the turn as it ended; `before`: digest of the stream before it."""
        self._peeks = self._made = self._guesses = self._taken = 0
        self._thought = ()
        holds = {
            number
            for number, one in self._drafts.items()
            if one.usable and one.before == before and same_wish(one.words, words)
        }
        yield from self._drop(lambda one: one.number not in holds, "the turn ended otherwise")

    def take(self, due: str, *, after_result: bool, blocked: Sequence[str]) -> Draft | None:
        """The draft of the generation that the mind is about to order, which is no draft any more."""
        parent = self._taken if after_result else 0
        if (after_result and not parent) or blocked:
            return None
        draft = next((one for one in self._drafts.values() if one.parent == parent and one.due == due), None)
        if draft is not None:
            del self._drafts[draft.number]
            self._taken = draft.number
        return draft

    def early(self, tool: str, arguments: Mapping[str, Any]) -> EarlyCall | None:
        """The call that ran early with these arguments, once: it belongs to whoever asked for it now."""
        found = self._early.pop(_key(tool, arguments), None)
        stale = found is not None and self._plans.now_us - found.asked_us > self._settings.thinking.keep_ms * 1000
        return None if stale else found

    def keep(self, number: int, tool: str, arguments: Mapping[str, Any], asked_us: int) -> None:
        """A read-only call of an answer that was given up: its result is kept for the turn, and not asked for twice."""
        key = _key(tool, arguments)
        self._early[key] = EarlyCall(number, tool, key, asked_us)


def _key(tool: str, arguments: Mapping[str, Any]) -> str:
    return f"{tool} {json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)}"


def _speaks(draft: Draft) -> bool:
    return any(isinstance(one, ev.ClauseGenerated) for one in draft.held)


def _slot_words(settings: MindSettings) -> frozenset[str]:
    """Words that fill a slot of a read-only tool. Times and names are open lists; what is listed must do."""
    return frozenset(
        word
        for shape in settings.tools.values()
        if shape.effect == "read"
        for parameter in shape.parameters
        for value in parameter.values
        for word in plain_words(value)
    )
