"""Parts behind a speech server: opened by an agent's wishes, in use in a call, and refused in one line."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_runtime import events as ev
from agent_runtime.agent import Agent, AgentError, RecogniserSettings, VoiceSettings
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.call import Call, run_call
from agent_runtime.testing import Line, ScriptedCaller, Segment, at, hang_up
from agent_runtime.testing.clips import Clip
from audio.engines.spoken import VoiceError
from audio.frame import AudioError
from audio.language.files import build_language
from tests.agent_runtime.scenes import TODAY, desk
from tests.audio.engines.speech_server import HEARS, SPEAKS, SpeechServing, available
from tests.audio.engines.test_openai_recogniser import SENTENCES, clip

pytestmark = [
    pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box"),
    pytest.mark.skipif(importlib.util.find_spec("openai") is None, reason="openai is not installed (extra openai)"),
    pytest.mark.skipif(available() is not None, reason=str(available())),
]

SECRET = "sk-secret-4711"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SpeechServing]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SPEECH_KEY", SECRET)
    with SpeechServing(build_language(SENTENCES, [], tmp_path, off_script=False), key=SECRET) as serving:
        yield serving


def served(server: SpeechServing, **changes: Any) -> Agent:
    where: dict[str, Any] = {"kind": "openai", "base_url": server.url, "api_key_env": "SPEECH_KEY", "timeout_s": 60.0}
    voice = VoiceSettings(**{"name": "slt", "model": SPEAKS, **where, **changes})
    return dataclasses.replace(desk(), voice=voice, recogniser=RecogniserSettings(model=HEARS, **where))


def call(agent: Agent) -> Call:
    speech = clip("request-1")
    said = Clip("request-1", (), len(speech), speech)
    caller = ScriptedCaller.of_lines(Line("request", at(6.0), (Segment(said),)), hang_up(at(10.0)))
    return run_call(agent, caller, today=TODAY)


def test_a_call_is_spoken_and_heard_by_the_server(server: SpeechServing) -> None:
    held = call(served(server))
    what = [entry.what for entry in held.entries]
    assert not [one for one in what if isinstance(one, ev.PartFailed)]
    assert not [one for one in what if isinstance(one, ev.PartialTranscript)]
    finals = [one.text for one in what if isinstance(one, ev.FinalTranscript)]
    assert finals[0].startswith("hi i would like to come in"), finals
    heard = [one for one in what if isinstance(one, ev.UtteranceHeard)]
    assert heard[0].complete
    assert heard[0].text == desk().greeting
    assert {one["path"] for one in server.asked} == {"/v1/audio/speech", "/v1/audio/transcriptions"}
    assert all(one["authorization"] == f"Bearer {SECRET}" for one in server.headers)
    assert SECRET not in repr(held.entries)


def test_what_is_wrong_ends_before_the_call_with_one_line(
    server: SpeechServing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(AudioError, match=r"knows no model 'tts-9'.*; correct \[voice\] model or base_url"):
        call(served(server, model="tts-9"))
    monkeypatch.delenv("SPEECH_KEY")
    with pytest.raises(AgentError, match="environment variable SPEECH_KEY is not set; put the server's key into it"):
        call(served(server))
    agent = dataclasses.replace(desk(), voice=VoiceSettings(kind="piper", model=str(tmp_path / "no.onnx")))
    with pytest.raises(VoiceError, match=r"the voice 'piper' cannot start: .*no\.onnx is not there"):
        call(agent)
    files: dict[str, Any] = {"model": str(tmp_path / "k.onnx"), "voices": str(tmp_path / "v.bin")}
    agent = dataclasses.replace(desk(), voice=VoiceSettings(kind="kokoro", name="af_heart", **files))
    with pytest.raises(VoiceError, match=r"the voice 'kokoro' cannot start: .*k\.onnx is not there"):
        call(agent)
