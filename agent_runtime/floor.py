"""Who has the floor: the caller's speech edges, pauses and overlaps, and what the turn-taking policies say of them.

Part of the mind and as pure. It keeps the numbers that endpointing and barge-in need, asks the policies and returns
verdicts; the mind turns verdicts into commands.

An overlap begins when the caller speaks while the agent is audible, or while the agent owes an answer. It ends when
the caller takes the floor (a ``cancel`` verdict), or when the agent keeps it (a verdict that is `over`). Speech that
begins again while the agent is still audible begins the overlap anew: a barge-in right behind a hum is no hum. Once
the agent has fallen silent the rest is one attempt at the floor, timed from where it began.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from policies import backchannel, barge_in, endpointing

from .events import SpeechStarted, SpeechStopped

__all__ = ["AgentSpeech", "Floor", "FloorSettings", "Verdict"]


class Verdict(NamedTuple):
    """What to do about an overlap now, and how it stands."""

    action: barge_in.Action
    reason: str
    wait_ms: int = 0
    """Above 0: ask again (`still`) after this time even if nothing else happens."""
    over: bool = False
    """The agent keeps the floor and the overlap is done with."""
    dropped: frozenset[int] = frozenset()
    """Speech segments whose words asked for nothing: they are no turn."""


class AgentSpeech(NamedTuple):
    """What the agent is saying, as an overlap sees it."""

    left_ms: int | None
    """Playing time left, estimated; None while the utterance is still being written."""
    asks: bool
    """It ends in a question."""


@dataclass(frozen=True, slots=True)
class FloorSettings:
    """Settings of the turn-taking policies."""

    endpointing: endpointing.EndpointSettings = field(default_factory=endpointing.EndpointSettings)
    barge_in: barge_in.BargeInSettings = field(default_factory=barge_in.BargeInSettings)
    backchannel: backchannel.BackchannelSettings = field(default_factory=backchannel.BackchannelSettings)
    keys_ms: int = 1_500
    """Pause after a pressed key that ends the turn. A guess."""


class Floor:
    """The state of the floor in one call."""

    def __init__(self, settings: FloorSettings) -> None:
        self.settings = settings
        self.caller_speaking = False
        self.overlapping = False
        self._line_origin_us = 0
        self._first_us = 0  # where the overlap began
        self._segment_us = 0  # where the present or last speech segment began
        self._words: tuple[str, ...] = ()
        self._segments: set[int] = set()  # speech segments of the overlap
        self._settled = False
        self._no_floor = 0.0
        self._yielded = False
        self._last_speech_us = 0
        self._speech_us = 0
        self._pause_from_us: int | None = None
        self._p_over: float | None = None
        self._habit = endpointing.PauseHabit()
        self._hummed_us: int | None = None  # when we last showed that we listen
        self._hums = 0

    def answered(self, line_origin_us: int) -> None:
        """The sample line begins here (microseconds since the call started)."""
        self._line_origin_us = self._last_speech_us = line_origin_us

    @property
    def silent_since_us(self) -> int:
        """Where the caller was last heard, or the beginning of the line."""
        return self._last_speech_us

    @property
    def silencing(self) -> bool:
        """The agent has fallen silent for the caller's speech, and it is not yet known what that asks for."""
        return self.overlapping and self._yielded

    def at_us(self, sample: int) -> int:
        """The time of a sample of the line, in microseconds since the call started."""
        return self._line_origin_us + sample * 125 // 2

    # --- edges ---------------------------------------------------------------------------------------------------

    def speech_started(self, event: SpeechStarted, now_us: int, *, answering: bool, agent: AgentSpeech) -> Verdict:
        """The caller began to speak; says what that means for an agent who speaks or is about to."""
        first_us = self.at_us(event.sample)
        if self._pause_from_us is not None and not answering:
            self._habit = self._habit.seen((first_us - self._pause_from_us) / 1000)
        self.caller_speaking = True
        self._segment_us = first_us
        self._p_over = None
        self._pause_from_us = None
        if not self.silencing:
            self._first_us = first_us
            self._words = ()
            self._yielded = False
            self._no_floor = event.no_floor
        self._settled = False
        self._segments = {*self._segments, event.segment} if self.overlapping else {event.segment}
        if not answering:
            return Verdict("keep", "the caller has the floor")
        self.overlapping = True
        return self.decide(now_us, agent)

    def speech_stopped(self, event: SpeechStopped) -> None:
        """The caller paused."""
        self.caller_speaking = False
        self._last_speech_us = self.at_us(event.sample)
        self._speech_us += max(0, self._last_speech_us - self._segment_us)
        self._pause_from_us = self._last_speech_us

    def pressed(self, sample: int) -> None:
        """A key counts as the end of speech."""
        self._last_speech_us = self.at_us(sample)

    # --- overlap -------------------------------------------------------------------------------------------------

    def words(self, text: str, now_us: int, agent: AgentSpeech, *, final: bool) -> Verdict:
        """Words were heard during the overlap."""
        self._words = tuple(text.split())
        self._settled = final
        return self.decide(now_us, agent)

    def decide(self, now_us: int, agent: AgentSpeech) -> Verdict:
        """The barge-in policy's verdict on the overlap as it stands."""
        if not self.overlapping:
            return Verdict("keep", "no overlap")
        end_us = now_us if self.caller_speaking else self._last_speech_us
        found = barge_in.decide(
            barge_in.Overlap(
                overlap_ms=max(0, (end_us - self._first_us) // 1000),
                speaking=self.caller_speaking,
                words=self._words,
                settled=self._settled,
                silence_ms=0 if self.caller_speaking else max(0, (now_us - end_us) // 1000),
                yielded=self._yielded,
                agent_left_ms=agent.left_ms,
                agent_asks=agent.asks,
                no_floor=self._no_floor,
            ),
            self.settings.barge_in,
        )
        early = found.reason is barge_in.Cause.EARLY_ANSWER
        over = found.action in ("keep", "resume") and not self.caller_speaking and not found.wait_ms
        if found.action == "yield":
            self._yielded = True
        elif found.action == "cancel" or over:
            self.overlapping = False
        if over and not early:
            self._speech_us = 0  # it asked for nothing, so it is no speech that waits for an answer
        dropped = frozenset(self._segments if over and not early else ())
        return Verdict(found.action, str(found.reason), found.wait_ms, over, dropped)

    # --- the end of a turn ---------------------------------------------------------------------------------------

    def scored(self, revision: int, p_over: float) -> None:
        """The model's probability that the turn is over at the words heard so far."""
        if not self.caller_speaking:
            self._p_over = p_over

    def endpoint(self, now_us: int, *, text: str, settled: bool, expects: str) -> endpointing.Endpoint:
        """The endpointing policy's verdict on the present pause; speech that it gives up on does not count again."""
        verdict = endpointing.decide(
            endpointing.Pause(
                silence_ms=max(0, (now_us - self._last_speech_us) // 1000),
                words=tuple(text.split()),
                settled=settled,
                p_over=self._p_over,
                expects=expects,
                habit=self._habit,
                speech_ms=self._speech_us // 1000,
            ),
            self.settings.endpointing,
        )
        if not text and not verdict.wait_ms:
            self._speech_us = 0
        return verdict

    def backchannel(self, now_us: int, text: str, expects: str, *, settled: bool, owed: bool) -> str:
        """What to hum in the present pause of a turn that goes on, empty for nothing; what is given counts as said."""
        settings = self.settings.backchannel
        if not settings.on or not settled:
            return ""
        found = backchannel.choose(
            backchannel.LongTurn(
                words=tuple(text.split()),
                speech_ms=self._speech_us // 1000,
                silence_ms=max(0, (now_us - self._last_speech_us) // 1000),
                since_last_ms=None if self._hummed_us is None else (now_us - self._hummed_us) // 1000,
                owed=owed,
                p_over=self._p_over,
                expects=expects,
                said_in_call=self._hums,
            ),
            settings,
        )
        if found.text:
            self._hummed_us, self._hums = now_us, self._hums + 1
        return found.text

    def committed(self) -> None:
        """The caller's turn is over; the next pause belongs to another turn."""
        self._pause_from_us = None
        self._p_over = None
        self._speech_us = 0

    # --- the agent -----------------------------------------------------------------------------------------------

    def agent_finished(self) -> None:
        """The agent owes nothing and says nothing: an overlap that goes on is an ordinary turn."""
        self.overlapping = False
