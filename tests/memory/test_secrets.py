"""That digits which look like secrets never get through, and times and dates do."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.secrets import MaskedWords, SecretMask, Span, mask, mask_words, may_count

UNITS = "zero one two three four five six seven eight nine oh".split()


def masked(text: str) -> str:
    return mask(text).text


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        (
            "my card is four nine two nine one two three four five six seven eight nine oh one two thanks",
            "my card is [digits 16] thanks",
        ),
        ("forty nine twenty nine twelve thirty four", "[digits 8]"),
        ("Forty-nine, twenty-nine, twelve, thirty-four!", "[digits 8]!"),
        ("double five double six triple seven", "[digits 7]"),
        ("um one two um three and four five then six", "um [digits 6]"),
        ("twelve one two three four five six", "[digits 8]"),
        ("call 07700 900123 now", "call [digits 11] now"),
        ("(555) 123-4567", "([digits 10]"),
        ("+44 (0)7700.900.123", "+[digits 13]"),
        ("12-34-56", "[digits 6]"),
        ("twenty oh five eleven", "[digits 6]"),
        ("$1234567", "$[digits 7]"),
        ("492,912,345,678", "[digits 12]"),
        ("10:30:99:12", "[digits 8]"),
        ("my pin is four two one seven", "my pin is [digits 4]"),
        ("the security code on the back is 123", "the security code on the back is [digits 3]"),
        ("PIN 4321, ok", "PIN [digits 4], ok"),
        ("the code is uh ten thirty", "the code is uh [digits 4]"),
    ],
)
def test_secrets_are_masked(text: str, fit: str) -> None:
    assert masked(text) == fit


@pytest.mark.parametrize(
    "text",
    [
        "",
        "at ten thirty or eleven",
        "nine thirty eleven two thirty",
        "nine ten eleven twelve",
        "eight thirty one thirty four four thirty",
        "ten forty five eleven fifteen twelve thirty one",
        "09:30 11:00 14:30 on 2026-03-04 or 3/4/2026",
        "it costs $1,250.00 or \u00a345 or 1,234,567 in all",
        "room 4.5 at 10.30",
        "one two three four people",
        "march fourteenth twenty twenty six",
        "march fourteen twenty twenty six",
        "march nineteen twenty oh six",
        "March 14, 2026",
        "the fourth of march nineteen eighty seven",
        "one hundred twenty three thousand four hundred fifty six",
        "the code works, i will come at ten thirty",
        "the code works but now you have to tell us twelve fifteen",
        "my pin is 12",
        "[digits 16] 123",
    ],
)
def test_times_dates_prices_and_small_numbers_stay(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize(
    "text", ["march 32 20 26 1", "march fortieth nineteen one two thirteen", "nineteen eighty seven fourteen"]
)
def test_what_only_resembles_a_date_is_masked(text: str) -> None:
    assert "[digits" in masked(text)


def test_spans_point_into_the_original() -> None:
    text = "call 07700 900123 or pin 1234"
    assert mask(text).spans == (Span(5, 17, 11), Span(25, 29, 4))


@pytest.mark.parametrize(
    ("text", "fit"),
    [
        ("it is four nine two", "it is four nine two"),
        ("it is four nine two nine", "it is [digits 4]"),
        ("it is four nine two nine um", "it is [digits 4] um"),
        ("four nine two nine people", "four nine two nine people"),
        ("at ten thirty", "at ten thirty"),
        ("nine thirty eleven", "nine thirty eleven"),
        ("eleven nine thirty", "eleven nine thirty"),
        ("eleven nine thirty one two", "[digits 6]"),
        ("oh ten thirty", "oh ten thirty"),
        ("forty nine thirty", "[digits 4]"),
        ("march fourth twenty twenty six", "march fourth twenty twenty six"),
        ("march 2026", "march 2026"),
        ("4929", "[digits 4]"),
    ],
)
def test_what_may_grow_into_a_secret_is_masked_at_once(text: str, fit: str) -> None:
    assert mask(text, more=True).text == fit


def test_words_are_masked_as_one_word() -> None:
    words = "my card is four nine two nine one two ok".split()
    assert mask_words(words) == ("my", "card", "is", "[digits 6]", "ok")
    assert mask_words(["pin:4321", "or", "(12", "34", "56)", "ok"]) == (
        "pin:[digits 4]",
        "or",
        "([digits 6]",
        ")",
        "ok",
    )
    assert mask_words(["1234"], more=False) == ("1234",)


def test_partials_stay_masked_while_they_are_revised() -> None:
    mask = SecretMask()
    assert mask.partial("my card is four".split(), "nine two".split()).words == (*"my card is four nine two".split(),)
    assert mask.partial("my card is four nine".split(), "two nine".split()) == MaskedWords(
        ("my", "card", "is", "[digits 4]"), 3, (0, 1, 2, 3)
    )
    assert mask.partial("my card is four nine two nine".split(), "one two".split()).words[-1] == "[digits 6]"
    # the recogniser thinks again: fewer digits, then words behind them
    assert mask.partial("my card is four nine two nine".split(), "one people".split()) == MaskedWords(
        ("my", "card", "is", "[digits 5]", "people"), 3, (0, 1, 2, 3, 8)
    )
    assert mask.final("my card is four nine two".split()).words == ("my", "card", "is", "[digits 3]")
    assert mask.final("my card is four nine two".split()).words == (*"my card is four nine two".split(),)


def test_stable_counts_masked_words() -> None:
    mask = SecretMask()
    assert mask.partial("one two three four five six ok".split(), ("then",)) == MaskedWords(
        ("[digits 6]", "ok", "then"), 2, (0, 6, 7)
    )
    assert mask.partial(("hello",), ()) == MaskedWords(("hello",), 1, (0,))


def test_a_card_read_in_groups_is_one_number() -> None:
    mask = SecretMask()
    assert mask.final("my card is four nine two nine".split()).words == ("my", "card", "is", "[digits 4]")
    mask.asked("go on.")
    assert mask.partial(("one",), ("two",)).words == ("[digits 2]",)
    assert mask.final("one two three four".split()).words == ("[digits 4]",)
    assert mask.final(("um",)).words == ("um",)
    assert mask.final("um five six".split()).words == ("um", "[digits 2]")
    assert mask.final(("seven",)).words == ("[digits 1]",)
    assert mask.final(("thanks",)).words == ("thanks",)
    assert mask.final("one two".split()).words == ("one", "two")


def test_times_given_in_several_turns_are_no_number() -> None:
    mask = SecretMask()
    for turn in ("ten thirty", "ten thirty", "two thirty", "eleven"):
        assert mask.final(turn.split()).words == (*turn.split(),)
        mask.asked("which day?")


def test_single_figures_that_answer_other_questions_are_no_number() -> None:
    mask = SecretMask()
    for rating in ("five", "four", "five", "three", "one", "two", "four"):
        mask.asked("how happy are you with our service from one to five?")
        assert mask.final((rating,)).words == (rating,)
    for place, digit in enumerate(("five", "four", "five", "three", "one")):
        mask.asked("what is the next digit of the number?")
        assert (mask.final((digit,)).words == (digit,)) is (place < 2)


def test_a_time_split_by_a_pause_stays() -> None:
    mask = SecretMask()
    assert mask.final("wednesday at ten".split()).words == ("wednesday", "at", "ten")
    assert mask.partial((), ("thirty",)).words == ("thirty",)
    assert mask.final(("thirty",)).words == ("thirty",)


def test_a_time_behind_a_number_and_an_agents_turn_stays() -> None:
    mask = SecretMask()
    assert mask.final("it is one two three".split()).words[-1] == "three"
    mask.asked("thank you. which time?")
    assert mask.final("ten thirty".split()).words == ("ten", "thirty")


def test_the_agents_question_names_the_secret() -> None:
    mask = SecretMask()
    mask.asked("what is the security code?")
    assert mask.partial((), "one two three".split()).words == ("[digits 3]",)
    assert mask.final("one two three".split()).words == ("[digits 3]",)
    mask.asked("thank you.")
    assert mask.final("it was just two".split()).words == ("it", "was", "just", "two")


def test_the_callers_own_word_names_what_comes_after_a_pause() -> None:
    mask = SecretMask()
    assert mask.final("my pin is".split()).words == ("my", "pin", "is")
    assert mask.final(()).words == ()
    assert mask.final("one two three".split()).words == ("[digits 3]",)
    assert mask.final("at one two three".split()).words == ("at", "one", "two", "three")


NOISE = st.sampled_from("um and the wednesday pin at code 10:30 12 4 double, - . [ ] : / $ march".split())
DIGITS = st.sampled_from([*UNITS, *"0123456789", "12", "4929", "forty", "eleven"])


@given(st.lists(DIGITS | NOISE, max_size=24).map(" ".join))
def test_no_six_digits_in_a_row_survive(text: str) -> None:
    for fit in (masked(text), " ".join(mask_words(text.split())), mask(text, more=True).text):
        bare = re.sub(r"\[digits \d+\]|\d+:\d+", "x", fit)
        assert not re.search(r"(?:\d[\s,.:/-]*){6}", re.sub(r"[$]\s*[\d,.]+", "x", bare).replace(" and ", " "))
        assert not re.search(rf"\b(?:(?:{'|'.join(UNITS)})\b\s*){{6}}", bare)


@given(st.lists(st.sampled_from(UNITS) | st.integers(0, 9).map(str), min_size=6, max_size=30))
def test_any_run_of_six_digits_is_masked_whole(digits: list[str]) -> None:
    assert masked(" ".join(digits)) == f"[digits {len(digits)}]"
    assert mask_words(digits) == (f"[digits {len(digits)}]",)


@given(st.text(max_size=80) | st.lists(DIGITS | NOISE, max_size=20).map(" ".join))
def test_masking_twice_changes_nothing_and_spans_tile_the_text(text: str) -> None:
    once = mask(text)
    assert mask(once.text) == type(once)(once.text, ())
    rebuilt, at = [], 0
    for span in once.spans:
        assert at <= span.start < span.end
        rebuilt += [text[at : span.start], f"[digits {span.digits}]"]
        at = span.end
    assert "".join([*rebuilt, text[at:]]) == once.text


@given(st.lists(DIGITS | NOISE, max_size=16), st.integers(0, 16))
def test_stable_words_are_a_prefix(words: list[str], stable: int) -> None:
    fit = SecretMask().partial(words[:stable], words[stable:])
    assert 0 <= fit.stable <= len(fit.words)
    assert fit.words == SecretMask().partial((), words).words
    assert fit.stable <= stable
    assert len(fit.sources) == len(fit.words)
    assert all(words[place] == word or "[digits" in word for place, word in zip(fit.sources, fit.words, strict=True))


@given(st.lists(st.sampled_from(UNITS), min_size=10, max_size=19), st.integers(1, 4), st.booleans())
def test_a_number_in_groups_shows_five_digits_at_most(digits: list[str], size: int, answered: bool) -> None:
    mask = SecretMask()
    seen: list[str] = []
    for at in range(0, len(digits), size):
        group = digits[at : at + size]
        for end in range(1, len(group) + 1):
            mask.partial(group[:end])
        seen += [word for word in mask.final(group).words if not word.startswith("[")]
        if answered:
            mask.asked("yes?")
    assert len(seen) <= 5


def test_planted_secrets_do_not_survive() -> None:
    """1,000 calls with one card, telephone number or account each, in figures, words, pairs or groups."""
    choice = random.Random(7)
    for _ in range(1000):
        figures = "".join(choice.choices("0123456789", k=choice.choice([8, 10, 11, 16])))
        style = choice.randrange(4)
        if style == 0:
            spoken = " ".join(figures[at : at + 4] for at in range(0, len(figures), 4))
        elif style == 1:
            spoken = " ".join(UNITS[int(figure)] for figure in figures)
        elif style == 2:
            spoken = "-".join(figures[at : at + 3] for at in range(0, len(figures), 3))
        else:
            spoken = " um ".join(UNITS[int(figure)] for figure in figures)
        fit = masked(f"hello it is {spoken} and i want wednesday at ten thirty")
        assert fit.startswith("hello it is [digits ")
        assert fit.endswith("and i want wednesday at ten thirty")


@pytest.mark.parametrize(
    "text", ["Ten", "twenty-five", "o'clock", "(six)", "a1", "[digits", "\u017fix", "x'oh", "n\u0131ne"]
)
def test_what_may_stand_in_a_number_is_looked_at(text: str) -> None:
    assert may_count(["some", text])


@pytest.mark.parametrize("text", ["", "someone", "i'd like", "wednesday", "tens", "caf\u00e9 often-stoned"])
def test_what_cannot_stand_in_a_number_is_not(text: str) -> None:
    assert not may_count(text.split())
    assert SecretMask().partial(text.split()).words == tuple(text.split())
