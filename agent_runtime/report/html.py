"""The report of a call: one HTML page that holds everything it shows and asks no network for anything.

Lanes, tables and the conversation are written as elements, so the page reads without a script; the script zooms,
scrolls, plays and filters. Only the recording is not inside: it is played from beside the page where it lies there.
This file refuses to decide what stands where on the drawing (`lanes`) and what a latency is (`latency`).
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from agent_runtime.account import account, line
from agent_runtime.labels import Labels
from agent_runtime.latency import Figure, summary
from agent_runtime.record import Entry, encode

from .lanes import Call, read_call
from .marks import Line, Mark
from .peaks import Peaks, flat_peaks, read_peaks

__all__ = ["render", "write_report"]

LANES = (
    ("heard", "heard", "What the recogniser made of each stretch of speech, words at their times"),
    ("partials", "partials", "Hypotheses while the caller speaks: stable words, then words that may change"),
    ("thoughts", "thinking", "Generations with the note the model wrote and what it expects next"),
    ("tools", "tools", "Tool calls as the model wrote them, and their results"),
    ("decisions", "decisions", "What the mind decided, silence among it, with its reason"),
    ("speaking", "speaking", "What the agent said; what nobody heard is grey"),
)

TILES = ("first_sound", "first_answer", "yield", "cut_ins", "backchannels_cut", "tool_hidden")


def write_report(
    entries: Sequence[Entry], path: Path, caller_pcm_path: Path | None = None, labels: Labels | None = None
) -> None:
    """Write the page to `path`, whole or not at all.

    `caller_pcm_path`: the call's recording (``call.wav``, left caller, right agent); its waveforms are drawn, and the
    page plays it from where it lies. `labels`: who really spoke when; without them latencies are called estimates.
    Raises ValueError for an empty log or a recording that cannot be drawn.
    """
    peaks = read_peaks(caller_pcm_path) if caller_pcm_path else None
    source = ""
    if caller_pcm_path:
        source = Path(os.path.relpath(caller_pcm_path.resolve(), path.resolve().parent)).as_posix()
    page = render(entries, peaks, labels, source)
    partly = path.with_name(path.name + ".part")
    try:
        partly.write_text(page, encoding="utf-8", newline="\n")
        partly.replace(path)
    finally:
        partly.unlink(missing_ok=True)


def render(entries: Sequence[Entry], peaks: Peaks | None, labels: Labels | None, sound_source: str) -> str:
    """The page as text; the same arguments give the same page."""
    call = read_call(entries, labels)
    peaks = peaks or flat_peaks(call.caller_spans, call.agent_spans, call.length_s)
    figures = summary([call.timing] if call.timing else [])
    truth = "measured from the script's labels"
    if labels is None:
        truth = "estimated from the detector's edges; no labels were given"
    if call.trouble:
        truth = f"not measured: {call.trouble}"
    data = {
        "length": round(call.length_s, 3),
        "bucket": peaks.bucket_s,
        "caller": base64.b64encode(peaks.caller).decode(),
        "agent": base64.b64encode(peaks.agent).decode(),
        "entries": [_row(entry) for entry in entries],
    }
    folder = files("agent_runtime.report")
    return Template((folder / "page.html").read_text(encoding="utf-8")).substitute(
        title=escape(f"{call.agent}: call {call.call_id}"),
        agent=escape(call.agent),
        facts="".join(f"<span>{escape(fact)}</span>" for fact in (*_facts(call), line([account(entries)])) if fact),
        result=escape(call.result),
        tiles="".join(_tile(figure) for key in TILES for figure in figures if figure.key == key),
        lanes="".join(_lane(*lane, call) for lane in LANES),
        lines="".join(_line(line) for line in call.lines),
        figures="".join(_figure(figure) for figure in figures),
        truth=escape(truth),
        sound=escape(sound_source),
        wave="from the recording" if peaks.measured else "no recording: flat where somebody spoke",
        style=(folder / "page.css").read_text(encoding="utf-8"),
        script=(folder / "page.js").read_text(encoding="utf-8"),
        data=_for_script(data),
    )


def _for_script(data: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _row(entry: Entry) -> list[Any]:
    """seq, ms, cause, kind, type and fields of an entry, as the log's own line has them."""
    line = json.loads(encode(entry))
    fields = {**line["data"], **line.get("personal", {})}
    return [entry.seq, entry.at_us / 1000, entry.cause, line["kind"][0], line["type"], fields]


def _facts(call: Call) -> Iterator[str]:
    yield f"call {call.call_id}"
    yield call.direction
    yield call.date
    yield clock(call.length_s)
    yield call.outcome
    yield f"{call.overlapped_s:.1f} s of thinking and tools under speech"


def _lane(name: str, title: str, says: str, call: Call) -> str:
    marks = "".join(_mark(mark) for mark in call.lanes[name])
    if name == "thoughts":
        marks += "".join(_mark(mark) for mark in call.lanes["prefills"])
    if name == "speaking":
        marks += "".join(_mark(mark) for mark in call.lanes["gaps"])
    head = f'<div class="head" title="{escape(says)}">{escape(title)}</div>'
    group = f'class="lane {name}" role="group" aria-label="{escape(title)}"'
    return f'<div {group}>{head}<div class="row">{marks}</div></div>'


def _mark(mark: Mark) -> str:
    """One mark: its place as custom properties, so that zooming changes one number for all of them."""
    place = f"--t:{mark.start_s:.3f};--d:{max(0.0, mark.end_s - mark.start_s):.3f};--r:{mark.room_s - mark.start_s:.3f}"
    tip = "\n".join(f"{name}\t{value}" for name, value in mark.tip)
    inner = f"<b>{escape(mark.text)}</b>" if mark.text else ""
    if mark.tail:
        inner += f"<i>{escape(mark.tail)}</i>"
    if mark.words:
        spoken = (f'<s style="--t:{word.start_s - mark.start_s:.3f}">{escape(word.text)}</s>' for word in mark.words)
        inner += f"<u>{''.join(spoken)}</u>"
    if mark.level[0]:
        place += f";--h:{mark.level[0]:.2f};--k:{mark.level[1]:.2f}"
    kind = " ".join("m-" + part for part in mark.kind.split())
    if mark.end_s - mark.start_s < 0.8 and mark.room_s - mark.start_s > 0.8:
        kind += " m-brief"
    return (
        f'<div class="mark {kind}" style="{place}" tabindex="-1" data-tip="{escape(tip)}" data-seq="{mark.seq}">'
        f"{inner}</div>"
    )


def _line(line: Line) -> str:
    who = {"caller": "caller", "agent": "agent", "tool": "tool"}[line.party]
    text = f"<span>{escape(line.text)}</span>"
    if line.party == "tool":
        text = f"<code>{escape(line.text)}</code> <span class='arrow'>→</span> <code>{escape(line.note)}</code>"
    if line.unheard:
        text += f' <del title="nobody heard this">{escape(line.unheard)}</del>'
    if line.note and line.party == "agent":
        text += f" <small>{escape(line.note)}</small>"
    return (
        f'<li class="{who}"><button data-at="{line.start_s:.3f}" data-end="{line.end_s:.3f}">'
        f"<time>{clock(line.start_s)}</time><em>{who}</em><p>{text}</p></button></li>"
    )


def _tile(figure: Figure) -> str:
    detail = f"n {figure.n}" if figure.n else "nothing to measure"
    if figure.p95 is not None:
        detail = f"p95 {_number(figure.p95)} ms · {detail}"
    unit = " ms" if figure.unit == "ms" else ""
    value = "–" if figure.value is None else f"{_value(figure)}<small>{unit}</small>"
    return f'<div class="tile"><dt>{escape(figure.name)}</dt><dd>{value}</dd><p>{detail}</p></div>'


def _figure(figure: Figure) -> str:
    p95 = "–" if figure.p95 is None else f"{_number(figure.p95)} ms"
    value = "–" if figure.value is None else _value(figure) + (" ms" if figure.unit == "ms" else "")
    return f"<tr><th scope='row'>{escape(figure.name)}</th><td>{value}</td><td>{p95}</td><td>{figure.n}</td></tr>"


def _value(figure: Figure) -> str:
    assert figure.value is not None
    return _number(figure.value) if figure.unit == "ms" else f"{100 * figure.value:.0f} %"


def _number(value: float) -> str:
    return f"{value:,.0f}".replace(",", " ")


def clock(seconds: float) -> str:
    """``1:02.3``: minutes, seconds, tenths."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
