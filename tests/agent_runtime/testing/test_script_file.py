"""Scripts as folders: the shipped one plays, bad ones get one line, the documented keys are the accepted ones."""

from __future__ import annotations

import asyncio
import re
import wave
from pathlib import Path

import pytest

from agent_runtime.clock import run_virtual
from agent_runtime.events import UtteranceEnded, UtteranceHeard, UtterancePaused, UtteranceStarted
from agent_runtime.record import Entry
from agent_runtime.testing import Clip, ClipError, ScriptedCaller, ScriptError, load_script, script_file
from agent_runtime.testing.script_file import read_script, render_script
from agent_runtime.testing.synthesis import available

DEMO = Path(__file__).resolve().parents[3] / "examples" / "front_desk" / "calls" / "demo"
RATE = 16_000


async def play(caller: ScriptedCaller, *agent: str) -> list[str]:
    """The agent says these texts, one after each of the caller's turns; gives up a text when it is barged into."""
    loop = asyncio.get_running_loop()

    def turns() -> list[int]:
        """Last samples of the caller's turns, backchannels left out."""
        return [turn.last_sample for turn in caller.labels().turns if turn.kind != "backchannel"]

    async def speak(number: int, text: str) -> None:
        before = len(turns())
        caller.watch(Entry(1, 0, 0, UtteranceStarted(number, round(loop.time() * RATE))))
        for done in range(len(text)):
            await asyncio.sleep(0.06)
            if len(turns()) > before:
                caller.watch(Entry(1, 0, 0, UtterancePaused(number, round(loop.time() * RATE))))
                caller.watch(Entry(1, 0, 0, UtteranceHeard(number, 1, False, text[:done])))
                break
        else:
            caller.watch(Entry(1, 0, 0, UtteranceHeard(number, 1, True, text)))
        caller.watch(Entry(1, 0, 0, UtteranceEnded(number, round(loop.time() * RATE), "played")))

    async def answer() -> None:
        for number, text in enumerate(agent, 1):
            await speak(number, text)
            for _ in range(200):
                await asyncio.sleep(0.05)
                if len(turns()) >= number and loop.time() * RATE > turns()[-1] + 4000:
                    break

    async with asyncio.TaskGroup() as group:
        desk = group.create_task(answer())
        async for _ in caller.listen_words():
            pass
        desk.cancel()
    return [name for name, _ in caller.said]


def test_the_shipped_call_as_it_should_go() -> None:
    caller = load_script(DEMO)
    lines = run_virtual(
        play(
            caller,
            "good morning, riverside clinic. how can i help?",
            "on wednesday morning i have eight, ten thirty or eleven. which one suits you?",
            "ten thirty, good. what name is it for?",
            "so that is wednesday at ten thirty for miller, is that right?",
            "done. you are booked on wednesday at ten thirty. is there anything else?",
            "thank you for calling. goodbye.",
        )
    )
    assert lines == ["request", "pick", "name", "listening", "yes", "goodbye"]
    kinds = [turn.kind for turn in caller.labels().turns]
    assert kinds == ["turn", "barge_in", "turn", "backchannel", "turn", "turn"]
    request = caller.labels().turns[0]
    (_, end), (start, _) = request.segments
    assert 0.68 < (start - end) / RATE < 0.74, "the hesitation of 700 ms, to the speech on both sides"


def test_the_shipped_call_with_an_agent_that_asks_otherwise() -> None:
    caller = load_script(DEMO)
    lines = run_virtual(
        play(
            caller,
            "hello?",
            "would you like to book or cancel?",
            "sure. which day suits you?",
            "i have nine. does that suit you?",
            "what is your name?",
            "so that is tuesday at ten thirty for miller, is that right?",
            "sorry. that is wednesday at ten thirty for miller, is that right?",
            "is there anything else?",
            "goodbye.",
        )
    )
    spoken = [name for name in lines if name not in ("pick", "listening")]
    assert spoken == ["request", "book", "day", "suits", "name", "wrong", "yes", "goodbye"]


def test_the_shipped_clips_are_small_complete_and_plain() -> None:
    names = [name for name, _ in read_script(DEMO).texts]
    assert {path.stem for path in DEMO.glob("*.wav")} == set(names)
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 1_500_000
    for path in DEMO.glob("*.wav"):
        with wave.open(str(path), "rb") as clip:
            assert (clip.getnchannels(), clip.getsampwidth(), clip.getframerate()) == (1, 2, RATE)


def test_the_documented_keys_are_the_accepted_ones() -> None:
    rows = re.findall(r"^(\w+|\[\[line\]\]) {2,}\S", script_file.__doc__ or "", re.MULTILINE)
    documented = {row.strip("[]") for row in rows} - {"key"}
    assert documented == set(script_file._TOP) | set(script_file._LINE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("voice = ", "cannot be read as TOML"),
        ("speaker = 'x'", "unknown key 'speaker'"),
        ("voice = 3", "voice = 3; expected str"),
        ("line = [1]", "line 1 is 1"),
        ("[[line]]\nsay = ['a']", "line 1 has name None"),
        ("[[line]]\nname = 'a/b'", "line 1 has name 'a/b'"),
        ("[[line]]\nname = 'a'", "needs either say"),
        ("[[line]]\nname = 'a'\nsay = ['b']\nwen = ['c']", "unknown key 'wen'"),
        ("[[line]]\nname = 'a'\nsay = ['b']\nkind = 'shout'", "kind 'shout'"),
        ("[[line]]\nname = 'a'\nsay = ['b']\nat_s = 1\ninto_turn_s = 2", "two triggers"),
        ("[[line]]\nname = 'a'\nsay = ['b']\nwhen = [1]", r"when = \[1\]"),
        ("[[line]]\nname = 'a'\nsay = ['b', 1.5]", "says 1.5"),
        ("[[line]]\nname = 'a'\nsay = ['b']\ninto_utterance = [1]", r"into_utterance = \[1\]"),
        ("[[line]]\nname = 'a'\nsay = ['b']\ninto_utterance = [0, 1]", "agent utterance 0"),
        ("[[line]]\nname = 'a'\nsay = ['b']\nat_s = true", "at_s = True"),
        ("[[line]]\nname = 'a'\nsay = ['b']\n[[line]]\nname = 'a'\nsay = ['c']", "used twice"),
        ("", "no lines"),
    ],
)
def test_bad_scripts_get_one_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "script.toml").write_text(text)
    with pytest.raises(ScriptError, match=message) as caught:
        read_script(tmp_path).caller(lambda _, words: Clip.estimated(words))
    assert "script.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_script_or_clip_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"script\.toml: no such file"):
        load_script(tmp_path)
    (tmp_path / "script.toml").write_text("[[line]]\nname = 'a'\nsay = ['hello']\n")
    with pytest.raises(ClipError, match=r"a-1\.wav: no such file"):
        load_script(tmp_path)


def test_clips_are_rendered_beside_the_script(tmp_path: Path) -> None:
    if (reason := available("flite-slt")) is not None:
        pytest.skip(reason)
    (tmp_path / "script.toml").write_text(
        "voice = 'flite-slt'\nhello = ['hello']\n[[line]]\nname = 'a'\nsay = ['on um', 700, 'monday']\nat_s = 1.0\n"
    )
    paths = render_script(tmp_path)
    assert [path.name for path in paths] == ["a-1.wav", "a-2.wav", "hello-1.wav"]
    assert all(path.with_suffix(".words.json").exists() for path in paths)
    assert load_script(tmp_path).facts["direction"] == "inbound"
