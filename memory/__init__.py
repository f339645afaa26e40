"""What calls teach, as rows one can read.

This package exists so that what is kept about people stands in one place that can forget. It refuses to know calls in
progress, sound, policies and models.
"""

from __future__ import annotations

__all__ = ["KeepingError"]


class KeepingError(ValueError):
    """Root of what this package refuses: the message names the value, the limit and the way out."""
