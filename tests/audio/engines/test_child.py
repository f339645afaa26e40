"""A child that answers, and every way in which it may not."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from audio.engines.child import Child, ChildGone, Messages
from audio.engines.wire import LENGTH, MAX_HEADER_BYTES, MAX_PAYLOAD_BYTES, pack

ECHO = """
import os
from audio.engines.wire import pack, read_message
while message := read_message(0):
    os.write(1, pack(*message))
"""


@contextmanager
def child(program: str) -> Iterator[Child]:
    running = Child("echo", ["-c", program])
    try:
        yield running
    finally:
        running.close()
        running.close()


def test_what_is_sent_comes_back() -> None:
    with child(ECHO) as echo:
        payload = bytes(300_000)
        echo.send({"n": 1}, b"abc", patience_s=10)
        assert echo.receive(patience_s=10) == ({"n": 1}, b"abc")
        # More than a pipe holds, both ways.
        echo.send({"n": 2}, payload, patience_s=10)
        assert echo.receive(patience_s=10) == ({"n": 2}, payload)


def test_a_killed_child_is_noticed() -> None:
    with child(ECHO) as echo:
        echo.end()
        with pytest.raises(ChildGone, match=rf"echo \(process {echo.pid}\) ended"):
            echo.receive(patience_s=10)
        with pytest.raises(ChildGone, match="does not read"):
            echo.send({}, bytes(300_000), patience_s=10)


def test_a_silent_child_is_given_up() -> None:
    with child("import signal; signal.pause()") as silent:
        with pytest.raises(ChildGone, match=r"gave no sign for 0\.01 s"):
            silent.receive(patience_s=0.01)
        with pytest.raises(ChildGone, match="gave no sign"):
            silent.send({}, bytes(300_000), patience_s=0.01)


def said(data: bytes) -> Messages:
    reading, writing = os.pipe()
    os.write(writing, data)
    os.close(writing)
    return Messages(reading, "someone")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (lambda: LENGTH.pack(MAX_HEADER_BYTES + 1), "header of 1048577 bytes"),
        (lambda: LENGTH.pack(2) + b"[]", "no JSON object"),
        (lambda: LENGTH.pack(2) + b"{x", "no JSON object"),
        (lambda: pack({})[: LENGTH.size - 1], "someone ended"),
        (lambda: pack({}, b"abc")[:-1], "someone ended"),
        (lambda: b'\0\0\0\x0c{"bytes":-1}', "announced -1 bytes"),
        (lambda: b'\0\0\0\x15{"bytes":10000000000}', f"limit is {MAX_PAYLOAD_BYTES}"),
    ],
)
def test_nonsense_ends_the_talk(data: Callable[[], bytes], why: str) -> None:
    with pytest.raises(ChildGone, match=why):
        said(data()).receive(patience_s=10)
