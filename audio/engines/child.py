"""A child process spoken to over its standard input and output, with a limit on how long it may stay silent.

Engines that hold the interpreter lock or carry another licence live in a process of their own. A `Child` is blocking
and belongs to one thread. This file refuses to know what is said (`audio.engines.wire` has the form), and restarts
nothing: who knows the state that died with a child says it again to the next one.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audio.engines.wire import LENGTH, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, Header, pack
from audio.frame import AudioError

__all__ = ["Child", "ChildGone"]

_READ_BYTES = 1 << 16


class ChildGone(AudioError):
    """The child ended, broke the protocol or stayed silent for too long; what it knew is lost."""


class Child:
    """A running Python process. `name` is how errors call it; `module_root` goes in front of its import path."""

    def __init__(self, name: str, arguments: Sequence[str], *, module_root: Path | None = None) -> None:
        environment = dict(os.environ)
        if module_root is not None:
            inherited = environment.get("PYTHONPATH")
            environment["PYTHONPATH"] = os.pathsep.join([str(module_root), *([inherited] if inherited else [])])
        self.name = name
        self._unread = bytearray()
        # Errors of the child come as messages; what its C library prints helps nobody.
        self._process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in = self._process.stdin.fileno()
        self._out = self._process.stdout.fileno()
        os.set_blocking(self._in, False)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def send(self, header: Mapping[str, Any], payload: bytes = b"", *, patience_s: float) -> None:
        """Write one message; raises ChildGone when the child takes none of it for `patience_s`."""
        left = memoryview(pack(header, payload))
        while left:
            self._wait(self._in, select.POLLOUT, patience_s)
            try:
                left = left[os.write(self._in, left) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._gone(f"does not read ({error.strerror})") from error

    def receive(self, *, patience_s: float) -> tuple[Header, bytes]:
        """The next message; raises ChildGone when the child is silent for `patience_s`, or ends, or talks nonsense."""
        (size,) = LENGTH.unpack(self._take(LENGTH.size, patience_s))
        if size > MAX_HEADER_BYTES:
            raise self._gone(f"announced a header of {size} bytes; the limit is {MAX_HEADER_BYTES}")
        try:
            header = json.loads(self._take(size, patience_s))
            n_bytes = int(header.pop("bytes", 0))
        except (ValueError, AttributeError, TypeError) as error:
            raise self._gone(f"sent a header that is no JSON object ({error})") from error
        if not 0 <= n_bytes <= MAX_PAYLOAD_BYTES:
            raise self._gone(f"announced a payload of {n_bytes} bytes; the limit is {MAX_PAYLOAD_BYTES}")
        return header, self._take(n_bytes, patience_s)

    def end(self) -> None:
        """Kill the process; any thread may, and a `receive` that waits in another one then raises."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process, wait for its end and give its pipes back: for the thread that owns the child."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _take(self, n_bytes: int, patience_s: float) -> bytes:
        while len(self._unread) < n_bytes:
            self._wait(self._out, select.POLLIN, patience_s)
            part = os.read(self._out, _READ_BYTES)
            if not part:
                raise self._gone("ended")
            self._unread += part
        taken = bytes(self._unread[:n_bytes])
        del self._unread[:n_bytes]
        return taken

    def _wait(self, fd: int, what: int, patience_s: float) -> None:
        poll = select.poll()
        poll.register(fd, what)
        if not poll.poll(patience_s * 1000):
            raise self._gone(f"gave no sign for {patience_s:g} s")

    def _gone(self, why: str) -> ChildGone:
        code = self._process.poll()
        ending = f", exit code {code}" if code is not None else ""
        return ChildGone(f"{self.name} (process {self.pid}{ending}) {why}")
