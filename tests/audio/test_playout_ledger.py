"""The playout ledger under any orders in any order: what it says was played is what came out."""

from __future__ import annotations

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from audio.frame import Pcm, silence
from audio.heard import WordMark
from audio.playout import Ended, Extent, Paused, Playout, Resumed, Started


def steady(n_samples: int, value: int) -> Pcm:
    return np.full(n_samples, value, np.int16)


class Ledger(RuleBasedStateMachine):
    """Any orders in any order: the ledger agrees with the samples that really came out.

    Utterance number n sounds as the constant 1000 + n, so that each output sample tells whose it is; a fade only
    lowers a value, which the bounds below allow for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.playout = Playout()
        self.count = 0
        self.out = silence(0)
        self.events: list[Extent] = []
        self.added: dict[str, int] = {}
        self.finished: set[str] = set()
        self.rewound = False

    def names(self) -> list[str]:
        return list(self.added)

    @rule()
    @precondition(lambda self: self.count < 6)
    def begin(self) -> None:
        name = str(self.count)
        self.playout.begin(name, "alpha beta gamma delta")
        self.added[name] = 0
        self.count += 1

    @rule(data=st.data(), size=st.integers(0, 900), marked=st.booleans())
    @precondition(lambda self: self.count > 0)
    def add(self, data: st.DataObject, size: int, marked: bool) -> None:
        name = data.draw(st.sampled_from(self.names()))
        if name in self.finished:
            return
        word = self.added[name] // 500
        marks = [WordMark((6 * word) % 18, (6 * word) % 18 + 4, self.added[name])] if marked and word < 3 else []
        if self.playout.add(name, steady(size, 1_000 + int(name)), marks):
            self.added[name] += size

    @rule(data=st.data(), order=st.sampled_from(("finish", "pause", "resume", "rewind", "cancel")))
    @precondition(lambda self: self.count > 0)
    def order(self, data: st.DataObject, order: str) -> None:
        name = data.draw(st.sampled_from(self.names()))
        if order == "rewind":
            self.rewound |= self.playout.resume(name, rewind=True)
        else:
            getattr(self.playout, order)(name)
        if order == "finish":
            self.finished.add(name)
        self.events += self.playout.drain()

    @rule(gain_db=st.sampled_from((0, -6, -26)))
    def duck(self, gain_db: int) -> None:
        self.playout.duck(gain_db)

    @rule()
    def unduck(self) -> None:
        self.playout.unduck()

    @rule(n_samples=st.one_of(st.just(320), st.integers(0, 2_000)))
    def take(self, n_samples: int) -> None:
        block = self.playout.take(n_samples)
        assert len(block) == n_samples
        self.out = np.concatenate((self.out, block))
        self.events += self.playout.drain()

    @invariant()
    def positions_agree(self) -> None:
        assert self.playout.sample == len(self.out)
        at = [e.sample for e in self.events]
        assert at == sorted(at)

    @invariant()
    def events_tell_a_story(self) -> None:
        for name in self.added:
            story = [e for e in self.events if e.utterance == name]
            kinds = [type(e) for e in story]
            assert kinds.count(Started) <= 1
            assert kinds.count(Ended) <= 1
            if Ended in kinds:
                assert kinds[-1] is Ended
            changes = [k for k in kinds if k in (Paused, Resumed)]
            assert changes == [Paused, Resumed] * (len(changes) // 2) + [Paused] * (len(changes) % 2)

    @invariant()
    def sound_lies_within_its_extents(self) -> None:
        for name in self.added:
            heard = self.playout.heard(name)
            assert "alpha beta gamma delta".startswith(heard.text)
            assert heard.n_samples <= self.added[name]
            sounding = self.spans(name)
            total = sum(end - start for start, end in sounding)
            assert total >= heard.n_samples
            if not self.rewound and not self.playout.starved_samples:
                assert total == heard.n_samples, "each sample was played once"
        allowed = np.zeros(len(self.out), bool)
        for name in self.added:
            for start, end in self.spans(name):
                allowed[start:end] = True
        assert not self.out[~allowed].any(), "nothing sounds that the ledger does not know of"

    def spans(self, name: str) -> list[tuple[int, int]]:
        """Output from Started to Paused or Ended, from Resumed on, and up to now."""
        spans, since, started = list[tuple[int, int]](), -1, False
        for event in self.events:
            if event.utterance != name:
                continue
            if isinstance(event, Started) or (isinstance(event, Resumed) and started):
                since, started = event.sample, True
            elif isinstance(event, Paused | Ended) and since >= 0:
                spans.append((since, event.sample))
                since = -1
        if since >= 0:
            spans.append((since, len(self.out)))
        return spans


TestLedger = Ledger.TestCase
TestLedger.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
