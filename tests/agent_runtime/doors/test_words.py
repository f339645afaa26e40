"""Transcripts as callers."""

from __future__ import annotations

from pathlib import Path

from agent_runtime.clock import run_virtual
from agent_runtime.doors.words import SpokenWords, WordsDoor
from agent_runtime.ports import Door
from agent_runtime.testing.clips import Word, write_words

WORDS = (Word("hello", 1000, 5000), Word("there", 8199, 9000), Word("wednesday", 12_200, 20_000))


async def said(door: WordsDoor) -> list[SpokenWords]:
    return [words async for words in door.listen_words()]


def test_segments_are_split_at_pauses_of_200_ms() -> None:
    first, second = run_virtual(said(WordsDoor(WORDS)))
    assert first == SpokenWords(1000, 8000, (("hello", 1000, 5000), ("there", 8199, 9000)))
    assert (second.first_sample, second.words) == (12_200, (("wednesday", 12_200, 20_000),))


def test_words_come_from_a_file(tmp_path: Path) -> None:
    write_words(tmp_path / "words.json", WORDS)
    assert run_virtual(said(WordsDoor(tmp_path / "words.json"))) == run_virtual(said(WordsDoor(WORDS)))


def test_an_empty_transcript_is_a_caller_who_hangs_up_at_once() -> None:
    assert run_virtual(said(WordsDoor([]))) == []


def test_it_is_a_door_with_silence_under_the_words() -> None:
    door: Door = WordsDoor(WORDS)
    assert door.ahead

    async def line() -> list[tuple[int, int]]:
        return [(block.first_sample, len(block.pcm)) async for block in door.listen()]

    assert run_virtual(line()) == [(0, 16_000), (16_000, 4000)]


def test_nothing_comes_after_we_hung_up() -> None:
    async def main() -> int:
        door = WordsDoor(WORDS)
        n_segments = 0
        async for _ in door.listen_words():
            n_segments += 1
            await door.close()
        return n_segments

    assert run_virtual(main()) == 1
