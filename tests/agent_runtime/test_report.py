"""The report of a call: what is drawn where, that the page is whole and harmless, and that a browser likes it."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import wave
import xml.etree.ElementTree as ET
from dataclasses import fields, replace
from html import unescape
from pathlib import Path

import pytest

from agent_runtime import commands as do
from agent_runtime import events as ev
from agent_runtime.labels import Labels
from agent_runtime.record import Entry
from agent_runtime.report import write_picture, write_report
from agent_runtime.report.lanes import covered, read_call
from agent_runtime.report.marks import Mark, with_room
from agent_runtime.report.peaks import flat_peaks, read_peaks
from agent_runtime.report.picture import busiest
from agent_runtime.report.speech import split_words
from tests.agent_runtime.made_call import MadeCall, at, front_desk, write_sound

CALL = front_desk()
ENTRIES = CALL.entries()
LABELS = Labels.parse(CALL.labels())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the recording and the page of the made call."""
    made = tmp_path_factory.mktemp("call")
    write_sound(CALL, made / "call.wav")
    write_report(ENTRIES, made / "report.html", made / "call.wav", LABELS)
    return made


# --- what stands where -------------------------------------------------------------------------------------------


def test_what_was_heard_stands_at_its_words() -> None:
    first = read_call(ENTRIES, LABELS).lanes["heard"][0]
    assert (first.start_s, first.end_s) == (3.6, 6.1)
    assert first.words[0].text == "hello"
    assert first.words[0].start_s == 3.6
    assert [word.text for word in first.words] == first.text.split()


def test_unheard_words_stand_after_the_cut() -> None:
    lanes = read_call(ENTRIES, LABELS).lanes
    rest = [mark for mark in lanes["speaking"] if mark.kind == "unheard"]
    assert rest[0].text == "last name, please? it is for the doctor's list."
    assert rest[0].start_s == 30.24


def test_a_yield_divides_the_clause_it_paused() -> None:
    marks = [mark for mark in read_call(ENTRIES, LABELS).lanes["speaking"] if 15 < mark.start_s < 20]
    said = [mark for mark in marks if mark.kind == "said answer"]
    (held,) = (mark for mark in marks if mark.kind == "held")
    assert len(said) == 2
    assert said[0].end_s == held.start_s == 17.03
    assert said[1].start_s == held.end_s == 17.5
    assert f"{said[0].text} {said[1].text}" == said[0].tip[0][1]


def test_thoughts_show_note_and_expectation() -> None:
    thought = read_call(ENTRIES, LABELS).lanes["thoughts"][1]
    assert (thought.text, thought.tail) == ("book wednesday - - - -", "slots")
    assert dict(thought.tip)["ended"] == "called, 14 tokens"


def test_tools_show_call_and_result() -> None:
    slots, book = read_call(ENTRIES, LABELS).lanes["tools"]
    assert (slots.text, slots.tail) == ("find_slots day wednesday", "nine thirty eleven two thirty")
    assert round(slots.end_s - slots.start_s, 3) == 1.5
    assert read_call(ENTRIES, LABELS).result == "book day wednesday time eleven name miller → ok"
    assert book.tail == "ok"


def test_decisions_carry_reason_scores_and_cause() -> None:
    marks = read_call(ENTRIES, LABELS).lanes["decisions"]
    kinds = {mark.kind for mark in marks}
    assert {"speak", "think", "filler", "tool", "silence", "yield", "resume", "hang_up"} <= kinds
    silence = next(mark for mark in marks if mark.kind == "silence")
    assert dict(silence.tip)["reason"] == "the caller asked for a moment"
    think = next(mark for mark in marks if mark.kind == "think")
    assert dict(think.tip)["p_over"] == "0.91"
    assert "FinalTranscript" in dict(think.tip)["on"]


def test_gaps_are_the_first_sounds() -> None:
    gaps = read_call(ENTRIES, LABELS).lanes["gaps"]
    assert [mark.text for mark in gaps][:2] == ["460 ms", "600 ms"]
    assert (gaps[0].start_s, gaps[0].end_s) == (6.1, 6.56)


def test_a_partial_grows_to_the_height_of_its_segment() -> None:
    levels = [mark.level for mark in read_call(ENTRIES, LABELS).lanes["partials"]][:9]
    assert levels[-1][0] == 1.0
    assert [level[0] for level in levels] == sorted(level[0] for level in levels)
    assert all(stable <= known for known, stable in levels)


def test_the_conversation_reads_in_order() -> None:
    lines = read_call(ENTRIES, LABELS).lines
    assert [line.party for line in lines][:7] == ["agent", "caller", "agent", "caller", "caller", "tool", "agent"]
    assert [line.start_s for line in lines] == sorted(line.start_s for line in lines)
    assert next(line for line in lines if line.unheard).text == "eleven o'clock, good. may i have your"


def test_failed_tools_faults_keys_and_lost_audio_are_drawn() -> None:
    call = MadeCall()
    call.add(0.0, ev.CallAnswered(0))
    order = call.add(1.0, do.CallTool(1, "book", {"day": "monday"}))
    call.add(2.0, ev.ToolFailed(1, "book", "timed_out", "no result within 1 s"), order)
    call.add(2.5, ev.PartFailed("voice", True, "killed"))
    call.add(3.0, ev.DigitPressed(at(3.0), "5"))
    call.add(3.1, ev.AudioLost(at(3.1), at(0.4), "queue full"))
    call.add(4.0, ev.CallEnded("failed", at(4.0), "voice"))
    drawn = read_call(call.entries())
    (tool,) = drawn.lanes["tools"]
    assert (tool.kind, tool.text, tool.tail) == ("tool failed", "book day monday", "timed out: no result within 1 s")
    assert [mark.kind for mark in drawn.lanes["heard"]] == ["key", "lost"]
    assert [mark.text for mark in drawn.lanes["decisions"]] == ["voice failed"]
    assert (drawn.outcome, drawn.result) == ("failed: voice", "no tool returned a result")


def test_every_beginning_of_a_log_can_be_drawn(tmp_path: Path) -> None:
    for cut in range(1, len(ENTRIES), 29):
        write_report(ENTRIES[:cut], tmp_path / "report.html")
        write_picture(ENTRIES[:cut], tmp_path / "picture.svg")


def test_room_reaches_to_the_next_mark() -> None:
    marks = [Mark("a", 1.0, 1.2, ""), Mark("a", 1.0, 1.1, ""), Mark("a", 3.0, 9.5, "")]
    assert [mark.room_s for mark in with_room(marks, 9.0)] == [1.0, 3.0, 9.5]


def test_words_are_divided_by_time() -> None:
    assert split_words("one two three four", 0.0, 5.0, [(0.0, 1.0), (2.0, 5.0)]) == [
        (0.0, 1.0, "one"),
        (2.0, 5.0, "two three four"),
    ]


def test_covered_time_counts_once() -> None:
    assert covered([(0.0, 4.0), (1.0, 5.0)], [(3.0, 6.0), (2.0, 3.5)]) == pytest.approx(3.0)


def test_an_empty_log_is_refused() -> None:
    with pytest.raises(ValueError, match="no entries"):
        read_call([])


# --- the page ----------------------------------------------------------------------------------------------------


def test_the_page_asks_nobody_for_anything(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    outside = re.sub(r"http://www\.w3\.org/2000/svg", "", page)
    assert "http:" not in outside
    assert "https:" not in outside
    assert re.findall(r"<(?:link|script|img|iframe)[^>]+(?:src|href)=\"(?!data:)", page) == []
    assert "default-src 'none'" in page


def test_two_minutes_stay_below_a_megabyte(folder: Path) -> None:
    per_second = (folder / "report.html").stat().st_size / ENTRIES[-1].at_s
    assert per_second * 120 < 1_000_000


def moved(entry: Entry, times: int) -> Entry:
    """An entry of the made call as it stands in the `times`-th repetition of the call."""
    length_samples = at(ENTRIES[-1].at_s + 1.0)
    steps = {"utterance": 20, "generation": 20, "call": 5, "segment": 30, "revision": 200}
    what = entry.what
    changes: dict[str, object] = {}
    for field in fields(what):
        value = getattr(what, field.name)
        if field.name in ("sample", "known_sample", "end_sample"):
            changes[field.name] = value + times * length_samples
        elif field.name in steps:
            changes[field.name] = value + times * steps[field.name]
        elif field.name == "words":
            changes[field.name] = tuple(
                (word, first + times * length_samples, last + times * length_samples) for word, first, last in value
            )
    n = len(ENTRIES)
    return Entry(
        entry.seq + times * n,
        entry.at_us + times * length_samples * 1_000_000 // 16_000,
        entry.cause + times * n if entry.cause else 0,
        replace(what, **changes),
    )


def test_ten_minutes_are_written_and_drawn(tmp_path: Path) -> None:
    long = [moved(entry, times) for times in range(11) for entry in ENTRIES]
    write_report(long, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert len(page) < 5_000_000
    assert page.count("of course. which day suits you?</span>") == 11


def test_a_log_that_contradicts_itself_is_drawn_without_figures(tmp_path: Path) -> None:
    later = Labels((replace(LABELS.turns[0], first_sample=0, last_sample=1, segments=((0, 1),)),))
    write_report(ENTRIES, tmp_path / "good.html", labels=later)
    broken = [replace(e, what=replace(e.what, sample=e.what.sample - at(2))) if isinstance(e.what, ev.UtteranceEnded)
              and e.what.reason == "cancelled" else e for e in ENTRIES]  # fmt: skip
    broken = [replace(e, what=replace(e.what, sample=at(1))) if isinstance(e.what, ev.UtteranceResumed) else e
              for e in broken]  # fmt: skip
    write_report(broken, tmp_path / "bad.html", labels=LABELS)
    assert "not measured: overlap 3" in (tmp_path / "bad.html").read_text(encoding="utf-8")


def test_every_entry_is_in_the_page(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    raw = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert raw is not None
    data = json.loads(raw[1])
    assert [row[0] for row in data["entries"]] == [entry.seq for entry in ENTRIES]
    assert len(base64.b64decode(data["caller"])) == len(base64.b64decode(data["agent"]))


def test_words_of_strangers_cannot_become_code(tmp_path: Path) -> None:
    nasty = "</script><script>alert('&')</script><img src=x onerror=alert(1)>\u2028"
    call = MadeCall()
    call.add(0.0, ev.CallStarted("<b>", "inbound", "s", "<i>", "2026-11-23", 1, "x", nasty))
    call.add(0.1, ev.CallAnswered(at(0.1)))
    call.caller(1.0, (nasty, 1.0))
    write_report(call.entries(), tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert page.count("</script>") == 2


def test_the_same_log_gives_the_same_page(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / "call.wav", tmp_path / "call.wav")
    write_report(ENTRIES, tmp_path / "report.html", tmp_path / "call.wav", LABELS)
    assert (tmp_path / "report.html").read_bytes() == (folder / "report.html").read_bytes()


def test_estimates_say_so(tmp_path: Path) -> None:
    write_report(ENTRIES, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "estimated from the detector" in page
    assert "no recording" in page
    assert 'data-src=""' in page


def test_a_recording_elsewhere_is_named_from_the_page(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "sound").mkdir()
    shutil.copy(folder / "call.wav", tmp_path / "sound" / "call.wav")
    write_report(ENTRIES, tmp_path / "report.html", tmp_path / "sound" / "call.wav")
    assert 'data-src="sound/call.wav"' in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_nothing_half_written_stays(tmp_path: Path) -> None:
    (tmp_path / "call.wav").write_bytes(b"no wave at all")
    with pytest.raises(ValueError, match=r"call\.wav is no WAV"):
        write_report(ENTRIES, tmp_path / "report.html", tmp_path / "call.wav")
    assert [path.name for path in tmp_path.iterdir()] == ["call.wav"]


USE = """
const out = {}, press = (key, on) => on.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const near = () => document.getElementById("track").style.getPropertyValue("--pps");
const rows = () => document.querySelectorAll("#rows tr").length;
const first = document.querySelector(".decisions .mark[tabindex='0']");
first.focus();
press("ArrowRight", document.activeElement);
out.moved = document.activeElement !== first && document.activeElement.matches(".decisions .mark");
press("ArrowUp", document.activeElement);
out.lane = document.activeElement.closest(".lane").className;
const before = near();
press("+", document.activeElement);
out.closer = +near() > +before;
const words = document.getElementById("words");
words.value = "find_slots requested";
words.dispatchEvent(new Event("input"));
out.filtered = rows();
document.querySelectorAll(".lines button")[3].click();
out.now = document.getElementById("now").textContent;
out.active = document.querySelectorAll(".lines .active").length;
document.querySelector(".speaking .m-unheard").click();
out.picked = document.querySelector(".picked td:nth-child(4)").textContent;
out.theme = (document.getElementById("theme").click(), document.documentElement.dataset.theme);
document.body.dataset.out = JSON.stringify(out);
"""
"""What somebody at the keyboard does with the page."""


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed (make system)")
def test_a_browser_and_a_keyboard_can_use_the_page(folder: Path) -> None:
    page = (folder / "report.html").read_text(encoding="utf-8")
    (folder / "used.html").write_text(page.replace("</body>", f"<script>{{{USE}}}</script></body>"), encoding="utf-8")
    arguments = "--headless --no-sandbox --disable-gpu --enable-logging=stderr --virtual-time-budget=2000 --dump-dom"
    run = subprocess.run(
        ["chromium", *arguments.split(), f"--user-data-dir={folder / 'profile'}", f"file://{folder / 'used.html'}"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "CONSOLE" not in run.stderr
    assert 'title="Play or pause (space)">' in run.stdout, "the play button is shown"
    raw = re.search(r'data-out="([^"]*)"', run.stdout)
    assert raw is not None
    assert json.loads(unescape(raw[1])) == {
        "moved": True,
        "lane": "lane tools",
        "closer": True,
        "filtered": 1,
        "now": "0:08.9",
        "active": 1,
        "picked": "Say",
        "theme": "dark",
    }


# --- peaks and picture -------------------------------------------------------------------------------------------


def test_peaks_are_the_loudest_sample_of_each_10_ms(tmp_path: Path) -> None:
    import numpy as np

    pcm = np.zeros((800, 2), "<i2")
    pcm[165, 0], pcm[330, 1] = -32768, 8192
    with wave.open(str(tmp_path / "call.wav"), "wb") as file:
        file.setparams((2, 2, 16_000, 0, "NONE", ""))
        file.writeframes(pcm.tobytes())
    peaks = read_peaks(tmp_path / "call.wav")
    assert (peaks.bucket_s, peaks.measured) == (0.01, True)
    assert list(peaks.caller) == [0, 255, 0, 0, 0]
    assert list(peaks.agent) == [0, 0, round(255 * (8192 / 32768) ** 0.5), 0, 0]


def test_three_channels_are_refused(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "call.wav"), "wb") as file:
        file.setparams((3, 2, 16_000, 0, "NONE", ""))
        file.writeframes(bytes(60))
    with pytest.raises(ValueError, match="3 channels of 16 bits"):
        read_peaks(tmp_path / "call.wav")


def test_without_a_recording_speech_is_flat() -> None:
    peaks = flat_peaks([(0.02, 0.04)], [], 0.06)
    assert [value > 0 for value in peaks.caller] == [False, False, True, True, False, False]
    assert set(peaks.agent) == {0}
    assert not peaks.measured


def test_the_picture_is_valid_and_stays_inside(folder: Path, tmp_path: Path) -> None:
    write_picture(ENTRIES, tmp_path / "picture.svg", folder / "call.wav", LABELS)
    root = ET.parse(tmp_path / "picture.svg").getroot()
    wide, high = float(root.attrib["width"]), float(root.attrib["height"])
    for node in root.iter():
        if "x" in node.attrib:
            assert 0 <= float(node.attrib["x"]) <= wide
            assert 0 <= float(node.attrib["y"]) <= high
    words = " ".join(root.itertext())
    for telling in ("front desk", "mm-hm", "find_slots day wednesday", "expects", "silence"):
        assert telling in words


def test_the_picture_shows_what_is_asked_for(tmp_path: Path) -> None:
    write_picture(ENTRIES, tmp_path / "picture.svg", span_s=(0.0, 4.0))
    assert "good morning" in (tmp_path / "picture.svg").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=r"span 50\.\.90 s lies outside"):
        write_picture(ENTRIES, tmp_path / "other.svg", span_s=(50.0, 90.0))
    assert not (tmp_path / "other.svg").exists()


def test_the_busiest_stretch_lies_within_the_call() -> None:
    call = read_call(ENTRIES, LABELS)
    begin_s, end_s = busiest(call)
    assert 0 <= begin_s < end_s <= call.length_s + 1e-9
    assert busiest(replace(call, length_s=12.0)) == (0.0, 12.0)
