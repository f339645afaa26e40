"""A caller's script: what to say, and what the agent must have done before it is said. A pure state machine.

A fixed recording cannot answer an agent whose timing has changed; a script can. Feed the machine what the agent is
heard doing, ask it what is due. It refuses to know clocks, sound and doors: positions are samples of the call's line
(16,000 Hz), and a piece of speech is only a length and a text to it.

How lines are chosen. *Ordered* lines are said one after the other; the next one that is not `optional` closes the
row of candidates, and a later one being said skips the optional ones before it. *Standing* lines may be said at any
time, up to `times` times, when their trigger holds and no ordered candidate's does: with a condition on the agent's
words they answer whatever is asked, in any order. One line at a time: while one is said nothing else is due.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from .ear import AgentEar, Says, says

__all__ = [
    "RATE_HZ",
    "Action",
    "CallerScript",
    "HangUp",
    "Kind",
    "Line",
    "Says",
    "ScriptError",
    "Segment",
    "Speak",
    "Speech",
    "Trigger",
    "after_turn",
    "at",
    "hang_up",
    "into_turn",
    "into_utterance",
    "says",
]

RATE_HZ = 16_000
Kind = Literal["turn", "backchannel", "barge_in"]

HELLO_AFTER_S = 7.0
"""Silence on both sides after which a caller asks whether somebody is there (a guess)."""
GIVE_UP_AFTER_S = 15.0
"""Silence on both sides after which a caller hangs up (a guess)."""
_SOUND_IS_FRESH_SAMPLES = 3_200
"""An agent unheard for 0.2 s is between words; beyond, nobody would call it a barge-in."""


class ScriptError(ValueError):
    """A script that cannot be played; the message names the line, what is wrong and the way out."""


class Speech(Protocol):
    """What a script knows of a clip."""

    @property
    def n_samples(self) -> int: ...
    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Segment:
    """A clip and the pause before it within the line: the hesitation that is no end of turn."""

    speech: Speech
    pause_ms: int = 0

    @property
    def pause_samples(self) -> int:
        return self.pause_ms * RATE_HZ // 1000


@dataclass(frozen=True, slots=True)
class Trigger:
    """When a line is due; made by `after_turn`, `into_utterance`, `into_turn` and `at`. `wait` in samples."""

    kind: Literal["after_turn", "into_utterance", "into_turn", "at"]
    wait: int
    stretch: int = 0
    when: Says | None = None


def after_turn(silence_s: float = 0.6, *, when: Says | None = None) -> Trigger:
    """`silence_s` after the agent, having spoken since our last turn, was last heard."""
    return Trigger("after_turn", _samples(silence_s), when=when)


def into_utterance(stretch: int, wait_s: float, *, when: Says | None = None) -> Trigger:
    """`wait_s` into the agent's stretch of speech number `stretch` of the call (from 1), while it lasts."""
    if stretch < 1:
        raise ScriptError(f"agent utterance {stretch} does not exist; they count from 1 (into_turn takes any)")
    return Trigger("into_utterance", _samples(wait_s), stretch, when)


def into_turn(wait_s: float, *, when: Says | None = None) -> Trigger:
    """`wait_s` into any stretch of speech of the agent's present turn, while it lasts."""
    return Trigger("into_turn", _samples(wait_s), when=when)


def at(time_s: float, *, when: Says | None = None) -> Trigger:
    """At `time_s` of the call, or as soon after as the line's turn comes."""
    return Trigger("at", _samples(time_s), when=when)


def _samples(duration_s: float) -> int:
    if not 0 <= duration_s < 86_400:
        raise ScriptError(f"a trigger of {duration_s} s cannot be reached; expected 0 to 86400 s")
    return round(duration_s * RATE_HZ)


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the caller does. No segments: it hangs up. See the module docstring for the choice of lines."""

    name: str
    trigger: Trigger
    segments: tuple[Segment, ...] = ()
    kind: Kind = "turn"
    optional: bool = False
    standing: bool = False
    times: int = 1

    def __post_init__(self) -> None:
        if self.times < 1 or (self.times > 1 and not self.standing):
            raise ScriptError(f"line {self.name!r} has times = {self.times}; expected 1, or more with standing")
        empty = [segment.speech.text for segment in self.segments if segment.speech.n_samples < 1]
        if empty:
            raise ScriptError(f"line {self.name!r} has a clip of no samples ({empty[0]!r}); render or record it")

    @property
    def n_samples(self) -> int:
        """From the first sample of the first clip to the end of the last one, pauses included."""
        return sum(segment.speech.n_samples + segment.pause_samples for segment in self.segments)

    @property
    def text(self) -> str:
        return " ".join(segment.speech.text for segment in self.segments)

    def places(self, first_sample: int) -> Iterator[tuple[int, Segment]]:
        """(first sample, segment) of each clip when the line begins at `first_sample`."""
        for segment in self.segments:
            first_sample += segment.pause_samples
            yield first_sample, segment
            first_sample += segment.speech.n_samples


def hang_up(trigger: Trigger, *, name: str = "hang up", optional: bool = False, standing: bool = False) -> Line:
    """The line that ends the call."""
    return Line(name, trigger, optional=optional, standing=standing)


@dataclass(frozen=True, slots=True)
class Speak:
    """Say `line` from `first_sample` on."""

    line: Line
    first_sample: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """Leave the call at `sample`."""

    sample: int
    reason: str


Action = Speak | HangUp


class CallerScript:
    """The state of one caller with a script. Feed `on_*` in order of time; take `due` and carry it out.

    Conditions on words hold unconditionally while no word of the agent is known at all (a far agent without a log).
    """

    def __init__(self, lines: Sequence[Line], *, hello: Line | None = None) -> None:
        if not lines:
            raise ScriptError("script has no lines; give at least one, or a hang_up")
        names = [line.name for line in lines]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ScriptError(f"line name {double[0]!r} is used twice; name each line of a script differently")
        self._ordered = [line for line in lines if not line.standing]
        self._standing = [line for line in lines if line.standing]
        self._said = dict.fromkeys(names, 0)
        self._next = 0
        self._hello = hello
        self._busy_until = 0
        self._calm_since = 0
        self._over = False
        self.ear = AgentEar()

    # --- what the agent does -------------------------------------------------------------------------------------

    def on_agent_audio(self, first_sample: int, n_samples: int, audible: bool) -> None:
        """A frame of the agent."""
        self.ear.on_audio(first_sample, n_samples, audible)

    def on_agent_edge(self, sample: int, audible: bool) -> None:
        """The agent became audible or inaudible (calls without audio)."""
        self.ear.on_edge(sample, audible)

    def on_agent_utterance(self, utterance: int) -> None:
        """An utterance started or resumed."""
        self.ear.on_utterance(utterance)

    def on_agent_text(self, text: str, utterance: int | None = None) -> None:
        """Words of the agent that were heard; see `AgentEar.on_text`."""
        self.ear.on_text(text, utterance)

    # --- what the caller does ------------------------------------------------------------------------------------

    @property
    def over(self) -> bool:
        """The caller has hung up."""
        return self._over

    def due(self, sample: int) -> list[Action]:
        """What begins at `sample`: at most one action, which counts as done. `sample` must not go back."""
        if self._over or sample < self._busy_until:
            return []
        for line in self._candidates():
            when = self._due_at(line, sample)
            if when is not None and when <= sample:
                return [self._begin(line, sample)]
        return self._patience(sample)

    def next_due(self, sample: int) -> int | None:
        """The earliest sample from `sample` on at which something is due if the agent does no more; None: never."""
        if self._over:
            return None
        now = max(sample, self._busy_until)
        times = [when for line in self._candidates() if (when := self._due_at(line, now)) is not None]
        if not self.ear.sounding:
            times.append(self._calm() + _samples(HELLO_AFTER_S if self._hello is not None else GIVE_UP_AFTER_S))
        return max(now, min(times)) if times else None

    def _candidates(self) -> Iterator[Line]:
        for line in self._ordered[self._next :]:
            yield line
            if not line.optional:
                break
        for line in self._standing:
            if self._said[line.name] < line.times:
                yield line

    def _due_at(self, line: Line, sample: int) -> int | None:
        """When the line's trigger holds, as things stand at `sample`; may lie in the past. None: no such time."""
        trigger, ear = line.trigger, self.ear
        if trigger.when is not None and ear.hears_words and not trigger.when.holds(ear.text):
            return None
        if trigger.kind == "at":
            return trigger.wait
        answer = ear.turn_first(sample)
        last = ear.last_end
        if trigger.kind == "after_turn":
            return None if ear.sounding or answer is None or last is None else last + trigger.wait
        first = ear.stretch_first
        if first is None or last is None or (trigger.kind == "into_utterance" and ear.stretches != trigger.stretch):
            return None
        if trigger.kind == "into_turn":
            if answer is None:
                return None
            first = max(first, answer)
        when = first + trigger.wait
        # the moment must fall into the sounding stretch, or the barge-in has nobody to barge into
        reachable = ear.sounding or max(when, sample) < last + _SOUND_IS_FRESH_SAMPLES
        return when if reachable else None

    def _begin(self, line: Line, sample: int) -> Action:
        self._said[line.name] += 1
        if not line.standing:
            self._next = 1 + self._ordered.index(line, self._next)
        if not line.segments:
            self._over = True
            return HangUp(sample, line.name)
        end = sample + line.n_samples
        self._busy_until = end
        self._calm_since = end
        if line.kind != "backchannel":
            self.ear.our_turn(end)
        return Speak(line, sample)

    # --- patience ------------------------------------------------------------------------------------------------

    def _calm(self) -> int:
        """Since when both sides are silent; our own hello does not count, or it would be repeated for ever."""
        return max(self._calm_since, self.ear.last_end or 0)

    def _patience(self, sample: int) -> list[Action]:
        if self.ear.sounding:
            return []
        calm_samples = sample - self._calm()
        if calm_samples >= _samples(GIVE_UP_AFTER_S):
            self._over = True
            return [HangUp(sample, "nobody answered")]
        if self._hello is not None and calm_samples >= _samples(HELLO_AFTER_S):
            hello, self._hello = self._hello, None
            self._busy_until = sample + hello.n_samples
            return [Speak(hello, sample)]
        return []
