"""The voice behind a real server, by the official client: sound as it comes, hanging up, faults, the key."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import threading
from collections.abc import Iterator
from contextlib import aclosing
from typing import Any

import numpy as np
import pytest

from agent_runtime.clock import run_virtual
from audio.engines.spoken import SpokenChunk, VoiceError
from audio.frame import AudioError, Pcm
from audio.resample import resample
from tests.audio.engines.conftest import KeepingRunner
from tests.audio.engines.speech_server import SPEAKS, Fault, SpeechServing, available, speak

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("openai") is None, reason="openai is not installed (extra openai)"),
    pytest.mark.skipif(available() is not None, reason=str(available())),
]

SENTENCE = "Hello, your appointment is at ten thirty. Shall I book it?"
SECRET = "sk-secret-4711"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def server() -> Iterator[SpeechServing]:
    with SpeechServing() as serving:
        yield serving


def voice_of(server: SpeechServing, run: KeepingRunner, **more: Any) -> Any:
    from audio.engines.openai_audio.voice import OpenAIVoice, OpenAIVoiceSettings
    from audio.engines.openai_server.faults import Server

    settings = OpenAIVoiceSettings(more.pop("voice", "slt"), more.pop("speed", 1.0))
    where = {"section": "[voice]", "url": server.url, "model": SPEAKS, "timeout_s": 60.0, **more}
    return OpenAIVoice(run, Server(**where), settings)


async def spoken(voice: Any, text: str) -> list[SpokenChunk]:
    return [chunk async for chunk in voice.speak(text)]


def sound(chunks: list[SpokenChunk]) -> Pcm:
    return np.concatenate([chunk.pcm for chunk in chunks])


def test_the_sound_of_the_server_arrives_whole(server: SpeechServing, run: KeepingRunner) -> None:
    server.lead_s = 0.25

    async def main() -> list[SpokenChunk]:
        async with voice_of(server, run) as voice:
            return await spoken(voice, SENTENCE)

    pcm = sound(asyncio.run(main()))
    said = resample(speak(SENTENCE), 24_000)
    # only the silence in front is gone: what is left is the end of what the server sent, sample for sample
    assert 0 <= len(said) - len(pcm) < 8_000
    kept = said[len(said) - len(pcm) :]
    assert np.abs(pcm[200:].astype(int) - kept[200:]).max() <= 1
    assert np.abs(pcm[:160].astype(int)).max() >= 32, "the first sound counts"
    body = server.asked[0]
    assert {key: body[key] for key in ("input", "voice", "model", "response_format")} == {
        "input": SENTENCE, "voice": "slt", "model": SPEAKS, "response_format": "pcm",
    }  # fmt: skip
    assert "speed" not in body
    assert {kind for kind, *_ in run.done} == {"tts"}
    assert sum(units for _, _, units, _ in run.done) == pytest.approx(len(pcm) / 16_000)


def test_a_replay_hears_the_same_in_virtual_time(server: SpeechServing, run: KeepingRunner) -> None:
    from agent_runtime.clock import run_outside

    async def main(runner: Any) -> bytes:
        async with voice_of(server, runner) as voice:
            return sound(await spoken(voice, SENTENCE)).tobytes()

    assert run_virtual(main(run_outside)) == asyncio.run(main(run))


def test_sound_is_given_out_while_the_rest_is_still_to_come(server: SpeechServing, run: KeepingRunner) -> None:
    server.faults.append(Fault("stall", after=3))

    async def main() -> None:
        async with voice_of(server, run) as voice, aclosing(voice.speak(SENTENCE)) as chunks:
            first = await anext(chunks)
            assert 0 < len(first.pcm) <= 0.3 * 16_000
            assert [SENTENCE[mark.start_char : mark.end_char] for mark in first.words][:1] == ["Hello,"]
            assert not first.last

    asyncio.run(main())
    assert server.reached(1, hung_up=1), "who closes the iterator hangs up on the server"


def test_closing_the_voice_wakes_who_waits(server: SpeechServing, run: KeepingRunner) -> None:
    server.faults.append(Fault("stall", after=3))

    async def main() -> None:
        voice = voice_of(server, run)
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(spoken_or_error(voice))
            await asyncio.to_thread(server.reached, 1)
            await voice.close()
            await voice.close()
        assert "was closed" in waiting.result()
        with pytest.raises(VoiceError, match="was closed"):
            await spoken(voice, "Hello")

    async def spoken_or_error(voice: Any) -> str:
        try:
            await spoken(voice, SENTENCE)
        except VoiceError as error:
            return str(error)
        return ""

    asyncio.run(main())
    assert server.reached(1, hung_up=1)
    assert not [thread for thread in threading.enumerate() if thread.name == "speech-line"]


@pytest.mark.parametrize("fault", [Fault("close"), Fault("status"), Fault("status", status=503)])
def test_a_request_that_fails_before_its_first_sound_is_sent_again(
    server: SpeechServing, run: KeepingRunner, fault: Fault
) -> None:
    server.faults.append(fault)

    async def main() -> list[SpokenChunk]:
        async with voice_of(server, run) as voice:
            return await spoken(voice, SENTENCE)

    assert len(sound(asyncio.run(main()))) > 40_000
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("faults", "line", "asked"),
    [
        ([Fault("status")] * 2, "failed (status 500: out of memory); look at its log", 2),
        ([Fault("status", status=429, message="slow down")], "takes no more requests now (429): slow down; ask it", 1),
        ([Fault("status", status=400, message="no")], "refuses the request (status 400: no); correct [voice] of", 1),
        ([Fault("close", after=4)], "broke off a reply (", 1),
        ([Fault("stall", after=4)], "sent nothing for 0.3 s; raise [voice] timeout_s", 1),
        ([Fault("status", message="x" * 500)] * 2, "x" * 157 + "...", 2),
    ],
)
def test_sound_that_cannot_be_had_is_told_in_one_line(
    server: SpeechServing, run: KeepingRunner, faults: list[Fault], line: str, asked: int
) -> None:
    server.faults.extend(faults)

    async def main() -> None:
        async with voice_of(server, run, timeout_s=0.3 if faults[0].kind == "stall" else 60.0) as voice:
            with pytest.raises(AudioError) as caught:
                await spoken(voice, SENTENCE)
            assert line in str(caught.value)
            assert "\n" not in str(caught.value)

    asyncio.run(main())
    assert len(server.asked) == asked


@pytest.mark.parametrize(
    ("more", "line"),
    [
        ({"model": "tts-9"}, "knows no model 'tts-9', or not this address (404: The model `tts-9` does not exist.)"),
        ({"voice": "nobody"}, "refuses the request (status 400: voice 'nobody' is none of slt, rms); correct [voice]"),
        ({"url": "http://127.0.0.1:1/v1"}, "server http://127.0.0.1:1/v1 cannot be reached ("),
    ],
)
def test_what_is_wrong_is_told_before_the_first_call(
    server: SpeechServing, run: KeepingRunner, more: dict[str, Any], line: str
) -> None:
    async def main() -> None:
        async with voice_of(server, run, **more) as voice:
            with pytest.raises(AudioError) as caught:
                await voice.warm()
            assert line in str(caught.value)

    asyncio.run(main())


def test_other_formats_are_no_sound(server: SpeechServing, run: KeepingRunner) -> None:
    async def main() -> None:
        async with voice_of(server, run) as voice:
            server.prefix = b"RIFF----WAVE"
            with pytest.raises(AudioError, match="sent WAV where raw PCM was asked for"):
                await spoken(voice, "Hello")
            server.prefix, server.silent = b"", True
            with pytest.raises(AudioError, match="sent no sound; look at its log"):
                await spoken(voice, "Hello")

    asyncio.run(main())


def test_the_key_goes_to_the_server_and_nowhere_else(
    run: KeepingRunner, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-of-another-server")
    caplog.set_level(logging.DEBUG)

    async def main(server: SpeechServing, key: str) -> str:
        from audio.engines.openai_server.faults import Server

        assert SECRET not in repr(Server("[voice]", server.url, SPEAKS, key=SECRET))
        async with voice_of(server, run, key_name="SPEECH_KEY" if key else "", key=key) as voice:
            try:
                await spoken(voice, "Hello.")
            except AudioError as error:
                return str(error)
        return ""

    with SpeechServing(key=SECRET) as server:
        assert asyncio.run(main(server, SECRET)) == ""
        assert server.headers[-1]["authorization"] == f"Bearer {SECRET}"
        assert "another-server" not in str(server.headers)
        server.faults.append(Fault("status", status=400, message=f"no {SECRET} here"))
        assert "(status 400: no *** here)" in asyncio.run(main(server, SECRET))
        server.key = "changed"
        refused = asyncio.run(main(server, SECRET))
        assert "refuses the key in SPEECH_KEY (status 401); put a valid key into SPEECH_KEY" in refused
        assert "refuses a request without a key (status 401); name its variable" in asyncio.run(main(server, ""))
    assert SECRET not in refused + caplog.text


def test_speed_is_only_sent_where_it_was_asked_for(server: SpeechServing, run: KeepingRunner) -> None:
    async def main() -> None:
        async with voice_of(server, run, speed=1.25) as voice:
            await spoken(voice, "Hello.")

    asyncio.run(main())
    assert server.asked[0]["speed"] == 1.25
    from audio.engines.openai_audio.voice import OpenAIVoiceSettings

    with pytest.raises(VoiceError, match=r"speed is 5; the protocol takes 0\.25 to 4"):
        OpenAIVoiceSettings("slt", 5)
    with pytest.raises(VoiceError, match="voice is empty"):
        OpenAIVoiceSettings(" ")
