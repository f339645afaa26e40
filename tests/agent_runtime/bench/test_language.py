"""The model's figures: the real callers, the shipped weights, few calls."""

from __future__ import annotations

from agent_runtime.bench import language
from agent_runtime.bench.suites import SUITES


def test_calls_by_words_give_every_figure_of_their_group() -> None:
    figures = {figure.key: figure for figure in language.by_words(6, hand_rounds=0, asides=False)}
    assert set(figures) == set(SUITES["model"].groups["words"].keys)
    assert figures["success_text"].n == 6
    assert figures["success_text_bare"].n == 3
    assert all(figure.value is not None and 0 <= figure.value <= 1 for figure in figures.values())


def test_counts_are_right_or_wrong_and_nothing_between() -> None:
    figures = list(language.counted(2))
    assert [figure.key for figure in figures] == ["counting_interleaved", "counting_one_breath"]
    assert all(figure.value in (0.0, 0.5, 1.0) and figure.n == 2 for figure in figures)
