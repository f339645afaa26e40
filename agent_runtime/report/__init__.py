"""A call made visible: one page to look through it, one picture to show it.

Both are drawn from the log alone, with the recording beside it where there is one; this package keeps no truth of
its own and refuses to know sessions, organs and engines.
"""

from __future__ import annotations

from .html import write_report
from .picture import write_picture

__all__ = ["write_picture", "write_report"]
