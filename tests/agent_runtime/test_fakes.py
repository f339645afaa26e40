"""The public fakes do what they say: time from a cost model, words from a function, a voice that is only time."""

from __future__ import annotations

import asyncio
import math

import pytest

from agent_runtime.clock import run_virtual
from agent_runtime.ports import AdapterRef
from agent_runtime.testing.fakes import EngineCost, FakeEngine, TimedVoice, WordLanguage, replies
from policies.trajectory import ROLE_TOKENS, Role, Segment, Trajectory
from tests.agent_runtime.scenes import find_slots

STREAM = Trajectory.of([Segment(Role.CARD, "front desk."), Segment(Role.SAY, "hello.", Role.END)])


def test_the_language_of_words_is_reversible() -> None:
    language = WordLanguage((find_slots,))
    tokens = language.encode(STREAM)
    assert [language.word(token) for token in tokens] == ["<card>", "front", "desk.", "<say>", "hello.", "<end>"]
    assert language.decode(tokens[1:3]) == " front desk."
    assert language.encode(STREAM) == tokens, "ids are given once"
    assert [language.role(role) for role in Role] == list(range(len(Role)))
    assert language.role_of(language.role(Role.SAY)) is Role.SAY
    assert language.role_of(tokens[1]) is None
    assert list(Role) == [Role(name) for name in ROLE_TOKENS[: len(Role)]]


def test_the_language_reads_calls_and_allows_everything() -> None:
    language = WordLanguage((find_slots,))
    assert language.call("find_slots day monday") == ("find_slots", {"day": "monday"}, {"day": "monday"})
    grammar = language.grammar(STREAM, after_result=False, blocked=("find_slots",))
    assert grammar.allowed() is None
    grammar.advance(3)
    assert not grammar.done


def test_work_takes_the_time_of_the_cost_model() -> None:
    language = WordLanguage()
    engine = FakeEngine(language, lambda text: "<say> hello there. <end>", EngineCost(0.03, 0.001, 0.01))

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        session = await engine.open("c")
        times = []
        extent = await session.sync(language.encode(STREAM))
        assert extent.elapsed_s == pytest.approx(0.036)
        times.append(loop.time())
        await session.sync(language.encode(STREAM))
        times.append(loop.time())
        async for _ in session.stream(language.encode(STREAM)[:2], max_tokens=3):
            times.append(loop.time())
        return times

    assert run_virtual(main()) == pytest.approx([0.036, 0.036, 0.078, 0.088, 0.098])


def test_a_server_of_text_gives_its_first_token_with_the_answer_and_no_roles() -> None:
    language = WordLanguage()
    engine = FakeEngine(language, lambda text: "<expect> more <say> hello there. <end>", EngineCost(served=True))

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        session = await engine.open("c")
        return [loop.time() async for _ in session.stream(max_tokens=9)]

    assert run_virtual(main()) == pytest.approx([0.03, 0.03, 0.03, 0.04, 0.05, 0.05])


def test_replies_are_chosen_by_the_last_turn_or_result() -> None:
    reply = replies({"wednesday": "one", "ten thirty": "two"}, "three")
    assert reply("<card> wednesday<heard> hello<turn>") == "three"
    assert reply("<heard> hello<turn><say> x<end><heard> on wednesday<turn>") == "one"
    assert reply("<heard> wednesday<turn><call> find<end><result> ten thirty") == "two"
    assert reply("no role at all: wednesday") == "one"


def test_the_end_of_a_turn_has_the_share_it_was_given() -> None:
    language = WordLanguage()
    engine = FakeEngine(language, lambda text: "", p_over=lambda text: 0.8 if "please" in text else 0.0)

    async def main() -> list[float]:
        session = await engine.open("c")
        await session.sync([language.id_of("please")])
        scores = await session.score([[language.role(Role.TURN)], [language.role(Role.HEARD)]])
        await session.sync([language.id_of("um")])
        return [*scores, *await session.score([[language.role(Role.TURN)]])]

    over, more, never = run_virtual(main())
    assert (math.exp(over), math.exp(more)) == pytest.approx((0.8, 0.2))
    assert never < -20


def test_adapters_are_remembered() -> None:
    engine = FakeEngine(WordLanguage(), lambda text: "")
    ref = AdapterRef("night shift", 2, "adapters/night shift-2")

    async def main() -> None:
        await engine.load_adapter(ref)
        assert engine.adapters == {("night shift", 2): ref}
        await engine.unload_adapter(ref)
        with pytest.raises(KeyError):
            await engine.unload_adapter(ref)

    run_virtual(main())


def test_the_voice_is_silence_of_the_right_length_with_word_marks() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        (chunk,) = [chunk async for chunk in TimedVoice(first_s=0.1, word_ms=200).speak("the theme is the end.")]
        assert loop.time() == pytest.approx(0.1)
        assert len(chunk.pcm) == 5 * 3200
        assert not chunk.pcm.any()
        texts = ["the theme is the end."[mark.start_char : mark.end_char] for mark in chunk.words]
        assert texts == ["the", "theme", "is", "the", "end."]
        assert [mark.first_sample for mark in chunk.words] == [0, 3200, 6400, 9600, 12_800]

    run_virtual(main())
