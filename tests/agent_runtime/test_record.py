"""The line form of the log: every event and command comes back as it was; three lines stand here letter by letter."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_runtime import commands, events
from agent_runtime import events as ev
from agent_runtime.commands import Command, Decision, Generate, Say
from agent_runtime.events import Event
from agent_runtime.record import SCHEMA, Entry, LogFormatError, decode, encode
from policies.trajectory import Role, Segment, Trajectory

KINDS: tuple[type[Event] | type[Command], ...] = tuple(
    kind
    for module in (events, commands)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, (Event, Command)) and kind not in (Event, Command)
)

TEXT = st.text(max_size=20)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type."""
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin is Literal:
        return st.sampled_from(inner)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(values_of(one) for one in inner))
    if origin is tuple and inner[1:] == (Ellipsis,):
        return st.lists(values_of(inner[0]), max_size=3).map(tuple)
    if origin is tuple:
        return st.tuples(*(values_of(one) for one in inner))
    if origin is not None and issubclass(origin, Mapping):
        return st.dictionaries(values_of(inner[0]), values_of(inner[1]), max_size=3)
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: TEXT,
        int: st.integers(-(2**40), 2**40),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        Trajectory: st.just(Trajectory()),
        Any: JSON_VALUES,
    }
    return plain[hint]


def made(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Instances of an event or command class, every field drawn from its annotated type."""
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(kind)})


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_and_command_survives_encode_and_decode(kind: type[Any]) -> None:
    @settings(max_examples=15, deadline=None, derandomize=True, database=None)
    @given(made(kind), st.integers(1, 2**40), st.integers(0, 2**50), st.integers(0, 2**40))
    def survives(what: Any, seq: int, at_us: int, cause: int) -> None:
        entry = Entry(seq, at_us, cause, what)
        line = encode(entry)
        assert "\n" not in line
        assert decode(line) == entry
        assert encode(decode(line)) == line

    survives()


def test_the_classes_are_all_exported_under_their_names() -> None:
    named = set(events.__all__) | set(commands.__all__)
    assert {kind.__name__ for kind in KINDS} <= named


def test_three_golden_lines() -> None:
    """These bytes are a promise to everybody who keeps logs: change them only together with `SCHEMA`."""
    started = ev.CallStarted("c1", "inbound", "5ub", "front desk", "2026-11-23", 1, "d1g", "+15550100")
    final = ev.FinalTranscript(
        2, 9, 96_160, "wednesday, café", (("wednesday,", 83_520, 90_000), ("café", 90_000, 92_160))
    )
    decision = Decision("think", "turn over: complete", {"words": 0.93, "silence_ms": 250.0})
    assert encode(Entry(1, 0, 0, started)) == (
        '{"seq":1,"at_us":0,"cause":0,"kind":"event","type":"CallStarted",'
        '"data":{"call_id":"c1","direction":"inbound","subject":"5ub","agent":"front desk","wall_date":"2026-11-23",'
        '"schema":1,"settings":"d1g"},"personal":{"counterparty":"+15550100"}}'
    )
    assert encode(Entry(59, 6_010_000, 47, final)) == (
        '{"seq":59,"at_us":6010000,"cause":47,"kind":"event","type":"FinalTranscript",'
        '"data":{"segment":2,"revision":9,"end_sample":96160},'
        '"personal":{"text":"wednesday, café","words":[["wednesday,",83520,90000],["café",90000,92160]]}}'
    )
    assert encode(Entry(62, 6_010_000, 59, decision)) == (
        '{"seq":62,"at_us":6010000,"cause":59,"kind":"command","type":"Decision",'
        '"data":{"action":"think","reason":"turn over: complete","scores":{"words":0.93,"silence_ms":250.0}}}'
    )
    assert SCHEMA == 1


def test_what_somebody_said_or_gave_stands_apart() -> None:
    """A line without its personal part says nothing that a person said: that part can be encrypted and destroyed."""
    for kind in KINDS:
        personal = [field.name for field in dataclasses.fields(kind) if field.metadata.get("personal")]
        plain = [field.name for field in dataclasses.fields(kind) if not field.metadata.get("personal")]
        assert [field.name for field in dataclasses.fields(kind)] == plain + personal, "personal fields come last"
    for kind, names in {
        ev.CallStarted: {"counterparty"},
        ev.PartialTranscript: {"stable", "tail"}, ev.FinalTranscript: {"text", "words"},
        ev.DigitPressed: {"digit"}, ev.ThoughtFormed: {"text"}, ev.ExpectationFormed: {"text"},
        ev.ClauseGenerated: {"text"}, ev.ToolRequested: {"spoken", "slots", "arguments"},
        ev.ToolReturned: {"spoken", "result"}, ev.ToolFailed: {"detail"}, ev.UtteranceHeard: {"text"}, Say: {"text"},
        commands.CallTool: {"arguments", "brief"}, commands.SendDigits: {"digits"}, commands.Transfer: {"target"},
    }.items():  # fmt: skip
        assert {field.name for field in dataclasses.fields(kind) if field.metadata.get("personal")} == names
    raw = json.loads(encode(Entry(1, 0, 0, Say(1, "answer", True, "hello mister miller"))))
    assert "miller" not in json.dumps(raw["data"])
    assert raw["personal"] == {"text": "hello mister miller"}


def test_the_stream_itself_is_not_written_only_its_digest() -> None:
    stream = Trajectory.of([Segment(Role.HEARD, "my name is miller")])
    line = encode(Entry(3, 5, 2, Generate(1, stream.digest, False, ("book",), "", stream)))
    assert "miller" not in line
    assert stream.digest in line
    back = decode(line).what
    assert isinstance(back, Generate)
    assert back.trajectory == Trajectory()
    assert back.blocked_tools == ("book",)


def test_time_is_told_in_seconds_too() -> None:
    assert Entry(1, 1_250_000, 0, ev.LoopLagged(12.5)).at_s == 1.25


def test_mappings_that_are_no_dicts_are_written_and_other_things_refused() -> None:
    frozen = types.MappingProxyType({"words": 0.5})
    line = encode(Entry(1, 0, 0, Decision("wait", "x", frozen)))
    assert json.loads(line)["data"]["scores"] == {"words": 0.5}
    with pytest.raises(TypeError, match=r"^set cannot stand in a log; give plain JSON values$"):
        encode(Entry(1, 0, 0, ev.ToolReturned(1, "x", "y", {1})))


def test_a_new_field_with_a_default_is_filled_in() -> None:
    line = '{"seq":4,"at_us":0,"cause":1,"kind":"event","type":"CallEnded","data":{"reason":"failed","sample":3}}'
    assert decode(line).what == ev.CallEnded("failed", 3, "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "log line is not JSON (Expecting property name enclosed in double quotes at column 2): '{'"),
        ("hello", "log line is not JSON (Expecting value at column 1): 'hello'"),
        (
            '{"seq":7,"at_us":0,"cause":0,"kind":"event","type":"CallPaused","data":{}}',
            "log line 7 has unknown or missing 'CallPaused'; this version reads schema 1",
        ),
        (
            '{"at_us":0,"cause":0,"kind":"event","type":"LoopLagged","data":{"late_ms":1.0}}',
            "log line ? has unknown or missing 'seq'; this version reads schema 1",
        ),
        (
            '{"seq":7,"at_us":0,"cause":0,"kind":"event","type":"LoopLagged"}',
            "log line 7 has unknown or missing 'data'; this version reads schema 1",
        ),
        (
            '{"seq":7,"at_us":0,"cause":0,"kind":"event","type":"LoopLagged","data":{}}',
            "log line does not fit LoopLagged: LoopLagged.__init__() missing 1 required positional argument: 'late_ms'",
        ),
        ("[1, 2]", "log line is no JSON object: '[1, 2]'"),
        ('"text"', "log line is no JSON object: '\"text\"'"),
        (
            '{"seq":7,"at_us":0,"cause":0,"kind":"event","type":"FinalTranscript","data":'
            '{"segment":1,"revision":1,"end_sample":1},"personal":{"text":"x","words":[["x",1]]}}',
            "log line does not fit FinalTranscript: zip() argument 2 is shorter than argument 1",
        ),
    ],
)  # fmt: skip
def test_lines_that_cannot_be_read_say_why(line: str, message: str) -> None:
    with pytest.raises(LogFormatError) as raised:
        decode(line)
    assert str(raised.value) == message
