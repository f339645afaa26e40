"""How the agent decides: pure decisions, one per file.

This package exists so that every choice a caller can hear is a function of values, checkable without a call.
It refuses to know events, clocks, sockets, files and engines; `policies.learned` alone runs a model.
"""

from __future__ import annotations

__all__ = ["PolicyError"]


class PolicyError(ValueError):
    """Root of what a policy refuses: the message names the value, the limit and the way out."""
