"""Which tokens may come next while the model writes one agent turn.

The model does language; identity is kept by code: a note holds known choices and words that were really heard, a time
is one that was offered, and a call copies its arguments from the note (0.60 -> 0.73 of calls without any training,
notes). This file knows token ids, note fields and tools as values. It refuses to know what a note means and whether a
write is due: that is the write gate's, which passes `blocked_tools`.

A turn after the caller's words reads ``<think> note <expect> words action``, after a tool's result ``<expect> words
action``; a thought between heard words is ``<think> note <heard>``. Without note fields a thought is free words; so is
one between two bits of speech, ``<say> words <more> <think> words <say> words <end>``. `advance` takes each token
written; `allowed` masks the next; `forced` names it when there is only one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from policies.learned.core.lexicon import Lexicon, Node, Speech
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.core.values import Values
from policies.notes import UNKNOWN
from policies.shapes import NoteField, Parameter, ToolShape
from policies.trajectory import ROLE_TOKENS, Role
from policies.turn_rules import TurnRules

__all__ = ["GrammarError", "GrammarLimits", "TurnGrammar"]

Mask = NDArray[np.bool_]


class GrammarError(ValueError):
    """A token outside of the grammar, or a turn that cannot be written at all."""


@dataclass(frozen=True, slots=True)
class GrammarLimits:
    """Bounds on free text. Trained turns have at most 2 expected words and 45 said tokens; a bit of thought has at most
    56 tokens (an addition with two carries), five numbers added up at once 199. `say_tokens` holds for all bits of a
    turn together.
    """

    expect_tokens: int = 6
    say_tokens: int = 72
    think_tokens: int = 240


@dataclass(frozen=True, slots=True)
class _Path:
    """One way to read the tokens so far: the slot being written, the place in its trie, the values before it."""

    slot: int
    node: Node
    values: tuple[str, ...]


Stage = Literal["begin", "note", "thought", "expect", "action", "tool", "arguments", "say", "done"]


class TurnGrammar:
    """The grammar of one agent turn.

    `values`: what the note and the arguments may hold; `known`: the previous note by field name; `after_result`:
    the turn goes on after a tool's result, with `known` as its note; `thought`: a note in the middle of the
    caller's turn, done when the model goes back to hearing; `blocked_tools`: may not be called now; `silence`,
    `bye`: whether the turn may be silent or end the call; `interleaved`: speech may go on in bits, each after a bit
    of thought; `lexicon`, `sayable`: the words that may be said (without a lexicon, any), those of `once` once.
    """

    def __init__(
        self,
        tokenizer: Tokenizer,
        notes: Sequence[NoteField],
        tools: Sequence[ToolShape],
        *,
        values: Values | None = None,
        known: Mapping[str, str] | None = None,
        after_result: bool = False,
        thought: bool = False,
        blocked_tools: Collection[str] = (),
        silence: bool = True,
        bye: bool = True,
        interleaved: bool = False,
        lexicon: Lexicon | None = None,
        sayable: Iterable[str] = (),
        once: Iterable[str] = (),
        limits: GrammarLimits | None = None,
    ) -> None:
        self.note: dict[str, str] = dict(known or {}) if after_result else {}
        self.expect = ""
        self.action: Role | None = None
        self.tool = ""
        self.arguments: dict[str, str] = {}
        self.said = ""
        self.thoughts: list[str] = []
        """Thoughts in free words, in order."""
        self.bits: list[str] = []
        """What was said between two thoughts, in order; `said` is all of it."""
        self._tokenizer = tokenizer
        self._role = {role: tokenizer.special[str(role)] for role in Role}
        self._notes, self._tools = tuple(notes), {tool.name: tool for tool in tools}
        self._limits = limits or GrammarLimits()
        self._values = values or Values(TurnRules(tuple(notes)), tools, known=known)
        self._blocked, self._silence, self._bye = frozenset(blocked_tools), silence, bye
        self._interleaved, self._said_tokens = interleaved, 0
        self._check_names()
        self._tries: dict[tuple[str, ...], Node] = {}
        self._after_note = Role.HEARD if thought else Role.EXPECT
        self._next: set[int] | None = None
        self._next_known = False
        self._stage: Stage = "expect" if after_result else "begin"
        self._opened = False
        self._paths: list[_Path] = []
        self._ids: list[int] = []
        self._lexicon, self._sayable, self._once = lexicon, tuple(sayable), tuple(once)
        self._speech: Speech | None = None
        self._words = np.ones(tokenizer.size, bool)
        for token in ROLE_TOKENS:
            self._words[tokenizer.special[token]] = False

    def _check_names(self) -> None:
        """A tool's name must not begin another's, because nothing stands between the name and its arguments."""
        spelled = sorted(self._tokenizer.encode(" " + name) for name in self._tools)
        for first, second in pairwise(spelled):
            if second[: len(first)] == first:
                names = [self._tokenizer.decode(ids).strip() for ids in (first, second)]
                raise GrammarError(f"tool name {names[0]!r} begins the name {names[1]!r}; rename one of them")

    # what may come

    @property
    def saying(self) -> str:
        """The words of the bit of speech that is being written; empty elsewhere."""
        return self._tokenizer.decode(self._ids).strip() if self._stage == "say" else ""

    @property
    def done(self) -> bool:
        """Whether the turn (or its call) is complete."""
        return self._stage == "done"

    @property
    def forced(self) -> int | None:
        """The next token where there is only one: it can be fed without asking the model."""
        ids = self._choices()
        return next(iter(ids)) if ids is not None and len(ids) == 1 else None

    def allowed(self) -> Mask:
        """bool[vocab], true where the next token may be. All false once `done`."""
        ids = self._choices()
        if ids is not None:
            mask = np.zeros(self._tokenizer.size, bool)
            mask[list(ids)] = True
            return mask
        mask = self._words.copy()
        if self._ids:
            for role in self._ends():
                mask[self._role[role]] = self._permits(role)
        return mask

    def _ends(self) -> tuple[Role, ...]:
        """What may end the free text that is being written."""
        if self._stage == "thought":
            return (self._after_thought,)
        return (Role.SAY, Role.CALL, Role.SILENCE) if self._stage == "expect" else (Role.END, Role.BYE, Role.MORE)

    @property
    def _after_thought(self) -> Role:
        return Role.SAY if self.bits else self._after_note

    def _choices(self) -> set[int] | None:
        """The next tokens where they can be listed, None in free text; computed once per token."""
        if not self._next_known:
            self._next, self._next_known = self._list_choices(), True
        return self._next

    def _list_choices(self) -> set[int] | None:
        role = self._role
        if self._stage == "begin":
            return {role[Role.THINK]}
        if self._stage == "done":
            return set()
        if self._stage in ("note", "tool", "arguments"):
            return self._listed()
        if self._stage == "thought":
            return {role[self._after_thought]} if len(self._ids) >= self._limits.think_tokens else None
        if self._stage == "expect":
            if not self._opened:
                return {role[Role.EXPECT]}
            if len(self._ids) >= self._limits.expect_tokens:
                return {role[item] for item in (Role.SAY, Role.CALL, Role.SILENCE) if self._permits(item)}
            return None
        whole = self._speech is None or self._speech.at_word_end
        if len(self._ids) + self._said_tokens >= self._limits.say_tokens and self._ids and whole:
            return {role[Role.END]}
        return None if self._speech is None else self._lexical(self._speech)

    def _lexical(self, speech: Speech) -> set[int]:
        """What may be said next; after a whole word also a thought, and after a whole sentence the end: nobody is left,
        or hung up on, in the middle of one."""
        ends = [role for role in self._ends() if self._permits(role) and (speech.stopped or role is Role.MORE)]
        return speech.choices() | ({self._role[role] for role in ends} if speech.may_end else set())

    def _permits(self, role: Role) -> bool:
        if role is Role.CALL:
            return bool(self._callable())
        if role is Role.SILENCE:
            return self._silence
        if role is Role.MORE:
            return self._interleaved
        return self._bye if role is Role.BYE else True

    def _listed(self) -> set[int]:
        ids: set[int] = set()
        for path in self._closure(self._paths):
            ids.update(path.node.edges)
            if path.slot == self._slots() - 1 and path.node.value is not None:
                ids.add(self._closing())
        return ids

    def _closing(self) -> int:
        return self._role[self._after_note if self._stage == "note" else Role.END]

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        """`token`: a grammar alone is never in doubt (`core.paced` is)."""
        return token

    # what came

    def advance(self, token: int) -> None:
        """Take one token. Raises `GrammarError` when it was not allowed."""
        choices = self._choices()
        if not (self.allowed()[token] if choices is None else token in choices):
            raise GrammarError(
                f"token {token} ({self._tokenizer.decode([token])!r}) may not follow in stage {self._stage!r}; "
                "take it from allowed()"
            )
        self._next_known = False
        if self._stage == "begin":
            free = bool(self.bits) or not self._notes
            self._enter("thought" if free else "note")
        elif self._stage == "thought":
            self._advance_thought(token)
        elif self._stage in ("note", "tool", "arguments"):
            self._advance_listed(token)
        elif self._stage == "expect":
            self._advance_expect(token)
        else:
            self._advance_say(token)

    def _advance_listed(self, token: int) -> None:
        paths = self._closure(self._paths)
        if token == self._closing() and self._stage != "tool":
            ended = [path for path in paths if path.slot == self._slots() - 1 and path.node.value is not None]
            values = (*ended[0].values, ended[0].node.value or "") if self._slots() else ()
            if self._stage == "note":
                self.note = {item.name: value for item, value in zip(self._notes, values, strict=True)}
                self._stage, self._opened, self._ids = "expect", True, []
                if self._after_note is Role.HEARD:
                    self._stage, self.action = "done", Role.THINK
            else:
                self._close_call(values)
            return
        moved = [_Path(path.slot, path.node.edges[token], path.values) for path in paths if token in path.node.edges]
        self._paths = moved
        if self._stage == "tool" and not moved[0].node.edges and moved[0].node.value is not None:
            self.tool = moved[0].node.value
            self._enter("arguments")

    def _advance_thought(self, token: int) -> None:
        if token != self._role[self._after_thought]:
            self._ids.append(token)
            return
        self.thoughts.append(self._tokenizer.decode(self._ids).strip())
        self._ids = []
        if self.bits:
            self._stage = "say"
            self._begin_saying()
        elif self._after_note is Role.HEARD:
            self._stage, self.action = "done", Role.THINK
        else:
            self._stage, self._opened = "expect", True

    def _close_call(self, values: tuple[str, ...]) -> None:
        # key words and values alternate
        self.arguments = dict(zip(values[::2], values[1::2], strict=True))
        self._stage = "done"

    def _advance_expect(self, token: int) -> None:
        if not self._opened:
            self._opened = True
            return
        role = next((item for item, id_ in self._role.items() if id_ == token), None)
        if role is None:
            self._ids.append(token)
            return
        self.expect = self._tokenizer.decode(self._ids).strip()
        self.action, self._ids = role, []
        if role is Role.CALL:
            self._enter("tool")
        else:
            self._stage = "done" if role is Role.SILENCE else "say"
            self._begin_saying()

    def _begin_saying(self) -> None:
        if self._lexicon is not None:
            noted = (value for value in self.note.values() if value != UNKNOWN)
            self._speech = Speech(self._tokenizer, self._lexicon, self._sayable, noted, self._once)

    def _advance_say(self, token: int) -> None:
        if token in (self._role[Role.END], self._role[Role.BYE], self._role[Role.MORE]):
            self.bits.append(self._tokenizer.decode(self._ids).strip())
            self._said_tokens += len(self._ids)
            self._ids = []
            self.said = " ".join(self.bits)
            self._stage = "begin" if token == self._role[Role.MORE] else "done"
            self.action = Role.BYE if token == self._role[Role.BYE] else Role.SAY
        else:
            self._ids.append(token)
            if self._speech is not None:
                self._speech.advance(token)

    # lists of options, as tries over token ids

    def _enter(self, stage: Stage) -> None:
        self._stage = stage
        if stage == "thought":
            return
        if stage == "arguments" and not self._slots():
            # a tool without parameters: only its closing token is left
            self._paths = []
            self._close_empty()
            return
        self._paths = [_Path(0, self._trie(self._options(0, ())), ())]

    def _close_empty(self) -> None:
        node = Node(value="")
        self._paths = [_Path(-1, node, ())]

    def _slots(self) -> int:
        if self._stage == "note":
            return len(self._notes)
        return 1 if self._stage == "tool" else 2 * len(self._parameters(self._tools[self.tool]))

    def _closure(self, paths: Iterable[_Path]) -> list[_Path]:
        """`paths`, and for each that ends an option the beginnings of the next slot."""
        found = list(paths)
        for path in found:
            if path.node.value is not None and path.slot + 1 < self._slots():
                values = (*path.values, path.node.value)
                found.append(_Path(path.slot + 1, self._trie(self._options(path.slot + 1, values)), values))
        return found

    def _options(self, slot: int, values: tuple[str, ...]) -> tuple[str, ...]:
        if self._stage == "note":
            before = dict(zip((item.name for item in self._notes), values, strict=False))
            return self._values.of_note(self._notes[slot], before)
        if self._stage == "tool":
            return tuple(self._callable())
        parameter = self._parameters(self._tools[self.tool])[slot // 2]
        return (parameter.name,) if slot % 2 == 0 else self._arguments(parameter)

    def _arguments(self, parameter: Parameter) -> tuple[str, ...]:
        return self._values.of_argument(parameter, self.note.get(parameter.name, UNKNOWN))

    def _callable(self) -> list[str]:
        """Tools that may be called: not blocked, and each required parameter has a value or options."""
        return [tool.name for tool in self._tools.values() if tool.name not in self._blocked and self._complete(tool)]

    def _complete(self, tool: ToolShape) -> bool:
        names = {item.name for item in self._notes}
        return all(
            self.note.get(item.name, UNKNOWN) != UNKNOWN if item.name in names else bool(self._arguments(item))
            for item in tool.parameters
            if item.required
        )

    def _parameters(self, tool: ToolShape) -> list[Parameter]:
        """The parameters a call is written with: required ones, and others that the note knows."""
        return [item for item in tool.parameters if item.required or self.note.get(item.name, UNKNOWN) != UNKNOWN]

    def _trie(self, options: tuple[str, ...]) -> Node:
        root = self._tries.get(options)
        if root is None:
            root = self._tries[options] = Node()
            for option in options:
                root.insert(self._tokenizer, option)
        return root
