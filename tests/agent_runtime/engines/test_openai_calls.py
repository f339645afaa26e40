"""Whole calls with the model at a server: what is said and done is what the same model says and does in the program."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Literal

import pytest

from agent_runtime import events as ev
from agent_runtime.agent import Agent, AgentError, ServerSettings
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.call import Call, run_call
from agent_runtime.doors.typed import TypedDoor
from agent_runtime.testing.fakes import TimedVoice
from tests.agent_runtime.engines.core_server import MODEL_NAME, CoreServer, Fault
from tests.agent_runtime.engines.openai_servers import NEEDS_CLIENT, chat_server, front_desk

pytestmark = [
    NEEDS_CLIENT,
    pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box"),
]

LINES = (
    "hello i would like to book an appointment for wednesday please",
    "eleven please",
    "my name is miller",
    "yes please",
)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def talk(agent: Agent, *lines: str) -> Call:
    """A typed call of words."""
    said = iter(lines)
    door = TypedDoor(lambda: next(said, None))
    return run_call(agent, door, audio=False, voice=TimedVoice(first_s=0.0, word_ms=10))


def at(server: CoreServer, **settings: Any) -> Agent:
    """The front desk with its model at a server."""
    where = ServerSettings(server.url, MODEL_NAME, **settings)
    return dataclasses.replace(front_desk(), engine="openai", server=where)


def told(call: Call) -> list[tuple[bool, str]]:
    """What was said of failed parts."""
    return [
        (entry.what.recovered, entry.what.detail) for entry in call.entries if isinstance(entry.what, ev.PartFailed)
    ]


@pytest.mark.parametrize("form", ["vllm", "llama", "text", "chat"])
def test_a_model_at_a_server_books_as_the_one_in_the_program_does(
    form: Literal["vllm", "llama", "text", "chat"],
) -> None:
    alone = talk(front_desk(), *LINES)
    assert [name for name, _ in alone.tool_results] == ["find_slots", "book"]
    with chat_server(form="vllm" if form == "chat" else form) as server:
        call = talk(at(server, tokens=form != "chat"), *LINES)
        assert call.transcript == alone.transcript
        assert call.tool_results == alone.tool_results
        assert told(call) == []
        assert {request["path"] for request in server.asked} == {
            "/v1/chat/completions" if form == "chat" else "/v1/completions"
        }
        scored = any(isinstance(entry.what, ev.TurnScored) for entry in call.entries)
        assert scored is (form != "chat"), "a chat gives no score, and the turn ends without one"
        if form != "chat":
            brought = sum(len(request["prompt"]) for request in server.asked if request.get("stream"))
            assert server.computed < brought / 3, "the server reads what is new and little more"


def test_a_server_that_fails_in_a_call_is_told_and_the_call_goes_on() -> None:
    with chat_server() as server:
        server.faults.extend([Fault("status", status=429, headers=(("Retry-After", "60"),)), Fault("close", after=4)])
        call = talk(at(server), "when are you open", "when are you open", "when are you open")
    failed = told(call)
    assert [recovered for recovered, _ in failed] == [True, True]
    assert failed[0][1].startswith(
        f"ServerFault: server {server.url} takes no more requests now (429) and asks to wait 60"
    )
    assert "broke off a reply" in failed[1][1]
    outcomes = [entry.what.outcome for entry in call.entries if isinstance(entry.what, ev.GenerationEnded)]
    assert outcomes == ["failed", "failed", "said"]
    assert call.ended.reason == "caller_hung_up"


def test_a_key_that_is_withdrawn_in_a_call_is_told_as_lasting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DESK_KEY", "sk-secret-4711")
    with chat_server(key="sk-secret-4711") as server:
        agent = at(server, api_key_env="DESK_KEY")
        assert told(talk(agent, "when are you open")) == []

        def lines() -> Any:
            server.key = "another"
            yield "when are you open"

        said = lines()
        door = TypedDoor(lambda: next(said, None))
        call = run_call(agent, door, audio=False, voice=TimedVoice(first_s=0.0, word_ms=10))
    ((recovered, detail),) = told(call)
    assert not recovered
    assert detail == (
        f"ServerFault: server {server.url} refuses the key in DESK_KEY (status 401); put a valid key into DESK_KEY"
    )
    assert "4711" not in str(call.entries)


def test_an_agent_whose_key_is_missing_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DESK_KEY", raising=False)
    server = ServerSettings("http://127.0.0.1:9/v1", "core", api_key_env="DESK_KEY")
    agent = dataclasses.replace(front_desk(), engine="openai", server=server)
    with pytest.raises(AgentError) as caught:
        talk(agent, "hello")
    assert str(caught.value) == "environment variable DESK_KEY is not set; put the server's key into it"


def test_an_agent_file_names_a_server(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(
        "[agent]\nname = 'desk'\npersona = 'front desk'\ngreeting = 'hello.'\n[engine]\nkind = 'openai'\n"
        "base_url = 'http://127.0.0.1:8000/v1'\nmodel = 'core'\napi_key_env = 'DESK_KEY'\ntokens = true\n"
        "timeout_s = 3\n"
    )
    agent = Agent.load(tmp_path)
    assert agent.server == ServerSettings("http://127.0.0.1:8000/v1", "core", "DESK_KEY", True, 3.0)
    assert (agent.engine, agent.model) == ("openai", None)
