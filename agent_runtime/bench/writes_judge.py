"""The judge of random calls: knows what was really said and really heard, and counts writes that nobody wished for.

Of each write it asks: was it read back with just these values, were all of them heard, was it agreed to in the turn
that is committed, did it wait for that, and did it happen once? It never asks the mind.
"""

from __future__ import annotations

from policies.shapes import Parameter, ToolShape

from .. import commands as do
from .. import events as ev
from ..commands import Command
from ..events import Event
from ..wording import Wording

__all__ = ["DAYS", "NAMES", "TIMES", "TOOLS", "WRITES", "YES", "Judge", "read_back", "read_back_values"]

DAYS, TIMES, NAMES = ("monday", "tuesday", "wednesday"), ("nine", "ten thirty", "two"), ("miller", "young", "adams")
DAY = Parameter("day", "choice", DAYS)
TOOLS = (
    ToolShape("find_slots", (DAY,), effect="read"),
    ToolShape("book", (DAY, Parameter("time", "time"), Parameter("name", "heard")), effect="write", confirm=True),
    ToolShape("jot", (Parameter("name", "heard"),), effect="write"),
)
WRITES = frozenset({"book", "jot"})

YES = ("yes", "yes please", "yeah that's right", "yes that is right")
_AGAIN = Wording().apology
"""Asks for the caller's last words once more, so a yes to it answers what was asked before."""
_AGREEING = frozenset(" ".join(YES).split()) | {"um", "mm", "hm", "mm-hm", "at", "on", "for"}


class Judge:
    """Counts what must not happen; `wrong` holds a line for each."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.writes = self.adopted = self.early = 0
        self._read_back: dict[str, str] | None = None  # the values of one that was heard to its last word
        self._used = False  # a write was made on it
        self._told: dict[int, str] = {}  # segment -> what was really said; those that the mind has heard begin
        self._since: set[int] = set()  # segments that began after the read-back did
        self._turn: set[int] | None = None  # those of the committed turn
        self._requests: set[tuple[int, str]] = set()
        self._spent: set[tuple[int, str]] = set()

    def saw(self, event: Event, truth: dict[int, str]) -> None:
        """The mind is about to take this fact."""
        if isinstance(event, ev.SpeechStarted):
            self._told[event.segment] = truth[event.segment]
            self._since.add(event.segment)
        elif isinstance(event, ev.ToolRequested):
            self._requests.add((event.generation, event.tool))

    def heard(self, kind: str, text: str, heard: str, spoken_from: set[int]) -> None:
        """An utterance is over. `spoken_from`: segments that had begun before it did."""
        if kind == "filler" or not heard or text == _AGAIN:
            return
        self._read_back, self._used = None, False
        values = read_back_values(text)
        if values is not None and all(value in heard for value in values.values()):
            self._read_back = values
            self._since = set(self._told) - spoken_from

    def ordered(self, order: Command) -> None:
        """The mind gave this order."""
        match order:
            case do.Decision("think", reason) if reason.startswith("turn over"):
                self._turn = set(self._since)
            case do.Adopt(generation, call):
                self.adopted += bool(generation)
                self.early += bool(call)
            case do.CallTool(tool=tool, early=True) if tool in WRITES:
                self.wrong.append(f"{tool} ran before the turn was over")
            case do.CallTool(tool=tool, arguments=arguments) if tool in WRITES:
                self._write(tool, dict(arguments))

    def gave_way(self) -> None:
        """The turn that was committed is open again, or the caller has the floor."""
        self._turn = None

    def _write(self, tool: str, arguments: dict[str, str]) -> None:
        self.writes += 1
        asked = next((one for one in self._requests - self._spent if one[1] == tool), None)
        if asked is None:
            self.wrong.append(f"{tool} ran twice for one request")
            return
        self._spent |= {one for one in self._requests if one[1] == tool}
        if self._turn is None:
            self.wrong.append(f"{tool} ran while the caller's turn was open")
            return
        if tool != "book":
            return
        if self._read_back != arguments:
            self.wrong.append(f"book {arguments} was not read back, but {self._read_back}")
            return
        if self._used:
            self.wrong.append(f"book {arguments} ran twice on one agreement")
        self._used = True
        said = " ".join(self._told[segment] for segment in sorted(self._turn)).split()
        repeated = set(" ".join(arguments.values()).split())
        if not set(said) & {"yes", "yeah"} or not set(said) <= _AGREEING | repeated:
            self.wrong.append(f"book {arguments} was not agreed to: {' '.join(said)!r}")


def read_back(values: dict[str, str]) -> str:
    return "so that is {day} at {time} for {name}, is that right?".format(**values)


def read_back_values(text: str) -> dict[str, str] | None:
    for day in DAYS:
        for time in TIMES:
            for name in NAMES:
                values = {"day": day, "time": time, "name": name}
                if text == read_back(values):
                    return values
    return None
