"""What every voice gives: pieces of 16 kHz sound with the words that begin in them, or one error.

This file refuses to know which voice speaks.
"""

from __future__ import annotations

from dataclasses import dataclass

from audio.frame import AudioError, Pcm
from audio.heard import WordMark

__all__ = ["MAX_CHARACTERS", "SpokenChunk", "VoiceError", "check_length", "sayable"]

MAX_CHARACTERS = 2_000
"""Length of one utterance: two minutes of speech, 6 MB of sound at worst. Speak clauses, not pages."""


class VoiceError(AudioError):
    """The voice cannot speak: it is closed, was asked for the impossible, or died twice over the same text."""


@dataclass(frozen=True, slots=True, eq=False)
class SpokenChunk:
    """Sound int16[n] at 16 kHz and the words that begin in it; `last` when the utterance has no more."""

    pcm: Pcm
    words: tuple[WordMark, ...]
    last: bool


def check_length(text: str) -> None:
    """Raises VoiceError for a text that is too long for one utterance."""
    if len(text) > MAX_CHARACTERS:
        raise VoiceError(f"the text has {len(text)} characters; the limit is {MAX_CHARACTERS} (speak its clauses)")


def sayable(text: str) -> str:
    """`text` with a space for each control character: those would end a line or a text early on its way to a program;
    the places of the words stay."""
    return "".join(char if char.isprintable() else " " for char in text)
