"""What a stream has learnt of its channel: the mean that the recogniser takes away from its features.

The mean holds the colour of line and voice, and it decides more than any other setting: with the decoder's own first
guess 41 % of the words of a first sentence (espeak-ng) came out wrong, with the right mean 6 %, and real speech fared
alike. So the guess carries little weight here, and a young stream listens again as soon as it knows better. This file
refuses to know decoders.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["UNHEARD", "Channel"]

_WINDOW, _HIGH_WATER = 500, 800
"""Frames that the decoder counts its starting mean as, and at which it moves the mean by itself (cmn_live.c)."""

_MOST_FRAMES = 500.0
"""Weight of all that was heard before, at most: a speaker who moves is followed within 5 s. Above `_SURE_FRAMES`, or
listening again would never end. 300 and 1,500 did as well on real digits and on espeak-ng."""

_GROWTH = 1.6
"""More evidence by this factor is worth listening again: at 0.4, 0.8, 1.4 and 2.4 s of a first segment."""

_SURE_FRAMES, _SURE_AT_END_FRAMES = 200.0, 150.0
"""Evidence after which nothing is listened to again, while the segment goes on and when it ends. Listening again
costs 40 ms a second; at the end somebody waits for it."""

_LEAST_FRAMES = 40


@dataclass(frozen=True, slots=True)
class Channel:
    """The feature mean (13 cepstral coefficients) and the frames of 10 ms it rests on."""

    mean: tuple[float, ...]
    frames: float

    @property
    def text(self) -> str:
        """The mean as the decoder takes it."""
        return ",".join(f"{value:.6g}" for value in self.mean)

    def learn(self, used: Channel, reported: str, n_frames: int) -> Channel:
        """The channel with `n_frames` more heard, of which the decoder `reported` its mean after starting at `used`."""
        if n_frames <= 0:
            return self
        # The decoder mixes its starting mean in; what was heard is what remains without it.
        moves, rest = divmod(n_frames, _HIGH_WATER - _WINDOW)
        share = (_WINDOW / _HIGH_WATER) ** moves * _WINDOW / (_WINDOW + rest)
        heard = [
            (float(after) - share * before) / (1 - share)
            for after, before in zip(reported.split(","), used.mean, strict=True)
        ]
        total = self.frames + n_frames
        mean = tuple((self.frames * old + n_frames * new) / total for old, new in zip(self.mean, heard, strict=True))
        return Channel(mean, min(total, _MOST_FRAMES))

    def worth_relistening(self, used: Channel, n_frames: int, *, ended: bool) -> bool:
        """Whether a segment of `n_frames` so far, decoded with `used`, should be decoded again with what it taught."""
        sure = _SURE_AT_END_FRAMES if ended else _SURE_FRAMES
        known = self.frames + n_frames
        return used.frames < sure and known >= _GROWTH * used.frames and (ended or n_frames >= _LEAST_FRAMES)


UNHEARD = Channel((40.0, 3.0, -1.0, *[0.0] * 10), 25.0)
"""Before anything was heard: the decoder's own guess, counted as a quarter of a second."""
