"""What comes with the package: the language model in the box, the example agents, and where derived files are kept."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["BOXED_MODEL", "COMPANIES", "FRONT_DESK", "cache_folder"]

_HERE = Path(__file__).parent

BOXED_MODEL = Path(
    os.environ.get("DUOLOGUE_MODEL") or _HERE.parent / "policies" / "learned" / "core" / "weights" / "boxed"
)
"""The language model in the box, or in its place the folder of weights that `DUOLOGUE_MODEL` names: all commands, the
bench among them, then run on that one where an agent names none."""

_IN_CHECKOUT = _HERE.parent / "examples"
_EXAMPLES = _IN_CHECKOUT if _IN_CHECKOUT.is_dir() else _HERE / "examples"

FRONT_DESK = _EXAMPLES / "front_desk"
"""The example agent that is rung: in a checkout, or beside the installed package."""

COMPANIES = _EXAMPLES / "companies"
"""The example agent that rings."""


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
