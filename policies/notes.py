"""Reading the stream back: the note as fields, and what the present agent turn may draw on.

The model writes its note as words in a fixed order of fields; here it becomes a mapping again. The grammar of the next
turn needs what was heard lately (names are copied, never invented), what was offered (no time off the list) and what
was known before. All of it stands in the trajectory; this file refuses to know anything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from policies.no_names import is_no_name
from policies.shapes import NoteField
from policies.spoken_times import find_times, locate_times
from policies.trajectory import Role, Trajectory

__all__ = ["UNKNOWN", "TurnFacts", "are_names", "copyable", "facts_of", "read_note"]

UNKNOWN = "-"
"""How a field that is not known is written."""

_NEVER_COPIED = frozenset(
    "a an the and or but so of for to at on in by with from is it it's its i i'm i'd i'll my me we our you your he she "
    "his her this that that's there am are was be do does not can could would like want need have please thanks thank "
    "yes yeah yep no nope okay ok sorry um uh er erm ehm hm hmm mm mhm mhmm ah oh hi hello bye goodbye name way under "
    "calling speaking".split()
)
"""Words that are no part of a name or another copied value; a copied run of words never crosses one."""
_LATELY = 4
"""Speech segments that count as lately heard, as in the model's training."""
_LONGEST_HEARD = 6
"""Words a copied field may hold; a name with that many parts is rare."""


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What an agent turn may draw on."""

    known: Mapping[str, str] = field(default_factory=dict)
    """The last note, field -> words; `UNKNOWN` where it is open."""
    heard: tuple[str, ...] = ()
    """The caller's words of the turn being answered."""
    lately: tuple[str, ...] = ()
    """Texts of the last speech segments, this turn's and before: a name may be copied from them."""
    offered: tuple[str, ...] = ()
    """Spoken times of the last tool result that held any."""
    returned: tuple[tuple[str, str], ...] = ()
    """(tool, words) of each result of the call, in order."""


def facts_of(trajectory: Trajectory, notes: Sequence[NoteField]) -> TurnFacts:
    """The facts at the end of `trajectory`: last note, last caller turn, last offered times, all results."""
    known: Mapping[str, str] = {}
    heard: list[str] = []
    offered: tuple[str, ...] = ()
    returned: list[tuple[str, str]] = []
    called = ""
    open_turn = True
    for segment in trajectory.segments:
        if segment.role is Role.THINK:
            known = read_note(segment.text, notes) or known
        elif segment.role is Role.HEARD:
            if not open_turn:
                heard, open_turn = [], True
            heard += segment.text.split()
        elif segment.role is Role.TURN:
            open_turn = False
        elif segment.role is Role.CALL:
            called = segment.text.partition(" ")[0]
        elif segment.role is Role.RESULT:
            offered = find_times(segment.text) or offered
            returned.append((called, segment.text))
    texts = [segment.text for segment in trajectory.segments if segment.role is Role.HEARD]
    return TurnFacts(known, tuple(heard), tuple(texts[-_LATELY:]), offered, tuple(returned))


def copyable(texts: Sequence[str], notes: Sequence[NoteField] = ()) -> tuple[str, ...]:
    """The runs of words in heard `texts` that the copied fields of `notes` may take: names, not the words around them.

    ``sorry it's for morris by the way`` leaves ``morris``. Runs keep their order; there may be none. Where all copied
    fields are names by their own name, common words are left out too: ``for months it's morris`` leaves ``morris``.
    """
    names = are_names(notes)
    runs: list[list[str]] = []
    for text in texts:
        runs.append([])
        for word in text.split():
            if word in _NEVER_COPIED or (names and is_no_name(word)):
                runs.append([])
            else:
                runs[-1].append(word)
    return tuple(" ".join(run) for run in runs if run)


def are_names(notes: Sequence[NoteField]) -> bool:
    """Whether all copied fields of `notes` are names by their own name, and there is one."""
    copied = [note.name for note in notes if note.kind == "heard"]
    return bool(copied) and all("name" in name for name in copied)


def read_note(text: str, notes: Sequence[NoteField]) -> dict[str, str] | None:
    """The fields of a note, or None where the words do not fit the fields."""
    words = text.split()
    values = _read(words, 0, notes)
    return None if values is None else {note.name: value for note, value in zip(notes, values, strict=True)}


def _read(words: Sequence[str], at: int, notes: Sequence[NoteField]) -> list[str] | None:
    """The values of `notes` if `words` from `at` on are just these, else None. Tries the longest value first."""
    if not notes:
        return [] if at == len(words) else None
    for size in _sizes(words, at, notes[0]):
        rest = _read(words, at + size, notes[1:])
        if rest is not None:
            return [" ".join(words[at : at + size]), *rest]
    return None


def _sizes(words: Sequence[str], at: int, note: NoteField) -> list[int]:
    """How many words the value of `note` may take here."""
    if at >= len(words):
        return []
    if words[at] == UNKNOWN:
        return [1]
    if note.kind == "choice":
        sizes = {len(value.split()) for value in note.values if words[at : at + len(value.split())] == value.split()}
        return sorted(sizes, reverse=True)
    if note.kind == "time":
        times = locate_times(words[at : at + 6])
        return [times[0].end] if times and times[0].first == 0 else []
    return list(range(min(_LONGEST_HEARD, len(words) - at), 0, -1))
