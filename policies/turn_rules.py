"""What the rules beside the model say of one turn: the bounds inside of which it may write its note.

Each rule has a room of its own; here they come together, for the runtime and for the calls a model is judged by. This
file refuses to know tokens: `policies.learned.core.grammar` takes what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from policies.agreement import answer as verdict
from policies.chosen import accepted, chose, named_whole, picked
from policies.denial import denied
from policies.gone import gone
from policies.leaving import may_hang_up
from policies.naming import named
from policies.notes import UNKNOWN, are_names, copyable
from policies.repair import asks_for_agreement, is_agreement
from policies.shapes import NoteField
from policies.told import told

__all__ = ["TurnRules", "turn_rules"]

_ANSWERS = {"yes": {"yes"}, "no": {"no"}, "unclear": {"no", "unclear"}}
"""Rule's verdict on the caller's words -> what the note may say. 29 of 30 simulated calls right instead of 23."""


@dataclass(frozen=True, slots=True)
class TurnRules:
    """`notes`: the fields with the values that are left; `heard`: what may be copied; `denied`: fields whose old value
    may not stay, with the texts (of a time, the times) that a new one comes from; `sure`: fields whose value is plain;
    `chosen`: the words chose one of the times on offer; `once`: words that are said once in the turn; `silence`, `bye`:
    the agent may wait for more, or say goodbye.
    """

    notes: tuple[NoteField, ...]
    heard: tuple[str, ...] = ()
    denied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sure: Mapping[str, str] = field(default_factory=dict)
    chosen: bool = True
    once: tuple[str, ...] = ()
    silence: bool = True
    bye: bool = True


def turn_rules(
    notes: Sequence[NoteField],
    *,
    said: str,
    heard: str,
    lately: Sequence[str],
    known: Mapping[str, str],
    offered: Sequence[str] = (),
    confirms: bool = True,
    after_result: bool = False,
) -> TurnRules:
    """The rules for the turn that answers `heard`, after the agent had `said` something.

    `lately`: the last segments heard; `known`: the note so far; `offered`: the times on offer; `confirms`: a tool asks
    for agreement (without one, "yes" may mean more than agreement: "it is cancelled" is one too); `after_result`: the
    turn goes on after a tool's result, and its note stands.
    """
    repeated = " ".join(value for value in known.values() if value not in ("", UNKNOWN))
    agreed = verdict(heard, repeated)
    allowed = tuple(_by_the_words(note, agreed) for note in notes) if confirms else tuple(notes)
    copied = named(said, heard, lately, notes) if are_names(notes) else copyable(lately, notes)
    once = gone(heard, known, offered, notes)
    if after_result:
        return TurnRules(allowed, copied, chosen=chose(heard, offered), once=once)
    return TurnRules(
        allowed,
        copied,
        denied=denied(said, heard, known, notes),
        sure=told(said, heard, known, notes)
        | accepted(said, heard, known, offered, notes)
        | picked(said, heard, offered, notes),
        chosen=chose(heard, offered),
        once=once,
        # who answers a question by a plain yes or no, or by a time, has said it all
        silence=(not confirms or agreed == "unclear" or not asks_for_agreement(said, notes))
        and not named_whole(said, heard, offered, notes),
        bye=may_hang_up(said, heard, known, notes),
    )


def _by_the_words(note: NoteField, agreed: str) -> NoteField:
    """A note about the caller's answer says what the words say: what a write needs is decided by rule."""
    if not is_agreement(note):
        return note
    return replace(note, values=tuple(value for value in note.values if value in _ANSWERS[agreed]))
