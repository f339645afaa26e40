"""What is counted, read out or added, and the right words for it: bit by bit with a thought before each, or in one go.

The words are made by arithmetic, so they are always right. A bit is what one `<say>` holds. Its thought says which
stretch comes next (counting, digits) or works the sum out column by column with the carry, so that no spoken word has
to be computed while it is spoken. This file refuses to know callers, wordings and streams.
"""

from __future__ import annotations

from dataclasses import dataclass

from policies.numerals import say_digits, say_number

__all__ = ["LONGEST_BIT", "Bit", "Count", "Digits", "Sum", "Task"]

LONGEST_BIT = 10
"""Numbers in a bit: 5 to 10 s of speech. In fives a count to 200 would not fit into the model's 2,048 positions."""
STEPS_IN_A_BIT = 5
"""Numbers in a bit of a count by twos, fives or tens."""


@dataclass(frozen=True, slots=True)
class Bit:
    """A bit of thought and the bit of speech that follows it. `forced`: it was made to end early."""

    thought: str
    said: str
    forced: bool = False


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
        """The count in bits. Each thought names the goal, the stretch that comes next and whether it is the last.

        So nothing has to be remembered over more than one bit: with the goal in the first thought alone, a model that
        said every number right did not know where to stop.
        """
        runs = _runs(self.numbers, abs(self.step) > 1, self.step < 0)
        ends = [","] * (len(runs) - 1) + ["."]
        return tuple(
            Bit(
                f"{self.goal}. {say_number(run[0])} to {say_number(run[-1])}" + (", last" if end == "." else ""),
                ", ".join(map(say_number, run)) + end,
            )
            for run, end in zip(runs, ends, strict=True)
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


def _runs(numbers: tuple[int, ...], by_steps: bool, downward: bool) -> list[tuple[int, ...]]:
    """`numbers` cut where a ten is full (downwards: where one begins); by steps, after every fifth number."""
    runs: list[list[int]] = [[]]
    for number in numbers:
        full = len(runs[-1]) == STEPS_IN_A_BIT if by_steps else (number - (not downward)) % LONGEST_BIT == 0
        if full and runs[-1]:
            runs.append([])
        runs[-1].append(number)
    return [tuple(run) for run in runs]


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
        """An addition a bit: ``forty seven plus eight is fifty five,`` then ``plus thirty is eighty five.``

        Each thought begins with what is still to be added up. With the addition alone, a model that added every column
        right did not know that nothing was left and went on.
        """
        found: list[Bit] = []
        left = self.addends
        while len(left) > 1:
            total = left[0] + left[1]
            said = f"plus {say_number(left[1])} is {say_number(total)}"
            if not found:
                said = f"{say_number(left[0])} {said}"
            thought = f"{', '.join(map(say_number, left))}. {added(left[0], left[1])}"
            left = (total, *left[2:])
            found.append(Bit(thought, said + ("." if len(left) == 1 else ",")))
        return tuple(found)

    def one_breath(self) -> Bit:
        """The addends and the sum in one go, nothing worked out before."""
        return Bit("sum", f"{self.asked} {say_number(self.total)}.")

    @property
    def asked(self) -> str:
        """``forty seven plus eight plus thirty is``"""
        return f"{' plus '.join(map(say_number, self.addends))} is"

    def worked_out(self) -> str:
        """All additions as one thought, for one who has to say the total next."""
        return ". ".join(bit.thought for bit in self.bits())


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
