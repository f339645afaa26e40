"""What has been heard and said: the caller's open turn, the agent's heard words, and the trajectory made of both.

Pure bookkeeping for the mind: no decisions, no time. Two rules hold here. History keeps what the caller really
heard of the agent, and nothing more. A turn that was taken too early can be reopened as long as nothing of the
answer was audible: the trajectory goes back to where the caller still had the floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from policies.agreement import answer as verdict
from policies.speculation import same_wish
from policies.tool_gate import Heard
from policies.trajectory import Role, Segment, Trajectory

__all__ = ["CallerTurn", "Conversation"]


@dataclass(slots=True)
class CallerTurn:
    """The caller's turn under construction: one text per speech segment, the last of them perhaps a partial."""

    texts: dict[int, str] = field(default_factory=dict)
    finals: set[int] = field(default_factory=set)
    first_sample: int = 0
    last_sample: int = 0

    @property
    def text(self) -> str:
        """All words of the turn so far."""
        return " ".join(text for text in self.texts.values() if text)

    @property
    def settled(self) -> bool:
        """No segment waits for its final text."""
        return all(segment in self.finals for segment in self.texts)

    def segments(self) -> tuple[Segment, ...]:
        """The turn as heard segments of the stream, without its end."""
        return tuple(Segment(Role.HEARD, text) for text in self.texts.values() if text)


class Conversation:
    """The state of the talk. `committed` is the stream as it stands; `turn` is what the caller is adding."""

    def __init__(self, opening: Trajectory) -> None:
        self.committed = opening
        self.turn = CallerTurn()
        self.answered = CallerTurn()
        """The turn that the agent is answering now."""
        self.heard: list[Heard] = []
        """Agent utterances heard since the turn before `answered` ended: what `answered` replies to."""
        self.refused: list[str] = []
        """What the agent said that the caller answered with a no, so far."""
        self._refused_before = 0
        self._heard_next: list[Heard] = []
        self._before_turn = opening
        self._ignored: set[int] = set()
        self._given_back: set[int] = set()  # segments of a turn that was answered too soon, while it is open again
        self.doubts = 0
        """How often what was asked until then was called in doubt."""

    # --- the caller's side ---------------------------------------------------------------------------------------

    def begin(self, segment: int) -> None:
        """A speech segment began: the turn is not settled before its final text is known."""
        self.turn.texts.setdefault(segment, "")

    def hear(self, segment: int, text: str, *, final: bool) -> bool:
        """Take a hypothesis of a speech segment; True when the words of the open turn changed.

        Words of a segment that was ignored or is being answered already are too late and change nothing. Keys (a
        negative segment) are never late: each press is new.
        """
        late = segment in self.answered.texts and segment not in self.turn.texts
        if segment >= 0 and (late or segment in self._ignored):
            return False
        changed = self.turn.texts.get(segment, "") != text
        self.turn.texts[segment] = text
        if final:
            self.turn.finals.add(segment)
        return changed

    def correct(self, segment: int, text: str) -> bool:
        """The final text of a segment that is being answered already; True where it says something else."""
        turn = self.answered
        if segment not in turn.texts or segment in turn.finals:
            return False
        drafted = turn.text.split()
        turn.texts[segment] = text
        turn.finals.add(segment)
        return not same_wish(drafted, turn.text.split())

    def doubt(self) -> None:
        """The caller said something that was not understood in time: a yes agrees to nothing that was asked so far."""
        self.doubts += 1
        self.heard, self._heard_next = [], []

    def again(self, segment: int) -> None:
        """A segment that was answered is to be answered again, unless its turn was given back anyway."""
        if segment in self.answered.texts:
            self.turn.texts[segment] = self.answered.texts.pop(segment)
            self.turn.finals.add(segment)
            self._given_back.add(segment)

    def press(self, digit: str) -> None:
        """A key: keys stand in the turn as a speech segment of their own, numbered below the spoken ones."""
        self.hear(-1, f"{self.turn.texts.get(-1, 'pressed')} {digit}", final=True)

    def ignore(self, segment: int) -> None:
        """A segment asked for no floor (a backchannel, a noise): its words are no turn, and later ones neither."""
        self.turn.texts.pop(segment, None)
        self.turn.finals.discard(segment)
        self._ignored.add(segment)

    def ignored(self, segment: int) -> bool:
        """The segment was taken for one that asks for no floor."""
        return segment in self._ignored

    def heed(self, segment: int, text: str) -> None:
        """An ignored segment asks for something after all: its words stand in the open turn, before what came later."""
        self._ignored.discard(segment)
        later = {number: words for number, words in self.turn.texts.items() if number > segment}
        for number in later:
            del self.turn.texts[number]
        self.hear(segment, text, final=True)
        self.turn.texts.update(later)

    def clear_turn(self) -> None:
        """Nothing of the open turn can be answered: forget it, and what may still be recognised of it."""
        for segment in list(self.turn.texts):
            self.ignore(segment)

    def listening(self) -> Trajectory:
        """The stream if the caller goes on: committed words plus the open turn."""
        return self.committed.append(*self.turn.segments())

    def if_over(self) -> tuple[Trajectory, Sequence[Heard]]:
        """The stream to answer if the turn were over now, and the utterances that the turn replies to."""
        return self.listening().append(Segment(Role.TURN)), tuple(self._heard_next)

    def commit_turn(self) -> Trajectory:
        """The caller's turn is over: close it in the stream and give the stream to answer."""
        self._before_turn = self.committed
        self.committed = self.listening().append(Segment(Role.TURN))
        self.answered, self.turn = self.turn, CallerTurn()
        for segment, text in list(self.answered.texts.items()):
            if not text and segment not in self.answered.finals:
                del self.answered.texts[segment]
                self.turn.texts[segment] = ""  # its words are still to come, and nobody answers them yet
        self.heard, self._heard_next = self._heard_next, []
        self._refused_before = len(self.refused)
        if self.heard and verdict(self.answered.text) == "no":
            self.refused.append(" ".join(one.heard for one in self.heard))
        self._given_back = set()
        return self.committed

    def reopen_turn(self) -> None:
        """The caller went on before anything was audible: give the floor back, words kept, thoughts dropped."""
        self.committed = self._before_turn
        del self.refused[self._refused_before :]
        later = self.turn
        self.turn = self.answered
        self._given_back = set(self.turn.texts)
        self.turn.texts.update(later.texts)
        self.turn.finals |= later.finals
        self.answered = CallerTurn()
        self._heard_next = self.heard + self._heard_next
        self.heard = []

    @property
    def note(self) -> str:
        """The last note in the stream, empty where there is none."""
        return next((one.text for one in reversed(self.committed.segments) if one.role is Role.THINK), "")

    # --- the agent's side ----------------------------------------------------------------------------------------

    def add(self, role: Role, text: str = "", close: Role | None = None) -> Trajectory:
        """Append one agent-side segment to the stream."""
        self.committed = self.committed.append(Segment(role, text, close))
        return self.committed

    def said(
        self,
        planned: str,
        heard: str,
        *,
        complete: bool,
        goodbye: bool,
        again: bool = False,
        thoughts: Sequence[tuple[int, str]] = (),
        over: AbstractSet[int] = frozenset(),
        doubts: int = 0,
    ) -> None:
        """An utterance ended; nothing of it stands in the stream but what was heard.

        `thoughts`: (characters of `planned` before it, words) of those formed between its bits. One stands in the
        stream if something of the bit behind it was heard: a thought about words that were never said is no news.
        `over`: speech segments that had begun before the utterance did; `doubts`: those there were when it began.
        `again`: it asks nothing of its own.
        """
        if not heard:
            return
        begin = 0
        for place, words in thoughts:
            if not heard[place:].strip():
                break
            self.add(Role.SAY, heard[begin:place].strip(), Role.MORE)
            self.add(Role.THINK, words)
            begin = place
        close = (Role.BYE if goodbye else Role.END) if complete else Role.CUT
        self.add(Role.SAY, heard[begin:].strip(), close)
        if again:
            return
        waiting = set(self.turn.texts)
        if self._given_back & waiting:
            self.doubt()  # it was heard after all: a yes may be to this, or to what was asked before
        elif doubts == self.doubts and not over & waiting:
            # else words wait to be answered that were there before it: they agree to nothing that it asked
            self._heard_next.append(Heard(planned, heard))
