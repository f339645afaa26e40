"""A served voice's or recogniser's fault: one of its server, and one of the sound's."""

from __future__ import annotations

from audio.engines.openai_server.faults import ServerFault
from audio.frame import AudioError

__all__ = ["SpeechServerError"]


class SpeechServerError(AudioError, ServerFault):
    """A speech server that cannot be reached, refuses, or breaks off. The message is one line."""
