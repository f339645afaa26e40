"""What a model reads of a long call: the card, and the last turns.

A model is taught calls of some length, and behind it it talks nonsense. What it knows of the call stands in every note,
so old turns may go. They go many at a time, at places that follow from what stands before them alone: between two of
those the stream only grows, and a cache built on it survives. This file knows segments and lengths; it refuses to
know tokenizers and engines.
"""

from __future__ import annotations

from collections.abc import Sequence

from policies.trajectory import Role, Segment

__all__ = ["KEPT_READ", "MOST_READ", "window"]

MOST_READ, KEPT_READ = 500, 260
"""Tokens that the core model reads before the caller's last words, and what is left when that is too long. It is taught
calls of up to 640, and a turn takes 100."""
_AGENT = frozenset({Role.SAY, Role.SILENCE, Role.EXPECT, Role.CALL, Role.FILLER, Role.RESULT})
"""What is no part of the caller's turn."""


def window(segments: Sequence[Segment], lengths: Sequence[int], most: int, keep: int) -> int:
    """The first segment after the card that is still read. `lengths`: tokens of each segment.

    Where the card and what follows would be longer than `most` tokens, the turns before the last `keep` tokens go, and
    so on. A stretch begins with what the agent said last, as a call does with a greeting; where even that is too long,
    with the caller's turn, which stays whole.
    """
    if sum(lengths) <= most:
        return 1
    start, size, card = 1, 0, sum(lengths[:1])
    heard_since = 1
    for at, (segment, length) in enumerate(zip(segments, lengths, strict=True)):
        size += length
        if segment.role in _AGENT:
            heard_since = at + 1
        if size <= most or segment.role is not Role.HEARD:
            continue
        begins = [place for place in range(start + 1, heard_since) if _is_beginning(segments, place)]
        short = [place for place in begins if card + sum(lengths[place : at + 1]) <= keep]
        start = short[0] if short else heard_since
        size = card + sum(lengths[start : at + 1])
    return start


def _is_beginning(segments: Sequence[Segment], place: int) -> bool:
    """Whether a turn of the agent ends with what it says at `place`, and the caller is heard next."""
    follows = next((one.role for one in segments[place + 1 : place + 2]), Role.END)
    return segments[place].role is Role.SAY and follows in (Role.HEARD, Role.TURN)
