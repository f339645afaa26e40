"""A stretch of a call as one still picture: the lanes of the report as SVG, for a README or a bug report.

Nothing in it moves or loads; fonts are the reader's. The stretch is chosen by what happens in it unless it is given.
This file refuses to decide what stands where (`lanes` does) and draws no latency that is not on the page too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from agent_runtime.labels import Labels
from agent_runtime.record import Entry

from .lanes import Call, read_call
from .marks import Mark
from .peaks import Peaks, flat_peaks, read_peaks

__all__ = ["busiest", "draw", "write_picture"]

WINDOW_S = 20.0
"""How much of a long call one picture shows: shrunk to the width of a README its words can still be read."""

TELLING = {"tool": 6, "said filler": 4, "unheard": 8, "held": 5, "yield": 4, "resume": 3, "silence": 5, "heard": 3}
"""What a picture should show; a kind counts once in full and a tenth for each further time. A taste, no measure."""

WIDTH, HEAD, TOP = 1040, 84, 58
INK, SOFT, PAPER, LINE, GRID, GREY = "#1d1e24", "#6a6a72", "#fffefb", "#dcd8ce", "#efece5", "#a09d95"
CALLER, CALLER_TINT, AGENT, AGENT_TINT = "#2f6fb7", "#dfeaf6", "#c8552b", "#fae3d8"
THINK, TOOL, TOOL_TINT, ALARM = "#7a5bc7", "#2c8a5e", "#d9f0e4", "#b3261e"
CHAR = 5.65
"""Average width of a character at 11.5 px in the usual sans-serif fonts; texts are cut by it."""

ROWS = (
    ("caller", 54), ("heard", 48), ("partials", 30), ("thinking", 40), ("tools", 30), ("decisions", 26),
    ("speaking", 60), ("agent", 54),
)  # fmt: skip

LEGEND = (("unheard", GREY), ("tools", TOOL), ("thinking", THINK), ("agent", AGENT), ("caller", CALLER))

DOTS = {
    "think": THINK, "tool": TOOL, "speak": AGENT, "resume": AGENT, "backchannel": AGENT, "filler": AGENT,
    "yield": ALARM, "hang_up": ALARM, "fault": ALARM, "silence": INK,
}  # fmt: skip


def write_picture(
    entries: Sequence[Entry],
    path: Path,
    caller_pcm_path: Path | None = None,
    labels: Labels | None = None,
    span_s: tuple[float, float] | None = None,
) -> None:
    """Write the SVG of `span_s` (start and end in seconds; the busiest stretch if None) to `path`.

    The other arguments are those of `write_report`. Raises ValueError for a span that lies outside of the call.
    """
    call = read_call(entries, labels)
    if span_s is not None and not 0 <= span_s[0] < span_s[1] <= call.length_s + 1:
        raise ValueError(f"span {span_s[0]:g}..{span_s[1]:g} s lies outside of the call's {call.length_s:g} s")
    peaks = read_peaks(caller_pcm_path) if caller_pcm_path else None
    peaks = peaks or flat_peaks(call.caller_spans, call.agent_spans, call.length_s)
    path.write_text(draw(call, peaks, span_s or busiest(call)), encoding="utf-8", newline="\n")


def busiest(call: Call, window_s: float = WINDOW_S) -> tuple[float, float]:
    """The stretch of `window_s` in which most of what makes calls interesting happens; the whole of a short call."""
    if call.length_s <= window_s * 1.2:
        return 0.0, call.length_s
    marks = [mark for lane in call.lanes.values() for mark in lane if mark.kind in TELLING]
    begins = [max(0.0, first - 0.6) for first, _ in (*call.caller_spans, *call.agent_spans)]

    def worth(start_s: float) -> float:
        seen: dict[str, int] = {}
        for mark in marks:
            if start_s <= mark.start_s and mark.end_s <= start_s + window_s:
                seen[mark.kind] = seen.get(mark.kind, 0) + 1
        cut_through = any(first < start_s < last for first, last in (*call.caller_spans, *call.agent_spans))
        return sum(TELLING[kind] * (1 + 0.1 * (n - 1)) for kind, n in seen.items()) - 5 * cut_through

    start_s = max((min(begin, call.length_s - window_s) for begin in begins or [0.0]), key=worth)
    return start_s, start_s + window_s


def draw(call: Call, peaks: Peaks, span_s: tuple[float, float]) -> str:
    """The SVG text; the same arguments give the same picture."""
    return _Drawing(call, peaks, span_s).svg()


class _Drawing:
    """Pixels of one stretch: x from seconds, y from the row."""

    def __init__(self, call: Call, peaks: Peaks, span_s: tuple[float, float]) -> None:
        self.call, self.peaks = call, peaks
        self.from_s, self.to_s = span_s
        self.pps = (WIDTH - HEAD - 16) / (self.to_s - self.from_s)
        self.top: dict[str, int] = {}
        y = TOP + 20
        for name, height in ROWS:
            self.top[name] = y
            y += height
        self.height = y + 14

    def x(self, seconds: float) -> float:
        return round(HEAD + (min(max(seconds, self.from_s), self.to_s) - self.from_s) * self.pps, 1)

    def marks(self, lane: str) -> Iterator[tuple[Mark, float, float, float]]:
        """(mark, left, right, where its room ends) of every mark of a lane that is in the picture."""
        for mark in self.call.lanes[lane]:
            if mark.start_s < self.to_s and (mark.start_s >= self.from_s or mark.end_s > self.from_s + 0.1):
                yield mark, self.x(mark.start_s), self.x(mark.end_s), self.x(max(mark.room_s, mark.end_s))

    def svg(self) -> str:
        parts = [
            *self._frame(),
            *self._wave("caller", self.peaks.caller, CALLER),
            *self._wave("agent", self.peaks.agent, AGENT),
            *self._heard(),
            *self._partials(),
            *self._thinking(),
            *self._tools(),
            *self._decisions(),
            *self._speaking(),
        ]
        title = escape(f"A call of {self.call.agent}, {clock(self.from_s)} to {clock(self.to_s)}")
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {self.height}" width="{WIDTH}" '
            f'height="{self.height}" role="img" font-family="-apple-system, Segoe UI, Inter, Roboto, Helvetica, Arial, '
            f'sans-serif" font-size="11.5"><title>{title}</title>\n' + "\n".join(parts) + "\n</svg>\n"
        )

    def _frame(self) -> Iterator[str]:
        yield '<defs><pattern id="unheard" width="7" height="7" patternUnits="userSpaceOnUse"'
        yield ' patternTransform="rotate(45)"><rect width="3.5" height="7" fill="#ecebe6"/></pattern></defs>'
        card = f'x="0.5" y="0.5" width="{WIDTH - 1}" height="{self.height - 1}" rx="13"'
        yield f'<rect {card} fill="{PAPER}" stroke="{LINE}"/>'
        yield text(20, 31, self.call.agent, INK, size=16, weight=650)
        length = f"{clock(self.from_s)}–{clock(self.to_s)} of {clock(self.call.length_s)}, {self.call.outcome}"
        yield text(20 + 9.2 * len(self.call.agent) + 10, 31, length, SOFT, size=12)
        x = WIDTH - 20.0
        for name, colour in LEGEND:
            x -= 6.4 * len(name)
            yield text(x, 31, name, SOFT, size=12)
            x -= 15
            yield f'<rect x="{x:.1f}" y="22" width="10" height="10" rx="3" fill="{colour}"/>'
            x -= 14
        step = next(s for s in (0.5, 1, 2, 5, 10, 30, 60, 300, 3600) if s * self.pps > 62 or s == 3600)
        n = int(self.from_s / step) + (self.from_s % step > 0)
        while n * step <= self.to_s:
            x = self.x(n * step)
            yield f'<path d="M{x} {TOP + 12}v{self.height - TOP - 26}" stroke="{GRID}"/>'
            if x < WIDTH - 40:
                yield text(x + 3, TOP + 10, clock(n * step)[:-2], SOFT, size=10.5)
            n += 1
        for name, height in ROWS:
            y = self.top[name]
            yield f'<path d="M14 {y}H{WIDTH - 14}" stroke="{GRID}"/>'
            colour = {"caller": CALLER, "agent": AGENT}.get(name, SOFT)
            yield text(18, y + height / 2 + 4, name, colour, size=12, weight=650 if colour != SOFT else 400)

    def _wave(self, row: str, side: bytes, colour: str) -> Iterator[str]:
        """One filled outline, a column of the picture every 1.5 pixels."""
        middle, reach, step = self.top[row] + 27, 24, 1.5
        upper, lower = [], []
        n = int((WIDTH - 16 - HEAD) / step)
        for column in range(n + 1):
            first = (self.from_s + column * step / self.pps) / self.peaks.bucket_s
            last = first + step / self.pps / self.peaks.bucket_s
            high = max(side[int(first) : max(int(first) + 1, int(last))], default=0) / 255 * reach
            x = HEAD + column * step
            upper.append(f"{x:g} {middle - max(0.4, high):.1f}")
            lower.append(f"{x:g} {middle + max(0.4, high):.1f}")
        yield f'<path d="M{"L".join(upper)}L{"L".join(reversed(lower))}Z" fill="{colour}"/>'

    def _heard(self) -> Iterator[str]:
        y = self.top["heard"] + 4
        for mark, left, right, room in self.marks("heard"):
            yield box(left, y, right - left, 40, CALLER_TINT, CALLER)
            if mark.start_s < self.from_s and right - left < 60:
                continue  # the end of something: its words belong to what is not shown
            wide = right - left if right - left > 46 else min(room - left, 120)
            yield from paragraph(left + 8, y + 13, mark.text, wide - 12, 3, INK)

    def _partials(self) -> Iterator[str]:
        bottom = self.top["partials"] + 29
        for mark, left, right, _ in self.marks("partials"):
            for share, opacity in ((mark.level[0], 0.28), (mark.level[1], 0.8)):
                high = 26 * share
                if high:
                    yield (
                        f'<rect x="{left}" y="{bottom - high:.1f}" width="{max(1.0, right - left - 1):.1f}" '
                        f'height="{high:.1f}" fill="{CALLER}" opacity="{opacity}"/>'
                    )

    def _thinking(self) -> Iterator[str]:
        y = self.top["thinking"]
        for _, left, right, _ in self.marks("prefills"):
            wide = max(2.0, right - left)
            yield f'<rect x="{left}" y="{y + 30}" width="{wide:.1f}" height="6" rx="1" fill="{THINK}" opacity="0.6"/>'
        for mark, left, right, room in self.marks("thoughts"):
            wide = max(4.0, right - left)
            yield f'<rect x="{left}" y="{y + 5}" width="{wide:.1f}" height="20" rx="4" fill="{THINK}"/>'
            tail = f"expects {mark.tail}" if mark.tail else ""
            yield pair(left + wide + 5, y + 19, mark.text, tail, room - left - wide - 8, THINK)

    def _tools(self) -> Iterator[str]:
        y = self.top["tools"] + 4
        for mark, left, right, room in self.marks("tools"):
            yield box(left, y, max(4.0, right - left), 22, TOOL_TINT, TOOL)
            colour = ALARM if "failed" in mark.kind else TOOL
            yield pair(left + 9, y + 15, mark.text, f"→ {mark.tail}", room - left - 14, colour)

    def _decisions(self) -> Iterator[str]:
        y, free = self.top["decisions"], 0.0
        for mark, left, _, room in self.marks("decisions"):
            hollow = mark.kind in ("filler", "silence")
            colour = DOTS.get(mark.kind, GREY)
            fill = f'fill="{PAPER}" stroke="{colour}" stroke-width="2"' if hollow else f'fill="{colour}"'
            yield f'<circle cx="{left + 4}" cy="{y + 13}" r="4" {fill}/>'
            if room - left > CHAR * len(mark.text) + 14 and left > free:
                yield text(left + 11, y + 17, mark.text, SOFT, size=11)
                free = left + 11 + CHAR * len(mark.text)

    def _speaking(self) -> Iterator[str]:
        y = self.top["speaking"] + 4
        for mark, left, right, room in self.marks("speaking"):
            wide = right - left
            if mark.kind == "held":
                yield f'<path d="M{left} {y + 26}H{right}" stroke="{AGENT}" stroke-width="3" stroke-dasharray="3 4"/>'
            elif mark.kind == "unheard":
                right = min(right, max(left + 20, room))
                yield (
                    f'<rect x="{left}" y="{y}" width="{right - left:.1f}" height="52" fill="url(#unheard)" '
                    f'stroke="{GREY}" stroke-dasharray="4 3"/>'
                )
                yield from paragraph(left + 7, y + 13, mark.text, right - left - 10, 3, SOFT)
            else:
                yield box(left, y, wide, 52, AGENT_TINT, AGENT)
                wide = wide if wide > 46 else min(room - left, 110)
                yield from paragraph(left + 8, y + 13, mark.text, wide - 12, 3, INK)
        for mark, left, right, _ in self.marks("gaps"):
            yield f'<path d="M{left} {y + 45}v6H{right - 1}v-6" stroke="{SOFT}" fill="none"/>'
            if right - CHAR * len(mark.text) > HEAD:
                yield text(right - 4, y + 44, mark.text, SOFT, size=10.5, anchor="end", halo=True)


def text(
    x: float,
    y: float,
    said: str,
    colour: str,
    *,
    size: float = 11.5,
    weight: int = 400,
    anchor: str = "start",
    halo: bool = False,
) -> str:
    """One line of text; `halo` keeps it readable over other marks."""
    look = f' font-size="{size:g}"' if size != 11.5 else ""
    look += f' font-weight="{weight}"' if weight != 400 else ""
    look += f' text-anchor="{anchor}"' if anchor != "start" else ""
    look += f' stroke="{PAPER}" stroke-width="3" paint-order="stroke"' if halo else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{look}>{escape(said)}</text>'


def pair(x: float, y: float, said: str, tail: str, wide: float, colour: str) -> str:
    """A text and what follows from it in another colour, on one line of `wide` pixels."""
    said = cut(said, wide)
    rest = cut(tail, wide - CHAR * len(said) - 9)
    gap = ' dx="8"' if said else ""
    last = f'<tspan fill="{colour}" font-weight="600"{gap}>{escape(rest)}</tspan>' if rest else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{INK}">{escape(said)}{last}</text>'


def box(x: float, y: float, wide: float, high: float, tint: str, edge: str) -> str:
    """A tinted block with its left edge marked."""
    return (
        f'<rect x="{x}" y="{y}" width="{max(3.0, wide):.1f}" height="{high}" rx="4" fill="{tint}"/>'
        f'<rect x="{x}" y="{y}" width="3" height="{high}" rx="1.5" fill="{edge}"/>'
    )


def cut(said: str, wide: float) -> str:
    """As much of a text as fits into `wide` pixels, with an ellipsis where something is left out."""
    fits = int(max(0.0, wide) / CHAR)
    if len(said) <= fits:
        return said
    return said[: fits - 1].rstrip() + "…" if fits > 2 else ""


def paragraph(x: float, y: float, said: str, wide: float, most: int, colour: str) -> Iterator[str]:
    """A text in at most `most` lines of `wide` pixels, 13.5 pixels apart."""
    fits, lines, line = max(3, int(wide / CHAR)), [], ""
    for word in said.split():
        if line and len(line) + 1 + len(word) > fits:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    lines.append(line)
    if len(lines) > most:
        lines = [*lines[: most - 1], cut(" ".join(lines[most - 1 :]), wide)]
    for n, one in enumerate(lines):
        yield text(x, y + 13.5 * n, cut(one, wide), colour)


def clock(seconds: float) -> str:
    """``1:02.3``: minutes, seconds, tenths."""
    tenths = round(seconds * 10)
    return f"{tenths // 600}:{tenths // 10 % 60:02d}.{tenths % 10}"
