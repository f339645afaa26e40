"""Messages survive the way through a pipe."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audio.engines.wire import LENGTH, Header, pack, read_message

HEADERS = st.dictionaries(st.text(max_size=8).filter(lambda key: key != "bytes"), st.integers() | st.text(max_size=8))


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=40)), max_size=4))
def test_messages_come_out_as_they_went_in(messages: list[tuple[Header, bytes]]) -> None:
    reading, writing = os.pipe()
    try:
        for header, payload in messages:
            os.write(writing, pack(header, payload))
        os.close(writing)
        for message in messages:
            assert read_message(reading) == message
        assert read_message(reading) is None
    finally:
        os.close(reading)


def test_nonsense_is_refused() -> None:
    reading, writing = os.pipe()
    os.write(writing, LENGTH.pack(3) + b"no!")
    os.close(writing)
    with pytest.raises(ValueError, match="Expecting value"):
        read_message(reading)
    os.close(reading)
