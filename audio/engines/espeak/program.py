# SPDX-License-Identifier: GPL-3.0-or-later
"""A program that speaks with espeak-ng on request, over pipes.

espeak-ng is GPL-3.0-or-later, and so is this one file, which loads it. The file is a whole program: it imports the
standard library alone, nothing imports it, and it is spoken to through pipes only. It refuses to know who asks.

Each utterance is spoken by a fork of the process, made when the library was loaded and had said nothing yet. The
library is not re-entrant and keeps pauses, wave phase and random numbers from one utterance to the next (the same
text came out up to 1,100 samples apart). A fork gives the same sound for the same text always, lets utterances
overlap, and ends when its listener is gone. Two forks wait ahead, since making one takes longer than speaking the
first word.

Standard input is a Unix socket of sequenced packets. A packet is a JSON object ``text, voice, rate_wpm, pitch`` with
one file descriptor: the pipe on which the utterance is wanted. Closing the other end of that pipe stops it within a
chunk. On standard output stands one message, ``ready`` (version), ``library``, ``rate_hz``, or ``error`` and the end.

A message is the length of its header (4 bytes, big-endian), a JSON object, and as many bytes as its ``bytes`` says.
Those of an utterance are

    {"words": [[first char, sample], ...], "cpu_s"} + int16 sound at the library's rate
    {"end": true, "cpu_s"}     after the last sound; a pipe that closes without it belonged to a fork that died
    {"error": text}            instead

Usage: program.py [--library PATH [--data PATH]] [--voice NAME] [--probe]
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import importlib.util
import json
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

LENGTH = struct.Struct(">I")
CHUNK_MS = 20
"""Asked of the library, which makes 49 ms (1.51) or 60 ms (1.52) of it."""

SPARE_FORKS = 2
MAX_PACKET_BYTES = 1 << 16
TAKEN, CLOSED = b"t", b"c"
"""What a fork tells the program: it took a request, or there will be none any more."""

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


class Voice(ctypes.Structure):
    """espeak_VOICE of speak_lib.h."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


SynthCallback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Event))


def pack(header: dict[str, Any], payload: bytes = b"") -> bytes:
    text = json.dumps({**header, "bytes": len(payload)} if payload else header, separators=(",", ":")).encode()
    return LENGTH.pack(len(text)) + text + payload


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
        # Debian's library opens a sound server that nobody plays to, and leaves folders in /tmp and ~/.config for it.
        os.environ["PULSE_RUNTIME_PATH"] = "/proc/none"
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
        """Select a voice by its name or language, and read its dictionary (60 ms); False where there is none."""
        self.voice = voice
        if self.library.espeak_SetVoiceByName(voice.encode()) == 0:
            return True
        # By language it takes the nearest voice it has, however far; so ask what it took. A language stands behind
        # one byte of priority.
        self.library.espeak_SetVoiceByProperties(ctypes.byref(Voice(languages=voice.encode())))
        self.library.espeak_GetCurrentVoice.restype = ctypes.POINTER(Voice)
        taken = self.library.espeak_GetCurrentVoice()
        return bool(taken and (taken.contents.languages or b"")[1:] == voice.encode())

    def speak(self, out: int, request: dict[str, Any]) -> None:
        """Write an utterance's messages to `out`."""
        if request["voice"] != self.voice and not self.prefer(request["voice"]):
            write_all(out, pack({"error": f"espeak-ng has no voice {request['voice']!r}"}))
            return
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
                    write_all(out, pack({"words": words, "cpu_s": time.process_time()}, pcm))
                except OSError:
                    return 1  # nobody listens any more
            return 0

        callback = SynthCallback(chunk)
        self.library.espeak_SetSynthCallback(callback)
        text = request["text"].encode()
        failed = self.library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, UTF8, None, None)
        if failed:
            write_all(out, pack({"error": f"espeak-ng refused the text (code {failed})"}))
            return
        write_all(out, pack({"end": True, "cpu_s": time.process_time()}))


def wait_and_speak(espeak: Espeak, requests: socket.socket, told: int) -> NoReturn:
    """A fork: take one request, speak it and end, without the clean-up of the process it came from."""
    try:
        packet, pipes, _, _ = socket.recv_fds(requests, MAX_PACKET_BYTES, 1)
        os.write(told, TAKEN if packet else CLOSED)
        if packet:
            speak_into(espeak, pipes[0], json.loads(packet))
    finally:
        os._exit(0)


def speak_into(espeak: Espeak, out: int, request: dict[str, Any]) -> None:
    """Speak, or say on the same pipe why not."""
    try:
        espeak.speak(out, request)
    except Exception as error:
        with contextlib.suppress(OSError):
            write_all(out, pack({"error": f"{type(error).__name__}: {error}"}))


def serve(espeak: Espeak, requests: socket.socket) -> None:
    """Keep forks waiting for requests until whoever asks has gone. Utterances then end by their own pipes."""
    listening, told = os.pipe()
    news = TAKEN * SPARE_FORKS
    while CLOSED not in news:
        for _ in news:
            if os.fork() == 0:
                os.close(listening)
                wait_and_speak(espeak, requests, told)
        news = os.read(listening, 64)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def main() -> int:
    """Load a library, say so, and serve; with --probe only say so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked decides when speaking ends
    parser = argparse.ArgumentParser(description="speak with espeak-ng on request; the file's first lines say how")
    parser.add_argument("--library", default=os.environ.get("DUOLOGUE_ESPEAK_LIBRARY"))
    parser.add_argument("--data", default=os.environ.get("DUOLOGUE_ESPEAK_DATA"))
    parser.add_argument("--voice", default="en-us", help="the voice that costs no time to begin with")
    parser.add_argument("--probe", action="store_true", help="say which library would speak, and end")
    options = parser.parse_args()
    out = os.dup(1)
    os.dup2(2, 1)  # nothing that the library prints may enter the protocol
    try:
        espeak = Espeak(options.library, options.data)
    except RuntimeError as error:
        write_all(out, pack({"error": str(error)}))
        return 1
    if not espeak.prefer(options.voice):
        write_all(out, pack({"error": f"espeak-ng has no voice {options.voice!r} (espeak-ng --voices lists them)"}))
        return 1
    write_all(out, pack({"ready": espeak.version, "library": espeak.path, "rate_hz": espeak.rate_hz}))
    os.close(out)
    if not options.probe:
        serve(espeak, socket.socket(fileno=0))
    return 0


if __name__ == "__main__":
    sys.exit(main())
