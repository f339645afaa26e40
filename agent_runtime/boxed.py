"""What comes with the package: the language model in the box, the example agent, and where derived files are kept."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["BOXED_MODEL", "FRONT_DESK", "cache_folder"]

_HERE = Path(__file__).parent

BOXED_MODEL = _HERE.parent / "policies" / "learned" / "core" / "weights" / "front_desk"
"""The language model in the box."""

_IN_CHECKOUT = _HERE.parent / "examples" / "front_desk"
FRONT_DESK = _IN_CHECKOUT if _IN_CHECKOUT.is_dir() else _HERE / "examples" / "front_desk"
"""The example agent: in a checkout, or beside the installed package."""


def cache_folder() -> Path:
    """Where derived files are kept between runs: `DUOLOGUE_CACHE`, or ``duologue`` in the user's cache folder."""
    given = os.environ.get("DUOLOGUE_CACHE")
    if given:
        return Path(given)
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "duologue"
    except RuntimeError:  # a user without a home, as services and containers have them
        return Path(tempfile.gettempdir()) / f"duologue-{os.getuid()}"
