"""What may be said next: whole words, and a word that is spent not again."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies.learned.core import model as core_module
from policies.learned.core.lexicon import Lexicon, Speech
from policies.learned.core.tokenizer import Tokenizer

WEIGHTS = Path(core_module.__file__).parent / "weights" / "boxed"


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.load(WEIGHTS)


def may_say(tokenizer: Tokenizer, said: str, word: str, once: tuple[str, ...]) -> bool:
    """Whether `word` may follow what was `said`."""
    lexicon = Lexicon(tokenizer, "sorry was just taken i still have or".split())
    speech = Speech(tokenizer, lexicon, ["eight thirty", "ten", "five"], once=once)
    for token in tokenizer.encode(" " + said):
        assert token in speech.choices(), f"{said!r} may be said"
        speech.advance(token)
    return tokenizer.encode(" " + word)[0] in speech.choices()


def test_a_word_that_is_said_once_may_not_come_back(tokenizer: Tokenizer) -> None:
    gone = "sorry, five was just taken. i still have eight thirty or"
    assert may_say(tokenizer, gone, "five", ())
    assert not may_say(tokenizer, gone, "five", ("five",))
    assert may_say(tokenizer, gone, "ten", ("five",))
    assert may_say(tokenizer, "sorry,", "five", ("five",))
