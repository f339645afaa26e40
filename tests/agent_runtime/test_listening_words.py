"""Hearing by words that are known: the same events as by sound, at the times of a canned recogniser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from agent_runtime import events as ev
from agent_runtime.bus import Bus
from agent_runtime.clock import run_virtual
from agent_runtime.listening_words import CannedHearing, SpokenPiece, WordListening
from agent_runtime.log import MemoryLog
from agent_runtime.record import Entry
from agent_runtime.timeline import Timeline

MS = 16


@dataclass(frozen=True)
class Clip:
    """Words on the line, in milliseconds: (text, first, end)."""

    in_ms: Sequence[tuple[str, int, int]]

    @property
    def first_sample(self) -> int:
        return self.in_ms[0][1] * MS

    @property
    def words(self) -> Sequence[tuple[str, int, int]]:
        return [(text, first * MS, end * MS) for text, first, end in self.in_ms]


class Words:
    """A door that knows the words before their time, or brings each clip when it begins."""

    def __init__(self, *clips: Clip, live: bool = False, rests_s: float = 0.0) -> None:
        self.clips, self.live, self.rests_s = clips, live, rests_s
        self.ahead = not live

    async def listen_words(self) -> AsyncIterator[Clip]:
        loop = asyncio.get_running_loop()
        for clip in self.clips:
            if self.live:
                await asyncio.sleep(max(0.0, clip.first_sample / 16_000 - loop.time()))
            yield clip
        await asyncio.sleep(self.rests_s)


class Pieces:
    """A door that brings each piece at the millisecond at which it is known."""

    ahead = False

    def __init__(self, *pieces: tuple[int, SpokenPiece]) -> None:
        self.pieces = pieces

    async def listen_words(self) -> AsyncIterator[SpokenPiece]:
        loop = asyncio.get_running_loop()
        for at_ms, piece in self.pieces:
            await asyncio.sleep(at_ms / 1000 - loop.time())
            yield piece


def heard(door: Words | Pieces) -> tuple[list[Entry], int]:
    """The entries that hearing this door leads to, and where it ended."""
    log = MemoryLog()

    async def main() -> int:
        bus = Bus(log)
        timeline = Timeline(bus, 0.0)
        async with asyncio.TaskGroup() as group:
            running = group.create_task(timeline.run())
            end = await WordListening(door, timeline, CannedHearing()).run(0.0)
            timeline.end()
            await running
        return end

    return log.entries, run_virtual(main())


def story(entries: list[Entry]) -> list[tuple[int, str]]:
    """(millisecond, event in short) of each entry."""
    found = []
    for entry in entries:
        match entry.what:
            case ev.SpeechStarted(sample, _, _, no_floor, segment):
                text = f"start {segment} at {sample // MS}" + " asks nothing" * bool(no_floor)
            case ev.SpeechStopped(sample):
                text = f"stop at {sample // MS}"
            case ev.PartialTranscript(segment, _, _, stable, tail):
                text = f"partial {segment} {stable}|{tail}"
            case ev.FinalTranscript(segment, _, _, said):
                text = f"final {segment} {said}"
            case other:
                text = str(other)
        found.append((entry.at_us // 1000, text))
    return found


WISH = Clip([("i", 1000, 1100), ("want", 1120, 1400), ("wednesday", 1410, 1900)])


def test_words_become_known_one_after_the_other_with_the_delays_of_a_recogniser() -> None:
    entries, _ = heard(Words(WISH))
    assert story(entries) == [
        (1064, "start 1 at 1000"),
        (1250, "partial 1 |i"),
        (1550, "partial 1 |i want"),
        (2050, "partial 1 i|want wednesday"),
        (2100, "stop at 1900"),
        (2150, "final 1 i want wednesday"),
    ]
    started = entries[0].seq
    assert [entry.cause for entry in entries] == [0, *[started] * 5]
    final = entries[-1].what
    assert isinstance(final, ev.FinalTranscript)
    assert final.words == tuple(WISH.words)


def test_a_pause_ends_a_segment_and_a_short_gap_does_not() -> None:
    entries, _ = heard(Words(Clip([("on", 0, 100), ("um", 299, 400), ("wednesday", 600, 900)])))
    assert [text for _, text in story(entries) if not text.startswith("partial")] == [
        "start 1 at 0", "stop at 400", "final 1 on um", "start 2 at 600", "stop at 900", "final 2 wednesday",
    ]  # fmt: skip


def test_revisions_grow_by_one_over_the_whole_call() -> None:
    entries, _ = heard(Words(WISH, Clip([("bye", 5000, 5300)])))
    revisions = [e.what.revision for e in entries if isinstance(e.what, (ev.PartialTranscript, ev.FinalTranscript))]
    assert revisions == list(range(1, len(revisions) + 1))


def test_known_early_or_brought_in_time_the_events_are_the_same() -> None:
    clips = (WISH, Clip([("bye", 5000, 5300)]))
    assert heard(Words(*clips))[0] == heard(Words(*clips, live=True))[0]


def test_a_backchannel_sounds_like_one() -> None:
    assert story(heard(Words(Clip([("mm-hm", 0, 300)])))[0])[0] == (64, "start 1 at 0 asks nothing")
    assert story(heard(Words(Clip([("okay", 0, 200), ("but", 210, 300)])))[0])[0] == (64, "start 1 at 0")


def test_the_call_ends_with_its_last_word_or_when_the_line_does() -> None:
    assert heard(Words(WISH))[1] == 1900 * MS
    assert heard(Words(WISH, live=True, rests_s=9.0))[1] == 10 * 16_000
    assert heard(Words())[1] == 0


def spoken(text: str, first_ms: int, end_ms: int) -> tuple[int, SpokenPiece]:
    """A word that is over, when it is."""
    return end_ms, SpokenPiece(first_ms * MS, ((text, first_ms * MS, end_ms * MS),))


def ends(at_ms: int, spoke_until_ms: int) -> tuple[int, SpokenPiece]:
    """The piece that ends a segment."""
    return at_ms, SpokenPiece(spoke_until_ms * MS, ends=True)


def test_piece_by_piece_or_whole_the_events_are_the_same() -> None:
    words = [spoken(*word) for word in WISH.in_ms]
    entries, end = heard(Pieces((1000, SpokenPiece(1000 * MS)), *words, ends(2100, 1900)))
    assert story(entries) == story(heard(Words(WISH))[0])
    assert [entry.what for entry in entries] == [entry.what for entry in heard(Words(WISH))[0]]
    assert end == 2100 * MS


def test_speech_broken_off_before_a_word_is_a_segment_without_words() -> None:
    bye = [(5000, SpokenPiece(5000 * MS)), spoken("bye", 5000, 5300), ends(5500, 5300)]
    entries, _ = heard(Pieces((1000, SpokenPiece(1000 * MS)), ends(1300, 1100), *bye))
    assert story(entries) == [
        (1064, "start 1 at 1000"), (1300, "stop at 1100"), (1350, "final 1 "),
        (5064, "start 2 at 5000"), (5450, "partial 2 |bye"), (5500, "stop at 5300"), (5550, "final 2 bye"),
    ]  # fmt: skip


def test_a_piece_says_by_itself_that_it_asks_for_no_floor() -> None:
    begin = (0, SpokenPiece(0, no_floor=True))
    entries = heard(Pieces(begin, spoken("mm-hm", 0, 300), ends(500, 300)))[0]
    assert story(entries)[0] == (64, "start 1 at 0 asks nothing")
