"""Times that are gone: said once, to say so, and not offered again in the same breath.

A model that has to leave one time out of a list that it has just read puts it back ("sorry, five was just taken. i
still have eight thirty or five"), and the caller who takes it at its word goes round in circles. This file knows words;
it refuses to know where a time is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from policies.notes import UNKNOWN
from policies.shapes import NoteField
from policies.spoken_times import find_times

__all__ = ["gone"]


def gone(heard: str, known: Mapping[str, str], offered: Sequence[str], notes: Sequence[NoteField]) -> tuple[str, ...]:
    """Words of the times that were `heard` or are noted and are not on offer, sorted; none that a time on offer holds
    too ("thirty"). Nothing where nothing is on offer."""
    if not offered:
        return ()
    noted = (known.get(note.name, UNKNOWN) for note in notes if note.kind == "time")
    wanted = {*find_times(heard), *(time for time in noted if time != UNKNOWN)} - {*offered}
    free = {word for time in offered for word in time.split()}
    return tuple(sorted({word for time in wanted for word in time.split()} - free))
