"""vLLM in this program, behind the engine port (extra ``vllm``)."""

from __future__ import annotations

from .engine import VLLMEngine
from .faults import VLLMFault
from .line import Line
from .session import VLLMSession

__all__ = ["Line", "VLLMEngine", "VLLMFault", "VLLMSession"]
