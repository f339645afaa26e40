"""What is counted, read out or added, and the right words for it: bit by bit with a thought before each, or in one go.

The words are made by arithmetic, so they are always right. A bit is what one `<say>` holds. Its thought says which
stretch comes next (counting, digits) or works the sum out column by column with the carry, so that no spoken word has
to be computed while it is spoken. This file refuses to know callers, wordings and streams.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.numerals import say_digits, say_number

__all__ = ["LONGEST_BIT", "SHORTEST_BIT", "Bit", "Count", "Digits", "Sum", "Task"]

SHORTEST_BIT, LONGEST_BIT = 3, 10
"""Numbers in a bit. Three numbers are 1 to 3 s of speech, in which a thought of 20 tokens is long written."""
SMALL = 40
"""Counting that ends at or below this goes in fives, other counting in tens: a count to 200 in fives would not fit into
the model's 2,048 positions (30 tokens for the thought before each five of them)."""


@dataclass(frozen=True, slots=True)
class Bit:
    """A bit of thought and the bit of speech that follows it."""

    thought: str
    said: str


@dataclass(frozen=True, slots=True)
class Count:
    """Counting from `first` to `last`, both said, by `step` (negative: downwards). 0 to 200."""

    first: int
    last: int
    step: int = 1

    @property
    def numbers(self) -> tuple[int, ...]:
        """All that is said, in order."""
        return tuple(range(self.first, self.last + (1 if self.step > 0 else -1), self.step))

    def bits(self) -> tuple[Bit, ...]:
        """The count in bits; only the first thought names the goal."""
        runs = _runs(self.numbers, 5 if abs(self.step) > 1 or max(self.first, self.last) <= SMALL else 10)
        thoughts = [f"{say_number(run[0])} to {say_number(run[-1])}" for run in runs]
        thoughts[0] = f"{self.goal}. {thoughts[0]}"
        ends = [","] * (len(runs) - 1) + ["."]
        return tuple(
            Bit(thought, ", ".join(map(say_number, run)) + end)
            for thought, run, end in zip(thoughts, runs, ends, strict=True)
        )

    def one_breath(self) -> Bit:
        """The same in one go."""
        return Bit(self.goal, ", ".join(map(say_number, self.numbers)) + ".")

    @property
    def goal(self) -> str:
        """``up to forty``, ``down to one by two``."""
        by = "" if abs(self.step) == 1 else f" by {say_number(abs(self.step))}"
        return f"{'up' if self.step > 0 else 'down'} to {say_number(self.last)}{by}"

    def rest(self, heard: str) -> Count:
        """What is left after `heard`, the said words that came across; a number without its comma is said again.

        ``forty`` may be the beginning of ``forty one``. Something is always left.
        """
        done = min(heard.count(","), len(self.numbers) - 1)
        return Count(self.numbers[done], self.last, self.step)


def _runs(numbers: tuple[int, ...], border: int) -> list[tuple[int, ...]]:
    """`numbers` cut where a five or ten is full; by steps, every fifth number. Short ends join their neighbour."""
    runs: list[list[int]] = [[]]
    by_steps = len(numbers) > 1 and abs(numbers[1] - numbers[0]) > 1
    downward = len(numbers) > 1 and numbers[1] < numbers[0]
    for number in numbers:
        runs[-1].append(number)
        full = len(runs[-1]) == border if by_steps else (number - downward) % border == 0
        if full:
            runs.append([])
    runs = [run for run in runs if run]
    if len(runs) > 1 and len(runs[-1]) < SHORTEST_BIT:
        runs[-2:] = [runs[-2] + runs[-1]]
    if len(runs) > 1 and len(runs[0]) < SHORTEST_BIT:
        runs[:2] = [runs[0] + runs[1]]
    return [tuple(piece) for run in runs for piece in _halves(run, downward)]


def _halves(run: list[int], downward: bool) -> list[list[int]]:
    """A run that has grown too long, cut at the five nearest its middle."""
    if len(run) <= LONGEST_BIT:
        return [run]
    fives = [at + 1 for at, number in enumerate(run) if (number - downward) % 5 == 0]
    at = min(fives, key=lambda place: abs(2 * place - len(run)))
    return [run[:at], run[at:]]


@dataclass(frozen=True, slots=True)
class Digits:
    """Reading out figures in groups of three or four."""

    figures: str

    def groups(self) -> tuple[str, ...]:
        """``447129`` in threes; what would be left alone makes the last groups four."""
        threes, left = divmod(len(self.figures), 3)
        fours = min(left, threes)
        sizes = [3] * (threes - fours) + [4] * fours
        if sum(sizes) < len(self.figures):  # one, two or five figures
            sizes.append(len(self.figures) - sum(sizes))
        starts = [sum(sizes[:at]) for at in range(len(sizes))]
        return tuple(say_digits(self.figures[start : start + size]) for start, size in zip(starts, sizes, strict=True))

    def bits(self) -> tuple[Bit, ...]:
        """A group a bit."""
        groups = self.groups()
        ends = [","] * (len(groups) - 1) + ["."]
        first = [f"digits. {groups[0]}", *groups[1:]]
        return tuple(Bit(thought, group + end) for thought, group, end in zip(first, groups, ends, strict=True))

    def one_breath(self) -> Bit:
        """The same in one go."""
        return Bit("digits", ", ".join(self.groups()) + ".")


@dataclass(frozen=True, slots=True)
class Sum:
    """Adding two to five numbers below 100; sums stay below 1,000."""

    addends: tuple[int, ...]

    @property
    def total(self) -> int:
        """The sum."""
        return sum(self.addends)

    def bits(self) -> tuple[Bit, ...]:
        """An addition a bit: ``forty seven plus eight is fifty five,`` then ``plus thirty is eighty five.``"""
        found: list[Bit] = []
        so_far = self.addends[0]
        for place, addend in enumerate(self.addends[1:]):
            said = f"plus {say_number(addend)} is {say_number(so_far + addend)}"
            if not place:
                said = f"{say_number(so_far)} {said}"
            found.append(Bit(added(so_far, addend), said + ("." if place + 2 == len(self.addends) else ",")))
            so_far += addend
        return tuple(found)

    def one_breath(self) -> Bit:
        """The addends and the sum in one go, nothing worked out before."""
        return Bit("sum", f"{' plus '.join(map(say_number, self.addends))} is {say_number(self.total)}.")


def added(one: int, other: int) -> str:
    """The addition by columns, ones first, and its sum; `one` below 1,000, `other` below 100.

    ``forty seven plus eight. seven and eight is fifteen, carry one. four and zero and one is five. fifty five``
    """
    steps = [f"{say_number(one)} plus {say_number(other)}"]
    carry = 0
    for left, right, last in (
        (one % 10, other % 10, False),
        (one // 10 % 10, other // 10, one < 100),
        (one // 100, 0, True),
    ):
        column = left + right + carry
        parts = " and ".join(say_number(part) for part in ((left, right, carry) if carry else (left, right)))
        carry = column // 10
        steps.append(f"{parts} is {say_number(column)}" + (", carry one" if carry and not last else ""))
        if last:
            break
    return ". ".join([*steps, say_number(one + other)])


Task = Count | Digits | Sum
"""Something to say."""
