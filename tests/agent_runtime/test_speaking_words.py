"""Without audio a door is told words in place of frames: when they begin, stop and turn out otherwise."""

from __future__ import annotations

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.testing.fakes import TimedVoice
from tests.agent_runtime.mouth import FIRST, WORD, at, played, say


def test_without_audio_the_door_is_told_the_words_when_they_begin_and_when_they_are_over() -> None:
    mouth = played(say(0.0, 1, "which day?"), audible=False)
    assert mouth.line.told == [(80, 1, 0, "which day?"), (780, 1, 10, "")]
    assert [(word.first_sample, word.end_sample) for word in mouth.line.ahead] == [
        (FIRST, FIRST + WORD),
        (FIRST + WORD, FIRST + 2 * WORD),
    ]
    assert played(say(0.0, 1, "which day?"), audible=True).line.told == []


def test_a_clause_that_comes_later_is_told_as_soon_as_it_is_spoken() -> None:
    steps = [say(0.0, 1, "on monday", last=False), say(0.3, 1, "or friday?")]
    mouth = played(*steps, audible=False, voice=TimedVoice())
    assert mouth.line.told == [
        (80, 1, 0, "on monday"),
        (380, 1, len("on"), "on monday or friday?"),
        (1480, 1, 20, ""),
    ]


@pytest.mark.parametrize(
    ("at_s", "heard"), [(0.59, "we"), (0.6, "we are"), (0.9, "we are")], ids=["below half", "half by the fade", "later"]
)
def test_at_a_yield_it_is_told_what_the_ledger_counts_as_heard(at_s: float, heard: str) -> None:
    mouth = played(say(0.0, 1, "we are open until five."), at(at_s, do.Yield(1)), at(3.0, do.Resume(1)), audible=False)
    assert mouth.of(ev.UtteranceHeard)[0].text == heard
    began, stopped, resumed, ended = mouth.line.told
    assert began == (80, 1, 0, "we are open until five.")
    assert stopped[1:] == (1, len(heard), "")
    assert stopped[0] / 1000 == pytest.approx(at_s, abs=0.02)
    assert (resumed[0], resumed[2]) == (3000, len(heard))
    assert resumed[3] == ("open until five." if at_s > 0.8 else "are open until five."), (
        "the word it stopped in goes on"
    )
    assert ended[2:] == (len("we are open until five."), "")


def test_an_utterance_that_is_dropped_is_told_before_the_next_one_begins() -> None:
    mouth = played(say(0.0, 1, "we are open until five."), say(0.5, 2, "sorry?"), at(0.9, do.Cancel(1)), audible=False)
    told = [one for one in mouth.line.told if one[0] >= 900]
    heard = mouth.of(ev.UtteranceHeard)[0].text
    assert [(utterance, chars, bool(ahead)) for _, utterance, chars, ahead in told] == [
        (1, len(heard), False),
        (2, 0, True),
        (2, len("sorry?"), False),
    ]


def test_the_end_of_the_call_is_told_like_any_other_silence() -> None:
    mouth = played(say(0.0, 1, "we are open until five."), audible=False, until_s=1.0)
    assert mouth.line.told[-1] == (1000, 1, len(mouth.of(ev.UtteranceHeard)[-1].text), "")
    assert mouth.of(ev.UtteranceHeard)[-1].text == "we are open"
