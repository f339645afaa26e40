# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that speaks with espeak-ng on request, over its standard input and output.

espeak-ng is GPL-3.0-or-later, and so is this one file, which loads it. The file is a whole program: it imports the
standard library alone, nothing imports it, and it is spoken to through pipes only. It refuses to know who asks.

Each utterance is spoken by a fork of the process, made when the library was loaded and had said nothing yet. The
library is not re-entrant and keeps pauses, wave phase and random numbers from one utterance to the next (the same
text came out up to 1,100 samples apart); a fork costs 1 ms, gives the same sound for the same text always, lets
utterances overlap, and is stopped by ending it.

A message is the length of its header (4 bytes, big-endian), a JSON object, and as many bytes as its ``bytes`` says.

    in   {"say": id, "text", "voice", "rate_wpm", "pitch"}   {"stop": id}
    out  {"ready": version, "library", "rate_hz"} once, or {"error"} and the end
         {"id", "words": [[first char, sample], ...], "cpu_s"} + int16 sound, at the library's rate
         {"id", "end": true, "cpu_s"}   {"id", "error"}, with "died" where another try may succeed

After ``stop`` no message about that id is begun. Usage: helper.py [--library PATH [--data PATH]] [--probe]
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import importlib.util
import json
import os
import select
import signal
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

LENGTH = struct.Struct(">I")
CHUNK_MS = 20
"""Asked of the library, which makes 49 ms (1.51) or 60 ms (1.52) of it."""

OUT_LIMIT = 1 << 18
"""Bytes waiting for the reader above which no fork is read from: 6 s of sound, then the forks wait, too."""

MAX_TALKERS = 32
SYNCHRONOUS, NO_EXIT, UTF8, WORD = 2, 0x8000, 1, 1
RATE, PITCH = 1, 3
SYSTEM_LIBRARIES = ("libespeak-ng.so.1", "libespeak-ng.so", "libespeak-ng.1.dylib", "libespeak-ng.dylib")


class EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class Event(ctypes.Structure):
    """espeak_EVENT of speak_lib.h."""

    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", EventId),
    )


SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))


def pack(header: dict[str, Any], payload: bytes = b"") -> bytes:
    text = json.dumps({**header, "bytes": len(payload)} if payload else header, separators=(",", ":")).encode()
    return LENGTH.pack(len(text)) + text + payload


def whole_messages(buffer: bytearray) -> Iterator[tuple[dict[str, Any], bytes]]:
    """Take every whole message out of `buffer`: its header and the bytes of all of it."""
    while len(buffer) >= LENGTH.size:
        (size,) = LENGTH.unpack_from(buffer)
        if len(buffer) < LENGTH.size + size:
            return
        header = json.loads(buffer[LENGTH.size : LENGTH.size + size])
        end = LENGTH.size + size + header.get("bytes", 0)
        if len(buffer) < end:
            return
        message = bytes(buffer[:end])
        del buffer[:end]
        yield header, message


def write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]


def candidates(library: str | None, data: str | None) -> Iterator[tuple[str, str | None]]:
    """Libraries to try with the folder of their voices: the one asked for, the system's, the wheel's."""
    if library:
        yield library, data
        return
    for name in SYSTEM_LIBRARIES:
        yield name, None
    spec = importlib.util.find_spec("espeakng_loader")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for path in sorted(Path(folder).glob("*espeak-ng.so")) + sorted(Path(folder).glob("*espeak-ng.d*")):
            if path.is_file():
                yield str(path), folder


class Espeak:
    """The loaded library. Raises RuntimeError with every reason when none can be loaded."""

    def __init__(self, library: str | None, data: str | None) -> None:
        reasons = []
        for path, folder in candidates(library, data):
            try:
                loaded = ctypes.CDLL(path)
            except OSError as error:
                reasons.append(str(error))
                continue
            initialize = loaded.espeak_Initialize
            initialize.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int)
            rate_hz = initialize(SYNCHRONOUS, CHUNK_MS, folder.encode() if folder else None, NO_EXIT)
            if rate_hz > 0:
                self.library, self.path, self.rate_hz = loaded, path, rate_hz
                loaded.espeak_Info.restype = ctypes.c_char_p
                self.version = loaded.espeak_Info(None).decode()
                return
            reasons.append(f"{path}: no voices in {folder or 'its own folder'}")
        raise RuntimeError(
            "no espeak-ng library found (pip install espeakng-loader, or apt-get install libespeak-ng1): "
            + "; ".join(reasons)
        )

    def prefer(self, voice: str) -> bool:
        """Select a voice; False where there is none of that name."""
        return bool(self.library.espeak_SetVoiceByName(voice.encode()) == 0)

    def speak(self, out: int, number: int, request: dict[str, Any]) -> None:
        """Write an utterance's messages to `out`, in the voice that `prefer` has set."""
        self.library.espeak_SetParameter(RATE, int(request["rate_wpm"]), 0)
        self.library.espeak_SetParameter(PITCH, int(request["pitch"]), 0)

        def chunk(sound: int | None, n_samples: int, events: Any) -> int:
            words, index = [], 0
            while events and events[index].type:
                event = events[index]
                if event.type == WORD:
                    words.append([event.text_position - 1, event.sample])
                index += 1
            pcm = ctypes.string_at(sound, 2 * n_samples) if sound and n_samples > 0 else b""
            if pcm or words:
                try:
                    write_all(out, pack({"id": number, "words": words, "cpu_s": time.process_time()}, pcm))
                except OSError:
                    return 1  # nobody listens any more
            return 0

        callback = SynthCallback(chunk)
        self.library.espeak_SetSynthCallback(callback)
        text = request["text"].encode()
        failed = self.library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, UTF8, None, None)
        if failed:
            write_all(out, pack({"id": number, "error": f"espeak-ng refused the text (code {failed})"}))
            return
        write_all(out, pack({"id": number, "end": True, "cpu_s": time.process_time()}))


class Talkers:
    """The forks that speak, and what waits to be written to whoever asked."""

    def __init__(self, espeak: Espeak, out: int) -> None:
        self.espeak = espeak
        self.out = out
        self.waiting = bytearray()
        self.pipes: dict[int, tuple[int, int, bytearray]] = {}
        """Read end of a fork's pipe -> utterance, process, bytes that are no whole message yet."""

    def say(self, number: int, request: dict[str, Any]) -> None:
        if len(self.pipes) >= MAX_TALKERS:
            self.waiting += pack({"id": number, "error": f"{MAX_TALKERS} utterances are being spoken already"})
            return
        # Chosen before the fork: a voice's dictionary takes 60 ms to read, and every later fork then has it.
        if not self.espeak.prefer(request["voice"]):
            self.waiting += pack({"id": number, "error": f"espeak-ng has no voice {request['voice']!r}"})
            return
        read, write = os.pipe()
        process = os.fork()
        if process == 0:
            self._talk(read, write, number, request)
        os.close(write)
        self.pipes[read] = (number, process, bytearray())

    def _talk(self, read: int, write: int, number: int, request: dict[str, Any]) -> NoReturn:
        """The fork: speak and end, without the parent's clean-up."""
        try:
            # Held open here, these would keep a fork waiting for a reader that is gone.
            for fd in (0, self.out, read, *self.pipes):
                os.close(fd)
            self.espeak.speak(write, number, request)
        except BaseException as error:
            with contextlib.suppress(OSError):
                write_all(write, pack({"id": number, "error": f"{type(error).__name__}: {error}"}))
        os._exit(0)

    def stop(self, number: int) -> None:
        for read, (talking, process, _) in list(self.pipes.items()):
            if talking == number:
                os.kill(process, signal.SIGKILL)
                self._reap(read)

    def read_from(self, read: int) -> None:
        number, _, buffer = self.pipes[read]
        part = os.read(read, 1 << 16)
        buffer += part
        for header, message in whole_messages(buffer):
            self.waiting += message
            if "end" in header or "error" in header:
                self._reap(read)
                return
        if not part:
            self._reap(read)
            self.waiting += pack({"id": number, "error": "the speaking process ended early", "died": True})

    def flush(self) -> None:
        with contextlib.suppress(BlockingIOError):
            del self.waiting[: os.write(self.out, self.waiting)]

    def _reap(self, read: int) -> None:
        _, process, _ = self.pipes.pop(read)
        os.close(read)
        os.waitpid(process, 0)


def serve(espeak: Espeak, out: int) -> None:
    """Answer requests until the input closes."""
    talkers = Talkers(espeak, out)
    requests = bytearray()
    os.set_blocking(out, False)
    while True:
        reading = [0, *(talkers.pipes if len(talkers.waiting) < OUT_LIMIT else ())]
        ready, writable, _ = select.select(reading, [out] if talkers.waiting else [], [])
        if 0 in ready:
            part = os.read(0, 1 << 16)
            if not part:
                break
            requests += part
            for header, _ in whole_messages(requests):
                if "stop" in header:
                    talkers.stop(header["stop"])
                else:
                    talkers.say(header["say"], header)
        for read in ready:
            if read in talkers.pipes:
                talkers.read_from(read)
        if writable or talkers.waiting:
            talkers.flush()
    for number in [number for number, _, _ in talkers.pipes.values()]:
        talkers.stop(number)


def main() -> int:
    """Load a library, say so, and serve; with --probe only say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked decides when speaking ends
    parser = argparse.ArgumentParser(description="speak with espeak-ng over standard input and output")
    parser.add_argument("--library", default=os.environ.get("DUOLOGUE_ESPEAK_LIBRARY"))
    parser.add_argument("--data", default=os.environ.get("DUOLOGUE_ESPEAK_DATA"))
    parser.add_argument("--probe", action="store_true")
    options = parser.parse_args()
    out = os.dup(1)
    os.dup2(2, 1)  # nothing that the library prints may enter the protocol
    try:
        espeak = Espeak(options.library, options.data)
    except RuntimeError as error:
        write_all(out, pack({"error": str(error)}))
        return 1
    espeak.prefer("en-us")
    write_all(out, pack({"ready": espeak.version, "library": espeak.path, "rate_hz": espeak.rate_hz}))
    if not options.probe:
        serve(espeak, out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
