"""Language models behind an OpenAI-compatible server and the engine port (extra ``openai``)."""

from __future__ import annotations

from audio.engines.openai_server.faults import Server, ServerFault

from .engine import OpenAIEngine
from .session import WarmSettings
from .spelling import TokenizerSpelling
from .text import TextLanguage

__all__ = ["OpenAIEngine", "Server", "ServerFault", "TextLanguage", "TokenizerSpelling", "WarmSettings"]
