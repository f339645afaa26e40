"""The model's figures: the real callers, the shipped weights, few calls."""

from __future__ import annotations

from agent_runtime.bench import language
from agent_runtime.bench.suites import SUITES


def test_calls_by_words_give_every_figure_of_their_group() -> None:
    figures = {figure.key: figure for figure in language.by_words(6, hand_rounds=0, asides=False)}
    assert set(figures) == set(SUITES["model"].groups["words"].keys)
    assert figures["success_text"].n == 6
    assert figures["success_text_bare"].n == 3
    assert figures["unconfirmed_writes"].value == 0, "the guards hold"
    right = figures["success_front_desk"].value
    assert right is not None
    assert right >= 0.75, "three of four unseen callers at the least"
    for hand in ("success_hand", "success_hand_first"):
        assert figures[hand].value is None, "no calls, no share"
        assert figures[hand].reason


def test_counting_is_judged_whole_and_the_shipped_weights_can_do_it_in_one_breath() -> None:
    figures = {figure.key: figure for figure in language.counted(8)}
    assert list(figures) == list(SUITES["model"].groups["counting"].keys)
    assert (figures["counting_one_breath"].value, figures["counting_one_breath"].n) == (1.0, 8)
    assert figures["counting_paced"].value == 1.0, "what it is sure of needs no thought"
