"""Which words of a growing transcript two decodings agree on, and what sound need not be decoded again.

For a recogniser that is no streaming one: it decodes the same stretch of speech again and again as the stretch grows.
The rule is LocalAgreement-2 of Liu et al. 2020 ("Low-Latency Sequence-to-Sequence Speech Recognition and Translation
by Partial Hypothesis Selection") as used by Macháček et al. 2023 (whisper_streaming): what two hypotheses in a row
have in common from their start is committed. Committed words stay until the final text; sound before a committed end
of a sentence is cut off, which bounds what one decoding costs. This file refuses to know decoders and clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audio.frame import AudioError, ms_to_samples, s_to_samples

__all__ = ["Agreement", "AgreementError", "AgreementSettings", "TimedWord"]


class AgreementError(AudioError, ValueError):
    """A setting out of range, or a hypothesis that is out of order or covers too much."""


@dataclass(frozen=True, slots=True)
class AgreementSettings:
    """How much sound is decoded again and again.

    `trim_s` (s): a stretch that has grown to this length is cut after its last committed end of a sentence. 15 is
        whisper_streaming's value.
    `most_s` (s): no stretch grows beyond this; where nothing better offers it is cut in two, agreed on or not. 28
        leaves room for the padding of Whisper's window of 30 s.
    `pause_ms` (ms): a gap between two words that counts as an end of a sentence where punctuation shows none. A guess.
    `overlap_ms` (ms): how far a word may start before the end of the last committed one and still be a new word; word
        times shift from decoding to decoding. 100 is whisper_streaming's value.
    `echo_words`: up to so many words at the head that repeat the last committed ones are heard twice, not said twice,
        where they stand within a second of them. 5 is whisper_streaming's value.
    Raises `AgreementError`.
    """

    trim_s: float = 15.0
    most_s: float = 28.0
    pause_ms: int = 400
    overlap_ms: int = 100
    echo_words: int = 5

    def __post_init__(self) -> None:
        if not 0 < self.trim_s <= self.most_s:
            raise AgreementError(
                f"stretches are cut from {self.trim_s} s on and end at {self.most_s} s; expected 0 < trim_s <= most_s"
            )
        if min(self.pause_ms, self.overlap_ms, self.echo_words) < 0:
            raise AgreementError(
                f"pause_ms {self.pause_ms}, overlap_ms {self.overlap_ms}, echo_words {self.echo_words}; "
                "expected 0 or more"
            )


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word of a hypothesis; positions are samples from the start of the speech segment, start <= end.

    Hypotheses agree by `text`; `spelled` is how the decoder wrote it, with capitals and punctuation. `confidence` is
    the decoder's own probability, 0 to 1.
    """

    text: str
    spelled: str
    start_sample: int
    end_sample: int
    confidence: float | None = None


class Agreement:
    """The transcript of one speech segment, decoding after decoding.

    The caller decodes the sound from `base` up to at most `base + most`, gives the words to `update`, and does so again
    when more sound is there; at the end of the segment it decodes what is left and gives that to `finish`.
    """

    def __init__(self, settings: AgreementSettings | None = None) -> None:
        self.settings = settings or AgreementSettings()
        self.base = 0
        """First sample that the next decoding must hear."""
        self.most = s_to_samples(self.settings.most_s)
        """Samples that one decoding may hear."""
        self._trim = s_to_samples(self.settings.trim_s)
        self._pause = ms_to_samples(self.settings.pause_ms)
        self._overlap = ms_to_samples(self.settings.overlap_ms)
        self._committed: tuple[TimedWord, ...] = ()
        self._settled = 0  # committed words before `base`
        self._tail: tuple[TimedWord, ...] = ()
        self._end = 0

    @property
    def committed(self) -> tuple[TimedWord, ...]:
        """The words that no later hypothesis changes; a final text may, from `base` on."""
        return self._committed

    @property
    def settled(self) -> tuple[TimedWord, ...]:
        """The words before `base`, whose sound is gone: they stand in the final text as they are."""
        return self._committed[: self._settled]

    @property
    def words(self) -> tuple[TimedWord, ...]:
        """The transcript as it stands: what is committed, and the rest of the latest hypothesis."""
        return self._committed + self._tail

    def update(self, words: Sequence[TimedWord], end_sample: int) -> tuple[TimedWord, ...]:
        """The transcript after a decoding of the sound from `base` up to `end_sample`; moves `base`.

        Raises `AgreementError` where hypotheses come out of order or cover more than `most`.
        """
        self._check(end_sample)
        fresh = self._fresh(words)
        agreed = 0
        while agreed < min(len(fresh), len(self._tail)) and fresh[agreed].text == self._tail[agreed].text:
            agreed += 1
        self._committed += fresh[:agreed]
        self._tail = fresh[agreed:]
        if end_sample - self.base >= self._trim:
            self._cut_after_sentence()
        if end_sample - self.base >= self.most:
            self._cut_anyway(end_sample)
        return self.words

    def finish(self, words: Sequence[TimedWord], end_sample: int) -> tuple[TimedWord, ...]:
        """The final text: the settled words, and the last decoding of all that was left, committed or not."""
        self._check(end_sample)
        self._committed = self.settled
        self._committed += self._fresh(words)
        self._tail = ()
        return self._committed

    def _check(self, end_sample: int) -> None:
        if end_sample < self._end:
            raise AgreementError(f"hypothesis at sample {end_sample}, after one at {self._end}; they come in order")
        if end_sample - self.base > self.most:
            raise AgreementError(
                f"hypothesis over {end_sample - self.base} samples; the limit is {self.most} (decode less at a time)"
            )
        self._end = end_sample

    def _fresh(self, words: Sequence[TimedWord]) -> tuple[TimedWord, ...]:
        """The words of a hypothesis that come after the committed ones, in the order of time and without overlap."""
        inside = self._committed[self._settled :]
        if [word.text for word in words[: len(inside)]] == [word.text for word in inside]:
            fresh = list(words[len(inside) :])
        else:
            # Heard otherwise this time: only time tells which words are new.
            known_to = inside[-1].end_sample - self._overlap
            fresh = [word for word in words if word.start_sample > known_to]
            fresh = fresh[self._echo(fresh) :]
        if not inside:
            fresh = fresh[self._echo(fresh) :]
        floor = self._committed[-1].end_sample if self._committed else 0
        placed = []
        for word in fresh:
            start = max(floor, word.start_sample)
            floor = max(start, word.end_sample)
            placed.append(replace(word, start_sample=start, end_sample=floor))
        return tuple(placed)

    def _echo(self, fresh: Sequence[TimedWord]) -> int:
        """How many words at the head of `fresh` are the last committed ones once more."""
        last = [word.text for word in self._committed[-self.settings.echo_words :]] if self.settings.echo_words else []
        if not last or not fresh or fresh[0].start_sample - self._committed[-1].end_sample > s_to_samples(1):
            return 0
        head = [word.text for word in fresh[: len(last)]]
        # One word may well be said twice ("no no"); where it starts after the committed one has ended, it was.
        least = 1 if fresh[0].start_sample < self._committed[-1].end_sample else 2
        return next((n for n in range(min(len(head), len(last)), least - 1, -1) if head[:n] == last[-n:]), 0)

    def _cut_after_sentence(self) -> None:
        words = self.words
        for at in range(len(self._committed) - 1, self._settled - 1, -1):
            end = words[at].end_sample
            after = words[at + 1].start_sample if at + 1 < len(words) else None
            paused = after is not None and after - end >= self._pause
            if paused or words[at].spelled.rstrip("\"')”’ ").endswith((".", "?", "!", "。", "？", "！")):
                # Half of the gap stays on either side: word ends are no better than that.
                self._cut(at + 1, end if after is None else (end + after) // 2)
                return

    def _cut_anyway(self, end_sample: int) -> None:
        """Leave at most half of what one decoding may hear; words before that are committed by force."""
        latest = end_sample - self.most // 2
        forced = 0
        while forced < len(self._tail) and self._tail[forced].end_sample <= latest:
            forced += 1
        if forced:
            self._committed += self._tail[:forced]
            self._tail = self._tail[forced:]
        n_settled = self._settled
        while n_settled < len(self._committed) and self._committed[n_settled].end_sample <= latest:
            n_settled += 1
        # A word across the cut would be heard as half a word: the cut goes after a committed one, before another.
        if n_settled < len(self._committed) and self._committed[n_settled].start_sample < latest:
            latest = self._committed[n_settled].end_sample
            n_settled += 1
        elif self._tail and self.base < self._tail[0].start_sample < latest:
            latest = self._tail[0].start_sample
        self._cut(n_settled, max(latest, self.base))

    def _cut(self, n_settled: int, base: int) -> None:
        self._settled, self.base = n_settled, max(self.base, min(base, self._end))
