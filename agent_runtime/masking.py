"""Secrets leave here: what must be masked in an event before the log, the mind or a prompt sees it.

Only words of the far party and results of tools can carry a stranger's secret; which digits look like one is
decided in `memory.secrets`. A card number spoken over a pause is caught within each speech segment only.
"""

from __future__ import annotations

from dataclasses import replace

from memory.secrets import mask, mask_words

from .events import Event, FinalTranscript, PartialTranscript, ToolFailed, ToolReturned

__all__ = ["masked"]


def masked(event: Event) -> Event:
    """The event without secrets; the same object where there is nothing to hide."""
    if isinstance(event, PartialTranscript):
        return _masked_partial(event)
    if isinstance(event, FinalTranscript):
        hidden = mask(event.text)
        if not hidden.spans:
            return event
        words = mask_words([word for word, _, _ in event.words])
        kept = tuple(
            (word, first, end)
            for word, (_, first, end) in zip(words, event.words, strict=False)
            if not word.startswith("[")
        )
        return replace(event, text=hidden.text, words=kept)
    if isinstance(event, ToolReturned):
        hidden = mask(event.spoken)
        return replace(event, spoken=hidden.text, result=None) if hidden.spans else event
    if isinstance(event, ToolFailed):
        hidden = mask(event.detail)
        return replace(event, detail=hidden.text) if hidden.spans else event
    return event


def _masked_partial(event: PartialTranscript) -> Event:
    """Stable and tail are masked together, because a number may stand across their border."""
    plain = (*event.stable.split(), *event.tail.split())
    words = tuple(mask_words(plain))
    return event if words == plain else replace(event, stable="", tail=" ".join(words))
