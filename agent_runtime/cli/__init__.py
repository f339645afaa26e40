"""The command line: ``duologue demo | replay | chat | report | refold | doctor | bench``.

Each command is a room of its own, imported when it is asked for, so that ``duologue doctor`` does not wait for a
language model. What a user can do wrong ends in one line on stderr and exit code 2; nothing is left half-written.
"""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from types import FrameType

from .options import Parser, near

__all__ = ["main"]

COMMANDS = {
    "demo": "play the front-desk call by voice and show what became of it",
    "replay": "play a recording, a transcript or a scripted caller against an agent",
    "chat": "talk to an agent by typing",
    "report": "make the page (or a picture) of a call from its log",
    "refold": "ask of a log whether today's code would decide the same",
    "doctor": "show which parts are present, and how to get the missing ones",
    "bench": "measure this code on this machine",
}

OVERVIEW = """\
duologue: voice agents that think while they listen and while they speak.

usage: duologue COMMAND [options]

{commands}

Begin with "duologue demo". "duologue COMMAND --help" explains a command.
Exit codes: 0 done, 1 done but not as it should be, 2 wrong use or bad input."""

STOPPED = 128 + signal.SIGINT
PIPE_CLOSED = 128 + signal.SIGPIPE

WAYS_OUT = {
    errno.EACCES: "choose a place you may use",
    errno.EPERM: "choose a place you may use",
    errno.EROFS: "choose a place that can be written",
    errno.ENOENT: "check the path",
    errno.ENOTDIR: "check the path",
    errno.EISDIR: "name a file",
    errno.ENOSPC: "make room, or choose another disk",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0 done, 1 not as it should be, 2 wrong use or bad input.

    Stopped by Ctrl-C or a signal it is 130; 141 when whoever read the output closed it.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    name = given[0] if given else "--help"
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")  # a terminal may know fewer characters than people say
    try:
        with _stoppable():
            code = _run(name, given[1:])
            if sys.stdout is not None:
                sys.stdout.flush()
    except KeyboardInterrupt:
        _say(name, "stopped; nothing was kept")
        return STOPPED
    except BrokenPipeError:
        _drop_output()
        return PIPE_CLOSED
    except Exception as error:
        if (users := _users(error)) is None:
            raise
        _say(name, _one_line(users))
        _drop_output()
        return 2
    return code


def _run(name: str, given: Sequence[str]) -> int:
    if name in ("-h", "--help", "help"):
        print(OVERVIEW.format(commands="\n".join(f"  {name:<9}{text}" for name, text in COMMANDS.items())))
        return 0
    if name in ("-V", "--version"):
        from agent_runtime import __version__

        print(f"duologue {__version__}")
        return 0
    if name not in COMMANDS:
        hint = near(name, COMMANDS) or f"there are {', '.join(COMMANDS)}"
        print(f"duologue: no command {name!r}; {hint}", file=sys.stderr)
        return 2
    room = import_module(f"{__name__}.{name}")
    parser = Parser(prog=f"duologue {name}", description=COMMANDS[name][0].upper() + COMMANDS[name][1:] + ".")
    room.arguments(parser)
    try:
        options = parser.parse_args(given)
    except SystemExit as exit_:  # argparse leaves by this way after --help (0) and after its line of error (2)
        return int(exit_.code or 0)
    return int(room.run(options))


@contextmanager
def _stoppable() -> Iterator[None]:
    """A signal that asks a program to end ends it as Ctrl-C does: workers are stopped, nothing half-written stays."""

    def stop(_: int, __: FrameType | None) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # a shell's background job ignores Ctrl-C, but whoever asks it to end is not the terminal
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {asked: signal.signal(asked, stop) for asked in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for asked, handler in before.items():
            signal.signal(asked, handler)


def _say(name: str, text: str) -> None:
    command = f"duologue {name}" if name in COMMANDS else "duologue"
    with suppress(OSError):
        print(f"{command}: {text}", file=sys.stderr)


def _drop_output() -> None:
    """What nobody can read any more must not fail once more when the interpreter ends."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _users(error: Exception) -> Exception | None:
    """The error that a user caused and can mend, out of its groups; None for a fault of ours, which keeps its trace.

    Each error that a user can cause is one of these kinds and has one line that says the way out.
    """
    from audio.frame import AudioError  # numpy comes with it: no help text waits for that

    kinds = (ValueError, OSError, ImportError, AudioError)
    if isinstance(error, ExceptionGroup):
        found = [_users(one) for one in error.exceptions]
        return found[0] if all(found) else None
    return error if isinstance(error, kinds) else None


def _one_line(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        way_out = WAYS_OUT.get(error.errno or 0)
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror.lower()}" + (f" ({way_out})" if way_out else "")
    text = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ImportError) and error.name:
        return f"{text} (duologue doctor shows which parts are missing)"
    return text
