"""``duologue chat``: the same runtime with a keyboard for a caller; no audio, no waiting."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import FrameType

from ..call import run_call
from ..clock import today
from ..doors.typed import TypedDoor
from ..events import FinalTranscript
from ..narration import Narrator
from ..record import Entry
from ..testing.fakes import TimedVoice
from .options import iso_date
from .playing import load_agent, new_folder

__all__ = ["Keyboard", "arguments", "run"]

WORD_MS = 100
"""What a word of the agent takes, in time that nobody waits for: a goodbye is over after the words that it answers have
come in, 250 ms behind their end, so that the call ends with them."""


def arguments(parser: ArgumentParser) -> None:
    """The options of the command."""
    parser.epilog = """\
Type a line and press Enter: that is your turn. Ctrl-D or Ctrl-C hangs up.
A file or a pipe works too:  printf 'hello\\nten thirty please\\n' | duologue chat"""
    parser.add_argument("--agent", metavar="DIR", help="folder with agent.toml (default: the front desk)")
    parser.add_argument("--out", metavar="DIR", help="folder to keep the call in; it must not exist yet")
    parser.add_argument("--why", action="store_true", help="show every decision with its reason")
    parser.add_argument(
        "--today", type=iso_date, metavar="DATE", help="the agent's today (default: the agent's own, or this day)"
    )


def run(options: Namespace) -> int:
    """Talk until one side hangs up."""
    agent, out = load_agent(options.agent), new_folder(options.out)
    terminal = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()
    keyboard = Keyboard(sys.stdin.fileno() if sys.stdin is not None else None, "you> " if terminal else "")
    narrator = Narrator(sys.stdout, why=options.why)

    def tell(entry: Entry) -> None:
        if not (terminal and isinstance(entry.what, FinalTranscript)):  # what was typed stands on the screen already
            narrator.entry(entry)

    with keyboard.hanging_up():
        call = run_call(
            # on a screen it stands that a look-up takes a moment; nobody needs to hear it again
            replace(agent, filler=replace(agent.filler, most=1)),
            TypedDoor(keyboard.line),
            out=out,
            call_id="chat",
            today=options.today or agent.today or today(),
            watchers=[tell],
            audio=False,
            voice=TimedVoice(first_s=0.0, word_ms=WORD_MS),
        )
    if call.folder is not None:
        print(f"written to {call.folder}: " + ", ".join(sorted(path.name for path in call.folder.iterdir())))
    return 1 if call.ended.reason == "failed" else 0


class Keyboard:
    """Lines from a terminal, a file or a pipe (`fd`; None: nothing to read), for a thread that may wait for them.

    A wait in `sys.stdin.readline` cannot be ended from outside; this one can.
    """

    def __init__(self, fd: int | None, prompt: str = "") -> None:
        self._fd, self._prompt = fd, prompt
        self._held = bytearray()
        self._wake, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._over = fd is None
        self._hung_up = False

    def line(self) -> str | None:
        """The next line without its end; None when there is no more, or when `hang_up` was called."""
        if self._prompt:
            print(self._prompt, end="", flush=True)
        while self._fd is not None and b"\n" not in self._held and not self._over:
            ready, _, _ = select.select([self._fd, self._wake], [], [])
            if self._wake in ready:
                self._hung_up = True
                break
            part = os.read(self._fd, 65_536)
            self._over = not part
            self._held += part
        if self._hung_up or (self._over and not self._held):
            return None
        line, _, rest = self._held.partition(b"\n")
        self._held = bytearray(rest)
        return line.decode("utf-8", "replace").rstrip("\r")

    def hang_up(self) -> None:
        """End the wait for a line, and drop what was typed but not yet said."""
        self._hung_up = True
        with suppress(BlockingIOError):  # it is full of wishes to be woken
            os.write(self._waker, b"x")

    @contextmanager
    def hanging_up(self) -> Iterator[None]:
        """Ctrl-C hangs up, as Ctrl-D does; a second one stops the program."""
        asked = False

        def stop(_: int, __: FrameType | None) -> None:
            nonlocal asked
            if asked:
                raise KeyboardInterrupt
            asked = True
            self.hang_up()

        try:
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = signal.signal(signal.SIGINT, stop)
            # The main thread waits for this one's line. A signal that comes just before it begins to wait would be seen
            # by nobody until the next; written to the pipe as well, it ends the wait itself.
            woken = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
            try:
                yield
            finally:
                signal.set_wakeup_fd(woken)
                signal.signal(signal.SIGINT, before)
        finally:
            os.close(self._wake)
            os.close(self._waker)
