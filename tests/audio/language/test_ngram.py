"""The language model: probabilities that sum to one, and the words that may be said."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.language.ngram import LanguageError, arpa_model, spoken_words

WORDS = st.sampled_from(["yes", "no", "ten", "thirty", "please", "friday"])
SENTENCES = st.lists(st.lists(WORDS, min_size=1, max_size=6), min_size=1, max_size=12)


class Arpa:
    """An ARPA model read back: what any decoder makes of the text."""

    def __init__(self, text: str) -> None:
        self.rows: dict[tuple[str, ...], tuple[float, float]] = {}
        self.announced: dict[int, int] = {}
        order = 0
        for line in text.splitlines():
            if line.startswith("ngram "):
                number, _, count = line.removeprefix("ngram ").partition("=")
                self.announced[int(number)] = int(count)
            elif line.endswith("-grams:"):
                order = int(line[1])
            elif order and "\t" in line:
                probability, gram, *back_off = line.split("\t")
                self.rows[tuple(gram.split())] = (10 ** float(probability), 10 ** float(back_off[0] if back_off else 0))

    def probability(self, *gram: str) -> float:
        if gram in self.rows:
            return self.rows[gram][0]
        if len(gram) == 1:
            return 0.0
        return self.rows.get(gram[:-1], (0.0, 1.0))[1] * self.probability(*gram[1:])

    def vocabulary(self) -> list[str]:
        return [gram[0] for gram in self.rows if len(gram) == 1 and gram != ("<s>",)]

    def histories(self) -> list[tuple[str, ...]]:
        return [gram for gram in self.rows if len(gram) < 3 and gram[-1] != "</s>"]


@given(SENTENCES, st.dictionaries(WORDS, st.floats(0.01, 100), max_size=4))
def test_words_after_every_history_sum_to_one(sentences: list[list[str]], weights: dict[str, float]) -> None:
    model = Arpa(arpa_model(sentences, weights))
    assert sum(model.probability(word) for word in model.vocabulary()) == pytest.approx(1, abs=1e-3)
    for history in model.histories():
        total = sum(model.probability(*history, word) for word in model.vocabulary())
        assert total == pytest.approx(1, abs=2e-3), history


@given(SENTENCES)
def test_announced_counts_are_the_rows(sentences: list[list[str]]) -> None:
    model = Arpa(arpa_model(sentences))
    for order in (1, 2, 3):
        assert model.announced[order] == sum(len(gram) == order for gram in model.rows)


def test_two_sentences_by_hand() -> None:
    model = Arpa(arpa_model([["yes"], ["yes", "please"]]))
    # Single words: yes twice, please once, the end twice, of three kinds; a third each before anything was counted.
    yes = (2 + 3 / 3) / (5 + 3)
    assert model.probability("yes") == pytest.approx(yes, rel=1e-4)
    # After the start came only yes, twice: one kind of follower.
    assert model.probability("<s>", "yes") == pytest.approx((2 + 1 * yes) / (2 + 1), rel=1e-4)
    assert model.rows["<s>",][0] == pytest.approx(0, abs=1e-12)


def test_order_of_sentences_does_not_matter() -> None:
    assert arpa_model([["no"], ["yes", "please"]]) == arpa_model([["yes", "please"], ["no"]])


def test_weights_decide_where_sentences_are_silent() -> None:
    model = Arpa(arpa_model([["yes"]], {"often": 8.0, "seldom": 1.0}))
    assert model.probability("often") == pytest.approx(8 * model.probability("seldom"), rel=1e-3)
    assert 0 < model.probability("yes", "seldom") < model.probability("yes", "</s>")


def test_words_alone_make_a_model() -> None:
    model = Arpa(arpa_model([], {"yes": 1.0, "no": 1.0}))
    assert model.probability("yes") == pytest.approx(1 / 3, rel=1e-4)


def test_an_empty_sentence_counts_for_nothing() -> None:
    assert arpa_model([["yes"], []]) == arpa_model([["yes"]])


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan, math.inf])
def test_weights_must_be_positive(weight: float) -> None:
    with pytest.raises(LanguageError, match="not a positive number"):
        arpa_model([["yes"]], {"no": weight})


def test_nothing_to_model() -> None:
    with pytest.raises(LanguageError, match="one sentence or one extra word"):
        arpa_model([])


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("I'd like that, please.", ("i'd", "like", "that", "please")),
        ("Mother-in-law\u2019s name?", ("mother", "in", "law's", "name")),
        ("'tis the 'best' one", ("'tis", "the", "best", "one")),
        ("  \u2014 \u2026 ", ()),
    ],
)
def test_spoken_words(sentence: str, words: tuple[str, ...]) -> None:
    assert spoken_words(sentence) == words


def test_digits_are_not_spoken() -> None:
    with pytest.raises(LanguageError, match=r"'30'.*spell numbers"):
        spoken_words("at half past 30")
