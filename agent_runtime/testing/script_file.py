"""A caller's script as a folder: ``script.toml`` and its clips, so that a call can be written without code.

===============  ==============================================================================================
key              meaning
===============  ==============================================================================================
voice            voice the clips were rendered with (see `synthesis.VOICES`)
noise_dbfs       level of a noise floor; left out: digital silence
hello            texts said when nobody answers for a while, as `say`
[[line]]         one line; `script.Line` explains how lines are chosen
name             its name, unique; clips are ``NAME-1.wav``, ``NAME-2.wav``, ... with ``.words.json`` beside them
say              texts, and whole numbers between them: pauses in ms within the line (the hesitation)
hang_up          true: no `say`; the caller leaves
kind             ``turn``, ``backchannel`` or ``barge_in``
after_turn_s     trigger: seconds after the agent fell silent (the default, 0.6)
into_turn_s      trigger: seconds into a stretch of speech of the agent's turn
into_utterance   trigger: [number of the agent's stretch of speech in the call, seconds into it]
at_s             trigger: seconds of the call
when             the agent said one of these since our last turn
unless           the agent said none of these
optional         may be skipped; by default backchannels and barge-ins may
standing         may be said at any time
times            how often a standing line may be said (3)
===============  ==============================================================================================
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from .caller import ScriptedCaller
from .clips import Clip, load_clip, save_clip
from .script import (
    CallerScript,
    Kind,
    Line,
    ScriptError,
    Segment,
    Trigger,
    after_turn,
    at,
    into_turn,
    into_utterance,
    says,
)

__all__ = ["ScriptFile", "load_script", "read_script", "render_script"]

_TOP = {"voice": str, "noise_dbfs": (int, float), "hello": list, "line": list}
_LINE = {
    "name": str, "say": list, "hang_up": bool, "kind": str, "after_turn_s": (int, float), "into_turn_s": (int, float),
    "into_utterance": list, "at_s": (int, float), "when": list, "unless": list, "optional": bool, "standing": bool,
    "times": int,
}  # fmt: skip
_TRIGGERS = ("after_turn_s", "into_turn_s", "into_utterance", "at_s")


@dataclass(frozen=True, slots=True)
class ScriptFile:
    """A read ``script.toml``, its clips not yet loaded. `texts`: (clip name, text) of all clips."""

    path: Path
    voice: str
    noise_dbfs: float | None
    hello: tuple[str | int, ...]
    lines: tuple[Mapping[str, Any], ...]

    @property
    def texts(self) -> list[tuple[str, str]]:
        """(clip name, text) of each clip, in order."""
        said = [(str(line["name"]), line.get("say", ())) for line in self.lines] + [("hello", self.hello)]
        return [named for name, say in said for named in _named(name, say)]

    def caller(self, clip_of: Callable[[str, str], Clip], **settings: Any) -> ScriptedCaller:
        """A caller whose clips come from `clip_of(clip name, text)`; `settings` as of `ScriptedCaller`."""
        lines = [self._line(raw, clip_of) for raw in self.lines]
        hello = Line("hello", at(0.0), _segments("hello", self.hello, clip_of)) if self.hello else None
        try:
            script = CallerScript(lines, hello=hello)
        except ScriptError as error:
            raise ScriptError(f"{self.path}: {error}") from error
        return ScriptedCaller(script, **{"noise_dbfs": self.noise_dbfs, **settings})

    def _line(self, raw: Mapping[str, Any], clip_of: Callable[[str, str], Clip]) -> Line:
        kind: Kind = raw.get("kind", "turn")
        standing = raw.get("standing", False)
        try:
            return Line(
                raw["name"],
                _trigger(raw),
                _segments(raw["name"], raw.get("say", ()), clip_of),
                kind,
                raw.get("optional", kind != "turn"),
                standing,
                raw.get("times", 3 if standing else 1),
            )
        except ScriptError as error:
            raise ScriptError(f"{self.path}: {error}") from error


def load_script(folder: Path | str, **settings: Any) -> ScriptedCaller:
    """A caller for one call, from ``script.toml`` and the clips in `folder`. Raises `ScriptError` or `ClipError`."""
    return read_script(folder).caller(lambda name, text: load_clip(Path(folder) / f"{name}.wav", text), **settings)


def render_script(folder: Path | str, *, cache: Path | None = None) -> list[Path]:
    """Make all clips of the script in `folder` anew with its voice; gives the paths. Raises `SynthesisError`."""
    from .synthesis import render

    script = read_script(folder)
    named = script.texts
    clips = render([text for _, text in named], script.voice, cache=cache)
    paths = [Path(folder) / f"{name}.wav" for name, _ in named]
    for path, clip in zip(paths, clips, strict=True):
        save_clip(path, clip)
    return paths


def read_script(folder: Path | str) -> ScriptFile:
    """Read and check ``script.toml``. Raises `ScriptError`: one line naming the key, the value and the way out."""
    path = Path(folder) / "script.toml"
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ScriptError(f"{path}: no such file; a script is a folder with script.toml and its clips") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScriptError(f"{path}: cannot be read as TOML ({error})") from error
    _check(path, "the script", raw, _TOP)
    lines = raw.get("line", [])
    for number, line in enumerate(lines, 1):
        if not isinstance(line, dict):
            raise ScriptError(f"{path}: line {number} is {line!r}; expected a [[line]] table")
        name = line.get("name")
        if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum():
            raise ScriptError(f"{path}: line {number} has name {name!r}; expected letters, figures, - and _")
        _check(path, f"line {name!r}", line, _LINE)
        _check_line(path, name, line)
    return ScriptFile(path, raw.get("voice", "slt"), raw.get("noise_dbfs"), tuple(raw.get("hello", ())), tuple(lines))


def _check(path: Path, where: str, raw: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key, value in raw.items():
        if key not in known:
            raise ScriptError(f"{path}: {where} has the unknown key {key!r}; known are {', '.join(known)}")
        kinds = known[key] if isinstance(known[key], tuple) else (known[key],)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(kind.__name__ for kind in kinds)
            raise ScriptError(f"{path}: {where} has {key} = {value!r}; expected {names}")


def _check_line(path: Path, name: str, line: Mapping[str, Any]) -> None:
    if bool(line.get("say")) == bool(line.get("hang_up")):
        raise ScriptError(f"{path}: line {name!r} needs either say = [...] or hang_up = true")
    if line.get("kind", "turn") not in get_args(Kind):
        raise ScriptError(f"{path}: line {name!r} has kind {line['kind']!r}; expected {', '.join(get_args(Kind))}")
    triggers = [key for key in _TRIGGERS if key in line]
    if len(triggers) > 1:
        raise ScriptError(f"{path}: line {name!r} has two triggers, {' and '.join(triggers)}; keep one")
    for key in ("when", "unless"):
        if not all(isinstance(phrase, str) for phrase in line.get(key, ())):
            raise ScriptError(f"{path}: line {name!r} has {key} = {line[key]!r}; expected a list of phrases")
    pair = line.get("into_utterance", (1, 0.0))
    if len(pair) != 2 or not isinstance(pair[0], int) or not isinstance(pair[1], int | float):
        raise ScriptError(f"{path}: line {name!r} has into_utterance = {pair!r}; expected [number, seconds]")
    for item in line.get("say", ()):
        if not (isinstance(item, str) and item.strip()) and not (type(item) is int and 0 < item <= 60_000):
            raise ScriptError(f"{path}: line {name!r} says {item!r}; expected texts, and pauses from 1 to 60000 ms")


def _trigger(raw: Mapping[str, Any]) -> Trigger:
    asked, banned = tuple(raw.get("when", ())), tuple(raw.get("unless", ()))
    when = says(*asked, unless=banned) if asked or banned else None
    if "into_turn_s" in raw:
        return into_turn(raw["into_turn_s"], when=when)
    if "into_utterance" in raw:
        return into_utterance(*raw["into_utterance"], when=when)
    if "at_s" in raw:
        return at(raw["at_s"], when=when)
    return after_turn(raw.get("after_turn_s", 0.6), when=when)


def _named(name: str, say: Sequence[str | int]) -> list[tuple[str, str]]:
    texts = [item for item in say if isinstance(item, str)]
    return [(f"{name}-{number}", text) for number, text in enumerate(texts, 1)]


def _segments(name: str, say: Sequence[str | int], clip_of: Callable[[str, str], Clip]) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    pause_ms = 0
    names = iter(_named(name, say))
    for item in say:
        if isinstance(item, str):
            segments.append(Segment(clip_of(*next(names)), pause_ms))
            pause_ms = 0
        else:
            pause_ms += item
    return tuple(segments)
