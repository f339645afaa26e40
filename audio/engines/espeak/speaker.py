"""The parent's side of the espeak-ng program: starting it, asking it for utterances, and asking again when one died.

Each utterance comes through a pipe of its own, so none waits for another, and what nobody reads is not made: a pipe
holds 1.5 s. All methods block and belong to the one thread of `thread`. This file refuses to know the event loop, and
knows espeak-ng by its messages only.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from audio.engines.child import ChildGone, Messages, start_python
from audio.engines.espeak.utterance import SpokenChunk, Utterance, VoiceError
from audio.engines.wire import Header
from audio.frame import RATE_HZ
from audio.outcome import Outcome

__all__ = ["PATIENCE_S", "PROGRAM", "Speaker"]

PROGRAM = Path(__file__).with_name("program.py")

PATIENCE_S = 5.0
"""How long the program may be silent while an utterance is unfinished. It makes 10 s of speech in 10 ms; a guess that
leaves room for a busy machine."""

START_PATIENCE_S = 30.0
"""The same for its start, which takes 0.2 s on an idle core."""

MAX_SPEAKING = 64
"""Utterances in progress at once, each with a process that holds about 2 MB of its own until it is read to its end."""


class Speaker:
    """The program and the thread that talks to it; started at the first need, restarted when it dies."""

    def __init__(self, voice: str, library: Path | None, data: Path | None, patience_s: float) -> None:
        self.thread = ThreadPoolExecutor(1, "espeak")
        self.closed = False
        self.version = ""
        # -P: the program's folder must not shadow modules of the standard library.
        self._arguments = ["-P", str(PROGRAM), "--voice", voice]
        self._arguments += ["--library", str(library)] if library else []
        self._arguments += ["--data", str(data)] if data else []
        self._patience_s = patience_s
        self._program: tuple[subprocess.Popen[bytes], socket.socket] | None = None
        self._rate_hz = 0
        self._pipes: dict[Utterance, tuple[int, Messages]] = {}

    @property
    def pid(self) -> int | None:
        """The number of the running program, if there is one."""
        program = self._program
        return program[0].pid if program else None

    def warm(self) -> Outcome[None]:
        """Start the program unless it runs. Raises VoiceError with the reason when it cannot start."""
        self._requests()
        return Outcome(None, 0.0, 0.0)

    def take(self, utterance: Utterance, at_least_s: float) -> Outcome[SpokenChunk]:
        """The next sound of an utterance, `at_least_s` of it unless it ends before. Raises VoiceError."""
        before_s = utterance.cpu_s
        while not utterance.ended and utterance.failure is None and utterance.waiting_s < at_least_s:
            try:
                if not utterance.asked:
                    self._ask(utterance)
                _, messages = self._pipes[utterance]
                utterance.add(*messages.receive(patience_s=self._patience_s))
            except ChildGone as error:
                self._hang_up(utterance)
                utterance.lose(str(error))
                # Was it only the one process? A new program costs little; a dead one would cost the next utterance.
                self._drop()
        if utterance.ended or utterance.failure:
            self._hang_up(utterance)
        if utterance.failure:
            raise VoiceError(f"the voice failed: {utterance.failure}")
        chunk = utterance.take()
        return Outcome(chunk, utterance.cpu_s - before_s, len(chunk.pcm) / RATE_HZ)

    def stop(self, utterance: Utterance) -> None:
        """Say no more of an utterance: its process ends with the chunk that it is at."""
        self._hang_up(utterance)

    def end(self) -> None:
        """From the event loop: nothing is asked or started any more."""
        self.closed = True

    def close(self) -> Outcome[None]:
        """In the thread, after `end`: end the program and every utterance."""
        self._drop()
        for utterance in list(self._pipes):
            self._hang_up(utterance)
        return Outcome(None, 0.0, 0.0)

    def _ask(self, utterance: Utterance) -> None:
        if len(self._pipes) >= MAX_SPEAKING:
            raise VoiceError(f"{MAX_SPEAKING} utterances are being spoken (read them to the end, or close them)")
        requests = self._requests()
        utterance.begin(self._rate_hz)
        settings = utterance.settings
        request: Header = {"text": utterance.text, "voice": settings.voice}
        request |= {"rate_wpm": settings.rate_wpm, "pitch": settings.pitch}
        ours, theirs = os.pipe()
        self._pipes[utterance] = ours, Messages(ours, "the speaking process")
        try:
            socket.send_fds(requests, [json.dumps(request).encode()], [theirs])
        except OSError as error:
            raise ChildGone(f"the voice program takes no request ({error})") from error
        finally:
            os.close(theirs)

    def _hang_up(self, utterance: Utterance) -> None:
        pipe = self._pipes.pop(utterance, None)
        if pipe is not None:
            os.close(pipe[0])

    def _requests(self) -> socket.socket:
        """The socket of the running program. Raises VoiceError when it cannot start."""
        if self.closed:
            raise VoiceError("the voice was closed (open a new one)")
        if self._program is None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                process = start_python(self._arguments, stdin=theirs.fileno())
            self._program = process, ours
            ours.settimeout(self._patience_s)
            assert process.stdout is not None
            try:
                hello, _ = Messages(process.stdout.fileno(), "the voice program").receive(patience_s=START_PATIENCE_S)
            except ChildGone as error:
                hello = {"error": str(error)}
            if "error" in hello:
                self._drop()
                raise VoiceError(f"the voice does not start: {hello['error']}")
            self.version, self._rate_hz = f"espeak-ng {hello['ready']}", int(hello["rate_hz"])
        return self._program[1]

    def _drop(self) -> None:
        """End the program. Utterances in progress have processes of their own and go on."""
        if self._program is None:
            return
        process, requests = self._program
        self._program = None
        requests.close()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
