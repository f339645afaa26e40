"""Secrets leave here: what must be masked in an event before the log, the mind or a prompt sees it.

Words and keys of the far party and results of tools can carry a stranger's secret; which spoken digits look like one
is decided in `memory.secrets`. A number read in groups is followed through pauses and turns, so there is one `Masking`
a call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from memory.secrets import SecretMask, mask, may_count

from .events import DigitPressed, Event, FinalTranscript, PartialTranscript, ToolFailed, ToolReturned, UtteranceHeard

__all__ = ["Masking"]

SHOWN_KEYS = 3
"""Keys in a row that are shown: a choice from a menu. A fourth may begin a PIN or a card, as with spoken digits."""


class Masking:
    """The masking of one call's events."""

    def __init__(self) -> None:
        self._caller = SecretMask()
        self._keys = 0
        self._masks: Mapping[type[Event], Callable[[Any], Event]] = {
            PartialTranscript: self._partial,
            FinalTranscript: self._final,
            DigitPressed: self._pressed,
            UtteranceHeard: self._said,
            ToolReturned: self._returned,
            ToolFailed: self._failed,
        }

    def masked(self, event: Event) -> Event:
        """The event without secrets; the same object where there is nothing to hide."""
        hide = self._masks.get(type(event))
        return event if hide is None else hide(event)

    def _pressed(self, event: DigitPressed) -> Event:
        self._keys += 1
        return event if self._keys <= SHOWN_KEYS else replace(event, digit="[digit]")

    def _said(self, event: UtteranceHeard) -> Event:
        self._caller.asked(event.text)
        self._keys = 0  # the agent said something: what is pressed next answers that
        return event

    def _returned(self, event: ToolReturned) -> Event:
        hidden = mask(event.spoken)
        return replace(event, spoken=hidden.text, result=None) if hidden.spans else event

    def _failed(self, event: ToolFailed) -> Event:
        hidden = mask(event.detail)
        return replace(event, detail=hidden.text) if hidden.spans else event

    def _partial(self, event: PartialTranscript) -> Event:
        stable, tail = event.stable.split(), event.tail.split()
        if not (may_count(stable) or may_count(tail)):
            return event
        shown = self._caller.partial(stable, tail)
        if shown.words == (*stable, *tail):
            return event
        return replace(event, stable=" ".join(shown.words[: shown.stable]), tail=" ".join(shown.words[shown.stable :]))

    def _final(self, event: FinalTranscript) -> Event:
        words = event.text.split()
        shown = self._caller.final(words)
        if shown.words == tuple(words):
            return event
        timed = len(event.words) == len(words)
        kept = (
            tuple((word, *event.words[at][1:]) for word, at in zip(shown.words, shown.sources, strict=True))
            if timed
            else ()
        )
        return replace(event, text=" ".join(shown.words), words=kept)
