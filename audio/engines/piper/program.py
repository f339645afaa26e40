"""The Piper program and what it writes: a sentence is a line of its input, and a WAV file of its output.

Raw sound on a pipe would not tell where a sentence ends, and a program for each sentence would load the model each
time. With ``--output_dir`` Piper keeps its model, writes a WAV file for each line and then says its
name on a line: Piper 1.3 and later among its log lines on standard error, its predecessor in C++ on standard output.
All methods block and belong to the one thread of `thread`. This file refuses to know the event loop.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from audio.engines.child import ChildGone, wait_for
from audio.engines.piper.programs import command, missing_model, missing_program
from audio.engines.sentences import Made
from audio.engines.spoken import VoiceError
from audio.outcome import Outcome

__all__ = ["PATIENCE_S", "Piper", "Running"]

PATIENCE_S = 30.0
"""How long Piper may be silent over a sentence. A guess: no real voice was at hand to be measured."""

START_PATIENCE_S = 60.0
"""The same for its first sentence, before which it loads its model."""

_SAID_MOST = 200
_COMPLAINT = re.compile(r"(?!INFO|DEBUG|WARNING|Traceback|During|The above)\S.*: ")
_READ_BYTES = 1 << 16


class Running:
    """One Piper process with the folder it writes to."""

    def __init__(self, arguments: Sequence[str]) -> None:
        # In memory where the machine has such a folder: nothing of what is said touches a disk.
        memory = Path("/dev/shm")
        self.folder = tempfile.mkdtemp(prefix="duologue-piper-", dir=memory if memory.is_dir() else None)
        self._process = subprocess.Popen(
            [*arguments, "--output_dir", self.folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            # Unbuffered: each line counts at once. No telemetry: onnxruntime has it on unless it is told so.
            env={"ORT_DISABLE_TELEMETRY": "1", **os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._name = f"piper (process {self.pid})"
        self._unread = bytearray()
        self._complaint = ""
        """The first line that may say what is wrong: a later one is often what the first one led to."""
        self._written = re.compile(re.escape(self.folder) + r"/[^/\s]+\.wav")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def make(self, sentence: str, patience_s: float) -> Made:
        """The sound of a sentence. Raises ChildGone with what Piper said of it."""
        line = memoryview(f"{sentence}\n".encode())
        os.set_blocking(self._in, False)
        try:
            while line:
                wait_for(self._in, select.POLLOUT, patience_s, self._name)
                with contextlib.suppress(BlockingIOError):
                    line = line[os.write(self._in, line) :]
        except OSError as error:
            self._drain()
            raise ChildGone(f"{self._name} does not read ({error.strerror}){self._why()}") from error
        while True:
            said = self._line(patience_s)
            if found := self._written.search(said):
                return _read(Path(found.group()))
            self._hear(said)

    def cpu_s(self) -> float:
        """CPU seconds of the process so far, where the system tells (Linux), else 0."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Kill the process; any thread may, and a `make` that waits in another one then raises."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process, wait for its end and remove what it wrote: for the thread that owns it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        for file in Path(self.folder).glob("*.wav"):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            os.rmdir(self.folder)

    def _line(self, patience_s: float) -> str:
        while b"\n" not in self._unread:
            wait_for(self._out, select.POLLIN, patience_s, self._name)
            part = os.read(self._out, _READ_BYTES)
            if not part:
                raise ChildGone(f"{self._name} ended{self._why()}")
            self._unread += part
        line, _, rest = bytes(self._unread).partition(b"\n")
        self._unread = bytearray(rest)
        return line.decode("utf-8", "replace")

    def _drain(self) -> None:
        """Read what it said before it stopped reading."""
        with contextlib.suppress(ChildGone):
            while True:
                self._hear(self._line(0.5))

    def _hear(self, said: str) -> None:
        if not self._complaint and _COMPLAINT.match(said):
            self._complaint = " ".join(said.split())[:_SAID_MOST]

    def _why(self) -> str:
        return f"; it said: {self._complaint}" if self._complaint else ""


def _read(file: Path) -> Made:
    """The sound of a WAV file, which is removed."""
    try:
        with wave.open(str(file), "rb") as sound:
            form = (sound.getnchannels(), sound.getsampwidth())
            pcm, rate_hz = sound.readframes(sound.getnframes()), sound.getframerate()
    except (OSError, EOFError, wave.Error) as error:
        raise ChildGone(f"piper wrote a file that cannot be read ({error})") from error
    finally:
        file.unlink(missing_ok=True)
    if form != (1, 2):
        raise VoiceError(f"piper wrote {form[0]} channels of {8 * form[1]} bits; expected mono of 16")
    return Made(np.frombuffer(pcm, "<i2").astype(np.int16), rate_hz)


class Piper:
    """Piper and the thread that talks to it; started at the first need, restarted when it dies."""

    def __init__(self, model: Path, program: str, speed: float, patience_s: float) -> None:
        self.thread = ThreadPoolExecutor(1, "piper")
        self.closed = False
        self._model, self._program, self._speed, self._patience_s = model, program, speed, patience_s
        self._running: Running | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running process, if there is one."""
        running = self._running
        return running.pid if running else None

    def make(self, sentence: str) -> Outcome[Made]:
        """The sound of a sentence; asked once more of a new process if the first dies over it. Raises VoiceError."""
        for attempt in (1, 2):
            fresh = self._running is None
            running = self._start()
            before_s = running.cpu_s()
            try:
                made = running.make(sentence, max(START_PATIENCE_S, self._patience_s) if fresh else self._patience_s)
            except ChildGone as error:
                self._drop()
                if attempt == 2 or self.closed:
                    raise VoiceError(f"piper was lost {attempt} time(s) over the same sentence: {error}") from error
                continue
            return Outcome(made, max(0.0, running.cpu_s() - before_s), len(made.pcm) / made.rate_hz)
        raise AssertionError("the second attempt returns or raises")

    def stop(self) -> None:
        """From the event loop: no more restarts, and whoever waits for the process is woken."""
        self.closed = True
        running = self._running
        if running is not None:
            running.end()

    def close(self) -> Outcome[None]:
        """In the thread, after `stop`: reap the process."""
        self._drop()
        return Outcome(None, 0.0, 0.0)

    def _start(self) -> Running:
        if self.closed:
            raise VoiceError("the voice was closed (open a new one)")
        if self._running is None:
            lacks = [line for line in (missing_program(self._program), missing_model(self._model)) if line]
            arguments = command(self._program)
            if lacks or arguments is None:
                raise VoiceError(f"the voice 'piper' cannot start: {'; '.join(lacks)}")
            arguments += ["--model", str(self._model)]
            if self._speed != 1:
                arguments += ["--length_scale", f"{1 / self._speed:.4f}"]
            self._running = Running(arguments)
        return self._running

    def _drop(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None
