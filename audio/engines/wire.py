"""Messages between a parent and its worker process: a JSON header and raw bytes.

On the wire a message is the length of its header (4 bytes, big-endian), the header (a JSON object) and as many bytes
as the header's ``bytes`` says (none when absent). This file refuses to know processes and what is said, and imports
next to nothing, because each worker loads it before it can answer.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping
from typing import Any

__all__ = ["LENGTH", "MAX_HEADER_BYTES", "MAX_PAYLOAD_BYTES", "Header", "pack", "read_message"]

Header = dict[str, Any]

LENGTH = struct.Struct(">I")
MAX_HEADER_BYTES = 1 << 20
MAX_PAYLOAD_BYTES = 1 << 24
"""8 minutes of sound at 16 kHz: far above any block, and a bound on what one message may cost."""

_READ_BYTES = 1 << 16


def pack(header: Mapping[str, Any], payload: bytes = b"") -> bytes:
    """One message as bytes. `header` must not hold ``bytes``, which is the payload's length."""
    text = json.dumps({**header, "bytes": len(payload)} if payload else header, separators=(",", ":")).encode()
    return LENGTH.pack(len(text)) + text + payload


def read_message(fd: int) -> tuple[Header, bytes] | None:
    """The next message from a blocking descriptor, or None at its end. Raises ValueError on nonsense."""
    size = _read_exactly(fd, LENGTH.size)
    if len(size) < LENGTH.size:
        return None
    header = json.loads(_read_exactly(fd, *LENGTH.unpack(size)))
    return header, _read_exactly(fd, header.pop("bytes", 0))


def _read_exactly(fd: int, n_bytes: int) -> bytes:
    parts: list[bytes] = []
    while n_bytes:
        part = os.read(fd, min(n_bytes, _READ_BYTES))
        if not part:
            break
        parts.append(part)
        n_bytes -= len(part)
    return b"".join(parts)
