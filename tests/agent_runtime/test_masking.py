"""No card number of a caller reaches the log, the mind or a prompt, however it is read out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runtime import events as ev
from agent_runtime.events import Event
from agent_runtime.masking import Masking
from agent_runtime.record import Entry, encode
from agent_runtime.testing import Line, ScriptedCaller, Segment, after_turn
from tests.agent_runtime.scenes import clip, desk, play

DIGITS = "zero one two three four five six seven eight nine".split()
CARD = "four one one one two two two two three three three three four four four four"


def final(text: str, segment: int = 1) -> ev.FinalTranscript:
    """A final text with times for each word."""
    return ev.FinalTranscript(
        segment, 1, 1000, text, tuple((word, 100 * n, 100 * n + 90) for n, word in enumerate(text.split()))
    )


def shown(events: Iterable[Event]) -> str:
    """Everything that the log says of the events."""
    return " ".join(encode(Entry(1, 0, 0, event)) for event in events)


def longest_run(text: str) -> int:
    """The longest row of digit words or figures in a log line."""
    words = [word for word in re.split(r"[^a-z0-9]+", text) if word]
    longest = run = 0
    for word in words:
        run = run + 1 if word in DIGITS else 0
        longest = max(longest, run)
    return longest


def test_nothing_to_hide_is_the_same_object() -> None:
    masking = Masking()
    for event in (
        final("i would like wednesday at ten thirty"),
        ev.PartialTranscript(1, 1, 0, "wednesday at", "ten"),
        ev.ToolReturned(1, "find_slots", "ten thirty two", ["10:30", "14:00"]),
        ev.ToolFailed(1, "find_slots", "raised", "LookupError: no calendar"),
        ev.UtteranceHeard(1, 10, True, "what is the card number?"),
        ev.LoopLagged(11.0),
    ):
        assert masking.masked(event) is event


def test_a_card_number_is_masked_in_a_final_text_and_its_words() -> None:
    masked = Masking().masked(final(f"my card is {CARD} thanks"))
    assert isinstance(masked, ev.FinalTranscript)
    assert masked.text == "my card is [digits 16] thanks"
    assert [word for word, _, _ in masked.words] == ["my", "card", "is", "[digits 16]", "thanks"]
    assert masked.words[-1][1] == 1900, "the words after it keep their times"


def test_words_without_times_of_their_own_are_left_out_rather_than_guessed() -> None:
    event = ev.FinalTranscript(1, 1, 1000, f"my card is {CARD}", (("my", 0, 90),))
    masked = Masking().masked(event)
    assert isinstance(masked, ev.FinalTranscript)
    assert masked.words == ()


def test_a_card_number_that_grows_word_by_word_is_never_shown() -> None:
    words = f"my card is {CARD}".split()
    masking = Masking()
    partials = []
    for count in range(1, len(words) + 1):
        stable, tail = words[: max(0, count - 2)], words[max(0, count - 2) : count]
        partials.append(masking.masked(ev.PartialTranscript(1, count, 0, " ".join(stable), " ".join(tail))))
    assert longest_run(shown(partials)) < 4
    assert longest_run(shown([masking.masked(final(" ".join(words)))])) == 0


def test_a_number_read_in_groups_over_pauses_is_followed() -> None:
    groups = [" ".join(CARD.split()[at : at + 4]) for at in (0, 4, 8, 12)]
    masking = Masking()
    seen = [masking.masked(ev.UtteranceHeard(1, 1, True, "what is the number of your card?"))]
    for segment, group in enumerate(groups, 1):
        seen.append(masking.masked(ev.PartialTranscript(segment, segment, 0, "", group)))
        seen.append(masking.masked(final(group, segment)))
    assert longest_run(shown(seen)) < 4


def test_results_and_failures_of_tools_are_masked_whole() -> None:
    masking = Masking()
    returned = masking.masked(ev.ToolReturned(1, "look_up", "card 4111 1111 1111 1111", {"card": "4111111111111111"}))
    assert returned == ev.ToolReturned(1, "look_up", "card [digits 16]", None)
    failed = masking.masked(ev.ToolFailed(1, "look_up", "raised", "ValueError: 4111111111111111 is no name"))
    assert failed == ev.ToolFailed(1, "look_up", "raised", "ValueError: [digits 16] is no name")


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from(DIGITS), min_size=12, max_size=19),
    st.sampled_from(["", "my card is ", "so it's ", "um the number is "]),
    st.integers(1, 3),
)
def test_any_long_number_is_hidden_from_the_log_however_partials_split_it(
    digits: list[str], lead: str, step: int
) -> None:
    words = (lead + " ".join(digits)).split()
    masking = Masking()
    seen: list[Event] = []
    for count in range(1, len(words) + 1, step):
        cut = max(0, count - 2)
        seen.append(
            masking.masked(ev.PartialTranscript(1, count, 0, " ".join(words[:cut]), " ".join(words[cut:count])))
        )
    seen.append(masking.masked(final(" ".join(words))))
    assert longest_run(shown(seen[-1:])) == 0
    assert longest_run(shown(seen)) < 6


def test_the_mind_and_the_stream_of_a_whole_call_never_hear_the_number() -> None:
    streams: list[str] = []

    def reply(text: str) -> str:
        streams.append(text)
        return "<think> none <expect> more <say> thank you. <bye>"

    caller = ScriptedCaller.of_lines(
        Line("card", after_turn(0.6), (Segment(clip(f"my card is {CARD}")), Segment(clip("and that is it"), 400)))
    )
    call = play(desk(), caller, reply)
    assert streams
    assert "[digits 16]" in streams[-1]
    everything = shown(entry.what for entry in call.entries if isinstance(entry.what, Event)) + " ".join(streams)
    assert longest_run(everything) < 4


def test_a_number_typed_on_the_keys_is_hidden_from_its_fourth_key_on() -> None:
    masking = Masking()
    typed = [masking.masked(ev.DigitPressed(16 * n, key)) for n, key in enumerate("4111111111111111")]
    assert [event.digit for event in typed if isinstance(event, ev.DigitPressed)] == ["4", "1", "1"] + 13 * ["[digit]"]
    masking.masked(ev.UtteranceHeard(1, 10, True, "press one for yes."))
    choice = ev.DigitPressed(9999, "1")
    assert masking.masked(choice) is choice
