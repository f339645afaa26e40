"""The recogniser behind a real server, by the official client: the server hears with pocketsphinx what clips say."""

from __future__ import annotations

import asyncio
import importlib.util
import wave
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audio.engines.sphinx import pool as sphinx
from audio.frame import AudioError, FrameError, Pcm, silence
from audio.language.files import LanguageFiles, build_language
from tests.audio.engines.conftest import KeepingRunner
from tests.audio.engines.speech_server import HEARS, Fault, SpeechServing

DEMO = Path(__file__).resolve().parents[3] / "examples" / "front_desk" / "calls" / "demo"
SENTENCES = ["hi i would like to come in on um", "hello i need to see somebody", "on wednesday please", "yes please"]

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("openai") is None, reason="openai is not installed (extra openai)"),
    pytest.mark.skipif(sphinx.missing() is not None, reason=str(sphinx.missing())),
]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="session")
def language(tmp_path_factory: pytest.TempPathFactory) -> LanguageFiles:
    return build_language(SENTENCES, [], tmp_path_factory.mktemp("language"), off_script=False)


@pytest.fixture
def server(language: LanguageFiles) -> Iterator[SpeechServing]:
    with SpeechServing(language) as serving:
        yield serving


def clip(name: str) -> Pcm:
    with wave.open(str(DEMO / f"{name}.wav"), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def recogniser_of(server: SpeechServing, run: KeepingRunner, **more: Any) -> Any:
    from audio.engines.openai_audio.recogniser import OpenAIRecogniser
    from audio.engines.openai_server.faults import Server

    language = more.pop("language", "en")
    where = {"section": "[recogniser]", "url": server.url, "model": HEARS, "timeout_s": 60.0, **more}
    return OpenAIRecogniser(run, Server(**where), language)


def listening(server: SpeechServing, run: KeepingRunner, talk: Callable[[Any], Any], **more: Any) -> Any:
    async def main() -> Any:
        async with recogniser_of(server, run, **more) as recogniser:
            stream = await recogniser.open()
            try:
                return await talk(stream)
            finally:
                await stream.close()

    return asyncio.run(main())


def test_a_segment_is_sent_when_it_is_over_and_comes_back_as_plain_words(
    server: SpeechServing, run: KeepingRunner
) -> None:
    speech = clip("request-1")

    async def talk(stream: Any) -> Any:
        for start in range(0, len(speech), 3200):
            assert await stream.feed(speech[start : start + 3200]) == []
        assert server.asked == []
        return await stream.finish()

    final = listening(server, run, talk)
    assert final.text.startswith("hi i would like to come in")
    assert final.text == final.text.lower()
    assert "." not in final.text
    assert (final.at_sample, final.final) == (len(speech), True)
    assert all(0 <= word.start_sample <= word.end_sample <= len(speech) for word in final.words)
    assert all(a.start_sample < b.start_sample for a, b in pairwise(final.words))
    (asked,) = server.asked
    assert (asked["model"], asked["language"], asked["response_format"]) == (HEARS, "en", "verbose_json")
    (job,) = run.done
    assert job[0] == "asr"
    assert job[2] == pytest.approx(len(speech) / 16_000)


def test_a_server_without_word_times_is_asked_once_and_the_words_are_spread(
    server: SpeechServing, run: KeepingRunner
) -> None:
    speech = clip("request-1")

    async def talk(stream: Any) -> list[Any]:
        heard = []
        for _ in range(2):
            await stream.feed(speech)
            heard.append(await stream.finish())
        return heard

    timed, *_ = listening(server, run, talk)
    server.times = False
    server.asked.clear()
    spread, again = listening(server, run, talk)
    assert [one["response_format"] for one in server.asked] == ["verbose_json", "json", "json"]
    assert spread.text == timed.text == again.text
    assert spread.words[0].start_sample == 0
    assert spread.words[-1].end_sample == len(speech)
    assert all(a.end_sample == b.start_sample for a, b in pairwise(spread.words))


def test_each_segment_counts_from_its_own_start_and_silence_has_no_words(
    server: SpeechServing, run: KeepingRunner
) -> None:
    async def talk(stream: Any) -> None:
        nothing = await stream.finish()
        assert (tuple(nothing.words), nothing.at_sample) == ((), 0)
        assert server.asked == [], "nothing is sent where nothing was said"
        for name in ("request-1", "day-1"):
            await stream.feed(clip(name))
            final = await stream.finish()
            assert final.at_sample == len(clip(name))
            assert final.words
        await stream.feed(silence(800))  # 0.05 s: the protocol takes no less than 0.1
        short = await stream.finish()
        assert short.at_sample == 800
        assert all(word.end_sample <= 800 for word in short.words)

    listening(server, run, talk)


def test_two_calls_at_once_hear_what_each_hears_alone(server: SpeechServing, run: KeepingRunner) -> None:
    names = ("request-1", "day-1")

    async def hear(recogniser: Any, name: str) -> str:
        stream = await recogniser.open()
        await stream.feed(clip(name))
        text = (await stream.finish()).text
        await stream.close()
        return str(text)

    async def main() -> None:
        async with recogniser_of(server, run) as recogniser:
            alone = [await hear(recogniser, name) for name in names]
        assert alone[0] != alone[1]
        server.times = False  # which both find out at once
        async with recogniser_of(server, run) as recogniser:
            assert await asyncio.gather(*(hear(recogniser, name) for name in names)) == alone

    asyncio.run(main())


@pytest.mark.parametrize(
    ("faults", "line", "asked"),
    [
        ([Fault("status", status=503)], "", 2),
        ([Fault("status")] * 2, "failed (status 500: out of memory); look at its log", 2),
        ([Fault("status", status=429, message="slow")], "takes no more requests now (429): slow; ask it for", 1),
        (
            [Fault("status", status=413, message="big")],
            "refuses the request (status 413: big); correct [recogniser]",
            1,
        ),
    ],
)
def test_what_may_help_is_tried_once_more(
    server: SpeechServing, run: KeepingRunner, faults: list[Fault], line: str, asked: int
) -> None:
    server.faults.extend(faults)

    async def talk(stream: Any) -> None:
        await stream.feed(clip("yes-1"))
        if line:
            with pytest.raises(AudioError) as caught:
                await stream.finish()
            assert line in str(caught.value)
        else:
            assert (await stream.finish()).words

    listening(server, run, talk)
    assert len(server.asked) == asked


def test_warming_tells_what_is_wrong_and_what_the_server_can(server: SpeechServing, run: KeepingRunner) -> None:
    async def main() -> None:
        async with recogniser_of(server, run, model="hears-9") as recogniser:
            with pytest.raises(AudioError, match=r"knows no model 'hears-9'.*correct \[recogniser\] model or base_url"):
                await recogniser.warm()
        server.times = False
        server.asked.clear()
        async with recogniser_of(server, run, language="") as recogniser:
            await recogniser.warm()
            await recogniser.warm()
        assert [one["response_format"] for one in server.asked] == ["verbose_json", "json", "json"]
        assert not [one for one in server.asked if "language" in one]

    asyncio.run(main())


def test_what_is_closed_refuses(server: SpeechServing, run: KeepingRunner) -> None:
    async def main() -> None:
        recogniser = recogniser_of(server, run)
        first, second = await recogniser.open(), await recogniser.open()
        with pytest.raises(FrameError, match="float64"):
            await first.feed(np.zeros(3))
        with pytest.raises(AudioError, match=r"longer than 600 s \(finish it in a pause\)"):
            await first.feed(silence(600 * 16_000 + 1))
        await first.close()
        await first.close()
        with pytest.raises(AudioError, match="stream was closed"):
            await first.feed(silence(1))
        await recogniser.close()
        await recogniser.close()
        with pytest.raises(AudioError, match="recogniser was closed"):
            await second.finish()
        with pytest.raises(AudioError, match="recogniser was closed"):
            await recogniser.open()
        await second.close()

    asyncio.run(main())


def test_closing_wakes_who_waits_for_words(server: SpeechServing, run: KeepingRunner) -> None:
    async def finished(stream: Any) -> str:
        await stream.feed(clip("request-1"))
        try:
            await stream.finish()
        except AudioError as error:
            return str(error)
        return ""

    async def main() -> None:
        recogniser = recogniser_of(server, run)
        stream = await recogniser.open()
        async with asyncio.TaskGroup() as group:
            waiting = group.create_task(finished(stream))
            await asyncio.to_thread(server.reached, 1)
            await recogniser.close()
        assert "recogniser was closed" in waiting.result()

    asyncio.run(main())
