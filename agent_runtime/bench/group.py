"""What a suite of figures is made of. Values only; nothing is measured here."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .figure import Figure

__all__ = ["Group", "Suite"]


@dataclass(frozen=True, slots=True)
class Group:
    """Figures that are measured together, or one alone. `options`: those of the command that change them.

    Without `measure` the figures are promised and no code of this version measures them.
    """

    keys: tuple[str, ...]
    says: str
    measure: Callable[[Namespace], Iterable[Figure]] | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """The figures of one part of the program."""

    says: str
    groups: dict[str, Group]
