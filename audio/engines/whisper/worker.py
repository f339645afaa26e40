"""The worker process: one Whisper model, one stretch of speech at a time over the standard pipes.

It keeps nothing between requests, so whoever loses it starts another one and asks again. This is the one file of the
recogniser that imports faster-whisper and times itself: every answer carries the CPU seconds it took. It refuses to
know asyncio, calls and clocks on the wall.

A request ``decode`` holds the sound as int16 bytes and ``prompt`` (text said before), ``beam`` (width) and ``most``
(tokens); the answer holds ``words``, see `decode`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any

import numpy as np

from audio.engines.wire import Header, pack, read_message

__all__ = ["decode", "main"]

_START_TOKENS = 4
"""Start of transcript, language, task, no timestamps."""

Row = list[Any]
"""A word as it travels: text, start and end (s from the start of the sound), probability."""


def decode(model: Any, language: str, request: Header, pcm: bytes) -> list[Row]:
    """The words in `pcm`.

    The sound, 30 s at most, is one window of Whisper, decoded once: without timestamp tokens a window is one segment,
    and the generator is closed after it. faster-whisper would otherwise decode what follows the last word again, which
    doubles the cost and is where made-up words come from. One temperature for the same reason: a second try at another
    one makes the worst case six times the usual one.
    """
    prompt, most = request["prompt"], request["most"]
    # CTranslate2 gives at most half of prompt and new tokens together, so a short prompt would halve the limit.
    n_prompt = _START_TOKENS + (len(model.hf_tokenizer.encode(" " + prompt).ids) if prompt else 0)
    sound = np.frombuffer(pcm, np.int16).astype(np.float32) / 32768.0
    segments, _ = model.transcribe(
        sound,
        language=language,
        beam_size=request["beam"],
        temperature=0.0,
        initial_prompt=prompt or None,
        condition_on_previous_text=False,
        without_timestamps=True,
        word_timestamps=True,
        max_new_tokens=max(most, 2 * most - n_prompt),
        vad_filter=False,
    )
    try:
        first = next(segments, None)
    finally:
        segments.close()
    words = (first.words if first is not None else None) or []
    return [[word.word, round(word.start, 3), round(word.end, 3), round(word.probability, 4)] for word in words]


def load(model: str, compute: str) -> Any:
    """The model from a folder, or by a name that the hub knows (offline where HF_HUB_OFFLINE says so)."""
    from faster_whisper import WhisperModel

    # One thread: two saved no CPU time, and the runtime counts a worker per core.
    return WhisperModel(model, device="cpu", compute_type=compute, cpu_threads=1, num_workers=1)


def main() -> None:
    """Serve the pipe until it closes. Arguments: model (folder or name), language, compute type."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when calls end
    out = os.dup(1)
    os.dup2(2, 1)  # nothing that a library prints may enter the protocol
    name, language, compute = sys.argv[1:]
    try:
        model = load(name, compute)
    except Exception as error:
        os.write(out, pack({"error": _one_line(error)}))
        return
    os.write(out, pack({"ready": True}))
    while (message := read_message(0)) is not None:
        began = time.process_time()
        try:
            request, pcm = message
            if request["ask"] != "decode":
                raise ValueError(f"{request['ask']!r} is no request")
            reply: Header = {"words": decode(model, language, request, pcm)}
        except Exception as error:
            reply = {"error": _one_line(error)}
        reply["cpu_s"] = time.process_time() - began
        _write(out, pack(reply))


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:400]


def _write(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


if __name__ == "__main__":
    main()
