"""The evaluation of counting: what counts as right, and that calls answered together are answered as alone."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from policies.learned.core import tokenizer as tokenizer_module
from policies.learned.core.decode import decode_turn
from policies.learned.core.model import CoreModel
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.train import counting_evaluate
from policies.learned.train.counting_evaluate import CELLS, LIMITS, ask, asked, main, right
from policies.learned.train.counting_tasks import Count, Digits, Sum

FOLDER = Path(tokenizer_module.__file__).parent / "weights" / "boxed"
TOKENIZER = Tokenizer.load(FOLDER)


def test_a_count_is_right_when_all_of_it_is() -> None:
    assert right(Count(1, 4), "one, two, three, four.")
    for wrong in ("one, two, four.", "one, two, three.", "one, two, three, four, five.", ""):
        assert not right(Count(1, 4), wrong)
    assert right(Digits("4471"), "four four seven one.")
    assert not right(Digits("4471"), "four seven four one.")


def test_a_sum_is_right_when_the_last_number_is() -> None:
    assert right(Sum((47, 8, 30)), "forty seven plus eight is fifty five, plus thirty is eighty five.")
    assert right(Sum((47, 8, 30)), "forty seven plus eight plus thirty is eighty five.")
    assert not right(Sum((47, 8, 30)), "forty seven plus eight is fifty five, plus thirty is ninety five.")
    assert not right(Sum((47, 8, 30)), "forty seven plus eight is fifty five.")


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("one_breath", [False, True])
def test_the_grammar_of_the_evaluation_admits_the_right_answer(name: str, one_breath: bool) -> None:
    rng = Random(3)
    call = asked(CELLS[name](rng), rng, TOKENIZER, one_breath=one_breath)
    bits = (call.task.one_breath(),) if one_breath else call.task.bits()
    parts: list[str] = []
    for place, bit in enumerate(bits):
        parts += ["<think>", f" {bit.thought}", *(["<expect>", " bye"] if not place else []), "<say>", f" {bit.said}"]
        parts.append("<end>" if place + 1 == len(bits) else "<more>")
    for token in TOKENIZER.encode_parts(parts):
        assert not call.right
        call.grammar.advance(token)
    assert call.right
    assert (call.stream.segments[0].text.startswith("helper. speak in one breath.")) == one_breath


def test_calls_answered_together_are_answered_as_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = CoreModel.load(FOLDER)
    monkeypatch.setattr(counting_evaluate, "MOST_TOKENS", 25)
    rng = Random(1)
    calls = [asked(make(rng), rng, TOKENIZER, one_breath=False) for make in list(CELLS.values())[::4]]
    alone = [asked(call.task, Random(), TOKENIZER, one_breath=False).turn for call in calls]
    ask(model, TOKENIZER, calls)
    for call, grammar in zip(calls, alone, strict=True):
        cache = model.new_cache()
        logits = model.extend(cache, TOKENIZER.encode_parts(call.stream.parts()))
        assert list(decode_turn(model, cache, grammar, logits, max_tokens=25)) == call.ids
    assert LIMITS.say_tokens > 1_400


def test_the_command_prints_a_row_a_cell(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting_evaluate, "MOST_TOKENS", 6)
    main(["--model", str(FOLDER), "--calls", "2", "--only", "sum of", "--show", "1"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:8] for line in lines if line.startswith("sum")] == [f"sum of {n}" for n in (2, 3, 4, 5)]
    assert sum(line.startswith("  <card> helper.") for line in lines) == 12
