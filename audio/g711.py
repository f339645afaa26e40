"""G.711: mu-law and A-law bytes to samples and back, by table.

Encoding follows the rule of Sun's reference code as the standard library's `audioop` had it until Python 3.13: the
lowest two (mu-law) or three (A-law) bits of a sample are dropped before the search, so our bytes equal those of most
telephone software. This file refuses to know about packets and rates.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from audio.frame import AudioError, Pcm, check_pcm

__all__ = [
    "ALAW_SILENCE",
    "MULAW_SILENCE",
    "G711Error",
    "decode_alaw",
    "decode_mulaw",
    "encode_alaw",
    "encode_mulaw",
]

Number = TypeVar("Number", bound=np.generic)

MULAW_SILENCE = 0xFF
"""The mu-law byte for the sample 0."""

ALAW_SILENCE = 0xD5
"""The A-law byte for the sample 8, the smallest there is: A-law has no zero."""


class G711Error(AudioError, ValueError):
    """Data that is not G.711 bytes."""


def encode_mulaw(pcm: Pcm) -> bytes:
    """One mu-law byte (G.711, PCMU in RFC 3551) for each sample of int16[n]."""
    return _encoded(pcm, _mulaw_bytes())


def decode_mulaw(data: bytes | bytearray | memoryview) -> Pcm:
    """int16[n] from n mu-law bytes; full scale is 32,124. 0x7F and 0xFF are both 0."""
    return _decoded(data, _mulaw_samples())


def encode_alaw(pcm: Pcm) -> bytes:
    """One A-law byte (G.711, PCMA in RFC 3551) for each sample of int16[n]."""
    return _encoded(pcm, _alaw_bytes())


def decode_alaw(data: bytes | bytearray | memoryview) -> Pcm:
    """int16[n] from n A-law bytes; full scale is 32,256."""
    return _decoded(data, _alaw_samples())


def _encoded(pcm: Pcm, table: NDArray[np.uint8]) -> bytes:
    check_pcm(pcm, "sound to encode")
    return table[pcm.view(np.uint16) if pcm.flags.c_contiguous else pcm.astype(np.uint16)].tobytes()


def _decoded(data: bytes | bytearray | memoryview, table: Pcm) -> Pcm:
    if not isinstance(data, bytes | bytearray | memoryview):
        raise G711Error(f"G.711 data is {type(data).__name__}; expected bytes (base64 text must be decoded first)")
    return table[np.frombuffer(data, np.uint8)]


def _all_samples() -> NDArray[np.int32]:
    """Every int16, at the place of its bits read as unsigned."""
    return np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)


def _segment(magnitude: NDArray[np.int32], ends: NDArray[np.int32]) -> NDArray[np.int32]:
    """The segment (chord) of the logarithm that each magnitude lies in; one past the last where it is too big."""
    return np.searchsorted(ends, magnitude).astype(np.int32)


@lru_cache(maxsize=1)
def _mulaw_bytes() -> NDArray[np.uint8]:
    """G.711 table 2a: 14-bit magnitude, bias 33, eight segments of sixteen steps, all bits inverted."""
    samples = _all_samples() >> 2
    biased = np.minimum(np.abs(samples), 8_159) + 33
    segment = _segment(biased, (0x40 << np.arange(8, dtype=np.int32)) - 1)
    code = np.where(segment > 7, 0x7F, segment << 4 | (biased >> (segment + 1)) & 0x0F)
    return _sealed((code ^ np.where(samples < 0, 0x7F, 0xFF)).astype(np.uint8))


@lru_cache(maxsize=1)
def _mulaw_samples() -> Pcm:
    code = ~np.arange(256, dtype=np.int32)
    magnitude = (((code & 0x0F) << 3) + 0x84 << ((code & 0x70) >> 4)) - 0x84
    return _sealed(np.where(code & 0x80, -magnitude, magnitude).astype(np.int16))


@lru_cache(maxsize=1)
def _alaw_bytes() -> NDArray[np.uint8]:
    """G.711 table 1a: 13-bit magnitude, eight segments of which the first two are alike, even bits inverted."""
    samples = _all_samples() >> 3
    magnitude = np.where(samples < 0, -samples - 1, samples)
    segment = _segment(magnitude, (0x20 << np.arange(8, dtype=np.int32)) - 1)
    code = segment << 4 | (magnitude >> np.maximum(segment, 1)) & 0x0F
    return _sealed((code ^ np.where(samples < 0, 0x55, 0xD5)).astype(np.uint8))


@lru_cache(maxsize=1)
def _alaw_samples() -> Pcm:
    code = np.arange(256, dtype=np.int32) ^ 0x55
    segment = (code & 0x70) >> 4
    magnitude = ((code & 0x0F) << 4) + np.where(segment == 0, 0x08, 0x108) << np.maximum(segment - 1, 0)
    return _sealed(np.where(code & 0x80, magnitude, -magnitude).astype(np.int16))


def _sealed(table: NDArray[Number]) -> NDArray[Number]:
    table.flags.writeable = False
    return table
