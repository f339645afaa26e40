"""The waterfall: its arithmetic is that of the common work, its callers are what they are said to be, its figures stand
for turns that were played."""

from __future__ import annotations

import asyncio
import itertools
from functools import cache
from xml.etree import ElementTree

import pytest

from agent_runtime import ports
from agent_runtime.account import account, line
from agent_runtime.bench.suites import SUITES
from agent_runtime.bench.thinking import HEAD, LEVELS, Run, Turn, play, row
from agent_runtime.bench.thinking_callers import Asked, bench_caller
from agent_runtime.bench.thinking_figures import Waterfall, figures
from agent_runtime.bench.thinking_picture import draw
from agent_runtime.bench.thinking_suite import BOXED_KEYS, ROW_KEYS, WATERFALL_KEYS
from agent_runtime.bench.thinking_work import Uncached, answer, bench_agent, canned_parts
from agent_runtime.clock import run_virtual

BY_LETTER = {level.letter: level for level in LEVELS}


@cache
def played(letter: str, prompt_tokens: int = 1500, seed: int = 1) -> Run:
    """One call; seed 1 opens with a question that needs no tool and names a day early in a later turn."""
    return play(BY_LETTER[letter], prompt_tokens, [seed])


def asked(run: Run, name: str) -> Turn:
    """The turn of that name."""
    return next(turn for turn in run.turns if turn.asked is not None and turn.asked.name == name)


# --- the arithmetic ----------------------------------------------------------------------------------------------


def words_of(run: Run, name: str, unread_tokens: int) -> float:
    """How many words the model wrote before its first clause was voiced, if all else is as the common work says:
    250 ms to the final text, 30 a request, 1 for each unread token, 10 a word, 80 for the voice."""
    answer_ms = asked(run, name).latency.first_answer_ms
    assert answer_ms is not None
    return round((answer_ms - 0.0625 - 250 - 30 - unread_tokens - 80) / 10, 3)


def test_a_serial_loop_costs_what_the_common_work_says() -> None:
    """The first clause is at most the eight words of the first sentence."""
    serial, cached, ahead = played("A"), played("B"), played("C")
    opening = min({turn.prompt_tokens for turn in ahead.accounts[0].turns} - {0}) + 1  # with the end of the turn
    assert words_of(cached, "first", opening) in range(1, 9)
    assert words_of(serial, "first", opening) == words_of(cached, "first", opening)
    assert words_of(cached, "bring", 1 + 9 + 1) in range(1, 9), "its heard role, nine words, the end of the turn"
    serial_ms, cached_ms = (asked(run, "bring").latency.first_answer_ms for run in (serial, cached))
    assert serial_ms is not None
    assert cached_ms is not None
    assert serial_ms - cached_ms > 1000, "without a cache the whole prompt is read again"


def test_reading_while_the_caller_speaks_leaves_nothing_of_the_prompt_for_later() -> None:
    ahead = played("C")
    assert words_of(ahead, "first", 0) in range(1, 9)
    assert words_of(ahead, "bring", 0) in range(1, 9)
    assert max(turn.left_tokens for turn in ahead.accounts[0].turns) <= 1, "the last word is known after its end"


def test_every_level_answers_at_least_as_soon_as_the_one_before_it_and_none_cuts_in() -> None:
    runs = [played(letter) for letter in "ABCDEF"]
    means = [sum(run.first_answers()) / len(run.first_answers()) for run in runs]
    assert len({len(run.first_answers()) for run in runs}) == 1, "every turn was answered at every level"
    assert all(later <= sooner + 1 for sooner, later in itertools.pairwise(means)), means
    assert means[-1] < means[1] - 300
    assert [run.cut_in_share for run in runs] == [0.0] * 6
    assert [run.repeated for run in runs] == [0] * 6


def test_a_value_named_early_hides_its_tool_behind_the_callers_speech() -> None:
    assert asked(played("C"), "find").hidden_share == 0.0
    assert asked(played("D"), "find").hidden_share == 1.0
    early, serial = asked(played("D"), "find"), asked(played("C"), "find")
    assert early.latency.first_answer_ms is not None
    assert serial.latency.first_answer_ms is not None
    assert serial.latency.first_answer_ms - early.latency.first_answer_ms > 1500
    assert asked(played("D"), "first").hidden_share is None, "it needed no tool"


def test_what_was_saved_and_wasted_stands_in_the_account_of_the_call() -> None:
    (off,), (on,) = played("C").accounts, played("F").accounts
    assert (off.wasted_tokens, off.saved_ms, line([off])) == (0, 0.0, "")
    assert on.saved_ms > 1500
    assert played("F").wasted_tokens + played("F").useful_tokens == on.tokens
    assert line([on]).startswith("thought ahead: ")
    assert account([]).tokens == 0


# --- the callers -------------------------------------------------------------------------------------------------


def turns_of(seeds: range) -> list[Asked]:
    return [asked for seed in seeds for asked in bench_caller(seed).asked.values()]


def test_the_callers_say_what_the_figures_claim_of_them() -> None:
    turns = turns_of(range(12))
    spoken = [turn for turn in turns if turn.kind == "turn"]
    assert len(spoken) >= 30
    assert sum(turn.slot_last for turn in spoken) / len(spoken) >= 0.4
    assert {turn.matter for turn in turns} == {
        "slot", "tail", "hesitation", "correction", "early", "answer", "overlap"
    }  # fmt: skip
    assert {turn.kind for turn in turns} == {"turn", "barge_in", "backchannel"}
    assert {turn.tool for turn in turns} == {"", "find", "waiting", "book"}
    firsts = [run.turns[0].latency for run in (played("C", 1500, seed) for seed in range(4))]
    assert all(first.last_sample - first.first_sample >= 3 * 16_000 for first in firsts), "long enough to read the card"
    assert len({turn.text for turn in turns}) > len(turns) / 3, "seeds differ"


@pytest.mark.parametrize("seed", range(12))
def test_every_caller_gets_what_it_asked_for(seed: int) -> None:
    run = played("C", 500, seed)
    assert run.repeated == 0
    assert all(turn.latency.status == "answered" for turn in run.turns)
    kinds = {turn.asked.kind for turn in run.turns if turn.asked is not None}
    assert ("barge_in" in kinds) == (seed % 3 == 1)


# --- the model, the server ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heard", "written"),
    [
        ("<heard> what do you have on<turn>", "of course i can help"),
        ("<heard> what do you have on<heard> monday<turn>", "<call> find day monday"),
        ("<heard> on monday no tuesday<turn>", "<call> find day tuesday"),
        ("<heard> how long do people wait for a crown<turn>", "<call> waiting service crown"),
        ("<heard> um<turn>", "did not hear"),
        ("<heard> on monday<turn><call> find day monday<end><result> nine two", "monday has nine and also two free"),
        ("<heard> on monday<turn><call> find day monday<end><filler> one moment.<end><result> failed", "did not work"),
        ("<heard> monday at nine for young<turn><call> find day monday<end><result> nine two<say> which?<end>"
         "<heard> nine<turn>", "so that is monday at nine for young, is that right?"),
        ("<heard> monday at nine for young<turn><say> so that is monday at nine for young, is that right?<end>"
         "<heard> yes<turn>", "<call> book day monday time nine name young"),
        ("<heard> monday at nine for young<turn><say> so that is monday at nine for young, is that right?<cut>"
         "<heard> yes<turn>", "of course i can help"),
    ],
)  # fmt: skip
def test_the_model_answers_what_was_heard_and_no_more(heard: str, written: str) -> None:
    stream = f"instruction instruction <card> desk.{heard}".replace("<", " <").replace(">", "> ")
    assert written in " ".join(answer(stream).split())


def test_a_server_that_keeps_nothing_reads_everything_for_each_request() -> None:
    parts = canned_parts(100, cached=False)
    engine: ports.Engine = parts.engine
    assert isinstance(engine, Uncached)

    async def main() -> list[int]:
        session = await engine.open("c")
        tokens = list(range(20, 120))
        return [(await session.sync(tokens[:length])).computed for length in (90, 100, 100)]

    assert run_virtual(main()) == [90, 100, 100]
    assert run_virtual(asyncio.wait_for(engine.warm([1, 2]), 1)).computed == 0
    assert not engine.caps.logprobs
    assert bench_agent().tool("find").slow_s is None, "a newcomer declares nothing"


# --- figures and picture -----------------------------------------------------------------------------------------


def test_every_key_has_a_figure_and_a_value_or_a_reason() -> None:
    runs = tuple(played(letter) for letter in "ABCDEF")
    found = list(figures(Waterfall(runs, runs[-1], runs[-1])))
    assert [figure.key for figure in found][: len(WATERFALL_KEYS)] == list(WATERFALL_KEYS)
    table = {figure.key: figure for figure in found}
    for figure in found:
        assert (figure.value is None) == bool(figure.reason), figure
    assert table["first_answer_cold_p50_ms"].n == 1
    assert table["first_answer_ratio_f_to_b"].value == pytest.approx(
        table["first_answer_f_1500_ms"].value / table["first_answer_b_1500_ms"].value, abs=0.001  # type: ignore[operator]
    )  # fmt: skip
    assert table["tool_first_sound_ms"].value is None, "this call opens without a tool"
    assert table["cut_in_share"].value == 0.0
    groups = SUITES["thinking"].groups
    keys = [key for group in groups.values() for key in group.keys]
    assert sorted(keys) == sorted(
        {*WATERFALL_KEYS, *ROW_KEYS, *BOXED_KEYS, "wrong_side_effects", "calls_per_core", "mb_per_call"}
    )


def test_a_row_stands_under_its_head() -> None:
    text = row(played("F"))
    assert len(HEAD) == 2
    assert text.startswith("  1500  F + predicted end of turn")
    assert row(Run("A", 500)).split()[-6:] == ["-", "-", "0", "0.000", "0", "0"]


def test_the_picture_shows_every_level_and_prompt() -> None:
    svg = draw([played(letter) for letter in "ABCDEF"])
    root = ElementTree.fromstring(svg)
    texts = [element.text or "" for element in root.iter() if element.tag.endswith("text")]
    for level in LEVELS:
        assert f"{level.letter}  {level.says}" in texts
    assert "1,500 tokens of prompt" in texts
    assert draw([played("A")]) == draw([played("A")])
    with pytest.raises(ValueError, match="nothing to draw"):
        draw([Run("A", 500)])
