"""The jitter buffer: packets as the network brings them, in; their sound in order with every hole marked, out.

Our ears are a speech detector and a recogniser, which take sound faster than it is spoken. So nothing in order ever
waits, and delay cannot build up: only a hole is waited for, as long as packets of this stream have lately come late
and at most 40 ms. This file refuses to know codecs, sockets and clocks: payloads are opaque and the time is told.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Generic, TypeVar

from audio.frame import AudioError

__all__ = ["Gap", "GapReason", "JitterBuffer", "JitterError", "JitterSettings", "Sound"]

Payload = TypeVar("Payload")

MISORDER = 100
DROPOUT = 3_000
"""A packet up to 100 behind or 3,000 ahead is of this stream (RFC 3550 appendix A.1); else the stream began anew."""

JUMP_S = 10.0
"""A timestamp this far from its time of arrival belongs to a stream that began anew."""

REMEMBERED = 64
"""Skipped packets whose late arrival still teaches how long to wait."""


class JitterError(AudioError, ValueError):
    """A setting or packet field out of range."""


class GapReason(StrEnum):
    """Why there is no sound."""

    LOST = "lost"
    """A packet did not come in time."""
    SILENT = "silent"
    """The sender left it out: sequence numbers follow each other, timestamps jump (discontinuous transmission)."""
    STARVED = "starved"
    """Nothing at all came for too long."""
    RESTARTED = "restarted"
    """The sender began a new stream; the hole is as long as the time that passed."""


@dataclass(frozen=True, slots=True)
class JitterSettings:
    """How long to wait for what. Raises `JitterError`.

    `clock_hz` (RTP timestamp ticks a second): 8,000 for G.711, 48,000 for Opus (RFC 3551, RFC 7587).
    `packet_ticks` (ticks): sound in a packet unless `put` says otherwise; 20 ms.
    `most_wait_ms` (ms): longest wait for a hole, and the first one's. 40: a lost packet must not cost more.
    `least_wait_ms` (ms): shortest. 5 covers packets swapped by the last hop; a guess.
    `starved_ms` (ms): without any packet for this long past its expected time, silence is put in, so that the end of
        speech is noticed. 200 outlasts most stalls of a mobile network; a guess. What then comes late is dropped.
    `most_packets` (packets): held at most; beyond that the oldest holes are given up. 64 is 1.3 s.
    """

    clock_hz: int = 8_000
    packet_ticks: int = 160
    most_wait_ms: float = 40
    least_wait_ms: float = 5
    starved_ms: float = 200
    most_packets: int = 64

    def __post_init__(self) -> None:
        if self.clock_hz < 1 or self.packet_ticks < 1 or self.most_packets < 1:
            raise JitterError(
                f"clock {self.clock_hz} Hz, {self.packet_ticks} ticks a packet, {self.most_packets} packets; "
                "expected 1 or more of each"
            )
        if not 0 <= self.least_wait_ms <= self.most_wait_ms or self.starved_ms <= 0:
            raise JitterError(
                f"wait {self.least_wait_ms} to {self.most_wait_ms} ms, starved after {self.starved_ms} ms; "
                "expected 0 <= least <= most and starved above 0"
            )


@dataclass(frozen=True, slots=True)
class Sound(Generic[Payload]):
    """`n_ticks` of sound from tick `first_tick` on, counted from the first packet of the call."""

    first_tick: int
    n_ticks: int
    payload: Payload


@dataclass(frozen=True, slots=True)
class Gap:
    """`n_ticks` without sound: the caller conceals them, as silence or by its decoder."""

    first_tick: int
    n_ticks: int
    reason: GapReason


@dataclass(frozen=True, slots=True)
class _Held(Generic[Payload]):
    tick: int
    n_ticks: int
    payload: Payload
    arrival_s: float


class JitterBuffer(Generic[Payload]):
    """One incoming stream. `put` each packet as it comes, `get` after it and again at `due_s`.

    What `get` gives is one line without holes or overlaps: each item begins where the one before ended.
    """

    def __init__(self, settings: JitterSettings | None = None) -> None:
        self.settings = settings or JitterSettings()
        self._held: dict[int, _Held[Payload]] = {}
        self._started = False
        self._next_sequence = 0  # extended: it does not wrap
        self._next_tick = 0
        self._base_timestamp = 0  # RTP timestamp of tick 0
        self._odd_sequence = -1
        self._pending: list[Gap] = []
        # Least of arrival - tick / clock over the last one to two hundred packets: when ticks are due at best.
        self._base_s = 0.0
        self._window_s = inf
        self._window_count = 0
        self._peak_s = self.settings.most_wait_ms / 1000
        self._skipped: OrderedDict[int, float] = OrderedDict()
        self.lost = 0
        """Packets given up on."""
        self.late = 0
        """Packets that came after their place was given up, or twice, or from nowhere; they were dropped."""

    @property
    def wait_s(self) -> float:
        """How long a hole is waited for at present."""
        return max(self.settings.least_wait_ms / 1000, min(self._peak_s, self.settings.most_wait_ms / 1000))

    @property
    def due_s(self) -> float | None:
        """When `get` will have something though no packet comes; None before the first packet."""
        if not self._started:
            return None
        if self._held:
            return min(held.arrival_s for held in self._held.values()) + self.wait_s
        return self._expected_s(self._next_tick) + self.settings.starved_ms / 1000

    def put(
        self, sequence: int, timestamp: int, payload: Payload, arrival_s: float, *, n_ticks: int | None = None
    ) -> None:
        """Takes a packet: RTP `sequence` (16 bits) and `timestamp` (32 bits), `arrival_s` on the caller's clock.

        Raises `JitterError` for fields out of range.
        """
        if not 0 <= sequence < 1 << 16 or not 0 <= timestamp < 1 << 32:
            raise JitterError(f"packet {sequence} at {timestamp}; expected 16 and 32 bits without a sign")
        ticks = self.settings.packet_ticks if n_ticks is None else n_ticks
        if ticks < 1:
            raise JitterError(f"packet {sequence} holds {ticks} ticks; expected 1 or more (drop empty packets)")
        if not self._started:
            self._begin(sequence, timestamp, arrival_s)
        extended = self._next_sequence + _signed(sequence - self._next_sequence, 16)
        if not -MISORDER <= extended - self._next_sequence <= DROPOUT:
            if sequence != self._odd_sequence:
                # One stray packet is an accident, two in a row are a new stream.
                self._odd_sequence = (sequence + 1) & 0xFFFF
                self.late += 1
                return
            extended = self._restart(sequence, timestamp, arrival_s)
        self._odd_sequence = -1
        if extended < self._next_sequence or extended in self._held:
            self._drop_late(extended, arrival_s)
            return
        tick = self._tick(timestamp)
        if abs(arrival_s - self._expected_s(tick)) > JUMP_S:
            extended = self._restart(sequence, timestamp, arrival_s)
            tick = self._next_tick
        if tick < self._next_tick:
            # Its time was filled while the stream starved, and so was that of all before it.
            self.late += 1
            self._next_sequence = extended + 1
            return
        self._follow(arrival_s - tick / self.settings.clock_hz)
        self._learn_from_order(extended, arrival_s)
        self._held[extended] = _Held(tick, ticks, payload, arrival_s)
        if len(self._held) > self.settings.most_packets:
            # Nobody takes them: the oldest goes, and will be marked as lost.
            del self._held[min(self._held)]

    def get(self, now_s: float) -> list[Sound[Payload] | Gap]:
        """All that is ready at `now_s`, in order; the caller must use it up and ask again at `due_s`."""
        out: list[Sound[Payload] | Gap] = []
        out.extend(self._pending)
        self._pending.clear()
        while self._held:
            held = self._held.pop(self._next_sequence, None)
            if held is None:
                if now_s < min(h.arrival_s for h in self._held.values()) + self.wait_s:
                    break
                self._skip(out)
                continue
            self._next_sequence += 1
            if held.tick < self._next_tick:  # it overlaps the one before
                self.late += 1
                continue
            self._fill(out, held.tick - self._next_tick, GapReason.SILENT)
            out.append(Sound(self._next_tick, held.n_ticks, held.payload))
            self._next_tick += held.n_ticks
        if self._started and not self._held:
            starved_s = now_s - self._expected_s(self._next_tick)
            if starved_s >= self.settings.starved_ms / 1000:
                # Whole packets, and a little less than the time that passed: the next one may be on its way.
                spare_s = starved_s - self.settings.most_wait_ms / 1000
                packets = max(1, int(spare_s * self.settings.clock_hz / self.settings.packet_ticks))
                self._fill(out, packets * self.settings.packet_ticks, GapReason.STARVED)
        return out

    # -- inside -------------------------------------------------------------------------------------------------

    def _begin(self, sequence: int, timestamp: int, arrival_s: float) -> None:
        """Takes this packet as the one that is next."""
        self._started = True
        self._next_sequence = sequence
        self._base_timestamp = timestamp - self._next_tick
        self._base_s = arrival_s - self._next_tick / self.settings.clock_hz
        self._window_s, self._window_count = inf, 0
        self._held.clear()
        self._skipped.clear()

    def _restart(self, sequence: int, timestamp: int, arrival_s: float) -> int:
        """A new stream: the line goes on where time has come to; what is held of the old one is lost."""
        missed_s = arrival_s - self._expected_s(self._next_tick)
        self.lost += len(self._held)
        gap: list[Sound[Payload] | Gap] = []
        self._fill(gap, int(missed_s * self.settings.clock_hz), GapReason.RESTARTED)
        self._pending += [item for item in gap if isinstance(item, Gap)]
        self._begin(sequence, timestamp, arrival_s)
        return sequence

    def _tick(self, timestamp: int) -> int:
        return self._next_tick + _signed(timestamp - self._base_timestamp - self._next_tick, 32)

    def _expected_s(self, tick: int) -> float:
        return self._base_s + tick / self.settings.clock_hz

    def _follow(self, transit_s: float) -> None:
        """Keeps the least transit of the recent past, so that clocks may drift apart."""
        self._window_s = min(self._window_s, transit_s)
        self._window_count += 1
        self._base_s = min(self._base_s, transit_s)
        if self._window_count >= 100:
            self._base_s = self._window_s
            self._window_s, self._window_count = inf, 0

    def _learn_from_order(self, extended: int, arrival_s: float) -> None:
        """A packet that fills a hole shows how long holes are worth waiting for; every other one lets it sink."""
        self._peak_s *= 0.998  # half in 350 packets, 7 s
        if self._held and extended < min(self._held):
            self._raise_wait(arrival_s - min(held.arrival_s for held in self._held.values()))

    def _drop_late(self, extended: int, arrival_s: float) -> None:
        self.late += 1
        since_s = self._skipped.pop(extended, None)
        if since_s is not None:
            self._raise_wait(arrival_s - since_s)

    def _raise_wait(self, late_s: float) -> None:
        self._peak_s = max(self._peak_s, min(1.25 * late_s, self.settings.most_wait_ms / 1000))

    def _skip(self, out: list[Sound[Payload] | Gap]) -> None:
        """Gives up the hole in front of the oldest packet held."""
        oldest = min(self._held)
        self.lost += oldest - self._next_sequence
        since_s = min(held.arrival_s for held in self._held.values())
        for sequence in range(max(self._next_sequence, oldest - REMEMBERED), oldest):
            self._skipped[sequence] = since_s
        while len(self._skipped) > REMEMBERED:
            self._skipped.popitem(last=False)
        self._next_sequence = oldest
        self._fill(out, self._held[oldest].tick - self._next_tick, GapReason.LOST)

    def _fill(self, out: list[Sound[Payload] | Gap], n_ticks: int, reason: GapReason) -> None:
        if n_ticks > 0:
            out.append(Gap(self._next_tick, n_ticks, reason))
            self._next_tick += n_ticks


def _signed(difference: int, bits: int) -> int:
    """The difference of two counters that wrap at 2**bits, as the nearer of the two ways round."""
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half
