"""One key for each counterparty, however it is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory import KeepingError
from memory.subjects import normalise, subject_of

SALT = b"0123456789abcdef"


@pytest.mark.parametrize(
    "written",
    [
        "+447700900123",
        "+44 7700 900123",
        "+44 (0)7700 900-123",
        "0044 7700 900123",
        "07700 900123",
        "tel:+447700900123",
        "sip:+447700900123@carrier.example;user=phone",
        "<sip:07700900123@10.0.0.1>",
    ],
)
def test_one_number_is_one_subject_however_it_is_written(written: str) -> None:
    assert normalise(written, "44") == "+447700900123"
    assert subject_of(written, SALT, country="44") == subject_of("+447700900123", SALT)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("07700 900123", "07700900123"),
        ("SIP:Alice@Example.org", "alice@example.org"),
        ("101@pbx.example", "101@pbx.example"),
        ("101", "101"),
        ("call:7f3a", "call:7f3a"),
        ("  ", ""),
        ("Anonymous", ""),
        ("sip:anonymous@anonymous.invalid", ""),
    ],
)
def test_other_counterparties(written: str, normal: str) -> None:
    assert normalise(written) == normal


@given(st.text("+0123456789 ()-.", max_size=20))
def test_normalising_twice_changes_nothing(written: str) -> None:
    once = normalise(written)
    assert normalise(once) == once


def test_a_subject_is_keyed() -> None:
    one = subject_of("+447700900123", SALT)
    assert len(one) == 32
    assert int(one, 16) >= 0
    assert one != subject_of("+447700900123", SALT + b"x")
    assert one != subject_of("+447700900124", SALT)


@pytest.mark.parametrize("salt", [b"", b"short", b"x" * 65])
def test_salts_have_limits(salt: bytes) -> None:
    with pytest.raises(KeepingError, match=f"salt has {len(salt)} bytes; expected 16 to 64"):
        subject_of("+447700900123", salt)


def test_a_withheld_number_is_nobody() -> None:
    with pytest.raises(KeepingError, match="names nobody"):
        subject_of("anonymous", SALT)
