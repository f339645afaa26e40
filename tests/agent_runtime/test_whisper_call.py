"""A whole call that is heard by whisper: real detector, recogniser, model; the Whisper's weights are random."""

from __future__ import annotations

import dataclasses
import importlib.util
import wave
from pathlib import Path

import numpy as np
import pytest

from agent_runtime import events as ev
from agent_runtime.agent import RecogniserSettings
from agent_runtime.boxed import BOXED_MODEL
from agent_runtime.call import Call, run_call
from agent_runtime.testing import Line, ScriptedCaller, Segment, at, hang_up
from agent_runtime.testing.clips import Clip
from agent_runtime.testing.fakes import TimedVoice
from audio.engines.whisper.link import WhisperError
from tests.agent_runtime.scenes import TODAY, desk
from tests.audio.engines.made_whisper import make_whisper

DEMO = Path(__file__).resolve().parents[2] / "examples" / "front_desk" / "calls" / "demo"

pytestmark = [
    pytest.mark.skipif(not (BOXED_MODEL / "model.safetensors").exists(), reason="no model in the box"),
    pytest.mark.skipif(
        importlib.util.find_spec("faster_whisper") is None,
        reason="faster-whisper is not installed (pip install 'duologue[whisper]')",
    ),
]


def spoken(name: str) -> Clip:
    with wave.open(str(DEMO / f"{name}.wav"), "rb") as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
    return Clip(name, (), len(pcm), pcm)


def call(model: str) -> Call:
    caller = ScriptedCaller.of_lines(Line("request", at(4.0), (Segment(spoken("request-1")),)), hang_up(at(8.0)))
    agent = dataclasses.replace(desk(), recogniser=RecogniserSettings("whisper", model, step_ms=500))
    return run_call(agent, caller, today=TODAY, voice=TimedVoice())


def test_partials_become_known_while_the_caller_speaks_and_the_final_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = str(make_whisper(tmp_path / "model"))
    heard = call(model)
    partials = [one for one in heard.entries if isinstance(one.what, ev.PartialTranscript)]
    finals = [one for one in heard.entries if isinstance(one.what, ev.FinalTranscript)]
    stops = [one for one in heard.entries if isinstance(one.what, ev.SpeechStopped)]
    assert partials
    assert len(finals) == len(stops) >= 1
    assert heard.ended.reason == "caller_hung_up"
    assert not [one for one in heard.entries if isinstance(one.what, ev.PartFailed)]
    # What a decoding costs in the model, 1.2 s, stands between a stretch of speech and its words.
    origin_s = stops[0].at_s - stops[0].what.known_sample / 16_000  # type: ignore[union-attr]
    for entry in partials:
        assert 1.2 <= entry.at_s - origin_s - entry.what.end_sample / 16_000 < 1.3  # type: ignore[union-attr]
    assert all(1.2 <= final.at_s - stop.at_s <= 2.4 for final, stop in zip(finals, stops, strict=True))
    again = call(model)
    assert again.entries == heard.entries, "the same call is the same log"


def test_a_missing_model_ends_before_the_call_with_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WhisperError, match=r"whisper model 'tiny' is not in .* and HF_HUB_OFFLINE is set"):
        call("tiny")
