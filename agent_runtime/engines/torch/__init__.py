"""Models of the ``transformers`` library behind the engine port (extra ``learn``): CPU or GPU, exact rollback."""

from __future__ import annotations

from .engine import TorchEngine, TorchSession

__all__ = ["TorchEngine", "TorchSession"]
