"""The playout ledger: every sample taken is somebody's, and what was heard is a prefix of what was said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.frame import FRAME_SAMPLES, Pcm, silence
from audio.heard import Heard, NextWord, WordMark
from audio.playout import (
    FADE_SAMPLES,
    MOST_QUEUED,
    MOST_SAMPLES,
    Ended,
    Extent,
    Paused,
    Playout,
    PlayoutError,
    Resumed,
    Started,
)

TEXT = "one two three"
MARKS = (WordMark(0, 3, 0), WordMark(4, 7, 1_000), WordMark(8, 13, 2_000))


def steady(n_samples: int, value: int = 10_000) -> Pcm:
    return np.full(n_samples, value, np.int16)


def playing(sound: Pcm | None = None) -> Playout:
    """One finished utterance of three words and 3,000 samples."""
    playout = Playout()
    playout.begin("a", TEXT)
    playout.add("a", steady(3_000) if sound is None else sound, MARKS)
    playout.finish("a")
    return playout


def test_undisturbed_sound_passes_untouched_and_is_all_heard() -> None:
    sound = np.asarray(np.random.default_rng(0).integers(-30_000, 30_000, 3_000), np.int16)
    playout = playing(sound)
    taken = [playout.take() for _ in range(10)]
    assert np.array_equal(np.concatenate(taken)[:3_000], sound)
    assert not np.concatenate(taken)[3_000:].any()
    whole = Heard(TEXT, 3_000, True, ("one", "two", "three"))
    assert playout.drain() == [Started("a", 0), Ended("a", 3_000, whole)]
    assert playout.drain() == []
    assert playout.heard("a") == whole
    assert playout.sample == 3_200


def test_idle_is_silence_and_positions_go_on() -> None:
    playout = Playout()
    assert not playout.take().any()
    assert (playout.speaking, playout.audible, playout.current) == (False, False, None)
    playout.begin("a", TEXT)
    playout.add("a", steady(100), MARKS)
    assert (playout.speaking, playout.audible, playout.current) == (True, False, "a")
    assert playout.queued_samples("a") == 100
    assert playout.take(50).all()
    assert playout.drain() == [Started("a", 320)]
    assert playout.audible


def test_utterances_follow_each_other_without_a_gap() -> None:
    playout = Playout()
    for name, value in (("a", 1), ("b", 2), ("c", 3)):
        playout.begin(name)
        playout.add(name, steady(200, value))
        playout.finish(name)
    out = np.concatenate([playout.take(), playout.take()])
    assert list(out[::200]) == [1, 2, 3, 0]
    events = playout.drain()
    assert [(type(e), e.utterance, e.sample) for e in events] == [
        (Started, "a", 0),
        (Ended, "a", 200),
        (Started, "b", 200),
        (Ended, "b", 400),
        (Started, "c", 400),
        (Ended, "c", 600),
    ]


def test_pause_fades_keeps_the_place_and_resume_repeats_nothing() -> None:
    ramp = np.arange(3_000, dtype=np.int16)
    playout = playing(ramp)
    playout.take()
    assert playout.pause("a")
    assert not playout.speaking
    faded = playout.take()
    assert 0 < faded[0] < 320
    assert not faded[FADE_SAMPLES - 1 :].any()
    assert not playout.audible
    assert playout.drain() == [Started("a", 0), Paused("a", 320 + FADE_SAMPLES)]
    assert not playout.take().any()
    assert playout.heard("a").n_samples == 320 + FADE_SAMPLES
    assert playout.resume("a")
    back = playout.take()
    assert playout.drain() == [Resumed("a", 960)]
    assert back[FADE_SAMPLES] == 320 + 2 * FADE_SAMPLES, "goes on with the sample after the fade"
    assert 0 < back[0] < 320 + FADE_SAMPLES
    assert playout.audible


def test_pause_can_fade_slowly_and_be_taken_back_within_the_fade() -> None:
    playout = playing()
    playout.take()
    playout.pause("a", fade_samples=400)
    half = playout.take(200)
    assert half[-1] == 5_000
    assert playout.audible, "6 dB down is still heard"
    playout.resume("a", rewind=True)
    back = playout.take(200)
    assert back[0] > 5_000
    assert back[-1] == 10_000
    assert playout.drain() == [Started("a", 0)], "silence never came, so nothing was paused"
    assert playout.heard("a").n_samples == 720, "and nothing is repeated"


def test_resume_can_rewind_to_the_start_of_the_word() -> None:
    playout = playing(np.arange(3_000, dtype=np.int16))
    playout.take(1_400)
    playout.pause("a")
    playout.take()
    place = playout.heard("a")
    assert place.text == "one"
    playout.resume("a", rewind=True)
    assert playout.heard("a") == place, "what was heard stays heard"
    again = playout.take(200)
    assert again[-1] == 1_199
    playout.take(2_000)
    assert playout.heard("a") == Heard(TEXT, 3_000, True, ("one", "two", "three"))


def test_rewind_without_marks_or_before_the_first_does_nothing_odd() -> None:
    playout = Playout()
    playout.begin("a")
    playout.add("a", np.arange(1_000, dtype=np.int16), [WordMark(0, 1, 900)])
    playout.take(100)
    playout.pause("a")
    playout.take()
    playout.resume("a", rewind=True)
    assert playout.take(100)[-1] == 99


def test_cancel_fades_and_drops_the_rest() -> None:
    playout = playing()
    playout.take(1_600)
    playout.cancel("a")
    rest = playout.take(), playout.take()
    assert np.count_nonzero(rest[0]) == FADE_SAMPLES - 1
    assert not rest[1].any()
    heard = Heard("one two", 1_600 + FADE_SAMPLES, False, ("one", "two"))
    assert playout.drain() == [Started("a", 0), Ended("a", 1_600 + FADE_SAMPLES, heard)]
    assert playout.heard("a") == heard


def test_cancelled_at_a_word_the_word_ends_softly_and_nothing_comes_behind_it() -> None:
    playout = Playout()
    playout.begin("a", "one two three")
    marks = [WordMark(0, 3, 0), WordMark(4, 7, 1000), WordMark(8, 13, 2000)]
    playout.add("a", steady(3000), marks)
    playout.begin("b", "four")
    playout.add("b", steady(500, 5_000))
    playout.finish("b")
    playout.take(1200)
    assert playout.cancel_at_word("a")
    assert playout.ahead() == (NextWord("two", 7, 1000, 2000),)
    assert playout.add("a", steady(900)) is False, "its sound may still come; it is dropped"
    rest = playout.take(1400)
    assert rest[:720].tolist() == [10_000] * 720
    assert 0 <= rest[799] < 200, "faded within the word's last 5 ms"
    assert rest[800:1300].tolist() == [5_000] * 500, "the next one begins at once"
    assert [(type(event), event.utterance) for event in playout.drain()] == [
        (Started, "a"), (Ended, "a"), (Started, "b"), (Ended, "b"),
    ]  # fmt: skip
    heard = playout.heard("a")
    assert (heard.text, heard.n_samples, heard.complete) == ("one two", 2000, False)
    assert playout.cancel_at_word("a") is False


def test_cancelled_at_a_word_while_nothing_sounds_it_is_dropped_at_once() -> None:
    playout = Playout()
    playout.begin("a", "one two")
    playout.add("a", steady(2000), [WordMark(0, 3, 0), WordMark(4, 7, 1000)])
    assert playout.cancel_at_word("a")
    assert [type(event) for event in playout.drain()] == [Ended]
    playout.begin("b", "one")
    playout.add("b", steady(2000))
    playout.take(400)
    playout.pause("b", 0)
    assert playout.cancel_at_word("b")
    assert playout.take(400).any() == False  # noqa: E712
    assert [type(event) for event in playout.drain()] == [Started, Paused, Ended]
    assert playout.cancel_at_word("b") is False


def test_cancelled_at_its_last_word_all_of_it_is_heard() -> None:
    playout = Playout()
    playout.begin("a", "one two")
    playout.add("a", steady(2000), [WordMark(0, 3, 0), WordMark(4, 7, 1000)])
    playout.finish("a")
    playout.take(1500)
    playout.cancel_at_word("a")
    playout.take(500)
    assert playout.heard("a").complete
    assert [type(event) for event in playout.drain()] == [Started, Ended]


def test_cancel_before_sound_while_paused_and_while_fading() -> None:
    nothing = Heard("", 0, False, ())
    waiting = playing()
    waiting.cancel("a")
    assert waiting.drain() == [Ended("a", 0, nothing)]
    paused = playing()
    paused.take()
    paused.pause("a")
    paused.take()
    paused.cancel("a")
    assert [type(e) for e in paused.drain()] == [Started, Paused, Ended]
    assert not paused.take().any()
    fading = playing()
    fading.take()
    fading.pause("a", fade_samples=400)
    fading.take(200)
    fading.cancel("a")
    assert not fading.pause("a")
    assert not fading.cancel("a")
    out = fading.take()
    assert out[0] > 0
    assert not out[200:].any()
    assert [type(e) for e in fading.drain()] == [Started, Ended], "a fade that ends in the end is no pause"


def test_the_next_one_begins_where_a_cancelled_one_has_faded() -> None:
    playout = playing()
    playout.begin("b")
    playout.add("b", steady(400, 77))
    playout.take()
    playout.cancel("a")
    out = playout.take()
    assert list(out[FADE_SAMPLES:]) == [77] * (FRAME_SAMPLES - FADE_SAMPLES)
    assert playout.drain()[-1] == Started("b", FRAME_SAMPLES + FADE_SAMPLES)


def test_a_paused_utterance_holds_those_behind_it() -> None:
    playout = playing()
    playout.begin("b")
    playout.add("b", steady(100))
    playout.pause("b")
    assert playout.drain() == [Paused("b", 0)], "held back before its turn"
    playout.take(3_000)
    assert not playout.take().any()
    assert not playout.speaking
    assert playout.current == "b"
    playout.resume("b")
    assert list(playout.take(100)) == [10_000] * 100, "no fade at a beginning"
    assert not playout.resume("b")


def test_underrun_is_silence_that_counts_nothing() -> None:
    playout = Playout()
    playout.begin("a", TEXT)
    assert not playout.take().any()
    assert playout.starved_samples == 0, "before the first sample it is waiting, not starving"
    assert playout.speaking
    assert playout.drain() == []
    playout.add("a", steady(500), MARKS[:1])
    playout.take()
    late = playout.take()
    assert np.count_nonzero(late) == 179, "ends softly: the last of 180 samples is zero"
    assert late[99] == 10_000
    assert late[170] < 2_000
    assert playout.heard("a").n_samples == 500
    assert playout.starved_samples == 140
    playout.take()
    assert playout.starved_samples == 460
    playout.add("a", steady(500), ())
    back = playout.take()
    assert 0 < back[0] < 1_000, "begins softly again"
    assert back[FADE_SAMPLES] == 10_000
    assert playout.heard("a").n_samples == 820


def test_pause_and_cancel_while_starved_take_effect_at_once() -> None:
    for order in (Playout.pause, Playout.cancel):
        playout = Playout()
        playout.begin("a", TEXT)
        playout.add("a", steady(100), MARKS[:1])
        playout.take()
        order(playout, "a")
        assert isinstance(playout.drain()[-1], Paused | Ended)
        playout.finish("a")
        assert playout.current is None, "nothing was left to play"


def test_ducking_turns_down_within_5_ms_and_still_counts() -> None:
    playout = playing()
    playout.take()
    playout.duck(-20)
    ducked = playout.take()
    assert 1_000 < ducked[0] < 10_000
    assert list(ducked[FADE_SAMPLES:]) == [1_000] * (FRAME_SAMPLES - FADE_SAMPLES)
    assert not playout.audible
    assert playout.speaking
    playout.unduck()
    assert playout.take()[-1] == 10_000
    assert playout.heard("a").n_samples == 960
    with pytest.raises(PlayoutError, match="duck to 3 dB; expected 0 or less"):
        playout.duck(3)
    with pytest.raises(PlayoutError, match="duck to nan dB"):
        playout.duck(float("nan"))


def test_a_duck_during_silence_is_there_when_speech_begins() -> None:
    playout = Playout()
    playout.duck(-40)
    playout.take()
    playout.begin("a")
    playout.add("a", steady(400))
    assert list(playout.take()) == [100] * 320


def test_text_may_grow_while_it_is_spoken() -> None:
    playout = Playout()
    playout.begin("a", "one,")
    playout.add("a", steady(1_000), [WordMark(0, 3, 0)])
    assert playout.extend("a", " two") == 4
    playout.add("a", steady(1_000), [WordMark(5, 8, 1_000)])
    playout.take(1_900)
    assert playout.heard("a").text == "one"
    playout.finish("a")
    assert playout.heard("a").text == "one, two"
    playout.take(100)
    assert playout.heard("a").complete
    assert playout.extend("a", " three") == 0


def test_finishing_an_utterance_without_sound_ends_it_in_its_turn() -> None:
    playout = playing()
    for name in ("b", "c"):
        playout.begin(name, "never voiced")
        playout.finish(name)
    assert playout.drain() == []
    playout.take(3_000)
    nothing = Heard("", 0, False, ())
    assert playout.drain()[2:] == [Ended("b", 3_000, nothing), Ended("c", 3_000, nothing)]


def test_orders_that_come_late_change_nothing() -> None:
    playout = playing()
    playout.cancel("a")
    assert not playout.add("a", steady(10))
    assert not playout.finish("a")
    assert not playout.pause("a")
    assert not playout.resume("a")
    assert not playout.cancel("a")
    assert playout.queued_samples("a") == 0
    assert not playout.pause("a")
    fading = playing()
    fading.take()
    fading.cancel("a")
    assert not fading.add("a", steady(10))


def test_orders_that_make_no_sense_are_named() -> None:
    playout = playing()
    with pytest.raises(PlayoutError, match="'a' was begun before"):
        playout.begin("a")
    with pytest.raises(PlayoutError, match="'a' is finished"):
        playout.add("a", steady(1))
    with pytest.raises(PlayoutError, match="'b' was never begun"):
        playout.pause("b")
    with pytest.raises(PlayoutError, match="'b' was never begun"):
        playout.heard("b")
    playout.begin("b")
    with pytest.raises(PlayoutError, match="does not follow"):
        playout.add("b", steady(10), [WordMark(0, 1, 5), WordMark(2, 3, 4)])
    with pytest.raises(PlayoutError, match="does not follow"):
        playout.add("b", steady(10), [WordMark(3, 1, 5)])
    assert playout.queued_samples("b") == 0, "nothing of a refused block is kept"
    with pytest.raises(PlayoutError, match=f"limit {MOST_SAMPLES}"):
        playout.add("b", silence(MOST_SAMPLES + 1))
    for i in range(MOST_QUEUED - 2):
        playout.begin(f"more {i}")
    with pytest.raises(PlayoutError, match=f"{MOST_QUEUED} utterances wait already"):
        playout.begin("one more")


def test_the_memory_of_ended_utterances_is_bounded() -> None:
    playout = Playout()
    for i in range(300):
        playout.begin(str(i))
        playout.cancel(str(i))
    assert playout.heard("299").n_samples == 0
    with pytest.raises(PlayoutError, match="'0' was never begun, or ended more than 256"):
        playout.heard("0")


@given(st.lists(st.integers(1, 700), min_size=1, max_size=30), st.integers(0, 3_000))
def test_frames_of_any_size_make_the_same_stream(sizes: list[int], pause_at: int) -> None:
    def run(takes: list[int]) -> tuple[Pcm, list[Extent]]:
        playout = playing(np.arange(3_000, dtype=np.int16))
        out, done, paused = [silence(0)], 0, False
        for size in takes:
            if not paused and done + size > pause_at:
                out.append(playout.take(pause_at - done))
                playout.pause("a")
                size -= pause_at - done
                done, paused = pause_at, True
            out.append(playout.take(size))
            done += size
        return np.concatenate(out), playout.drain()

    assert run(sizes)[1] == run([sum(sizes)])[1]
    assert np.array_equal(run(sizes)[0], run([sum(sizes)])[0])


def test_the_words_ahead_are_those_not_played_to_their_end_at_their_output_positions() -> None:
    playout = Playout()
    assert playout.ahead() == ()
    playout.take()
    playout.begin("a", TEXT)
    assert playout.ahead() == (), "no sound has come yet"
    playout.add("a", steady(2_500), MARKS)
    one, two = NextWord("one", 3, 320, 1_320), NextWord("two", 7, 1_320, 2_320)
    unfinished = NextWord("three", 13, 2_320, 2_320 + 3_200)
    assert playout.ahead() == (one, two, unfinished)
    playout.take(900)
    assert playout.ahead() == (one, two, unfinished), "heard by half, but not over"
    playout.take(100)
    assert playout.ahead() == (two, unfinished)
    playout.finish("a")
    assert playout.ahead()[-1] == NextWord("three", 13, 2_320, 2_820)
    playout.take(1_500)
    assert playout.ahead() == ()


def test_nothing_is_ahead_of_what_is_paused_or_cancelled_and_a_resumed_word_sounds_from_then_on() -> None:
    playout = playing()
    playout.take(1_200)
    playout.pause("a")
    assert playout.ahead() == ()
    playout.take(1_000)
    playout.resume("a")
    played = 1_200 + FADE_SAMPLES
    shift = 2_200 - played
    assert playout.ahead() == (
        NextWord("two", 7, 1_000 + shift, 2_000 + shift),
        NextWord("three", 13, 2_000 + shift, 3_000 + shift),
    )
    playout.cancel("a")
    assert playout.ahead() == ()
