"""One clear line when another project's `audio`, `memory` or `policies` stands where ours should.

Those three names are short, and a folder or an installed package of the same name earlier on the path would be
imported in their place and fail later with an error nobody understands. The check looks where each name would be
imported from and imports nothing. It refuses to know what is in the packages.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path

__all__ = ["PACKAGES", "ForeignPackage", "check"]

PACKAGES = ("audio", "memory", "policies")
"""Our other top-level packages; all stand beside `agent_runtime`."""


class ForeignPackage(ImportError):
    """A package of ours is missing, or another one of its name comes first; the message is one line."""


def check(names: Iterable[str] = PACKAGES, home: Path | None = None) -> None:
    """Return if every name resolves to a package in `home` (the folder that holds `agent_runtime`).

    Raises `ForeignPackage` naming the package, where the other one lies, and the way out.
    """
    home = home or Path(__file__).resolve().parent.parent
    for name in names:
        place = _place(name)
        if place == home:
            continue
        if place is None:
            raise ForeignPackage(
                f"duologue's package '{name}' is missing beside {home / 'agent_runtime'}; install duologue again"
            )
        raise ForeignPackage(
            f"duologue needs its own package '{name}', but another one comes first on the path: {place / name}; "
            "start Python from another folder or with -P, or rename or uninstall the other package"
        )


def _place(name: str) -> Path | None:
    """The folder holding what `import name` gives, or None when nothing does."""
    loaded = sys.modules.get(name)
    spec = loaded.__spec__ if loaded is not None else importlib.util.find_spec(name)
    if spec is None:
        return None
    if spec.origin is not None:
        origin = Path(spec.origin).resolve()
        return origin.parent.parent if spec.submodule_search_locations is not None else origin.parent
    found = list(spec.submodule_search_locations or ())
    return Path(found[0]).resolve().parent if found else None
