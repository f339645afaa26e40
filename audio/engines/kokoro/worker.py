# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that speaks with Kokoro on request, a sentence at a time over the standard pipes.

Kokoro is Apache-2.0 and kokoro-onnx MIT, but it spells words with phonemizer and espeak-ng, which are
GPL-3.0-or-later; so is this one file, which loads them. The file is a whole program: it imports the standard library,
numpy and kokoro-onnx alone, nothing imports it, and it is spoken to through pipes only. It keeps nothing between
requests, so whoever loses it starts another one and asks again.

A message is the length of its header (4 bytes, big-endian), a JSON object, and as many bytes as its ``bytes`` says.
First comes ``{"ready": version}`` or ``{"error": text}``; then each request ``{"text"}`` is answered by
``{"rate_hz", "cpu_s"}`` with int16 sound, or by ``{"error", "cpu_s"}``.

Usage: worker.py MODEL VOICES VOICE LANGUAGE SPEED
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import signal
import struct
import sys
import time
from typing import Any

LENGTH = struct.Struct(">I")


def pack(header: dict[str, Any], payload: bytes = b"") -> bytes:
    text = json.dumps({**header, "bytes": len(payload)} if payload else header, separators=(",", ":")).encode()
    return LENGTH.pack(len(text)) + text + payload


def write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def read_exactly(fd: int, n_bytes: int) -> bytes:
    """Fewer at the end of the pipe."""
    read = b""
    while len(read) < n_bytes and (part := os.read(fd, n_bytes - len(read))):
        read += part
    return read


def one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]


def load(model: str, voices: str, voice: str) -> Any:
    """The model, which must hold the voice. Raises ValueError, or what kokoro-onnx raises."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reads it when it is imported
    from kokoro_onnx import Kokoro

    kokoro = Kokoro(model, voices)
    known = kokoro.get_voices()
    if voice not in known:
        raise ValueError(f"there is no voice {voice!r} in {voices}; it has {', '.join(known[:12])}")
    return kokoro


def speak(kokoro: Any, text: str, voice: str, language: str, speed: float) -> tuple[bytes, int]:
    """The sound of a sentence as int16, and its rate."""
    import numpy as np

    sound, rate_hz = kokoro.create(text, voice, speed=speed, lang=language)
    return np.rint(np.clip(sound, -1.0, 1.0) * 32767).astype("<i2").tobytes(), int(rate_hz)


def main() -> None:
    """Serve the pipe until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked decides when speaking ends
    out = os.dup(1)
    os.dup2(2, 1)  # nothing that a library prints may enter the protocol
    model, voices, voice, language, speed = sys.argv[1:]
    try:
        kokoro = load(model, voices, voice)
    except Exception as error:
        write_all(out, pack({"error": one_line(error)}))
        return
    write_all(out, pack({"ready": importlib.metadata.version("kokoro-onnx")}))
    while len(size := read_exactly(0, LENGTH.size)) == LENGTH.size:
        began = time.process_time()
        payload = b""
        try:
            request = json.loads(read_exactly(0, *LENGTH.unpack(size)))
            payload, rate_hz = speak(kokoro, request["text"], voice, language, float(speed))
            reply: dict[str, Any] = {"rate_hz": rate_hz}
        except Exception as error:
            reply = {"error": one_line(error)}
        write_all(out, pack({**reply, "cpu_s": time.process_time() - began}, payload))


if __name__ == "__main__":
    main()
