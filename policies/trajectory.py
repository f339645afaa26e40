"""The token stream of a call: which segments stand in it, in which order, and how they read.

One call is one append-only stream (DESIGN 4): what was heard, thought, expected, called, returned and
said stands in it in the order in which it happened, so a key/value cache built on a prefix survives.
This file knows roles and words. It refuses to know token ids, engines and events.

The form, which the core model is trained on::

    call        := card greeting? (caller agent)*
    card        := <card> words                          persona, today, hints: stable things first
    greeting    := <say> words <end>
    caller      := (<heard> words | <think> note)* <turn>  thoughts may stand between heard words
    agent       := <think> note <expect> words action
    action      := bit* <say> words (<end> | <cut> | <bye>)   <cut>: the rest was never heard; <bye>: then hang up
                 | <silence>                             the agent stays silent, a decision like any other
                 | <call> tool (key words)* <end> (<filler> words <end>)* <result> words <expect> words action
    bit         := <say> words <more> <think> words    more follows: a bit of thought before each bit of speech

An agent without note fields thinks in free words; so is each thought between two bits of speech. Said bits are one
utterance: what is said of it stands in as many bits as were heard.

All words are lower case. Heard words and results carry no punctuation; said words carry ``, . ?``.
Times are spoken words in the stream (``ten thirty``), ``HH:MM`` outside of it (see `policies.spoken`).
"""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["RESERVED_TOKENS", "ROLE_TOKENS", "Role", "Segment", "Trajectory"]


class Role(enum.StrEnum):
    """The special tokens, one id each, ids in this order from 0."""

    PAD = "<pad>"
    CARD = "<card>"
    HEARD = "<heard>"
    TURN = "<turn>"
    THINK = "<think>"
    EXPECT = "<expect>"
    CALL = "<call>"
    RESULT = "<result>"
    FILLER = "<filler>"
    SAY = "<say>"
    END = "<end>"
    CUT = "<cut>"
    BYE = "<bye>"
    SILENCE = "<silence>"
    MORE = "<more>"


RESERVED_TOKENS = tuple(f"<reserved{n}>" for n in range(32 - len(Role)))
"""Room for roles of later parts, so that adding one moves no other token id."""

ROLE_TOKENS: tuple[str, ...] = tuple(str(role) for role in Role) + RESERVED_TOKENS

_CLOSED_BY: dict[Role, tuple[Role, ...]] = {
    Role.SAY: (Role.END, Role.CUT, Role.BYE, Role.MORE),
    Role.CALL: (Role.END,),
    Role.FILLER: (Role.END,),
}
"""The tokens that may close a segment of each role that is closed at all."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of the stream: a role, its words, and (for say, call and filler) the token that closes it."""

    role: Role
    text: str = ""
    close: Role | None = None

    def parts(self) -> Iterator[str]:
        """Role token, words and closing token in stream order; words are one string with a leading space."""
        yield str(self.role)
        if self.text:
            yield " " + self.text
        if self.close is not None:
            yield str(self.close)


@dataclass(frozen=True, slots=True)
class Trajectory:
    """The immutable stream of one call so far. `append` gives a new one; the old one stays valid.

    `digest` is a chain hash over the segments: equal digests mean equal streams, and a result computed on
    a prefix names that prefix by (length, digest).
    """

    segments: tuple[Segment, ...] = ()
    digest: str = field(default="", compare=False)

    def __len__(self) -> int:
        return len(self.segments)

    def append(self, *more: Segment) -> Trajectory:
        """A new trajectory with `more` at its end."""
        digest = self.digest
        for segment in more:
            closing = _CLOSED_BY.get(segment.role)
            if segment.close is not None and closing is None:
                raise ValueError(f"a {segment.role} segment has no closing token, got {segment.close}")
            if segment.close is not None and closing is not None and segment.close not in closing:
                raise ValueError(f"a {segment.role} segment is closed by {', '.join(closing)}; got {segment.close}")
            digest = _chain(digest, segment)
        return Trajectory(self.segments + more, digest)

    def parts(self) -> Iterator[str]:
        """The whole stream as strings, special tokens standing alone."""
        for segment in self.segments:
            yield from segment.parts()

    def text(self) -> str:
        """The whole stream as one readable string."""
        return "".join(self.parts())

    @classmethod
    def of(cls, segments: Iterable[Segment]) -> Trajectory:
        """A trajectory of the given segments."""
        return cls().append(*segments)


def _chain(digest: str, segment: Segment) -> str:
    pieces = [digest, segment.role]  # and so on as `Segment.parts` gives them; this runs for every partial
    if segment.text:
        pieces.append(" " + segment.text)
    if segment.close is not None:
        pieces.append(segment.close)
    joined = "\x1f".join(pieces)
    return hashlib.blake2b(joined.encode(), digest_size=8).hexdigest()
