"""The turn grammar: whatever a model would like to write, only what was heard, offered and noted can be written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.learned.core import tokenizer as tokenizer_module
from policies.learned.core.grammar import GrammarError, GrammarLimits, TurnGrammar
from policies.learned.core.lexicon import Lexicon
from policies.learned.core.tokenizer import Tokenizer
from policies.learned.core.values import SPOKEN_TIMES, Values
from policies.shapes import NoteField, Parameter, ToolShape
from policies.trajectory import Role
from policies.turn_rules import TurnRules

TOKENIZER = Tokenizer.load(Path(tokenizer_module.__file__).parent / "weights" / "boxed")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
NOTES = (
    NoteField("intent", "choice", ("none", "book", "cancel")),
    NoteField("day", "choice", DAYS),
    NoteField("time", "time"),
    NoteField("name", "heard"),
    NoteField("answer", "choice", ("yes", "no", "unclear")),
)
TOOLS = (
    ToolShape("find_slots", (Parameter("day", "choice", DAYS),), "read"),
    ToolShape(
        "book",
        (Parameter("day", "choice", DAYS), Parameter("time", "time"), Parameter("name", "heard")),
        "write",
        confirm=True,
    ),
    ToolShape("ring_bell", (), "write"),
)
KNOWN = {"intent": "book", "day": "wednesday", "time": "-", "name": "anna miller", "answer": "-"}


def grammar(heard: Sequence[str] = (), offered: Sequence[str] = (), **options: Any) -> TurnGrammar:
    values = Values(TurnRules(NOTES, tuple(heard)), TOOLS, offered=offered, known=options.get("known"))
    return TurnGrammar(TOKENIZER, NOTES, TOOLS, values=values, **options)


def feed(turn: TurnGrammar, parts: Iterable[str]) -> TurnGrammar:
    for id_ in TOKENIZER.encode_parts(parts):
        turn.advance(id_)
    return turn


def accepts(turn: TurnGrammar, *parts: str) -> bool:
    try:
        feed(turn, parts)
    except GrammarError:
        return False
    return True


def accepts_note(note: str, **options: Any) -> bool:
    return accepts(grammar(**options), "<think>", " " + note, "<expect>")


def test_a_whole_turn_is_read_into_its_parts() -> None:
    turn = grammar(heard=["my name is miller"], known=KNOWN)
    feed(turn, ["<think>", " book wednesday ten thirty miller -", "<expect>", " yes", "<say>"])
    feed(turn, [" so that is wednesday, is that right?", "<end>"])
    assert turn.done
    assert turn.note == {"intent": "book", "day": "wednesday", "time": "ten thirty", "name": "miller", "answer": "-"}
    assert (turn.expect, turn.action, turn.said) == ("yes", Role.SAY, "so that is wednesday, is that right?")
    assert not turn.allowed().any()


def test_a_turn_begins_with_its_note_and_after_a_result_with_its_expectation() -> None:
    assert grammar().forced == TOKENIZER.special["<think>"]
    assert grammar(after_result=True, known=KNOWN).forced == TOKENIZER.special["<expect>"]


def test_a_thought_in_mid_turn_is_a_note_and_back_to_hearing() -> None:
    turn = feed(grammar(thought=True, heard=["miller"]), ["<think>", " book - - miller -", "<heard>"])
    assert (turn.done, turn.action, turn.note["name"]) == (True, Role.THINK, "miller")
    assert not accepts(grammar(thought=True), "<think>", " book - - - -", "<expect>")


def test_silence_and_goodbye_end_a_turn() -> None:
    quiet = feed(grammar(), ["<think>", " none - - - -", "<expect>", " more", "<silence>"])
    assert (quiet.done, quiet.action) == (True, Role.SILENCE)
    over = feed(grammar(), ["<think>", " none - - - -", "<expect>", " bye", "<say>", " goodbye.", "<bye>"])
    assert (over.done, over.action, over.said) == (True, Role.BYE, "goodbye.")


def test_silence_and_goodbye_can_be_ruled_out() -> None:
    head = ["<think>", " none - - - -", "<expect>", " more"]
    assert not accepts(grammar(silence=False), *head, "<silence>")
    assert not accepts(grammar(bye=False), *head, "<say>", " goodbye.", "<bye>")


@pytest.mark.parametrize("note", ["book sunday - - -", "move monday - - -", "book monday - -", "book monday - - - yes"])
def test_values_off_the_list_and_notes_of_another_length_cannot_be_written(note: str) -> None:
    assert not accepts_note(note)


def test_a_name_is_copied_from_what_was_heard_or_noted_before() -> None:
    heard = ["this is zoe van berg hello", "thanks"]
    for name in ("zoe", "zoe van berg", "van berg", "anna miller", "-"):
        assert accepts_note(f"book - - {name} -", heard=heard, known=KNOWN), name
    for name in ("miller", "zoe berg", "hello thanks", "smith", "zo"):
        assert not accepts_note(f"book - - {name} -", heard=heard, known=KNOWN), name
    assert not accepts_note("book - - this is zoe van -", heard=heard)


def test_an_off_list_time_is_refused_while_the_offer_holds() -> None:
    offer = {"offered": ("nine thirty", "eleven"), "known": KNOWN}
    assert accepts_note("book wednesday eleven - -", **offer)
    assert not accepts_note("book wednesday eleven thirty - -", **offer)
    assert not accepts_note("book wednesday nine - -", **offer)
    # another day than the one looked up: the offer says nothing about it
    assert accepts_note("book friday eleven thirty - -", **offer)
    assert accepts_note("book wednesday eleven thirty - -", known=KNOWN)


def test_call_arguments_are_those_of_the_note_and_need_no_decision() -> None:
    turn = grammar(heard=["miller"], known=KNOWN)
    feed(turn, ["<think>", " book wednesday ten thirty miller yes", "<expect>", " ok", "<call>"])
    feed(turn, [" book"])
    written = []
    while turn.forced is not None:
        written.append(turn.forced)
        turn.advance(turn.forced)
    assert turn.done
    assert TOKENIZER.decode(written) == " day wednesday time ten thirty name miller<end>"
    assert (turn.tool, turn.action) == ("book", Role.CALL)
    assert turn.arguments == {"day": "wednesday", "time": "ten thirty", "name": "miller"}


def test_a_call_with_a_missing_argument_or_a_blocked_tool_cannot_begin() -> None:
    head = ["<think>", " book wednesday ten - -", "<expect>", " ok", "<call>"]
    assert not accepts(grammar(), *head, " book")
    assert accepts(grammar(), *head, " find_slots day wednesday", "<end>")
    assert not accepts(grammar(blocked_tools={"find_slots"}), *head, " find_slots")
    assert not accepts(grammar(blocked_tools={tool.name for tool in TOOLS}), *head)


def test_a_call_after_a_result_copies_the_note_before_it() -> None:
    known = KNOWN | {"time": "ten"}
    turn = feed(grammar(after_result=True, known=known), ["<expect>", " ok", "<call>", " book"])
    assert TOKENIZER.decode([turn.forced or 0]) == " day"
    feed(turn, [" day wednesday time ten name anna miller", "<end>"])
    assert turn.arguments == {"day": "wednesday", "time": "ten", "name": "anna miller"}


def test_a_tool_without_parameters_is_called_by_its_name() -> None:
    turn = feed(grammar(), ["<think>", " none - - - -", "<expect>", " ok", "<call>", " ring_bell", "<end>"])
    assert (turn.done, turn.tool, turn.arguments) == (True, "ring_bell", {})


def test_arguments_that_no_note_holds_are_chosen_by_their_kind() -> None:
    tools = (
        ToolShape(
            "page", (Parameter("who", "heard"), Parameter("floor", "number"), Parameter("loud", "choice", ("yes",)))
        ),
    )
    values = Values(TurnRules((), ("call doctor brown",)), tools)
    turn = TurnGrammar(TOKENIZER, (), tools, values=values, after_result=True)
    feed(turn, ["<expect>", " ok", "<call>", " page who doctor brown floor two loud yes", "<end>"])
    assert turn.arguments == {"who": "doctor brown", "floor": "two", "loud": "yes"}


def test_a_tool_name_that_begins_another_is_refused() -> None:
    with pytest.raises(GrammarError, match="'book' begins the name 'book_"):
        TurnGrammar(TOKENIZER, NOTES, (ToolShape("book", ()), ToolShape("book_all", ())))


def test_free_text_is_bounded() -> None:
    turn = grammar(limits=GrammarLimits(expect_tokens=2, say_tokens=3))
    feed(turn, ["<think>", " none - - - -", "<expect>", " yes no"])
    assert set(np.flatnonzero(turn.allowed())) <= {
        TOKENIZER.special[str(role)] for role in (Role.SAY, Role.CALL, Role.SILENCE)
    }
    feed(turn, ["<say>", " yes yes yes"])
    assert turn.forced == TOKENIZER.special["<end>"]


def test_speech_is_never_empty_and_holds_no_role() -> None:
    turn = feed(grammar(), ["<think>", " none - - - -", "<expect>", " yes", "<say>"])
    mask = turn.allowed()
    assert not mask[:32].any()
    feed(turn, [" hello"])
    assert set(np.flatnonzero(turn.allowed()[:32])) == {TOKENIZER.special["<end>"], TOKENIZER.special["<bye>"]}


def test_under_a_lexicon_a_noted_name_cannot_be_said_wrong() -> None:
    lexicon = Lexicon(TOKENIZER, "that is at for which one right".split())
    options: dict[str, Any] = {"heard": ["it is knight"], "lexicon": lexicon, "sayable": ["nine", "ten thirty."]}
    head = ["<think>", " book wednesday - knight -", "<expect>", " yes", "<say>"]
    assert accepts(grammar(**options), *head, " that is wednesday at ten for knight, right?", "<end>")
    for wrong in (" for knient.", " for night.", " friday.", " eleven.", " forone.", " rightwednesday."):
        assert not accepts(grammar(**options), *head, wrong, "<end>"), wrong
    turn = feed(grammar(**options), [*head, " kn"]) if len(TOKENIZER.encode(" knight")) > 1 else None
    if turn is not None:
        assert not turn.allowed()[TOKENIZER.special["<end>"]]


def free(**options: Any) -> TurnGrammar:
    """The grammar of an agent without note and tools."""
    return TurnGrammar(TOKENIZER, (), (), **options)


def test_without_note_fields_a_thought_is_free_words() -> None:
    turn = feed(free(), ["<think>", " up to three", "<expect>", " bye", "<say>", " one, two, three.", "<end>"])
    assert (turn.done, turn.action, turn.thoughts, turn.note) == (True, Role.SAY, ["up to three"], {})
    assert (turn.expect, turn.said) == ("bye", "one, two, three.")
    assert free().forced == TOKENIZER.special["<think>"]
    assert not accepts(free(), "<think>", "<expect>"), "a thought has words"
    assert not accepts(free(), "<think>", " up", "<say>"), "the expectation comes first"
    assert accepts(free(), "<think>", " none", "<expect>", " more", "<silence>")


def test_a_free_thought_in_mid_turn_goes_back_to_hearing() -> None:
    turn = feed(free(thought=True), ["<think>", " up to", "<heard>"])
    assert (turn.done, turn.action, turn.thoughts) == (True, Role.THINK, ["up to"])


BITS = ["<think>", " up to four. one to two", "<expect>", " bye", "<say>", " one, two,", "<more>"]


def test_speech_goes_on_in_bits_with_a_thought_before_each() -> None:
    turn = feed(free(interleaved=True), BITS)
    assert not turn.done
    assert turn.forced == TOKENIZER.special["<think>"]
    feed(turn, ["<think>", " three to four", "<say>", " three, four.", "<end>"])
    assert (turn.done, turn.action) == (True, Role.SAY)
    assert turn.thoughts == ["up to four. one to two", "three to four"]
    assert (turn.bits, turn.said) == (["one, two,", "three, four."], "one, two, three, four.")
    assert turn.expect == "bye"


def test_bits_are_closed_where_they_may_be_and_never_empty() -> None:
    assert not accepts(free(), *BITS), "one breath"
    assert not accepts(free(interleaved=True), *BITS, "<think>", " three", "<expect>"), "expected once a turn"
    assert not accepts(free(interleaved=True), *BITS, "<think>", " three", "<say>", "<end>")
    assert not accepts(free(interleaved=True), *BITS, "<say>"), "a thought before each bit"
    assert accepts(free(interleaved=True), *BITS, "<think>", " three", "<say>", " goodbye.", "<bye>")


def test_an_agent_with_a_note_may_think_freely_between_bits_only() -> None:
    lexicon = Lexicon(TOKENIZER, ["one", "two"])
    head = ["<think>", " none - - - -", "<expect>", " yes", "<say>", " one,", "<more>"]
    turn = feed(grammar(interleaved=True, lexicon=lexicon), [*head, "<think>", " wednesday is full", "<say>", " two."])
    assert turn.thoughts == ["wednesday is full"]
    assert turn.note["intent"] == "none"
    assert accepts(turn, "<end>")
    assert not accepts(grammar(lexicon=lexicon), *head)
    assert not accepts(grammar(interleaved=True, lexicon=lexicon), *head, "<think>", " three", "<say>", " three.")


def test_bits_are_bounded_together_and_thoughts_each() -> None:
    limits = GrammarLimits(think_tokens=2, say_tokens=4)
    turn = feed(free(interleaved=True, limits=limits), ["<think>", " up to"])
    assert turn.forced == TOKENIZER.special["<expect>"]
    feed(turn, ["<expect>", " bye", "<say>", " one two three", "<more>", "<think>", " up to"])
    assert turn.forced == TOKENIZER.special["<say>"]
    feed(turn, ["<say>", " four"])
    assert turn.forced == TOKENIZER.special["<end>"]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), interleaved=st.booleans())
def test_a_random_thinker_ends_too(seed: int, interleaved: bool) -> None:
    rng = Random(seed)
    turn = free(interleaved=interleaved, limits=GrammarLimits(say_tokens=12, think_tokens=5))
    for _ in range(400):
        if turn.done:
            break
        choices = list(np.flatnonzero(turn.allowed()))
        ends = [choice for choice in choices if choice < 32]
        turn.advance(int(rng.choice(ends if ends and rng.random() < 0.3 else choices)))
    assert turn.done
    assert interleaved or len(turn.bits) <= 1
    assert turn.said == " ".join(turn.bits)


def test_a_token_out_of_place_is_named() -> None:
    with pytest.raises(GrammarError, match=r"'<say>'.*'begin'"):
        grammar().advance(TOKENIZER.special["<say>"])


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    heard=st.lists(
        st.sampled_from(["i am bo", "tuesday no friday", "half past ten", "van der berg please"]), max_size=3
    ),
    offered=st.sampled_from([(), ("ten",), ("ten", "ten thirty", "two")]),
    lexical=st.booleans(),
)
def test_a_random_writer_stays_inside(seed: int, heard: list[str], offered: Sequence[str], lexical: bool) -> None:
    rng = Random(seed)
    lexicon = Lexicon(TOKENIZER, "which day suits you one is that right".split()) if lexical else None
    turn = grammar(heard=heard, offered=offered, known=KNOWN, lexicon=lexicon, limits=GrammarLimits(say_tokens=12))
    for _ in range(200):
        if turn.done:
            break
        choices = np.flatnonzero(turn.allowed())
        assert len(choices)
        if turn.forced is not None:
            assert list(choices) == [turn.forced]
        turn.advance(int(rng.choice(list(choices))))
    assert turn.done
    check_note(turn.note, heard, offered)
    if turn.action is Role.CALL:
        assert all(value == turn.note[key] != "-" for key, value in turn.arguments.items())
    elif turn.action is Role.SILENCE:
        assert not turn.said
    else:
        assert turn.said
        assert "<" not in turn.said or not any(str(role) in turn.said for role in Role)


def check_note(note: Mapping[str, str], heard: list[str], offered: Sequence[str]) -> None:
    assert note["intent"] in {"none", "book", "cancel", "-"}
    assert note["day"] in {*DAYS, "-"}
    if offered and note["day"] == KNOWN["day"]:
        assert note["time"] in {*offered, "-"}
    else:
        assert note["time"] in {*SPOKEN_TIMES, "-"}
    assert note["name"] in {"-", KNOWN["name"]} or any(f" {note['name']} " in f" {text} " for text in heard)


def say(lexicon: Lexicon, *words: str, name: str = "anna miller") -> TurnGrammar:
    note = f" book - - {name} -"
    turn = feed(grammar(known=KNOWN | {"name": name}, lexicon=lexicon), ["<think>", note, "<expect>", " yes", "<say>"])
    return feed(turn, words)


def test_a_noted_name_is_said_to_its_end() -> None:
    lexicon = Lexicon(TOKENIZER, ["for", "right", "is", "i"])
    assert accepts(say(lexicon, " for"), " anna miller, is")
    assert not accepts(say(lexicon, " for"), " anna is")
    assert not accepts(say(lexicon, " for"), " anna, is")


def test_nobody_is_left_in_the_middle_of_a_sentence() -> None:
    lexicon = Lexicon(TOKENIZER, ["for", "right", "is"])
    for words, over in ((" is for", False), (" is for,", False), (" is right?", True), (" right. is", False)):
        turn = say(lexicon, words)
        assert [turn.allowed()[TOKENIZER.special[role]] for role in ("<end>", "<bye>")] == [over, over], words
