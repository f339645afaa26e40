"""One call's speech, segment by segment: when to decode, what to decode, and what came of it.

Whisper is no streaming model. While somebody speaks, the growing segment is decoded again after each `step_ms` of new
sound; two decodings in a row say which words hold (`audio.agreement`); the end of the segment is decoded once more for
the final text. A decoding takes a second of a core, so a live `feed` never waits for one: it starts a decoding
beside it and hands out what has become known since. Where the worker is late the newest sound wins: a stream has at
most one partial decoding waiting, which takes the sound that is there when its turn comes, or nothing at all when its
segment has ended by then. Finals are always decoded. Sound that runs ahead of its time (a recording) is waited for, at
exact places, so that its hypotheses depend on the sound alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from audio.agreement import Agreement, AgreementSettings
from audio.engines.whisper.link import Stretch, WhisperError, Worker
from audio.engines.whisper.turns import Turns
from audio.engines.whisper.words import Hypothesis, Row, words_of
from audio.frame import RATE_HZ, Pcm, check_pcm, ms_to_samples
from audio.outcome import Runner

__all__ = ["MAX_SEGMENT_S", "WhisperSettings", "WhisperStream"]

MAX_SEGMENT_S = 600
"""Length of a segment: nobody speaks for ten minutes without a pause, so a longer one is an error of the detector."""


@dataclass(frozen=True, slots=True)
class WhisperSettings:
    """Which model listens, and how often.

    `model`: a folder or a name, see `audio.engines.whisper.models`. `language`: two letters. `compute`: CTranslate2's
    compute type; int8 is the fastest on a CPU. Raises `WhisperError`.
    """

    model: str = "base"
    language: str = "en"
    compute: str = "int8"
    step_ms: int = 1000
    """New sound after which the segment is decoded again. 1000 is whisper_streaming's value; each decoding costs the
    same however little is new (BENCHMARKS.md), so half of it costs twice the CPU."""
    final_beam: int = 5
    """Width of the beam for final texts, Whisper's own value; partials are decoded greedily."""
    tokens_per_s: float = 10.0
    """With 16 on top the most tokens that a stretch may give: twice what fast speech has, and a bound on what a decoder
    that repeats itself can cost. A guess."""
    most_tokens: int = 200
    """The same whatever the length; Whisper holds 448 with the prompt's 224."""
    prompt_chars: int = 200
    """How much of the text before a stretch the decoder is told. 200 is whisper_streaming's value."""
    agreement: AgreementSettings = field(default_factory=AgreementSettings)

    def __post_init__(self) -> None:
        if not 100 <= self.step_ms <= 10_000:
            raise WhisperError(f"step_ms is {self.step_ms}; expected 100 to 10000 milliseconds of new sound")
        if not 1 <= self.most_tokens <= 200:
            raise WhisperError(f"most_tokens is {self.most_tokens}; expected 1 to 200")
        if not self.model or not self.language:
            raise WhisperError("model or language is empty; name a model such as 'base' and a language such as 'en'")


class Segment:
    """The sound of one segment from the last cut on, and what is believed of it."""

    def __init__(self, settings: WhisperSettings) -> None:
        self.agreement = Agreement(settings.agreement)
        self.total = 0
        self.followed = False
        """A task decodes the segment as it grows."""
        self._settings = settings
        self._step = ms_to_samples(settings.step_ms)
        self._next = self._step
        self._pcm = bytearray()
        self._first = 0  # the sample that `_pcm` begins with
        self._text = ""

    def append(self, pcm: Pcm) -> None:
        """Take sound. Raises WhisperError where the segment would be too long."""
        if self.total + len(pcm) > MAX_SEGMENT_S * RATE_HZ:
            raise WhisperError(f"the segment is longer than {MAX_SEGMENT_S} s (finish it in a pause)")
        self._pcm += pcm.tobytes()
        self.total += len(pcm)

    @property
    def worth_decoding(self) -> bool:
        """A step of sound is new since the last decoding began."""
        return self.total >= self._next

    def points(self) -> list[int]:
        """Where sound that runs ahead is decoded next: after each step, wherever the blocks end."""
        found = list(range(self._next, self.total + 1, self._step))
        self._next += self._step * len(found)
        return found

    def begin(self) -> int:
        """A live decoding begins: the sample that it reaches to, which is the newest that one decoding can hear."""
        end = min(self.total, self.agreement.base + self.agreement.most)
        self._next = end + self._step
        return end

    def stretch(self, end: int, before: str, *, final: bool = False) -> Stretch:
        """The sound from the last cut up to sample `end`; `before` is the text of earlier segments."""
        base = self.agreement.base
        said = [before, *(word.spelled for word in self.agreement.settled)]
        tokens = 16 + round(self._settings.tokens_per_s * (end - base) / RATE_HZ)
        return Stretch(
            bytes(self._pcm[2 * (base - self._first) : 2 * (end - self._first)]),
            _last_words(" ".join(said), self._settings.prompt_chars),
            self._settings.final_beam if final else 1,
            min(self._settings.most_tokens, tokens),
        )

    def take(self, rows: Sequence[Row], end: int) -> list[Hypothesis]:
        """The hypothesis after a partial decoding up to `end`, if it says anything new."""
        words = self.agreement.update(words_of(rows, self.agreement.base, end), end)
        del self._pcm[: 2 * (self.agreement.base - self._first)]
        self._first = self.agreement.base
        found = Hypothesis(words, end, final=False)
        if found.text == self._text:
            return []
        self._text = found.text
        return [found]

    def take_last(self, rows: Sequence[Row]) -> Hypothesis:
        """The final text, after a decoding of all that was left."""
        words = self.agreement.finish(words_of(rows, self.agreement.base, self.total), self.total)
        return Hypothesis(words, self.total, final=True)


class WhisperStream:
    """The sound of one call, segment by segment: `feed` while somebody speaks, `finish` when the segment is over.

    Positions count from the first sample fed after `open` or the last `finish`. The text of earlier segments prompts
    the decoder. A cancelled `feed` loses no sound, only the hypotheses it would have given. Made by `WhisperPool.open`;
    `close` belongs to the task that opened it.
    """

    def __init__(self, run: Runner, worker: Worker, turns: Turns, settings: WhisperSettings) -> None:
        self._run, self._worker, self._turns, self._settings = run, worker, turns, settings
        self._tasks = asyncio.TaskGroup()
        self._following: set[asyncio.Task[None]] = set()
        self._in_order = asyncio.Lock()
        self._segment = Segment(settings)
        self._before = ""
        self._ready: list[Hypothesis] = []
        self._failure: WhisperError | None = None
        self._closed = False

    async def open(self) -> None:
        """Begin to hold the group that the stream's decodings run in."""
        await self._tasks.__aenter__()

    async def feed(self, pcm: Pcm, *, due_s: float | None = None) -> list[Hypothesis]:
        """Take int16[n] at 16 kHz of any length; the changed hypotheses that became known, oldest first.

        With `due_s` (the loop time at which the last sample will have been heard) the sound runs ahead of its time: its
        decodings are waited for, and depend on the sound alone, not on how it was cut into blocks. Without it nothing
        is waited for. Raises WhisperError when the sound cannot be held or the recogniser failed twice over it.
        """
        self._check_open()
        check_pcm(pcm, "sound to recognise")
        segment = self._segment
        segment.append(pcm)
        self._raise_failure()
        if due_s is not None:
            return await self._feed_ahead(segment, due_s)
        if segment.worth_decoding and not segment.followed:
            segment.followed = True
            task = self._tasks.create_task(self._follow(segment))
            self._following.add(task)
            task.add_done_callback(self._following.discard)
        ready, self._ready = self._ready, []
        return ready

    async def finish(self) -> Hypothesis:
        """End the segment: its final words. The next `feed` begins another one. Raises WhisperError.

        Waits for the one decoding that runs already, its own or another call's, and then goes before all partials.
        """
        self._check_open()
        self._raise_failure()
        # A partial decoding of the segment that still waits is stale from here on.
        segment, self._segment = self._segment, Segment(self._settings)
        self._ready = []
        if not segment.total:
            return Hypothesis((), 0, final=True)
        async with self._in_order, self._turns.turn(final=True):
            await self._shorten(segment, segment.total)
            rows = await self._decode(segment.stretch(segment.total, self._before, final=True))
        final = segment.take_last(rows)
        spelled = " ".join([self._before, *(word.spelled for word in final.words)])
        self._before = _last_words(spelled, self._settings.prompt_chars)
        return final

    async def close(self) -> None:
        """Leave whatever is being decoded. May be called twice, and after the pool was closed."""
        if self._closed:
            return
        self._closed = True
        self._worker.streams -= 1
        for task in self._following:
            task.cancel()
        await self._tasks.__aexit__(None, None, None)

    async def _feed_ahead(self, segment: Segment, due_s: float) -> list[Hypothesis]:
        points = segment.points()
        found: list[Hypothesis] = []
        async with self._in_order:  # feeds that overlap keep their order
            for end in points:
                found += await self._shorten(segment, end, due_s)
                rows = await self._decode(segment.stretch(end, self._before), due_s)
                found += segment.take(rows, end)
        return found

    async def _follow(self, segment: Segment) -> None:
        """Decode a live segment as it grows, one decoding at a time, as long as there is enough that is new."""
        try:
            while segment is self._segment and segment.worth_decoding:
                async with self._turns.turn(final=False):
                    if segment is not self._segment:
                        return
                    end = segment.begin()
                    rows = await self._decode(segment.stretch(end, self._before))
                if segment is self._segment:
                    self._ready += segment.take(rows, end)
        except WhisperError as error:
            self._failure = error  # for whoever feeds or finishes next; here nobody would hear it
        finally:
            segment.followed = False

    async def _shorten(self, segment: Segment, end: int, due_s: float | None = None) -> list[Hypothesis]:
        """Decode until what is left before `end` fits into one decoding."""
        found: list[Hypothesis] = []
        agreement = segment.agreement
        while end - agreement.base > agreement.most:
            reach = agreement.base + agreement.most
            found += segment.take(await self._decode(segment.stretch(reach, self._before), due_s), reach)
        return found

    async def _decode(self, stretch: Stretch, due_s: float | None = None) -> list[Row]:
        return await self._run("whisper", self._worker.thread, partial(self._worker.decode, stretch), due_s=due_s)

    def _check_open(self) -> None:
        if self._closed or self._worker.closed:
            raise WhisperError("the stream was closed (open another one)")

    def _raise_failure(self) -> None:
        """A partial decoding failed twice beside the feeds: now somebody hears of it, once."""
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure


def _last_words(text: str, n_chars: int) -> str:
    """The last whole words of `text` within `n_chars` characters."""
    text = text.strip()
    return text if len(text) <= n_chars else text[len(text) - n_chars :].partition(" ")[2] if n_chars else ""
