"""The token language of the core model as the thinking organ needs it: encode, decode, and the grammar of a turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from policies.learned.core.grammar import GrammarLimits, TurnGrammar
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.paced import PacedTurn
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.core.values import Values
from policies.notes import TurnFacts, facts_of
from policies.pace import Pace
from policies.spoken_times import find_times
from policies.trajectory import Role, Trajectory
from policies.turn_rules import turn_rules
from policies.window import KEPT_READ, MOST_READ, window

from ..agent import Agent
from ..ports import Grammar
from ..tools import parse_spoken_call, spoken_slots

__all__ = ["CoreLanguage"]


_LONG_TURN = GrammarLimits(say_tokens=1_500)
"""Of an agent without a note: counting to 200 takes 1,400 tokens of the vocabulary in the box."""
_TURN_TOKENS, _LONG_TURN_TOKENS = 160, 1_900
"""Longest turn of an agent with a note (note, expectation, about 100 tokens of speech), and of one that thinks in free
words; the model has 2,048 positions. A reply that long is a fault, not an answer."""
_LONG_TURN_READ = 300, 150
"""What is read before such a turn, as in `policies.window`."""

_NO_VALUE = frozenset({"none", "failed"})
"""Words of results that the runtime writes where a tool gave nothing."""


def _values(spoken: str) -> str:
    """The words of a result that are values: neither the runtime's own nor a masked number."""
    plain = re.sub(r"\[[^\]]*\]", " ", spoken)
    return " ".join(word for word in plain.split() if word not in _NO_VALUE)


def _last_said(trajectory: Trajectory) -> str:
    """What the agent said last, as far as it was heard."""
    return next((one.text for one in reversed(trajectory.segments) if one.role is Role.SAY), "")


class _MustCall:
    """A turn whose action is a call, because one is due; where no call is possible it is an ordinary turn."""

    def __init__(self, turn: TurnGrammar, roles: Mapping[Role, int]) -> None:
        self._turn, self._roles = turn, roles

    @property
    def done(self) -> bool:
        return self._turn.done

    def allowed(self) -> NDArray[np.bool_]:
        mask = self._turn.allowed()
        if mask[self._roles[Role.CALL]]:
            mask[[self._roles[Role.SAY], self._roles[Role.SILENCE]]] = False
        return mask

    def advance(self, token: int) -> None:
        self._turn.advance(token)

    def reconsider(self, token: int, entropy: Callable[[], float]) -> int:
        return self._turn.reconsider(token, entropy)


class CoreLanguage:
    """Tokens of one agent's calls. `lexicon`: the words of the model's own style; without it anything may be said.

    An agent without note fields thinks in free words and may speak in bits, a thought before each and one more where it
    wavers (`policies.pace`). It is not held to the lexicon, which keeps what a note holds from being said wrong.
    """

    def __init__(self, tokenizer: Tokenizer, agent: Agent, lexicon: Lexicon | None = None) -> None:
        self._tokenizer = tokenizer
        self._notes = tuple(agent.notes)
        self._lexicon = lexicon if self._notes else None
        self.turn_tokens = _TURN_TOKENS if self._notes else _LONG_TURN_TOKENS
        self._read = (MOST_READ, KEPT_READ) if self._notes else _LONG_TURN_READ
        self._pace = agent.pace
        self._tools = tuple(agent.tools)
        self._shapes = tuple(tool.shape for tool in agent.tools)
        self._confirms = any(shape.confirm for shape in self._shapes)
        self._reads = frozenset(shape.name for shape in self._shapes if shape.effect == "read")
        self._role_ids = {role: tokenizer.special[str(role)] for role in Role}
        self._roles = {number: role for role, number in self._role_ids.items()}

    def encode(self, trajectory: Trajectory) -> list[int]:
        """The token ids of what is read of the stream: of a long call the card and the last turns."""
        ids = [self._tokenizer.encode_parts(segment.parts()) for segment in trajectory.segments]
        start = window(trajectory.segments, list(map(len, ids)), *self._read)
        return [id_ for part in (*ids[:1], *ids[start:]) for id_ in part]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""
        return self._tokenizer.decode(tokens)

    def role(self, role: Role) -> int:
        """The id of a role token."""
        return self._role_ids[role]

    def role_of(self, token: int) -> Role | None:
        """The role a token stands for, None for words."""
        return self._roles.get(token)

    def grammar(self, trajectory: Trajectory, *, after_result: bool, blocked: Sequence[str], due: str) -> Grammar:
        """What may be written after `trajectory`: notes in form, arguments copied, no blocked tool."""
        facts = facts_of(trajectory, self._notes)
        heard = " ".join(facts.heard)
        if due:
            blocked = [tool.name for tool in self._tools if tool.name != due]
        rules = turn_rules(
            self._notes,
            said=_last_said(trajectory),
            heard=heard,
            lately=facts.lately,
            known=facts.known,
            offered=facts.offered,
            confirms=self._confirms,
            after_result=after_result,
        )
        turn = TurnGrammar(
            self._tokenizer,
            rules.notes,
            self._shapes,
            values=Values(rules, self._shapes, offered=facts.offered, known=facts.known),
            silence=rules.silence,
            bye=rules.bye,
            after_result=after_result,
            known=facts.known,
            blocked_tools=frozenset(blocked),
            interleaved=not self._notes,
            limits=None if self._notes else _LONG_TURN,
            lexicon=self._lexicon,
            sayable=self._sayable(trajectory, facts),
            once=rules.once,
        )
        if due:
            return _MustCall(turn, self._role_ids)
        return PacedTurn(turn, self._tokenizer, Pace(self._pace)) if self._pace.on and not self._notes else turn

    def _sayable(self, trajectory: Trajectory, facts: TurnFacts) -> list[str]:
        """What may be said beside the model's own words and its present note: the card, what was looked up, and times
        that were heard. Not what an earlier note held: a read-back of it would ask for what nobody wants any more.
        """
        card = trajectory.segments[0].text if trajectory.segments else ""
        looked_up = self._looked_up(facts.returned)
        # a colon of the persona is no mark that can be said
        return [
            card.replace(":", " "),
            *facts.offered,
            *looked_up,
            *find_times(" ".join(facts.heard)),
        ]

    def _looked_up(self, returned: Sequence[tuple[str, str]]) -> list[str]:
        """The values that read tools gave in this call. Of an agent that notes a time, lists of times are left out:
        only those of the last list are on offer."""
        timed = any(note.kind == "time" for note in self._notes)
        results = [spoken for tool, spoken in returned if tool in self._reads]
        return [_values(spoken) for spoken in results if not (timed and find_times(spoken))]

    def call(self, spoken: str) -> tuple[str, dict[str, str], dict[str, Any]]:
        """(tool, argument -> spoken words, arguments) of a spoken call. Raises `ToolArgumentError`."""
        tool, arguments = parse_spoken_call(self._tools, spoken)
        return tool.name, spoken_slots(tool, arguments), arguments
