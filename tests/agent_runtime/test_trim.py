"""`Trim`: the clause that is being said is finished, what has not begun is dropped, and both are told as they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from agent_runtime import commands as do
from agent_runtime import events as ev
from tests.agent_runtime.mouth import FIRST, WORD, Mouth, Step, ToneVoice, at, both_modes, played, say

FIVE = (say(0.0, 1, "we are open until five,", last=False),)
ALL = (*FIVE, say(0.1, 1, "and the clinic", last=False), say(0.2, 1, "is at the river."))


class SlowVoice(ToneVoice):
    """A voice that is hardly quicker than speech: two words every 0.3 s."""

    async def speak(self, text: str) -> AsyncIterator[Any]:
        async for chunk in super().speak(text):
            yield chunk
            await asyncio.sleep(0.3)


def ended(mouth: Mouth, reason: str = "played") -> tuple[str, bool, int]:
    """What was heard of the utterance, whether all, and where it ended."""
    (end,) = mouth.of(ev.UtteranceEnded)
    assert end.reason == reason
    heard = mouth.of(ev.UtteranceHeard)[-1]
    return heard.text, heard.complete, end.sample


@both_modes
def test_the_clause_in_progress_is_finished_and_the_rest_dropped(audible: bool) -> None:
    mouth = played(*ALL, at(1.0, do.Trim(1)), audible=audible)
    assert ended(mouth) == ("we are open until five,", False, FIRST + 5 * WORD)
    assert not mouth.line.audible(FIRST + 5 * WORD, 200_000)


@both_modes
def test_the_last_clause_is_finished_and_all_was_heard(audible: bool) -> None:
    mouth = played(*ALL, at(3.5, do.Trim(1)), audible=audible)
    assert ended(mouth) == ("we are open until five, and the clinic is at the river.", True, FIRST + 12 * WORD)


@both_modes
def test_what_has_not_begun_to_sound_is_dropped_whole(audible: bool) -> None:
    mouth = played(ALL[0], at(0.05, do.Trim(1)), *ALL[1:], audible=audible)
    assert ended(mouth, "cancelled")[:2] == ("", False)
    assert not mouth.of(ev.UtteranceStarted)


@both_modes
def test_a_reply_that_is_still_written_ends_with_its_clause_and_is_not_complete(audible: bool) -> None:
    mouth = played(*FIVE, at(1.0, do.Trim(1)), say(1.2, 1, "and more."), audible=audible)
    assert ended(mouth) == ("we are open until five,", False, FIRST + 5 * WORD)


@both_modes
def test_an_end_that_was_on_its_way_leaves_it_complete(audible: bool) -> None:
    steps: tuple[Step, ...] = (*FIVE, say(0.5, 1, ""), at(1.0, do.Trim(1)))
    assert ended(played(*steps, audible=audible))[1]


@both_modes
def test_a_clause_that_is_still_synthesised_is_spoken_to_its_end(audible: bool) -> None:
    mouth = played(*ALL, at(0.3, do.Trim(1)), audible=audible, voice=SlowVoice())
    assert ended(mouth) == ("we are open until five,", False, FIRST + 5 * WORD)


@both_modes
def test_a_clause_that_is_synthesised_ahead_is_given_up(audible: bool) -> None:
    mouth = played(*ALL, at(1.85, do.Trim(1)), say(3.0, 2, "so."), audible=audible, voice=SlowVoice())
    assert [event.text for event in mouth.of(ev.UtteranceHeard)] == ["we are open until five, and the clinic", "so."]


@both_modes
def test_what_comes_next_follows_at_once(audible: bool) -> None:
    mouth = played(*ALL, at(1.0, do.Trim(1)), say(1.1, 2, "ah, i hear."), audible=audible)
    assert mouth.of(ev.UtteranceStarted)[1].sample == FIRST + 5 * WORD


@both_modes
def test_a_trimmed_utterance_can_still_be_silenced_and_cancelled(audible: bool) -> None:
    mouth = played(*ALL, at(1.0, do.Trim(1)), at(1.28, do.Yield(1)), at(1.6, do.Cancel(1)), audible=audible)
    assert ended(mouth, "cancelled")[:2] == ("we are open", False)


@both_modes
def test_a_trim_of_what_is_over_changes_nothing(audible: bool) -> None:
    mouth = played(say(0.0, 1, "so."), at(3.0, do.Trim(1)), say(4.0, 2, "yes."), audible=audible)
    assert [event.text for event in mouth.of(ev.UtteranceHeard)] == ["so.", "yes."]
