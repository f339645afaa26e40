"""The stream as chat messages, a chat reply as the stream: both directions, and what has no form in the other."""

from __future__ import annotations

import datetime
from typing import Any, Literal

import pytest

from agent_runtime.tools import ToolArgumentError, tool
from policies.trajectory import Role, Segment, Trajectory
from tests.agent_runtime.engines.openai_servers import NEEDS_CLIENT

pytestmark = NEEDS_CLIENT

try:
    from agent_runtime.engines.openai.rendering import HANG_UP, MANNERS, ReplyReader, messages, offered, spoken_request
    from agent_runtime.engines.openai.text import TextLanguage, segments_of
except ImportError:  # the client is an extra; the tests are skipped
    pass


@tool(effect="read")
async def find_slots(day: Literal["monday", "tuesday"]) -> list[str]:
    """Free times of a day."""
    return [day]


@tool(effect="write", confirm=True)
async def book(day: Literal["monday", "tuesday"], time: datetime.time, name: str) -> str:
    """Book an appointment."""
    return f"{day} {time} {name}"


TOOLS = (find_slots, book)
CARD = Segment(Role.CARD, "front desk. today is monday.")
GREETING = Segment(Role.SAY, "good morning.", Role.END)


def rendered(*segments: Segment) -> list[dict[str, Any]]:
    """The messages of a stream that went through tokens, as thinking hands it to the engine."""
    stream = Trajectory.of(segments)
    language = TextLanguage(TOOLS)
    tokens = language.encode(stream)
    assert segments_of(tokens) == list(segments)
    assert language.decode(tokens) == stream.text()
    return messages(segments_of(tokens), TOOLS)


def talk(*segments: Segment) -> list[dict[str, Any]]:
    """The messages after the card."""
    system, *rest = rendered(CARD, *segments)
    assert system == {"role": "system", "content": f"front desk. today is monday.\n\n{MANNERS}"}
    return rest


def test_a_talk_is_who_said_what() -> None:
    assert talk(
        GREETING,
        Segment(Role.HEARD, "hello"),
        Segment(Role.HEARD, "wednesday please"),
        Segment(Role.TURN),
        Segment(Role.THINK, "a thought"),
        Segment(Role.EXPECT, "a day"),
        Segment(Role.SAY, "we are closed on", Role.CUT),
        Segment(Role.HEARD, "tuesday then"),
    ) == [
        {"role": "user", "content": "(the call is answered)"},
        {"role": "assistant", "content": "good morning."},
        {"role": "user", "content": "hello wednesday please"},
        {"role": "assistant", "content": "we are closed on"},
        {"role": "user", "content": "tuesday then"},
    ]


def test_speech_in_bits_is_one_message_and_silence_none() -> None:
    assert talk(
        Segment(Role.HEARD, "count"),
        Segment(Role.TURN),
        Segment(Role.SAY, "one,", Role.MORE),
        Segment(Role.THINK, "one is done"),
        Segment(Role.SAY, "two.", Role.END),
        Segment(Role.HEARD, "and"),
        Segment(Role.TURN),
        Segment(Role.SILENCE),
        Segment(Role.HEARD, "well"),
        Segment(Role.TURN),
    ) == [
        {"role": "user", "content": "count"},
        {"role": "assistant", "content": "one, two."},
        {"role": "user", "content": "and well"},
    ]


def called(number: int, name: str, arguments: str, said: str | None) -> dict[str, Any]:
    call = {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}
    return {"role": "assistant", "content": said, "tool_calls": [call]}


def test_a_call_is_followed_by_its_result_whatever_came_between() -> None:
    assert talk(
        Segment(Role.HEARD, "monday"),
        Segment(Role.TURN),
        Segment(Role.CALL, "find_slots day monday", Role.END),
        Segment(Role.FILLER, "let me look.", Role.END),
        Segment(Role.SAY, "and", Role.CUT),
        Segment(Role.HEARD, "or tuesday"),
        Segment(Role.RESULT, "ten thirty two"),
        Segment(Role.TURN),
        Segment(Role.CALL, "book day monday time ten thirty name miller", Role.END),
        Segment(Role.CALL, "find_slots day tuesday", Role.END),
    ) == [
        {"role": "user", "content": "monday"},
        called(0, "find_slots", '{"day": "monday"}', "let me look."),
        {"role": "tool", "tool_call_id": "call_0", "content": "ten thirty two"},
        {"role": "assistant", "content": "and"},
        {"role": "user", "content": "or tuesday"},
        called(1, "book", '{"day": "monday", "time": "10:30", "name": "miller"}', None),
        {"role": "tool", "tool_call_id": "call_1", "content": "no result yet"},
        called(2, "find_slots", '{"day": "tuesday"}', None),
        {"role": "tool", "tool_call_id": "call_2", "content": "no result yet"},
    ]


def test_words_that_look_like_roles_stay_words() -> None:
    assert talk(Segment(Role.HEARD, "he said <say> to me")) == [{"role": "user", "content": "he said <say> to me"}]
    assert segments_of([32 + ord("a")]) == [Segment(Role.HEARD, "a")]


def test_tools_are_offered_with_their_schema_and_their_condition() -> None:
    shown = offered(TOOLS)["tools"]
    assert [one["function"]["name"] for one in shown] == ["find_slots", "book", HANG_UP]
    assert shown[0]["function"]["parameters"] == find_slots.schema
    assert shown[0]["function"]["description"] == "Free times of a day."
    assert shown[1]["function"]["description"].startswith("Book an appointment. First read every argument back")


def test_a_blocked_tool_is_not_offered_and_a_due_one_is_chosen() -> None:
    assert [one["function"]["name"] for one in offered(TOOLS, blocked=["book"])["tools"]] == ["find_slots", HANG_UP]
    assert "tool_choice" not in offered(TOOLS)
    assert offered(TOOLS, due="book")["tool_choice"] == {"type": "function", "function": {"name": "book"}}


@pytest.mark.parametrize(
    ("name", "arguments", "spoken"),
    [
        ("find_slots", '{"day": "monday"}', "find_slots day monday"),
        ("book", '{"name": "Miller", "time": "10:30", "day": "monday"}', "book day monday time ten thirty name miller"),
    ],
)
def test_a_call_reads_as_words(name: str, arguments: str, spoken: str) -> None:
    assert spoken_request(TOOLS, name, arguments).lower() == spoken


@pytest.mark.parametrize(
    ("name", "arguments", "line"),
    [
        ("cook", "{}", "there is no tool 'cook'; known are find_slots, book"),
        ("find_slots", "", "tool find_slots needs the argument 'day'; expected"),
        ("find_slots", '{"day": ', "the arguments of find_slots are no JSON (Expecting value"),
        ("find_slots", '["monday"]', "the arguments of find_slots are '[\"monday\"]'; write one JSON object"),
        ("find_slots", '{"day": "sunday"}', "day of tool find_slots is 'sunday'; expected"),
    ],
)
def test_a_call_that_does_not_fit_says_why(name: str, arguments: str, line: str) -> None:
    with pytest.raises(ToolArgumentError) as caught:
        spoken_request(TOOLS, name, arguments)
    assert line in str(caught.value)


def read(*parts: str, thoughts: tuple[str, ...] = ()) -> str:
    """A reply in parts as the stream it becomes."""
    reader = ReplyReader()
    tokens = [token for thought in thoughts for token in reader.thought(thought)]
    tokens += [token for part in parts for token in reader.words(part)]
    return TextLanguage(()).decode([*tokens, *reader.ended()])


@pytest.mark.parametrize(
    ("parts", "stream"),
    [
        ((), "<silence>"),
        (("", " \n"), "<silence>"),
        (("Good", " morning.", " How?"), "<say> Good morning. How?<end>"),
        (("\n\nHello",), "<say> Hello<end>"),
        (("<", "th", "ink>a ", "plan</thi", "nk>\n\n", "Hello"), "<think> a plan<say> Hello<end>"),
        (("<think>\n\n</think>\n\nHello",), "<think><say> Hello<end>"),
        (("<think>never closed",), "<think><silence>"),
        (("<", "3"), "<say> <3<end>"),
        (("<",), "<say> <<end>"),
    ],
)
def test_a_reply_is_said_or_thought(parts: tuple[str, ...], stream: str) -> None:
    assert read(*parts) == stream


def test_reasoning_apart_is_a_thought_before_the_words() -> None:
    assert read("Hello", thoughts=("look", " it up")) == "<think> look it up<say> Hello<end>"


def test_a_call_and_a_goodbye_end_the_turn() -> None:
    language, reader = TextLanguage(()), ReplyReader()
    said = reader.words("Let me look.")
    assert language.decode([*said, *reader.called("find_slots day monday")]) == (
        "<say> Let me look.<call> find_slots day monday<end>"
    )
    assert language.decode(ReplyReader().hung_up()) == "<say> goodbye.<bye>"
    reader = ReplyReader()
    assert language.decode([*reader.words("Bye!"), *reader.hung_up()]) == "<say> Bye!<bye>"


def test_the_language_knows_its_roles_and_reads_calls() -> None:
    language = TextLanguage(TOOLS)
    assert [language.role_of(language.role(role)) for role in Role] == list(Role)
    assert language.role_of(language.encode(Trajectory.of([CARD]))[1]) is None
    assert language.call("find_slots day monday") == ("find_slots", {"day": "monday"}, {"day": "monday"})
    turn = language.grammar(Trajectory(), after_result=True, blocked=["book"], due="")
    assert (turn.blocked, turn.due, turn.done, turn.allowed()) == (("book",), "", False, None)
