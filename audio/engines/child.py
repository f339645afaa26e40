"""A worker process and the pipes to it, with a limit on how long it may stay silent.

Engines that hold the interpreter lock or carry another licence live in a process of their own. Everything here blocks
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

__all__ = ["Child", "ChildGone", "Messages", "start_python"]

_READ_BYTES = 1 << 16


class ChildGone(AudioError):
    """The child ended, broke the protocol or stayed silent for too long; what it knew is lost."""


def start_python(
    arguments: Sequence[str], *, stdin: int = subprocess.PIPE, module_root: Path | None = None
) -> subprocess.Popen[bytes]:
    """A Python process with unbuffered pipes; `module_root` goes in front of its import path."""
    environment = dict(os.environ)
    if module_root is not None:
        inherited = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(module_root), *([inherited] if inherited else [])])
    # Errors of the child come as messages; what its C library prints helps nobody.
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        bufsize=0,
        env=environment,
    )


class Messages:
    """Messages that come out of a pipe. `name` is how errors call the sender."""

    def __init__(self, fd: int, name: str) -> None:
        self._fd = fd
        self._name = name
        self._unread = bytearray()

    def receive(self, *, patience_s: float) -> tuple[Header, bytes]:
        """The next message; raises ChildGone when none comes for `patience_s`, at the end, and at nonsense."""
        (size,) = LENGTH.unpack(self._take(LENGTH.size, patience_s))
        if size > MAX_HEADER_BYTES:
            raise ChildGone(f"{self._name} announced a header of {size} bytes; the limit is {MAX_HEADER_BYTES}")
        try:
            header = json.loads(self._take(size, patience_s))
            n_bytes = int(header.pop("bytes", 0))
        except (ValueError, AttributeError, TypeError) as error:
            raise ChildGone(f"{self._name} sent a header that is no JSON object ({error})") from error
        if not 0 <= n_bytes <= MAX_PAYLOAD_BYTES:
            raise ChildGone(f"{self._name} announced {n_bytes} bytes; the limit is {MAX_PAYLOAD_BYTES}")
        return header, self._take(n_bytes, patience_s)

    def _take(self, n_bytes: int, patience_s: float) -> bytes:
        while len(self._unread) < n_bytes:
            wait_for(self._fd, select.POLLIN, patience_s, self._name)
            part = os.read(self._fd, _READ_BYTES)
            if not part:
                raise ChildGone(f"{self._name} ended")
            self._unread += part
        taken = bytes(self._unread[:n_bytes])
        del self._unread[:n_bytes]
        return taken


def wait_for(fd: int, event: int, patience_s: float, name: str) -> None:
    """Return once `fd` is ready for a `select.POLL*` event, or broken; raises ChildGone after `patience_s`."""
    poll = select.poll()
    poll.register(fd, event)
    if not poll.poll(max(0.0, patience_s) * 1000):  # a negative limit would be none
        raise ChildGone(f"{name} gave no sign for {patience_s:g} s")


class Child:
    """A process that answers on its standard output what it is asked on its standard input."""

    def __init__(self, name: str, arguments: Sequence[str], *, module_root: Path | None = None) -> None:
        self._process = start_python(arguments, module_root=module_root)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._name = f"{name} (process {self.pid})"
        self._in = self._process.stdin.fileno()
        self._messages = Messages(self._process.stdout.fileno(), self._name)
        os.set_blocking(self._in, False)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def send(self, header: Mapping[str, Any], payload: bytes = b"", *, patience_s: float) -> None:
        """Write one message; raises ChildGone when the child takes none of it for `patience_s`."""
        left = memoryview(pack(header, payload))
        while left:
            wait_for(self._in, select.POLLOUT, patience_s, self._name)
            try:
                left = left[os.write(self._in, left) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise ChildGone(f"{self._name} does not read ({error.strerror})") from error

    def receive(self, *, patience_s: float) -> tuple[Header, bytes]:
        """The next message; raises ChildGone when the child is silent for `patience_s`, or ends, or talks nonsense."""
        return self._messages.receive(patience_s=patience_s)

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
