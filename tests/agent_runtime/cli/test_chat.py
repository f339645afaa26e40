"""``duologue chat``: typed calls through pipes, files and a terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from agent_runtime.cli.chat import Keyboard
from tests.agent_runtime.cli.lines import ROOT, agent_folder, program


def lines_of(data: bytes) -> list[str | None]:
    """What a keyboard makes of bytes in a pipe, up to the end."""
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    keyboard = Keyboard(read)
    found: list[str | None] = []
    while not found or found[-1] is not None:
        found.append(keyboard.line())
    os.close(read)
    return found


def test_lines_come_one_by_one_the_last_without_its_end_too() -> None:
    assert lines_of(b"") == [None]
    assert lines_of(b"one\ntwo\r\n\nthree") == ["one", "two", "", "three", None]
    assert lines_of("grüezi\n".encode()) == ["grüezi", None]
    assert lines_of(b"\xff\xfe\n") == ["\ufffd\ufffd", None]


def test_a_wait_for_a_line_can_be_ended() -> None:
    read, write = os.pipe()
    os.write(write, b"half a li")
    keyboard = Keyboard(read)
    found: list[str | None] = []
    thread = threading.Thread(target=lambda: found.append(keyboard.line()))
    thread.start()
    keyboard.hang_up()
    thread.join(timeout=10)
    assert found == [None]
    assert keyboard.line() is None


def test_no_keyboard_is_nobody_who_types() -> None:
    assert Keyboard(None).line() is None


def test_the_first_ctrl_c_hangs_up_the_second_stops() -> None:
    keyboard = Keyboard(os.open(os.devnull, os.O_RDONLY))
    before = signal.getsignal(signal.SIGINT)
    with keyboard.hanging_up():
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_piped_conversation(tmp_path: Path) -> None:
    said = program(
        "chat",
        *("--why", "--out", "kept"),
        cwd=tmp_path,
        stdin="\nI would like to come in on Wednesday!\n   \nthank you, bye",
    )
    assert (said.code, said.err) == (0, "")
    assert "agent   good morning, riverside clinic. how can i help?" in said.out
    assert "caller  i would like to come in on wednesday" in said.out
    assert "caller  thank you bye" in said.out
    assert "decides speak: greet" in said.out
    assert said.out.count("decides filler: tool find_slots") == 1, "on a screen once is enough"
    assert "you>" not in said.out
    assert re.search(r"the (caller|agent) hung up", said.out)
    assert "written to kept: " in said.out
    assert {"events.jsonl", "report.html"} <= {path.name for path in (tmp_path / "kept").iterdir()}


def test_no_input_at_all_is_a_caller_who_hangs_up(tmp_path: Path) -> None:
    agent = agent_folder(tmp_path / "agent", toml=[("today = 2026-11-23", "")])
    said = program("chat", "--agent", agent, stdin="")
    assert (said.code, said.err) == (0, "")
    assert "the caller hung up" in said.out


def test_at_a_terminal_ctrl_c_hangs_up(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "agent_runtime.cli", "chat"],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env={**os.environ, "NO_COLOR": "1", "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    with process:
        answered = 0
        while True:
            assert select.select([ours], [], [], 60)[0], f"it waits for ever after {shown!r}"
            try:
                shown += os.read(ours, 4096)
            except OSError:  # the program has closed its end
                break
            prompts = shown.count(b"you> ")
            if prompts > answered:
                answered = prompts
                if prompts == 1:
                    os.write(ours, b"hello there\n")
                else:
                    process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert process.stderr.read() == b""
    os.close(ours)
    assert process.returncode == 0
    assert b"the caller hung up" in shown
    assert b"caller  hello there" not in shown, "what was typed stands on the screen already"
