"""G.711 against the standard's landmarks, against audioop where it still exists, and against itself."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from audio.frame import FrameError, Pcm
from audio.g711 import (
    ALAW_SILENCE,
    MULAW_SILENCE,
    G711Error,
    decode_alaw,
    decode_mulaw,
    encode_alaw,
    encode_mulaw,
)

EVERY_BYTE = bytes(range(256))
EVERY_SAMPLE = np.arange(-32_768, 32_768).astype(np.int16)
LAWS = [(encode_mulaw, decode_mulaw), (encode_alaw, decode_alaw)]
Encode = Callable[[Pcm], bytes]
Decode = Callable[[bytes], Pcm]


def test_landmarks_of_the_standard() -> None:
    assert list(decode_mulaw(b"\x00\x80\x7f\xff\xfe")) == [-32_124, 32_124, 0, 0, 8]
    assert list(decode_alaw(b"\xd5\x55\xaa\x2a")) == [8, -8, 32_256, -32_256]
    assert encode_mulaw(np.zeros(2, np.int16)) == bytes([MULAW_SILENCE] * 2)
    assert encode_alaw(np.zeros(2, np.int16)) == bytes([ALAW_SILENCE] * 2)
    assert encode_mulaw(np.array([32_767, -32_768], np.int16)) == b"\x80\x00"
    assert encode_alaw(np.array([32_767, -32_768], np.int16)) == b"\xaa\x2a"


@pytest.mark.parametrize(("encode", "decode"), LAWS)
def test_every_codeword_survives(encode: Encode, decode: Decode) -> None:
    again = encode(decode(EVERY_BYTE))
    changed = [code for code in range(256) if again[code] != code]
    assert changed == ([0x7F] if encode is encode_mulaw else []), "only mu-law's negative zero has a twin"
    assert np.array_equal(decode(again), decode(EVERY_BYTE))


@pytest.mark.parametrize(("encode", "decode"), LAWS)
def test_error_grows_with_the_sample_and_the_curve_rises(encode: Encode, decode: Decode) -> None:
    heard = decode(encode(EVERY_SAMPLE)).astype(int)
    said = EVERY_SAMPLE.astype(int)
    assert np.all(np.abs(heard - said) <= np.maximum(np.abs(said) / 16, 16))
    inside = np.abs(said) < 32_000
    assert np.all(np.diff(heard[inside]) >= 0)


def test_bytes_equal_audioop() -> None:
    audioop = pytest.importorskip("audioop")
    sound = EVERY_SAMPLE.tobytes()
    assert encode_mulaw(EVERY_SAMPLE) == audioop.lin2ulaw(sound, 2)
    assert encode_alaw(EVERY_SAMPLE) == audioop.lin2alaw(sound, 2)
    assert decode_mulaw(EVERY_BYTE).tobytes() == audioop.ulaw2lin(EVERY_BYTE, 2)
    assert decode_alaw(EVERY_BYTE).tobytes() == audioop.alaw2lin(EVERY_BYTE, 2)


def test_strided_sound_and_other_buffers_are_taken() -> None:
    stereo = np.array([1, 100, 2, 200], np.int16)
    assert encode_mulaw(stereo[1::2]) == encode_mulaw(np.array([100, 200], np.int16))
    assert np.array_equal(decode_alaw(bytearray(b"\x01\x02")), decode_alaw(b"\x01\x02"))
    decoded = decode_mulaw(b"\x01")
    decoded[0] = 0
    assert decode_mulaw(b"\x01")[0] != 0, "the table is nobody's buffer"


def test_wrong_types_are_named() -> None:
    with pytest.raises(G711Error, match="is str; expected bytes"):
        decode_mulaw("AAAA")  # type: ignore[arg-type]
    with pytest.raises(FrameError, match="dtype float64"):
        encode_alaw(np.zeros(3))  # type: ignore[arg-type]
