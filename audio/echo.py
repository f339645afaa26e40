"""Is what the line brings only our own voice coming back? The far end's sound against the near end's.

A loudspeaker near a microphone returns what the agent says, 60 to 400 ms later, quieter and coloured; a speech
detector takes it for the caller. Nothing is cancelled here: the caller's sound stays as it is, and one question is
answered for each detector window, whether the reference explains it. The levels of 13 bands in hops of 16 ms are
compared, not the samples, so that codecs, rooms and cheap loudspeakers do not matter: the delay is where the two
patterns of levels agree best (delay estimation by spectral patterns, as Volcker's in WebRTC, US patent 2011/0274289),
the gain is the median difference there, and a window with more power in some band than the delayed reference can have
left there holds somebody else too (double talk by comparing levels, after D. L. Duttweiler, IEEE Trans. Comm. 26(5),
1978, who names it Geigel's). This file refuses to know detectors, turns and time: it counts samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from audio.frame import Pcm

__all__ = ["NEEDS_SAMPLES", "EchoGuard", "EchoSettings", "FarEnd"]

_RING = 1 << 15
"""Samples of the reference kept, 2 s: the comparison, the longest delay and what a late block may lag."""
_HOP = 256
"""16 ms: two to a detector window of 512 samples."""
_FRAME = 512
_BAND_EDGES = (6, 10, 14, 18, 23, 28, 34, 41, 49, 58, 69, 82, 97, 116)
"""Bins of 31.25 Hz: 13 bands from 190 to 3,600 Hz, what a telephone carries, none wider than a critical band."""
_HOPS_A_WINDOW = 2
_QUIETEST_DB = 20.0
"""Bands below this (dB over one quantisation step, about -70 dBFS) are silence."""
_COMPARED_HOPS = 40
"""640 ms are compared: with the silence before it the first word of a call is enough to find the delay, and what we
said without an echo tells against one."""
_LIKENESS = 0.6
"""Correlation of the two patterns of levels from which the reference counts as the cause. A guess between what speech
of others reaches and what echoes do; BENCHMARKS.md has what came of it."""
_NEW_LIKENESS = 0.7
"""The same for a delay that is not known yet: of 26 delays one agrees by chance."""
_DOUBTFUL_LIKENESS = 0.9
"""The same on a line that was quiet while we spoke: it has no echo, so far."""
_QUIET_LINE, _RATE = 0.35, 1 / 47
"""A line is quiet where less than this share of the windows in which we spoke, over about 1.5 s, sounded like speech.
With an echo most of them do."""
_OFTEN = 4
"""Windows that agree on a delay before it is known; from then on the prediction alone decides. A guess."""
_SHARE = 0.5
"""A window with more of its power than this beyond the prediction holds somebody else's speech. A guess."""
_DECAY_DB = 3.0
"""How fast a level may fall in one hop of 16 ms: the room's sound dies by 60 dB in 0.3 s."""
_LEAST_DEPTH_DB, _DEPTH_DB = 10.0, 30.0
"""Levels further below the loudest than the noise, or than 30 dB, are taken as equal: there lie noise and the room.
With less than 10 dB between noise and sound there is nothing to compare."""
_NOISE_DB = 5.0
"""Over 640 ms the quietest hop of a band lies about this much under the mean of its noise."""
_LOUD_DB = 15.0
"""The gain is read off bands that lie no further below the loudest."""

NEEDS_SAMPLES = (_COMPARED_HOPS + 1) * _HOP
"""Samples of the near end, up to its present, that `EchoGuard.explains` looks at."""

_Levels = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class EchoSettings:
    """Numbers of the comparison."""

    guard: bool = True
    """Ask at all; with False the line is heard as it is."""
    longest_ms: int = 400
    """Longest way from our playout through the far end's room and back. A guess: rooms add 60, networks 40 to 300."""
    margin_db: float = 6.0
    """A band may be louder than predicted by this: a coloured loudspeaker, a delay between two hops. A guess."""


class FarEnd:
    """What was sent to the far party, the last 2 s of it, on the call's sample line; silence where nothing was."""

    def __init__(self) -> None:
        self._ring = np.zeros(_RING, np.int16)
        self._end = 0

    def add(self, pcm: Pcm, first_sample: int) -> None:
        """`pcm` int16[n], n at most 1 s, was sent from `first_sample` on; frames come in order."""
        if first_sample > self._end:
            self._write(np.zeros(min(first_sample - self._end, _RING), np.int16), first_sample)
        self._write(pcm, first_sample + len(pcm))

    def _write(self, pcm: Pcm, end: int) -> None:
        """Put `pcm` so that it ends before sample `end`."""
        begin = (end - len(pcm)) % _RING
        fits = min(len(pcm), _RING - begin)
        self._ring[begin : begin + fits] = pcm[:fits]
        self._ring[: len(pcm) - fits] = pcm[fits:]
        self._end = end

    def sounded_after(self, sample: int) -> bool:
        """Something was sent after `sample`."""
        return self._end > sample

    def between(self, first: int, end: int) -> Pcm:
        """int16[end - first]: what was sent there, zeros where nothing was or where it is forgotten."""
        out = np.zeros(end - first, np.int16)
        known_first, known_end = max(first, self._end - _RING, 0), min(end, self._end)
        if known_end > known_first:
            places = np.arange(known_first, known_end) % _RING
            out[known_first - first : known_end - first] = self._ring[places]
        return out


class EchoGuard:
    """What the reference explains of one call's near end."""

    def __init__(self, far: FarEnd, settings: EchoSettings | None = None) -> None:
        self._far, self._settings = far, settings or EchoSettings()
        self._n_lags = self._settings.longest_ms * 16 // _HOP + 1
        self._near_track, self._far_track = _Track(), _Track()
        self._returning = 1.0  # share of the windows we spoke in that sounded like speech, lately
        self._seen, self._seen_lag = 0, -_OFTEN
        self.lag_hops: int | None = None
        """The delay of the echo, in hops of 256 samples, once it is known."""
        self.gain_db = 0.0
        """And how loud, against the reference."""

    def possible(self, end: int) -> bool:
        """We sounded lately enough that an echo may sound at `end`; asking costs nothing."""
        return self._far.sounded_after(end - (self._n_lags + 2) * _HOP)

    def sounds(self, end: int) -> bool:
        """We speak at sample `end`, or did within the last 32 ms: a frame may be on its way."""
        return self._far.sounded_after(end - 2 * _HOP)

    def explains(self, near: Pcm, end: int) -> bool:
        """The last detector window of `near`, int16[n], which ends before sample `end`, is nothing but our own voice.

        `end` is a multiple of 256; what `near` lacks of `NEEDS_SAMPLES` counts as silence before it.
        """
        if not self.possible(end):
            return False
        self._returning += (1 - self._returning) * _RATE
        near_db = self._near_track.up_to(end, _COMPARED_HOPS, lambda first: near[max(0, len(near) - (end - first)) :])
        far_hops = _COMPARED_HOPS + self._n_lags - 1
        far_db = self._far_track.up_to(end, far_hops, lambda first: self._far.between(first, end))
        noise_db = near_db.min(axis=0) + _NOISE_DB
        depth_db = min(float((near_db - noise_db).max()), _DEPTH_DB)
        like = _likeness(near_db, far_db, depth_db)
        lag = int(like.argmax())
        if depth_db >= _LEAST_DEPTH_DB and like[lag] >= self._needed(lag):
            gain_db = _gain(near_db, far_db[len(far_db) - lag - _COMPARED_HOPS : len(far_db) - lag])
            if gain_db <= self._settings.margin_db and self._is_echo(near_db, far_db, noise_db, lag, gain_db):
                self._found(lag, gain_db)
                return True
        return self.lag_hops is not None and self._is_echo(near_db, far_db, noise_db, self.lag_hops, self.gain_db)

    def quiet(self) -> None:
        """The detector heard no speech in a window in which an echo was `possible`."""
        self._returning -= self._returning * _RATE

    def _needed(self, lag: int) -> float:
        """The likeness from which an echo with this delay is believed in."""
        if self.lag_hops is not None and abs(lag - self.lag_hops) <= 1:
            return _LIKENESS
        return _NEW_LIKENESS if self._returning > _QUIET_LINE else _DOUBTFUL_LIKENESS

    def _found(self, lag: int, gain_db: float) -> None:
        """An echo was seen with this delay; it is known once that was so often enough."""
        self._seen = self._seen + 1 if abs(lag - self._seen_lag) <= 1 else 1
        self._seen_lag = lag
        if self._seen >= _OFTEN:
            self.lag_hops, self.gain_db = lag, gain_db

    def _is_echo(self, near_db: _Levels, far_db: _Levels, noise_db: _Levels, lag: int, gain_db: float) -> bool:
        """Too little of the last window's power is more than an echo with this delay and gain, and noise, can be."""
        hops = len(far_db) - lag
        left = np.full((_HOPS_A_WINDOW, far_db.shape[1]), _QUIETEST_DB)
        for age in range(-1, 6):  # the hop after, for a delay between two; the hops before, for what dies away
            last = min(len(far_db), hops - age)
            heard = far_db[last - _HOPS_A_WINDOW : last] - _DECAY_DB * max(0, age - 1)
            left = np.maximum(left, heard)
        power = _power(near_db[-_HOPS_A_WINDOW:])
        could = _power(left + gain_db + self._settings.margin_db) + _power(noise_db)
        return float(np.maximum(power - could, 0).sum()) < _SHARE * float(power.sum())


class _Track:
    """The levels of one side, hop by hop; only new hops are computed."""

    def __init__(self) -> None:
        self._end = 0
        self._rows: _Levels = np.zeros((0, len(_BAND_EDGES) - 1))

    def up_to(self, end: int, n_hops: int, sound_from: Callable[[int], Pcm]) -> _Levels:
        """float64[n_hops, 13]: levels of the hops before sample `end`.

        `sound_from(first)` gives the sound from there to `end`, or less of it, which counts as silence before.
        """
        new = (end - self._end) // _HOP
        if not 0 <= new <= n_hops or (end - self._end) % _HOP or len(self._rows) < n_hops:
            new, self._rows = n_hops, self._rows[:0]
        if new:
            n_samples = (new + 1) * _HOP
            sound = sound_from(end - n_samples)
            missing = np.zeros(n_samples - len(sound), np.int16)
            self._rows = np.concatenate((self._rows, _levels(np.concatenate((missing, sound)))))[-n_hops:]
        self._end = end
        return self._rows


def _likeness(near_db: _Levels, far_db: _Levels, depth_db: float) -> _Levels:
    """float64[n_lags]: correlation of the near end's levels with the reference's at each delay, -1..1."""
    near = np.maximum(near_db, near_db.max() - depth_db)
    far = np.maximum(far_db, max(far_db.max() - depth_db, _QUIETEST_DB))
    sounding = far.max(axis=1) > far.min()
    tilt = far[sounding].mean(axis=0) if sounding.any() else np.zeros(far.shape[1])
    near, far = near - tilt, far - tilt
    views = np.lib.stride_tricks.sliding_window_view(far, len(near), axis=0)[::-1].transpose(0, 2, 1)
    views = views.reshape(len(views), -1)
    views = views - views.mean(axis=1, keepdims=True)
    flat = near.ravel() - near.mean()
    size = np.sqrt(np.square(views).sum(axis=1) * np.square(flat).sum())
    return np.asarray(views @ flat / np.maximum(size, 1e-9))


def _gain(near_db: _Levels, far_db: _Levels) -> float:
    """dB from the reference to its echo: the median where the reference is loud."""
    loud = far_db > max(far_db.max() - _LOUD_DB, _QUIETEST_DB)
    return float(np.median((near_db - far_db)[loud])) if loud.any() else 0.0


def _levels(pcm: Pcm) -> _Levels:
    """float64[n // 256 - 1, 13]: levels in dB of the bands, each hop seen together with the one before it."""
    frames = np.lib.stride_tricks.sliding_window_view(pcm, _FRAME)[::_HOP] * _hann()
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    bands = np.add.reduceat(power[:, : _BAND_EDGES[-1]], _BAND_EDGES[:-1], axis=1)
    return np.asarray(10 * np.log10(bands * (2 / _FRAME**2) + _power(_QUIETEST_DB)))


def _power(level_db: _Levels | float) -> _Levels:
    return np.asarray(10 ** (np.asarray(level_db) / 10))


@lru_cache(maxsize=1)
def _hann() -> NDArray[np.float64]:
    return np.hanning(_FRAME)
