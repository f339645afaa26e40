"""Whom a record is about: one stable pseudonymous key per counterparty.

Payloads in logs and rows in memory are grouped and encrypted by subject, so that forgetting a person is destroying one
key. The key of a telephone number must therefore not depend on how a carrier writes it, and must not be found by
hashing all numbers: it is keyed with a salt that stays with the installation. This file refuses to know who keeps the
salt, the encryption and the store.
"""

from __future__ import annotations

import hashlib
import re

from memory import KeepingError

__all__ = ["SALT_LEAST_BYTES", "normalise", "subject_of"]

SALT_LEAST_BYTES = 16
"""Shorter salts could be guessed (128 bits)."""

_SALT_MOST_BYTES = hashlib.blake2b.MAX_KEY_SIZE
_SUBJECT_BYTES = 16
_ANONYMOUS = frozenset({"", "anonymous", "unknown", "unavailable", "restricted", "private", "withheld", "+", "invalid"})
_SCHEME = re.compile(r"^(?:sips?|tel|whatsapp|client):", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[\d\s().\-/]+")
_DIGITS_LEAST = 7
"""Fewer digits are an extension or a short code, which mean nothing without their host."""


def normalise(counterparty: str, country: str = "") -> str:
    """The one way to write a counterparty, ``""`` if withheld: ``+447700900123`` or an address in lower case.

    Takes telephone numbers in any usual notation, ``tel:`` and ``sip:`` addresses (a number before the ``@`` counts as
    that number, parameters are dropped) and any other name. `country`: calling code without ``+``, put before national
    numbers, whose trunk ``0`` falls away (ITU-T E.164; a few countries, Italy among them, keep the 0: give their
    numbers with ``+``). Without it a national number stays as its digits.
    """
    bare = _SCHEME.sub("", counterparty.strip().strip("<>")).partition(";")[0].strip()
    user = bare.partition("@")[0]
    if user.lower() in _ANONYMOUS:
        return ""
    if not _NUMBER.fullmatch(user):
        return bare.lower()
    digits = re.sub(r"\D", "", user.replace("(0)", ""))
    if len(digits) < _DIGITS_LEAST:
        return bare.lower()
    if user.startswith("+"):
        return f"+{digits}"
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if not country:
        return digits
    return f"+{country}{digits.removeprefix('0')}"


def subject_of(counterparty: str, salt: bytes, *, country: str = "") -> str:
    """The key of a counterparty: 32 hex figures, the same for each way to write it (keyed BLAKE2b, RFC 7693).

    Raises `KeepingError` for a salt of fewer than 16 or more than 64 bytes, and for a withheld number: such a call has
    no counterparty, so pass its call id and let each one be its own subject.
    """
    if not SALT_LEAST_BYTES <= len(salt) <= _SALT_MOST_BYTES:
        raise KeepingError(
            f"salt has {len(salt)} bytes; expected {SALT_LEAST_BYTES} to {_SALT_MOST_BYTES} (make one with os.urandom)"
        )
    name = normalise(counterparty, country)
    if not name:
        raise KeepingError(f"counterparty {counterparty!r} names nobody; pass 'call:' and the call id instead")
    return hashlib.blake2b(name.encode(), digest_size=_SUBJECT_BYTES, key=salt, person=b"duologue subject").hexdigest()
